/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AVX2: integers, bits and lookups.
 */
#if defined(__x86_64__) || defined(__i386__)

#include "avx2.h"

MN_INLINE __m256i load(const void *p) {
  return _mm256_loadu_si256(p);
}

/* The first `bytes` (1 to 31) bytes at p, then zeros. */
MN_INLINE __m256i load_long_part(const void *from, uint32_t bytes) {
  const uint8_t *p = from;
  if (bytes < 16)
    return _mm256_zextsi128_si256(mn_load_part(p, bytes));
  __m256i low = _mm256_zextsi128_si256(_mm_loadu_si128(from));
  if (bytes == 16)
    return low;
  return _mm256_inserti128_si256(low, mn_load_part(p + 16, bytes - 16), 1);
}

/* --- Products of int16, added in pairs to int32 --------------------------- */

MN_INLINE __m256i add_products(__m256i sum, __m256i a, __m256i b) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}

/* Sixteen elements of b as int16; and the first `count` (1 to 15) of them, then
 * anything. */
typedef __m256i read_sixteen(const uint8_t *b);
typedef __m256i read_few(const uint8_t *b, uint32_t count);

/* `bits`: of an element of b. */
MN_INLINE int32_t dot(read_sixteen *sixteen, read_few *few, uint32_t bits,
                      const int16_t *a, const void *vector_b, uint32_t n) {
  const uint8_t *b = vector_b;
  __m256i eight = _mm256_setzero_si256(), more = eight;
  for (; n >= 32; n -= 32, a += 32, b += 4 * bits) {
    eight = add_products(eight, load(a), sixteen(b));
    more = add_products(more, load(a + 16), sixteen(b + 2 * bits));
  }
  if (n >= 16) {
    eight = add_products(eight, load(a), sixteen(b));
    n -= 16, a += 16, b += 2 * bits;
  }
  if (n > 0)
    more = add_products(more, load_long_part(a, 2 * n), few(b, n));
  return mn_add_lanes(_mm256_add_epi32(eight, more));
}

MN_INLINE __m256i sixteen_i8(const uint8_t *b) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)b));
}

MN_INLINE __m256i few_i8(const uint8_t *b, uint32_t count) {
  return _mm256_cvtepi8_epi16(mn_load_part(b, count));
}

/* A byte with the element goes into the upper half of a word, the rest of it is
 * masked out, and a product's upper half takes the element down. */
MN_INLINE __m256i unpack_u4(__m256i packed) {
  const __m256i where =
      _mm256_setr_epi8(-1, 0, -1, 0, -1, 1, -1, 1, -1, 2, -1, 2, -1, 3, -1, 3,
                       -1, 4, -1, 4, -1, 5, -1, 5, -1, 6, -1, 6, -1, 7, -1, 7);
  const __m256i mask = _mm256_set1_epi32((int32_t)0xf0000f00);
  const __m256i scale = _mm256_set1_epi32(1 << 20 | 1 << 8);
  __m256i words = _mm256_and_si256(_mm256_shuffle_epi8(packed, where), mask);
  return _mm256_mulhi_epu16(words, scale);
}

MN_INLINE __m256i sixteen_u4(const uint8_t *b) {
  return unpack_u4(
      _mm256_broadcastq_epi64(_mm_loadl_epi64((const __m128i *)b)));
}

MN_INLINE __m256i few_u4(const uint8_t *b, uint32_t count) {
  return unpack_u4(_mm256_broadcastq_epi64(mn_load_part(b, (count + 1) / 2)));
}

MN_INLINE __m256i unpack_u2(uint32_t packed) {
  const __m256i where =
      _mm256_setr_epi8(-1, 0, -1, 0, -1, 0, -1, 0, -1, 1, -1, 1, -1, 1, -1, 1,
                       -1, 2, -1, 2, -1, 2, -1, 2, -1, 3, -1, 3, -1, 3, -1, 3);
  const __m256i mask = _mm256_set1_epi64x((int64_t)0xc00030000c000300);
  const __m256i scale =
      _mm256_set1_epi64x(1ll << 50 | 1ll << 36 | 1 << 22 | 1 << 8);
  __m256i bytes = _mm256_set1_epi32((int32_t)packed);
  __m256i words = _mm256_and_si256(_mm256_shuffle_epi8(bytes, where), mask);
  return _mm256_mulhi_epu16(words, scale);
}

