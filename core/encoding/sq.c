/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sq8, sq6, sq4: scalar quantization, a trained range per dimension.
 *
 * Dimension j of a vector x is kept as one of 256, 64 or 16 integers s_j with
 *   x_j ~ zero_j + step_j s_j,
 * where the zero point and the step spread the integers evenly over the
 * sample's range. sq8 keeps -128 to 127 in a byte each, so that integers from
 * 0 to 255 are kept exactly; sq4 keeps 0 to 15, two to a byte, the first in the
 * low half; sq6 keeps the low 4 bits of 0 to 63 in the same way and, behind
 * them, the high 2 bits, four to a byte.
 *
 * A query q meets codes in integers. With r = q under ip and cosine and
 * r = q - zero under l2, the sum over j of (r_j step_j) s_j is what depends on
 * both. Its weights are rounded to w_j = r_j step_j / scale, integers as large
 * as an int32 sum allows (8 bits cost .001 of recall on pixels and sentences):
 *   ip      q.x       ~ q.zero + scale (w.s)
 *   l2      |q - x|^2 ~ |r|^2 - 2 scale (w.s) + |step s|^2
 * The last term belongs to the code alone and is stored behind it, 4 bytes.
 * An l2 estimate of a very small distance may come out slightly below 0.
 */
#include "../bytes.h"
#include "../kernels/kernels.h"
#include "codec.h"
#include "round.h"

/* The integers of an encoding. */
typedef struct sq_grid {
  int32_t lowest, highest;
  int32_t most; /* the largest magnitude */
} sq_grid;

static const sq_grid *grid_of(const mn_codec *codec) {
  static const sq_grid grids[] = {{-128, 127, 128}, {0, 63, 63}, {0, 15, 15}};
  return &grids[codec->encoding - MN_SQ8];
}

/* Vectors of a sample. The range of more is more and more that of outliers:
 * sq4 finds .772 of the true 10 among 100,000 word vectors where 4,000 were
 * trained on, .739 where all were. sq8 loses nothing measurable by it. */
#define ENOUGH 4000u

typedef struct sq_query {
  float constant; /* distance = constant + factor * (w.s) [+ code's own term] */
  float factor;
  int16_t weights[];
} sq_query;

/* Of the integers. sq6: of their low 4 bits and of their high 2. */
static uint32_t low_bytes(const mn_codec *codec) {
  const uint32_t d = codec->dimensions;
  return codec->encoding == MN_SQ8 ? d : (d + 1) / 2;
}

static uint32_t high_bytes(const mn_codec *codec) {
  return codec->encoding == MN_SQ6 ? (codec->dimensions + 3) / 4 : 0;
}

static void sizes(const mn_codec *codec, mn_codec_sizes *sizes) {
  const uint32_t d = codec->dimensions;
  sizes->code_bytes =
      low_bytes(codec) + high_bytes(codec) + (codec->metric == MN_L2 ? 4u : 0u);
  sizes->model_bytes = 8 * (uint64_t)d; /* the zero points, then the steps */
  sizes->query_bytes = sizeof(sq_query) + 2 * (uint64_t)d;
  sizes->least = 1;
  sizes->enough = ENOUGH;
}

static float *zeros(const mn_codec *codec) {
  return (void *)codec->model;
}

static float *steps(const mn_codec *codec) {
  return zeros(codec) + codec->dimensions;
}

/* |step s|^2, the code's own term under l2. */
static uint32_t term_at(const mn_codec *codec) {
  return codec->code_bytes - 4;
}

/* --- Training ------------------------------------------------------------- */

/* The zero points lie within the accepted norm, and so does half the box of
 * ranges (sq8) or the way across it. */
static int model_is_sound(const mn_codec *codec) {
  const float *zero = zeros(codec), *step = steps(codec);
  const float most = (float)grid_of(codec)->most;
  float zero_norm2 = 0.0f, kept_norm2 = 0.0f;
  for (uint32_t j = 0; j < codec->dimensions; j++) {
    const float kept = step[j] * most;
    zero_norm2 += zero[j] * zero[j];
    kept_norm2 += kept * kept;
  }
  return mn_norm2_is_sound(zero_norm2) && mn_norm2_is_sound(kept_norm2);
}

