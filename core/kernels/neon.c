/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NEON: floats, and the tables. The 16 lanes are four registers of four.
 */
#include "kernels.h"
#if defined(MN_HAS_NEON)

#include "neon.h"
#include "shared.h"

/* --- Reading -------------------------------------------------------------- */

/* Elements of a vector as floats: 16 from p on; the four from p on; and the
 * first `count` (1 to 3) of these, then zeros. */
typedef struct {
  float32x4_t v[4];
} lanes;

typedef lanes read_sixteen(const uint8_t *p);
typedef float32x4_t read_four(const uint8_t *p);
typedef float32x4_t read_part(const uint8_t *p, uint32_t count);

MN_INLINE float32x4_t four_f32(const uint8_t *p) {
  return vreinterpretq_f32_u8(vld1q_u8(p));
}

MN_INLINE lanes sixteen_f32(const uint8_t *p) {
  return (lanes){
      {four_f32(p), four_f32(p + 16), four_f32(p + 32), four_f32(p + 48)}};
}

MN_INLINE float32x4_t part_f32(const uint8_t *p, uint32_t count) {
  return vreinterpretq_f32_u8(mn_load_part(p, 4 * count));
}

/* The conversion is exact, subnormal halves included, whatever the modes that
 * govern arithmetic. */
MN_INLINE float32x4_t four_f16(const uint8_t *p) {
  return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p)));
}

MN_INLINE lanes sixteen_f16(const uint8_t *p) {
  float16x8_t first = vreinterpretq_f16_u8(vld1q_u8(p));
  float16x8_t last = vreinterpretq_f16_u8(vld1q_u8(p + 16));
  return (lanes){{vcvt_f32_f16(vget_low_f16(first)), vcvt_high_f32_f16(first),
                  vcvt_f32_f16(vget_low_f16(last)), vcvt_high_f32_f16(last)}};
}

MN_INLINE float32x4_t part_f16(const uint8_t *p, uint32_t count) {
  uint8x8_t halves = vget_low_u8(mn_load_part(p, 2 * count));
  return vcvt_f32_f16(vreinterpret_f16_u8(halves));
}

MN_INLINE float32x4_t widen_bf16(uint16x4_t halves) {
  return vreinterpretq_f32_u32(vshll_n_u16(halves, 16));
}

MN_INLINE float32x4_t four_bf16(const uint8_t *p) {
  return widen_bf16(vreinterpret_u16_u8(vld1_u8(p)));
}

MN_INLINE lanes sixteen_bf16(const uint8_t *p) {
  uint16x8_t first = vreinterpretq_u16_u8(vld1q_u8(p));
  uint16x8_t last = vreinterpretq_u16_u8(vld1q_u8(p + 16));
  return (lanes){{widen_bf16(vget_low_u16(first)),
                  vreinterpretq_f32_u32(vshll_high_n_u16(first, 16)),
                  widen_bf16(vget_low_u16(last)),
                  vreinterpretq_f32_u32(vshll_high_n_u16(last, 16))}};
}

