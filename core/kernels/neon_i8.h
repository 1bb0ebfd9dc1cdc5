/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of a query's 8-bit weights over packed codes: how codes are met with
 * weights, whatever adds the products.
 *
 * Codes are not brought in order. Loads that deal out elements to two or four
 * registers put the weights where the codes lie instead.
 */
#ifndef MN_KERNELS_NEON_I8_H
#define MN_KERNELS_NEON_I8_H

#include "neon.h"

/* The sums, with the products of two pairs of registers added. b is below 16.
 */
typedef int32x4_t add_pair(int32x4_t sums, int8x16_t a0, uint8x16_t b0,
                           int8x16_t a1, uint8x16_t b1);

/* What follows waits for the vector: the compiler, left alone, begins with all
 * rows at once, and then has too few registers for what it began with. */
#define MN_IN_TURN(vector) __asm__ volatile("" : "+w"(vector))

/* Up to four rows are summed at once: they share the weights. */
typedef struct {
  const uint8_t *b[4];
  int32x4_t s[4];
} four_rows;

MN_INLINE four_rows mn_rows_from(const mn_rows *rows, uint32_t first,
                                 uint32_t width) {
  four_rows f;
#pragma GCC unroll 4
  for (uint32_t r = 0; r < width; r++) {
    f.b[r] = mn_row(rows, first + r);
    f.s[r] = vdupq_n_s32(0);
  }
  return f;
}

MN_INLINE void mn_store_sums(const four_rows *f, uint32_t width,
                             int32_t *sums) {
  if (width == 4)
    vst1q_s32(sums, vpaddq_s32(vpaddq_s32(f->s[0], f->s[1]),
                               vpaddq_s32(f->s[2], f->s[3])));
  else
    *sums = vaddvq_s32(f->s[0]);
}

/* `sum` for all rows: sum(row, how many, where). */
#define MN_EVERY_ROW(rows, sum)                                                \
  do {                                                                         \
    uint32_t row_ = 0;                                                         \
    for (; row_ + 4 <= (rows)->count; row_ += 4)                               \
      sum(row_, 4);                                                            \
    for (; row_ < (rows)->count; row_++)                                       \
      sum(row_, 1);                                                            \
  } while (0)

MN_INLINE void mn_add_u4(add_pair *add, four_rows *f, uint32_t width,
                         const int8_t *a, uint32_t at, uint32_t bytes) {
  const int8x16x2_t x = vld2q_s8(a);
#pragma GCC unroll 4
  for (uint32_t r = 0; r < width; r++) {
    uint8x16_t p = bytes == 16 ? vld1q_u8(f->b[r] + at)
                               : mn_load_part(f->b[r] + at, bytes);
    f->s[r] = add(f->s[r], x.val[0], vandq_u8(p, vdupq_n_u8(15)), x.val[1],
                  vshrq_n_u8(p, 4));
  }
}

/* With as many blocks added as are whole: of 32 elements by 4 bits, of 64 by
 * 2. */
typedef void add_blocks(four_rows *f, uint32_t width, const int8_t *a,
                        uint32_t blocks);

MN_INLINE void mn_dot_u4(add_pair *add, add_blocks *whole, const int8_t *a,
                         const mn_rows *rows, uint32_t first, uint32_t width,
                         uint32_t n, int32_t *sums) {
  four_rows f = mn_rows_from(rows, first, width);
  const uint32_t blocks = (n + 1) / 32; /* the weights are zeros from n on */
  whole(&f, width, a, blocks);
  if (n > 32 * blocks)
    mn_add_u4(add, &f, width, a + 32 * (size_t)blocks, 16 * blocks,
              (n - 32 * blocks + 1) / 2);
  mn_store_sums(&f, width, sums + first);
}

MN_INLINE void mn_dot_i8_u4_by(add_pair *add, add_blocks *whole,
                               const int8_t *a, const mn_rows *rows, uint32_t n,
                               int32_t *sums) {
#define SUM(first, width) mn_dot_u4(add, whole, a, rows, first, width, n, sums)
  MN_EVERY_ROW(rows, SUM);
#undef SUM
}

/* 32 elements: of eight bytes the codes 0 and 2, and 1 and 3, as their weights
 * are dealt out. */
MN_INLINE void mn_add_u2_end(add_pair *add, four_rows *f, uint32_t width,
                             const int8_t *a, uint32_t at, uint32_t bytes) {
  const uint8x16_t mask = vdupq_n_u8(3);
  const int8x16x2_t x = vld2q_s8(a);
#pragma GCC unroll 4
  for (uint32_t r = 0; r < width; r++) {
    uint8x8_t p = bytes == 8 ? vld1_u8(f->b[r] + at)
                             : vget_low_u8(mn_load_part(f->b[r] + at, bytes));
    uint8x8x2_t two = vzip_u8(p, vshr_n_u8(p, 4));
    uint8x16_t q = vcombine_u8(two.val[0], two.val[1]);
    f->s[r] = add(f->s[r], x.val[0], vandq_u8(q, mask), x.val[1],
                  vandq_u8(vshrq_n_u8(q, 2), mask));
  }
}

MN_INLINE void mn_dot_u2(add_pair *add, add_blocks *whole, const int8_t *a,
                         const mn_rows *rows, uint32_t first, uint32_t width,
                         uint32_t n, int32_t *sums) {
  four_rows f = mn_rows_from(rows, first, width);
  const uint32_t blocks = n / 64;
  uint32_t at = 16 * blocks;
  whole(&f, width, a, blocks);
  n %= 64;
  a += 64 * (size_t)blocks;
  for (; n > 28; n -= n < 32 ? n : 32, a += 32, at += 8)
    mn_add_u2_end(add, &f, width, a, at, 8);
  if (n > 0)
    mn_add_u2_end(add, &f, width, a, at, (n + 3) / 4);
  mn_store_sums(&f, width, sums + first);
}

