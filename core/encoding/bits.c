/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits1 to bits8: b bits per component on a rotated grid (RaBitQ, Gao and Long,
 * SIGMOD 2024, arXiv 2405.12497, and its extension to more bits, arXiv
 * 2409.09913), stored as planes so that a query may read fewer than b.
 *
 * A vector x becomes r = R (x - m), m the mean of a sample, R the seeded random
 * rotation. Each component becomes a level c of 2^b by
 *   r_j ~ step (2 c_j + 1 - 2^b) / 2,
 * the step chosen per vector. The grid has no level at 0, so the highest p bits
 * of c are a level on a grid of 2^p with a step of 2^(b-p) steps: every prefix
 * of the planes is a code. With the odd integers y_p = 2 c_p + 1 - 2^p of a
 * prefix, inner products are estimated by
 *   <r, q> ~ f_p <y_p, q>,   f_p = |r|^2 / <y_p, r>.
 * The factor makes the estimate exact for q = r and unbiased over the rotation
 * (2405.12497, theorem 3.2); each prefix needs its own. It is stored as the
 * share <y_p, r> / ((2^p - 1) sqrt(d) |r|), which is at most 1, is .8 for one
 * plane of a long vector, and needs no range that a vector could leave.
 *
 * Distances, with q rotated about the same mean and E the estimate of <r, q>:
 *   l2      |x - q|^2 ~ (|r|^2 + |q|^2) - 2 E
 *   cosine  half of that, since vectors have norm 1
 *   ip      -x.q      ~ -((s_x + s_q) + E),  s = <x - m, m> + |m|^2 / 2,
 * s being (|x|^2 - |r|^2) / 2. Estimating <r, q> and not <x, q> is worth 5 to
 * 12 points of recall. |r|^2 or s is the vector's own term; s, the lift off the
 * mean, is stored under ip.
 */
#include "bits.h"
#include "../kernels/kernels.h"
#include "../root.h"
#include "../transform/transform.h"

#define FIELD(bits, shift, p)                                                  \
  { 1, shift, (1u << bits) - 1, (float)(1 << bits) / (float)((1 << p) - 1) }
#define ONE_PLANE                                                              \
  { 0, 0, (1u << 12) - 1, 4096.0f }

const mn_bits_field mn_bits_fields[2][9] = {
    {[1] = ONE_PLANE, [2] = FIELD(8, 24, 2), [4] = FIELD(10, 14, 4)},
    {[1] = ONE_PLANE,
     [2] = FIELD(14, 0, 2),
     [3] = FIELD(14, 0, 3),
     [4] = FIELD(14, 0, 4),
     [5] = FIELD(14, 0, 5),
     [6] = FIELD(14, 0, 6),
     [7] = FIELD(14, 0, 7),
     [8] = FIELD(14, 0, 8)},
};

static float *mean_of(const mn_codec *codec) {
  return (void *)codec->model;
}

/* Levels are taken eight at a time. */
static uint32_t padded(const mn_codec *codec) {
  return 8 * mn_bits_plane_bytes(codec);
}

static void sizes(const mn_codec *codec, mn_codec_sizes *sizes) {
  const uint32_t b = mn_codec_planes(codec->encoding);
  const uint32_t packed = mn_codec_code_planes(codec);
  sizes->code_bytes = mn_bits_tail_at(codec) + (packed > 1 ? MN_BITS_TAIL : 0) +
                      mn_bits_packed_bytes(codec);
  sizes->rest_bytes = b > 1 ? mn_bits_planes_at(codec) +
                                  (b - packed) * mn_bits_plane_bytes(codec)
                            : 0;
  sizes->model_bytes = sizeof(float) * (uint64_t)codec->dimensions;
  sizes->query_bytes = mn_bits_query_bytes(codec);
  /* Integers as floats, and levels. */
  sizes->scratch_bytes =
      sizeof(float) * (uint64_t)codec->dimensions + padded(codec);
  sizes->least = 1;
  sizes->enough = 1000; /* 100 vectors are as good as all; 10 cost .005 */
}

/* --- Training ------------------------------------------------------------- */

static int model_is_sound(const mn_codec *codec) {
  const float *mean = mean_of(codec);
  return mn_norm2_is_sound(
      codec->kernels->dot_f32(mean, mean, codec->dimensions));
}

