/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of vectors that are kept elsewhere: an index as a codec. Such a code is
 * its part that is always read, then its rest. */
#include "codes.h"
#include "block.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "encoding/pq.h"
#include "vector.h"

typedef struct codes_room {
  mn_vector_room vector;
  void *query;
} codes_room;

static int allocate(const mn_options *options, codes_room *room,
                    mn_arena *scratch) {
  mn_codec codec;
  mn_codec_first(options, &codec);
  const int fits = mn_vector_room_allocate(options, &room->vector, scratch);
  room->query =
      mn_arena_allocate(scratch, (size_t)mn_codec_measure(&codec).query_bytes);
  return fits && room->query != NULL;
}

int mn_codes_measure(const mn_options *options, mn_arena *measuring) {
  codes_room room;
  return allocate(options, &room, measuring);
}

static mn_status begin(const mn_index *index, codes_room *room,
                       mn_arena *scratch) {
  if (!index->state->trained)
    return MN_ERROR_UNTRAINED;
  return allocate(&index->options, room, scratch) ? MN_OK : MN_ERROR_ARENA;
}

static size_t bytes_of(const mn_index *index) {
  return (size_t)index->codec.code_bytes + index->codec.rest_bytes;
}

/* --- Encode, decode ------------------------------------------------------- */

#ifndef MN_ONLY_SEARCH
mn_status mn_index_encode(const mn_index *index, const mn_vectors *vectors,
                          uint8_t *codes, uint32_t *bad_row,
                          mn_arena *scratch) {
  if (index == NULL || vectors == NULL || scratch == NULL ||
      ((vectors->data == NULL || codes == NULL) && vectors->count > 0))
    return MN_ERROR_ARGUMENT;
  const size_t d = index->options.dimensions;
  if (vectors->dimensions != d)
    return MN_ERROR_DIMENSIONS;
  const size_t mark = mn_arena_mark(scratch);
  codes_room room;
  mn_status status = begin(index, &room, scratch);
  for (uint32_t i = 0; i < vectors->count && status == MN_OK; i++) {
    uint8_t *code = codes + i * bytes_of(index);
    const mn_code_places places = {.code = code,
                                   .rest = code + index->codec.code_bytes};
    uint32_t clipped = 0;
    mn_zero(code, bytes_of(index));
    status = mn_vector_encode(index, vectors->data + i * d, &room.vector,
                              &places, &clipped, NULL);
    if (status != MN_OK && bad_row != NULL)
      *bad_row = i;
  }
  mn_arena_rewind(scratch, mark);
  return status;
}

#endif

#ifndef MN_NO_DECODE
mn_status mn_index_decode(const mn_index *index, const uint8_t *codes,
                          uint32_t count, float *vectors, mn_arena *scratch) {
  if (index == NULL || scratch == NULL ||
      ((codes == NULL || vectors == NULL) && count > 0))
    return MN_ERROR_ARGUMENT;
  const size_t mark = mn_arena_mark(scratch);
  codes_room room;
  const mn_status status = begin(index, &room, scratch);
  for (uint32_t i = 0; i < count && status == MN_OK; i++) {
    const uint8_t *code = codes + i * bytes_of(index);
    mn_vector_decode(index, code, code + index->codec.code_bytes, &room.vector,
                     vectors + (size_t)i * index->options.dimensions);
  }
  mn_arena_rewind(scratch, mark);
  return status;
}

#endif

/* --- Distances ------------------------------------------------------------ */

/* Codes lie whole, one behind the other, and so each is a target of its own. */
static mn_target target_of(const mn_index *index, const uint8_t *code,
                           const void *query) {
  return (mn_target){.codec = &index->codec,
                     .codes = code,
                     .rests = code + index->codec.code_bytes,
                     .planes = mn_codec_planes(index->codec.encoding),
                     .query = query};
}

/* Room for a query, which is left mapped in it. */
static mn_status begin_query(const mn_index *index, const float *query,
                             uint32_t dimensions, codes_room *room,
                             mn_arena *scratch) {
  if (dimensions != index->options.dimensions)
    return MN_ERROR_DIMENSIONS;
  const mn_status status = begin(index, room, scratch);
  return status == MN_OK ? mn_vector_map(index, query, &room->vector) : status;
}

mn_status mn_index_compare(const mn_index *index, const float *query,
                           uint32_t dimensions, const uint8_t *codes,
                           uint32_t count, float *distances,
                           mn_arena *scratch) {
  if (index == NULL || query == NULL || scratch == NULL ||
      ((codes == NULL || distances == NULL) && count > 0))
    return MN_ERROR_ARGUMENT;
  const size_t mark = mn_arena_mark(scratch);
  codes_room room;
  const mn_status status =
      begin_query(index, query, dimensions, &room, scratch);
  if (status == MN_OK)
    index->codec.ops->prepare(&index->codec, room.vector.mapped, room.query);
  for (uint32_t i = 0; i < count && status == MN_OK; i++) {
    const uint32_t slot = 0;
    const mn_target target =
        target_of(index, codes + i * bytes_of(index), room.query);
    mn_distances(&target, &slot, 1, &distances[i]);
  }
  mn_arena_rewind(scratch, mark);
  return status;
}

#ifndef MN_ONLY_SEARCH
mn_status mn_index_between(const mn_index *index, const uint8_t *code_a,
                           const uint8_t *code_b, float *distance,
                           mn_arena *scratch) {
  if (index == NULL || code_a == NULL || code_b == NULL || distance == NULL ||
      scratch == NULL)
    return MN_ERROR_ARGUMENT;
  const size_t mark = mn_arena_mark(scratch);
  codes_room room;
  const mn_status status = begin(index, &room, scratch);
  if (status == MN_OK) {
    const uint32_t slot = 0;
    mn_target target = target_of(index, code_a, NULL);
    const void *query = mn_prepare_slot(&target, slot, 1, room.vector.mapped,
                                        room.vector.scratch, room.query);
    target = target_of(index, code_b, query);
    mn_distances(&target, &slot, 1, distance);
  }
  mn_arena_rewind(scratch, mark);
  return status;
}

#endif

mn_status mn_index_distance_table(const mn_index *index, const float *query,
                                  uint32_t dimensions, float *table,
                                  mn_arena *scratch) {
  if (index == NULL || query == NULL || table == NULL || scratch == NULL ||
      index->options.encoding != MN_PQ || index->options.pq_correction)
    return MN_ERROR_ARGUMENT;
  const size_t mark = mn_arena_mark(scratch);
  codes_room room;
  const mn_status status =
      begin_query(index, query, dimensions, &room, scratch);
  if (status == MN_OK)
    for (uint32_t book = 0; book < index->options.pq_m; book++)
      mn_pq_table(&index->codec, room.vector.mapped, book,
                  table + ((size_t)book << index->options.pq_bits));
  mn_arena_rewind(scratch, mark);
  return status;
}
