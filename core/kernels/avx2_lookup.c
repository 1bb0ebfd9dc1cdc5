/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AVX2: lookups by 4 bits.
 */
#if defined(__x86_64__) || defined(__i386__)

#include "avx2.h"

/* Sixteen bytes of the rows r (lower lane) and r + 16 for all r make a square
 * of bytes, which is transposed so that a register has one byte of every row:
 * the same table serves all of it. The transposition is four rounds of taking
 * registers i and i + 8 and interleaving their bytes. Two rounds at a time are
 * done on four registers; in between, the square lies in memory. */
typedef __m256i square[16];

MN_INLINE void interleave(__m256i v[4]) {
  __m256i a = _mm256_unpacklo_epi8(v[0], v[2]);
  __m256i b = _mm256_unpackhi_epi8(v[0], v[2]);
  __m256i c = _mm256_unpacklo_epi8(v[1], v[3]);
  __m256i d = _mm256_unpackhi_epi8(v[1], v[3]);
  v[0] = _mm256_unpacklo_epi8(a, c);
  v[1] = _mm256_unpackhi_epi8(a, c);
  v[2] = _mm256_unpacklo_epi8(b, d);
  v[3] = _mm256_unpackhi_epi8(b, d);
}

/* The first two rounds, on `bytes` (1 to 16) bytes from `at` on. */
MN_INLINE void load_rows(square to, const uint8_t *const *rows, uint32_t at,
                         uint32_t bytes) {
  for (uint32_t i = 0; i < 4; i++) {
    __m256i v[4];
    for (uint32_t j = 0; j < 4; j++) {
      const uint8_t *low = rows[i + 4 * j] + at;
      const uint8_t *high = rows[i + 4 * j + 16] + at;
      v[j] = bytes < 16
                 ? _mm256_setr_m128i(mn_load_part(low, bytes),
                                     mn_load_part(high, bytes))
                 : _mm256_setr_m128i(_mm_loadu_si128((const __m128i *)low),
                                     _mm_loadu_si128((const __m128i *)high));
    }
    interleave(v);
    for (uint32_t j = 0; j < 4; j++)
      to[4 * i + j] = v[j];
  }
}

MN_AVX2 __attribute__((noinline)) static void
load_square(square to, const uint8_t *const *rows, uint32_t at,
            uint32_t bytes) {
  if (bytes == 16)
    load_rows(to, rows, at, 16);
  else
    load_rows(to, rows, at, bytes);
}

/* Sums of bytes in words: `all` counts an upper byte 256 times, which is taken
 * off in the end, so it may wrap around. */
typedef struct {
  __m256i all, upper;
} byte_sums;

typedef struct {
  byte_sums low, high; /* bytes of the tables */
} row_sums;

MN_INLINE void add_bytes(byte_sums *sums, __m256i bytes) {
  sums->all = _mm256_add_epi16(sums->all, bytes);
  sums->upper = _mm256_add_epi16(sums->upper, _mm256_srli_epi16(bytes, 8));
}

MN_INLINE __m256i look_up(const uint8_t *table, __m256i codes) {
  __m128i sixteen = _mm_load_si128((const __m128i *)table);
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(sixteen), codes);
}

/* What one byte of every row adds; the high bytes to `high`. */
MN_INLINE void add_column(byte_sums *low, __m256i *high, const uint8_t *tables,
                          __m256i bytes) {
  const __m256i mask = _mm256_set1_epi8(15);
  __m256i odd = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask);
  __m256i even = _mm256_and_si256(bytes, mask);
  add_bytes(low, look_up(tables, even));
  *high = _mm256_add_epi8(*high, look_up(tables + 16, even));
  add_bytes(low, look_up(tables + 32, odd));
  *high = _mm256_add_epi8(*high, look_up(tables + 48, odd));
  MN_SETTLE(low->all);
  MN_SETTLE(low->upper);
  MN_SETTLE(*high);
}