MN_INLINE __m256i sixteen_u2(const uint8_t *b) {
  return unpack_u2(((const mn_unaligned_u32 *)b)->value);
}

MN_INLINE __m256i few_u2(const uint8_t *b, uint32_t count) {
  return unpack_u2((uint32_t)mn_load_partial(b, (count + 3) / 4));
}

MN_AVX2 int32_t mn_dot_i16_i8_avx2(const int16_t *a, const int8_t *b,
                                   uint32_t n) {
  return dot(sixteen_i8, few_i8, 8, a, b, n);
}

MN_AVX2 int32_t mn_dot_i16_u4_avx2(const int16_t *a, const uint8_t *b,
                                   uint32_t n) {
  return dot(sixteen_u4, few_u4, 4, a, b, n);
}

MN_AVX2 int32_t mn_dot_i16_u2_avx2(const int16_t *a, const uint8_t *b,
                                   uint32_t n) {
  return dot(sixteen_u2, few_u2, 2, a, b, n);
}

/* --- Bits ----------------------------------------------------------------- */

/* Those of 32 weights whose bit is set, added in pairs to 16 words. */
MN_INLINE __m256i add_weights(__m256i words, __m256i weights, uint32_t bits) {
  const __m256i where =
      _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2,
                       2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
  const __m256i bit = _mm256_set1_epi64x((int64_t)0x8040201008040201);
  __m256i bytes = _mm256_set1_epi32((int32_t)bits);
  bytes = _mm256_and_si256(_mm256_shuffle_epi8(bytes, where), bit);
  __m256i set = _mm256_min_epu8(bytes, _mm256_set1_epi8(1));
  return _mm256_add_epi16(words, _mm256_maddubs_epi16(set, weights));
}

MN_AVX2 int32_t mn_dot_i8_u1_avx2(const int8_t *a, const uint8_t *b,
                                  uint32_t n) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i eight = _mm256_setzero_si256();
  while (n >= 32) {
    __m256i words = _mm256_setzero_si256();
    /* A pair is -256 at least, so 128 of them fit into a word. */
    uint32_t left = n > 128 * 32 ? n - 128 * 32 : 0;
    for (; n >= left + 32; n -= 32, a += 32, b += 4)
      words = add_weights(words, load(a), ((const mn_unaligned_u32 *)b)->value);
    eight = add_products(eight, words, ones);
  }
  if (n > 0) {
    __m256i words = add_weights(_mm256_setzero_si256(), load_long_part(a, n),
                                (uint32_t)mn_load_partial(b, (n + 7) / 8));
    eight = add_products(eight, words, ones);
  }
  return mn_add_lanes(eight);
}

typedef __m256i combine(__m256i a, __m256i b);

MN_INLINE __m256i exclusive_or(__m256i a, __m256i b) {
  return _mm256_xor_si256(a, b);
}

MN_INLINE __m256i both(__m256i a, __m256i b) {
  return _mm256_and_si256(a, b);
}

/* Bits set in each byte, looked up by halves (Mula, Kurz and Lemire, "Faster
 * Population Counts Using AVX2 Instructions", section 3). */
MN_INLINE __m256i count_bits(__m256i bytes) {
  const __m256i bits_of = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const __m256i mask = _mm256_set1_epi8(15);
  __m256i low = _mm256_and_si256(bytes, mask);
  __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask);
  return _mm256_add_epi8(_mm256_shuffle_epi8(bits_of, low),
                         _mm256_shuffle_epi8(bits_of, high));
}

MN_INLINE uint32_t count(combine *with, const uint8_t *a, const uint8_t *b,
                         uint32_t bytes) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i sum = zero;
  while (bytes >= 32) {
    __m256i counts = zero;
    /* 8 at most each time, so 31 times fit into a byte. */
    uint32_t left = bytes > 31 * 32 ? bytes - 31 * 32 : 0;
    for (; bytes >= left + 32; bytes -= 32, a += 32, b += 32)
      counts = _mm256_add_epi8(counts, count_bits(with(load(a), load(b))));
    sum = _mm256_add_epi64(sum, _mm256_sad_epu8(counts, zero));
  }
  if (bytes > 0) {
    __m256i counts =
        count_bits(with(load_long_part(a, bytes), load_long_part(b, bytes)));
    sum = _mm256_add_epi64(sum, _mm256_sad_epu8(counts, zero));
  }
  return (uint32_t)mn_add_lanes(sum);
}

