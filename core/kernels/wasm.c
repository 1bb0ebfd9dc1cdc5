/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebAssembly SIMD128: floats, and the table. The 16 lanes are four registers
 * of four.
 */
#if defined(__wasm_simd128__)

#include "wasm.h"
#include "shared.h"

v128_t mn_load_end(const uint8_t *p, uint32_t bytes) {
  return mn_load_part(p, bytes);
}

/* --- Reading -------------------------------------------------------------- */

/* The four elements at p as floats; and the first `count` (1 to 3) of them,
 * then zeros. */
typedef v128_t read_four(const uint8_t *p);
typedef v128_t read_part(const uint8_t *p, uint32_t count);

MN_INLINE v128_t four_f32(const uint8_t *p) {
  return wasm_v128_load(p);
}

MN_INLINE v128_t part_f32(const uint8_t *p, uint32_t count) {
  return mn_load_end(p, 4 * count);
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
  return widen_f16(wasm_i32x4_extend_low_i16x8(mn_load_end(p, 2 * count)));
}

MN_INLINE v128_t four_bf16(const uint8_t *p) {
  return wasm_i32x4_shl(wasm_u32x4_load16x4(p), 16);
}

MN_INLINE v128_t part_bf16(const uint8_t *p, uint32_t count) {
  v128_t halves = mn_load_end(p, 2 * count);
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

/* --- Sums by columns ------------------------------------------------------ */

/* `width` columns from `columns` on, of `count`. 16 at a time: four chains of
 * additions hide their latency. */
MN_INLINE void sum_columns(add_term *add, const float *x, const float *columns,
                           uint32_t n, uint32_t count, uint32_t width,
                           float *out) {
  const v128_t zero = wasm_f32x4_const_splat(0.0f);
  for (; width >= 16; width -= 16, columns += 16, out += 16) {
    v128_t s0 = zero, s1 = zero, s2 = zero, s3 = zero;
    const float *at = columns;
    for (uint32_t j = 0; j < n; j++, at += count) {
      v128_t component = wasm_v128_load32_splat(x + j);
      s0 = add(s0, component, wasm_v128_load(at));
      s1 = add(s1, component, wasm_v128_load(at + 4));
      s2 = add(s2, component, wasm_v128_load(at + 8));
      s3 = add(s3, component, wasm_v128_load(at + 12));
    }
    wasm_v128_store(out, s0);
    wasm_v128_store(out + 4, s1);
    wasm_v128_store(out + 8, s2);
    wasm_v128_store(out + 12, s3);
  }
  for (; width >= 4; width -= 4, columns += 4, out += 4) {
    v128_t sums = zero;
    const float *at = columns;
    for (uint32_t j = 0; j < n; j++, at += count)
      sums = add(sums, wasm_v128_load32_splat(x + j), wasm_v128_load(at));
    wasm_v128_store(out, sums);
  }
  for (; width > 0; width--, columns++, out++) {
    v128_t sums = zero;
    const float *at = columns;
    for (uint32_t j = 0; j < n; j++, at += count)
      sums =
          add(sums, wasm_v128_load32_splat(x + j), wasm_v128_load32_zero(at));
    wasm_v128_store32_lane(out, sums, 0);
  }
}

/* Not inlined: the next two share it. */
static __attribute__((noinline)) void sum_l2(const float *x,
                                             const float *columns, uint32_t n,
                                             uint32_t count, uint32_t width,
                                             float *out) {
  sum_columns(add_squared_difference, x, columns, n, count, width, out);
}

static void mn_l2_columns_wasm(const float *x, const float *columns, uint32_t n,
                               uint32_t count, float *out) {
  sum_l2(x, columns, n, count, count, out);
}

/* Comparing with < leaves out NaN and infinity. */
static uint32_t mn_nearest_column_wasm(const float *x, const float *columns,
                                       uint32_t n, uint32_t count,
                                       float *distance) {
  const v128_t infinity = wasm_f32x4_const_splat(__builtin_inff());
  /* The least of each lane, and the column it was seen in first. */
  v128_t least = infinity, at = wasm_i32x4_const_splat(0);
  v128_t column = wasm_i32x4_const(0, 1, 2, 3);
  v128_t sums[16];
  for (uint32_t k = 0; k < count; k += 64) {
    uint32_t width = count - k < 64 ? count - k : 64;
    sums[(width - 1) / 4] = infinity;
    sum_l2(x, columns + k, n, count, width, (float *)sums);
    for (uint32_t i = 0; 4 * i < width; i++) {
      v128_t less = wasm_f32x4_lt(sums[i], least);
      least = wasm_v128_bitselect(sums[i], least, less);
      at = wasm_v128_bitselect(column, at, less);
      column = wasm_i32x4_add(column, wasm_i32x4_const_splat(4));
    }
  }
  /* Lanes that hold the least of all; of their columns the lowest. */
  v128_t all = least;
  all = wasm_f32x4_pmin(all, wasm_i32x4_shuffle(all, all, 2, 3, 0, 1));
  all = wasm_f32x4_pmin(all, wasm_i32x4_shuffle(all, all, 1, 0, 3, 2));
  at = wasm_v128_or(at, wasm_f32x4_ne(least, all));
  at = wasm_u32x4_min(at, wasm_i32x4_shuffle(at, at, 2, 3, 0, 1));
  at = wasm_u32x4_min(at, wasm_i32x4_shuffle(at, at, 1, 0, 3, 2));
  *distance = wasm_f32x4_extract_lane(all, 0);
  return wasm_u32x4_extract_lane(at, 0);
}

static void mn_dot_columns_wasm(const float *x, const float *columns,
                                uint32_t n, uint32_t count, float *out) {
  sum_columns(add_product, x, columns, n, count, count, out);
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
    .dot_i16_u4 = mn_dot_i16_u4_wasm,
    .dot_i16_u2 = mn_dot_i16_u2_wasm,
    .dot_i8_u4 = mn_dot_i8_u4_wasm,
    .dot_i8_u2 = mn_dot_i8_u2_wasm,
    .dot_i8_u1 = mn_dot_i8_u1_wasm,
    .count_xor = mn_count_xor_wasm,
    .count_and = mn_count_and_wasm,
    .count_xor_rows = mn_count_xor_rows_wasm,
    .lookup_u4 = mn_lookup_u4_wasm,
    .lookup_u8 = mn_lookup_u8_c,
    .l2_columns = mn_l2_columns_wasm,
    .dot_columns = mn_dot_columns_wasm,
    .nearest_column = mn_nearest_column_wasm,
};

#endif
