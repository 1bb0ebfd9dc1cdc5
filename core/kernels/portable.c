/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference kernels: what every other table must equal, bit for bit.
 */
#include "kernels.h"
#include "partial.h"
#include "shared.h"

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

#if defined(__ARM_FP) && defined(__ARM_ARCH_PROFILE) &&                        \
    __ARM_ARCH_PROFILE == 'M'

/* Every float unit of a Cortex-M widens halves exactly, and compilers use that
 * only for a type of their own. */
MN_INLINE float widen_f16(uint16_t half) {
  float value = from_bits(half);
  __asm__("vcvtb.f32.f16 %0, %0" : "+t"(value));
  return value;
}

#else

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

#endif

MN_INLINE float widen_bf16(uint16_t half) {
  return from_bits((uint32_t)half << 16);
}

float mn_f16_to_f32(uint16_t half) {
  return widen_f16(half);
}

float mn_bf16_to_f32(uint16_t half) {
  return widen_bf16(half);
}

/* --- Sums of floats ------------------------------------------------------- */

/* How element i of a vector is read, and what a pair adds to the sum. These
 * are always inlined, so a kernel pays for no call. */
typedef float read_element(const void *vector, uint32_t i);
typedef float make_term(float a, float b);

typedef struct {
  uint16_t value;
} __attribute__((packed, may_alias)) unaligned_u16;

typedef struct {
  int16_t value;
} __attribute__((packed, may_alias)) unaligned_i16;

MN_INLINE float read_f32(const void *vector, uint32_t i) {
  return ((const mn_unaligned_f32 *)vector)[i].value;
}

MN_INLINE uint32_t read_u16(const void *vector, uint32_t i) {
  return ((const unaligned_u16 *)vector)[i].value;
}

MN_INLINE int32_t read_i16(const void *vector, uint32_t i) {
  return ((const unaligned_i16 *)vector)[i].value;
}

MN_INLINE float read_f16(const void *vector, uint32_t i) {
  return widen_f16((uint16_t)read_u16(vector, i));
}

MN_INLINE float read_bf16(const void *vector, uint32_t i) {
  return widen_bf16((uint16_t)read_u16(vector, i));
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

float mn_dot_f32_c(const float *a, const float *b, uint32_t n) {
  return sum(product, read_f32, a, b, n);
}

float mn_l2_f32_c(const float *a, const float *b, uint32_t n) {
  return sum(squared_difference, read_f32, a, b, n);
}

float mn_dot_f16_c(const float *a, const uint16_t *b, uint32_t n) {
  return sum(product, read_f16, a, b, n);
}

float mn_l2_f16_c(const float *a, const uint16_t *b, uint32_t n) {
  return sum(squared_difference, read_f16, a, b, n);
}

float mn_dot_bf16_c(const float *a, const uint16_t *b, uint32_t n) {
  return sum(product, read_bf16, a, b, n);
}

float mn_l2_bf16_c(const float *a, const uint16_t *b, uint32_t n) {
  return sum(squared_difference, read_bf16, a, b, n);
}

/* --- Sums of integers ----------------------------------------------------- */

/* Sums are unsigned, so that operands which break the promise of kernels.h
 * (a hostile block's) wrap around and do no worse. */
int32_t mn_dot_i16_i8_c(const int16_t *a, const int8_t *b, uint32_t n) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < n; i++)
    sum += (uint32_t)(read_i16(a, i) * b[i]);
  return (int32_t)sum;
}

typedef int32_t read_integer(const void *a, uint32_t i);

MN_INLINE int32_t element_i16(const void *a, uint32_t i) {
  return read_i16(a, i);
}

MN_INLINE int32_t element_i8(const void *a, uint32_t i) {
  return ((const int8_t *)a)[i];
}

/* Of the `count` elements of a from `at` on. b has `bits` bits an element. */
MN_INLINE uint32_t dot_byte(read_integer *read, uint32_t bits, const void *a,
                            uint32_t at, uint32_t packed, uint32_t count) {
  const uint32_t mask = (1u << bits) - 1;
  uint32_t sum = 0;
  for (uint32_t j = 0; j < count; j++, packed >>= bits)
    sum += (uint32_t)(read(a, at + j) * (int32_t)(packed & mask));
  return sum;
}

MN_INLINE int32_t dot_packed(read_integer *read, uint32_t bits, const void *a,
                             const uint8_t *b, uint32_t n) {
  const uint32_t per_byte = 8 / bits;
  uint32_t sum = 0, at = 0;
  for (; at + per_byte <= n; at += per_byte)
    sum += dot_byte(read, bits, a, at, *b++, per_byte);
  if (at < n)
    sum += dot_byte(read, bits, a, at, *b, n - at);
  return (int32_t)sum;
}

