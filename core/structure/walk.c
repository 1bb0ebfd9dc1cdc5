/* SPDX-License-Identifier: Apache-2.0 */
/* Walking the graph (Malkov and Yashunin, arXiv 1603.09320, Algorithm 2). */
#include "../bytes.h"
#include "../encoding/codec.h"
#include "graph.h"
#include "hnsw.h"
#include "structure.h"

int mn_walk_allocate(const mn_options *options, uint32_t capacity,
                     mn_walk *walk, mn_arena *scratch) {
  const size_t links = mn_links_max(options->m);
  const size_t most = links > MN_ENTRIES ? links : MN_ENTRIES;
  walk->visited = mn_arena_allocate(scratch, ((size_t)capacity + 31) / 32 *
                                                 sizeof *walk->visited);
  walk->links = mn_arena_allocate(scratch, 2 * links * sizeof *walk->links);
  walk->slots = mn_arena_allocate(scratch, most * sizeof *walk->slots);
  walk->distances = mn_arena_allocate(scratch, most * sizeof *walk->distances);
  walk->nearer = mn_arena_allocate(scratch, links * sizeof *walk->nearer);
  walk->spending = (mn_spending){0, UINT64_MAX, 0};
  walk->hops = 0;
  walk->hidden = MN_TWIN;
  return walk->visited != NULL && walk->links != NULL && walk->slots != NULL &&
         walk->distances != NULL && walk->nearer != NULL;
}

void mn_walk_begin(const mn_index *index, mn_walk *walk, uint64_t most) {
  mn_zero(walk->visited,
          ((size_t)index->state->count + 31) / 32 * sizeof *walk->visited);
  walk->spending = (mn_spending){0, most, 0};
  walk->hops = 0;
  if (walk->hidden < index->state->count)
    mn_walk_visit(walk, walk->hidden);
}

uint32_t mn_walk_keep_new(const mn_index *index, const uint32_t *slots,
                          uint32_t count, mn_walk *walk) {
  const uint32_t used = index->state->count;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (slots[i] >= used)
      continue;                   /* damage */
    walk->slots[kept] = slots[i]; /* kept where it is new: no branch */
    kept += mn_walk_visit(walk, slots[i]);
  }
  return kept;
}

uint32_t mn_walk_enter(const mn_index *index, const mn_target *target,
                       mn_walk *walk) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < index->state->entries; i++)
    if (index->entries[i] < index->state->count && /* or it is damage */
        index->entries[i] != walk->hidden)
      walk->slots[count++] = index->entries[i];
  count = mn_afford(&walk->spending, count);
  mn_distances(target, walk->slots, count, walk->distances);
  return count;
}

/* The nearest entry is where the walk begins. The others are not visited yet:
 * the walk may well come to them. */
static void begin(const mn_index *index, const mn_target *target, mn_walk *walk,
                  mn_pool *pool) {
  const uint32_t count = mn_walk_enter(index, target, walk);
  pool->size = 0;
  for (uint32_t i = 0; i < count; i++) {
    const mn_candidate next = {walk->distances[i], walk->slots[i]};
    if (i == 0 || mn_candidate_before(pool->keys, next, pool->items[0]))
      pool->items[0] = next;
  }
  if (count == 0)
    return;
  pool->size = 1;
  mn_walk_visit(walk, pool->items[0].slot);
}

/* --- Reading ahead -------------------------------------------------------- */

/* A walk waits for memory: for a list, and for the codes to which it leads.
 * Three times in four it goes on from the candidate that already stood behind
 * the one it is at. So that one's list is read, and its codes are asked for,
 * while the list before it is still being compared. */
typedef struct list {
  uint32_t slot; /* MN_NO_SLOT: it is none */
  uint32_t length;
  const uint32_t *links;
  uint32_t *room;
} list;

static void read_list(const mn_index *index, uint32_t slot, list *l) {
  l->slot = slot;
  l->length = mn_graph_links(index, slot, l->room, &l->links);
}

/* The first of the candidates from `at` on that was not walked from, or the
 * pool's size. */
static uint32_t find_unwalked(const mn_pool *pool, uint32_t at) {
  while (at < pool->size && (pool->items[at].slot & MN_WALKED) != 0)
    at++;
  return at;
}

/* Drops what was visited, and damage, from a list that is not yet its turn, and
 * asks for the codes of the rest. */
static void fetch_new(const mn_index *index, const mn_target *target,
                      const mn_walk *walk, list *l) {
  const uint32_t used = index->state->count;
  uint32_t count = 0;
  for (uint32_t i = 0; i < l->length; i++) {
    const uint32_t slot = l->links[i];
    if (slot >= used)
      continue;
    l->room[count] = slot; /* not behind where it was read */
    count += (walk->visited[slot / 32] >> slot % 32 & 1) ^ 1;
  }
  l->links = l->room;
  l->length = count;
  mn_fetch_codes(target, l->room, count);
}