MN_AVX2 uint32_t mn_count_xor_avx2(const uint8_t *a, const uint8_t *b,
                                   uint32_t bytes) {
  return count(exclusive_or, a, b, bytes);
}

MN_AVX2 uint32_t mn_count_and_avx2(const uint8_t *a, const uint8_t *b,
                                   uint32_t bytes) {
  return count(both, a, b, bytes);
}

/* --- Lookups by 4 bits ---------------------------------------------------- */

/* Sixteen bytes of rows r (lower lane) and r + 16 for all r make a square of
 * bytes, which is transposed so that a register has a byte of every row: the
 * same table serves all of it. The transposition is four rounds of taking
 * registers i and i + 8 and interleaving their bytes; two rounds are done on
 * four registers at a time, and the square lies in memory in between. */
typedef struct {
  __m256i even, odd; /* words: all, and the upper bytes only */
} byte_sums;

/* Sums of bytes in words: `even` counts an upper byte 256 times, which is taken
 * off in the end, so it may wrap around. */
MN_INLINE void add_bytes(byte_sums *sums, __m256i bytes) {
  sums->even = _mm256_add_epi16(sums->even, bytes);
  sums->odd = _mm256_add_epi16(sums->odd, _mm256_srli_epi16(bytes, 8));
}

typedef struct {
  byte_sums low, high;
} row_sums;

MN_INLINE void interleave(__m256i *v0, __m256i *v1, __m256i *v2, __m256i *v3) {
  __m256i a = _mm256_unpacklo_epi8(*v0, *v2);
  __m256i b = _mm256_unpackhi_epi8(*v0, *v2);
  __m256i c = _mm256_unpacklo_epi8(*v1, *v3);
  __m256i d = _mm256_unpackhi_epi8(*v1, *v3);
  *v0 = _mm256_unpacklo_epi8(a, c);
  *v1 = _mm256_unpackhi_epi8(a, c);
  *v2 = _mm256_unpacklo_epi8(b, d);
  *v3 = _mm256_unpackhi_epi8(b, d);
}

/* `bytes` (1 to 16) bytes from rows r and r + 16, from `at` on. */
MN_INLINE __m256i load_rows(const uint8_t *const *rows, uint32_t at,
                            uint32_t bytes) {
  const uint8_t *low = rows[0] + at, *high = rows[16] + at;
  if (bytes < 16)
    return _mm256_setr_m128i(mn_load_part(low, bytes),
                             mn_load_part(high, bytes));
  return _mm256_setr_m128i(_mm_loadu_si128((const __m128i *)low),
                           _mm_loadu_si128((const __m128i *)high));
}

/* The first two rounds. */
MN_INLINE void load_square(__m256i square[16], const uint8_t *const *rows,
                           uint32_t at, uint32_t bytes) {
  for (uint32_t i = 0; i < 4; i++) {
    __m256i v0 = load_rows(rows + i, at, bytes);
    __m256i v1 = load_rows(rows + i + 4, at, bytes);
    __m256i v2 = load_rows(rows + i + 8, at, bytes);
    __m256i v3 = load_rows(rows + i + 12, at, bytes);
    interleave(&v0, &v1, &v2, &v3);
    square[4 * i] = v0;
    square[4 * i + 1] = v1;
    square[4 * i + 2] = v2;
    square[4 * i + 3] = v3;
  }
}

MN_INLINE __m256i look_up(const uint8_t *table, __m256i codes) {
  __m128i sixteen = _mm_load_si128((const __m128i *)table);
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(sixteen), codes);
}

/* What one byte of every row adds. The high bytes' sum is returned. */
MN_INLINE __m256i add_column(row_sums *sums, const uint8_t *tables,
                             __m256i bytes) {
  const __m256i mask = _mm256_set1_epi8(15);
  __m256i even = _mm256_and_si256(bytes, mask);
  __m256i odd = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask);
  add_bytes(&sums->low, look_up(tables, even));
  add_bytes(&sums->low, look_up(tables + 32, odd));
  return _mm256_add_epi8(look_up(tables + 16, even), look_up(tables + 48, odd));
}

