/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AVX2: sums of integers and of bits.
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

/* --- Products of int8, added in pairs to int16 ---------------------------- */

/* 32 elements of b as bytes; and the first `count` (1 to 31) of them, then
 * anything. `is_end`: as many as 32 lie before them. */
typedef __m256i read_bytes(const uint8_t *b);
typedef __m256i read_few_bytes(const uint8_t *b, uint32_t count, int is_end);

MN_INLINE int32_t dot_bytes(read_bytes *read, read_few_bytes *few,
                            uint32_t bits, const int8_t *a, const uint8_t *b,
                            uint32_t n) {
  const __m256i ones = _mm256_set1_epi16(1);
  const int is_long = n >= 32;
  __m256i eight = _mm256_setzero_si256();
  while (n >= 32) {
    __m256i words = _mm256_setzero_si256();
    /* A pair is -3840 at least, so 8 of them fit into a word. */
    uint32_t left = n > 8 * 32 ? n - 8 * 32 : 0;
    for (; n >= left + 32; n -= 32, a += 32, b += 4 * bits)
      words = _mm256_add_epi16(words, _mm256_maddubs_epi16(read(b), load(a)));
    eight = add_products(eight, words, ones);
  }
  if (n > 0)
    eight = add_products(
        eight, _mm256_maddubs_epi16(few(b, n, is_long), load(a)), ones);
  return mn_add_lanes(eight);
}

MN_INLINE __m256i bytes_of_u4(__m128i packed) {
  __m256i words = _mm256_cvtepu8_epi16(packed);
  words = _mm256_or_si256(words, _mm256_slli_epi16(words, 4));
  return _mm256_and_si256(words, _mm256_set1_epi8(15));
}

MN_INLINE __m256i read_u4(const uint8_t *b) {
  return bytes_of_u4(_mm_loadu_si128((const __m128i *)b));
}

/* At the end, a read of 16 bytes up to the last; the lowest are dropped. */
MN_INLINE __m256i read_few_u4(const uint8_t *b, uint32_t count, int is_end) {
  static const uint8_t where[31] = {0, 1, 2,  3,  4,  5,  6,  7,
                                    8, 9, 10, 11, 12, 13, 14, 15};
  const uint32_t bytes = (count + 1) / 2;
  if (!is_end)
    return bytes_of_u4(mn_load_part(b, bytes));
  __m128i last = _mm_loadu_si128((const __m128i *)(b + bytes - 16));
  __m128i from = _mm_loadu_si128((const __m128i *)(where + 16 - bytes));
  return bytes_of_u4(_mm_shuffle_epi8(last, from));
}

MN_INLINE __m256i bytes_of_u2(__m128i packed) {
  __m256i four = _mm256_cvtepu8_epi32(packed);
  four = _mm256_or_si256(four, _mm256_slli_epi32(four, 12));
  four = _mm256_or_si256(four, _mm256_slli_epi32(four, 6));
  return _mm256_and_si256(four, _mm256_set1_epi8(3));
}

MN_INLINE __m256i read_u2(const uint8_t *b) {
  return bytes_of_u2(_mm_loadl_epi64((const __m128i *)b));
}

MN_INLINE __m256i read_few_u2(const uint8_t *b, uint32_t count, int is_end) {
  const uint32_t bytes = (count + 3) / 4;
  if (!is_end)
    return bytes_of_u2(mn_load_part(b, bytes));
  const uint64_t last = ((const mn_unaligned_u64 *)(b + bytes - 8))->value;
  return bytes_of_u2(_mm_cvtsi64_si128((int64_t)(last >> (64 - 8 * bytes))));
}

/* Of four vectors of 16 words the sums, in four lanes. */
MN_INLINE __m128i add_four(const __m256i words[4]) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i eight[4];
  for (uint32_t i = 0; i < 4; i++)
    eight[i] = _mm256_madd_epi16(words[i], ones);
  __m256i two = _mm256_hadd_epi32(_mm256_hadd_epi32(eight[0], eight[1]),
                                  _mm256_hadd_epi32(eight[2], eight[3]));
  return _mm_add_epi32(_mm256_castsi256_si128(two),
                       _mm256_extracti128_si256(two, 1));
}

