/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"
#include "../bytes.h"

mn_pool mn_pool_allocate(const uint64_t *keys, uint32_t capacity,
                         mn_arena *scratch) {
  mn_candidate *items =
      mn_arena_allocate(scratch, (size_t)capacity * sizeof *items);
  return (mn_pool){keys, items, 0, capacity};
}

/* Of so many, counting those before takes less than halving on: a comparison
 * waits for the one before it, a count does not. */
#define COUNTED 32u

/* How many candidates come before this one. No loop has a branch to predict. */
static uint32_t rank(const mn_pool *pool, mn_candidate candidate) {
  const mn_candidate *from = pool->items;
  uint32_t size = pool->size;
  while (size > COUNTED) {
    const uint32_t half = (size + 1) / 2;
    const size_t nearer = from[half - 1].distance < candidate.distance;
    from += half & (0 - nearer);
    size -= half;
  }
  uint32_t nearer = 0;
  for (uint32_t i = 0; i < size; i++)
    nearer += from[i].distance < candidate.distance;
  from += nearer;
  /* Equal distances are rare; keys decide. */
  const mn_candidate *end = pool->items + pool->size;
  while (from < end && mn_candidate_before(pool->keys, *from, candidate))
    from++;
  return (uint32_t)(from - pool->items);
}

/* Candidates that are taken in together: so many places are looked for at once,
 * as none of these searches waits for another. */
#define TOGETHER 16u

/* Nearest first. There are few. */
static void sort(const uint64_t *keys, mn_candidate *items, uint32_t count) {
  for (uint32_t i = 1; i < count; i++) {
    const mn_candidate item = items[i];
    uint32_t at = i;
    for (; at > 0 && mn_candidate_before(keys, item, items[at - 1]); at--)
      items[at] = items[at - 1];
    items[at] = item;
  }
}

/* Moves the items from `from` to `to` - 1 by so many places; what leaves the
 * pool is let go. */
static void shift(mn_pool *pool, uint32_t from, uint32_t to, uint32_t by) {
  if (to + by > pool->capacity)
    to = by < pool->capacity ? pool->capacity - by : 0;
  if (from < to)
    mn_move(pool->items + from + by, pool->items + from,
            (to - from) * sizeof *pool->items);
}

static uint32_t merge(mn_pool *pool, mn_candidate *some, uint32_t count) {
  uint32_t ranks[TOGETHER];
  sort(pool->keys, some, count);
  for (uint32_t i = 0; i < count; i++)
    ranks[i] = rank(pool, some[i]);
  /* From the last on, so that nothing is written over. */
  uint32_t end = pool->size;
  for (uint32_t i = count; i-- > 0; end = ranks[i]) {
    shift(pool, ranks[i], end, i + 1);
    if (ranks[i] + i < pool->capacity)
      pool->items[ranks[i] + i] = some[i];
  }
  const uint32_t size = pool->size + count;
  pool->size = size < pool->capacity ? size : pool->capacity;
  return ranks[0];
}

uint32_t mn_pool_merge(mn_pool *pool, mn_candidate *some, uint32_t count) {
  uint32_t lowest = pool->capacity;
  while (count > 0) {
    const uint32_t batch = count < TOGETHER ? count : TOGETHER;
    const uint32_t went = merge(pool, some, batch);
    lowest = went < lowest ? went : lowest;
    some += batch;
    count -= batch;
  }
  return lowest;
}

uint32_t mn_pool_add(mn_pool *pool, mn_candidate candidate) {
  return mn_pool_merge(pool, &candidate, 1);
}

/* In the order of floats; NaN, too, has its place. */
static int32_t ordered(float distance) {
  int32_t bits;
  __builtin_memcpy(&bits, &distance, sizeof bits);
  return bits ^ (bits >> 31 & INT32_MAX);
}

void mn_pool_fill(mn_pool *pool, const float *distances, const uint32_t *slots,
                  uint32_t count) {
  mn_candidate *items = pool->items;
  pool->size = count;
  for (uint32_t i = 0; i < count; i++) {
    const int32_t own = ordered(distances[i]);
    uint32_t before = 0;
    for (uint32_t j = 0; j < i; j++)
      before += ordered(distances[j]) <= own;
    for (uint32_t j = i; j < count; j++)
      before += ordered(distances[j]) < own;
    items[before] = (mn_candidate){distances[i], slots[i]};
  }
  sort(pool->keys, items, count); /* keys among equal distances */
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
