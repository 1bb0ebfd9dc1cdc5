/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The candidates of a search: the best so far, sorted. It serves as result and
 * as queue of a graph walk at once, since a candidate that has fallen out of
 * the best would never be walked from. An array beats a heap at the sizes that
 * occur (tens to hundreds).
 *
 * The order is total, distance and then key, so what the pool holds does not
 * depend on the order of adding.
 */
#ifndef MN_POOL_H
#define MN_POOL_H

#include "../minnow.h"

typedef struct mn_candidate {
  float distance;
  uint32_t slot; /* the top bit is MN_WALKED */
} mn_candidate;

#define MN_WALKED 0x80000000u

typedef struct mn_pool {
  const uint64_t *keys; /* by slot: the tie-break */
  mn_candidate *items;  /* nearest first */
  uint32_t size;
  uint32_t capacity;
} mn_pool;

static inline uint32_t mn_candidate_slot(mn_candidate c) {
  return c.slot & ~MN_WALKED;
}

static inline int mn_candidate_before(const uint64_t *keys, mn_candidate a,
                                      mn_candidate b) {
  if (a.distance != b.distance)
    return a.distance < b.distance;
  return keys[mn_candidate_slot(a)] < keys[mn_candidate_slot(b)];
}

/* Empty, for up to `capacity` candidates; NULL items where memory is short. */
mn_pool mn_pool_allocate(const uint64_t *keys, uint32_t capacity,
                         mn_arena *scratch);

/* The distance from which on candidates are too far. */
static inline float mn_pool_bound(const mn_pool *pool) {
  return pool->size < pool->capacity ? __builtin_inff()
                                     : pool->items[pool->size - 1].distance;
}

/* Where the candidate went, or the pool's capacity where it is not among the
 * best. O(log size) comparisons and O(size) moves. */
uint32_t mn_pool_add(mn_pool *pool, mn_candidate candidate);

/* The same for `count` candidates in any order, which are used up; where the
 * nearest of them went. */
uint32_t mn_pool_merge(mn_pool *pool, mn_candidate *some, uint32_t count);

/* Makes these the pool's candidates, no more than its capacity. O(count^2), but
 * without a branch to predict, which is the fastest for a list of links. */
void mn_pool_fill(mn_pool *pool, const float *distances, const uint32_t *slots,
                  uint32_t count);

/* Moves the `keep` first in order to the front of `count` items: quickselect
 * (Hoare, "Algorithm 65: Find", CACM 1961). The order is total, so what is kept
 * does not depend on how. Needs `keep` from 1 to count - 1. */
void mn_candidates_select(const uint64_t *keys, mn_candidate *items,
                          uint32_t count, uint32_t keep);

#endif
