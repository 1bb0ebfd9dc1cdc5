/* SPDX-License-Identifier: Apache-2.0 */
#include "pending.h"
#include "structure.h"

_Static_assert(MN_SCAN_BATCH >= 64, "there is room for two words");

int mn_compare(const mn_target *target, mn_batch *b, mn_pool *pool,
               mn_spending *spending) {
  float found[MN_SCAN_BATCH];
  const uint32_t some = mn_afford(spending, b->count);
  const int is_all = some == b->count;
  mn_distances(target, b->slots, some, found);
  for (uint32_t i = 0; i < some; i++)
    if (found[i] <= mn_pool_bound(pool))
      mn_pool_add(pool, (mn_candidate){found[i], b->slots[i]});
  b->count = 0;
  return is_all;
}

static void scan_all(uint32_t slots, const mn_target *target, mn_pool *pool,
                     mn_spending *spending) {
  mn_batch b;
  b.count = 0; /* not `= {…}`: no call of memset */
  for (uint32_t slot = 0; slot < slots;) {
    while (slot < slots && b.count < MN_SCAN_BATCH)
      b.slots[b.count++] = slot++;
    if (!mn_compare(target, &b, pool, spending))
      return;
  }
}

/* Adds those of 32 slots, the first of which is `from`, that the filter lets
 * through. */
static void pass(const mn_filter *filter, uint32_t from, uint32_t slots,
                 mn_batch *b) {
  uint32_t word = mn_filter_word(filter, from / 32);
  if (slots - from < 32)
    word &= (1u << (slots - from)) - 1;
  for (; word != 0; word &= word - 1) {
    const uint32_t slot = from + (uint32_t)__builtin_ctz(word);
    b->slots[b->count] = slot;
    b->count += !filter->asks_keys || mn_filter_key(filter, slot);
  }
}

void mn_scan(const mn_index *index, const mn_target *target,
             const mn_filter *filter, mn_pool *pool, mn_spending *spending) {
  const uint32_t slots = index->state->count;
  if (!MN_HAS_FILTERS || filter == NULL) {
    scan_all(slots, target, pool, spending);
    return;
  }
  mn_batch b;
  b.count = 0; /* not `= {…}`: no call of memset */
  for (uint32_t from = 0; from < slots; from += 32) {
    pass(filter, from, slots, &b);
    if (b.count > MN_SCAN_BATCH - 32 && !mn_compare(target, &b, pool, spending))
      return;
  }
  mn_compare(target, &b, pool, spending);
}

void mn_scan_pending(const mn_index *index, const mn_target *target,
                     const mn_filter *filter, mn_walk *walk, mn_pool *pool,
                     mn_spending *spending) {
  uint32_t left = mn_index_pending(index);
  uint32_t slot = mn_pending_first(index);
  mn_batch b;
  b.count = 0; /* not `= {…}`: no call of memset */
  while (slot != MN_NO_SLOT && left > 0) {
    for (; slot != MN_NO_SLOT && left > 0 && b.count < MN_SCAN_BATCH; left--) {
      if ((!MN_HAS_FILTERS || filter == NULL ||
           mn_lets_through(filter, slot)) &&
          mn_walk_visit(walk, slot))
        b.slots[b.count++] = slot;
      slot = mn_pending_next(index, slot);
    }
    if (!mn_compare(target, &b, pool, spending))
      return;
  }
}