/* The last two rounds for four columns, from `from` on, and what `columns` (1
 * to 4) of them add. High bytes are below 16, so eight of them fit into one. */
MN_INLINE void add_four(row_sums *sums, const __m256i *from,
                        const uint8_t *tables, uint32_t columns) {
  __m256i v[4] = {from[0], from[4], from[8], from[12]};
  __m256i high = _mm256_setzero_si256();
  interleave(v);
  add_column(&sums->low, &high, tables, v[0]);
  if (columns > 1)
    add_column(&sums->low, &high, tables + 64, v[1]);
  if (columns > 2)
    add_column(&sums->low, &high, tables + 128, v[2]);
  if (columns > 3)
    add_column(&sums->low, &high, tables + 192, v[3]);
  add_bytes(&sums->high, high);
}

MN_AVX2 __attribute__((noinline)) static void add_square(row_sums *to,
                                                         const square from,
                                                         const uint8_t *tables,
                                                         uint32_t columns) {
  row_sums sums = *to;
  const __m256i *v = from;
  for (; columns >= 4; columns -= 4, v++, tables += 4 * 64)
    add_four(&sums, v, tables, 4);
  if (columns > 0)
    add_four(&sums, v, tables, columns);
  *to = sums;
}

/* Sums of eight rows, of which a word each is given: low + 256 high. */
MN_INLINE void store_sums(uint32_t *sums, __m256i low_and_high) {
  __m256i more =
      _mm256_madd_epi16(low_and_high, _mm256_set1_epi32(256 << 16 | 1));
  __m128i *first = (__m128i *)(void *)sums;
  __m128i *last = (__m128i *)(void *)(sums + 16);
  _mm_storeu_si128(first, _mm_add_epi32(_mm_loadu_si128(first),
                                        _mm256_castsi256_si128(more)));
  _mm_storeu_si128(last, _mm_add_epi32(_mm_loadu_si128(last),
                                       _mm256_extracti128_si256(more, 1)));
}

/* Words of the rows 0 to 7 (lower lane) and 16 to 23, and of the others. */
MN_INLINE void split(const byte_sums *sums, __m256i words[2]) {
  __m256i lower =
      _mm256_sub_epi16(sums->all, _mm256_slli_epi16(sums->upper, 8));
  words[0] = _mm256_unpacklo_epi16(lower, sums->upper);
  words[1] = _mm256_unpackhi_epi16(lower, sums->upper);
}

MN_AVX2 __attribute__((noinline)) static void flush(const row_sums *from,
                                                    uint32_t *sums) {
  __m256i low[2], high[2];
  split(&from->low, low);
  split(&from->high, high);
  store_sums(sums, _mm256_unpacklo_epi16(low[0], high[0]));
  store_sums(sums + 4, _mm256_unpackhi_epi16(low[0], high[0]));
  store_sums(sums + 8, _mm256_unpacklo_epi16(low[1], high[1]));
  store_sums(sums + 12, _mm256_unpackhi_epi16(low[1], high[1]));
}

MN_AVX2 void mn_lookup_u4_avx2(const uint8_t *tables,
                               const uint8_t *const *rows, uint32_t bytes,
                               uint32_t *sums) {
  const __m256i zero = _mm256_setzero_si256();
  square columns;
  for (uint32_t r = 0; r < MN_LOOKUP_ROWS; r += 8)
    _mm256_storeu_si256((__m256i *)(void *)(sums + r), zero);
  for (uint32_t at = 0; at < bytes;) {
    row_sums part = {{zero, zero}, {zero, zero}};
    /* 64 times two low bytes are below 2^15, the limit of store_sums. */
    uint32_t end = bytes - at > 64 ? at + 64 : bytes, some;
    for (; at < end; at += some, tables += 16 * 64) {
      some = end - at < 16 ? end - at : 16;
      load_square(columns, rows, at, some);
      add_square(&part, columns, tables, some);
    }
    flush(&part, sums);
  }
}

#endif
