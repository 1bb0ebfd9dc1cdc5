/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cortex-M with the DSP extension (M4, M7, M33): sums of integers by SMLAD,
 * which adds the products of two pairs of halfwords. All else is the
 * reference's.
 *
 * Codes are masked where they lie: of a word, shifted, a mask takes a code of
 * the lower halfword and one of the upper. The weights are paired to suit.
 */
#include "kernels.h"
#if defined(MN_HAS_DSP)

#include "partial.h"
#include "shared.h"

#define MN_INLINE static inline __attribute__((always_inline))

MN_INLINE uint32_t word_at(const void *p) {
  return ((const mn_unaligned_u32 *)p)->value;
}

/* --- Instructions --------------------------------------------------------- */

MN_INLINE uint32_t add_products(uint32_t x, uint32_t y, uint32_t sum) {
  __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(x), "r"(y));
  return sum;
}

/* The bytes 0 and 2 of x as halfwords, sign-extended; 1 and 3; 2 and 0; 3 and
 * 1: the first of each below. */
MN_INLINE uint32_t bytes_02(uint32_t x) {
  __asm__("sxtb16 %0, %1" : "=r"(x) : "r"(x));
  return x;
}

MN_INLINE uint32_t bytes_13(uint32_t x) {
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(x) : "r"(x));
  return x;
}

MN_INLINE uint32_t bytes_20(uint32_t x) {
  __asm__("sxtb16 %0, %1, ror #16" : "=r"(x) : "r"(x));
  return x;
}

MN_INLINE uint32_t bytes_31(uint32_t x) {
  __asm__("sxtb16 %0, %1, ror #24" : "=r"(x) : "r"(x));
  return x;
}

/* The lower halfword of x below that of y << left; and the upper one of x above
 * that of y >> right. */
#define BOTTOM_TOP(result, x, y, left)                                         \
  __asm__("pkhbt %0, %1, %2, lsl %3" : "=r"(result) : "r"(x), "r"(y), "i"(left))
#define TOP_BOTTOM(result, x, y, right)                                        \
  __asm__("pkhtb %0, %1, %2, asr %3"                                           \
          : "=r"(result)                                                       \
          : "r"(x), "r"(y), "i"(right))

/* --- Weights of 16 bits --------------------------------------------------- */

static int32_t mn_dot_i16_i8_dsp(const int16_t *a, const int8_t *b,
                                 uint32_t n) {
  uint32_t sum = 0;
  for (; n >= 4; n -= 4, a += 4, b += 4) {
    const uint32_t four = word_at(b), even = bytes_02(four),
                   odd = bytes_13(four);
    uint32_t first, last;
    BOTTOM_TOP(first, even, odd, 16);
    TOP_BOTTOM(last, odd, even, 16);
    sum = add_products(word_at(a), first, sum);
    sum = add_products(word_at(a + 2), last, sum);
  }
  return (int32_t)sum + mn_dot_i16_i8_c(a, b, n);
}

/* Weights k and k + 1 of a word's elements, with those `half` further on. */
MN_INLINE uint32_t add_two(const int16_t *a, uint32_t k, uint32_t half,
                           uint32_t codes, uint32_t next, uint32_t sum) {
  const uint32_t x = word_at(a + k), y = word_at(a + k + half);
  uint32_t even, odd;
  BOTTOM_TOP(even, x, y, 16);
  TOP_BOTTOM(odd, y, x, 16);
  sum = add_products(even, codes, sum);
  return add_products(odd, next, sum);
}

static int32_t mn_dot_i16_u4_dsp(const int16_t *a, const uint8_t *b,
                                 uint32_t n) {
  const uint32_t mask = 0x000f000f;
  uint32_t sum = 0;
  for (; n >= 8; n -= 8, a += 8, b += 4) {
    const uint32_t w = word_at(b);
    sum = add_two(a, 0, 4, w & mask, w >> 4 & mask, sum);
    sum = add_two(a, 2, 4, w >> 8 & mask, w >> 12 & mask, sum);
  }
  return (int32_t)(sum + (uint32_t)mn_dot_i16_u4_c(a, b, n));
}

static int32_t mn_dot_i16_u2_dsp(const int16_t *a, const uint8_t *b,
                                 uint32_t n) {
  const uint32_t mask = 0x00030003;
  uint32_t sum = 0;
  for (; n >= 16; n -= 16, a += 16, b += 4) {
    const uint32_t w = word_at(b);
    sum = add_two(a, 0, 8, w & mask, w >> 2 & mask, sum);
    sum = add_two(a, 2, 8, w >> 4 & mask, w >> 6 & mask, sum);
    sum = add_two(a, 4, 8, w >> 8 & mask, w >> 10 & mask, sum);
    sum = add_two(a, 6, 8, w >> 12 & mask, w >> 14 & mask, sum);
  }
  return (int32_t)(sum + (uint32_t)mn_dot_i16_u2_c(a, b, n));
}

/* --- Weights of 8 bits ---------------------------------------------------- */

/* Two rows at once share the weights, which take half of the instructions. */
typedef struct {
  uint32_t first, second;
} two;

/* Four weights. Elements 0 and 2 lie at `at` in the halves of `codes`, elements
 * 1 and 3 one element higher; where `turned`, with the halves exchanged. */
