/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scan that keeps many and ranks none: candidates gather in a pool of twice
 * the size that is wanted, unsorted; whenever it is full, the farther half
 * goes. Keeping hundreds in order costs more than computing their distances.
 */
#include "../block.h"
#include "structure.h"

/* What is left, and from which distance on candidates are too far. */
static float cut(mn_pool *pool, uint32_t keep) {
  mn_candidates_select(pool->keys, pool->items, pool->size, keep);
  pool->size = keep;
  float bound = pool->items[0].distance;
  for (uint32_t i = 1; i < keep; i++)
    if (pool->items[i].distance > bound)
      bound = pool->items[i].distance;
  return bound;
}

void mn_sift(const mn_index *index, const mn_target *target, mn_pool *pool) {
  const mn_codec *codec = target->codec;
  const uint32_t count = index->state->count;
  const int has_holes = mn_index_has_holes(index);
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
      if (!(found[i] <= bound) ||
          (has_holes && !mn_slot_is_live(index, from + i)))
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
