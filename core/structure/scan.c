/* SPDX-License-Identifier: Apache-2.0 */
#include "../encoding/codec.h"
#include "structure.h"

static int lets_through(const uint32_t *filter, uint32_t slot) {
  return filter == NULL || (filter[slot / 32] >> slot % 32 & 1) != 0;
}

void mn_scan(const mn_target *target, uint32_t from, uint32_t to,
             const uint32_t *filter, mn_pool *pool, uint64_t *distances) {
  uint32_t slots[MN_SCAN_BATCH];
  float found[MN_SCAN_BATCH];
  while (from < to) {
    uint32_t count = 0;
    for (; from < to && count < MN_SCAN_BATCH; from++)
      if (lets_through(filter, from))
        slots[count++] = from;
    mn_distances(target, slots, count, found);
    *distances += count;
    for (uint32_t i = 0; i < count; i++)
      if (found[i] <= mn_pool_bound(pool))
        mn_pool_add(pool, (mn_candidate){found[i], slots[i]});
  }
}
