/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AVX2 and F16C: the 16 lanes are two registers of eight.
 *
 * Only the functions below are compiled for AVX2, so the rest of the program
 * stays runnable anywhere. FMA is not among the targets: it would round once
 * where the canonical order rounds twice.
 */
#include "kernels.h"
#include "partial.h"
#include "shared.h"

#if defined(__x86_64__) || defined(__i386__)

/* gcc's immintrin.h would pull in stdlib.h for _mm_malloc. */
#define _MM_MALLOC_H_INCLUDED
#include <immintrin.h>

#define MN_AVX2   __attribute__((target("avx2,f16c")))
#define MN_INLINE static inline __attribute__((always_inline)) MN_AVX2

/* --- Reading -------------------------------------------------------------- */

/* The first `bytes` (1 to 15) bytes at p, then zeros. */
MN_INLINE __m128i load_part(const uint8_t *p, uint32_t bytes) {
  if (bytes < 8)
    return _mm_set_epi64x(0, (int64_t)mn_load_partial(p, bytes));
  __m128i low = _mm_loadl_epi64((const __m128i *)p);
  if (bytes == 8)
    return low;
  int64_t high = (int64_t)mn_load_partial(p + 8, bytes - 8);
  return _mm_unpacklo_epi64(low, _mm_set_epi64x(0, high));
}

/* The eight elements at p as floats; and the first `count` (1 to 7) of them,
 * then zeros. */
typedef __m256 read_eight(const uint8_t *p);
typedef __m256 read_part(const uint8_t *p, uint32_t count);

MN_INLINE __m256 eight_f32(const uint8_t *p) {
  return _mm256_loadu_ps((const float *)(const void *)p);
}

MN_INLINE __m256 part_f32(const uint8_t *p, uint32_t count) {
  __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)count), lane);
  return _mm256_maskload_ps((const float *)(const void *)p, mask);
}

MN_INLINE __m256 eight_f16(const uint8_t *p) {
  return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}

MN_INLINE __m256 part_f16(const uint8_t *p, uint32_t count) {
  return _mm256_cvtph_ps(load_part(p, 2 * count));
}

MN_INLINE __m256 widen_bf16(__m128i halves) {
  __m256i low = _mm256_cvtepu16_epi32(halves);
  return _mm256_castsi256_ps(_mm256_slli_epi32(low, 16));
}

MN_INLINE __m256 eight_bf16(const uint8_t *p) {
  return widen_bf16(_mm_loadu_si128((const __m128i *)p));
}

MN_INLINE __m256 part_bf16(const uint8_t *p, uint32_t count) {
  return widen_bf16(load_part(p, 2 * count));
}

/* --- Sums ----------------------------------------------------------------- */

typedef __m256 add_term(__m256 sum, __m256 a, __m256 b);

MN_INLINE __m256 add_product(__m256 sum, __m256 a, __m256 b) {
  return _mm256_add_ps(sum, _mm256_mul_ps(a, b));
}

MN_INLINE __m256 add_squared_difference(__m256 sum, __m256 a, __m256 b) {
  __m256 difference = _mm256_sub_ps(a, b);
  return _mm256_add_ps(sum, _mm256_mul_ps(difference, difference));
}

/* `size`: bytes of an element of b. */
MN_INLINE float sum(add_term *add, read_eight *eight_b, read_part *part_b,
                    uint32_t size, const void *vector_a, const void *vector_b,
                    uint32_t n) {
  const uint8_t *a = vector_a, *b = vector_b;
  __m256 low = _mm256_setzero_ps();
  __m256 high = _mm256_setzero_ps();
  for (; n >= 16; n -= 16, a += 16 * 4, b += 16 * size) {
    low = add(low, eight_f32(a), eight_b(b));
    high = add(high, eight_f32(a + 8 * 4), eight_b(b + 8 * size));
  }
  if (n >= 8) {
    low = add(low, eight_f32(a), eight_b(b));
    if (n > 8)
      high = add(high, part_f32(a + 8 * 4, n - 8), part_b(b + 8 * size, n - 8));
  } else if (n > 0) {
    low = add(low, part_f32(a, n), part_b(b, n));
  }
  __m256 eight = _mm256_add_ps(low, high);
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight),
                           _mm256_extractf128_ps(eight, 1));
  __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/* Products of int16 and int8, added in pairs to int32: sixteen and eight. */
