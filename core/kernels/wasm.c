/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebAssembly SIMD128: the 16 lanes are four registers of four.
 */
#include "kernels.h"
#include "partial.h"
#include "shared.h"

#if defined(__wasm_simd128__)

#include <wasm_simd128.h>

#define MN_INLINE static inline __attribute__((always_inline))

/* Hides where two pointers come from, so that LLVM adds what follows them as
 * constant offsets of the loads instead of by instructions in the loop. */
#define MN_KEEP(a, b) __asm__("" : "+r"(a), "+r"(b))

/* --- Reading -------------------------------------------------------------- */

/* The first `bytes` (1 to 15) bytes at p, then zeros. */
MN_INLINE v128_t load_part(const uint8_t *p, uint32_t bytes) {
  if (bytes < 8)
    return wasm_i64x2_make((int64_t)mn_load_partial(p, bytes), 0);
  v128_t low = wasm_v128_load64_zero(p);
  if (bytes == 8)
    return low;
  return wasm_i64x2_replace_lane(low, 1,
                                 (int64_t)mn_load_partial(p + 8, bytes - 8));
}

/* The four elements at p as floats; and the first `count` (1 to 3) of them,
 * then zeros. */
typedef v128_t read_four(const uint8_t *p);
typedef v128_t read_part(const uint8_t *p, uint32_t count);

MN_INLINE v128_t four_f32(const uint8_t *p) {
  return wasm_v128_load(p);
}

MN_INLINE v128_t part_f32(const uint8_t *p, uint32_t count) {
  return load_part(p, 4 * count);
}

/* From halves sign-extended to 32 bits.
 *
 * A normal half needs its fraction moved by 13 bits and 112 added to its
 * exponent. It gets 224, whose three bits `or` sets and the sign's copies
 * already have, and the product with 2^-112 takes half of that back: in
 * between, the largest exponent, that of infinity and NaN, is f32's largest.
 * A zero or subnormal half is now 2^97 + f, with its sign, and should be 2 f:
 * it lacks 2^98 - |x|, which is what taking the larger of |x| and 2^98 adds.
 * (pmin turns the NaN of infinity - infinity into a number. For bits as
 * integers, the unsigned maximum serves positive floats and lets negative ones
 * pass; the signed maximum serves those.) No step rounds, and none meets a
 * subnormal float, which some processors are slow at. -0 becomes +0, which no
 * sum can tell apart. */
MN_INLINE v128_t widen_f16(v128_t halves) {
  const v128_t limit = wasm_f32x4_const_splat(0x1p98f);
  const v128_t minus_limit = wasm_f32x4_const_splat(-0x1p98f);
  v128_t x = wasm_v128_or(wasm_i32x4_shl(halves, 13),
                          wasm_i32x4_const_splat(0x70000000));
  v128_t larger = wasm_i32x4_max(wasm_u32x4_max(x, limit), minus_limit);
  v128_t lacking = wasm_f32x4_pmin(limit, wasm_f32x4_sub(larger, x));
  return wasm_f32x4_mul(wasm_f32x4_sub(x, lacking),
                        wasm_f32x4_const_splat(0x1p-112f));
}

MN_INLINE v128_t four_f16(const uint8_t *p) {
  return widen_f16(wasm_i32x4_load16x4(p));
}

MN_INLINE v128_t part_f16(const uint8_t *p, uint32_t count) {
  return widen_f16(wasm_i32x4_extend_low_i16x8(load_part(p, 2 * count)));
}

MN_INLINE v128_t four_bf16(const uint8_t *p) {
  return wasm_i32x4_shl(wasm_u32x4_load16x4(p), 16);
}

MN_INLINE v128_t part_bf16(const uint8_t *p, uint32_t count) {
  v128_t halves = load_part(p, 2 * count);
  return wasm_i32x4_shl(wasm_u32x4_extend_low_u16x8(halves), 16);
}

/* --- Sums ----------------------------------------------------------------- */

typedef v128_t add_term(v128_t sum, v128_t a, v128_t b);

MN_INLINE v128_t add_product(v128_t sum, v128_t a, v128_t b) {
  return wasm_f32x4_add(sum, wasm_f32x4_mul(a, b));
}

MN_INLINE v128_t add_squared_difference(v128_t sum, v128_t a, v128_t b) {
  v128_t difference = wasm_f32x4_sub(a, b);
  return wasm_f32x4_add(sum, wasm_f32x4_mul(difference, difference));
}