static mn_status train(mn_codec *codec, float *rows, uint32_t count,
                       mn_arena *scratch) {
  (void)scratch;
  if (rows == NULL)
    return MN_OK;
  const sq_grid *grid = grid_of(codec);
  const uint32_t d = codec->dimensions;
  const float last = (float)(grid->highest - grid->lowest);
  float *zero = zeros(codec), *step = steps(codec);
  /* Until the end, lowest values stand in the zero points' place and highest
   * in the steps'. */
  mn_move(zero, rows, sizeof(float) * d);
  mn_move(step, rows, sizeof(float) * d);
  for (uint32_t i = 1; i < count; i++) {
    const float *row = rows + (size_t)i * d;
    for (uint32_t j = 0; j < d; j++) {
      zero[j] = row[j] < zero[j] ? row[j] : zero[j];
      step[j] = row[j] > step[j] ? row[j] : step[j];
    }
  }
  /* Each row's squared norm was bounded; the corners of the box of all ranges
   * lie further out. */
  float norm2 = 0.0f;
  for (uint32_t j = 0; j < d; j++) {
    const float low = zero[j], high = step[j];
    norm2 += low * low > high * high ? low * low : high * high;
    step[j] = (high - low) / last;
    zero[j] = low - step[j] * (float)grid->lowest;
  }
  return norm2 <= MN_NORM2_MAX && model_is_sound(codec) ? MN_OK
                                                        : MN_ERROR_NOT_FINITE;
}

/* --- Codes ---------------------------------------------------------------- */

/* Element j of 2 or 4 bits; elements are put in order. */
static void put(uint8_t *bytes, uint32_t bits, uint32_t j, uint32_t value) {
  const uint32_t at = j * bits / 8, shift = j * bits % 8;
  bytes[at] = (uint8_t)(shift == 0 ? value : bytes[at] | value << shift);
}

static uint32_t get(const uint8_t *bytes, uint32_t bits, uint32_t j) {
  return bytes[j * bits / 8] >> j * bits % 8 & ((1u << bits) - 1);
}

/* The integers, which a vector holds, into a code and back. */
static void pack(const mn_codec *codec, const float *integers, uint8_t *code) {
  const mn_encoding encoding = codec->encoding;
  uint8_t *high = code + low_bytes(codec);
  for (uint32_t j = 0; j < codec->dimensions; j++) {
    const int32_t s = (int32_t)integers[j];
    if (encoding == MN_SQ8) {
      code[j] = (uint8_t)s;
      continue;
    }
    put(code, 4, j, (uint32_t)s & 15);
    if (encoding == MN_SQ6)
      put(high, 2, j, (uint32_t)s >> 4);
  }
}

static void unpack(const mn_codec *codec, const uint8_t *code,
                   float *integers) {
  const mn_encoding encoding = codec->encoding;
  const uint8_t *high = code + low_bytes(codec);
  for (uint32_t j = 0; j < codec->dimensions; j++)
    integers[j] = encoding == MN_SQ8 ? (float)(int8_t)code[j]
                  : encoding == MN_SQ6
                      ? (float)(get(code, 4, j) | get(high, 2, j) << 4)
                      : (float)get(code, 4, j);
}

static mn_status encode(const mn_codec *codec, float *vector, uint8_t *code,
                        uint8_t *rest, uint32_t *clipped, void *scratch) {
  (void)rest, (void)scratch;
  const sq_grid *grid = grid_of(codec);
  const float *zero = zeros(codec), *step = steps(codec);
  const float limit = (float)grid->most;
  float norm2 = 0.0f;
  for (uint32_t j = 0; j < codec->dimensions; j++) {
    const float offset = vector[j] - zero[j];
    /* A dimension that never varied in the sample has no step. */
    const float scaled = step[j] > 0.0f ? offset / step[j] : 0.0f;
    int32_t s = mn_to_integer(scaled, limit);
    s = s < grid->highest ? s : grid->highest;
    s = s > grid->lowest ? s : grid->lowest;
    vector[j] = (float)s;
    const float kept = step[j] * vector[j];
    norm2 += kept * kept;
    /* Half a step of error is usual; rounding of the range's ends, a bit more.
     */
    const float error = offset - kept;
    const float most = step[j] * 0.51f;
    if (error > most || error < -most)
      *clipped = 1;
  }
  pack(codec, vector, code);
  if (codec->metric == MN_L2)
    mn_store_f32(code + term_at(codec), norm2);
  return MN_OK;
}