MN_INLINE void mn_dot_i8_u2_by(add_pair *add, add_blocks *whole,
                               const int8_t *a, const mn_rows *rows, uint32_t n,
                               int32_t *sums) {
#define SUM(first, width) mn_dot_u2(add, whole, a, rows, first, width, n, sums)
  MN_EVERY_ROW(rows, SUM);
#undef SUM
}

/* --- Sums of the weights whose bit is set --------------------------------- */

typedef struct {
  int16x8_t words; /* for additions that have nothing wider */
  int32x4_t sums;
} weight_sums;

/* With the weights added that the mask lets through; and with the words
 * brought into the sums, which is done every 8 additions or sooner. */
typedef weight_sums add_masked(weight_sums sums, int8x16_t a, uint8x16_t mask);
typedef weight_sums carry_words(weight_sums sums);

/* 128 elements dealt out to eight registers: element 8 i + k is byte i of
 * register k, so that it meets bit k of byte i. */
typedef struct {
  int8x16_t v[8];
} eight_parts;

MN_INLINE eight_parts mn_deal_eight(const int8_t *a) {
  const int8x16x4_t x = vld4q_s8(a), y = vld4q_s8(a + 64);
  eight_parts parts;
#pragma GCC unroll 4
  for (uint32_t k = 0; k < 4; k++) {
    parts.v[k] = vuzp1q_s8(x.val[k], y.val[k]);
    parts.v[k + 4] = vuzp2q_s8(x.val[k], y.val[k]);
  }
  return parts;
}

/* Each byte's bit of 16 bits: the bytes 2 j and 2 j + 1 of `bits`. */
MN_INLINE uint8x16_t mn_bits_mask(uint8x16_t bits, uint32_t j) {
  const uint8x16_t of = mn_join(0, 0x0101010101010101u);
  const uint8x16_t bit = mn_join(0x8040201008040201u, 0x8040201008040201u);
  uint8x16_t at = vaddq_u8(of, vdupq_n_u8((uint8_t)(2 * j)));
  return vtstq_u8(vqtbl1q_u8(bits, at), bit);
}

typedef struct {
  const uint8_t *b[4];
  uint8x16_t bits[4];
  weight_sums s[4];
} four_masks;

MN_INLINE void mn_add_u1(add_masked *add, four_masks *f, uint32_t width,
                         int8x16_t a, uint32_t j) {
#pragma GCC unroll 4
  for (uint32_t r = 0; r < width; r++)
    f->s[r] = add(f->s[r], a, mn_bits_mask(f->bits[r], j));
}

MN_INLINE void mn_dot_u1(add_masked *add, carry_words *carry, const int8_t *a,
                         const mn_rows *rows, uint32_t first, uint32_t width,
                         uint32_t n, int32_t *sums) {
  four_masks f;
  uint32_t at = 0;
#pragma GCC unroll 4
  for (uint32_t r = 0; r < width; r++) {
    f.b[r] = mn_row(rows, first + r);
    f.s[r] = (weight_sums){vdupq_n_s16(0), vdupq_n_s32(0)};
  }
  for (; n >= 128; n -= 128, a += 128, at += 16) {
    const eight_parts x = mn_deal_eight(a);
#pragma GCC unroll 4
    for (uint32_t r = 0; r < width; r++)
      f.bits[r] = vld1q_u8(f.b[r] + at);
#pragma GCC unroll 8
    for (uint32_t k = 0; k < 8; k++) {
      uint8x16_t mask[4];
#pragma GCC unroll 4
      for (uint32_t r = 0; r < width; r++) {
        mask[r] = vtstq_u8(f.bits[r], vdupq_n_u8((uint8_t)(1u << k)));
        MN_IN_TURN(mask[r]);
      }
#pragma GCC unroll 4
      for (uint32_t r = 0; r < width; r++)
        f.s[r] = add(f.s[r], x.v[k], mask[r]);
    }
#pragma GCC unroll 4
    for (uint32_t r = 0; r < width; r++)
      f.s[r] = carry(f.s[r]);
  }
#pragma GCC unroll 4
  for (uint32_t r = 0; r < width; r++)
    f.bits[r] = n > 120 ? vld1q_u8(f.b[r] + at)
                        : mn_load_part(f.b[r] + at, (n + 7) / 8);
  for (; n >= 16; n -= 16, a += 16) {
    mn_add_u1(add, &f, width, vld1q_s8(a), 0);
#pragma GCC unroll 4
    for (uint32_t r = 0; r < width; r++)
      f.bits[r] = vextq_u8(f.bits[r], f.bits[r], 2);
  }
  if (n > 0)
    mn_add_u1(add, &f, width,
              vreinterpretq_s8_u8(mn_load_part((const uint8_t *)a, n)), 0);
#pragma GCC unroll 4
  for (uint32_t r = 0; r < width; r++)
    sums[first + r] = vaddvq_s32(carry(f.s[r]).sums);
}

MN_INLINE void mn_dot_i8_u1_by(add_masked *add, carry_words *carry,
                               const int8_t *a, const mn_rows *rows, uint32_t n,
                               int32_t *sums) {
#define SUM(first, width) mn_dot_u1(add, carry, a, rows, first, width, n, sums)
  MN_EVERY_ROW(rows, SUM);
#undef SUM
}

#endif