int32_t mn_dot_i16_u4_c(const int16_t *a, const uint8_t *b, uint32_t n) {
  return dot_packed(element_i16, 4, a, b, n);
}

int32_t mn_dot_i16_u2_c(const int16_t *a, const uint8_t *b, uint32_t n) {
  return dot_packed(element_i16, 2, a, b, n);
}

void mn_dot_i8_u4_c(const int8_t *a, const mn_rows *b, uint32_t n,
                    int32_t *sums) {
  for (uint32_t i = 0; i < b->count; i++)
    sums[i] = dot_packed(element_i8, 4, a, mn_row(b, i), n);
}

void mn_dot_i8_u2_c(const int8_t *a, const mn_rows *b, uint32_t n,
                    int32_t *sums) {
  for (uint32_t i = 0; i < b->count; i++)
    sums[i] = dot_packed(element_i8, 2, a, mn_row(b, i), n);
}

MN_INLINE int32_t sum_set(const int8_t *a, int32_t bits, uint32_t count) {
  int32_t sum = 0;
  for (uint32_t j = 0; j < count; j++, bits >>= 1)
    sum += a[j] & -(bits & 1);
  return sum;
}

MN_INLINE int32_t dot_u1(const int8_t *a, const uint8_t *b, uint32_t n) {
  int32_t sum = 0; /* below 2^16 * 2^7 */
  for (; n >= 8; n -= 8, a += 8)
    sum += sum_set(a, *b++, 8);
  return n > 0 ? sum + sum_set(a, *b, n) : sum;
}

void mn_dot_i8_u1_c(const int8_t *a, const mn_rows *b, uint32_t n,
                    int32_t *sums) {
  for (uint32_t i = 0; i < b->count; i++)
    sums[i] = dot_u1(a, mn_row(b, i), n);
}

/* Bits set in a word: summed in pairs, fours, eights, and all eights. Not the
 * compiler's, which calls a library where there is no such instruction. */
MN_INLINE uint32_t count_bits(uint32_t x) {
  x -= x >> 1 & 0x55555555;
  x = (x & 0x33333333) + (x >> 2 & 0x33333333);
  x = (x + (x >> 4)) & 0x0f0f0f0f;
  return x * 0x01010101 >> 24;
}

typedef uint32_t combine(uint32_t a, uint32_t b);

MN_INLINE uint32_t exclusive_or(uint32_t a, uint32_t b) {
  return a ^ b;
}

MN_INLINE uint32_t both(uint32_t a, uint32_t b) {
  return a & b;
}

MN_INLINE uint32_t count_all(combine *with, const uint8_t *a, const uint8_t *b,
                             uint32_t bytes) {
  uint32_t sum = 0, i = 0;
  for (; i + 4 <= bytes; i += 4)
    sum += count_bits(with(((const mn_unaligned_u32 *)(a + i))->value,
                           ((const mn_unaligned_u32 *)(b + i))->value));
  for (; i < bytes; i++)
    sum += count_bits(with(a[i], b[i]));
  return sum;
}

uint32_t mn_count_xor_c(const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  return count_all(exclusive_or, a, b, bytes);
}

uint32_t mn_count_and_c(const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  return count_all(both, a, b, bytes);
}

void mn_count_xor_rows_c(const uint8_t *a, const uint8_t *rows, size_t stride,
                         uint32_t bytes, uint32_t count, uint32_t *counts) {
  for (uint32_t r = 0; r < count; r++)
    counts[r] = count_all(exclusive_or, a, rows + r * stride, bytes);
}

/* --- Lookups -------------------------------------------------------------- */

void mn_lookup_u4_c(const uint8_t *tables, const uint8_t *const *rows,
                    uint32_t bytes, uint32_t *sums) {
  for (uint32_t r = 0; r < MN_LOOKUP_ROWS; r++) {
    const uint8_t *row = rows[r], *two = tables;
    uint32_t low = 0, high = 0;
    for (uint32_t i = 0; i < bytes; i++, two += 64) {
      uint32_t even = row[i] & 15u, odd = row[i] / 16u;
      low += two[even] + two[32 + odd];
      high += two[16 + even] + two[48 + odd];
    }
    sums[r] = low + 256 * high;
  }
}

