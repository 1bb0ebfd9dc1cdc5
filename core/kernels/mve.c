/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helium: floats, and the table. The 16 lanes are four registers of four.
 *
 * Vector arithmetic of this extension takes subnormal floats for zeros, which
 * others do not (Armv8-M, "Flush-to-zero": vector instructions use the standard
 * FPSCR value). It also says so, in the flags for subnormal operands and for
 * underflow. A sum that raised one of them is computed again by the reference:
 * it is rare, as it takes numbers below 2^-126.
 */
#include "kernels.h"
#if defined(MN_HAS_MVE)

#include "mve.h"
#include "shared.h"

/* --- Flags ---------------------------------------------------------------- */

#define INPUT_SUBNORMAL (1u << 7)
#define UNDERFLOW       (1u << 3)
#define FLUSHED         (INPUT_SUBNORMAL | UNDERFLOW)

MN_INLINE uint32_t read_flags(void) {
  uint32_t flags;
  __asm__ volatile("vmrs %0, fpscr" : "=r"(flags)::"memory");
  return flags;
}

MN_INLINE void write_flags(uint32_t flags) {
  __asm__ volatile("vmsr fpscr, %0" ::"r"(flags) : "memory");
}

/* What was computed lies before the flags are read, and what is to be computed
 * behind. */
#define SETTLE(vector) __asm__ volatile("" : "+w"(vector)::"memory")

/* The flags are cleared, and kept for the caller. */
MN_INLINE uint32_t begin(void) {
  const uint32_t before = read_flags();
  write_flags(before & ~FLUSHED);
  return before;
}

MN_INLINE int was_flushed(uint32_t before) {
  const uint32_t after = read_flags();
  write_flags(after | (before & FLUSHED));
  return (after & FLUSHED) != 0;
}

/* --- Reading -------------------------------------------------------------- */

/* Four elements as floats; and those of them that the predicate of 32-bit lanes
 * lets through, then zeros. */
typedef float32x4_t read_four(const uint8_t *p);
typedef float32x4_t read_part(const uint8_t *p, uint32_t count);

MN_INLINE float32x4_t four_f32(const uint8_t *p) {
  return vreinterpretq_f32_u8(vld1q_u8(p));
}

MN_INLINE float32x4_t part_f32(const uint8_t *p, uint32_t count) {
  return vreinterpretq_f32_u8(vldrbq_z_u8(p, vctp8q(4 * count)));
}

/* The halves of four words, the lower ones. This conversion is exact.
 *
 * GNU's assembler 2.40 encodes other registers than the first wrongly in this
 * instruction. */
#if defined(__clang__)

MN_INLINE float32x4_t widen_f16(uint32x4_t halves) {
  return vcvtbq_f32_f16(vreinterpretq_f16_u32(halves));
}

#else

MN_INLINE float32x4_t widen_f16(uint32x4_t halves) {
  register float32x4_t q0 __asm__("q0") = vreinterpretq_f32_u32(halves);
  __asm__("vcvtb.f32.f16 q0, q0" : "+w"(q0));
  return q0;
}

#endif

MN_INLINE float32x4_t four_f16(const uint8_t *p) {
  return widen_f16(vldrhq_u32((const uint16_t *)(const void *)p));
}

MN_INLINE float32x4_t part_f16(const uint8_t *p, uint32_t count) {
  return widen_f16(
      vldrhq_z_u32((const uint16_t *)(const void *)p, vctp32q(count)));
}

MN_INLINE float32x4_t widen_bf16(uint32x4_t halves) {
  return vreinterpretq_f32_u32(vshlq_n_u32(halves, 16));
}

MN_INLINE float32x4_t four_bf16(const uint8_t *p) {
  return widen_bf16(vldrhq_u32((const uint16_t *)(const void *)p));
}

MN_INLINE float32x4_t part_bf16(const uint8_t *p, uint32_t count) {
  return widen_bf16(
      vldrhq_z_u32((const uint16_t *)(const void *)p, vctp32q(count)));
}

/* --- Sums ----------------------------------------------------------------- */

typedef float32x4_t add_term(float32x4_t sum, float32x4_t a, float32x4_t b);

MN_INLINE float32x4_t add_product(float32x4_t sum, float32x4_t a,
                                  float32x4_t b) {
  return vaddq_f32(sum, vmulq_f32(a, b));
}

MN_INLINE float32x4_t add_squared_difference(float32x4_t sum, float32x4_t a,
                                             float32x4_t b) {
  float32x4_t difference = vsubq_f32(a, b);
  return vaddq_f32(sum, vmulq_f32(difference, difference));
}

typedef struct {
  float value;
  int flushed;
} result;

