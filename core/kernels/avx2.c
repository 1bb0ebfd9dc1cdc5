/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AVX2 and F16C: the 16 lanes are two registers of eight.
 *
 * Only the functions below are compiled for AVX2, so the rest of the program
 * stays runnable anywhere. FMA is not among the targets: it would round once
 * where the canonical order rounds twice.
 */
#include "kernels.h"

#if defined(__x86_64__) || defined(__i386__)

/* gcc's immintrin.h would pull in stdlib.h for _mm_malloc. */
#define _MM_MALLOC_H_INCLUDED
#include <immintrin.h>

#define MN_AVX2   __attribute__((target("avx2,f16c")))
#define MN_INLINE static inline __attribute__((always_inline)) MN_AVX2

/* --- Reading -------------------------------------------------------------- */

/* The first `bytes` (0 to 15) bytes at p, then zeros. Two loads that overlap
 * in the middle cover any length without a byte too many. */
MN_INLINE uint64_t load_u64(const uint8_t *p) {
  struct __attribute__((packed, may_alias)) {
    uint64_t value;
  } const *unaligned = (const void *)p;
  return unaligned->value;
}

MN_INLINE uint64_t load_u32(const uint8_t *p) {
  struct __attribute__((packed, may_alias)) {
    uint32_t value;
  } const *unaligned = (const void *)p;
  return unaligned->value;
}

MN_INLINE uint64_t load_u8(const uint8_t *p) {
  return *p;
}

MN_INLINE __m128i load_part(const void *start, uint32_t bytes) {
  const uint8_t *p = start;
  uint64_t low = 0, high = 0;
  if (bytes > 8) {
    low = load_u64(p);
    high = load_u64(p + bytes - 8) >> (128 - 8 * bytes);
  } else if (bytes >= 4) {
    low = load_u32(p) | load_u32(p + bytes - 4) << (8 * bytes - 32);
  } else if (bytes > 0) {
    low = load_u8(p) | load_u8(p + bytes / 2) << (bytes / 2 * 8) |
          load_u8(p + bytes - 1) << (8 * bytes - 8);
  }
  return _mm_set_epi64x((int64_t)high, (int64_t)low);
}

/* The same for up to 16 bytes. */
MN_INLINE __m128i load_some(const void *start, uint32_t bytes) {
  return bytes == 16 ? _mm_loadu_si128(start) : load_part(start, bytes);
}

/* Eight elements as floats: all of them, or the first `count` and zeros. */
typedef __m256 read_eight(const void *vector, uint32_t i);
typedef __m256 read_some(const void *vector, uint32_t i, uint32_t count);

MN_INLINE __m256 read_f32(const void *vector, uint32_t i) {
  return _mm256_loadu_ps((const float *)vector + i);
}

MN_INLINE __m256 some_f32(const void *vector, uint32_t i, uint32_t count) {
  __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)count), lane);
  return _mm256_maskload_ps((const float *)vector + i, mask);
}

MN_INLINE __m256 read_f16(const void *vector, uint32_t i) {
  const uint16_t *p = (const uint16_t *)vector + i;
  return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}

MN_INLINE __m256 some_f16(const void *vector, uint32_t i, uint32_t count) {
  const uint16_t *p = (const uint16_t *)vector + i;
  return _mm256_cvtph_ps(load_part(p, 2 * count));
}

MN_INLINE __m256 widen_bf16(__m128i halves) {
  __m256i low = _mm256_cvtepu16_epi32(halves);
  return _mm256_castsi256_ps(_mm256_slli_epi32(low, 16));
}

MN_INLINE __m256 read_bf16(const void *vector, uint32_t i) {
  const uint16_t *p = (const uint16_t *)vector + i;
  return widen_bf16(_mm_loadu_si128((const __m128i *)p));
}

MN_INLINE __m256 some_bf16(const void *vector, uint32_t i, uint32_t count) {
  const uint16_t *p = (const uint16_t *)vector + i;
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

MN_INLINE float fold(__m256 low, __m256 high) {
  __m256 eight = _mm256_add_ps(low, high);
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight),
                           _mm256_extractf128_ps(eight, 1));
  __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

MN_INLINE float sum(add_term *add, read_eight *read, read_some *some,
                    const float *a, const void *b, uint32_t n) {
  __m256 low = _mm256_setzero_ps();
  __m256 high = _mm256_setzero_ps();
  uint32_t i = 0;
  for (; n - i >= 16; i += 16) {
    low = add(low, read_f32(a, i), read(b, i));
    high = add(high, read_f32(a, i + 8), read(b, i + 8));
  }
  if (n - i >= 8) {
    low = add(low, read_f32(a, i), read(b, i));
    i += 8;
    if (i < n)
      high = add(high, some_f32(a, i, n - i), some(b, i, n - i));
  } else if (i < n) {
    low = add(low, some_f32(a, i, n - i), some(b, i, n - i));
  }
  return fold(low, high);
}

/* --- The table ------------------------------------------------------------ */

MN_AVX2 static float mn_dot_f32_avx2(const float *a, const float *b,
                                     uint32_t n) {
  return sum(add_product, read_f32, some_f32, a, b, n);
}

MN_AVX2 static float mn_l2_f32_avx2(const float *a, const float *b,
                                    uint32_t n) {
  return sum(add_squared_difference, read_f32, some_f32, a, b, n);
}

MN_AVX2 static float mn_dot_f16_avx2(const float *a, const uint16_t *b,
                                     uint32_t n) {
  return sum(add_product, read_f16, some_f16, a, b, n);
}

MN_AVX2 static float mn_l2_f16_avx2(const float *a, const uint16_t *b,
                                    uint32_t n) {
  return sum(add_squared_difference, read_f16, some_f16, a, b, n);
}

MN_AVX2 static float mn_dot_bf16_avx2(const float *a, const uint16_t *b,
                                      uint32_t n) {
  return sum(add_product, read_bf16, some_bf16, a, b, n);
}

MN_AVX2 static float mn_l2_bf16_avx2(const float *a, const uint16_t *b,
                                     uint32_t n) {
  return sum(add_squared_difference, read_bf16, some_bf16, a, b, n);
}

/* Sixteen products of int16, added in pairs to int32. */
MN_INLINE __m256i add_products(__m256i sum, __m256i a, __m128i b) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(a, _mm256_cvtepi8_epi16(b)));
}

MN_AVX2 static int32_t mn_dot_i16_i8_avx2(const int16_t *a, const int8_t *b,
                                          uint32_t n) {
  __m256i eight = _mm256_setzero_si256(), more = eight;
  for (; n >= 32; n -= 32, a += 32, b += 32) {
    eight = add_products(eight, _mm256_loadu_si256((const __m256i *)a),
                         _mm_loadu_si128((const __m128i *)b));
    more = add_products(more, _mm256_loadu_si256((const __m256i *)(a + 16)),
                        _mm_loadu_si128((const __m128i *)(b + 16)));
  }
  if (n >= 16) {
    eight = add_products(eight, _mm256_loadu_si256((const __m256i *)a),
                         _mm_loadu_si128((const __m128i *)b));
    n -= 16, a += 16, b += 16;
  }
  if (n > 0) {
    const uint32_t low = n < 8 ? n : 8;
    const __m256i part = _mm256_set_m128i(load_some(a + low, 2 * (n - low)),
                                          load_some(a, 2 * low));
    more = add_products(more, part, load_part(b, n));
  }
  eight = _mm256_add_epi32(eight, more);
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight),
                               _mm256_extracti128_si256(eight, 1));
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
};

#endif
