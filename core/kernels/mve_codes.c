/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helium: sums of integers and of bits, and lookups by 4 bits. Ends are
 * predicated: lanes beyond them are not read and count as zero.
 *
 * Codes are not brought in order. Loads that deal out elements to two or four
 * registers put the weights where the codes lie instead; they cannot be
 * predicated, so an end gathers its weights.
 */
#include "kernels.h"
#if defined(MN_HAS_MVE)

#include "mve.h"
#include "shared.h"

/* Loads that deal out elements want words that are aligned. Prepared queries
 * are; others are the reference's. */
MN_INLINE int is_aligned(const void *p) {
  return ((uintptr_t)p & 3) == 0;
}

/* --- Weights of 16 bits --------------------------------------------------- */

int32_t mn_dot_i16_i8_mve(const int16_t *a, const int8_t *b, uint32_t n) {
  int32_t sum = 0;
  for (; n >= 8; n -= 8, a += 8, b += 8) /* loads that count on by themselves */
    sum = vmladavaq_s16(sum, vreinterpretq_s16_u8(vld1q_u8((const uint8_t *)a)),
                        vldrbq_s16(b));
  if (n > 0) {
    uint8x16_t x = vldrbq_z_u8((const uint8_t *)a, vctp8q(2 * n));
    sum = vmladavaq_s16(sum, vreinterpretq_s16_u8(x),
                        vldrbq_z_s16(b, vctp16q(n)));
  }
  return sum;
}

/* Weights k, k + step, k + 2 step, … of the first n, eight of them, then
 * zeros. */
MN_INLINE int16x8_t gather_i16(const int16_t *a, uint32_t k, uint32_t step,
                               uint32_t n) {
  const uint16x8_t at =
      vaddq_n_u16(vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)step), (uint16_t)k);
  mve_pred16_t there = vcmphiq_n_u16(vdupq_n_u16((uint16_t)n), 0);
  there = vcmphiq_m_u16(vdupq_n_u16((uint16_t)n), at, there);
  return vldrhq_gather_shifted_offset_z_s16(a, at, there);
}

MN_INLINE int32_t add_u16(int32_t sum, int16x8_t a, uint16x8_t codes) {
  return vmladavaq_s16(sum, a, vreinterpretq_s16_u16(codes));
}

int32_t mn_dot_i16_u4_mve(const int16_t *a, const uint8_t *b, uint32_t n) {
  if (!is_aligned(a))
    return mn_dot_i16_u4_c(a, b, n);
  const uint16x8_t mask = vdupq_n_u16(15);
  int32_t sum = 0;
  for (; n >= 16; n -= 16, a += 16, b += 8) {
    const int16x8x2_t x = vld2q_s16(a);
    const uint16x8_t codes = vldrbq_u16(b);
    sum = add_u16(sum, x.val[0], vandq_u16(codes, mask));
    sum = add_u16(sum, x.val[1], vshrq_n_u16(codes, 4));
  }
  if (n > 0) {
    const uint16x8_t codes = vldrbq_z_u16(b, vctp16q((n + 1) / 2));
    sum = add_u16(sum, gather_i16(a, 0, 2, n), vandq_u16(codes, mask));
    sum = add_u16(sum, gather_i16(a, 1, 2, n), vshrq_n_u16(codes, 4));
  }
  return sum;
}

int32_t mn_dot_i16_u2_mve(const int16_t *a, const uint8_t *b, uint32_t n) {
  if (!is_aligned(a))
    return mn_dot_i16_u2_c(a, b, n);
  const uint16x8_t mask = vdupq_n_u16(3);
  int32_t sum = 0;
  for (; n >= 32; n -= 32, a += 32, b += 8) {
    const int16x8x4_t x = vld4q_s16(a);
    const uint16x8_t codes = vldrbq_u16(b);
    sum = add_u16(sum, x.val[0], vandq_u16(codes, mask));
    sum = add_u16(sum, x.val[1], vandq_u16(vshrq_n_u16(codes, 2), mask));
    sum = add_u16(sum, x.val[2], vandq_u16(vshrq_n_u16(codes, 4), mask));
    sum = add_u16(sum, x.val[3], vshrq_n_u16(codes, 6));
  }
  if (n > 0) {
    uint16x8_t codes = vldrbq_z_u16(b, vctp16q((n + 3) / 4));
    for (uint32_t k = 0; k < 4; k++, codes = vshrq_n_u16(codes, 2))
      sum = add_u16(sum, gather_i16(a, k, 4, n), vandq_u16(codes, mask));
  }
  return sum;
}

