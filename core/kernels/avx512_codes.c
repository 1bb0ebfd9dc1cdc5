/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AVX-512: sums of integers and of bits.
 */
#if defined(__x86_64__) || defined(__i386__)

#include "avx512.h"

/* The lowest `count` (0 to 31, 0 to 63) bits. */
MN_INLINE uint32_t low_bits(uint32_t count) {
  return (1u << count) - 1;
}

MN_INLINE uint64_t low_bits64(uint32_t count) {
  return (1ull << count) - 1;
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
  __mmask16 mask = mn_lanes_below((count + 1) / 2);
  __m512i pairs = _mm512_cvtepu16_epi64(_mm_maskz_loadu_epi8(mask, b));
  return _mm512_and_si512(_mm512_multishift_epi64_epi8(from, pairs),
                          _mm512_set1_epi16(15));
}

MN_INLINE __m512i words_u2(const uint8_t *b, uint32_t count) {
  const __m512i from = _mm512_set1_epi64(0x0006000400020000);
  __mmask16 mask = mn_lanes_below((count + 3) / 4);
  __m512i bytes = _mm512_cvtepu8_epi64(_mm_maskz_loadu_epi8(mask, b));
  return _mm512_and_si512(_mm512_multishift_epi64_epi8(from, bytes),
                          _mm512_set1_epi16(3));
}

MN_AVX512 int32_t mn_dot_i16_i8_avx512(const int16_t *a, const int8_t *b,
                                       uint32_t n) {
  return dot(words_i8, 8, a, b, n);
}

MN_AVX512 int32_t mn_dot_i16_u4_avx512(const int16_t *a, const uint8_t *b,
                                       uint32_t n) {
  return dot(words_u4, 4, a, b, n);
}

MN_AVX512 int32_t mn_dot_i16_u2_avx512(const int16_t *a, const uint8_t *b,
                                       uint32_t n) {
  return dot(words_u2, 2, a, b, n);
}

/* Elements of b as bytes; the first `count` of them where it is below 64, then
 * anything. */
typedef __m512i read_bytes(const uint8_t *b, uint32_t count);

MN_INLINE int32_t dot_bytes(read_bytes *bytes, uint32_t bits, const int8_t *a,
                            const uint8_t *b, uint32_t n) {
  __m512i sums = _mm512_setzero_si512(), last = sums;
  for (; n >= 64; n -= 64, a += 64, b += 8 * bits)
    sums = _mm512_dpbusd_epi32(sums, bytes(b, 64), _mm512_loadu_si512(a));
  if (n > 0)
    last = _mm512_dpbusd_epi32(last, bytes(b, n),
                               _mm512_maskz_loadu_epi8(low_bits64(n), a));
  return _mm512_reduce_add_epi32(_mm512_add_epi32(sums, last));
}

MN_INLINE __m512i bytes_u4(const uint8_t *b, uint32_t count) {
  const __m512i from = _mm512_set1_epi64(0x3430242014100400);
  __mmask32 mask = count < 63 ? low_bits((count + 1) / 2) : UINT32_MAX;
  __m512i bytes = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(mask, b));
  return _mm512_and_si512(_mm512_multishift_epi64_epi8(from, bytes),
                          _mm512_set1_epi8(15));
}

MN_INLINE __m512i bytes_u2(const uint8_t *b, uint32_t count) {
  const __m512i from = _mm512_set1_epi64(0x2624222006040200);
  __mmask16 mask = mn_lanes_below((count + 3) / 4);
  __m512i bytes = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, b));
  return _mm512_and_si512(_mm512_multishift_epi64_epi8(from, bytes),
                          _mm512_set1_epi8(3));
}

