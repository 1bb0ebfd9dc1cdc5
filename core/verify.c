/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing a block, and checking all of it. */
#include "block.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "key_map.h"
#include "structure/graph.h"
#include "structure/structure.h"

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

/* The filling behind each section is 0: no checksum covers it. */
static int padding_holds(const mn_index *index) {
  const mn_header *header = mn_index_header(index);
  for (uint32_t i = 0; i < header->section_count; i++) {
    const uint64_t end = header->table[i].offset + header->table[i].bytes;
    if (!mn_is_zero(index->block + end, mn_round_up(end) - end))
      return 0;
  }
  return 1;
}

/* So is the room for vectors to come in an array by slot. */
static int room_holds(const mn_index *index, const void *array, size_t each) {
  const uint64_t count = index->state->count;
  return array == NULL || mn_is_zero((const uint8_t *)array + count * each,
                                     (index->capacity - count) * each);
}

static int rooms_hold(const mn_index *index) {
  return room_holds(index, index->keys, sizeof *index->keys) &&
         room_holds(index, index->codes, index->codec.code_bytes) &&
         room_holds(index, index->rests, index->codec.rest_bytes) &&
         room_holds(index, index->fine_codes, index->fine.code_bytes) &&
         room_holds(index, index->fine_rests, index->fine.rest_bytes);
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

static int codes_hold(const mn_index *index, const mn_codec *codec,
                      const uint8_t *codes, const uint8_t *rests) {
  if (codec->ops == NULL || codec->ops->is_sound == NULL)
    return 1;
  for (uint32_t slot = 0; slot < index->state->count; slot++) {
    const uint8_t *rest =
        rests == NULL ? NULL : rests + (size_t)slot * codec->rest_bytes;
    if (!codec->ops->is_sound(codec, codes + (size_t)slot * codec->code_bytes,
                              rest))
      return 0;
  }
  return 1;
}

static int model_is_zero(const mn_index *index) {
  const mn_section_entry *entry =
      mn_header_find(mn_index_header(index), MN_SECTION('M', 'O', 'D', 'L'));
  return entry == NULL ||
         mn_is_zero(index->block + entry->offset, entry->bytes);
}

static int numbers_hold(const mn_index *index) {
  return (index->state->trained ? mn_model_is_sound(index)
                                : model_is_zero(index)) &&
         codes_hold(index, &index->codec, index->codes, index->rests) &&
         codes_hold(index, &index->fine, index->fine_codes, index->fine_rests);
}

/* Links lead to other vectors in the graph, each once, and to none of its
 * twins: those are told by what hangs them in. */
static int links_differ(const mn_index *index, const uint32_t *links,
                        uint32_t count, uint32_t slot) {
  for (uint32_t i = 0; i < count; i++) {
    if (links[i] >= index->state->linked || links[i] == slot)
      return 0;
    for (uint32_t j = 0; j < i; j++)
      if (links[j] == links[i])
        return 0;
  }
  return 1;
}

/* Links, then zeros; nothing but zeros where the vector is not linked. The link
 * to a twin comes last, and a twin's list begins with the vector it equals. */
static int live_list_holds(const mn_index *index, uint32_t slot) {
  const uint32_t linked = index->state->linked;
  const uint32_t most = mn_links_max(index->options.m);
  const uint32_t *list = mn_graph_list(index, slot);
  const uint32_t length = list[0] & ~MN_TWIN;
  if (slot >= linked)
    return mn_is_zero(list, (1 + most) * sizeof *list);
  if (length > most ||
      !mn_is_zero(list + 1 + length, (most - length) * sizeof *list))
    return 0;
  uint32_t plain = length;
  if (length > 0 && (list[length] & MN_TWIN) != 0) {
    const uint32_t twin = list[length] & ~MN_TWIN;
    if (twin >= linked || twin == slot ||
        !mn_list_is_twin(mn_graph_list(index, twin)) ||
        !mn_codes_equal(index, twin, slot))
      return 0;
    plain--;
  }
  return links_differ(index, list + 1, plain, slot) &&
         (!mn_list_is_twin(list) ||
          (plain == 1 && mn_codes_equal(index, list[1], slot)));
}

/* As many twins as there are links to one: none hangs loose. */
static int twins_hang(const mn_index *index) {
  uint32_t twins = 0, links = 0;
  for (uint32_t slot = 0; slot < index->state->linked; slot++) {
    twins += (uint32_t)mn_list_is_twin(mn_graph_list(index, slot));
    links += mn_graph_twin(index, slot) != MN_TWIN;
  }
  return twins == links;
}

/* Ascending, so each once. */
static int packed_list_holds(const mn_index *index, uint32_t slot) {
  enum { MOST = 2 * MN_M_MAX };
  uint32_t links[MOST];
  const uint32_t linked = index->state->linked;
  const uint32_t stored = mn_packed_count(index, slot);
  const uint32_t count =
      mn_packed_read(index, slot, mn_links_max(index->options.m), links);
  if (stored != count || (slot >= linked && count > 0))
    return 0;
  if (count == 0)
    return slot >= linked ||
           (slot > 0 && mn_codes_equal(index, slot, slot - 1));
  for (uint32_t i = 0; i < count; i++)
    if (links[i] >= linked || (links[i] == slot && count > 1) ||
        (i > 0 && links[i] <= links[i - 1]))
      return 0;
  return 1;
}

static int entries_hold(const mn_index *index) {
  const uint32_t count = index->state->entries;
  return links_differ(index, index->entries, count, MN_TWIN) &&
         mn_is_zero(index->entries + count,
                    (MN_ENTRIES - count) * sizeof *index->entries);
}

static int links_hold(const mn_index *index) {
  if (index->options.structure != MN_HNSW)
    return 1;
  for (uint32_t slot = 0; slot < index->capacity; slot++)
    if (!(index->is_packed ? packed_list_holds(index, slot)
                           : live_list_holds(index, slot)))
      return 0;
  return entries_hold(index) &&
         (index->is_packed ? mn_packed_holds(index) : twins_hang(index));
}

mn_status mn_index_verify(const mn_index *index) {
  if (index == NULL)
    return MN_ERROR_ARGUMENT;
  return checksums_hold(index) && padding_holds(index) && rooms_hold(index) &&
                 keys_hold(index) && numbers_hold(index) && links_hold(index)
             ? MN_OK
             : MN_ERROR_CORRUPT;
}