/* The last two rounds for, and then the sums of, `columns` (1 to 4) bytes from
 * 4 i on. High bytes are below 16, so that eight of them fit into a byte. */
MN_INLINE void add_columns(row_sums *sums, const uint8_t *tables,
                           const __m256i square[16], uint32_t i,
                           uint32_t columns) {
  __m256i v0 = square[i], v1 = square[i + 4];
  __m256i v2 = square[i + 8], v3 = square[i + 12];
  interleave(&v0, &v1, &v2, &v3);
  tables += 4 * 64 * i;
  __m256i high = add_column(sums, tables, v0);
  if (columns > 1)
    high = _mm256_add_epi8(high, add_column(sums, tables + 64, v1));
  if (columns > 2)
    high = _mm256_add_epi8(high, add_column(sums, tables + 128, v2));
  if (columns > 3)
    high = _mm256_add_epi8(high, add_column(sums, tables + 192, v3));
  add_bytes(&sums->high, high);
}

/* Four rows of either lane: low + 256 high. */
MN_INLINE void store_rows(uint32_t *sums, __m256i pairs) {
  __m256i four = _mm256_madd_epi16(pairs, _mm256_set1_epi32(256 << 16 | 1));
  __m128i *low = (__m128i *)(void *)sums,
          *high = (__m128i *)(void *)(sums + 16);
  __m128i more = _mm256_castsi256_si128(four);
  _mm_storeu_si128(low, _mm_add_epi32(_mm_loadu_si128(low), more));
  more = _mm256_extracti128_si256(four, 1);
  _mm_storeu_si128(high, _mm_add_epi32(_mm_loadu_si128(high), more));
}

MN_INLINE void flush(const row_sums *from, uint32_t *sums) {
  const byte_sums *low = &from->low, *high = &from->high;
  __m256i low_even =
      _mm256_sub_epi16(low->even, _mm256_slli_epi16(low->odd, 8));
  __m256i high_even =
      _mm256_sub_epi16(high->even, _mm256_slli_epi16(high->odd, 8));
  __m256i first_low = _mm256_unpacklo_epi16(low_even, low->odd);
  __m256i last_low = _mm256_unpackhi_epi16(low_even, low->odd);
  __m256i first_high = _mm256_unpacklo_epi16(high_even, high->odd);
  __m256i last_high = _mm256_unpackhi_epi16(high_even, high->odd);
  store_rows(sums, _mm256_unpacklo_epi16(first_low, first_high));
  store_rows(sums + 4, _mm256_unpackhi_epi16(first_low, first_high));
  store_rows(sums + 8, _mm256_unpacklo_epi16(last_low, last_high));
  store_rows(sums + 12, _mm256_unpackhi_epi16(last_low, last_high));
}

MN_AVX2 void mn_lookup_u4_avx2(const uint8_t *tables,
                               const uint8_t *const *rows, uint32_t bytes,
                               uint32_t *sums) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i square[16];
  for (uint32_t r = 0; r < MN_LOOKUP_ROWS; r += 8)
    _mm256_storeu_si256((__m256i *)(void *)(sums + r), zero);
  for (uint32_t at = 0; at < bytes;) {
    row_sums part = {{zero, zero}, {zero, zero}};
    /* 64 times two low bytes are below 2^15, the limit of store_rows. */
    uint32_t end = bytes - at > 64 ? at + 64 : bytes;
    for (; at + 16 <= end; at += 16, tables += 16 * 64) {
      load_square(square, rows, at, 16);
      for (uint32_t i = 0; i < 4; i++)
        add_columns(&part, tables, square, i, 4);
    }
    if (at < end) {
      uint32_t left = end - at, i = 0;
      load_square(square, rows, at, left);
      for (; i < left / 4; i++)
        add_columns(&part, tables, square, i, 4);
      if (left % 4 != 0)
        add_columns(&part, tables, square, i, left % 4);
      at = end;
    }
    flush(&part, sums);
  }
}

#endif
