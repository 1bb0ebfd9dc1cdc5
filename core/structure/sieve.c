/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scan that keeps many and ranks none: candidates gather in a pool of twice
 * the size that is wanted, unsorted; whenever it is full, the farther half
 * goes. Keeping hundreds in order costs more than computing their distances.
 */
#include "structure.h"

/* Moves the `keep` first in order to the front of `count` items: quickselect
 * (Hoare, "Algorithm 65: Find", CACM 1961). The order is total, so what is kept
 * does not depend on how. Needs `keep` from 1 to count - 1. */
static void select(const uint64_t *keys, mn_candidate *items, uint32_t count,
                   uint32_t keep) {
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

/* What is left, and from which distance on candidates are too far. */
static float cut(mn_pool *pool, uint32_t keep) {
  select(pool->keys, pool->items, pool->size, keep);
  pool->size = keep;
  float bound = pool->items[0].distance;
  for (uint32_t i = 1; i < keep; i++)
    if (pool->items[i].distance > bound)
      bound = pool->items[i].distance;
  return bound;
}

void mn_sift(const mn_target *target, uint32_t count, mn_pool *pool) {
  const mn_codec *codec = target->codec;
  const uint32_t keep = pool->capacity / 2;
  float bound = __builtin_inff(), found[MN_SIFT_BATCH];
  pool->size = 0;
  for (uint32_t from = 0; from < count; from += MN_SIFT_BATCH) {
    const uint32_t left = count - from;
    const uint32_t some = left < MN_SIFT_BATCH ? left : MN_SIFT_BATCH;
    codec->ops->sift(codec, target->query,
                     target->codes + (size_t)from * codec->code_bytes, some,
                     found);
    for (uint32_t i = 0; i < some; i++) {
      if (!(found[i] <= bound))
        continue;
      if (pool->size == pool->capacity)
        bound = cut(pool, keep);
      if (found[i] <= bound)
        pool->items[pool->size++] = (mn_candidate){found[i], from + i};
    }
  }
  if (pool->size > keep)
    (void)cut(pool, keep);
}
