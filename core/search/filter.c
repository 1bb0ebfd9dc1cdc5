/* SPDX-License-Identifier: Apache-2.0 */
#include "filter.h"
#include "../block.h"
#include "../bytes.h"
#include "../key_map.h"

mn_status mn_filter_check(const mn_query *query) {
  return (query->range_count > 0 && query->ranges == NULL) ||
                 (query->without_count > 0 && query->without == NULL)
             ? MN_ERROR_ARGUMENT
             : MN_OK;
}

size_t mn_filter_scratch(const mn_query *query, uint32_t capacity) {
  return query->without_count > 0 ? mn_filter_words(capacity) : 0;
}

static void mark_slots(const mn_index *index, const mn_query *query,
                       uint32_t *bits) {
  mn_zero(bits, mn_filter_words(index->state->count) * sizeof *bits);
  for (uint32_t i = 0; i < query->without_count; i++) {
    const uint32_t slot = mn_key_map_find(index, query->without[i]);
    if (slot != MN_NO_SLOT)
      bits[slot / 32] |= 1u << slot % 32;
  }
}

int mn_filter_of(const mn_index *index, const mn_query *query,
                 uint32_t *scratch, mn_filter *filter) {
  *filter =
      (mn_filter){.bits = query->filter,
                  .live = mn_index_has_holes(index) ? index->live : NULL,
                  .asks_keys = query->range_count > 0 || query->match != NULL,
                  .keys = index->keys,
                  .ranges = query->ranges,
                  .range_count = query->range_count,
                  .match = query->match,
                  .match_context = query->match_context};
  if (query->without_count > 0) {
    mark_slots(index, query, scratch);
    filter->without = scratch;
  }
  return filter->bits != NULL || filter->live != NULL ||
         filter->without != NULL || filter->asks_keys;
}

static int is_in_range(const mn_filter *filter, uint64_t key) {
  for (uint32_t i = 0; i < filter->range_count; i++)
    if (key >= filter->ranges[i].from && key <= filter->ranges[i].to)
      return 1;
  return filter->range_count == 0;
}

int mn_filter_key(const mn_filter *filter, uint32_t slot) {
  const uint64_t key = filter->keys[slot];
  return is_in_range(filter, key) &&
         (filter->match == NULL ||
          filter->match(filter->match_context, key, slot));
}

/* Ones in a word, by sums within it: the instruction for it is not to be had
 * everywhere, and compilers turn this into vectors. */
static uint32_t ones(uint32_t word) {
  word -= word >> 1 & 0x55555555u;
  word = (word & 0x33333333u) + (word >> 2 & 0x33333333u);
  word = (word + (word >> 4)) & 0x0f0f0f0fu;
  word += word >> 8;
  return (word + (word >> 16)) & 63;
}

uint32_t mn_filter_count(const mn_filter *filter, uint32_t slots) {
  uint32_t count = 0;
  for (uint32_t word = 0; word < slots / 32; word++)
    count += ones(mn_filter_word(filter, word));
  if (slots % 32 != 0)
    count +=
        ones(mn_filter_word(filter, slots / 32) & ((1u << slots % 32) - 1));
  return count;
}