/* The weights of a row's bytes, 32 at a time: of their lower halves and of
 * their upper ones. The last 32 bytes begin where the row has 32 left, and so
 * may have been met in part; these have weights of 0. A row of fewer is met
 * in a copy. */
#define SHORT_BYTES 128u
typedef struct {
  __m256i lower[SHORT_BYTES / 32], upper[SHORT_BYTES / 32];
  uint32_t at[SHORT_BYTES / 32];
  uint32_t parts;
} weights_u4;

/* 64 weights: the even ones and then the odd ones. */
MN_INLINE void part_weights(const int8_t *a, uint32_t count, __m256i *even,
                            __m256i *odd) {
  const __m256i mask = _mm256_set1_epi16(255);
  __m256i low = count < 32 ? load_long_part(a, count) : load(a);
  __m256i high = count > 32 && count < 64 ? load_long_part(a + 32, count - 32)
                 : count < 64             ? _mm256_setzero_si256()
                                          : load(a + 32);
  __m256i evens = _mm256_packus_epi16(_mm256_and_si256(low, mask),
                                      _mm256_and_si256(high, mask));
  __m256i odds = _mm256_packus_epi16(_mm256_srli_epi16(low, 8),
                                     _mm256_srli_epi16(high, 8));
  *even = _mm256_permute4x64_epi64(evens, 0xd8);
  *odd = _mm256_permute4x64_epi64(odds, 0xd8);
}

/* A vector's bytes moved up by `by`, zeros before them. */
MN_INLINE __m256i move_up(__m256i bytes, uint32_t by) {
  uint8_t room[64];
  _mm256_storeu_si256((__m256i *)(void *)room, _mm256_setzero_si256());
  _mm256_storeu_si256((__m256i *)(void *)(room + 32), bytes);
  return load(room + 32 - by);
}

MN_INLINE void take_weights(const int8_t *a, uint32_t n, weights_u4 *w) {
  const uint32_t bytes = (n + 1) / 2;
  for (w->parts = 0; n > 0; w->parts++) {
    const uint32_t count = n < 64 ? n : 64, from = 32 * w->parts;
    __m256i *lower = &w->lower[w->parts], *upper = &w->upper[w->parts];
    part_weights(a, count, lower, upper);
    w->at[w->parts] = from;
    if (from > 0 && bytes - from < 32) {
      const uint32_t by = 32 - (bytes - from);
      *lower = move_up(*lower, by);
      *upper = move_up(*upper, by);
      w->at[w->parts] -= by;
    }
    n -= count, a += count;
  }
}

/* Products of 32 bytes. A pair is -3840 at least, so 8 of them fit into a word.
 */
MN_INLINE __m256i meet_weights(__m256i words, const weights_u4 *w, uint32_t p,
                               __m256i bytes) {
  const __m256i mask = _mm256_set1_epi8(15);
  words = _mm256_add_epi16(
      words, _mm256_maddubs_epi16(_mm256_and_si256(bytes, mask), w->lower[p]));
  bytes = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask);
  return _mm256_add_epi16(words, _mm256_maddubs_epi16(bytes, w->upper[p]));
}

/* Rows four at a time; behind the last, the last again. `parts`: of a row, or 0
 * where it is shorter than one. */
MN_INLINE void dot_short_u4(const weights_u4 *w, const mn_rows *b, uint32_t n,
                            uint32_t parts, int32_t *sums) {
  const uint32_t last = b->count - 1;
  for (uint32_t i = 0; i <= last; i += 4) {
    __m256i words[4];
    for (uint32_t r = 0; r < 4; r++) {
      const uint8_t *row = mn_row(b, i + r < last ? i + r : last);
      words[r] = _mm256_setzero_si256();
      if (parts == 0)
        words[r] =
            meet_weights(words[r], w, 0, load_long_part(row, (n + 1) / 2));
      for (uint32_t p = 0; p < parts; p++)
        words[r] = meet_weights(words[r], w, p, load(row + w->at[p]));
    }
    __m128i four = add_four(words);
    if (i + 4 <= b->count)
      _mm_storeu_si128((__m128i *)(void *)(sums + i), four);
    else
      _mm_maskstore_epi32(
          sums + i, _mm256_castsi256_si128(mn_first_lanes(last + 1 - i)), four);
  }
}

