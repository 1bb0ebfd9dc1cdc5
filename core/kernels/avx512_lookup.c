/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AVX-512: lookups by 4 bits.
 */
#if defined(__x86_64__) || defined(__i386__)

#include "avx512.h"

/* vpermb looks 64 bytes up in 64 bytes, so a register with four bytes each of
 * 16 rows finds its codes in the four tables of these bytes' lower halves, and
 * in those of the upper; vpdpbusd then adds up the four of a row. */

MN_INLINE __m128i load_row(const uint8_t *row, uint32_t bytes) {
  return bytes < 16 ? _mm_maskz_loadu_epi8(mn_lanes_below(bytes), row)
                    : _mm_loadu_si128((const __m128i *)row);
}

/* Up to 16 bytes of row 4 l + i in lane l of register i; then transposed so
 * that register i has bytes 4 i to 4 i + 3 of row j in its j-th four bytes. */
MN_INLINE void load_rows(__m512i v[4], const uint8_t *const *rows, uint32_t at,
                         uint32_t bytes) {
  MN_FORGET(rows);
  for (uint32_t i = 0; i < 4; i++) {
    __m512i four = _mm512_castsi128_si512(load_row(rows[i] + at, bytes));
    four = _mm512_inserti32x4(four, load_row(rows[i + 4] + at, bytes), 1);
    four = _mm512_inserti32x4(four, load_row(rows[i + 8] + at, bytes), 2);
    v[i] = _mm512_inserti32x4(four, load_row(rows[i + 12] + at, bytes), 3);
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

/* Half the tables of two bytes that follow one another, those of their lower
 * halves or those of their upper. `bytes` may end before either. */
MN_INLINE __m512i load_tables(const uint8_t *tables, uint32_t i,
                              uint32_t bytes) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i *from = (const __m256i *)(const void *)(tables + 64 * i);
  __m256i first = i < bytes ? _mm256_load_si256(from) : zero;
  __m256i second = i + 1 < bytes ? _mm256_load_si256(from + 2) : zero;
  return _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
}

/* `bytes` (1 to 4, or more) bytes of 32 rows. */
MN_INLINE void look_up(row_sums *first, row_sums *second, __m512i first_rows,
                       __m512i second_rows, const uint8_t *tables,
                       uint32_t bytes) {
  const __m512i ones = _mm512_set1_epi8(1), mask = _mm512_set1_epi8(15);
  const __m512i where = _mm512_set1_epi32(0x30201000);
  __m512i even01 = load_tables(tables, 0, bytes);
  __m512i even23 = load_tables(tables, 2, bytes);
  __m512i odd01 = load_tables(tables + 32, 0, bytes);
  __m512i odd23 = load_tables(tables + 32, 2, bytes);
  __m512i even_low = _mm512_shuffle_i32x4(even01, even23, 0x88);
  __m512i even_high = _mm512_shuffle_i32x4(even01, even23, 0xdd);
  __m512i odd_low = _mm512_shuffle_i32x4(odd01, odd23, 0x88);
  __m512i odd_high = _mm512_shuffle_i32x4(odd01, odd23, 0xdd);
  for (uint32_t i = 0; i < 2; i++) {
    row_sums *sums = i == 0 ? first : second;
    __m512i v = i == 0 ? first_rows : second_rows;
    /* (v & mask) | where, in one step: bit 4 A + 2 B + C of the number says
     * what bits A, B, C give. */
    __m512i odd =
        _mm512_ternarylogic_epi32(_mm512_srli_epi32(v, 4), mask, where, 0xea);
    __m512i even = _mm512_ternarylogic_epi32(v, mask, where, 0xea);
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

/* Up to 16 bytes of all rows, from `at` on. */
MN_INLINE void look_up_some(row_sums *first, row_sums *second,
                            const uint8_t *const *rows, uint32_t at,
                            const uint8_t *tables, uint32_t bytes) {
  __m512i v[4], w[4];
  load_rows(v, rows, at, bytes);
  load_rows(w, rows + 16, at, bytes);
  look_up(first, second, v[0], w[0], tables, bytes);
  if (bytes > 4)
    look_up(first, second, v[1], w[1], tables + 256, bytes - 4);
  if (bytes > 8)
    look_up(first, second, v[2], w[2], tables + 512, bytes - 8);
  if (bytes > 12)
    look_up(first, second, v[3], w[3], tables + 768, bytes - 12);
}

MN_AVX512 void mn_lookup_u4_avx512(const uint8_t *tables,
                                   const uint8_t *const *rows, uint32_t bytes,
                                   uint32_t *sums) {
  const __m512i zero = _mm512_setzero_si512();
  row_sums first = {zero, zero}, second = {zero, zero};
  uint32_t at = 0;
  for (; at + 16 <= bytes; at += 16, tables += 16 * 64)
    look_up_some(&first, &second, rows, at, tables, 16);
  if (at < bytes)
    look_up_some(&first, &second, rows, at, tables, bytes - at);
  _mm512_storeu_si512(
      sums, _mm512_add_epi32(first.low, _mm512_slli_epi32(first.high, 8)));
  _mm512_storeu_si512(
      sums + 16,
      _mm512_add_epi32(second.low, _mm512_slli_epi32(second.high, 8)));
}

#endif