MN_INLINE two add_four(const int8_t *a, uint32_t bits, int turned, uint32_t at,
                       int both, two codes, two sums) {
  const uint32_t mask = 0x00010001u * ((1u << bits) - 1), x = word_at(a);
  const uint32_t even = turned ? bytes_20(x) : bytes_02(x);
  const uint32_t odd = turned ? bytes_31(x) : bytes_13(x);
  sums.first = add_products(even, codes.first >> at & mask, sums.first);
  sums.first = add_products(odd, codes.first >> (at + bits) & mask, sums.first);
  if (both) {
    sums.second = add_products(even, codes.second >> at & mask, sums.second);
    sums.second =
        add_products(odd, codes.second >> (at + bits) & mask, sums.second);
  }
  return sums;
}

/* Of a word the lower half, beside itself two elements on; and the upper one
 * above itself two elements on. */
MN_INLINE uint32_t lower_half(uint32_t w, uint32_t bits) {
  uint32_t codes;
  if (bits == 4)
    BOTTOM_TOP(codes, w, w, 8);
  else if (bits == 2)
    BOTTOM_TOP(codes, w, w, 12);
  else
    BOTTOM_TOP(codes, w, w, 14);
  return codes;
}

MN_INLINE uint32_t upper_half(uint32_t w, uint32_t bits) {
  uint32_t codes;
  if (bits == 4)
    TOP_BOTTOM(codes, w, w, 24);
  else if (bits == 2)
    TOP_BOTTOM(codes, w, w, 20);
  else
    TOP_BOTTOM(codes, w, w, 18);
  return codes;
}

/* What is left when no word is full. */
MN_INLINE uint32_t dot_end(const int8_t *a, uint32_t bits, const uint8_t *b,
                           uint32_t n) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < n; i++) {
    const int32_t code =
        b[i * bits / 8] >> i * bits % 8 & (int32_t)((1u << bits) - 1);
    sum += (uint32_t)(a[i] * code);
  }
  return sum;
}

MN_INLINE two dot_rows(const int8_t *a, uint32_t bits, const uint8_t *b,
                       const uint8_t *c, int both, uint32_t n) {
  const uint32_t step = 32 / bits;
  two sums = {0, 0};
  for (; n >= step; n -= step, a += step, b += 4, c += 4) {
    two w = {word_at(b), 0}, codes = {lower_half(w.first, bits), 0};
    if (both) {
      w.second = word_at(c);
      codes.second = lower_half(w.second, bits);
    }
    for (uint32_t k = 0; k < step / 2; k += 4)
      sums = add_four(a + k, bits, 0, k * bits, both, codes, sums);
    codes.first = upper_half(w.first, bits);
    codes.second = both ? upper_half(w.second, bits) : 0;
    for (uint32_t k = 0; k < step / 2; k += 4)
      sums = add_four(a + step / 2 + k, bits, 1, k * bits, both, codes, sums);
  }
  sums.first += dot_end(a, bits, b, n);
  if (both)
    sums.second += dot_end(a, bits, c, n);
  return sums;
}

MN_INLINE void dot_all(const int8_t *a, uint32_t bits, const mn_rows *rows,
                       uint32_t n, int32_t *sums) {
  uint32_t i = 0;
  for (; i + 2 <= rows->count; i += 2) {
    const two both =
        dot_rows(a, bits, mn_row(rows, i), mn_row(rows, i + 1), 1, n);
    sums[i] = (int32_t)both.first;
    sums[i + 1] = (int32_t)both.second;
  }
  if (i < rows->count) {
    const uint8_t *b = mn_row(rows, i);
    sums[i] = (int32_t)dot_rows(a, bits, b, b, 0, n).first;
  }
}

static void mn_dot_i8_u4_dsp(const int8_t *a, const mn_rows *b, uint32_t n,
                             int32_t *sums) {
  dot_all(a, 4, b, n, sums);
}

static void mn_dot_i8_u2_dsp(const int8_t *a, const mn_rows *b, uint32_t n,
                             int32_t *sums) {
  dot_all(a, 2, b, n, sums);
}

static void mn_dot_i8_u1_dsp(const int8_t *a, const mn_rows *b, uint32_t n,
                             int32_t *sums) {
  dot_all(a, 1, b, n, sums);
}

/* --- The table ------------------------------------------------------------ */

const mn_kernels mn_kernels_dsp = {
    .name = "dsp",
    .features = 0,
    .dot_f32 = mn_dot_f32_c,
    .l2_f32 = mn_l2_f32_c,
    .dot_f16 = MN_IF_FLOATS(mn_dot_f16_c),
    .l2_f16 = MN_IF_FLOATS(mn_l2_f16_c),
    .dot_bf16 = MN_IF_FLOATS(mn_dot_bf16_c),
    .l2_bf16 = MN_IF_FLOATS(mn_l2_bf16_c),
    .dot_i16_i8 = MN_IF_SQ(mn_dot_i16_i8_dsp),
    .dot_i16_u4 = MN_IF_SQ(mn_dot_i16_u4_dsp),
    .dot_i16_u2 = MN_IF_SQ(mn_dot_i16_u2_dsp),
    .dot_i8_u4 = MN_IF_BITS(mn_dot_i8_u4_dsp),
    .dot_i8_u2 = MN_IF_BITS(mn_dot_i8_u2_dsp),
    .dot_i8_u1 = MN_IF_BITS(mn_dot_i8_u1_dsp),
    .count_xor = mn_count_xor_c,
    .count_and = MN_IF_SIGN(mn_count_and_c),
    .count_xor_rows = MN_IF_BITS(mn_count_xor_rows_c),
    .lookup_u4 = mn_lookup_u4_c,
    .lookup_u8 = MN_IF_PQ(mn_lookup_u8_c),
    .l2_columns = MN_IF_PQ(mn_l2_columns_c),
    .dot_columns = MN_IF_PQ(mn_dot_columns_c),
    .nearest_column = MN_IF_PQ(mn_nearest_column_c),
};

#endif
