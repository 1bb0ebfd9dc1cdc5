/* SPDX-License-Identifier: Apache-2.0 */
#include "graph.h"

uint32_t mn_graph_top(uint32_t m, uint32_t capacity) {
  uint32_t level = 0;
  for (uint64_t group = m; group <= capacity; group *= m)
    level++;
  return level;
}

/* One of the M slots of a group, by a 32-bit mixing function (the finaliser of
 * MurmurHash3, Austin Appleby) over seed, level and group. */
static uint32_t chosen(const mn_options *options, uint32_t level,
                       uint32_t group) {
  uint32_t h = (uint32_t)options->seed ^ level * 0x9E3779B9u;
  const uint32_t words[2] = {(uint32_t)(options->seed >> 32), group};
  for (unsigned i = 0; i < 2; i++) {
    h ^= words[i];
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    h ^= h >> 16;
  }
  return h % options->m;
}

uint32_t mn_graph_level(const mn_options *options, uint32_t slot) {
  const uint32_t m = options->m, top = mn_graph_top(m, slot + 1);
  uint32_t level = 0;
  for (uint32_t s = slot; level < top; level++, s /= m)
    if (s % m != chosen(options, level + 1, s / m))
      break;
  return level;
}

uint32_t mn_graph_lists(uint32_t m, uint32_t capacity, uint32_t level) {
  /* ceil(ceil(n / m) / m) is ceil(n / m^2); capacity + m stays below 2^32. */
  for (uint32_t l = 0; l < level; l++)
    capacity = (capacity + m - 1) / m;
  return capacity;
}

uint64_t mn_graph_owner(const mn_options *options, uint32_t list,
                        uint32_t level) {
  uint64_t slot = list;
  for (; level > 0; level--)
    slot = slot * options->m + chosen(options, level, (uint32_t)slot);
  return slot;
}

uint64_t mn_graph_link_bytes(uint32_t m, uint32_t capacity) {
  return (uint64_t)capacity * (1 + mn_links_max(m, 0)) * sizeof(uint32_t);
}

uint64_t mn_graph_upper_bytes(uint32_t m, uint32_t capacity) {
  uint64_t lists = 0;
  for (uint32_t level = mn_graph_top(m, capacity); level > 0; level--)
    lists += mn_graph_lists(m, capacity, level);
  return lists * (1 + mn_links_max(m, 1)) * sizeof(uint32_t);
}

uint32_t *mn_graph_list_number(const mn_index *index, uint32_t number,
                               uint32_t level) {
  const uint32_t m = index->options.m;
  if (level == 0)
    return index->links + (size_t)number * (1 + mn_links_max(m, 0));
  size_t list = number; /* level after level */
  for (uint32_t l = 1; l < level; l++)
    list += mn_graph_lists(m, index->capacity, l);
  return index->upper + list * (1 + mn_links_max(m, 1));
}

uint32_t *mn_graph_list(const mn_index *index, uint32_t slot, uint32_t level) {
  for (uint32_t l = 0; l < level; l++)
    slot /= index->options.m;
  return mn_graph_list_number(index, slot, level);
}
