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

/* The bytes 0 and 2 of x as halfwords, sign-extended, the first below; and 1
 * and 3. */
MN_INLINE uint32_t bytes_02(uint32_t x) {
  __asm__("sxtb16 %0, %1" : "=r"(x) : "r"(x));
  return x;
}

MN_INLINE uint32_t bytes_13(uint32_t x) {
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(x) : "r"(x));
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

/* Weights are widened and paired once for all rows, up to so many at a time: a
 * pair is that of two codes which a mask leaves in the halves of a word. */
enum { PART = 128, PER_WORD_MAX = 32 };

/* `words` words of b: 2 * half weights each, of which s meets s + half. */
static void pair_weights(const int8_t *a, uint32_t half, uint32_t words,
                         uint32_t *pairs) {
  for (; words > 0; words--, a += half)
    for (uint32_t s = 0; s < half; s += 4, a += 4, pairs += 4) {
      const uint32_t x = word_at(a), y = word_at(a + half);
      const uint32_t x_even = bytes_02(x), x_odd = bytes_13(x);
      const uint32_t y_even = bytes_02(y), y_odd = bytes_13(y);
      BOTTOM_TOP(pairs[0], x_even, y_even, 16);
      BOTTOM_TOP(pairs[1], x_odd, y_odd, 16);
      TOP_BOTTOM(pairs[2], y_even, x_even, 16);
      TOP_BOTTOM(pairs[3], y_odd, x_odd, 16);
    }
}

/* Two pairs, from where they lie in turn. Not in C: the compiler would load all
 * of a word's at once, and run out of registers. */
typedef struct {
  uint32_t x, y;
} two_pairs;

MN_INLINE two_pairs next_pairs(const uint32_t **pairs) {
  two_pairs p;
  __asm__ volatile("ldrd %0, %1, [%2], #8"
                   : "=&r"(p.x), "=&r"(p.y), "+r"(*pairs)
                   :
                   : "memory");
  return p;
}

#if MN_IS_FAST
#define UNROLL _Pragma("GCC unroll 8")
#else
#define UNROLL
#endif

/* Adds to two sums those of `words` words of two rows, which share the
 * weights. */
MN_INLINE void add_words(uint32_t bits, const uint32_t *pairs, const uint8_t *b,
                         const uint8_t *c, uint32_t words, int32_t *sum_b,
                         int32_t *sum_c) {
  uint32_t mask = 0x00010001u * ((1u << bits) - 1);
  uint32_t first = (uint32_t)*sum_b, second = (uint32_t)*sum_c;
  /* In a register, from where an AND shifts the other operand on its way. */
  __asm__("" : "+r"(mask));
  for (; words > 0; words--, b += 4, c += 4) {
    const uint32_t w = word_at(b), v = word_at(c);
    UNROLL
    for (uint32_t s = 0; s < 16; s += 2 * bits) {
      const two_pairs p = next_pairs(&pairs);
      first = add_products(p.x, w >> s & mask, first);
      second = add_products(p.x, v >> s & mask, second);
      first = add_products(p.y, w >> (s + bits) & mask, first);
      second = add_products(p.y, v >> (s + bits) & mask, second);
    }
  }
  *sum_b = (int32_t)first;
  *sum_c = (int32_t)second;
}

/* Shifts by constants cost nothing, but take a loop for each number of bits. */
static __attribute__((noinline)) void
add_rows_dsp(uint32_t bits, const uint32_t *pairs, const uint8_t *b,
             const uint8_t *c, uint32_t words, int32_t *sum_b, int32_t *sum_c) {
  if (!MN_IS_FAST)
    add_words(bits, pairs, b, c, words, sum_b, sum_c);
  else if (bits == 4)
    add_words(4, pairs, b, c, words, sum_b, sum_c);
  else if (bits == 2)
    add_words(2, pairs, b, c, words, sum_b, sum_c);
  else
    add_words(1, pairs, b, c, words, sum_b, sum_c);
}

/* The `bytes` bytes at p, 1 to 4, then zeros. */
static uint32_t last_word(const uint8_t *p, uint32_t bytes) {
  uint32_t word = 0;
  while (bytes-- > 0)
    word = word << 8 | p[bytes];
  return word;
}

/* The `some` weights from a on, and zeros up to a whole word's: behind them may
 * be the end of memory. */
static void pair_part(const int8_t *a, uint32_t half, uint32_t some,
                      uint32_t *pairs) {
  const uint32_t words = some / (2 * half), left = some % (2 * half);
  int8_t last[PER_WORD_MAX];
  pair_weights(a, half, words, pairs);
  if (left == 0)
    return;
  for (uint32_t i = 0; i < 2 * half; i++)
    last[i] = i < left ? a[some - left + i] : (int8_t)0;
  pair_weights(last, half, 1, pairs + words * half);
}