static mn_status train(mn_codec *codec, float *rows, uint32_t count,
                       mn_arena *scratch) {
  (void)scratch;
  if (rows == NULL)
    return MN_OK;
  const uint32_t d = codec->dimensions;
  float *mean = mean_of(codec);
  mn_zero(mean, sizeof(float) * d);
  for (uint32_t i = 0; i < count; i++)
    for (uint32_t j = 0; j < d; j++)
      mean[j] += rows[(size_t)i * d + j];
  for (uint32_t j = 0; j < d; j++)
    mean[j] /= (float)count;
  return model_is_sound(codec) ? MN_OK : MN_ERROR_NOT_FINITE;
}

/* --- Encoding ------------------------------------------------------------- */

float mn_bits_center(const mn_codec *codec, float *vector) {
  const mn_kernels *kernels = codec->kernels;
  const uint32_t d = codec->dimensions;
  const float *mean = mean_of(codec);
  for (uint32_t j = 0; j < d; j++)
    vector[j] -= mean[j];
  float lift = 0.0f;
  if (codec->metric == MN_IP)
    lift = kernels->dot_f32(vector, mean, d) +
           0.5f * kernels->dot_f32(mean, mean, d);
  mn_rotate(codec->seed, vector, d);
  return codec->metric == MN_IP ? lift : kernels->dot_f32(vector, vector, d);
}

/* The level of a component; of NaN, which 0 times an infinite inverse of a
 * subnormal step is, 0. */
static inline uint32_t level_of(float component, float inverse_step,
                                float half) {
  const float top = 2.0f * half - 1.0f;
  float level = component * inverse_step + half;
  level = level > 0.0f ? level : 0.0f;
  level = level < top ? level : top;
  return (uint32_t)(int32_t)level;
}

/* The step whose code is nearest to r in angle. Where to look: the best step
 * for many Gaussian components (found by minimising the squared error
 * numerically), or, where that is smaller, the one that just spares the largest
 * component; and 8 and 16 % to either side. On word vectors, sentence
 * embeddings and pixels, looking at 31 steps instead of these 5 lowers the
 * squared error by 4 % at most; not looking around raises it by up to 10 %. */
static float step_of(const mn_codec *codec, const float *r, float norm,
                     float *integers) {
  static const float gaussian[] = {1.0f,    0.9957f, 0.586f,  0.3352f,
                                   0.1881f, 0.1041f, 0.0569f, 0.0308f};
  static const float around[] = {1.0f, 0.84f, 0.92f, 1.08f, 1.16f};
  const mn_kernels *kernels = codec->kernels;
  const uint32_t d = codec->dimensions, b = mn_codec_planes(codec->encoding);
  const float half = (float)(1u << (b - 1));
  const float most = mn_largest(r, d) / half;
  float middle = gaussian[b - 1] * norm / mn_root((float)d);
  middle = most < middle ? most : middle;
  float best = middle, best_cosine = -1.0f;
  for (uint32_t i = 0; i < 5 && b > 1; i++) {
    const float step = middle * around[i], inverse = 1.0f / step;
    for (uint32_t j = 0; j < d; j++)
      integers[j] =
          2.0f * (float)level_of(r[j], inverse, half) + 1.0f - 2.0f * half;
    const float cosine = kernels->dot_f32(integers, r, d) /
                         mn_root(kernels->dot_f32(integers, integers, d));
    if (cosine > best_cosine)
      best = step, best_cosine = cosine;
  }
  return best;
}

/* y_p. */
static void integers_of(const uint8_t *levels, uint32_t d, uint32_t dropped,
                        uint32_t planes, float *integers) {
  const int32_t middle = (1 << planes) - 1;
  for (uint32_t j = 0; j < d; j++)
    integers[j] = (float)(2 * (levels[j] >> dropped) - middle);
}

static void store_u32(uint8_t *p, uint32_t value) {
  __builtin_memcpy(p, &value, sizeof value);
}

static void store_packed(const mn_codec *codec, const uint8_t *levels,
                         uint8_t *code) {
  const uint32_t bits = mn_codec_code_planes(codec), per_byte = 8 / bits;
  const uint32_t dropped = mn_codec_planes(codec->encoding) - bits;
  const uint32_t bytes = mn_bits_packed_bytes(codec);
  uint8_t *packed = code + mn_bits_packed_at(codec);
  for (uint32_t i = 0; i < bytes; i++, levels += per_byte) {
    uint32_t byte = 0;
    for (uint32_t k = 0; k < per_byte; k++)
      byte |= (uint32_t)levels[k] >> dropped << k * bits;
    packed[i] = (uint8_t)byte;
  }
}