/* --- Weights of 8 bits ---------------------------------------------------- */

MN_INLINE int32_t add_u8(int32_t sum, int8x16_t a, uint8x16_t codes) {
  return vmladavaq_s8(sum, a, vreinterpretq_s8_u8(codes));
}

/* Two rows at once share the weights. */
typedef struct {
  int32_t first, second;
} two;

typedef two dot_two(const int8_t *a, const uint8_t *b, const uint8_t *c,
                    int both, uint32_t n);

MN_INLINE void dot_all(dot_two *dot, const int8_t *a, const mn_rows *rows,
                       uint32_t n, int32_t *sums) {
  uint32_t i = 0;
  for (; i + 2 <= rows->count; i += 2) {
    const two both = dot(a, mn_row(rows, i), mn_row(rows, i + 1), 1, n);
    sums[i] = both.first;
    sums[i + 1] = both.second;
  }
  if (i < rows->count) {
    const uint8_t *b = mn_row(rows, i);
    sums[i] = dot(a, b, b, 0, n).first;
  }
}

MN_INLINE int32_t add_codes_u4(int32_t sum, int8x16x2_t a, uint8x16_t codes) {
  sum = add_u8(sum, a.val[0], vandq_u8(codes, vdupq_n_u8(15)));
  return add_u8(sum, a.val[1], vshrq_n_u8(codes, 4));
}

/* What follows waits for the vector or the sum. */
#define IN_TURN(vector)  __asm__ volatile("" : "+w"(vector))
#define SUM_IN_TURN(sum) __asm__ volatile("" : "+r"(sum))

/* A load, an operation and a product run side by side, if they come in turns:
 * the compiler would load all first. */
MN_INLINE two add_two_u4(two sums, const int8_t *a, const uint8_t *b,
                         const uint8_t *c) {
  const uint8x16_t mask = vdupq_n_u8(15);
  uint8x16_t first = vld1q_u8(b);
  IN_TURN(first);
  const int8x16x2_t x = vld2q_s8(a);
  uint8x16_t even = vandq_u8(first, mask);
  IN_TURN(even);
  uint8x16_t second = vld1q_u8(c);
  IN_TURN(second);
  sums.first = add_u8(sums.first, x.val[0], even);
  SUM_IN_TURN(sums.first);
  first = vshrq_n_u8(first, 4);
  IN_TURN(first);
  even = vandq_u8(second, mask);
  IN_TURN(even);
  sums.first = add_u8(sums.first, x.val[1], first);
  SUM_IN_TURN(sums.first);
  second = vshrq_n_u8(second, 4);
  IN_TURN(second);
  sums.second = add_u8(sums.second, x.val[0], even);
  sums.second = add_u8(sums.second, x.val[1], second);
  return sums;
}

MN_INLINE two dot_two_u4(const int8_t *a, const uint8_t *b, const uint8_t *c,
                         int both, uint32_t n) {
  two sums = {0, 0};
  for (; n >= 32; n -= 32, a += 32, b += 16, c += 16)
    if (both)
      sums = add_two_u4(sums, a, b, c);
    else
      sums.first = add_codes_u4(sums.first, vld2q_s8(a), vld1q_u8(b));
  if (n > 0) { /* the weights are zeros from n on */
    const mve_pred16_t there = vctp8q((n + 1) / 2);
    const int8x16x2_t x = vld2q_s8(a);
    sums.first = add_codes_u4(sums.first, x, vldrbq_z_u8(b, there));
    if (both)
      sums.second = add_codes_u4(sums.second, x, vldrbq_z_u8(c, there));
  }
  return sums;
}

void mn_dot_i8_u4_mve(const int8_t *a, const mn_rows *b, uint32_t n,
                      int32_t *sums) {
  if (!is_aligned(a))
    mn_dot_i8_u4_c(a, b, n, sums);
  else
    dot_all(dot_two_u4, a, b, n, sums);
}