/* Makes the candidate at `at` the one whose list is ahead. */
static void read_ahead(const mn_index *index, const mn_target *target,
                       const mn_pool *pool, uint32_t at, const mn_walk *walk,
                       list *ahead) {
  if (at == pool->size || pool->items[at].slot == ahead->slot)
    return;
  read_list(index, pool->items[at].slot, ahead);
  const uint32_t next = find_unwalked(pool, at + 1);
  if (next < pool->size)
    mn_graph_fetch(index, pool->items[next].slot);
  fetch_new(index, target, walk, ahead);
}

/* --- The walk ------------------------------------------------------------- */

void mn_walk_drop_dead(const mn_index *index, mn_pool *pool) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < pool->size; i++) {
    pool->items[kept] = pool->items[i];
    kept += (uint32_t)mn_slot_is_live(index, mn_candidate_slot(pool->items[i]));
  }
  pool->size = kept;
}

void mn_graph_walk(const mn_index *index, const mn_target *target,
                   mn_walk *walk, mn_pool *pool) {
  begin(index, target, walk, pool);
  const uint32_t most = mn_links_max(index->options.m);
  list here = {.slot = MN_NO_SLOT, .room = walk->links};
  list ahead = {.slot = MN_NO_SLOT, .room = walk->links + most};
  /* Everything before `at` has been walked from. */
  for (uint32_t at = 0; (at = find_unwalked(pool, at)) < pool->size;) {
    const uint32_t slot = pool->items[at].slot;
    const float end = mn_walk_end(walk, pool);
    if (pool->items[at].distance > end) {
      pool->size = at;
      break;
    }
    const int is_fetched = MN_IS_FAST && slot == ahead.slot;
    if (is_fetched) {
      const list read = ahead;
      ahead = here;
      here = read;
      ahead.slot = MN_NO_SLOT;
    } else
      read_list(index, slot, &here);
    pool->items[at].slot |= MN_WALKED;
    const uint32_t count =
        mn_walk_keep_new(index, here.links, here.length, walk);
    walk->hops++;
    /* A list is compared as a whole or not at all, so that the order of links
     * does not matter here either. */
    if (count > walk->spending.most - walk->spending.spent) {
      walk->spending.is_cut = 1;
      break;
    }
    walk->spending.spent += count;
    if (MN_IS_FAST) {
      if (!is_fetched)
        mn_fetch_codes(target, walk->slots, count);
      read_ahead(index, target, pool, find_unwalked(pool, at + 1), walk,
                 &ahead);
    }
    mn_fetched_distances(target, walk->slots, count, walk->distances);
    /* One bound for the whole list, so that the order of links within it does
     * not matter. Not <=, for then a walk among many equal vectors would go on
     * from key to smaller key until it had seen them all. */
    const float last = mn_pool_bound(pool);
    const float bound = last < end ? last : end;
    uint32_t nearer = 0;
    for (uint32_t i = 0; i < count; i++) {
      walk->nearer[nearer] = (mn_candidate){walk->distances[i], walk->slots[i]};
      nearer += walk->distances[i] < bound;
    }
    if (nearer == 0)
      continue;
    const uint32_t went = mn_pool_merge(pool, walk->nearer, nearer);
    if (went < at)
      at = went;
  }
}

/* The next twin of a slot that the filter lets through. */
static uint32_t next_twin(const mn_index *index, const mn_filter *filter,
                          mn_walk *walk, uint32_t slot) {
  do {
    slot = mn_graph_twin(index, slot);
    if (slot == MN_TWIN || !mn_walk_visit(walk, slot))
      return MN_TWIN;
  } while (MN_HAS_FILTERS && filter != NULL && !mn_lets_through(filter, slot));
  return slot;
}

uint32_t mn_walk_pick(const mn_index *index, const mn_filter *filter,
                      mn_walk *walk, uint32_t slot) {
  return filter == NULL || mn_lets_through(filter, slot)
             ? slot
             : next_twin(index, filter, walk, slot);
}

void mn_walk_add_twins(const mn_index *index, const mn_filter *filter,
                       uint32_t k, mn_walk *walk, mn_pool *pool) {
  /* Here the mark MN_WALKED says that a candidate's twin is still to come. */
  for (uint32_t at = 0; at < pool->size && at < k;) {
    mn_candidate *item = &pool->items[at];
    if ((item->slot & MN_WALKED) == 0 ||
        (pool->size >= k && !(item->distance < pool->items[k - 1].distance))) {
      at++;
      continue;
    }
    item->slot &= ~MN_WALKED;
    const uint32_t twin = next_twin(index, filter, walk, item->slot);
    if (twin == MN_TWIN)
      continue;
    walk->hops++;
    const uint32_t went =
        mn_pool_add(pool, (mn_candidate){item->distance, twin | MN_WALKED});
    if (went < at)
      at = went;
  }
}

void mn_graph_search(const mn_index *index, const mn_target *target, uint32_t k,
                     uint64_t most, mn_walk *walk, mn_pool *pool) {
  mn_walk_begin(index, walk, most);
  mn_graph_walk(index, target, walk, pool);
  mn_walk_add_twins(index, NULL, k, walk, pool);
}
