/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"
#include "../bytes.h"

mn_pool mn_pool_allocate(const uint64_t *keys, uint32_t capacity,
                         mn_arena *scratch) {
  mn_candidate *items =
      mn_arena_allocate(scratch, (size_t)capacity * sizeof *items);
  return (mn_pool){keys, items, 0, capacity};
}

/* How many candidates come before this one. The loop has no branch to predict:
 * halving costs less than guessing. */
static uint32_t rank(const mn_pool *pool, mn_candidate candidate) {
  const mn_candidate *from = pool->items;
  uint32_t size = pool->size;
  while (size > 0) {
    const uint32_t half = (size + 1) / 2;
    const size_t nearer = from[half - 1].distance < candidate.distance;
    from += half & (0 - nearer);
    size -= half;
  }
  /* Equal distances are rare; keys decide. */
  const mn_candidate *end = pool->items + pool->size;
  while (from < end && mn_candidate_before(pool->keys, *from, candidate))
    from++;
  return (uint32_t)(from - pool->items);
}

uint32_t mn_pool_add(mn_pool *pool, mn_candidate candidate) {
  if (pool->size == pool->capacity &&
      !mn_candidate_before(pool->keys, candidate, pool->items[pool->size - 1]))
    return pool->capacity;
  const uint32_t at = rank(pool, candidate);
  /* A full pool lets its last one go. */
  if (pool->size < pool->capacity)
    pool->size++;
  MN_ASSERT(at < pool->size);
  mn_candidate *place = pool->items + at;
  mn_move(place + 1, place, (pool->size - 1 - at) * sizeof *place);
  *place = candidate;
  return at;
}

void mn_candidates_select(const uint64_t *keys, mn_candidate *items,
                          uint32_t count, uint32_t keep) {
  uint32_t from = 0, to = count - 1;
  while (from < to) {
    const mn_candidate pivot = items[from + (to - from) / 2];
    uint32_t low = from, high = to;
    for (;;) {
      while (mn_candidate_before(keys, items[low], pivot))
        low++;
      while (mn_candidate_before(keys, pivot, items[high]))
        high--;
      if (low >= high)
        break;
      const mn_candidate swapped = items[low];
      items[low++] = items[high];
      items[high--] = swapped;
    }
    /* Behind `high` nothing comes before the pivot, up to it nothing after. */
    if (keep <= high)
      to = high;
    else
      from = high + 1;
  }
}