static void decode(const mn_codec *codec, const uint8_t *code,
                   const uint8_t *rest, float *vector, void *scratch) {
  (void)rest, (void)scratch;
  const float *zero = zeros(codec), *step = steps(codec);
  unpack(codec, code, vector);
  for (uint32_t j = 0; j < codec->dimensions; j++)
    vector[j] = zero[j] + step[j] * vector[j];
}

static int is_sound(const mn_codec *codec, const uint8_t *code,
                    const uint8_t *rest) {
  (void)rest;
  if (codec->metric != MN_L2)
    return 1;
  const float norm2 = mn_load_f32(code + term_at(codec));
  return norm2 >= 0.0f && mn_norm2_is_sound(norm2);
}

/* --- Distances ------------------------------------------------------------ */

/* The largest weight: d products of it with the largest integer stay within
 * int32. */
static int32_t weight_limit(const mn_codec *codec) {
  const int32_t limit =
      INT32_MAX / grid_of(codec)->most / (int32_t)codec->dimensions;
  return limit < 32767 ? limit : 32767;
}

static void prepare(const mn_codec *codec, float *vector, void *prepared) {
  const uint32_t d = codec->dimensions;
  const mn_kernels *kernels = codec->kernels;
  const float *zero = zeros(codec), *step = steps(codec);
  sq_query *query = prepared;

  float factor = -1.0f;
  if (codec->metric == MN_L2) {
    for (uint32_t j = 0; j < d; j++)
      vector[j] -= zero[j];
    query->constant = kernels->dot_f32(vector, vector, d);
    factor = -2.0f;
  } else {
    query->constant =
        mn_distance_of_dot(codec->metric, kernels->dot_f32(vector, zero, d));
  }

  for (uint32_t j = 0; j < d; j++)
    vector[j] *= step[j];
  const float largest = mn_largest(vector, d);
  /* Weights too small for an inverse count as 0. */
  const float limit = (float)weight_limit(codec);
  const float inverse = largest > 0x1p-100f ? limit / largest : 0.0f;
  for (uint32_t j = 0; j < d; j++)
    query->weights[j] = (int16_t)mn_to_integer(vector[j] * inverse, limit);
  query->factor = factor * (largest / limit);
}

static float distance(const mn_codec *codec, const void *prepared,
                      const uint8_t *code, const uint8_t *rest,
                      uint32_t planes) {
  (void)rest, (void)planes;
  const uint32_t d = codec->dimensions;
  const mn_kernels *kernels = codec->kernels;
  const sq_query *query = prepared;
  int32_t dot;
  if (codec->encoding == MN_SQ8)
    dot = kernels->dot_i16_i8(query->weights, (const int8_t *)code, d);
  else
    dot = kernels->dot_i16_u4(query->weights, code, d);
  if (codec->encoding == MN_SQ6)
    dot += 16 * kernels->dot_i16_u2(query->weights, code + low_bytes(codec), d);
  const float estimate = query->constant + query->factor * (float)dot;
  return codec->metric == MN_L2 ? estimate + mn_load_f32(code + term_at(codec))
                                : estimate;
}

/* --- Table entries -------------------------------------------------------- */

#define SQ(word)                                                               \
  {                                                                            \
    .name = word, .sizes = sizes, .train = MN_IF_TRAIN(train),                 \
    .encode = MN_IF_CHANGE(encode), .decode = MN_IF_DECODE(decode),            \
    .is_sound = MN_IF_CHANGE(is_sound),                                        \
    .model_is_sound = MN_IF_CHANGE(model_is_sound), .prepare = prepare,        \
    .distance = distance,                                                      \
  }

const mn_codec_ops mn_codec_sq8 = SQ("sq8");
const mn_codec_ops mn_codec_sq6 = SQ("sq6");
const mn_codec_ops mn_codec_sq4 = SQ("sq4");