MN_AVX2 void mn_dot_i8_u4_avx2(const int8_t *a, const mn_rows *b, uint32_t n,
                               int32_t *sums) {
  weights_u4 w;
  if (b->count == 0)
    return;
  if (n == 0 || n > 2 * SHORT_BYTES) {
    for (uint32_t i = 0; i < b->count; i++)
      sums[i] = dot_bytes(read_u4, read_few_u4, 4, a, mn_row(b, i), n);
    return;
  }
  take_weights(a, n, &w);
  if (n <= 62)
    dot_short_u4(&w, b, n, 0, sums);
  else if (w.parts == 2) /* its own code, for the dimensions that are usual */
    dot_short_u4(&w, b, n, 2, sums);
  else
    dot_short_u4(&w, b, n, w.parts, sums);
}

MN_AVX2 void mn_dot_i8_u2_avx2(const int8_t *a, const mn_rows *b, uint32_t n,
                               int32_t *sums) {
  for (uint32_t i = 0; i < b->count; i++)
    sums[i] = dot_bytes(read_u2, read_few_u2, 2, a, mn_row(b, i), n);
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

MN_INLINE int32_t dot_u1(const int8_t *a, const uint8_t *b, uint32_t n) {
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

MN_AVX2 void mn_dot_i8_u1_avx2(const int8_t *a, const mn_rows *b, uint32_t n,
                               int32_t *sums) {
  for (uint32_t i = 0; i < b->count; i++)
    sums[i] = dot_u1(a, mn_row(b, i), n);
}

/* Rows are too short for vectors of counts to pay. */
#define MN_POPCNT __attribute__((target("popcnt")))

typedef uint64_t combine(uint64_t a, uint64_t b);

static inline __attribute__((always_inline)) MN_POPCNT uint64_t
exclusive_or(uint64_t a, uint64_t b) {
  return a ^ b;
}

static inline __attribute__((always_inline)) MN_POPCNT uint64_t
both(uint64_t a, uint64_t b) {
  return a & b;
}

static inline __attribute__((always_inline)) MN_POPCNT uint32_t
count_eight(combine *with, const uint8_t *a, const uint8_t *b) {
  uint64_t bits = with(((const mn_unaligned_u64 *)a)->value,
                       ((const mn_unaligned_u64 *)b)->value);
  return (uint32_t)__builtin_popcountll(bits);
}

static inline __attribute__((always_inline)) MN_POPCNT uint32_t
count_all(combine *with, const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  uint32_t sum = 0;
  for (; bytes >= 32; bytes -= 32, a += 32, b += 32)
    sum += count_eight(with, a, b) + count_eight(with, a + 8, b + 8) +
           count_eight(with, a + 16, b + 16) +
           count_eight(with, a + 24, b + 24);
  for (; bytes >= 8; bytes -= 8, a += 8, b += 8)
    sum += count_eight(with, a, b);
  if (bytes > 0)
    sum += (uint32_t)__builtin_popcountll(
        with(mn_load_partial(a, bytes), mn_load_partial(b, bytes)));
  return sum;
}

MN_POPCNT uint32_t mn_count_xor_avx2(const uint8_t *a, const uint8_t *b,
                                     uint32_t bytes) {
  return count_all(exclusive_or, a, b, bytes);
}

MN_POPCNT uint32_t mn_count_and_avx2(const uint8_t *a, const uint8_t *b,
                                     uint32_t bytes) {
  return count_all(both, a, b, bytes);
}

MN_POPCNT void mn_count_xor_rows_avx2(const uint8_t *a, const uint8_t *rows,
                                      size_t stride, uint32_t bytes,
                                      uint32_t count, uint32_t *counts) {
  for (uint32_t r = 0; r < count; r++)
    counts[r] = count_all(exclusive_or, a, rows + r * stride, bytes);
}

#endif
