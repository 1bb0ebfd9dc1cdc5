/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the AVX2 kernels share. FMA is not among the targets: it
 * would round once where the canonical order rounds twice.
 */
#ifndef MN_KERNELS_AVX2_H
#define MN_KERNELS_AVX2_H

#include "x86.h"

#define MN_AVX2   __attribute__((target("avx2,f16c")))
#define MN_INLINE static inline __attribute__((always_inline)) MN_AVX2

/* The first `count` of eight lanes. */
MN_INLINE __m256i mn_first_lanes(uint32_t count) {
  __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)count), lane);
}

/* The first `bytes` (1 to 16) bytes at p, then zeros. */
MN_INLINE __m128i mn_load_part(const uint8_t *p, uint32_t bytes) {
  if (bytes < 8)
    return _mm_set_epi64x(0, (int64_t)mn_load_partial(p, bytes));
  /* Two reads that overlap; the second is rid of what the first has. */
  __m128i first = _mm_loadl_epi64((const __m128i *)p);
  __m128i last = _mm_loadl_epi64((const __m128i *)(p + bytes - 8));
  __m128i again = _mm_cvtsi32_si128((int32_t)(8 * (16 - bytes)));
  return _mm_unpacklo_epi64(first, _mm_srl_epi64(last, again));
}

/* The sum of eight lanes. */
MN_INLINE int32_t mn_add_lanes(__m256i eight) {
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight),
                               _mm256_extracti128_si256(eight, 1));
  __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

/* In avx2_codes.c and avx2_lookup.c. */
int32_t mn_dot_i16_i8_avx2(const int16_t *a, const int8_t *b, uint32_t n);
int32_t mn_dot_i16_u4_avx2(const int16_t *a, const uint8_t *b, uint32_t n);
int32_t mn_dot_i16_u2_avx2(const int16_t *a, const uint8_t *b, uint32_t n);
void mn_dot_i8_u4_avx2(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums);
void mn_dot_i8_u2_avx2(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums);
void mn_dot_i8_u1_avx2(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums);
uint32_t mn_count_xor_avx2(const uint8_t *a, const uint8_t *b, uint32_t bytes);
uint32_t mn_count_and_avx2(const uint8_t *a, const uint8_t *b, uint32_t bytes);
void mn_count_xor_rows_avx2(const uint8_t *a, const uint8_t *rows,
                            size_t stride, uint32_t bytes, uint32_t count,
                            uint32_t *counts);
void mn_lookup_u4_avx2(const uint8_t *tables, const uint8_t *const *rows,
                       uint32_t bytes, uint32_t *sums);

#endif
