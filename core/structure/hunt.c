/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking the graph for the matches of a filter. What does not match is walked
 * through but is no result: the queue of what is left to walk from and the best
 * matches are two pools. Where matches are sparse, comparing all that lies
 * between them is most of the work; then what does not match is not compared,
 * and its links are followed at once (after ACORN-1, Patel et al., arXiv
 * 2403.04871, section 5.2).
 *
 * Nothing here depends on the order of links within a list, nor on the numbers
 * of slots: see mn_graph_walk.
 */
#include "../block.h"
#include "../bytes.h"
#include "hnsw.h"

int mn_hunt_allocate(const mn_options *options, mn_hunt *hunt,
                     mn_arena *scratch) {
  const size_t links = mn_links_max(options->m);
  hunt->picked = mn_arena_allocate(scratch, links * sizeof *hunt->picked);
  hunt->between = mn_arena_allocate(scratch, links * sizeof *hunt->between);
  return hunt->picked != NULL && hunt->between != NULL;
}

typedef struct chase {
  const mn_index *index;
  const mn_target *target;
  const mn_hunting *how;
  mn_walk *walk;
  mn_hunt *hunt;
  mn_pool *matches;
  /* From which distances on candidates are too far: to be results, and to be
   * walked from. They are those of before a hop. */
  float result_bound, queue_bound;
} chase;

static float smaller(float a, float b) {
  return a < b ? a : b;
}

static void set_bounds(chase *c) {
  const uint32_t enough = c->how->enough;
  const mn_pool *matches = c->matches;
  c->result_bound =
      smaller(mn_pool_bound(matches), mn_walk_end(c->walk, matches));
  c->queue_bound = c->result_bound;
  if (c->walk->hops >= c->how->hops && matches->size >= enough)
    c->queue_bound =
        smaller(c->queue_bound, matches->items[enough - 1].distance);
}

static void add_result(chase *c, float distance, uint32_t slot) {
  mn_pool_add(c->matches, (mn_candidate){distance, slot | MN_WALKED});
}

/* Compared candidates join the queue where they are near enough. */
static void queue_up(chase *c, const uint32_t *slots, uint32_t count) {
  mn_walk *walk = c->walk;
  uint32_t nearer = 0;
  for (uint32_t i = 0; i < count; i++) {
    walk->nearer[nearer] = (mn_candidate){walk->distances[i], slots[i]};
    nearer += walk->distances[i] < c->queue_bound;
  }
  if (nearer > 0)
    mn_pool_merge(&c->hunt->queue, walk->nearer, nearer);
}

/* --- Where it begins ------------------------------------------------------ */

/* At the nearest entry and at the nearest that matches. The others are not
 * visited yet. */
static void begin(chase *c) {
  mn_walk *walk = c->walk;
  mn_pool *queue = &c->hunt->queue;
  const uint32_t count = mn_walk_enter(c->index, c->target, walk);
  mn_candidate nearest[2];
  uint32_t found[2] = {0, 0};
  for (uint32_t i = 0; i < count; i++) {
    const mn_candidate next = {walk->distances[i], walk->slots[i]};
    for (uint32_t which = 0; which < 2; which++) {
      if (found[which] &&
          !mn_candidate_before(queue->keys, next, nearest[which]))
        continue;
      if (which == 1 && !mn_lets_through(c->how->filter, next.slot))
        continue;
      nearest[which] = next;
      found[which] = 1;
    }
  }
  set_bounds(c);
  for (uint32_t which = 0; which < 2; which++) {
    if (!found[which] || !mn_walk_visit(walk, nearest[which].slot))
      continue;
    mn_pool_add(queue, nearest[which]);
    const uint32_t slot =
        mn_walk_pick(c->index, c->how->filter, walk, nearest[which].slot);
    if (slot != MN_TWIN)
      add_result(c, nearest[which].distance, slot);
  }
}

/* --- All are compared ----------------------------------------------------- */

/* A list is compared as a whole or not at all. 0 where that may not be. */
static int hop(chase *c, const uint32_t *links, uint32_t length) {
  mn_walk *walk = c->walk;
  const uint32_t count = mn_walk_keep_new(c->index, links, length, walk);
  if (count > walk->spending.most - walk->spending.spent) {
    walk->spending.is_cut = 1;
    return 0;
  }
  walk->spending.spent += count;
  mn_distances(c->target, walk->slots, count, walk->distances);
  for (uint32_t i = 0; i < count; i++) {
    if (!(walk->distances[i] < c->result_bound))
      continue;
    const uint32_t slot =
        mn_walk_pick(c->index, c->how->filter, walk, walk->slots[i]);
    if (slot != MN_TWIN)
      add_result(c, walk->distances[i], slot);
  }
  queue_up(c, walk->slots, count);
  return 1;
}

/* --- Only matches are compared -------------------------------------------- */

