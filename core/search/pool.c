/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

mn_pool mn_pool_allocate(const uint64_t *keys, uint32_t capacity,
                         mn_arena *scratch) {
  mn_candidate *items =
      mn_arena_allocate(scratch, (size_t)capacity * sizeof *items);
  return (mn_pool){keys, items, 0, capacity};
}

uint32_t mn_pool_add(mn_pool *pool, mn_candidate candidate) {
  const uint64_t *keys = pool->keys;
  mn_candidate *items = pool->items;
  if (pool->size == pool->capacity &&
      !mn_candidate_before(keys, candidate, items[pool->size - 1]))
    return pool->capacity;
  uint32_t low = 0, high = pool->size;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (mn_candidate_before(keys, items[middle], candidate))
      low = middle + 1;
    else
      high = middle;
  }
  /* A full pool lets its last one go. */
  uint32_t at = pool->size < pool->capacity ? pool->size++ : pool->size - 1;
  for (; at > low; at--)
    items[at] = items[at - 1];
  items[low] = candidate;
  return low;
}
