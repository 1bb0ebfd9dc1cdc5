/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NEON with dotprod (SDOT, UDOT) and i8mm (USDOT): sums of integers.
 *
 * SMMLA multiplies two rows by two rows. One query meets one vector here, so
 * that half of what it computes would be thrown away: SDOT does as much in as
 * many instructions.
 */
#include "kernels.h"
#if defined(MN_HAS_DOTPROD)

#include "neon.h"

/* Only what follows is compiled for dotprod, and one function for i8mm, so the
 * rest of the program stays runnable anywhere. */
#if defined(__clang__)
#define MN_I8MM __attribute__((target("dotprod,i8mm")))
#pragma clang attribute push(__attribute__((target("dotprod"))),               \
                             apply_to = function)
#else
#define MN_I8MM __attribute__((target("arch=armv8.2-a+dotprod+i8mm")))
#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod")
#endif

#include "neon_i8.h"

/* --- Weights of 8 bits ---------------------------------------------------- */

MN_INLINE int32x4_t add_dot(int32x4_t sums, int8x16_t a, uint8x16_t b) {
  return vdotq_s32(sums, a, vreinterpretq_s8_u8(b));
}

MN_INLINE int32x4_t add_dots(int32x4_t sums, int8x16_t a0, uint8x16_t b0,
                             int8x16_t a1, uint8x16_t b1) {
  return add_dot(add_dot(sums, a0, b0), a1, b1);
}

/* Two sums a row: no addition waits for the other, and the compiler moves none
 * from register to register. */
MN_INLINE void add_blocks_u4(four_rows *f, uint32_t width, const int8_t *a,
                             uint32_t blocks) {
  int32x4_t odd[4];
#pragma GCC unroll 4
  for (uint32_t r = 0; r < width; r++)
    odd[r] = vdupq_n_s32(0);
  for (uint32_t at = 0; at < 16 * blocks; at += 16, a += 32) {
    const int8x16x2_t x = vld2q_s8(a);
#pragma GCC unroll 4
    for (uint32_t r = 0; r < width; r++) {
      uint8x16_t p = vld1q_u8(f->b[r] + at);
      f->s[r] = add_dot(f->s[r], x.val[0], vandq_u8(p, vdupq_n_u8(15)));
      odd[r] = add_dot(odd[r], x.val[1], vshrq_n_u8(p, 4));
    }
  }
#pragma GCC unroll 4
  for (uint32_t r = 0; r < width; r++)
    f->s[r] = vaddq_s32(f->s[r], odd[r]);
}

void mn_dot_i8_u4_dotprod(const int8_t *a, const mn_rows *b, uint32_t n,
                          int32_t *sums) {
  mn_dot_i8_u4_by(add_dots, add_blocks_u4, a, b, n, sums);
}

/* The codes in the middle of a byte stay there, 4 and 16 times as large, and
 * their sums are shifted: each block adds up to 4 * 128 * 48 to a lane, and
 * 1023 blocks do so at most. */
MN_INLINE void add_blocks_u2(four_rows *f, uint32_t width, const int8_t *a,
                             uint32_t blocks) {
  const uint8x16_t mask = vdupq_n_u8(3), mask_4 = vdupq_n_u8(12),
                   mask_16 = vdupq_n_u8(48);
  int32x4_t upper[4], times_4[4], times_16[4];
#pragma GCC unroll 4
  for (uint32_t r = 0; r < width; r++)
    upper[r] = times_4[r] = times_16[r] = vdupq_n_s32(0);
  for (uint32_t at = 0; at < 16 * blocks; at += 16, a += 64) {
    const int8x16x4_t x = vld4q_s8(a);
#pragma GCC unroll 4
    for (uint32_t r = 0; r < width; r++) {
      uint8x16_t p = vld1q_u8(f->b[r] + at);
      if (r == 2)
        MN_IN_TURN(p);
      times_4[r] = add_dot(times_4[r], x.val[1], vandq_u8(p, mask_4));
      times_16[r] = add_dot(times_16[r], x.val[2], vandq_u8(p, mask_16));
      f->s[r] = add_dot(f->s[r], x.val[0], vandq_u8(p, mask));
      upper[r] = add_dot(upper[r], x.val[3], vshrq_n_u8(p, 6));
      if (r == 1)
        MN_IN_TURN(upper[r]);
    }
  }
#pragma GCC unroll 4
  for (uint32_t r = 0; r < width; r++) {
    f->s[r] = vsraq_n_s32(vaddq_s32(f->s[r], upper[r]), times_4[r], 2);
    f->s[r] = vsraq_n_s32(f->s[r], times_16[r], 4);
  }
}