static void store_planes(const mn_codec *codec, const uint8_t *levels,
                         uint8_t *rest) {
  const uint32_t count =
      mn_codec_planes(codec->encoding) - mn_codec_code_planes(codec);
  const uint32_t bytes = mn_bits_plane_bytes(codec);
  for (uint32_t i = 0; i < bytes && count > 0; i++) {
    uint64_t eight;
    __builtin_memcpy(&eight, levels + 8 * (size_t)i, sizeof eight);
    eight = mn_bits_transpose(eight);
    for (uint32_t plane = 0; plane < count; plane++)
      rest[mn_bits_planes_at(codec) + (size_t)plane * bytes + i] =
          (uint8_t)(eight >> 8 * (count - 1 - plane));
  }
}

/* The words in front: the norm, and a share for each prefix. The norm is
 * rounded and the shares are of the true one, so that |r|^2 and 2 E are wrong
 * in the same direction for a q near r. */
static void store_words(const mn_codec *codec, const float *r, float norm,
                        const uint8_t *levels, float *integers, uint8_t *code,
                        uint8_t *rest) {
  const uint32_t d = codec->dimensions, b = mn_codec_planes(codec->encoding);
  const float inverse = norm > 0.0f ? mn_bits_unit(codec) / norm : 0.0f;
  uint32_t words[2] = {((uint32_t)mn_bits_of(norm) + 0x400) >> 11 << 12, 0};
  for (uint32_t p = 1;; p = mn_bits_next_prefix(b, p)) {
    const mn_bits_field *field = mn_bits_field_of(codec, p);
    integers_of(levels, d, b - p, p, integers);
    const float dot = codec->kernels->dot_f32(integers, r, d);
    float share = dot * inverse * field->scale;
    share = share > 0.0f ? share : 0.0f;
    share = share < (float)field->mask ? share : (float)field->mask;
    words[field->in_tail] |= (uint32_t)(int32_t)share << field->shift;
    if (p == b)
      break;
  }
  store_u32(code, words[0]);
  if (b > 1)
    store_u32(mn_codec_code_planes(codec) > 1 ? code + mn_bits_tail_at(codec)
                                              : rest,
              words[1]);
}

/* Neither a squared norm nor a product of two factors overflows. */
static int is_sound(const mn_codec *codec, const uint8_t *code,
                    const uint8_t *rest) {
  const uint32_t b = mn_codec_planes(codec->encoding);
  const float unit = mn_bits_unit(codec), own = mn_bits_own(codec, code);
  const uint32_t head = mn_load_u32(code);
  const uint32_t words[2] = {head, mn_bits_tail(codec, code, rest)};
  int sound = mn_norm2_is_sound(mn_bits_norm2(head)) &&
              mn_norm2_is_sound(own < 0.0f ? -own : own);
  for (uint32_t p = 1;; p = mn_bits_next_prefix(b, p)) {
    const mn_bits_field *field = mn_bits_field_of(codec, p);
    const float factor =
        mn_bits_factor(field, unit, head, words[field->in_tail]);
    sound &= mn_norm2_is_sound(factor * factor);
    if (p == b)
      return sound;
  }
}

static mn_status encode(const mn_codec *codec, float *vector, uint8_t *code,
                        uint8_t *rest, uint32_t *clipped, void *scratch) {
  (void)clipped; /* the grid is fitted to the vector */
  const uint32_t d = codec->dimensions, b = mn_codec_planes(codec->encoding);
  float *integers = scratch;
  uint8_t *levels = (uint8_t *)(integers + d);

  const float own = mn_bits_center(codec, vector);
  const float norm = mn_root(codec->kernels->dot_f32(vector, vector, d));

  /* A vector whose squared norm underflows is at the mean. */
  float inverse = 0.0f;
  if (norm > 0.0f)
    inverse = 1.0f / step_of(codec, vector, norm, integers);
  mn_zero(levels, padded(codec));
  for (uint32_t j = 0; j < d; j++)
    levels[j] = (uint8_t)level_of(vector[j], inverse, (float)(1u << (b - 1)));

  store_packed(codec, levels, code);
  store_planes(codec, levels, rest);
  store_words(codec, vector, norm, levels, integers, code, rest);
  if (codec->metric == MN_IP)
    mn_store_f32(code + 4, own);
  /* Refused: what lies far out on the other side of a mean far out. */
  return is_sound(codec, code, rest) ? MN_OK : MN_ERROR_RANGE;
}

