/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sq8: scalar quantization to 8 bits, a trained range per dimension.
 *
 * Dimension j of a vector x is kept as an integer s_j from -128 to 127 with
 *   x_j ~ zero_j + step_j s_j,
 * where the zero point and the step spread the 256 values evenly over the
 * sample's range. Integers from 0 to 255 are kept exactly.
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

typedef struct sq8_query {
  float constant; /* distance = constant + factor * (w.s) [+ code's own term] */
  float factor;
  int16_t weights[];
} sq8_query;

static uint32_t code_bytes(mn_metric metric, uint32_t d) {
  return metric == MN_L2 ? d + 4 : d;
}

/* Section MODL: the zero points, then the steps. */
static uint64_t model_bytes(uint32_t d) {
  return 8 * (uint64_t)d;
}

static uint64_t query_bytes(uint32_t d) {
  return sizeof(sq8_query) + 2 * (uint64_t)d;
}

static float *zeros(const mn_index *index) {
  return (void *)index->model;
}

static float *steps(const mn_index *index) {
  return zeros(index) + index->options.dimensions;
}

static int32_t bits_of(float x) {
  int32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

static float float_of(int32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

/* The nearest integer, halves away from 0, of a magnitude up to `limit`.
 * Magnitudes are compared as the integers that their bits are: any float may
 * come, NaN too, since a model read from a block is not trusted, and compilers
 * can vectorise it. */
static int32_t to_integer(float x, float limit) {
  const int32_t sign = bits_of(x) >> 31, most = bits_of(limit);
  const int32_t bits = bits_of(x) & 0x7fffffff;
  const float magnitude = float_of(bits < most ? bits : most);
  return ((int32_t)(magnitude + 0.5f) ^ sign) - sign;
}

/* The largest weight: d products of it with -128 stay within int32. */
static int32_t weight_limit(uint32_t d) {
  const int32_t limit = ((1 << 24) - 1) / (int32_t)d;
  return limit < 32767 ? limit : 32767;
}

/* --- Training ------------------------------------------------------------- */

/* Until the end, lowest values stand in the zero points' place and highest in
 * the steps'. */
static void train(mn_index *index, const float *vector, uint32_t row) {
  float *low = zeros(index), *high = steps(index);
  for (uint32_t j = 0; j < index->options.dimensions; j++) {
    if (row == 0 || vector[j] < low[j])
      low[j] = vector[j];
    if (row == 0 || vector[j] > high[j])
      high[j] = vector[j];
  }
}

static mn_status train_end(mn_index *index) {
  float *zero = zeros(index), *step = steps(index);
  /* Each row's squared norm was bounded; the corners of the box of all ranges
   * lie further out. */
  float norm2 = 0.0f;
  for (uint32_t j = 0; j < index->options.dimensions; j++) {
    const float low = zero[j], high = step[j];
    norm2 += low * low > high * high ? low * low : high * high;
    step[j] = (high - low) / 255.0f;
    zero[j] = low + step[j] * 128.0f;
  }
  return norm2 <= MN_NORM2_MAX ? MN_OK : MN_ERROR_NOT_FINITE;
}

/* --- Codes ---------------------------------------------------------------- */

static mn_status encode(const mn_index *index, const float *vector,
                        uint8_t *code, uint32_t *clipped) {
  const uint32_t d = index->options.dimensions;
  const float *zero = zeros(index), *step = steps(index);
  float norm2 = 0.0f;
  for (uint32_t j = 0; j < d; j++) {
    const float offset = vector[j] - zero[j];
    /* A dimension that never varied in the sample has no step. */
    const float scaled = step[j] > 0.0f ? offset / step[j] : 0.0f;
    const int32_t rounded = to_integer(scaled, 128.0f);
    const int32_t s = rounded < 127 ? rounded : 127;
    code[j] = (uint8_t)s;
    const float kept = step[j] * (float)s;
    norm2 += kept * kept;
    /* Half a step of error is usual; rounding of the range's ends, a bit more.
     */
    const float error = offset - kept;
    const float most = step[j] * 0.51f;
    if (error > most || error < -most)
      *clipped = 1;
  }
  if (index->options.metric == MN_L2)
    mn_store_f32(code + d, norm2);
  return MN_OK;
}

static void decode(const mn_index *index, const uint8_t *code, float *vector) {
  const float *zero = zeros(index), *step = steps(index);
  for (uint32_t j = 0; j < index->options.dimensions; j++)
    vector[j] = zero[j] + step[j] * (float)(int8_t)code[j];
}

static int is_sound(const mn_index *index, const uint8_t *code) {
  return index->options.metric != MN_L2 ||
         mn_norm2_is_sound(mn_load_f32(code + index->options.dimensions));
}

/* Half the box of ranges and its middle lie within the accepted norm each. */
static int model_is_sound(const mn_index *index) {
  const float *zero = zeros(index), *step = steps(index);
  float zero_norm2 = 0.0f, half_norm2 = 0.0f;
  for (uint32_t j = 0; j < index->options.dimensions; j++) {
    const float half = step[j] * 128.0f;
    zero_norm2 += zero[j] * zero[j];
    half_norm2 += half * half;
  }
  return mn_norm2_is_sound(zero_norm2) && mn_norm2_is_sound(half_norm2);
}

/* --- Distances ------------------------------------------------------------ */

static void prepare(const mn_index *index, float *vector, void *prepared) {
  const uint32_t d = index->options.dimensions;
  const mn_metric metric = index->options.metric;
  const mn_kernels *kernels = index->kernels;
  const float *zero = zeros(index), *step = steps(index);
  sq8_query *query = prepared;

  float factor = -1.0f;
  if (metric == MN_L2) {
    for (uint32_t j = 0; j < d; j++)
      vector[j] -= zero[j];
    query->constant = kernels->dot_f32(vector, vector, d);
    factor = -2.0f;
  } else {
    query->constant =
        mn_distance_of_dot(metric, kernels->dot_f32(vector, zero, d));
  }

  int32_t most = 0;
  for (uint32_t j = 0; j < d; j++) {
    vector[j] *= step[j];
    const int32_t bits = bits_of(vector[j]) & 0x7fffffff;
    most = bits > most ? bits : most;
  }
  const float largest = float_of(most);
  /* Weights too small for an inverse count as 0. */
  const float limit = (float)weight_limit(d);
  const float inverse = largest > 0x1p-100f ? limit / largest : 0.0f;
  for (uint32_t j = 0; j < d; j++)
    query->weights[j] = (int16_t)to_integer(vector[j] * inverse, limit);
  query->factor = factor * (largest / limit);
}

static float distance(const mn_index *index, const void *prepared,
                      const uint8_t *code) {
  const uint32_t d = index->options.dimensions;
  const sq8_query *query = prepared;
  const int32_t dot =
      index->kernels->dot_i16_i8(query->weights, (const int8_t *)code, d);
  const float estimate = query->constant + query->factor * (float)dot;
  return index->options.metric == MN_L2 ? estimate + mn_load_f32(code + d)
                                        : estimate;
}

const mn_codec_ops mn_codec_sq8 = {
    .name = "sq8",
    .needs_sample = 1,
    .code_bytes = code_bytes,
    .model_bytes = model_bytes,
    .query_bytes = query_bytes,
    .train = train,
    .train_end = train_end,
    .encode = encode,
    .decode = decode,
    .is_sound = is_sound,
    .model_is_sound = model_is_sound,
    .prepare = prepare,
    .distance = distance,
};
