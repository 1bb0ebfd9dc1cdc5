/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AVX2 and F16C: floats, and the table. The 16 lanes are two registers of
 * eight.
 */
#if defined(__x86_64__) || defined(__i386__)

#include "avx2.h"
#include "shared.h"

/* --- Reading -------------------------------------------------------------- */

/* The eight elements at p as floats; and the first `count` (1 to 7) of them,
 * then zeros. */
typedef __m256 read_eight(const uint8_t *p);
typedef __m256 read_part(const uint8_t *p, uint32_t count);

MN_INLINE __m256 eight_f32(const uint8_t *p) {
  return _mm256_loadu_ps((const float *)(const void *)p);
}

MN_INLINE __m256 part_f32(const uint8_t *p, uint32_t count) {
  return _mm256_maskload_ps((const float *)(const void *)p,
                            mn_first_lanes(count));
}

MN_INLINE __m256 eight_f16(const uint8_t *p) {
  return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}

MN_INLINE __m256 part_f16(const uint8_t *p, uint32_t count) {
  return _mm256_cvtph_ps(mn_load_part(p, 2 * count));
}

MN_INLINE __m256 widen_bf16(__m128i halves) {
  __m256i low = _mm256_cvtepu16_epi32(halves);
  return _mm256_castsi256_ps(_mm256_slli_epi32(low, 16));
}

MN_INLINE __m256 eight_bf16(const uint8_t *p) {
  return widen_bf16(_mm_loadu_si128((const __m128i *)p));
}

MN_INLINE __m256 part_bf16(const uint8_t *p, uint32_t count) {
  return widen_bf16(mn_load_part(p, 2 * count));
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

/* --- Sums by columns ------------------------------------------------------ */

/* Eight columns, or as many as `mask` has. */
MN_INLINE __m256 eight_columns(add_term *add, const float *x,
                               const float *columns, uint32_t n, uint32_t count,
                               __m256i mask) {
  __m256 sum = _mm256_setzero_ps();
  for (uint32_t j = 0; j < n; j++, columns += count)
    sum =
        add(sum, _mm256_broadcast_ss(x + j), _mm256_maskload_ps(columns, mask));
  return sum;
}

/* 32 columns: four chains of additions hide their latency. */
MN_INLINE void many_columns(add_term *add, const float *x, const float *columns,
                            uint32_t n, uint32_t count, __m256 sums[4]) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  for (uint32_t j = 0; j < n; j++, columns += count) {
    __m256 component = _mm256_broadcast_ss(x + j);
    s0 = add(s0, component, _mm256_loadu_ps(columns));
    s1 = add(s1, component, _mm256_loadu_ps(columns + 8));
    s2 = add(s2, component, _mm256_loadu_ps(columns + 16));
    s3 = add(s3, component, _mm256_loadu_ps(columns + 24));
  }
  sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}

MN_INLINE void all_columns(add_term *add, const float *x, const float *columns,
                           uint32_t n, uint32_t count, float *out) {
  uint32_t k = 0;
  for (; k + 32 <= count; k += 32) {
    __m256 sums[4];
    many_columns(add, x, columns + k, n, count, sums);
    for (uint32_t i = 0; i < 4; i++)
      _mm256_storeu_ps(out + k + 8 * i, sums[i]);
  }
  for (; k < count; k += 8) {
    __m256i mask = mn_first_lanes(count - k);
    _mm256_maskstore_ps(out + k, mask,
                        eight_columns(add, x, columns + k, n, count, mask));
  }
}

/* The least of each lane, and the columns it was seen in first. Comparing with
 * < leaves out NaN and infinity. */
typedef struct {
  __m256 least;
  __m256i at;
} least_columns;

MN_INLINE void take_less(least_columns *best, __m256 sums, __m256i at) {
  __m256 less = _mm256_cmp_ps(sums, best->least, _CMP_LT_OQ);
  best->least = _mm256_blendv_ps(best->least, sums, less);
  best->at = _mm256_blendv_epi8(best->at, at, _mm256_castps_si256(less));
}

MN_AVX2 static uint32_t mn_nearest_column_avx2(const float *x,
                                               const float *columns, uint32_t n,
                                               uint32_t count,
                                               float *distance) {
  const __m256 infinity = _mm256_set1_ps(__builtin_inff());
  const __m256i eight = _mm256_set1_epi32(8);
  least_columns best = {infinity, _mm256_setzero_si256()};
  __m256i at = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  uint32_t k = 0;
  for (; k + 32 <= count; k += 32) {
    __m256 sums[4];
    many_columns(add_squared_difference, x, columns + k, n, count, sums);
    for (uint32_t i = 0; i < 4; i++, at = _mm256_add_epi32(at, eight))
      take_less(&best, sums[i], at);
  }
  for (; k < count; k += 8, at = _mm256_add_epi32(at, eight)) {
    __m256i mask = mn_first_lanes(count - k);
    __m256 sums =
        eight_columns(add_squared_difference, x, columns + k, n, count, mask);
    take_less(&best,
              _mm256_blendv_ps(infinity, sums, _mm256_castsi256_ps(mask)), at);
  }
  /* Lanes that hold the least of all; of their columns the lowest. */
  __m128 four = _mm_min_ps(_mm256_castps256_ps128(best.least),
                           _mm256_extractf128_ps(best.least, 1));
  __m128 two = _mm_min_ps(four, _mm_movehl_ps(four, four));
  __m128 one = _mm_min_ss(two, _mm_movehdup_ps(two));
  *distance = _mm_cvtss_f32(one);
  __m256 others =
      _mm256_cmp_ps(best.least, _mm256_broadcastss_ps(one), _CMP_NEQ_OQ);
  __m256i of = _mm256_or_si256(best.at, _mm256_castps_si256(others));
  __m128i low = _mm_min_epu32(_mm256_castsi256_si128(of),
                              _mm256_extracti128_si256(of, 1));
  low = _mm_min_epu32(low, _mm_shuffle_epi32(low, 0x4e));
  low = _mm_min_epu32(low, _mm_shuffle_epi32(low, 0xb1));
  return (uint32_t)_mm_cvtsi128_si32(low);
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

MN_AVX2 static void mn_l2_columns_avx2(const float *x, const float *columns,
                                       uint32_t n, uint32_t count, float *out) {
  all_columns(add_squared_difference, x, columns, n, count, out);
}

MN_AVX2 static void mn_dot_columns_avx2(const float *x, const float *columns,
                                        uint32_t n, uint32_t count,
                                        float *out) {
  all_columns(add_product, x, columns, n, count, out);
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
    .dot_i16_u4 = mn_dot_i16_u4_avx2,
    .dot_i16_u2 = mn_dot_i16_u2_avx2,
    .dot_i8_u4 = mn_dot_i8_u4_avx2,
    .dot_i8_u2 = mn_dot_i8_u2_avx2,
    .dot_i8_u1 = mn_dot_i8_u1_avx2,
    .count_xor = mn_count_xor_avx2,
    .count_and = mn_count_and_avx2,
    .count_xor_rows = mn_count_xor_rows_avx2,
    .lookup_u4 = mn_lookup_u4_avx2,
    .lookup_u8 = mn_lookup_u8_c,
    .l2_columns = mn_l2_columns_avx2,
    .dot_columns = mn_dot_columns_avx2,
    .nearest_column = mn_nearest_column_avx2,
};

#endif
