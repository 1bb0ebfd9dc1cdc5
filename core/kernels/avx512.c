/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AVX-512, as of processors with MN_CPU_AVX512: the 16 lanes are one register.
 * A masked load does not touch what its mask leaves out, so the ends of vectors
 * need no care.
 */
#if defined(__x86_64__) || defined(__i386__)

#include "kernels.h"
#include "partial.h"
#include "shared.h"

/* gcc's immintrin.h would pull in stdlib.h for _mm_malloc. */
#define _MM_MALLOC_H_INCLUDED
#include <immintrin.h>

#define MN_AVX512                                                              \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,"       \
                        "avx512vbmi,avx512vpopcntdq,avx512bitalg")))
#define MN_INLINE static inline __attribute__((always_inline)) MN_AVX512

/* The lowest `count` (0 to 31, 0 to 63) bits. */
MN_INLINE uint32_t low_bits(uint32_t count) {
  return (1u << count) - 1;
}

MN_INLINE uint64_t low_bits64(uint32_t count) {
  return (1ull << count) - 1;
}

MN_INLINE __mmask16 lanes_below(uint32_t count) {
  return (__mmask16)(count < 16 ? low_bits(count) : 0xffff);
}

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
    __mmask16 mask = lanes_below(n);
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
    __mmask16 mask = lanes_below(count - k);
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
    __mmask16 mask = lanes_below(count - k);
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

/* --- Sums of integers ----------------------------------------------------- */

/* Elements of b as int16; the first `count` of them where it is below 32, then
 * anything. */
typedef __m512i read_words(const uint8_t *b, uint32_t count);

/* `bits`: of an element of b. */
MN_INLINE int32_t dot(read_words *words, uint32_t bits, const int16_t *a,
                      const void *vector_b, uint32_t n) {
  const uint8_t *b = vector_b;
  __m512i sums = _mm512_setzero_si512(), more = sums;
  for (; n >= 64; n -= 64, a += 64, b += 8 * bits) {
    sums = _mm512_dpwssd_epi32(sums, _mm512_loadu_si512(a), words(b, 32));
    more = _mm512_dpwssd_epi32(more, _mm512_loadu_si512(a + 32),
                               words(b + 4 * bits, 32));
  }
  if (n >= 32) {
    sums = _mm512_dpwssd_epi32(sums, _mm512_loadu_si512(a), words(b, 32));
    n -= 32, a += 32, b += 4 * bits;
  }
  if (n > 0)
    more = _mm512_dpwssd_epi32(more, _mm512_maskz_loadu_epi16(low_bits(n), a),
                               words(b, n));
  return _mm512_reduce_add_epi32(_mm512_add_epi32(sums, more));
}

MN_INLINE __m512i words_i8(const uint8_t *b, uint32_t count) {
  __mmask32 mask = count < 32 ? low_bits(count) : UINT32_MAX;
  return _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(mask, b));
}

/* Two bytes with four elements, or one, go into eight bytes; of these, eight
 * bits from any place on go into every other byte. */
MN_INLINE __m512i words_u4(const uint8_t *b, uint32_t count) {
  const __m512i from = _mm512_set1_epi64(0x000c000800040000);
  __mmask16 mask = lanes_below((count + 1) / 2);
  __m512i pairs = _mm512_cvtepu16_epi64(_mm_maskz_loadu_epi8(mask, b));
  return _mm512_and_si512(_mm512_multishift_epi64_epi8(from, pairs),
                          _mm512_set1_epi16(15));
}

MN_INLINE __m512i words_u2(const uint8_t *b, uint32_t count) {
  const __m512i from = _mm512_set1_epi64(0x0006000400020000);
  __mmask16 mask = lanes_below((count + 3) / 4);
  __m512i bytes = _mm512_cvtepu8_epi64(_mm_maskz_loadu_epi8(mask, b));
  return _mm512_and_si512(_mm512_multishift_epi64_epi8(from, bytes),
                          _mm512_set1_epi16(3));
}

MN_AVX512 static int32_t mn_dot_i16_i8_avx512(const int16_t *a, const int8_t *b,
                                              uint32_t n) {
  return dot(words_i8, 8, a, b, n);
}

MN_AVX512 static int32_t mn_dot_i16_u4_avx512(const int16_t *a,
                                              const uint8_t *b, uint32_t n) {
  return dot(words_u4, 4, a, b, n);
}

MN_AVX512 static int32_t mn_dot_i16_u2_avx512(const int16_t *a,
                                              const uint8_t *b, uint32_t n) {
  return dot(words_u2, 2, a, b, n);
}

