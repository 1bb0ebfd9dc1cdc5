/* SPDX-License-Identifier: Apache-2.0 */
#include "vector.h"
#include "block.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "kernels/kernels.h"
#include "structure/ivf.h"
#include "transform/transform.h"

int mn_vector_room_allocate(const mn_options *options, mn_vector_room *room,
                            mn_arena *scratch) {
  mn_codec codec, fine;
  mn_codec_first(options, &codec);
  mn_codec_fine(options, &fine);
  const uint64_t first_bytes = mn_codec_measure(&codec).scratch_bytes;
  const uint64_t fine_bytes = mn_codec_measure(&fine).scratch_bytes;
  const uint64_t bytes = first_bytes > fine_bytes ? first_bytes : fine_bytes;
  const size_t floats = sizeof(float) * options->dimensions;
  room->vector = mn_arena_allocate(scratch, floats);
  room->mapped = mn_arena_allocate(scratch, floats);
  room->work = mn_arena_allocate(scratch, floats);
  room->scratch = mn_arena_allocate(scratch, (size_t)bytes);
  return room->vector != NULL && room->mapped != NULL && room->work != NULL &&
         room->scratch != NULL;
}

mn_code_places mn_places_of(const mn_index *index, uint32_t slot) {
  const size_t at = slot;
  mn_code_places places = {.code = mn_code_at(index, slot)};
  if (index->rests != NULL)
    places.rest = index->rests + at * index->codec.rest_bytes;
  if (index->fine_codes != NULL)
    places.fine_code = index->fine_codes + at * index->fine.code_bytes;
  if (index->fine_rests != NULL)
    places.fine_rest = index->fine_rests + at * index->fine.rest_bytes;
  return places;
}

int mn_code_places_allocate(const mn_options *options, mn_code_places *at,
                            mn_arena *scratch) {
  mn_codec codec, fine;
  mn_codec_first(options, &codec);
  mn_codec_fine(options, &fine);
  const size_t fine_bytes = fine.code_bytes;
  at->code = mn_arena_allocate(scratch, codec.code_bytes);
  at->rest = mn_arena_allocate(scratch, codec.rest_bytes);
  at->fine_code = mn_arena_allocate(scratch, fine_bytes);
  at->fine_rest = mn_arena_allocate(scratch, fine.rest_bytes);
  at->list = NULL;
  const int fits = at->code != NULL && at->rest != NULL &&
                   at->fine_code != NULL && at->fine_rest != NULL;
  if (fine_bytes == 0)
    at->fine_code = at->fine_rest = NULL; /* not wanted */
  return fits;
}

mn_status mn_vector_map(const mn_index *index, const float *vector,
                        const mn_vector_room *room) {
  mn_map map = mn_map_of_index(index);
  const mn_metric metric = index->options.metric;
  /* A query in an index that has nothing yet, and so finds nothing. */
  if (!index->state->trained)
    map.ops = NULL;
  const mn_status status =
      mn_vector_take(index->codec.kernels, metric, vector,
                     index->options.dimensions, room->vector);
  return status == MN_OK
             ? mn_map_apply(&map, metric, room->vector, room->mapped)
             : status;
}

static mn_status encode(const mn_codec *codec, const float *vector,
                        const mn_vector_room *room, uint8_t *code,
                        uint8_t *rest, uint32_t *clipped) {
  mn_move(room->work, vector, sizeof(float) * codec->dimensions);
  return codec->ops->encode(codec, room->work, code, rest, clipped,
                            room->scratch);
}

/* Of what the encoding kept, against the vector as taken. Bits that are kept
 * whole have no error. */
static uint32_t error_of(const mn_index *index, const mn_code_places *places,
                         const mn_vector_room *room) {
  const mn_kernels *kernels = index->codec.kernels;
  const uint32_t d = index->options.dimensions;
  const float norm2 = kernels->dot_f32(room->vector, room->vector, d);
  if (index->options.encoding == MN_SIGN || !(norm2 > 0.0f))
    return 0;
  mn_vector_decode(index, places->code, places->rest, room, room->work);
  const float error = kernels->l2_f32(room->vector, room->work, d) / norm2;
  return (uint32_t)((error < 1.0f ? error : 1.0f) * 0x1p31f);
}

mn_status mn_vector_encode(const mn_index *index, const float *vector,
                           const mn_vector_room *room,
                           const mn_code_places *places, uint32_t *clipped,
                           uint32_t *error) {
  mn_status status = mn_vector_map(index, vector, room);
  if (status == MN_OK)
    status = encode(&index->codec, room->mapped, room, places->code,
                    places->rest, clipped);
  if (status == MN_OK && places->fine_code != NULL)
    status = encode(&index->fine, room->vector, room, places->fine_code,
                    places->fine_rest, clipped);
  if (MN_HAS_IVF && status == MN_OK && places->list != NULL)
    *places->list = mn_ivf_list_of(index, room->mapped, room->work);
  if (status == MN_OK && error != NULL)
    *error = error_of(index, places, room);
  return status;
}

void mn_vector_decode(const mn_index *index, const uint8_t *code,
                      const uint8_t *rest, const mn_vector_room *room,
                      float *vector) {
  const mn_map map = mn_map_of_index(index);
  float *decoded = map.ops == NULL ? vector : room->mapped;
  index->codec.ops->decode(&index->codec, code, rest, decoded, room->scratch);
  if (map.ops != NULL)
    map.ops->invert(&map, decoded, vector);
}

void mn_vector_stored(const mn_index *index, uint32_t slot,
                      const mn_vector_room *room, float *vector) {
  const mn_code_places at = mn_places_of(index, slot);
  if (at.fine_code != NULL)
    index->fine.ops->decode(&index->fine, at.fine_code, at.fine_rest, vector,
                            room->scratch);
  else
    mn_vector_decode(index, at.code, at.rest, room, vector);
}

static void copy_row(uint8_t *to, const uint8_t *from, size_t bytes,
                     uint32_t to_slot, uint32_t from_slot) {
  if (bytes > 0)
    mn_move(to + to_slot * bytes, from + from_slot * bytes, bytes);
}

void mn_vector_copy(const mn_index *from, uint32_t from_slot, mn_index *to,
                    uint32_t to_slot) {
  const mn_codec *codec = &to->codec, *fine = &to->fine;
  to->keys[to_slot] = from->keys[from_slot];
  copy_row(to->codes, from->codes, codec->code_bytes, to_slot, from_slot);
  copy_row(to->rests, from->rests, codec->rest_bytes, to_slot, from_slot);
  copy_row(to->fine_codes, from->fine_codes, fine->code_bytes, to_slot,
           from_slot);
  copy_row(to->fine_rests, from->fine_rests, fine->rest_bytes, to_slot,
           from_slot);
}
