/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AVX-512: floats, and the table. The 16 lanes are one register.
 */
#if defined(__x86_64__) || defined(__i386__)

#include "avx512.h"
#include "shared.h"

/* --- Sums of floats ------------------------------------------------------- */

typedef __m512 add_term(__m512 sum, __m512 a, __m512 b);

MN_INLINE __m512 add_product(__m512 sum, __m512 a, __m512 b) {
  return _mm512_add_ps(sum, _mm512_mul_ps(a, b));
}

MN_INLINE __m512 add_squared_difference(__m512 sum, __m512 a, __m512 b) {
  __m512 difference = _mm512_sub_ps(a, b);
  return _mm512_add_ps(sum, _mm512_mul_ps(difference, difference));
}

/* Elements of b as floats; those that the mask leaves out are 0. */
typedef __m512 read_sixteen(const uint8_t *b, __mmask16 mask);

MN_INLINE __m512 read_f32(const uint8_t *p, __mmask16 mask) {
  return _mm512_maskz_loadu_ps(mask, p);
}

MN_INLINE __m512 read_f16(const uint8_t *p, __mmask16 mask) {
  return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, p));
}

MN_INLINE __m512 read_bf16(const uint8_t *p, __mmask16 mask) {
  __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(low, 16));
}

/* `size`: bytes of an element of b. */
MN_INLINE float sum(add_term *add, read_sixteen *read_b, uint32_t size,
                    const void *vector_a, const void *vector_b, uint32_t n) {
  const uint8_t *a = vector_a, *b = vector_b;
  __m512 sixteen = _mm512_setzero_ps();
  for (; n >= 16; n -= 16, a += 16 * 4, b += 16 * size)
    sixteen = add(sixteen, read_f32(a, 0xffff), read_b(b, 0xffff));
  if (n > 0) {
    __mmask16 mask = mn_lanes_below(n);
    sixteen = add(sixteen, read_f32(a, mask), read_b(b, mask));
  }
  __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(sixteen),
                               _mm512_extractf32x8_ps(sixteen, 1));
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight),
                           _mm256_extractf128_ps(eight, 1));
  __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

MN_AVX512 static float mn_dot_f32_avx512(const float *a, const float *b,
                                         uint32_t n) {
  return sum(add_product, read_f32, 4, a, b, n);
}

MN_AVX512 static float mn_l2_f32_avx512(const float *a, const float *b,
                                        uint32_t n) {
  return sum(add_squared_difference, read_f32, 4, a, b, n);
}

MN_AVX512 static float mn_dot_f16_avx512(const float *a, const uint16_t *b,
                                         uint32_t n) {
  return sum(add_product, read_f16, 2, a, b, n);
}

MN_AVX512 static float mn_l2_f16_avx512(const float *a, const uint16_t *b,
                                        uint32_t n) {
  return sum(add_squared_difference, read_f16, 2, a, b, n);
}

MN_AVX512 static float mn_dot_bf16_avx512(const float *a, const uint16_t *b,
                                          uint32_t n) {
  return sum(add_product, read_bf16, 2, a, b, n);
}

MN_AVX512 static float mn_l2_bf16_avx512(const float *a, const uint16_t *b,
                                         uint32_t n) {
  return sum(add_squared_difference, read_bf16, 2, a, b, n);
}

/* --- Sums by columns ------------------------------------------------------ */

MN_INLINE __m512 sixteen_columns(add_term *add, const float *x,
                                 const float *columns, uint32_t n,
                                 uint32_t count, __mmask16 mask) {
  __m512 sums = _mm512_setzero_ps();
  for (uint32_t j = 0; j < n; j++, columns += count)
    sums = add(sums, _mm512_set1_ps(((const mn_unaligned_f32 *)x)[j].value),
               _mm512_maskz_loadu_ps(mask, columns));
  return sums;
}

/* 64 columns: four chains of additions hide their latency. */
MN_INLINE void many_columns(add_term *add, const float *x, const float *columns,
                            uint32_t n, uint32_t count, __m512 sums[4]) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  for (uint32_t j = 0; j < n; j++, columns += count) {
    __m512 component = _mm512_set1_ps(((const mn_unaligned_f32 *)x)[j].value);
    s0 = add(s0, component, _mm512_loadu_ps(columns));
    s1 = add(s1, component, _mm512_loadu_ps(columns + 16));
    s2 = add(s2, component, _mm512_loadu_ps(columns + 32));
    s3 = add(s3, component, _mm512_loadu_ps(columns + 48));
  }
  sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}