MN_INLINE int32_t add_codes_u2(int32_t sum, int8x16x4_t a, uint8x16_t codes) {
  const uint8x16_t mask = vdupq_n_u8(3);
  sum = add_u8(sum, a.val[0], vandq_u8(codes, mask));
  sum = add_u8(sum, a.val[1], vandq_u8(vshrq_n_u8(codes, 2), mask));
  sum = add_u8(sum, a.val[2], vandq_u8(vshrq_n_u8(codes, 4), mask));
  return add_u8(sum, a.val[3], vshrq_n_u8(codes, 6));
}

/* A byte's four codes, each for the weight that it belongs to. */
MN_INLINE uint8x16_t spread_u2(const uint8_t *b, uint32_t count) {
  const uint8x16_t place = vidupq_n_u8(0, 1), of = vshrq_n_u8(place, 2);
  const int8x16_t shift =
      vreinterpretq_s8_u8(vsubq_u8(vshlq_n_u8(of, 3), vshlq_n_u8(place, 1)));
  const uint8x16_t codes =
      vldrbq_gather_offset_z_u8(b, of, vctp8q((count + 3) & ~3u));
  return vandq_u8(vshlq_u8(codes, shift), vdupq_n_u8(3));
}

MN_INLINE two dot_two_u2(const int8_t *a, const uint8_t *b, const uint8_t *c,
                         int both, uint32_t n) {
  two sums = {0, 0};
  for (; n >= 64; n -= 64, a += 64, b += 16, c += 16) {
    const int8x16x4_t x = vld4q_s8(a);
    sums.first = add_codes_u2(sums.first, x, vld1q_u8(b));
    if (both)
      sums.second = add_codes_u2(sums.second, x, vld1q_u8(c));
  }
  for (uint32_t some; n > 0; n -= some, a += some, b += 4, c += 4) {
    some = n < 16 ? n : 16;
    const int8x16_t x = vldrbq_z_s8(a, vctp8q(some));
    sums.first = add_u8(sums.first, x, spread_u2(b, some));
    if (both)
      sums.second = add_u8(sums.second, x, spread_u2(c, some));
  }
  return sums;
}

void mn_dot_i8_u2_mve(const int8_t *a, const mn_rows *b, uint32_t n,
                      int32_t *sums) {
  if (!is_aligned(a))
    mn_dot_i8_u2_c(a, b, n, sums);
  else
    dot_all(dot_two_u2, a, b, n, sums);
}

typedef struct {
  uint16_t value;
} __attribute__((packed, may_alias)) unaligned_u16;

/* The bits are the predicate of 16 weights. */
MN_INLINE uint32_t sixteen_bits(const uint8_t *b, uint32_t n) {
  return n > 8 ? (uint32_t)(b[0] | b[1] << 8) : b[0];
}

MN_INLINE int32_t add_bits(int32_t sum, int8x16_t a, uint32_t bits) {
  return vaddvaq_p_s8(sum, a, (mve_pred16_t)bits);
}

MN_INLINE uint32_t sixteen_at(const uint8_t *b) {
  return ((const unaligned_u16 *)b)->value;
}

MN_INLINE two dot_two_u1(const int8_t *a, const uint8_t *b, const uint8_t *c,
                         int both, uint32_t n) {
  two sums = {0, 0};
  for (; n >= 32; n -= 32, a += 32, b += 4, c += 4) {
    const int8x16_t x = vldrbq_s8(a), y = vldrbq_s8(a + 16);
    sums.first = add_bits(sums.first, x, sixteen_at(b));
    sums.first = add_bits(sums.first, y, sixteen_at(b + 2));
    if (both) {
      sums.second = add_bits(sums.second, x, sixteen_at(c));
      sums.second = add_bits(sums.second, y, sixteen_at(c + 2));
    }
  }
  for (uint32_t some; n > 0; n -= some, a += some, b += 2, c += 2) {
    some = n < 16 ? n : 16;
    const int8x16_t x = vldrbq_z_s8(a, vctp8q(some)); /* zeros behind */
    sums.first = add_bits(sums.first, x, sixteen_bits(b, some));
    if (both)
      sums.second = add_bits(sums.second, x, sixteen_bits(c, some));
  }
  return sums;
}