/* Of four vectors of 16 lanes the sums, in four lanes. */
MN_INLINE __m128i add_four(const __m512i sums[4]) {
  __m256i eight[4];
  for (uint32_t i = 0; i < 4; i++)
    eight[i] = _mm256_add_epi32(_mm512_castsi512_si256(sums[i]),
                                _mm512_extracti64x4_epi64(sums[i], 1));
  __m256i two = _mm256_hadd_epi32(_mm256_hadd_epi32(eight[0], eight[1]),
                                  _mm256_hadd_epi32(eight[2], eight[3]));
  return _mm_add_epi32(_mm256_castsi256_si128(two),
                       _mm256_extracti128_si256(two, 1));
}

/* 128 weights, those of even elements and those of odd ones apart, and which
 * bytes of a row they meet. */
typedef struct {
  __m512i even, odd;
  __mmask64 bytes;
} weights_u4;

/* The first `n` at a, if there are no more than 128. */
MN_INLINE weights_u4 take_weights(const int8_t *a, uint32_t n) {
  __mmask64 first = n < 64 ? low_bits64(n) : ~0ull;
  __mmask64 last = n < 64 ? 0 : n < 128 ? low_bits64(n - 64) : ~0ull;
  __m512i low = _mm512_maskz_loadu_epi8(first, a);
  __m512i high = _mm512_maskz_loadu_epi8(last, a + 64);
  __m256i even = _mm512_cvtepi16_epi8(low);
  __m256i odd = _mm512_cvtepi16_epi8(_mm512_srli_epi16(low, 8));
  return (weights_u4){
      _mm512_inserti64x4(_mm512_castsi256_si512(even),
                         _mm512_cvtepi16_epi8(high), 1),
      _mm512_inserti64x4(_mm512_castsi256_si512(odd),
                         _mm512_cvtepi16_epi8(_mm512_srli_epi16(high, 8)), 1),
      n < 127 ? low_bits64((n + 1) / 2) : ~0ull};
}

MN_INLINE __m512i meet_weights(__m512i sums, const weights_u4 *w,
                               const uint8_t *b) {
  const __m512i mask = _mm512_set1_epi8(15);
  __m512i bytes = _mm512_maskz_loadu_epi8(w->bytes, b);
  sums = _mm512_dpbusd_epi32(sums, _mm512_and_si512(bytes, mask), w->even);
  bytes = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), mask);
  return _mm512_dpbusd_epi32(sums, bytes, w->odd);
}

/* Rows of up to 256 elements, four at a time; behind the last, the last again.
 */
MN_INLINE void dot_short_u4(const int8_t *a, const mn_rows *b, uint32_t n,
                            int32_t *sums, int is_long) {
  const weights_u4 first = take_weights(a, n < 128 ? n : 128);
  const weights_u4 more = is_long ? take_weights(a + 128, n - 128) : first;
  const uint32_t last = b->count - 1;
  for (uint32_t i = 0; i <= last; i += 4) {
    __m512i four[4];
    for (uint32_t r = 0; r < 4; r++) {
      const uint8_t *row = mn_row(b, i + r < last ? i + r : last);
      four[r] = meet_weights(_mm512_setzero_si512(), &first, row);
      if (is_long)
        four[r] = meet_weights(four[r], &more, row + 64);
    }
    _mm_mask_storeu_epi32(sums + i, (__mmask8)mn_lanes_below(last + 1 - i),
                          add_four(four));
  }
}

MN_AVX512 void mn_dot_i8_u4_avx512(const int8_t *a, const mn_rows *b,
                                   uint32_t n, int32_t *sums) {
  if (b->count == 0)
    return;
  if (n <= 128)
    dot_short_u4(a, b, n, sums, 0);
  else if (n <= 256)
    dot_short_u4(a, b, n, sums, 1);
  else
    for (uint32_t i = 0; i < b->count; i++)
      sums[i] = dot_bytes(bytes_u4, 4, a, mn_row(b, i), n);
}

MN_AVX512 void mn_dot_i8_u2_avx512(const int8_t *a, const mn_rows *b,
                                   uint32_t n, int32_t *sums) {
  for (uint32_t i = 0; i < b->count; i++)
    sums[i] = dot_bytes(bytes_u2, 2, a, mn_row(b, i), n);
}

