/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NEON: sums of integers and of bits.
 */
#include "kernels.h"
#if defined(MN_HAS_NEON)

#include "neon_i8.h"

/* --- Products of int16 ---------------------------------------------------- */

/* 16 elements of b, from its first 2 * bits bytes. */
typedef struct {
  int16x8_t first, last;
} words;

typedef words unpack(uint8x16_t bytes);

typedef struct {
  int32x4_t s0, s1;
} two_sums;

MN_INLINE two_sums add_sixteen(two_sums s, int16x8_t first, int16x8_t last,
                               words b) {
  s.s0 = vmlal_s16(s.s0, vget_low_s16(first), vget_low_s16(b.first));
  s.s1 = vmlal_high_s16(s.s1, first, b.first);
  s.s0 = vmlal_s16(s.s0, vget_low_s16(last), vget_low_s16(b.last));
  s.s1 = vmlal_high_s16(s.s1, last, b.last);
  return s;
}

MN_INLINE uint8x16_t load_bytes(const uint8_t *b, uint32_t bytes) {
  if (bytes == 16)
    return vld1q_u8(b);
  if (bytes == 8)
    return vcombine_u8(vld1_u8(b), vdup_n_u8(0));
  return vreinterpretq_u8_u32(
      vdupq_n_u32(((const mn_unaligned_u32 *)b)->value));
}

/* `bits`: of an element of b. */
MN_INLINE int32_t dot_i16(unpack *words_of, uint32_t bits, const int16_t *at,
                          const void *vector_b, uint32_t n) {
  const uint8_t *a = (const uint8_t *)at, *b = vector_b;
  two_sums s = {vdupq_n_s32(0), vdupq_n_s32(0)};
  for (; n >= 16; n -= 16, a += 32, b += 2 * bits)
    s = add_sixteen(s, vreinterpretq_s16_u8(vld1q_u8(a)),
                    vreinterpretq_s16_u8(vld1q_u8(a + 16)),
                    words_of(load_bytes(b, 2 * bits)));
  if (n > 0) {
    uint8x16_t first = n < 8 ? mn_load_part(a, 2 * n) : vld1q_u8(a);
    uint8x16_t last = mn_load_part(a + 16, n < 8 ? 0 : 2 * n - 16);
    s = add_sixteen(s, vreinterpretq_s16_u8(first), vreinterpretq_s16_u8(last),
                    words_of(mn_load_part(b, (n * bits + 7) / 8)));
  }
  return vaddvq_s32(vaddq_s32(s.s0, s.s1));
}

MN_INLINE words unpack_i8(uint8x16_t bytes) {
  int8x16_t b = vreinterpretq_s8_u8(bytes);
  return (words){vmovl_s8(vget_low_s8(b)), vmovl_high_s8(b)};
}

MN_INLINE words widen(uint8x16_t b) {
  return (words){vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(b))),
                 vreinterpretq_s16_u16(vmovl_high_u8(b))};
}

MN_INLINE words unpack_u4(uint8x16_t bytes) {
  return widen(
      vzip1q_u8(vandq_u8(bytes, vdupq_n_u8(15)), vshrq_n_u8(bytes, 4)));
}

/* Every byte four times, each shifted to another of its codes. */
MN_INLINE words unpack_u2(uint8x16_t bytes) {
  const uint8x16_t of = mn_join(0x0101010100000000u, 0x0303030302020202u);
  const uint8x16_t shift = mn_join(0xfafcfe00fafcfe00u, 0xfafcfe00fafcfe00u);
  uint8x16_t codes =
      vshlq_u8(vqtbl1q_u8(bytes, of), vreinterpretq_s8_u8(shift));
  return widen(vandq_u8(codes, vdupq_n_u8(3)));
}

int32_t mn_dot_i16_i8_neon(const int16_t *a, const int8_t *b, uint32_t n) {
  return dot_i16(unpack_i8, 8, a, b, n);
}

int32_t mn_dot_i16_u4_neon(const int16_t *a, const uint8_t *b, uint32_t n) {
  return dot_i16(unpack_u4, 4, a, b, n);
}

int32_t mn_dot_i16_u2_neon(const int16_t *a, const uint8_t *b, uint32_t n) {
  return dot_i16(unpack_u2, 2, a, b, n);
}

/* --- Products of int8 ----------------------------------------------------- */

/* Four products are 4 * 128 * 15 at most, so they fit into a word. */
MN_INLINE int32x4_t add_widened(int32x4_t sums, int8x16_t a0, uint8x16_t b0,
                                int8x16_t a1, uint8x16_t b1) {
  int8x16_t c0 = vreinterpretq_s8_u8(b0), c1 = vreinterpretq_s8_u8(b1);
  int16x8_t products = vmull_s8(vget_low_s8(a0), vget_low_s8(c0));
  products = vmlal_high_s8(products, a0, c0);
  products = vmlal_s8(products, vget_low_s8(a1), vget_low_s8(c1));
  products = vmlal_high_s8(products, a1, c1);
  return vpadalq_s16(sums, products);
}

MN_INLINE void add_blocks_u4(four_rows *f, uint32_t width, const int8_t *a,
                             uint32_t blocks) {
  for (uint32_t at = 0; at < 16 * blocks; at += 16, a += 32) {
    const int8x16x2_t x = vld2q_s8(a);
#pragma GCC unroll 4
    for (uint32_t r = 0; r < width; r++) {
      uint8x16_t p = vld1q_u8(f->b[r] + at);
      f->s[r] = add_widened(f->s[r], x.val[0], vandq_u8(p, vdupq_n_u8(15)),
                            x.val[1], vshrq_n_u8(p, 4));
    }
  }
}