void mn_dot_i8_u2_dotprod(const int8_t *a, const mn_rows *b, uint32_t n,
                          int32_t *sums) {
  mn_dot_i8_u2_by(add_dots, add_blocks_u2, a, b, n, sums);
}

/* A mask is a number, -1: what is added is taken off, from the negated sum. */
MN_INLINE weight_sums subtract_masked(weight_sums s, int8x16_t a,
                                      uint8x16_t mask) {
  s.sums = vdotq_s32(s.sums, a, vreinterpretq_s8_u8(mask));
  return s;
}

MN_INLINE weight_sums nothing_to_carry(weight_sums s) {
  return s;
}

void mn_dot_i8_u1_dotprod(const int8_t *a, const mn_rows *b, uint32_t n,
                          int32_t *sums) {
  mn_dot_i8_u1_by(subtract_masked, nothing_to_carry, a, b, n, sums);
  for (uint32_t i = 0; i < b->count; i++)
    sums[i] = -sums[i];
}

/* --- Weights of 16 bits --------------------------------------------------- */

/* a = 256 high + low, high signed and low not: the sums of both by b. */
typedef struct {
  int32x4_t high;
  uint32x4_t low;
} half_sums;

MN_INLINE int32_t join(half_sums s) {
  uint32x4_t high = vshlq_n_u32(vreinterpretq_u32_s32(s.high), 8);
  return (int32_t)vaddvq_u32(vaddq_u32(high, s.low));
}

/* The bytes of 16 words that lie in `first` and `last`. */
typedef struct {
  uint8x16_t low;
  int8x16_t high;
} halves;

MN_INLINE halves split(uint8x16_t first, uint8x16_t last) {
  return (halves){vuzp1q_u8(first, last),
                  vreinterpretq_s8_u8(vuzp2q_u8(first, last))};
}

MN_INLINE halves split_part(const uint8_t *a, uint32_t n) {
  return split(n < 8 ? mn_load_part(a, 2 * n) : vld1q_u8(a),
               mn_load_part(a + 16, n < 8 ? 0 : 2 * n - 16));
}

MN_INLINE half_sums add_halves(half_sums s, int8x16_t high, uint8x16_t low,
                               uint8x16_t b) {
  s.high = vdotq_s32(s.high, high, vreinterpretq_s8_u8(b));
  s.low = vdotq_u32(s.low, low, b);
  return s;
}

/* Codes of 32 elements, those of even elements and those of odd ones: from all
 * their bytes, and from the first bytes, then zeros. */
typedef struct {
  uint8x16_t even, odd;
} codes;

typedef codes read_codes(const uint8_t *b);
typedef codes read_few(const uint8_t *b, uint32_t bytes);

MN_INLINE codes codes_u4(uint8x16_t b) {
  return (codes){vandq_u8(b, vdupq_n_u8(15)), vshrq_n_u8(b, 4)};
}

MN_INLINE codes all_u4(const uint8_t *b) {
  return codes_u4(vld1q_u8(b));
}

MN_INLINE codes few_u4(const uint8_t *b, uint32_t bytes) {
  return codes_u4(bytes == 16 ? vld1q_u8(b) : mn_load_part(b, bytes));
}

MN_INLINE codes codes_u2(uint8x8_t b) {
  const uint8x16_t mask = vdupq_n_u8(3);
  uint8x16_t eight = vcombine_u8(b, b);
  uint8x16_t four = vzip1q_u8(eight, vshrq_n_u8(eight, 4));
  return (codes){vandq_u8(four, mask), vandq_u8(vshrq_n_u8(four, 2), mask)};
}

MN_INLINE codes all_u2(const uint8_t *b) {
  return codes_u2(vld1_u8(b));
}

MN_INLINE codes few_u2(const uint8_t *b, uint32_t bytes) {
  return codes_u2(vget_low_u8(mn_load_part(b, bytes)));
}

/* `bits`: of an element of b. Its codes are below 16, so they are the same
 * signed or not. */
