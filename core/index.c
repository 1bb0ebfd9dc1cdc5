/* SPDX-License-Identifier: Apache-2.0 */
/* Adding, and what can be asked about single vectors. */
#include "block.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "key_map.h"
#include "structure/graph.h"
#include "vector.h"

/* --- Add ------------------------------------------------------------------ */

/* What a call with vectors must satisfy before any vector is looked at. */
static mn_status check_rows(const mn_index *index, const mn_vectors *vectors,
                            const mn_arena *scratch) {
  if (index == NULL || vectors == NULL || scratch == NULL ||
      (vectors->data == NULL && vectors->count > 0))
    return MN_ERROR_ARGUMENT;
  if (!mn_index_is_live(index))
    return MN_ERROR_READ_ONLY;
  return vectors->dimensions == index->options.dimensions ? MN_OK
                                                          : MN_ERROR_DIMENSIONS;
}

static const float *row_at(const mn_vectors *vectors, uint32_t row) {
  return vectors->data + (size_t)row * vectors->dimensions;
}

/* What a call has added to the state's sums so far. */
typedef struct sums {
  uint64_t clipped, error;
} sums;

/* Enters one row into `slot`; on failure the slot's bytes may be written, but
 * its key is not in the map. */
static mn_status store(mn_index *index, uint32_t slot, uint64_t key,
                       const float *row, const mn_vector_room *room,
                       sums *added) {
  const mn_code_places places = mn_places_of(index, slot);
  uint32_t clipped = 0, error = 0;
  const mn_status status =
      mn_vector_encode(index, row, room, &places, &clipped, &error);
  if (status != MN_OK)
    return status;
  index->keys[slot] = key;
  if (!mn_key_map_put(index, key, slot))
    return MN_ERROR_DUPLICATE_KEY;
  added->clipped += clipped;
  added->error += error;
  return MN_OK;
}

static void clear(void *array, size_t each, uint32_t slot) {
  if (array != NULL)
    mn_zero((uint8_t *)array + slot * each, each);
}

/* Clears slots from `first` on, of which all but the last are in the map. */
static void take_back(mn_index *index, uint32_t first, uint32_t last) {
  for (uint32_t slot = last; slot-- > first;)
    mn_key_map_undo(index, index->keys[slot]);
  for (uint32_t slot = first; slot <= last; slot++) {
    index->keys[slot] = 0;
    clear(index->codes, index->codec.code_bytes, slot);
    clear(index->rests, index->codec.rest_bytes, slot);
    clear(index->fine_codes, index->fine.code_bytes, slot);
    clear(index->fine_rests, index->fine.rest_bytes, slot);
  }
}

mn_status mn_index_append(mn_index *index, const uint64_t *keys,
                          const mn_vectors *vectors, uint32_t *bad_row,
                          mn_arena *scratch) {
  mn_status status = check_rows(index, vectors, scratch);
  if (status != MN_OK)
    return status;
  mn_state *state = index->state;
  if (!state->trained)
    return MN_ERROR_UNTRAINED;
  if (vectors->count > index->capacity - state->count)
    return MN_ERROR_CAPACITY;
  if (vectors->count == 0)
    return MN_OK;
  const size_t mark = mn_arena_mark(scratch);
  mn_vector_room room;
  if (!mn_vector_room_allocate(&index->options, &room, scratch)) {
    mn_arena_rewind(scratch, mark);
    return MN_ERROR_ARENA;
  }
  const uint32_t first = state->count;
  sums added = {0, 0};
  for (uint32_t row = 0; row < vectors->count; row++) {
    const uint32_t slot = first + row;
    status = store(index, slot, keys == NULL ? slot : keys[row],
                   row_at(vectors, row), &room, &added);
    if (status != MN_OK) {
      take_back(index, first, slot);
      if (bad_row != NULL)
        *bad_row = row;
      break;
    }
  }
  mn_arena_rewind(scratch, mark);
  if (status != MN_OK)
    return status;
  mn_index_unseal(index);
  state->count = first + vectors->count;
  state->clipped += added.clipped;
  state->error += added.error;
  if (index->options.structure == MN_FLAT)
    state->linked = state->count;
  return MN_OK;
}

/* --- Single vectors ------------------------------------------------------- */

mn_status mn_index_find(const mn_index *index, uint64_t key, uint32_t *slot) {
  if (index == NULL || slot == NULL)
    return MN_ERROR_ARGUMENT;
  const uint32_t found = mn_key_map_find(index, key);
  if (found == MN_NO_SLOT)
    return MN_ERROR_UNKNOWN_KEY;
  *slot = found;
  return MN_OK;
}

mn_status mn_index_reconstruct(const mn_index *index, uint64_t key,
                               float *vector, uint32_t dimensions,
                               mn_arena *scratch) {
  uint32_t slot;
  if (vector == NULL || scratch == NULL)
    return MN_ERROR_ARGUMENT;
  const mn_status status = mn_index_find(index, key, &slot);
  if (status != MN_OK)
    return status;
  if (dimensions != index->options.dimensions)
    return MN_ERROR_DIMENSIONS;
  const size_t mark = mn_arena_mark(scratch);
  mn_vector_room room;
  const int fits = mn_vector_room_allocate(&index->options, &room, scratch);
  if (fits) {
    const mn_code_places at = mn_places_of(index, slot);
    if (at.fine_code != NULL)
      index->fine.ops->decode(&index->fine, at.fine_code, at.fine_rest, vector,
                              room.scratch);
    else
      mn_vector_decode(index, at.code, at.rest, &room, vector);
  }
  mn_arena_rewind(scratch, mark);
  return fits ? MN_OK : MN_ERROR_ARENA;
}

/* --- Report --------------------------------------------------------------- */

/* Without the 64-bit conversion, which some processors need a library for. */
static float float_of(uint64_t number) {
  return (float)(uint32_t)(number >> 32) * 0x1p32f + (float)(uint32_t)number;
}

mn_info mn_index_info(const mn_index *index) {
  const mn_header *header = mn_index_header(index);
  const mn_state *state = index->state;
  const uint32_t code_bytes = index->codec.code_bytes + index->codec.rest_bytes;
  const uint32_t refine_bytes = index->fine.code_bytes + index->fine.rest_bytes;
  const float mean_error =
      state->count > 0 ? float_of(state->error) / (float)state->count : 0.0f;
  return (mn_info){.options = index->options,
                   .is_auto = index->is_auto,
                   .capacity = index->capacity,
                   .count = state->count,
                   .linked = state->linked,
                   .trained = state->trained,
                   .sealed = (header->flags & MN_FLAG_SEALED) != 0,
                   .packed = index->is_packed,
                   .clipped = state->clipped,
                   .block_bytes = header->block_bytes,
                   .graph_bytes = mn_graph_bytes(index),
                   .code_bytes = code_bytes,
                   .refine_bytes = refine_bytes,
                   .error = mean_error * 0x1p-31f,
                   .compression = 4.0f * (float)index->options.dimensions /
                                  (float)(code_bytes + refine_bytes),
                   .format_major = header->format_major,
                   .format_minor = header->format_minor};
}