MN_INLINE float32x4_t part_bf16(const uint8_t *p, uint32_t count) {
  uint8x8_t halves = vget_low_u8(mn_load_part(p, 2 * count));
  return widen_bf16(vreinterpret_u16_u8(halves));
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

/* `size`: bytes of an element of b. */
MN_INLINE float sum(add_term *add, read_sixteen *sixteen_b, read_four *four_b,
                    read_part *part_b, uint32_t size, const void *vector_a,
                    const void *vector_b, uint32_t n) {
  const uint8_t *a = vector_a, *b = vector_b;
  float32x4_t s0 = vdupq_n_f32(0), s1 = s0, s2 = s0, s3 = s0;
  for (; n >= 16; n -= 16, a += 16 * 4, b += 16 * size) {
    lanes x = sixteen_f32(a), y = sixteen_b(b);
    s0 = add(s0, x.v[0], y.v[0]);
    s1 = add(s1, x.v[1], y.v[1]);
    s2 = add(s2, x.v[2], y.v[2]);
    s3 = add(s3, x.v[3], y.v[3]);
  }
  if (n >= 4)
    s0 = add(s0, four_f32(a), four_b(b));
  if (n >= 8)
    s1 = add(s1, four_f32(a + 4 * 4), four_b(b + 4 * size));
  if (n >= 12)
    s2 = add(s2, four_f32(a + 8 * 4), four_b(b + 8 * size));
  if (n % 4 != 0) {
    float32x4_t x = part_f32(a + n / 4 * 16, n % 4);
    float32x4_t y = part_b(b + n / 4 * 4 * size, n % 4);
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
  float32x4_t four = vaddq_f32(vaddq_f32(s0, s2), vaddq_f32(s1, s3));
  float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

/* --- Sums by columns ------------------------------------------------------ */

MN_INLINE float32x4_t load_columns(const float *p) {
  return four_f32((const uint8_t *)p);
}

MN_INLINE void store_columns(float *p, float32x4_t sums) {
  vst1q_u8((uint8_t *)p, vreinterpretq_u8_f32(sums));
}

MN_INLINE float load_one(const float *p) {
  return ((const mn_unaligned_f32 *)p)->value;
}

/* `width` columns from `columns` on, of `count`. 16 at a time: four chains of
 * additions hide their latency. */
MN_INLINE void sum_columns(add_term *add, const float *x, const float *columns,
                           uint32_t n, uint32_t count, uint32_t width,
                           float *out) {
  const float32x4_t zero = vdupq_n_f32(0);
  for (; width >= 16; width -= 16, columns += 16, out += 16) {
    float32x4_t s0 = zero, s1 = zero, s2 = zero, s3 = zero;
    const float *at = columns;
    for (uint32_t j = 0; j < n; j++, at += count) {
      float32x4_t component = vdupq_n_f32(load_one(x + j));
      s0 = add(s0, component, load_columns(at));
      s1 = add(s1, component, load_columns(at + 4));
      s2 = add(s2, component, load_columns(at + 8));
      s3 = add(s3, component, load_columns(at + 12));
    }
    store_columns(out, s0);
    store_columns(out + 4, s1);
    store_columns(out + 8, s2);
    store_columns(out + 12, s3);
  }
  for (; width >= 4; width -= 4, columns += 4, out += 4) {
    float32x4_t sums = zero;
    const float *at = columns;
    for (uint32_t j = 0; j < n; j++, at += count)
      sums = add(sums, vdupq_n_f32(load_one(x + j)), load_columns(at));
    store_columns(out, sums);
  }
  for (; width > 0; width--, columns++, out++) {
    float32x4_t sums = zero;
    const float *at = columns;
    for (uint32_t j = 0; j < n; j++, at += count)
      sums = add(sums, vdupq_n_f32(load_one(x + j)), vdupq_n_f32(load_one(at)));
    ((mn_unaligned_f32 *)out)->value = vgetq_lane_f32(sums, 0);
  }
}

/* Not inlined: the next two share it. */
static __attribute__((noinline)) void sum_l2(const float *x,
                                             const float *columns, uint32_t n,
                                             uint32_t count, uint32_t width,
                                             float *out) {
  sum_columns(add_squared_difference, x, columns, n, count, width, out);
}

static void mn_l2_columns_neon(const float *x, const float *columns, uint32_t n,
                               uint32_t count, float *out) {
  sum_l2(x, columns, n, count, count, out);
}

/* Comparing with < leaves out NaN and infinity. */
static uint32_t mn_nearest_column_neon(const float *x, const float *columns,
                                       uint32_t n, uint32_t count,
                                       float *distance) {
  static const uint32_t first[4] = {0, 1, 2, 3};
  const float32x4_t infinity = vdupq_n_f32(__builtin_inff());
  /* The least of each lane, and the column it was seen in first. */
  float32x4_t least = infinity;
  uint32x4_t at = vdupq_n_u32(0), column = vld1q_u32(first);
  float sums[64];
  for (uint32_t k = 0; k < count; k += 64) {
    uint32_t width = count - k < 64 ? count - k : 64;
    vst1q_f32(sums + (width - 1) / 4 * 4, infinity);
    sum_l2(x, columns + k, n, count, width, sums);
    for (uint32_t i = 0; i < width; i += 4) {
      float32x4_t four = vld1q_f32(sums + i);
      uint32x4_t less = vcltq_f32(four, least);
      least = vbslq_f32(less, four, least);
      at = vbslq_u32(less, column, at);
      column = vaddq_u32(column, vdupq_n_u32(4));
    }
  }
  /* Lanes that hold the least of all; of their columns the lowest. */
  float all = vminvq_f32(least);
  uint32x4_t other = vmvnq_u32(vceqq_f32(least, vdupq_n_f32(all)));
  *distance = all;
  return vminvq_u32(vorrq_u32(at, other));
}

static void mn_dot_columns_neon(const float *x, const float *columns,
                                uint32_t n, uint32_t count, float *out) {
  sum_columns(add_product, x, columns, n, count, count, out);
}

/* --- The tables ----------------------------------------------------------- */

static float mn_dot_f32_neon(const float *a, const float *b, uint32_t n) {
  return sum(add_product, sixteen_f32, four_f32, part_f32, 4, a, b, n);
}

static float mn_l2_f32_neon(const float *a, const float *b, uint32_t n) {
  return sum(add_squared_difference, sixteen_f32, four_f32, part_f32, 4, a, b,
             n);
}

static float mn_dot_f16_neon(const float *a, const uint16_t *b, uint32_t n) {
  return sum(add_product, sixteen_f16, four_f16, part_f16, 2, a, b, n);
}

static float mn_l2_f16_neon(const float *a, const uint16_t *b, uint32_t n) {
  return sum(add_squared_difference, sixteen_f16, four_f16, part_f16, 2, a, b,
             n);
}

static float mn_dot_bf16_neon(const float *a, const uint16_t *b, uint32_t n) {
  return sum(add_product, sixteen_bf16, four_bf16, part_bf16, 2, a, b, n);
}

static float mn_l2_bf16_neon(const float *a, const uint16_t *b, uint32_t n) {
  return sum(add_squared_difference, sixteen_bf16, four_bf16, part_bf16, 2, a,
             b, n);
}

/* What no extension changes. */
#define MN_NEON_BASE                                                           \
  .dot_f32 = mn_dot_f32_neon, .l2_f32 = mn_l2_f32_neon,                        \
  .dot_f16 = mn_dot_f16_neon, .l2_f16 = mn_l2_f16_neon,                        \
  .dot_bf16 = mn_dot_bf16_neon, .l2_bf16 = mn_l2_bf16_neon,                    \
  .count_xor = mn_count_xor_neon, .count_and = mn_count_and_neon,              \
  .count_xor_rows = mn_count_xor_rows_neon, .lookup_u4 = mn_lookup_u4_neon,    \
  .lookup_u8 = mn_lookup_u8_c, .l2_columns = mn_l2_columns_neon,               \
  .dot_columns = mn_dot_columns_neon, .nearest_column = mn_nearest_column_neon

const mn_kernels mn_kernels_neon = {
    .name = "neon",
    .features = 0,
    .dot_i16_i8 = mn_dot_i16_i8_neon,
    .dot_i16_u4 = mn_dot_i16_u4_neon,
    .dot_i16_u2 = mn_dot_i16_u2_neon,
    .dot_i8_u4 = mn_dot_i8_u4_neon,
    .dot_i8_u2 = mn_dot_i8_u2_neon,
    .dot_i8_u1 = mn_dot_i8_u1_neon,
    MN_NEON_BASE,
};

#if defined(MN_HAS_DOTPROD)

const mn_kernels mn_kernels_dotprod = {
    .name = "dotprod",
    .features = MN_CPU_DOTPROD,
    .dot_i16_i8 = mn_dot_i16_i8_dotprod,
    .dot_i16_u4 = mn_dot_i16_u4_dotprod,
    .dot_i16_u2 = mn_dot_i16_u2_dotprod,
    .dot_i8_u4 = mn_dot_i8_u4_dotprod,
    .dot_i8_u2 = mn_dot_i8_u2_dotprod,
    .dot_i8_u1 = mn_dot_i8_u1_dotprod,
    MN_NEON_BASE,
};

const mn_kernels mn_kernels_i8mm = {
    .name = "i8mm",
    .features = MN_CPU_DOTPROD | MN_CPU_I8MM,
    .dot_i16_i8 = mn_dot_i16_i8_i8mm,
    .dot_i16_u4 = mn_dot_i16_u4_dotprod,
    .dot_i16_u2 = mn_dot_i16_u2_dotprod,
    .dot_i8_u4 = mn_dot_i8_u4_dotprod,
    .dot_i8_u2 = mn_dot_i8_u2_dotprod,
    .dot_i8_u1 = mn_dot_i8_u1_dotprod,
    MN_NEON_BASE,
};

#endif

#endif