/* Bits are masks: of the weights, only those are loaded. */
MN_INLINE __m512i add_weights(__m512i sums, const int8_t *a, uint64_t bits) {
  return _mm512_dpbusd_epi32(sums, _mm512_set1_epi8(1),
                             _mm512_maskz_loadu_epi8(bits, a));
}

MN_INLINE int32_t dot_u1(const int8_t *a, const uint8_t *b, uint32_t n) {
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

MN_AVX512 void mn_dot_i8_u1_avx512(const int8_t *a, const mn_rows *b,
                                   uint32_t n, int32_t *sums) {
  for (uint32_t i = 0; i < b->count; i++)
    sums[i] = dot_u1(a, mn_row(b, i), n);
}

typedef __m512i combine(__m512i a, __m512i b);

MN_INLINE __m512i exclusive_or(__m512i a, __m512i b) {
  return _mm512_xor_si512(a, b);
}

MN_INLINE __m512i both(__m512i a, __m512i b) {
  return _mm512_and_si512(a, b);
}

/* Bits in each eight bytes, of all together. */
MN_INLINE __m512i count_words(combine *with, const uint8_t *a, const uint8_t *b,
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
  return sums;
}

MN_AVX512 uint32_t mn_count_xor_avx512(const uint8_t *a, const uint8_t *b,
                                       uint32_t bytes) {
  return (uint32_t)_mm512_reduce_add_epi64(
      count_words(exclusive_or, a, b, bytes));
}

MN_AVX512 uint32_t mn_count_and_avx512(const uint8_t *a, const uint8_t *b,
                                       uint32_t bytes) {
  return (uint32_t)_mm512_reduce_add_epi64(count_words(both, a, b, bytes));
}

/* Sums of neighbours: of a in the lower of each two lanes, of b in the upper;
 * and of neighbouring pairs of lanes, of a in the lower half, of b in the
 * upper. */
MN_INLINE __m512i fold_lanes(__m512i a, __m512i b) {
  return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b),
                          _mm512_unpackhi_epi64(a, b));
}

MN_INLINE __m512i fold_pairs(__m512i a, __m512i b) {
  return _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, 0x88),
                          _mm512_shuffle_i64x2(a, b, 0xdd));
}

MN_AVX512 void mn_count_xor_rows_avx512(const uint8_t *a, const uint8_t *rows,
                                        size_t stride, uint32_t bytes,
                                        uint32_t count, uint32_t *counts) {
  const __m512i zero = _mm512_setzero_si512();
  uint32_t r = 0;
  for (; r + 8 <= count; r += 8, rows += 8 * stride) {
    __m512i sums[8] = {zero, zero, zero, zero, zero, zero, zero, zero};
    for (uint32_t at = 0; at < bytes; at += 64) {
      __mmask64 mask = bytes - at < 64 ? low_bits64(bytes - at) : ~0ull;
      __m512i part = _mm512_maskz_loadu_epi8(mask, a + at);
      for (uint32_t i = 0; i < 8; i++) {
        __m512i row = _mm512_maskz_loadu_epi8(mask, rows + i * stride + at);
        row = _mm512_popcnt_epi64(_mm512_xor_si512(row, part));
        sums[i] = _mm512_add_epi64(sums[i], row);
      }
    }
    __m512i two[4];
    for (uint32_t i = 0; i < 4; i++)
      two[i] = fold_lanes(sums[2 * i], sums[2 * i + 1]);
    __m512i eight =
        fold_pairs(fold_pairs(two[0], two[1]), fold_pairs(two[2], two[3]));
    _mm256_storeu_si256((__m256i *)(void *)(counts + r),
                        _mm512_cvtepi64_epi32(eight));
  }
  for (; r < count; r++, rows += stride)
    counts[r] = mn_count_xor_avx512(a, rows, bytes);
}

#endif