MN_INLINE int32_t dot_packed(read_codes *all, read_few *few, uint32_t bits,
                             const int16_t *vector_a, const uint8_t *b,
                             uint32_t n) {
  const uint8_t *a = (const uint8_t *)vector_a;
  half_sums s = {vdupq_n_s32(0), vdupq_n_u32(0)};
  for (; n >= 32; n -= 32, a += 64, b += 4 * bits) {
    uint8x16x4_t bytes = vld4q_u8(a); /* low and high of even and odd */
    codes c = all(b);
    s = add_halves(s, vreinterpretq_s8_u8(bytes.val[1]), bytes.val[0], c.even);
    s = add_halves(s, vreinterpretq_s8_u8(bytes.val[3]), bytes.val[2], c.odd);
  }
  if (n > 0) {
    codes c = few(b, (n * bits + 7) / 8);
    uint32_t first = n < 16 ? n : 16;
    halves x = split_part(a, first % 16);
    if (first == 16)
      x = split(vld1q_u8(a), vld1q_u8(a + 16));
    s = add_halves(s, x.high, x.low, vzip1q_u8(c.even, c.odd));
    if (n > 16) {
      x = split_part(a + 32, n - 16);
      s = add_halves(s, x.high, x.low, vzip2q_u8(c.even, c.odd));
    }
  }
  return join(s);
}

int32_t mn_dot_i16_u4_dotprod(const int16_t *a, const uint8_t *b, uint32_t n) {
  return dot_packed(all_u4, few_u4, 4, a, b, n);
}

int32_t mn_dot_i16_u2_dotprod(const int16_t *a, const uint8_t *b, uint32_t n) {
  return dot_packed(all_u2, few_u2, 2, a, b, n);
}

/* SDOT wants both signed: low - 128 is met instead, and 128 b besides. */
int32_t mn_dot_i16_i8_dotprod(const int16_t *vector_a, const int8_t *b,
                              uint32_t n) {
  const uint8x16_t sign = vdupq_n_u8(128);
  const int8x16_t ones = vdupq_n_s8(1);
  const uint8_t *a = (const uint8_t *)vector_a;
  int32x4_t high = vdupq_n_s32(0), low = high, sums = high;
  for (; n >= 16; n -= 16, a += 32, b += 16) {
    uint8x16x2_t bytes = vld2q_u8(a);
    int8x16_t c = vld1q_s8(b);
    high = vdotq_s32(high, vreinterpretq_s8_u8(bytes.val[1]), c);
    low = vdotq_s32(low, vreinterpretq_s8_u8(veorq_u8(bytes.val[0], sign)), c);
    sums = vdotq_s32(sums, ones, c);
  }
  if (n > 0) {
    halves x = split_part(a, n);
    int8x16_t c = vreinterpretq_s8_u8(mn_load_part((const uint8_t *)b, n));
    high = vdotq_s32(high, x.high, c);
    low = vdotq_s32(low, vreinterpretq_s8_u8(veorq_u8(x.low, sign)), c);
    sums = vdotq_s32(sums, ones, c);
  }
  uint32x4_t all = vshlq_n_u32(vreinterpretq_u32_s32(high), 8);
  all = vaddq_u32(all, vreinterpretq_u32_s32(low));
  all = vaddq_u32(all, vshlq_n_u32(vreinterpretq_u32_s32(sums), 7));
  return (int32_t)vaddvq_u32(all);
}

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

MN_I8MM int32_t mn_dot_i16_i8_i8mm(const int16_t *vector_a, const int8_t *b,
                                   uint32_t n) {
  const uint8_t *a = (const uint8_t *)vector_a;
  int32x4_t high = vdupq_n_s32(0), low = high;
  for (; n >= 16; n -= 16, a += 32, b += 16) {
    uint8x16x2_t bytes = vld2q_u8(a);
    int8x16_t c = vld1q_s8(b);
    high = vdotq_s32(high, vreinterpretq_s8_u8(bytes.val[1]), c);
    low = vusdotq_s32(low, bytes.val[0], c);
  }
  if (n > 0) {
    halves x = split_part(a, n);
    int8x16_t c = vreinterpretq_s8_u8(mn_load_part((const uint8_t *)b, n));
    high = vdotq_s32(high, x.high, c);
    low = vusdotq_s32(low, x.low, c);
  }
  return join((half_sums){high, vreinterpretq_u32_s32(low)});
}

#endif