/* `size`: bytes of an element of b. */
MN_INLINE float sum(add_term *add, read_four *four_b, read_part *part_b,
                    uint32_t size, const void *vector_a, const void *vector_b,
                    uint32_t n) {
  const uint8_t *a = vector_a, *b = vector_b;
  v128_t s0 = wasm_f32x4_const_splat(0.0f);
  v128_t s1 = s0, s2 = s0, s3 = s0;
  for (; n >= 16; n -= 16, a += 16 * 4, b += 16 * size) {
    MN_KEEP(a, b);
    s0 = add(s0, four_f32(a), four_b(b));
    s1 = add(s1, four_f32(a + 4 * 4), four_b(b + 4 * size));
    s2 = add(s2, four_f32(a + 8 * 4), four_b(b + 8 * size));
    s3 = add(s3, four_f32(a + 12 * 4), four_b(b + 12 * size));
  }
  if (n >= 4)
    s0 = add(s0, four_f32(a), four_b(b));
  if (n >= 8)
    s1 = add(s1, four_f32(a + 4 * 4), four_b(b + 4 * size));
  if (n >= 12)
    s2 = add(s2, four_f32(a + 8 * 4), four_b(b + 8 * size));
  if (n % 4 != 0) {
    v128_t x = part_f32(a + n / 4 * 16, n % 4);
    v128_t y = part_b(b + n / 4 * 4 * size, n % 4);
    switch (n / 4) {
    case 0:
      s0 = add(s0, x, y);
      break;
    case 1:
      s1 = add(s1, x, y);
      break;
    case 2:
      s2 = add(s2, x, y);
      break;
    default:
      s3 = add(s3, x, y);
    }
  }
  v128_t four = wasm_f32x4_add(wasm_f32x4_add(s0, s2), wasm_f32x4_add(s1, s3));
  v128_t two = wasm_f32x4_add(four, wasm_i32x4_shuffle(four, four, 2, 3, 2, 3));
  return wasm_f32x4_extract_lane(two, 0) + wasm_f32x4_extract_lane(two, 1);
}

/* Eight products of int16, added in pairs to int32. */
MN_INLINE v128_t add_eight(v128_t sum, v128_t a, v128_t b) {
  return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(a, b));
}

MN_INLINE v128_t part_i8(const int8_t *p, uint32_t count) {
  return wasm_i16x8_extend_low_i8x16(load_part((const uint8_t *)p, count));
}

/* --- The table ------------------------------------------------------------ */

static float mn_dot_f32_wasm(const float *a, const float *b, uint32_t n) {
  return sum(add_product, four_f32, part_f32, 4, a, b, n);
}

static float mn_l2_f32_wasm(const float *a, const float *b, uint32_t n) {
  return sum(add_squared_difference, four_f32, part_f32, 4, a, b, n);
}

static float mn_dot_f16_wasm(const float *a, const uint16_t *b, uint32_t n) {
  return sum(add_product, four_f16, part_f16, 2, a, b, n);
}

static float mn_l2_f16_wasm(const float *a, const uint16_t *b, uint32_t n) {
  return sum(add_squared_difference, four_f16, part_f16, 2, a, b, n);
}

static float mn_dot_bf16_wasm(const float *a, const uint16_t *b, uint32_t n) {
  return sum(add_product, four_bf16, part_bf16, 2, a, b, n);
}

static float mn_l2_bf16_wasm(const float *a, const uint16_t *b, uint32_t n) {
  return sum(add_squared_difference, four_bf16, part_bf16, 2, a, b, n);
}

static int32_t mn_dot_i16_i8_wasm(const int16_t *a, const int8_t *b,
                                  uint32_t n) {
  v128_t s0 = wasm_i32x4_const_splat(0);
  v128_t s1 = s0;
  for (; n >= 16; n -= 16, a += 16, b += 16) {
    MN_KEEP(a, b);
    s0 = add_eight(s0, wasm_v128_load(a), wasm_i16x8_load8x8(b));
    s1 = add_eight(s1, wasm_v128_load(a + 8), wasm_i16x8_load8x8(b + 8));
  }
  if (n >= 8) {
    s0 = add_eight(s0, wasm_v128_load(a), wasm_i16x8_load8x8(b));
    n -= 8, a += 8, b += 8;
  }
  if (n > 0)
    s1 = add_eight(s1, load_part((const uint8_t *)a, 2 * n), part_i8(b, n));
  v128_t four = wasm_i32x4_add(s0, s1);
  v128_t two = wasm_i32x4_add(four, wasm_i32x4_shuffle(four, four, 2, 3, 2, 3));
  return wasm_i32x4_extract_lane(two, 0) + wasm_i32x4_extract_lane(two, 1);
}

const mn_kernels mn_kernels_wasm = {
    .name = "wasm",
    .features = 0,
    .dot_f32 = mn_dot_f32_wasm,
    .l2_f32 = mn_l2_f32_wasm,
    .dot_f16 = mn_dot_f16_wasm,
    .l2_f16 = mn_l2_f16_wasm,
    .dot_bf16 = mn_dot_bf16_wasm,
    .l2_bf16 = mn_l2_bf16_wasm,
    .dot_i16_i8 = mn_dot_i16_i8_wasm,
    .dot_i16_u4 = mn_dot_i16_u4_c,
    .dot_i16_u2 = mn_dot_i16_u2_c,
    .dot_i8_u1 = mn_dot_i8_u1_c,
    .count_xor = mn_count_xor_c,
    .count_and = mn_count_and_c,
    .lookup_u4 = mn_lookup_u4_c,
    .lookup_u8 = mn_lookup_u8_c,
    .l2_columns = mn_l2_columns_c,
    .dot_columns = mn_dot_columns_c,
    .nearest_column = mn_nearest_column_c,
};

#endif