MN_INLINE void all_columns(add_term *add, const float *x, const float *columns,
                           uint32_t n, uint32_t count, float *out) {
  uint32_t k = 0;
  for (; k + 64 <= count; k += 64) {
    __m512 sums[4];
    many_columns(add, x, columns + k, n, count, sums);
    for (uint32_t i = 0; i < 4; i++)
      _mm512_storeu_ps(out + k + 16 * i, sums[i]);
  }
  for (; k < count; k += 16) {
    __mmask16 mask = mn_lanes_below(count - k);
    _mm512_mask_storeu_ps(out + k, mask,
                          sixteen_columns(add, x, columns + k, n, count, mask));
  }
}

MN_AVX512 static void mn_l2_columns_avx512(const float *x, const float *columns,
                                           uint32_t n, uint32_t count,
                                           float *out) {
  all_columns(add_squared_difference, x, columns, n, count, out);
}

MN_AVX512 static void mn_dot_columns_avx512(const float *x,
                                            const float *columns, uint32_t n,
                                            uint32_t count, float *out) {
  all_columns(add_product, x, columns, n, count, out);
}

/* The least of each lane, and the column it was seen in first. Comparing with
 * < leaves out NaN and infinity. */
typedef struct {
  __m512 least;
  __m512i at;
} least_columns;

MN_INLINE void take_less(least_columns *best, __m512 sums, uint32_t k,
                         __mmask16 mask) {
  const __m512i lane =
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i at = _mm512_add_epi32(lane, _mm512_set1_epi32((int32_t)k));
  __mmask16 less = _mm512_mask_cmp_ps_mask(mask, sums, best->least, _CMP_LT_OQ);
  best->least = _mm512_mask_mov_ps(best->least, less, sums);
  best->at = _mm512_mask_mov_epi32(best->at, less, at);
}

MN_AVX512 static uint32_t mn_nearest_column_avx512(const float *x,
                                                   const float *columns,
                                                   uint32_t n, uint32_t count,
                                                   float *distance) {
  least_columns best = {_mm512_set1_ps(__builtin_inff()),
                        _mm512_setzero_si512()};
  uint32_t k = 0;
  for (; k + 64 <= count; k += 64) {
    __m512 sums[4];
    many_columns(add_squared_difference, x, columns + k, n, count, sums);
    for (uint32_t i = 0; i < 4; i++)
      take_less(&best, sums[i], k + 16 * i, 0xffff);
  }
  for (; k < count; k += 16) {
    __mmask16 mask = mn_lanes_below(count - k);
    take_less(
        &best,
        sixteen_columns(add_squared_difference, x, columns + k, n, count, mask),
        k, mask);
  }
  *distance = _mm512_reduce_min_ps(best.least);
  __mmask16 equal =
      _mm512_cmp_ps_mask(best.least, _mm512_set1_ps(*distance), _CMP_EQ_OQ);
  return _mm512_mask_reduce_min_epu32(equal, best.at);
}

/* --- The table ------------------------------------------------------------ */

const mn_kernels mn_kernels_avx512 = {
    .name = "avx512",
    .features = MN_CPU_AVX512,
    .dot_f32 = mn_dot_f32_avx512,
    .l2_f32 = mn_l2_f32_avx512,
    .dot_f16 = mn_dot_f16_avx512,
    .l2_f16 = mn_l2_f16_avx512,
    .dot_bf16 = mn_dot_bf16_avx512,
    .l2_bf16 = mn_l2_bf16_avx512,
    .dot_i16_i8 = mn_dot_i16_i8_avx512,
    .dot_i16_u4 = mn_dot_i16_u4_avx512,
    .dot_i16_u2 = mn_dot_i16_u2_avx512,
    .dot_i8_u4 = mn_dot_i8_u4_avx512,
    .dot_i8_u2 = mn_dot_i8_u2_avx512,
    .dot_i8_u1 = mn_dot_i8_u1_avx512,
    .count_xor = mn_count_xor_avx512,
    .count_and = mn_count_and_avx512,
    .count_xor_rows = mn_count_xor_rows_avx512,
    .lookup_u4 = mn_lookup_u4_avx512,
    .lookup_u8 = mn_lookup_u8_c,
    .l2_columns = mn_l2_columns_avx512,
    .dot_columns = mn_dot_columns_avx512,
    .nearest_column = mn_nearest_column_avx512,
};

#endif
