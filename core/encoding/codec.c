/* SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"
#include "../bytes.h"
#include "../kernels/kernels.h"
#include "../root.h"

/* --- Table ---------------------------------------------------------------- */

const mn_codec_ops *mn_codec_of(mn_encoding encoding) {
  switch (encoding) {
  case MN_F32:
    return MN_IF_FLOATS(&mn_codec_f32);
  case MN_F16:
    return MN_IF_FLOATS(&mn_codec_f16);
  case MN_BF16:
    return MN_IF_FLOATS(&mn_codec_bf16);
  case MN_SQ8:
    return MN_IF_SQ(&mn_codec_sq8);
  case MN_SQ6:
    return MN_IF_SQ(&mn_codec_sq6);
  case MN_SQ4:
    return MN_IF_SQ(&mn_codec_sq4);
  case MN_SIGN:
    return MN_IF_SIGN(&mn_codec_sign);
  case MN_PQ:
    return MN_IF_PQ(&mn_codec_pq);
  case MN_PRQ:
    return MN_IF_PQ(&mn_codec_prq);
  case MN_BITS1:
  case MN_BITS2:
  case MN_BITS3:
  case MN_BITS4:
  case MN_BITS5:
  case MN_BITS6:
  case MN_BITS7:
  case MN_BITS8:
    return MN_IF_BITS(&mn_codec_bits);
  }
  return NULL;
}

mn_codec_sizes mn_codec_measure(const mn_codec *codec) {
  mn_codec_sizes sizes;
  mn_zero(&sizes, sizeof sizes); /* not `= {0}`: no call of memset */
  if (codec->ops != NULL)
    codec->ops->sizes(codec, &sizes);
  return sizes;
}

static void describe(const mn_options *o, mn_encoding encoding,
                     uint32_t dimensions, mn_codec *codec) {
  *codec = (mn_codec){.ops = mn_codec_of(encoding),
                      .metric = o->metric,
                      .encoding = encoding,
                      .dimensions = dimensions,
                      .seed = o->seed};
  if (encoding == MN_PQ || encoding == MN_PRQ) {
    codec->pq_m = o->pq_m;
    codec->pq_bits = o->pq_bits;
    codec->pq_nrq = o->pq_nrq;
    codec->pq_correction = o->pq_correction;
  }
  const mn_codec_sizes sizes = mn_codec_measure(codec);
  codec->code_bytes = sizes.code_bytes;
  codec->rest_bytes = sizes.rest_bytes;
}

void mn_codec_first(const mn_options *o, mn_codec *codec) {
  describe(o, o->encoding,
           o->kept_dimensions > 0 ? o->kept_dimensions : o->dimensions, codec);
}

void mn_codec_fine(const mn_options *o, mn_codec *codec) {
  describe(o, o->refine, o->dimensions, codec);
}

uint32_t mn_codec_read_bytes(const mn_codec *codec, uint32_t planes) {
  const uint32_t all = mn_codec_planes(codec->encoding);
  if (planes <= mn_codec_code_planes(codec) && planes < all)
    return codec->code_bytes;
  const uint32_t unread = (all - planes) * ((codec->dimensions + 7) / 8);
  return codec->code_bytes + codec->rest_bytes - unread;
}

/* --- Comparing ------------------------------------------------------------ */

static const uint8_t *code_at(const mn_target *target, uint32_t slot) {
  return target->codes + (size_t)slot * target->codec->code_bytes;
}

static const uint8_t *rest_at(const mn_target *target, uint32_t slot) {
  const size_t bytes = target->codec->rest_bytes;
  return bytes > 0 ? target->rests + slot * bytes : NULL;
}

