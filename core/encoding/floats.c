/* SPDX-License-Identifier: Apache-2.0 */
/* f32, f16, bf16: floats stored whole or rounded; a query stays f32. */
#include "../bytes.h"
#include "../kernels/kernels.h"
#include "codec.h"

static void f32_sizes(const mn_codec *codec, mn_codec_sizes *sizes) {
  sizes->code_bytes = 4 * codec->dimensions;
  sizes->query_bytes = 4 * (uint64_t)codec->dimensions;
}

static void half_sizes(const mn_codec *codec, mn_codec_sizes *sizes) {
  sizes->code_bytes = 2 * codec->dimensions;
  sizes->query_bytes = 4 * (uint64_t)codec->dimensions;
}

static void prepare(const mn_codec *codec, float *vector, void *query) {
  mn_move(query, vector, sizeof(float) * codec->dimensions);
}

/* --- f32 ------------------------------------------------------------------ */

static mn_status f32_encode(const mn_codec *codec, float *vector, uint8_t *code,
                            uint8_t *rest, uint32_t *clipped, void *scratch) {
  (void)rest, (void)clipped, (void)scratch;
  mn_move(code, vector, 4 * (size_t)codec->dimensions);
  return MN_OK;
}

static void f32_decode(const mn_codec *codec, const uint8_t *code,
                       const uint8_t *rest, float *vector, void *scratch) {
  (void)rest, (void)scratch;
  mn_move(vector, code, 4 * (size_t)codec->dimensions);
}

static int f32_is_sound(const mn_codec *codec, const uint8_t *code,
                        const uint8_t *rest) {
  (void)rest;
  const float *vector = (const void *)code;
  return mn_norm2_is_sound(
      codec->kernels->dot_f32(vector, vector, codec->dimensions));
}

static float f32_distance(const mn_codec *codec, const void *query,
                          const uint8_t *code, const uint8_t *rest,
                          uint32_t planes) {
  (void)rest, (void)planes;
  const uint32_t d = codec->dimensions;
  const float *b = (const void *)code;
  return codec->metric == MN_L2
             ? codec->kernels->l2_f32(query, b, d)
             : mn_distance_of_dot(codec->metric,
                                  codec->kernels->dot_f32(query, b, d));
}

/* --- f16 and bf16 --------------------------------------------------------- */

static uint32_t bits_of(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* To bfloat16, nearest even. Finite input only: the largest ones round up to
 * infinity, but no accepted component is that large. */
static uint16_t to_bf16(float x) {
  uint32_t bits = bits_of(x);
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

/* To IEEE half, nearest even; infinity from 65520 on. */
static uint16_t to_f16(float x) {
  const uint32_t bits = bits_of(x), sign = bits >> 16 & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude >= 0x477ff000u) /* 65520 */
    return (uint16_t)(sign | 0x7c00u);
  if (magnitude >= 0x38800000u) {         /* 2^-14: normal */
    uint32_t h = magnitude - 0x38000000u; /* exponent bias 127 to 15 */
    return (uint16_t)(sign | (h + 0xfffu + (h >> 13 & 1)) >> 13);
  }
  const uint32_t exponent = magnitude >> 23;
  if (exponent < 102) /* below 2^-25: zero */
    return (uint16_t)sign;
  /* Subnormal: a whole number of 2^-24, from the 24 bits of the significand. */
  const uint32_t significand = (magnitude & 0x7fffffu) | 0x800000u;
  const uint32_t shift = 126 - exponent; /* 14 to 24 */
  const uint32_t whole = significand >> shift;
  const uint32_t rest = significand & ((1u << shift) - 1);
  const uint32_t half = 1u << (shift - 1);
  return (uint16_t)(sign |
                    (whole + (rest > half || (rest == half && (whole & 1)))));
}

static mn_status half_encode(const mn_codec *codec, float *vector,
                             uint8_t *code, uint8_t *rest, uint32_t *clipped,
                             void *scratch) {
  (void)rest, (void)clipped, (void)scratch;
  uint16_t *to = (void *)code;
  const int is_f16 = codec->encoding == MN_F16;
  for (uint32_t i = 0; i < codec->dimensions; i++) {
    to[i] = is_f16 ? to_f16(vector[i]) : to_bf16(vector[i]);
    if (is_f16 && (to[i] & 0x7fff) == 0x7c00)
      return MN_ERROR_RANGE;
  }
  return MN_OK;
}

static float half_at(const mn_codec *codec, const uint16_t *from, uint32_t i) {
  return codec->encoding == MN_F16 ? mn_f16_to_f32(from[i])
                                   : mn_bf16_to_f32(from[i]);
}

static void half_decode(const mn_codec *codec, const uint8_t *code,
                        const uint8_t *rest, float *vector, void *scratch) {
  (void)rest, (void)scratch;
  const uint16_t *from = (const void *)code;
  for (uint32_t i = 0; i < codec->dimensions; i++)
    vector[i] = half_at(codec, from, i);
}

static int half_is_sound(const mn_codec *codec, const uint8_t *code,
                         const uint8_t *rest) {
  (void)rest;
  const uint16_t *from = (const void *)code;
  float norm2 = 0.0f;
  for (uint32_t i = 0; i < codec->dimensions; i++) {
    const float x = half_at(codec, from, i);
    norm2 += x * x;
  }
  return mn_norm2_is_sound(norm2);
}

static float half_distance(const mn_codec *codec, const void *query,
                           const uint8_t *code, const uint8_t *rest,
                           uint32_t planes) {
  (void)rest, (void)planes;
  const uint32_t d = codec->dimensions;
  const uint16_t *b = (const void *)code;
  const mn_kernels *kernels = codec->kernels;
  const int is_f16 = codec->encoding == MN_F16;
  if (codec->metric == MN_L2)
    return (is_f16 ? kernels->l2_f16 : kernels->l2_bf16)(query, b, d);
  return mn_distance_of_dot(
      codec->metric,
      (is_f16 ? kernels->dot_f16 : kernels->dot_bf16)(query, b, d));
}

/* --- Table entries -------------------------------------------------------- */

const mn_codec_ops mn_codec_f32 = {
    .name = "f32",
    .sizes = f32_sizes,
    .encode = MN_IF_CHANGE(f32_encode),
    .decode = MN_IF_DECODE(f32_decode),
    .is_sound = MN_IF_CHANGE(f32_is_sound),
    .prepare = prepare,
    .distance = f32_distance,
    .code_is_query = 1,
};

#define HALF(word)                                                             \
  {                                                                            \
    .name = word, .sizes = half_sizes, .encode = MN_IF_CHANGE(half_encode),    \
    .decode = MN_IF_DECODE(half_decode),                                       \
    .is_sound = MN_IF_CHANGE(half_is_sound), .prepare = prepare,               \
    .distance = half_distance,                                                 \
  }

const mn_codec_ops mn_codec_f16 = HALF("f16");
const mn_codec_ops mn_codec_bf16 = HALF("bf16");
