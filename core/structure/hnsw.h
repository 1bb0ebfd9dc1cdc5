/* SPDX-License-Identifier: Apache-2.0 */
/* The walk, shared by search and linking. */
#ifndef MN_HNSW_H
#define MN_HNSW_H

#include "graph.h"
#include "structure.h"

/* Begins a walk that may compute `most` distances. */
void mn_walk_begin(const mn_index *index, mn_walk *walk, uint64_t most);

/* From which distance on candidates need not be walked from. Estimates of
 * distances may be 0 and less, and say nothing then. */
static inline float mn_walk_end(const mn_walk *walk, const mn_pool *pool) {
  const mn_ending ending = walk->ending;
  if (walk->hops < ending.least || pool->size < ending.rank ||
      !(pool->items[ending.rank - 1].distance > 0))
    return __builtin_inff();
  return ending.reach * pool->items[ending.rank - 1].distance;
}

/* Of `count` slots those that are in use and new, into walk->slots. */
uint32_t mn_walk_keep_new(const mn_index *index, const uint32_t *slots,
                          uint32_t count, mn_walk *walk);

/* Compares the entries, as many as may be: their number. */
uint32_t mn_walk_enter(const mn_index *index, const mn_target *target,
                       mn_walk *walk);

/* The vector itself, or the first of its twins that the filter (NULL: none)
 * lets through; MN_TWIN where there is none. Those passed over are visited. */
uint32_t mn_walk_pick(const mn_index *index, const mn_filter *filter,
                      mn_walk *walk, uint32_t slot);

/* The walk left further twins out, lest they crowd the pool. Those of the k
 * best join it now, at the same distance, until the k-th is as near as they.
 * All candidates are marked MN_WALKED. */
void mn_walk_add_twins(const mn_index *index, const mn_filter *filter,
                       uint32_t k, mn_walk *walk, mn_pool *pool);

/* Fills the pool from the nearest entry on, without twins, in a walk that was
 * begun. */
void mn_graph_walk(const mn_index *index, const mn_target *target,
                   mn_walk *walk, mn_pool *pool);

/* A walk passes through deleted vectors too; they are no candidates. */
void mn_walk_drop_dead(const mn_index *index, mn_pool *pool);

#endif
