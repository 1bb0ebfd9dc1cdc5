/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing a block, and checking all of it. */
#include "block.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "key_map.h"
#include "structure/graph.h"

static uint32_t section_checksum(const mn_index *index,
                                 const mn_section_entry *entry) {
  mn_xxh32 hash;
  mn_xxh32_begin(&hash);
  mn_xxh32_add(&hash, index->block + entry->offset, (size_t)entry->bytes);
  return mn_xxh32_end(&hash);
}

mn_status mn_index_seal(mn_index *index) {
  if (index == NULL)
    return MN_ERROR_ARGUMENT;
  if (!index->writable)
    return MN_ERROR_READ_ONLY;
  mn_header *header = mn_index_header(index);
  if ((header->flags & MN_FLAG_SEALED) != 0)
    return MN_OK;
  for (uint32_t i = 0; i < header->section_count; i++)
    header->table[i].checksum = section_checksum(index, &header->table[i]);
  header->flags |= MN_FLAG_SEALED;
  mn_header_finish(header);
  return MN_OK;
}

/* --- Verify --------------------------------------------------------------- */

static int checksums_hold(const mn_index *index) {
  const mn_header *header = mn_index_header(index);
  if ((header->flags & MN_FLAG_SEALED) == 0)
    return 1;
  for (uint32_t i = 0; i < header->section_count; i++)
    if (header->table[i].checksum != section_checksum(index, &header->table[i]))
      return 0;
  return 1;
}

static int is_zero(const void *from, uint64_t bytes) {
  const uint8_t *p = from;
  while (bytes > 0 && *p == 0)
    p++, bytes--;
  return bytes == 0;
}

/* The filling behind each section is 0: no checksum covers it. */
static int padding_holds(const mn_index *index) {
  const mn_header *header = mn_index_header(index);
  for (uint32_t i = 0; i < header->section_count; i++) {
    const uint64_t end = header->table[i].offset + header->table[i].bytes;
    if (!is_zero(index->block + end, mn_round_up(end) - end))
      return 0;
  }
  return 1;
}

/* So is the room for vectors to come. */
static int room_holds(const mn_index *index) {
  const mn_state *state = index->state;
  const uint64_t free = index->capacity - state->count;
  return is_zero(index->keys + state->count, free * sizeof *index->keys) &&
         is_zero(mn_code_at(index, state->count), free * index->code_bytes);
}

/* Every key leads to its slot, and nothing else stands in the map. Then keys
 * are unique as well. */
static int keys_hold(const mn_index *index) {
  const uint32_t count = index->state->count;
  for (uint32_t slot = 0; slot < count; slot++)
    if (mn_key_map_find(index, index->keys[slot]) != slot)
      return 0;
  uint64_t entries = 0;
  const uint64_t buckets = mn_key_map_buckets(index->capacity);
  for (uint64_t i = 0; i < buckets; i++)
    entries += index->key_map[i] != 0;
  return entries == count;
}

static int numbers_hold(const mn_index *index) {
  const uint32_t floats =
      (uint32_t)(index->codec->model_bytes(index->options.dimensions) / 4);
  for (uint32_t i = 0; i < floats; i++)
    if (!mn_is_finite(mn_load_f32(index->model + 4 * (size_t)i)))
      return 0;
  for (uint32_t slot = 0; slot < index->state->count; slot++)
    if (!index->codec->is_finite(index, mn_code_at(index, slot)))
      return 0;
  return 1;
}

static int list_holds(const mn_index *index, uint32_t slot, uint32_t level) {
  const uint32_t *list = mn_graph_list(index, slot, level);
  const uint32_t most = mn_links_max(index->options.m, level);
  if (list[0] > most ||
      !is_zero(list + 1 + list[0], (most - list[0]) * sizeof *list))
    return 0;
  for (uint32_t i = 1; i <= list[0]; i++) {
    if (list[i] >= index->state->linked || list[i] == slot ||
        mn_graph_level(&index->options, list[i]) < level)
      return 0;
    for (uint32_t j = 1; j < i; j++)
      if (list[j] == list[i])
        return 0;
  }
  return 1;
}

/* The lists of a level that belong to slots not linked yet are 0. */
static int free_lists_hold(const mn_index *index, uint32_t level) {
  const uint32_t m = index->options.m, capacity = index->capacity;
  const uint32_t used = mn_graph_lists(m, index->state->linked, level);
  const uint32_t *lists = mn_graph_list(index, 0, level);
  const uint64_t numbers = 1 + mn_links_max(m, level);
  return is_zero(lists + used * numbers,
                 (mn_graph_lists(m, capacity, level) - used) * numbers *
                     sizeof *lists);
}

static int links_hold(const mn_index *index) {
  if (index->options.structure != MN_HNSW)
    return 1;
  for (uint32_t slot = 0; slot < index->state->linked; slot++) {
    const uint32_t top = mn_graph_level(&index->options, slot);
    if (top > index->state->top_level)
      return 0;
    for (uint32_t level = 0; level <= top; level++)
      if (!list_holds(index, slot, level))
        return 0;
  }
  for (uint32_t level = mn_graph_top(index->options.m, index->capacity);;
       level--) {
    if (!free_lists_hold(index, level))
      return 0;
    if (level == 0)
      return 1;
  }
}

mn_status mn_index_verify(const mn_index *index) {
  if (index == NULL)
    return MN_ERROR_ARGUMENT;
  return checksums_hold(index) && padding_holds(index) && room_holds(index) &&
                 keys_hold(index) && numbers_hold(index) && links_hold(index)
             ? MN_OK
             : MN_ERROR_CORRUPT;
}