const void *mn_prepare_slot(const mn_target *target, uint32_t slot, int few,
                            float *vector, void *scratch, void *query) {
  const mn_codec *codec = target->codec;
  const mn_codec_ops *ops = codec->ops;
  const uint8_t *code = code_at(target, slot), *rest = rest_at(target, slot);
  if (ops->code_is_query)
    return code;
  if (few && ops->prepare_pair != NULL)
    ops->prepare_pair(codec, code, rest, target->planes, vector, scratch,
                      query);
  else if (ops->prepare_code != NULL)
    ops->prepare_code(codec, code, rest, target->planes, vector, scratch,
                      query);
  else {
    ops->decode(codec, code, rest, vector, scratch);
    ops->prepare(codec, vector, query);
  }
  return query;
}

size_t mn_slot_query_bytes(const mn_codec *codec) {
  return codec->ops->code_is_query
             ? 0
             : (size_t)mn_codec_measure(codec).query_bytes;
}

static void fetch_rows(const uint8_t *rows, size_t bytes, const uint32_t *slots,
                       uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    mn_fetch_bytes(rows + slots[i] * bytes, bytes);
}

void mn_fetch_codes(const mn_target *target, const uint32_t *slots,
                    uint32_t count) {
  const mn_codec *codec = target->codec;
  fetch_rows(target->codes, codec->code_bytes, slots, count);
  if (target->planes > mn_codec_code_planes(codec))
    fetch_rows(target->rests, codec->rest_bytes, slots, count);
}

static void distances_of_batch(const mn_target *target, const uint32_t *slots,
                               uint32_t count, float *distances) {
  const mn_codec *codec = target->codec;
  if (codec->ops->distances != NULL)
    codec->ops->distances(codec, target->query, target->codes, target->rests,
                          target->planes, slots, count, distances);
  else
    for (uint32_t i = 0; i < count; i++)
      distances[i] =
          codec->ops->distance(codec, target->query, code_at(target, slots[i]),
                               rest_at(target, slots[i]), target->planes);
}

void mn_fetched_distances(const mn_target *target, const uint32_t *slots,
                          uint32_t count, float *distances) {
  for (uint32_t at = 0; at < count; at += MN_CODEC_BATCH)
    distances_of_batch(target, slots + at,
                       count - at < MN_CODEC_BATCH ? count - at
                                                   : MN_CODEC_BATCH,
                       distances + at);
}

/* Codes that are met one by one are fetched a few ahead. Slots in a row are
 * those of a scan, where the processor fetches by itself. */
void mn_distances(const mn_target *target, const uint32_t *slots,
                  uint32_t count, float *distances) {
  const uint32_t most =
      target->codec->ops->distances != NULL ? MN_CODEC_BATCH : 4;
  uint32_t batch = count < most ? count : most;
  const int is_scan = count > 0 && slots[count - 1] - slots[0] == count - 1;
  if (!is_scan)
    mn_fetch_codes(target, slots, batch);
  while (count > 0) {
    const uint32_t left = count - batch, next = left < most ? left : most;
    if (!is_scan)
      mn_fetch_codes(target, slots + batch, next);
    distances_of_batch(target, slots, batch, distances);
    slots += batch;
    distances += batch;
    count = left;
    batch = next;
  }
}

/* --- Vectors -------------------------------------------------------------- */

mn_status mn_vector_take(const mn_kernels *kernels, mn_metric metric,
                         const float *vector, uint32_t dimensions,
                         float *copy) {
  /* NaN and infinity in any component reach the sum. */
  const float norm2 = kernels->dot_f32(vector, vector, dimensions);
  if (!(norm2 <= MN_NORM2_MAX))
    return MN_ERROR_NOT_FINITE;
  if (metric == MN_COSINE)
    return mn_vector_normalise(vector, norm2, dimensions, copy);
  mn_move(copy, vector, sizeof(float) * dimensions);
  return MN_OK;
}

mn_status mn_vector_normalise(const float *vector, float norm2,
                              uint32_t dimensions, float *copy) {
  /* A subnormal squared norm has too few bits left to divide by. */
  if (norm2 < 0x1p-126f)
    return MN_ERROR_ZERO_VECTOR;
  const float norm = mn_root(norm2); /* under -fno-math-errno */
  for (uint32_t i = 0; i < dimensions; i++)
    copy[i] = vector[i] / norm;
  return MN_OK;
}