/* A row without another is its own, and both sums are the same. */
static void dot_rows(const int8_t *a, const mn_rows *rows, uint32_t n,
                     int32_t *sums, uint32_t bits) {
  const uint32_t half = 16 / bits;
  uint32_t pairs[PART / 2];
  uint32_t at = 0;
  do {
    const uint32_t some = n - at < PART ? n - at : PART;
    const uint32_t words = some / (2 * half), from = at * bits / 8;
    const uint32_t bytes = (some % (2 * half) * bits + 7) / 8;
    pair_part(a + at, half, some, pairs);
    for (uint32_t i = 0; i < rows->count; i += 2) {
      const uint32_t j = i + 1 < rows->count ? i + 1 : i;
      const uint8_t *b = mn_row(rows, i) + from;
      const uint8_t *c = mn_row(rows, j) + from;
      if (at == 0)
        sums[i] = sums[j] = 0;
      add_rows_dsp(bits, pairs, b, c, words, sums + i, sums + j);
      if (bytes > 0) {
        const uint32_t w[2] = {last_word(b + 4 * words, bytes),
                               last_word(c + 4 * words, bytes)};
        add_rows_dsp(bits, pairs + words * half, (const uint8_t *)w,
                     (const uint8_t *)(w + 1), 1, sums + i, sums + j);
      }
    }
  } while ((at += PART) < n);
}

static void mn_dot_i8_u4_dsp(const int8_t *a, const mn_rows *b, uint32_t n,
                             int32_t *sums) {
  dot_rows(a, b, n, sums, 4);
}

static void mn_dot_i8_u2_dsp(const int8_t *a, const mn_rows *b, uint32_t n,
                             int32_t *sums) {
  dot_rows(a, b, n, sums, 2);
}

static void mn_dot_i8_u1_dsp(const int8_t *a, const mn_rows *b, uint32_t n,
                             int32_t *sums) {
  dot_rows(a, b, n, sums, 1);
}

/* --- Floats ----------------------------------------------------------------
 */

#if defined(__ARM_FP) && (__ARM_FP & 4) != 0 && !defined(MN_NO_FLOATS)

/* The float unit loads words that are aligned, as vectors are mostly; others
 * are the reference's. Eight lanes at a time, with what they wait for, stay in
 * its registers. */
MN_INLINE int are_aligned(const void *a, const void *b) {
  return (((uintptr_t)a | (uintptr_t)b) & 3) == 0;
}

typedef float make_term(float a, float b);

MN_INLINE float product(float a, float b) {
  return a * b;
}

MN_INLINE float squared_difference(float a, float b) {
  const float difference = a - b;
  return difference * difference;
}

MN_INLINE float sum_floats(make_term *term, const float *a, const float *b,
                           uint32_t n) {
  float lanes[16];
  for (uint32_t first = 0; first < 16; first += 8) {
    float eight[8] = {0};
    uint32_t i = first;
    for (; i + 8 <= n; i += 16)
#pragma GCC unroll 8
      for (uint32_t j = 0; j < 8; j++)
        eight[j] += term(a[i + j], b[i + j]);
#pragma GCC unroll 8
    for (uint32_t j = 0; j < 8; j++)
      lanes[first + j] =
          eight[j] + (i + j < n ? term(a[i + j], b[i + j]) : 0.0f);
  }
  for (uint32_t half = 8; half > 0; half /= 2)
    for (uint32_t j = 0; j < half; j++)
      lanes[j] += lanes[j + half];
  return lanes[0];
}

static float mn_dot_f32_dsp(const float *a, const float *b, uint32_t n) {
  return are_aligned(a, b) ? sum_floats(product, a, b, n)
                           : mn_dot_f32_c(a, b, n);
}

static float mn_l2_f32_dsp(const float *a, const float *b, uint32_t n) {
  return are_aligned(a, b) ? sum_floats(squared_difference, a, b, n)
                           : mn_l2_f32_c(a, b, n);
}

#else
#define mn_dot_f32_dsp mn_dot_f32_c
#define mn_l2_f32_dsp  mn_l2_f32_c
#endif

/* --- The table ------------------------------------------------------------ */

const mn_kernels mn_kernels_dsp = {
    .name = "dsp",
    .features = 0,
    .dot_f32 = mn_dot_f32_dsp,
    .l2_f32 = MN_IF_L2(mn_l2_f32_dsp),
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
    .count_xor = MN_IF_XOR(mn_count_xor_c),
    .count_and = MN_IF_SIGN(mn_count_and_c),
    .count_xor_rows = MN_IF_BITS(mn_count_xor_rows_c),
    .lookup_u4 = MN_IF_LOOKUP(mn_lookup_u4_c),
    .lookup_u8 = MN_IF_PQ(mn_lookup_u8_c),
    .l2_columns = MN_IF_PQ(mn_l2_columns_c),
    .dot_columns = MN_IF_PQ(mn_dot_columns_c),
    .nearest_column = MN_IF_PQ(mn_nearest_column_c),
};

#endif