/* `size`: bytes of an element of b. */
MN_INLINE result sum(add_term *add, read_four *four_b, read_part *part_b,
                     uint32_t size, const void *vector_a, const void *vector_b,
                     uint32_t n) {
  const uint8_t *a = vector_a, *b = vector_b;
  const uint32_t before = begin();
  float32x4_t s[4] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0),
                      vdupq_n_f32(0)};
  SETTLE(s[0]);
  SETTLE(s[1]);
  SETTLE(s[2]);
  SETTLE(s[3]);
  for (; n >= 16; n -= 16, a += 16 * 4, b += 16 * size) {
    s[0] = add(s[0], four_f32(a), four_b(b));
    s[1] = add(s[1], four_f32(a + 4 * 4), four_b(b + 4 * size));
    s[2] = add(s[2], four_f32(a + 8 * 4), four_b(b + 8 * size));
    s[3] = add(s[3], four_f32(a + 12 * 4), four_b(b + 12 * size));
  }
  if (n > 0)
    s[0] = add(s[0], part_f32(a, n < 4 ? n : 4), part_b(b, n < 4 ? n : 4));
  if (n > 4)
    s[1] = add(s[1], part_f32(a + 16, n < 8 ? n - 4 : 4),
               part_b(b + 4 * size, n < 8 ? n - 4 : 4));
  if (n > 8)
    s[2] = add(s[2], part_f32(a + 32, n < 12 ? n - 8 : 4),
               part_b(b + 8 * size, n < 12 ? n - 8 : 4));
  if (n > 12)
    s[3] = add(s[3], part_f32(a + 48, n - 12), part_b(b + 12 * size, n - 12));
  float32x4_t four = vaddq_f32(vaddq_f32(s[0], s[2]), vaddq_f32(s[1], s[3]));
  SETTLE(four);
  const int flushed = was_flushed(before);
  const float first = vgetq_lane_f32(four, 0) + vgetq_lane_f32(four, 2);
  const float last = vgetq_lane_f32(four, 1) + vgetq_lane_f32(four, 3);
  return (result){first + last, flushed};
}

/* --- Sums by columns ------------------------------------------------------ */

MN_INLINE float load_one(const float *p) {
  return ((const mn_unaligned_f32 *)p)->value;
}

MN_INLINE float32x4_t load_columns(const float *p) {
  return four_f32((const uint8_t *)p);
}

MN_INLINE void store_columns(float *p, float32x4_t sums) {
  vst1q_u8((uint8_t *)p, vreinterpretq_u8_f32(sums));
}

/* `width` columns from `columns` on, of `count`: eight at a time, then four or
 * less. Whether something was flushed. */
MN_INLINE int sum_columns(add_term *add, const float *x, const float *columns,
                          uint32_t n, uint32_t count, uint32_t width,
                          float *out) {
  const uint32_t before = begin();
  for (; width >= 8; width -= 8, columns += 8, out += 8) {
    float32x4_t s0 = vdupq_n_f32(0), s1 = vdupq_n_f32(0);
    SETTLE(s0);
    SETTLE(s1);
    const float *at = columns;
    for (uint32_t j = 0; j < n; j++, at += count) {
      float32x4_t component = vdupq_n_f32(load_one(x + j));
      s0 = add(s0, component, load_columns(at));
      s1 = add(s1, component, load_columns(at + 4));
    }
    SETTLE(s0);
    SETTLE(s1);
    store_columns(out, s0);
    store_columns(out + 4, s1);
  }
  for (uint32_t some; width > 0; width -= some, columns += some, out += some) {
    some = width < 4 ? width : 4;
    const mve_pred16_t there = vctp8q(4 * some);
    float32x4_t s = vdupq_n_f32(0);
    SETTLE(s);
    const float *at = columns;
    for (uint32_t j = 0; j < n; j++, at += count) {
      uint8x16_t bytes = vldrbq_z_u8((const uint8_t *)at, there);
      s = add(s, vdupq_n_f32(load_one(x + j)), vreinterpretq_f32_u8(bytes));
    }
    SETTLE(s);
    vstrbq_p_u8((uint8_t *)out, vreinterpretq_u8_f32(s), there);
  }
  return was_flushed(before);
}

static int sum_l2(const float *x, const float *columns, uint32_t n,
                  uint32_t count, uint32_t width, float *out) {
  return sum_columns(add_squared_difference, x, columns, n, count, width, out);
}

static void mn_l2_columns_mve(const float *x, const float *columns, uint32_t n,
                              uint32_t count, float *out) {
  if (sum_l2(x, columns, n, count, count, out))
    mn_l2_columns_c(x, columns, n, count, out);
}

static void mn_dot_columns_mve(const float *x, const float *columns, uint32_t n,
                               uint32_t count, float *out) {
  if (sum_columns(add_product, x, columns, n, count, count, out))
    mn_dot_columns_c(x, columns, n, count, out);
}