/* --- Decoding ------------------------------------------------------------- */

/* The levels of `bits` bits in so many bytes, less the `dropped` last bits. */
static inline void unpack(const uint8_t *packed, uint32_t bytes, uint32_t bits,
                          uint32_t dropped, uint8_t *levels) {
  const uint32_t per_byte = 8 / bits, mask = (1u << bits) - 1;
  for (uint32_t i = 0; i < bytes; i++, levels += per_byte)
    for (uint32_t k = 0; k < per_byte; k++)
      levels[k] =
          (uint8_t)(((uint32_t)packed[i] >> k * bits & mask) >> dropped);
}

static void unpack_levels(const mn_codec *codec, const uint8_t *code,
                          uint32_t dropped, uint8_t *levels) {
  const uint8_t *packed = code + mn_bits_packed_at(codec);
  const uint32_t bytes = mn_bits_packed_bytes(codec);
  mn_zero(levels, padded(codec));
  switch (mn_codec_code_planes(codec)) {
  case 4:
    unpack(packed, bytes, 4, dropped, levels);
    return;
  case 2:
    unpack(packed, bytes, 2, dropped, levels);
    return;
  default:
    unpack(packed, bytes, 1, dropped, levels);
  }
}

void mn_bits_levels(const mn_codec *codec, const uint8_t *code,
                    const uint8_t *rest, uint32_t planes, uint8_t *levels) {
  const uint32_t bytes = mn_bits_plane_bytes(codec);
  const uint32_t packed = mn_codec_code_planes(codec);
  unpack_levels(codec, code, planes < packed ? packed - planes : 0, levels);
  for (uint32_t i = 0; i < bytes && planes > packed; i++) {
    uint64_t high, eight = 0;
    for (uint32_t plane = 0; plane < planes - packed; plane++)
      eight = eight << 8 |
              rest[mn_bits_planes_at(codec) + (size_t)plane * bytes + i];
    __builtin_memcpy(&high, levels + 8 * (size_t)i, sizeof high);
    eight = high << (planes - packed) | mn_bits_transpose(eight);
    __builtin_memcpy(levels + 8 * (size_t)i, &eight, sizeof eight);
  }
}

/* The vector along y that is nearest to r: <y, r> / |y|^2 y. (f y is longer,
 * and further from r.) */
static void decode(const mn_codec *codec, const uint8_t *code,
                   const uint8_t *rest, float *vector, void *scratch) {
  const uint32_t d = codec->dimensions, b = mn_codec_planes(codec->encoding);
  const float *mean = mean_of(codec);
  const mn_bits_field *field = mn_bits_field_of(codec, b);
  uint8_t *levels = scratch;
  mn_bits_levels(codec, code, rest, b, levels);
  integers_of(levels, d, 0, b, vector);
  const uint32_t head = mn_load_u32(code);
  const uint32_t word = field->in_tail ? mn_bits_tail(codec, code, rest) : head;
  const float share = mn_bits_share(field->shift, field->mask, word);
  const float dot =
      mn_bits_norm(head) * share / (field->scale * mn_bits_unit(codec));
  const float length = dot / codec->kernels->dot_f32(vector, vector, d);
  for (uint32_t j = 0; j < d; j++)
    vector[j] *= length;
  mn_rotate_back(codec->seed, vector, d);
  for (uint32_t j = 0; j < d; j++)
    vector[j] += mean[j];
}

const mn_codec_ops mn_codec_bits = {
    .name = "bits",
    .sizes = sizes,
    .train = MN_IF_TRAIN(train),
    .encode = MN_IF_CHANGE(encode),
    .decode = MN_IF_DECODE(decode),
    .is_sound = MN_IF_CHANGE(is_sound),
    .model_is_sound = MN_IF_CHANGE(model_is_sound),
    .prepare = mn_bits_prepare,
    .prepare_code = MN_IF_CHANGE(mn_bits_prepare_code),
    .distances = mn_bits_distances,
    .sift = mn_bits_sift,
};
