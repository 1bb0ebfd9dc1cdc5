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

/* Every processor with AVX2 has popcnt, and rows are too short for vectors of
 * counts to pay. */
static inline __attribute__((always_inline, target("avx2,popcnt"))) uint32_t
differ(const uint8_t *a, const uint8_t *b) {
  return (uint32_t)__builtin_popcountll(((const mn_unaligned_u64 *)a)->value ^
                                        ((const mn_unaligned_u64 *)b)->value);
}

static inline __attribute__((always_inline, target("avx2,popcnt"))) uint32_t
count_words(const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  uint32_t sum = 0;
  for (; bytes >= 32; bytes -= 32, a += 32, b += 32)
    sum += differ(a, b) + differ(a + 8, b + 8) + differ(a + 16, b + 16) +
           differ(a + 24, b + 24);
  for (; bytes >= 8; bytes -= 8, a += 8, b += 8)
    sum += differ(a, b);
  if (bytes > 0)
    sum += (uint32_t)__builtin_popcountll(mn_load_partial(a, bytes) ^
                                          mn_load_partial(b, bytes));
  return sum;
}

__attribute__((target("avx2,popcnt"))) void
mn_count_xor_rows_avx2(const uint8_t *a, const uint8_t *rows, size_t stride,
                       uint32_t bytes, uint32_t count, uint32_t *counts) {
  for (uint32_t r = 0; r < count; r++)
    counts[r] = count_words(a, rows + r * stride, bytes);
}

/* --- Lookups by 4 bits ---------------------------------------------------- */

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
