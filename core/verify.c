/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing a block, and checking all of it. */
#include "block.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "key_map.h"
#include "slots.h"
#include "structure/ivf.h"
#include "structure/pending.h"
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

#ifndef MN_ONLY_SEARCH

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

/* --- Slots ---------------------------------------------------------------- */

/* Every vector's key leads to its slot, and nothing else stands in the map.
 * Then keys are unique as well. */
static int keys_hold(const mn_index *index) {
  const uint32_t count = index->state->count;
  for (uint32_t slot = 0; slot < count; slot++)
    if (mn_slot_is_live(index, slot) &&
        mn_key_map_find(index, index->keys[slot]) != slot)
      return 0;
  uint64_t entries = 0;
  const uint64_t buckets = mn_key_map_buckets(index->capacity);
  for (uint64_t i = 0; i < buckets; i++)
    entries += index->key_map[i] != 0;
  return entries == mn_index_vectors(index);
}

/* As many slots have a vector as the state says, and none beyond those in use.
 */
static int live_holds(const mn_index *index) {
  const uint64_t bits = mn_live_bytes(index->capacity) * 8;
  uint32_t vectors = 0;
  if (index->live == NULL)
    return 1;
  for (uint32_t slot = 0; slot < bits; slot++) {
    const uint32_t is_live = (uint32_t)mn_slot_is_live(index, slot);
    if (is_live && slot >= index->state->count)
      return 0;
    vectors += is_live;
  }
  return vectors == mn_index_vectors(index);
}

static int is_clear(const void *array, size_t each, uint32_t slot) {
  return array == NULL ||
         mn_is_zero((const uint8_t *)array + slot * each, each);
}

static int codes_are_clear(const mn_index *index, uint32_t slot) {
  return is_clear(index->codes, index->codec.code_bytes, slot) &&
         is_clear(index->rests, index->codec.rest_bytes, slot) &&
         is_clear(index->fine_codes, index->fine.code_bytes, slot) &&
         is_clear(index->fine_rests, index->fine.rest_bytes, slot);
}

/* The chain leads through all slots that are neither live nor dead: it has as
 * many, and ends, so that none comes twice. */
static int free_ones_hold(const mn_index *index) {
  const mn_state *state = index->state;
  uint64_t next = state->free_first;
  for (uint32_t i = 0; i < state->free; i++) {
    const uint64_t slot = next - 1;
    if (slot >= state->count || mn_slot_is_live(index, (uint32_t)slot) ||
        !codes_are_clear(index, (uint32_t)slot))
      return 0;
    next = index->keys[slot];
    if (next > state->count)
      return 0;
  }
  return next == 0;
}

/* Dead ones are as many as the state says, and of this era or, while a sweep
 * has not come to free them, of the one before. */
static int dead_ones_hold(const mn_index *index) {
  const mn_state *state = index->state;
  uint32_t dead = 0;
  for (uint32_t slot = 0; slot < state->count; slot++) {
    if (!mn_slot_is_dead(index, slot))
      continue;
    const int is_old = index->keys[slot] == mn_era_mark(1 - state->era);
    const int is_left =
        state->sweep == 1 || (state->sweep == 2 && slot >= state->cursor);
    if (!(is_old && is_left) && index->keys[slot] != mn_era_mark(state->era))
      return 0;
    dead++;
  }
  return dead == state->dead;
}

static int slots_hold(const mn_index *index) {
  return live_holds(index) && free_ones_hold(index) && dead_ones_hold(index) &&
         keys_hold(index);
}

/* --- Numbers -------------------------------------------------------------- */

static int codes_hold(const mn_index *index, const mn_codec *codec,
                      const uint8_t *codes, const uint8_t *rests) {
  if (codec->ops == NULL || codec->ops->is_sound == NULL)
    return 1;
  for (uint32_t slot = 0; slot < index->state->count; slot++) {
    const uint8_t *rest =
        rests == NULL ? NULL : rests + (size_t)slot * codec->rest_bytes;
    if (mn_slot_is_free(index, slot))
      continue;
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

/* --- All ------------------------------------------------------------------ */

mn_status mn_index_verify(const mn_index *index) {
  if (index == NULL)
    return MN_ERROR_ARGUMENT;
  return checksums_hold(index) && padding_holds(index) && rooms_hold(index) &&
                 slots_hold(index) && numbers_hold(index) &&
                 (index->options.structure != MN_HNSW ||
                  mn_graph_holds(index)) &&
                 (!mn_is_ivf(&index->options) || mn_ivf_lists_hold(index))
             ? MN_OK
             : MN_ERROR_CORRUPT;
}

#endif