void mn_dot_i8_u1_mve(const int8_t *a, const mn_rows *b, uint32_t n,
                      int32_t *sums) {
  dot_all(dot_two_u1, a, b, n, sums);
}

/* --- Counting bits -------------------------------------------------------- */

/* Bits set in each byte: summed in pairs, fours, eights. */
MN_INLINE uint8x16_t count_bytes(uint8x16_t x) {
  const uint8x16_t twos = vdupq_n_u8(0x55), fours = vdupq_n_u8(0x33),
                   eights = vdupq_n_u8(0x0f);
  x = vsubq_u8(x, vandq_u8(vshrq_n_u8(x, 1), twos));
  x = vaddq_u8(vandq_u8(x, fours), vandq_u8(vshrq_n_u8(x, 2), fours));
  return vandq_u8(vaddq_u8(x, vshrq_n_u8(x, 4)), eights);
}

typedef uint8x16_t combine(uint8x16_t a, uint8x16_t b);

MN_INLINE uint8x16_t exclusive_or(uint8x16_t a, uint8x16_t b) {
  return veorq_u8(a, b);
}

MN_INLINE uint8x16_t both(uint8x16_t a, uint8x16_t b) {
  return vandq_u8(a, b);
}

MN_INLINE uint32_t count_all(combine *with, const uint8_t *a, const uint8_t *b,
                             uint32_t bytes) {
  uint32_t sum = 0;
  for (; bytes >= 16; bytes -= 16, a += 16, b += 16)
    sum = vaddvaq_u8(sum, count_bytes(with(vld1q_u8(a), vld1q_u8(b))));
  if (bytes > 0) {
    const mve_pred16_t there = vctp8q(bytes);
    sum = vaddvaq_u8(
        sum, count_bytes(with(vldrbq_z_u8(a, there), vldrbq_z_u8(b, there))));
  }
  return sum;
}

uint32_t mn_count_xor_mve(const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  return count_all(exclusive_or, a, b, bytes);
}

uint32_t mn_count_and_mve(const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  return count_all(both, a, b, bytes);
}

void mn_count_xor_rows_mve(const uint8_t *a, const uint8_t *rows, size_t stride,
                           uint32_t bytes, uint32_t count, uint32_t *counts) {
  for (uint32_t r = 0; r < count; r++)
    counts[r] = count_all(exclusive_or, a, rows + r * stride, bytes);
}

/* --- Lookups -------------------------------------------------------------- */

/* There is no lookup in a register, but memory is gathered: eight bytes of a
 * row at a time, each from the table of its place. */
static uint32_t look_up_row(const uint8_t *tables, const uint8_t *row,
                            uint32_t bytes) {
  const uint16x8_t place = vshlq_n_u16(vidupq_n_u16(0, 1), 6); /* times 64 */
  uint32_t low = 0, high = 0;
  for (uint32_t some; bytes > 0; bytes -= some, row += some, tables += 512) {
    some = bytes < 8 ? bytes : 8;
    const mve_pred16_t there = vctp16q(some);
    const uint16x8_t codes = vldrbq_z_u16(row, there);
    const uint16x8_t even = vaddq_u16(place, vandq_u16(codes, vdupq_n_u16(15)));
    const uint16x8_t odd = vaddq_u16(place, vshrq_n_u16(codes, 4));
    low = vaddvaq_u16(low, vldrbq_gather_offset_z_u16(tables, even, there));
    high =
        vaddvaq_u16(high, vldrbq_gather_offset_z_u16(tables + 16, even, there));
    low = vaddvaq_u16(low, vldrbq_gather_offset_z_u16(tables + 32, odd, there));
    high =
        vaddvaq_u16(high, vldrbq_gather_offset_z_u16(tables + 48, odd, there));
  }
  return low + 256 * high;
}

void mn_lookup_u4_mve(const uint8_t *tables, const uint8_t *const *rows,
                      uint32_t bytes, uint32_t *sums) {
  for (uint32_t r = 0; r < MN_LOOKUP_ROWS; r++)
    sums[r] = look_up_row(tables, rows[r], bytes);
}

#endif