/* Comparing with < leaves out NaN and infinity. */
static uint32_t mn_nearest_column_mve(const float *x, const float *columns,
                                      uint32_t n, uint32_t count,
                                      float *distance) {
  float sums[32], least = __builtin_inff();
  uint32_t nearest = 0;
  for (uint32_t k = 0; k < count; k += 32) {
    const uint32_t width = count - k < 32 ? count - k : 32;
    if (sum_l2(x, columns + k, n, count, width, sums))
      return mn_nearest_column_c(x, columns, n, count, distance);
    for (uint32_t i = 0; i < width; i++)
      if (sums[i] < least) {
        least = sums[i];
        nearest = k + i;
      }
  }
  *distance = least;
  return nearest;
}

/* --- The table ------------------------------------------------------------ */

/* Halves are loaded as such, which wants them aligned. */
MN_INLINE int is_aligned(const uint16_t *b) {
  return ((uintptr_t)b & 1) == 0;
}

static float mn_dot_f32_mve(const float *a, const float *b, uint32_t n) {
  const result r = sum(add_product, four_f32, part_f32, 4, a, b, n);
  return r.flushed ? mn_dot_f32_c(a, b, n) : r.value;
}

static float mn_l2_f32_mve(const float *a, const float *b, uint32_t n) {
  const result r = sum(add_squared_difference, four_f32, part_f32, 4, a, b, n);
  return r.flushed ? mn_l2_f32_c(a, b, n) : r.value;
}

static float mn_dot_f16_mve(const float *a, const uint16_t *b, uint32_t n) {
  if (!is_aligned(b))
    return mn_dot_f16_c(a, b, n);
  const result r = sum(add_product, four_f16, part_f16, 2, a, b, n);
  return r.flushed ? mn_dot_f16_c(a, b, n) : r.value;
}

static float mn_l2_f16_mve(const float *a, const uint16_t *b, uint32_t n) {
  if (!is_aligned(b))
    return mn_l2_f16_c(a, b, n);
  const result r = sum(add_squared_difference, four_f16, part_f16, 2, a, b, n);
  return r.flushed ? mn_l2_f16_c(a, b, n) : r.value;
}

static float mn_dot_bf16_mve(const float *a, const uint16_t *b, uint32_t n) {
  if (!is_aligned(b))
    return mn_dot_bf16_c(a, b, n);
  const result r = sum(add_product, four_bf16, part_bf16, 2, a, b, n);
  return r.flushed ? mn_dot_bf16_c(a, b, n) : r.value;
}

static float mn_l2_bf16_mve(const float *a, const uint16_t *b, uint32_t n) {
  if (!is_aligned(b))
    return mn_l2_bf16_c(a, b, n);
  const result r =
      sum(add_squared_difference, four_bf16, part_bf16, 2, a, b, n);
  return r.flushed ? mn_l2_bf16_c(a, b, n) : r.value;
}

const mn_kernels mn_kernels_mve = {
    .name = "mve",
    .features = 0,
    .dot_f32 = mn_dot_f32_mve,
    .l2_f32 = MN_IF_L2(mn_l2_f32_mve),
    .dot_f16 = MN_IF_FLOATS(mn_dot_f16_mve),
    .l2_f16 = MN_IF_FLOATS(mn_l2_f16_mve),
    .dot_bf16 = MN_IF_FLOATS(mn_dot_bf16_mve),
    .l2_bf16 = MN_IF_FLOATS(mn_l2_bf16_mve),
    .dot_i16_i8 = MN_IF_SQ(mn_dot_i16_i8_mve),
    .dot_i16_u4 = MN_IF_SQ(mn_dot_i16_u4_mve),
    .dot_i16_u2 = MN_IF_SQ(mn_dot_i16_u2_mve),
    .dot_i8_u4 = MN_IF_BITS(mn_dot_i8_u4_mve),
    .dot_i8_u2 = MN_IF_BITS(mn_dot_i8_u2_mve),
    .dot_i8_u1 = MN_IF_BITS(mn_dot_i8_u1_mve),
    .count_xor = MN_IF_XOR(mn_count_xor_mve),
    .count_and = MN_IF_SIGN(mn_count_and_mve),
    .count_xor_rows = MN_IF_BITS(mn_count_xor_rows_mve),
    .lookup_u4 = MN_IF_LOOKUP(mn_lookup_u4_mve),
    .lookup_u8 = MN_IF_PQ(mn_lookup_u8_c),
    .l2_columns = MN_IF_PQ(mn_l2_columns_mve),
    .dot_columns = MN_IF_PQ(mn_dot_columns_mve),
    .nearest_column = MN_IF_PQ(mn_nearest_column_mve),
};

#endif
