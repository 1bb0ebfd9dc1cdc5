/* SPDX-License-Identifier: Apache-2.0 */
/* Walking the graph (Malkov and Yashunin, arXiv 1603.09320, Algorithms 2, 5).
 */
#include "../block.h"
#include "../bytes.h"
#include "../encoding/codec.h"
#include "graph.h"
#include "hnsw.h"
#include "structure.h"

int mn_walk_allocate(const mn_options *options, uint32_t capacity,
                     mn_walk *walk, mn_arena *scratch) {
  const size_t links = mn_links_max(options->m, 0);
  walk->visited = mn_arena_allocate(scratch, ((size_t)capacity + 31) / 32 *
                                                 sizeof *walk->visited);
  walk->slots = mn_arena_allocate(scratch, links * sizeof *walk->slots);
  walk->distances = mn_arena_allocate(scratch, links * sizeof *walk->distances);
  walk->distance_count = walk->hops = 0;
  return walk->visited != NULL && walk->slots != NULL &&
         walk->distances != NULL;
}

/* A list's length and links come from the block and are not trusted: both are
 * checked before they are followed. */
static uint32_t list_length(const uint32_t *list, uint32_t most) {
  return list[0] <= most ? list[0] : most;
}

mn_candidate mn_graph_descend(const mn_index *index, const mn_target *target,
                              uint32_t to_level, mn_walk *walk) {
  const mn_state *state = index->state;
  mn_candidate best = {0.0f, state->entry};
  mn_distances(target, &best.slot, 1, &best.distance);
  walk->distance_count++;
  const uint32_t most = mn_links_max(index->options.m, 1);
  for (uint32_t level = state->top_level; level > to_level; level--) {
    /* Each step is strictly nearer, so this ends. */
    for (int nearer = 1; nearer;) {
      const uint32_t *list = mn_graph_list(index, best.slot, level);
      const uint32_t length = list_length(list, most);
      uint32_t count = 0;
      for (uint32_t i = 1; i <= length; i++)
        if (list[i] < state->linked)
          walk->slots[count++] = list[i];
      mn_distances(target, walk->slots, count, walk->distances);
      walk->distance_count += count;
      walk->hops++;
      nearer = 0;
      for (uint32_t i = 0; i < count; i++) {
        const mn_candidate next = {walk->distances[i], walk->slots[i]};
        if (next.distance < best.distance) {
          best = next;
          nearer = 1;
        }
      }
    }
  }
  return best;
}

/* 1 the first time that it is asked for a slot. */
static uint32_t visit(mn_walk *walk, uint32_t slot) {
  const uint32_t bit = 1u << slot % 32;
  uint32_t *word = &walk->visited[slot / 32];
  const uint32_t is_new = (*word & bit) == 0;
  *word |= bit;
  return is_new;
}

void mn_graph_search_level(const mn_index *index, const mn_target *target,
                           mn_candidate start, uint32_t level, mn_walk *walk,
                           mn_pool *pool) {
  const uint32_t linked = index->state->linked;
  const uint32_t most = mn_links_max(index->options.m, level);
  mn_zero(walk->visited, ((size_t)linked + 31) / 32 * sizeof *walk->visited);
  pool->size = 0;
  mn_pool_add(pool, start);
  visit(walk, start.slot);
  /* Everything before `at` has been walked from. */
  for (uint32_t at = 0; at < pool->size;) {
    if ((pool->items[at].slot & MN_WALKED) != 0) {
      at++;
      continue;
    }
    const uint32_t *list = mn_graph_list(index, pool->items[at].slot, level);
    pool->items[at].slot |= MN_WALKED;
    if (at + 1 < pool->size) /* the next in line, unless a nearer one comes */
      __builtin_prefetch(
          mn_graph_list(index, mn_candidate_slot(pool->items[at + 1]), level));
    const uint32_t length = list_length(list, most);
    uint32_t count = 0;
    for (uint32_t i = 1; i <= length; i++) {
      if (list[i] >= linked)
        continue;                   /* a twin, or damage */
      walk->slots[count] = list[i]; /* kept where it is new: no branch */
      count += visit(walk, list[i]);
    }
    mn_distances(target, walk->slots, count, walk->distances);
    walk->distance_count += count;
    walk->hops++;
    for (uint32_t i = 0; i < count; i++) {
      /* Not <=, for then a walk among many equal vectors would go on from key
       * to smaller key until it had seen them all. */
      if (!(walk->distances[i] < mn_pool_bound(pool)))
        continue;
      const uint32_t went =
          mn_pool_add(pool, (mn_candidate){walk->distances[i], walk->slots[i]});
      if (went < at)
        at = went;
    }
  }
}

/* The twin that hangs on `slot`, or MN_TWIN where there is none or it was
 * visited. */
static uint32_t next_twin(const mn_index *index, uint32_t slot, mn_walk *walk) {
  const uint32_t *list = mn_graph_list(index, slot, 0);
  const uint32_t length = list_length(list, mn_links_max(index->options.m, 0));
  const uint32_t last = length > 0 ? list[length] : 0;
  const uint32_t twin = last & ~MN_TWIN;
  return last != twin && twin < index->state->linked && visit(walk, twin)
             ? twin
             : MN_TWIN;
}

/* The walk left twins out, lest they crowd the pool. Those of the k best join
 * it now, at the same distance, until the k-th is as near as they. */
static void add_twins(const mn_index *index, uint32_t k, mn_walk *walk,
                      mn_pool *pool) {
  /* Here the mark MN_WALKED says that a candidate's twin is still to come. */
  for (uint32_t at = 0; at < pool->size && at < k;) {
    mn_candidate *item = &pool->items[at];
    if ((item->slot & MN_WALKED) == 0 ||
        (pool->size >= k && !(item->distance < pool->items[k - 1].distance))) {
      at++;
      continue;
    }
    item->slot &= ~MN_WALKED;
    const uint32_t twin = next_twin(index, item->slot, walk);
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
                     mn_walk *walk, mn_pool *pool) {
  const mn_candidate start = mn_graph_descend(index, target, 0, walk);
  mn_graph_search_level(index, target, start, 0, walk, pool);
  add_twins(index, k, walk, pool);
}