MN_INLINE __m256i add_sixteen(__m256i sum, const int16_t *a, const int8_t *b) {
  __m256i wide_b = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)b));
  __m256i pairs =
      _mm256_madd_epi16(_mm256_loadu_si256((const __m256i *)a), wide_b);
  return _mm256_add_epi32(sum, pairs);
}

MN_INLINE __m128i add_eight(__m128i sum, __m128i a, __m128i b) {
  return _mm_add_epi32(sum, _mm_madd_epi16(a, _mm_cvtepi8_epi16(b)));
}

/* --- The table ------------------------------------------------------------ */

MN_AVX2 static float mn_dot_f32_avx2(const float *a, const float *b,
                                     uint32_t n) {
  return sum(add_product, eight_f32, part_f32, 4, a, b, n);
}

MN_AVX2 static float mn_l2_f32_avx2(const float *a, const float *b,
                                    uint32_t n) {
  return sum(add_squared_difference, eight_f32, part_f32, 4, a, b, n);
}

MN_AVX2 static float mn_dot_f16_avx2(const float *a, const uint16_t *b,
                                     uint32_t n) {
  return sum(add_product, eight_f16, part_f16, 2, a, b, n);
}

MN_AVX2 static float mn_l2_f16_avx2(const float *a, const uint16_t *b,
                                    uint32_t n) {
  return sum(add_squared_difference, eight_f16, part_f16, 2, a, b, n);
}

MN_AVX2 static float mn_dot_bf16_avx2(const float *a, const uint16_t *b,
                                      uint32_t n) {
  return sum(add_product, eight_bf16, part_bf16, 2, a, b, n);
}

MN_AVX2 static float mn_l2_bf16_avx2(const float *a, const uint16_t *b,
                                     uint32_t n) {
  return sum(add_squared_difference, eight_bf16, part_bf16, 2, a, b, n);
}

MN_AVX2 static int32_t mn_dot_i16_i8_avx2(const int16_t *a, const int8_t *b,
                                          uint32_t n) {
  __m256i eight = _mm256_setzero_si256(), more = eight;
  for (; n >= 32; n -= 32, a += 32, b += 32) {
    eight = add_sixteen(eight, a, b);
    more = add_sixteen(more, a + 16, b + 16);
  }
  if (n >= 16) {
    eight = add_sixteen(eight, a, b);
    n -= 16, a += 16, b += 16;
  }
  eight = _mm256_add_epi32(eight, more);
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight),
                               _mm256_extracti128_si256(eight, 1));
  if (n >= 8) {
    four = add_eight(four, _mm_loadu_si128((const __m128i *)a),
                     _mm_loadl_epi64((const __m128i *)b));
    n -= 8, a += 8, b += 8;
  }
  if (n > 0)
    four = add_eight(four, load_part((const uint8_t *)a, 2 * n),
                     load_part((const uint8_t *)b, n));
  __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

const mn_kernels mn_kernels_avx2 = {
    .name = "avx2",
    .features = MN_CPU_AVX2,
    .dot_f32 = mn_dot_f32_avx2,
    .l2_f32 = mn_l2_f32_avx2,
    .dot_f16 = mn_dot_f16_avx2,
    .l2_f16 = mn_l2_f16_avx2,
    .dot_bf16 = mn_dot_bf16_avx2,
    .l2_bf16 = mn_l2_bf16_avx2,
    .dot_i16_i8 = mn_dot_i16_i8_avx2,
    .dot_i16_u4 = mn_dot_i16_u4_c,
    .dot_i16_u2 = mn_dot_i16_u2_c,
    .dot_i8_u1 = mn_dot_i8_u1_c,
    .count_xor = mn_count_xor_c,
    .count_and = mn_count_and_c,
    .lookup_u4 = mn_lookup_u4_c,
    .lookup_u8 = mn_lookup_u8_c,
    .l2_columns = mn_l2_columns_c,
    .dot_columns = mn_dot_columns_c,
    .nearest_column = mn_nearest_column_c,
};

#endif