void mn_dot_i8_u4_neon(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums) {
  mn_dot_i8_u4_by(add_widened, add_blocks_u4, a, b, n, sums);
}

/* Each register of codes of another place in the bytes. */
MN_INLINE void add_blocks_u2(four_rows *f, uint32_t width, const int8_t *a,
                             uint32_t blocks) {
  const uint8x16_t mask = vdupq_n_u8(3);
  for (uint32_t at = 0; at < 16 * blocks; at += 16, a += 64) {
    const int8x16x4_t x = vld4q_s8(a);
#pragma GCC unroll 4
    for (uint32_t r = 0; r < width; r++) {
      uint8x16_t p = vld1q_u8(f->b[r] + at);
      f->s[r] = add_widened(f->s[r], x.val[0], vandq_u8(p, mask), x.val[1],
                            vandq_u8(vshrq_n_u8(p, 2), mask));
      f->s[r] = add_widened(f->s[r], x.val[2], vandq_u8(vshrq_n_u8(p, 4), mask),
                            x.val[3], vshrq_n_u8(p, 6));
    }
  }
}

void mn_dot_i8_u2_neon(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums) {
  mn_dot_i8_u2_by(add_widened, add_blocks_u2, a, b, n, sums);
}

MN_INLINE weight_sums add_pairs(weight_sums s, int8x16_t a, uint8x16_t mask) {
  __asm__("" : "+w"(mask)); /* or gcc undoes the CMTST that made it */
  s.words = vpadalq_s8(s.words, vandq_s8(a, vreinterpretq_s8_u8(mask)));
  return s;
}

MN_INLINE weight_sums carry_pairs(weight_sums s) {
  return (weight_sums){vdupq_n_s16(0), vpadalq_s16(s.sums, s.words)};
}

void mn_dot_i8_u1_neon(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums) {
  mn_dot_i8_u1_by(add_pairs, carry_pairs, a, b, n, sums);
}

/* --- Counting bits -------------------------------------------------------- */

typedef uint8x16_t combine(uint8x16_t a, uint8x16_t b);

MN_INLINE uint8x16_t exclusive_or(uint8x16_t a, uint8x16_t b) {
  return veorq_u8(a, b);
}

MN_INLINE uint8x16_t both(uint8x16_t a, uint8x16_t b) {
  return vandq_u8(a, b);
}

MN_INLINE uint8x16_t count_sixteen(combine *with, const uint8_t *a,
                                   const uint8_t *b) {
  return vcntq_u8(with(vld1q_u8(a), vld1q_u8(b)));
}

/* A byte holds the counts of 64 bytes (32 at most), a word those of 65,535:
 * eight times 64 bits in each turn. */
MN_INLINE uint32_t count_all(combine *with, const uint8_t *a, const uint8_t *b,
                             uint32_t bytes) {
  uint16x8_t sums = vdupq_n_u16(0);
  uint8x16_t counts;
  for (; bytes >= 64; bytes -= 64, a += 64, b += 64) {
    counts = vaddq_u8(count_sixteen(with, a, b),
                      count_sixteen(with, a + 16, b + 16));
    counts = vaddq_u8(counts, count_sixteen(with, a + 32, b + 32));
    counts = vaddq_u8(counts, count_sixteen(with, a + 48, b + 48));
    sums = vpadalq_u8(sums, counts);
  }
  counts = vdupq_n_u8(0);
  for (; bytes >= 16; bytes -= 16, a += 16, b += 16)
    counts = vaddq_u8(counts, count_sixteen(with, a, b));
  if (bytes > 0)
    counts = vaddq_u8(
        counts, vcntq_u8(with(mn_load_part(a, bytes), mn_load_part(b, bytes))));
  return vaddlvq_u16(sums) + vaddlvq_u8(counts);
}

uint32_t mn_count_xor_neon(const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  return count_all(exclusive_or, a, b, bytes);
}

uint32_t mn_count_and_neon(const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  return count_all(both, a, b, bytes);
}

/* 512 bits, so that the vector stays in registers. */
static void count_xor_rows_64(const uint8_t *a, const uint8_t *rows,
                              size_t stride, uint32_t count, uint32_t *counts) {
  uint8x16_t a0 = vld1q_u8(a), a1 = vld1q_u8(a + 16), a2 = vld1q_u8(a + 32),
             a3 = vld1q_u8(a + 48);
  for (uint32_t r = 0; r < count; r++, rows += stride) {
    uint8x16_t first = vaddq_u8(vcntq_u8(veorq_u8(a0, vld1q_u8(rows))),
                                vcntq_u8(veorq_u8(a1, vld1q_u8(rows + 16))));
    uint8x16_t last = vaddq_u8(vcntq_u8(veorq_u8(a2, vld1q_u8(rows + 32))),
                               vcntq_u8(veorq_u8(a3, vld1q_u8(rows + 48))));
    counts[r] = vaddlvq_u8(vaddq_u8(first, last));
  }
}

void mn_count_xor_rows_neon(const uint8_t *a, const uint8_t *rows,
                            size_t stride, uint32_t bytes, uint32_t count,
                            uint32_t *counts) {
  if (bytes == 64) {
    count_xor_rows_64(a, rows, stride, count, counts);
    return;
  }
  for (uint32_t r = 0; r < count; r++)
    counts[r] = count_all(exclusive_or, a, rows + r * stride, bytes);
}

#endif
