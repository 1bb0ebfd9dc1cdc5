/* SPDX-License-Identifier: Apache-2.0 */
/* All within a radius: searches for ever more, until one reaches beyond. */
#include "../arena.h"
#include "../bytes.h"
#include "../key_map.h"
#include "../structure/graph.h"
#include "search.h"

/* Hits of the first search, and by what the next ones have more. */
#define FIRST 16u
#define STEP  8u

static uint32_t next_k(uint32_t k, uint32_t limit) {
  return k > limit / STEP ? limit : k * STEP;
}

/* A search for fewer may take more: it may have a sieve. */
mn_status mn_within_measure(const mn_options *options, uint32_t capacity,
                            const mn_query *query, mn_arena *measuring) {
  mn_query some;
  size_t most = 0;
  mn_move(&some, query, sizeof some);
  for (some.k = next_k(FIRST / STEP, query->k);;
       some.k = next_k(some.k, query->k)) {
    mn_arena one = mn_arena_measuring();
    const mn_status status = mn_search_measure(options, capacity, &some, &one);
    if (status != MN_OK)
      return status;
    most = one.used > most ? one.used : most;
    if (some.k == query->k)
      break;
  }
  return mn_arena_allocate(measuring, most) != NULL ? MN_OK
                                                    : MN_ERROR_TOO_LARGE;
}

/* How many hits are within the radius. */
static uint32_t count_near(const mn_hit *hits, uint32_t found, float radius) {
  uint32_t near = 0;
  while (near < found && hits[near].distance <= radius)
    near++;
  return near;
}

static mn_status grow(const mn_index *index, const mn_query *query,
                      float radius, mn_hit *hits, uint32_t *count,
                      mn_arena *scratch) {
  mn_query some;
  mn_stats stats, sum;
  mn_move(&some, query, sizeof some);
  mn_zero(&sum, sizeof sum);
  some.stats = &stats;
  uint32_t found, near;
  for (some.k = next_k(FIRST / STEP, query->k);;
       some.k = next_k(some.k, query->k)) {
    const mn_answer wanted = {some.k, MN_NO_SLOT, MN_TWIN};
    const mn_status status =
        mn_search_for(index, &some, &wanted, hits, &found, scratch);
    if (status != MN_OK)
      return status;
    mn_stats_join(&sum, &stats, sum.plan == MN_PLAN_AUTO);
    near = count_near(hits, found, radius);
    if (near < some.k || some.k == query->k)
      break;
    if (query->budget > 0 && sum.distances >= query->budget) {
      sum.cut |= 1;
      break;
    }
    some.budget = query->budget > 0 ? query->budget - sum.distances : 0;
  }
  sum.cut |= near == query->k ? 2 : 0;
  *count = near;
  if (query->stats != NULL)
    mn_move(query->stats, &sum, sizeof sum);
  return MN_OK;
}

mn_status mn_index_within(const mn_index *index, const mn_query *asked,
                          float radius, mn_hit *hits, uint32_t *count,
                          mn_arena *scratch) {
  if (index == NULL || asked == NULL || asked->vector == NULL || hits == NULL ||
      count == NULL || scratch == NULL || radius != radius || asked->k == 0)
    return MN_ERROR_ARGUMENT;
  mn_query filled;
  const mn_query *query = &filled;
  mn_query_fill(index, asked, &filled);
  /* Room for every step, so that none fails when hits are written already. */
  mn_arena measuring = mn_arena_measuring();
  const mn_status status =
      mn_within_measure(&index->options, index->capacity, query, &measuring);
  if (status != MN_OK)
    return status;
  const size_t mark = mn_arena_mark(scratch);
  const int fits = mn_arena_allocate(scratch, measuring.used) != NULL;
  mn_arena_rewind(scratch, mark);
  return fits ? grow(index, query, radius, hits, count, scratch)
              : MN_ERROR_ARENA;
}
