/* SPDX-License-Identifier: Apache-2.0 */
#include "pending.h"
#include "structure.h"

/* Slots that are compared together. */
typedef struct batch {
  uint32_t slots[MN_SCAN_BATCH];
  uint32_t count;
} batch;

static int has_bit(const uint32_t *bits, uint32_t slot) {
  return bits == NULL || (bits[slot / 32] >> slot % 32 & 1) != 0;
}

static void compare(const mn_target *target, batch *b, mn_pool *pool,
                    uint64_t *distances) {
  float found[MN_SCAN_BATCH];
  mn_distances(target, b->slots, b->count, found);
  *distances += b->count;
  for (uint32_t i = 0; i < b->count; i++)
    if (found[i] <= mn_pool_bound(pool))
      mn_pool_add(pool, (mn_candidate){found[i], b->slots[i]});
  b->count = 0;
}

void mn_scan(const mn_index *index, const mn_target *target,
             const uint32_t *filter, mn_pool *pool, uint64_t *distances) {
  const uint32_t count = index->state->count;
  const uint32_t *live = mn_index_has_holes(index) ? index->live : NULL;
  batch b = {.count = 0};
  for (uint32_t slot = 0; slot < count;) {
    for (; slot < count && b.count < MN_SCAN_BATCH; slot++)
      if (has_bit(live, slot) && has_bit(filter, slot))
        b.slots[b.count++] = slot;
    compare(target, &b, pool, distances);
  }
}

void mn_scan_pending(const mn_index *index, const mn_target *target,
                     const uint32_t *filter, mn_walk *walk, mn_pool *pool) {
  uint32_t left = mn_index_pending(index);
  uint32_t slot = mn_pending_first(index);
  batch b = {.count = 0};
  while (slot != MN_NO_SLOT && left > 0) {
    for (; slot != MN_NO_SLOT && left > 0 && b.count < MN_SCAN_BATCH; left--) {
      if (has_bit(filter, slot) && mn_walk_visit(walk, slot))
        b.slots[b.count++] = slot;
      slot = mn_pending_next(index, slot);
    }
    compare(target, &b, pool, &walk->distance_count);
  }
}