static void compare(chase *c, uint32_t count) {
  mn_walk *walk = c->walk;
  walk->spending.spent += count;
  mn_distances(c->target, walk->slots, count, walk->distances);
  for (uint32_t i = 0; i < count; i++)
    if (walk->distances[i] < c->result_bound)
      add_result(c, walk->distances[i], c->hunt->picked[i]);
  queue_up(c, walk->slots, count);
}

/* The links of a vector that does not match. Those that do not match either are
 * left alone, to be led through from another side. */
static void look_behind(chase *c, uint32_t between) {
  mn_walk *walk = c->walk;
  const uint32_t used = c->index->state->count;
  const uint32_t *links;
  const uint32_t length =
      mn_graph_links(c->index, between, walk->links, &links);
  uint32_t count = 0;
  for (uint32_t i = 0; i < length; i++)
    if (links[i] < used && mn_lets_through(c->how->filter, links[i]) &&
        mn_walk_visit(walk, links[i])) {
      c->hunt->picked[count] = links[i];
      walk->slots[count++] = links[i];
    }
  compare(c, count);
}

/* Distances that one hop may take at the most. */
static uint64_t two_hop_most(const mn_index *index) {
  const uint64_t links = mn_links_max(index->options.m);
  return links * (links + 1);
}

static int two_hops(chase *c, const uint32_t *links, uint32_t length) {
  mn_walk *walk = c->walk;
  mn_hunt *hunt = c->hunt;
  /* Where the budget ends must not depend on the order of links: it ends before
   * a hop that might not be paid for. */
  if (two_hop_most(c->index) > walk->spending.most - walk->spending.spent) {
    walk->spending.is_cut = 1;
    return 0;
  }
  const uint32_t fresh = mn_walk_keep_new(c->index, links, length, walk);
  uint32_t count = 0, others = 0;
  for (uint32_t i = 0; i < fresh; i++) {
    const uint32_t slot = walk->slots[i];
    const uint32_t picked = mn_walk_pick(c->index, c->how->filter, walk, slot);
    if (picked == MN_TWIN) {
      hunt->between[others++] = slot;
      continue;
    }
    walk->slots[count] = slot;
    hunt->picked[count++] = picked;
  }
  compare(c, count);
  for (uint32_t i = 0; i < others; i++)
    look_behind(c, hunt->between[i]);
  return 1;
}

/* --- The walk ------------------------------------------------------------- */

static mn_candidate pop(mn_pool *queue) {
  const mn_candidate first = queue->items[0];
  queue->size--;
  mn_move(queue->items, queue->items + 1, queue->size * sizeof *queue->items);
  return first;
}

int mn_graph_hunt(const mn_index *index, const mn_target *target,
                  const mn_hunting *how, mn_walk *walk, mn_hunt *hunt,
                  mn_pool *matches) {
  chase c = {.index = index,
             .target = target,
             .how = how,
             .walk = walk,
             .hunt = hunt,
             .matches = matches};
  mn_pool *queue = &hunt->queue;
  mn_walk_begin(index, walk, how->most);
  queue->size = matches->size = 0;
  begin(&c);
  while (queue->size > 0) {
    set_bounds(&c);
    if (queue->items[0].distance > c.queue_bound)
      break;
    if (walk->spending.spent > how->useful)
      return 0;
    const mn_candidate next = pop(queue);
    const uint32_t *links;
    const uint32_t length =
        mn_graph_links(index, next.slot, walk->links, &links);
    if (queue->size > 0)
      mn_graph_fetch(index, queue->items[0].slot);
    walk->hops++;
    if (!(how->two_hop ? two_hops(&c, links, length) : hop(&c, links, length)))
      break;
  }
  mn_walk_add_twins(index, how->filter, how->k, walk, matches);
  return 1;
}

/* --- Filtering afterwards ------------------------------------------------- */

/* Puts a candidate behind the `kept` ones before it, or before those as near
 * whose keys are larger: a twin has another key than the first one. */
static void keep(mn_pool *pool, uint32_t kept, mn_candidate item) {
  uint32_t at = kept;
  for (; at > 0 && mn_candidate_before(pool->keys, item, pool->items[at - 1]);
       at--)
    pool->items[at] = pool->items[at - 1];
  pool->items[at] = item;
}

void mn_graph_post_filter(const mn_index *index, const mn_target *target,
                          const mn_filter *filter, uint32_t k, uint64_t most,
                          mn_walk *walk, mn_pool *pool) {
  mn_walk_begin(index, walk, most);
  mn_graph_walk(index, target, walk, pool);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < pool->size; i++) {
    const mn_candidate item = pool->items[i];
    const uint32_t slot =
        mn_walk_pick(index, filter, walk, mn_candidate_slot(item));
    if (slot != MN_TWIN)
      keep(pool, kept++, (mn_candidate){item.distance, slot | MN_WALKED});
  }
  pool->size = kept;
  mn_walk_add_twins(index, filter, k, walk, pool);
}