/* Bits are masks: of the weights, only those are loaded. */
MN_INLINE __m512i add_weights(__m512i sums, const int8_t *a, uint64_t bits) {
  return _mm512_dpbusd_epi32(sums, _mm512_set1_epi8(1),
                             _mm512_maskz_loadu_epi8(bits, a));
}

MN_AVX512 static int32_t mn_dot_i8_u1_avx512(const int8_t *a, const uint8_t *b,
                                             uint32_t n) {
  __m512i sums = _mm512_setzero_si512(), more = sums;
  for (; n >= 128; n -= 128, a += 128, b += 16) {
    sums = add_weights(sums, a, ((const mn_unaligned_u64 *)b)->value);
    more =
        add_weights(more, a + 64, ((const mn_unaligned_u64 *)(b + 8))->value);
  }
  if (n >= 64) {
    sums = add_weights(sums, a, ((const mn_unaligned_u64 *)b)->value);
    n -= 64, a += 64, b += 8;
  }
  if (n > 56)
    more = add_weights(more, a,
                       ((const mn_unaligned_u64 *)b)->value & low_bits64(n));
  else if (n > 0)
    more =
        add_weights(more, a, mn_load_partial(b, (n + 7) / 8) & low_bits64(n));
  return _mm512_reduce_add_epi32(_mm512_add_epi32(sums, more));
}

typedef __m512i combine(__m512i a, __m512i b);

MN_INLINE __m512i exclusive_or(__m512i a, __m512i b) {
  return _mm512_xor_si512(a, b);
}

MN_INLINE __m512i both(__m512i a, __m512i b) {
  return _mm512_and_si512(a, b);
}

MN_INLINE uint32_t count(combine *with, const uint8_t *a, const uint8_t *b,
                         uint32_t bytes) {
  __m512i sums = _mm512_setzero_si512();
  for (; bytes >= 64; bytes -= 64, a += 64, b += 64) {
    __m512i bits = with(_mm512_loadu_si512(a), _mm512_loadu_si512(b));
    sums = _mm512_add_epi64(sums, _mm512_popcnt_epi64(bits));
  }
  if (bytes > 0) {
    __mmask64 mask = low_bits64(bytes);
    __m512i bits = with(_mm512_maskz_loadu_epi8(mask, a),
                        _mm512_maskz_loadu_epi8(mask, b));
    sums = _mm512_add_epi64(sums, _mm512_popcnt_epi64(bits));
  }
  return (uint32_t)_mm512_reduce_add_epi64(sums);
}

MN_AVX512 static uint32_t
mn_count_xor_avx512(const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  return count(exclusive_or, a, b, bytes);
}

MN_AVX512 static uint32_t
mn_count_and_avx512(const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  return count(both, a, b, bytes);
}

/* --- Lookups by 4 bits ---------------------------------------------------- */

/* vpermb looks 64 bytes up in 64 bytes, so a register with four bytes each of
 * 16 rows finds its codes in the four tables of these bytes' lower halves, and
 * in those of the upper; vpdpbusd then adds up the four of a row. */

/* Bytes from rows 4 l (+ i), lane l of the four registers i; then transposed so
 * that register i has bytes 4 i to 4 i + 3 of row j in its j-th four bytes. */
MN_INLINE void load_rows(__m512i v[4], const uint8_t *const *rows, uint32_t at,
                         __mmask16 mask) {
  for (uint32_t i = 0; i < 4; i++) {
    __m512i four =
        _mm512_castsi128_si512(_mm_maskz_loadu_epi8(mask, rows[i] + at));
    four = _mm512_inserti32x4(four,
                              _mm_maskz_loadu_epi8(mask, rows[i + 4] + at), 1);
    four = _mm512_inserti32x4(four,
                              _mm_maskz_loadu_epi8(mask, rows[i + 8] + at), 2);
    v[i] = _mm512_inserti32x4(four,
                              _mm_maskz_loadu_epi8(mask, rows[i + 12] + at), 3);
  }
  __m512i a = _mm512_unpacklo_epi32(v[0], v[1]);
  __m512i b = _mm512_unpackhi_epi32(v[0], v[1]);
  __m512i c = _mm512_unpacklo_epi32(v[2], v[3]);
  __m512i d = _mm512_unpackhi_epi32(v[2], v[3]);
  v[0] = _mm512_unpacklo_epi64(a, c);
  v[1] = _mm512_unpackhi_epi64(a, c);
  v[2] = _mm512_unpacklo_epi64(b, d);
  v[3] = _mm512_unpackhi_epi64(b, d);
}

typedef struct {
  __m512i low, high; /* bytes of 16 rows */
} row_sums;

