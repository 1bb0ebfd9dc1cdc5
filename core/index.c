/* SPDX-License-Identifier: Apache-2.0 */
/* Appending, and what can be asked about single vectors. */
#include "block.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "key_map.h"
#include "slots.h"
#include "structure/graph.h"
#include "vector.h"

#ifndef MN_ONLY_SEARCH

/* --- Append --------------------------------------------------------------- */

mn_status mn_rows_check(const mn_index *index, const mn_vectors *vectors,
                        const mn_arena *scratch) {
  if (index == NULL || vectors == NULL || scratch == NULL ||
      (vectors->data == NULL && vectors->count > 0))
    return MN_ERROR_ARGUMENT;
  if (!mn_index_is_live(index))
    return MN_ERROR_READ_ONLY;
  if (vectors->dimensions != index->options.dimensions)
    return MN_ERROR_DIMENSIONS;
  return index->state->trained ? MN_OK : MN_ERROR_UNTRAINED;
}

/* Takes back the rows up to `last`, in the order in which they came: of the
 * last not even the key is in the map. */
static void take_back(mn_index *index, const uint64_t *keys, uint64_t first_key,
                      uint32_t last, uint32_t last_slot,
                      const mn_state *before) {
  mn_slot_give_back(index, last_slot, before->count);
  for (uint32_t row = last; row-- > 0;) {
    const uint64_t key = keys == NULL ? first_key + row : keys[row];
    const uint32_t slot = mn_key_map_undo(index, key);
    MN_ASSERT(slot != MN_NO_SLOT);
    mn_slot_leave(index, slot);
    mn_slot_give_back(index, slot, before->count);
  }
  mn_move(index->state, before, sizeof *before);
}

mn_status mn_index_append(mn_index *index, const uint64_t *keys,
                          const mn_vectors *vectors, uint32_t *bad_row,
                          mn_arena *scratch) {
  mn_status status = mn_rows_check(index, vectors, scratch);
  if (status != MN_OK)
    return status;
  if (vectors->count > mn_slots_left(index))
    return MN_ERROR_CAPACITY;
  if (vectors->count == 0)
    return MN_OK;
  const size_t mark = mn_arena_mark(scratch);
  mn_vector_room room;
  if (!mn_vector_room_allocate(&index->options, &room, scratch)) {
    mn_arena_rewind(scratch, mark);
    return MN_ERROR_ARENA;
  }
  mn_state before;
  mn_move(&before, index->state, sizeof before);
  for (uint32_t row = 0; row < vectors->count; row++) {
    uint32_t slot;
    status = mn_slot_store(index, keys == NULL ? before.added + row : keys[row],
                           mn_row_at(vectors, row), &room, &slot);
    if (status != MN_OK) {
      take_back(index, keys, before.added, row, slot, &before);
      if (bad_row != NULL)
        *bad_row = row;
      break;
    }
  }
  mn_arena_rewind(scratch, mark);
  if (status == MN_OK)
    mn_index_unseal(index);
  return status;
}

#endif

/* --- Single vectors ------------------------------------------------------- */

mn_status mn_index_find(const mn_index *index, uint64_t key, uint32_t *slot) {
  if (index == NULL || slot == NULL)
    return MN_ERROR_ARGUMENT;
  const uint32_t found = mn_key_map_find(index, key);
  if (found == MN_NO_SLOT || !mn_slot_is_live(index, found))
    return MN_ERROR_UNKNOWN_KEY;
  *slot = found;
  return MN_OK;
}

#ifndef MN_NO_DECODE
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
  if (fits)
    mn_vector_stored(index, slot, &room, vector);
  mn_arena_rewind(scratch, mark);
  return fits ? MN_OK : MN_ERROR_ARENA;
}

#endif

/* --- Report --------------------------------------------------------------- */

mn_info mn_index_info(const mn_index *index) {
  const mn_header *header = mn_index_header(index);
  const mn_state *state = index->state;
  const uint32_t code_bytes = index->codec.code_bytes + index->codec.rest_bytes;
  const uint32_t refine_bytes = index->fine.code_bytes + index->fine.rest_bytes;
  const float mean_error =
      state->added > 0
          ? mn_float_from_u64(state->error) / mn_float_from_u64(state->added)
          : 0.0f;
  return (mn_info){.options = index->options,
                   .is_auto = index->is_auto,
                   .capacity = index->capacity,
                   .count = mn_index_vectors(index),
                   .linked = state->linked - state->dead,
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
                   .format_minor = header->format_minor,
                   .slots = state->count,
                   .dead = state->dead,
                   .tuned_ef = state->tuned_ef,
                   .tuned_nprobe = state->tuned_nprobe,
                   .tuned_refine_k = state->tuned_refine_k,
                   .tuned_gamma = state->tuned_gamma};
}
