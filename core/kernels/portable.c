/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference kernels: what every other table must equal, bit for bit.
 */
#include "kernels.h"

#include <float.h>

#if (FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16) || defined(__FAST_MATH__)
#error "float arithmetic must be IEEE's: no -ffast-math, on i386 -mfpmath=sse"
#endif

#define MN_INLINE static inline __attribute__((always_inline))

/* --- Widening ------------------------------------------------------------- */

MN_INLINE float from_bits(uint32_t bits) {
  union {
    uint32_t bits;
    float value;
  } pun = {bits};
  return pun.value;
}

/* Both formats have one sign bit, then exponent, then fraction. f16: 5 bits of
 * exponent biased by 15, 10 of fraction. f32: 8 biased by 127, and 23. */
MN_INLINE float widen_f16(uint16_t half) {
  uint32_t sign = (half & 0x8000u) << 16;
  uint32_t magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00) /* infinity and NaN: all exponent bits set */
    return from_bits(sign | 0x7f800000u | magnitude << 13);
  if (magnitude >= 0x0400) /* normal: the biases differ by 112 */
    return from_bits(sign | ((112u << 23) + (magnitude << 13)));
  /* Zero and subnormal: a multiple of 2^-24, all of them normal in f32. */
  float value = (float)magnitude * 0x1p-24f;
  return sign ? -value : value;
}

MN_INLINE float widen_bf16(uint16_t half) {
  return from_bits((uint32_t)half << 16);
}

float mn_f16_to_f32(uint16_t half) {
  return widen_f16(half);
}

float mn_bf16_to_f32(uint16_t half) {
  return widen_bf16(half);
}

/* --- Sums ----------------------------------------------------------------- */

/* How element i of a vector is read, and what a pair adds to the sum. These
 * are always inlined, so a kernel pays for no call. */
typedef float read_element(const void *vector, uint32_t i);
typedef float make_term(float a, float b);

typedef struct {
  float value;
} __attribute__((packed, may_alias)) unaligned_f32;

typedef struct {
  uint16_t value;
} __attribute__((packed, may_alias)) unaligned_u16;

typedef struct {
  int16_t value;
} __attribute__((packed, may_alias)) unaligned_i16;

MN_INLINE float read_f32(const void *vector, uint32_t i) {
  return ((const unaligned_f32 *)vector)[i].value;
}

MN_INLINE float read_f16(const void *vector, uint32_t i) {
  return widen_f16(((const unaligned_u16 *)vector)[i].value);
}

MN_INLINE float read_bf16(const void *vector, uint32_t i) {
  return widen_bf16(((const unaligned_u16 *)vector)[i].value);
}

MN_INLINE float product(float a, float b) {
  return a * b;
}

MN_INLINE float squared_difference(float a, float b) {
  float difference = a - b;
  return difference * difference;
}

/* Four lanes at a time: their sums stay in registers on any machine, and four
 * independent chains hide an addition's latency. */
MN_INLINE float sum(make_term *term, read_element *read, const float *a,
                    const void *b, uint32_t n) {
  float lanes[16];
  for (uint32_t first = 0; first < 16; first += 4) {
    float four[4] = {0};
    uint32_t i = first;
    for (; i + 4 <= n; i += 16)
      for (uint32_t j = 0; j < 4; j++)
        four[j] += term(read_f32(a, i + j), read(b, i + j));
    for (uint32_t j = 0; j < 4; j++)
      lanes[first + j] =
          four[j] + (i + j < n ? term(read_f32(a, i + j), read(b, i + j)) : 0);
  }
  for (uint32_t half = 8; half > 0; half /= 2)
    for (uint32_t j = 0; j < half; j++)
      lanes[j] += lanes[j + half];
  return lanes[0];
}

/* --- The table ------------------------------------------------------------ */

static float mn_dot_f32_c(const float *a, const float *b, uint32_t n) {
  return sum(product, read_f32, a, b, n);
}

static float mn_l2_f32_c(const float *a, const float *b, uint32_t n) {
  return sum(squared_difference, read_f32, a, b, n);
}

static float mn_dot_f16_c(const float *a, const uint16_t *b, uint32_t n) {
  return sum(product, read_f16, a, b, n);
}

static float mn_l2_f16_c(const float *a, const uint16_t *b, uint32_t n) {
  return sum(squared_difference, read_f16, a, b, n);
}

static float mn_dot_bf16_c(const float *a, const uint16_t *b, uint32_t n) {
  return sum(product, read_bf16, a, b, n);
}

static float mn_l2_bf16_c(const float *a, const uint16_t *b, uint32_t n) {
  return sum(squared_difference, read_bf16, a, b, n);
}

static int32_t mn_dot_i16_i8_c(const int16_t *a, const int8_t *b, uint32_t n) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < n; i++)
    sum += ((const unaligned_i16 *)a)[i].value * b[i];
  return sum;
}

const mn_kernels mn_kernels_c = {
    .name = "c",
    .features = 0,
    .dot_f32 = mn_dot_f32_c,
    .l2_f32 = mn_l2_f32_c,
    .dot_f16 = mn_dot_f16_c,
    .l2_f16 = mn_l2_f16_c,
    .dot_bf16 = mn_dot_bf16_c,
    .l2_bf16 = mn_l2_bf16_c,
    .dot_i16_i8 = mn_dot_i16_i8_c,
};