MN_INLINE __m512i load_tables(const uint8_t *tables, uint32_t i,
                              uint32_t bytes) {
  return i < bytes ? _mm512_load_si512(tables + 64 * i)
                   : _mm512_setzero_si512();
}

/* `bytes` (1 to 4, or more) bytes of 32 rows. */
MN_INLINE void look_up(row_sums *first, row_sums *second, __m512i first_rows,
                       __m512i second_rows, const uint8_t *tables,
                       uint32_t bytes) {
  const __m512i ones = _mm512_set1_epi8(1), mask = _mm512_set1_epi8(15);
  const __m512i where = _mm512_set1_epi32(0x30201000);
  /* Four lanes of four tables: even low, even high, odd low, odd high. */
  __m512i t0 = load_tables(tables, 0, bytes),
          t1 = load_tables(tables, 1, bytes);
  __m512i t2 = load_tables(tables, 2, bytes),
          t3 = load_tables(tables, 3, bytes);
  __m512i even01 = _mm512_shuffle_i32x4(t0, t1, 0x44);
  __m512i even23 = _mm512_shuffle_i32x4(t2, t3, 0x44);
  __m512i odd01 = _mm512_shuffle_i32x4(t0, t1, 0xee);
  __m512i odd23 = _mm512_shuffle_i32x4(t2, t3, 0xee);
  __m512i even_low = _mm512_shuffle_i32x4(even01, even23, 0x88);
  __m512i even_high = _mm512_shuffle_i32x4(even01, even23, 0xdd);
  __m512i odd_low = _mm512_shuffle_i32x4(odd01, odd23, 0x88);
  __m512i odd_high = _mm512_shuffle_i32x4(odd01, odd23, 0xdd);
  for (uint32_t i = 0; i < 2; i++) {
    row_sums *sums = i == 0 ? first : second;
    __m512i v = i == 0 ? first_rows : second_rows;
    /* (v & mask) | where, in one step: bit 4 A + 2 B + C of the number says
     * what bits A, B, C give. */
    __m512i even = _mm512_ternarylogic_epi32(v, mask, where, 0xea);
    __m512i odd =
        _mm512_ternarylogic_epi32(_mm512_srli_epi32(v, 4), mask, where, 0xea);
    sums->low = _mm512_dpbusd_epi32(
        sums->low, _mm512_permutexvar_epi8(even, even_low), ones);
    sums->high = _mm512_dpbusd_epi32(
        sums->high, _mm512_permutexvar_epi8(even, even_high), ones);
    sums->low = _mm512_dpbusd_epi32(
        sums->low, _mm512_permutexvar_epi8(odd, odd_low), ones);
    sums->high = _mm512_dpbusd_epi32(
        sums->high, _mm512_permutexvar_epi8(odd, odd_high), ones);
  }
}

MN_AVX512 static void mn_lookup_u4_avx512(const uint8_t *tables,
                                          const uint8_t *const *rows,
                                          uint32_t bytes, uint32_t *sums) {
  const __m512i zero = _mm512_setzero_si512();
  row_sums first = {zero, zero}, second = {zero, zero};
  __m512i v[4], w[4];
  uint32_t at = 0;
  for (; at + 16 <= bytes; at += 16, tables += 16 * 64) {
    load_rows(v, rows, at, 0xffff);
    load_rows(w, rows + 16, at, 0xffff);
    for (uint32_t i = 0; i < 4; i++)
      look_up(&first, &second, v[i], w[i], tables + 4 * 64 * i, 4);
  }
  if (at < bytes) {
    load_rows(v, rows, at, lanes_below(bytes - at));
    load_rows(w, rows + 16, at, lanes_below(bytes - at));
    for (uint32_t i = 0; at < bytes; i++, at += 4)
      look_up(&first, &second, v[i], w[i], tables + 4 * 64 * i, bytes - at);
  }
  _mm512_storeu_si512(
      sums, _mm512_add_epi32(first.low, _mm512_slli_epi32(first.high, 8)));
  _mm512_storeu_si512(
      sums + 16,
      _mm512_add_epi32(second.low, _mm512_slli_epi32(second.high, 8)));
}

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
    .dot_i8_u1 = mn_dot_i8_u1_avx512,
    .count_xor = mn_count_xor_avx512,
    .count_and = mn_count_and_avx512,
    .lookup_u4 = mn_lookup_u4_avx512,
    .lookup_u8 = mn_lookup_u8_c,
    .l2_columns = mn_l2_columns_avx512,
    .dot_columns = mn_dot_columns_avx512,
    .nearest_column = mn_nearest_column_avx512,
};

#endif