/* Four sums, so that no load waits for an addition. */
uint32_t mn_lookup_u8_c(const uint16_t *table, const uint8_t *b, uint32_t n) {
  uint32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (; n >= 4; n -= 4, b += 4, table += 4 * 256) {
    s0 += read_u16(table, b[0]);
    s1 += read_u16(table, 256u + b[1]);
    s2 += read_u16(table, 512u + b[2]);
    s3 += read_u16(table, 768u + b[3]);
  }
  for (; n > 0; n--, b++, table += 256)
    s0 += read_u16(table, b[0]);
  return s0 + s1 + s2 + s3;
}

/* --- Sums by columns ------------------------------------------------------ */

/* Up to four columns, from `columns` on. */
MN_INLINE void sum_columns(make_term *term, const float *x,
                           const float *columns, uint32_t n, uint32_t count,
                           uint32_t width, float *sums) {
  for (uint32_t k = 0; k < width; k++)
    sums[k] = 0;
  for (uint32_t j = 0; j < n; j++, columns += count)
    for (uint32_t k = 0; k < width; k++)
      sums[k] += term(read_f32(x, j), read_f32(columns, k));
}

MN_INLINE void all_columns(make_term *term, const float *x,
                           const float *columns, uint32_t n, uint32_t count,
                           float *out) {
  float four[4];
  uint32_t k = 0;
  for (; k + 4 <= count; k += 4) {
    sum_columns(term, x, columns + k, n, count, 4, four);
    for (uint32_t i = 0; i < 4; i++)
      ((mn_unaligned_f32 *)out)[k + i].value = four[i];
  }
  for (; k < count; k++) {
    sum_columns(term, x, columns + k, n, count, 1, four);
    ((mn_unaligned_f32 *)out)[k].value = four[0];
  }
}

void mn_l2_columns_c(const float *x, const float *columns, uint32_t n,
                     uint32_t count, float *out) {
  all_columns(squared_difference, x, columns, n, count, out);
}

void mn_dot_columns_c(const float *x, const float *columns, uint32_t n,
                      uint32_t count, float *out) {
  all_columns(product, x, columns, n, count, out);
}

uint32_t mn_nearest_column_c(const float *x, const float *columns, uint32_t n,
                             uint32_t count, float *distance) {
  uint32_t nearest = 0;
  float least = __builtin_inff(), four[4];
  for (uint32_t k = 0; k < count; k += 4) {
    uint32_t width = count - k < 4 ? count - k : 4;
    if (width == 4)
      sum_columns(squared_difference, x, columns + k, n, count, 4, four);
    else
      sum_columns(squared_difference, x, columns + k, n, count, width, four);
    for (uint32_t i = 0; i < width; i++)
      if (four[i] < least)
        least = four[i], nearest = k + i;
  }
  *distance = least;
  return nearest;
}

/* --- The table ------------------------------------------------------------ */

const mn_kernels mn_kernels_c = {
    .name = "c",
    .features = 0,
    .dot_f32 = mn_dot_f32_c,
    .l2_f32 = MN_IF_L2(mn_l2_f32_c),
    .dot_f16 = MN_IF_FLOATS(mn_dot_f16_c),
    .l2_f16 = MN_IF_FLOATS(mn_l2_f16_c),
    .dot_bf16 = MN_IF_FLOATS(mn_dot_bf16_c),
    .l2_bf16 = MN_IF_FLOATS(mn_l2_bf16_c),
    .dot_i16_i8 = MN_IF_SQ(mn_dot_i16_i8_c),
    .dot_i16_u4 = MN_IF_SQ(mn_dot_i16_u4_c),
    .dot_i16_u2 = MN_IF_SQ(mn_dot_i16_u2_c),
    .dot_i8_u4 = MN_IF_BITS(mn_dot_i8_u4_c),
    .dot_i8_u2 = MN_IF_BITS(mn_dot_i8_u2_c),
    .dot_i8_u1 = MN_IF_BITS(mn_dot_i8_u1_c),
    .count_xor = MN_IF_XOR(mn_count_xor_c),
    .count_and = MN_IF_SIGN(mn_count_and_c),
    .count_xor_rows = MN_IF_BITS(mn_count_xor_rows_c),
    .lookup_u4 = MN_IF_LOOKUP(mn_lookup_u4_c),
    .lookup_u8 = MN_IF_PQ(mn_lookup_u8_c),
    .l2_columns = MN_IF_PQ(mn_l2_columns_c),
    .dot_columns = MN_IF_PQ(mn_dot_columns_c),
    .nearest_column = MN_IF_PQ(mn_nearest_column_c),
};
