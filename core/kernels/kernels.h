/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels: the innermost loops, one table per instruction set.
 *
 * Every table gives the same bits as the reference in portable.c:
 *  - Float sums have 16 lanes. Lane j takes elements j, j+16, j+32, … in that
 *    order; each product is rounded before it is added (never fused); a tail
 *    shorter than 16 is filled up with zeros. The lanes are then folded in
 *    halves: lane j += lane j+8 (j < 8), j += j+4, j += j+2, j += j+1.
 *    A sum of products starts from +0, so the sign of a zero is canonical too.
 *  - Sums by columns have one lane per column, in which components are added in
 *    order.
 *  - Integer sums are exact, so their order is free.
 *
 * No pointer need be aligned. n is the number of elements, 0 to 65535. Kernels
 * of encodings that a build leaves out are NULL.
 */
#ifndef MN_KERNELS_H
#define MN_KERNELS_H

#include "../minnow.h"
#include "../selection.h"

#define MN_LOOKUP_ROWS 32u

/* Rows in any order: row i is slots[i] * stride bytes from `at` on. */
typedef struct mn_rows {
  const uint8_t *at;
  size_t stride;
  const uint32_t *slots;
  uint32_t count;
} mn_rows;

/* Which tables this build can have. NEON of 32-bit ARM is not used: it flushes
 * subnormal floats. Before version 16, clang knows the intrinsics of an
 * extension only where the whole file is compiled for it. */
#if defined(__aarch64__) && defined(__ARM_NEON) && !defined(__ARM_BIG_ENDIAN)
#define MN_HAS_NEON
#if !defined(__clang__) || __clang_major__ >= 16
#define MN_HAS_DOTPROD
#endif
#endif
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' &&                \
    defined(__thumb2__) && !defined(__ARM_BIG_ENDIAN)
#if defined(__ARM_FEATURE_MVE) && __ARM_FEATURE_MVE == 3
#define MN_HAS_MVE
#elif defined(__ARM_FEATURE_DSP) &&                                            \
    (!defined(MN_SMALL_CODE) || defined(MN_WITH_DSP))
#define MN_HAS_DSP
#endif
#endif

typedef struct mn_kernels {
  const char *name;
  uint32_t features; /* the MN_CPU_ bits it needs */

  /* sum of a[i] * b[i], and of (a[i] - b[i])^2 */
  float (*dot_f32)(const float *a, const float *b, uint32_t n);
  float (*l2_f32)(const float *a, const float *b, uint32_t n);

  /* the same with b in IEEE half or bfloat16, widened exactly */
  float (*dot_f16)(const float *a, const uint16_t *b, uint32_t n);
  float (*l2_f16)(const float *a, const uint16_t *b, uint32_t n);
  float (*dot_bf16)(const float *a, const uint16_t *b, uint32_t n);
  float (*l2_bf16)(const float *a, const uint16_t *b, uint32_t n);

  /* exact sum of a[i] * b[i]; the sum of |a[i] * b[i]| is below 2^31. b of 4
   * and 2 bits is unsigned and packed, the first element in the lowest bits of
   * a byte, (n + 1) / 2 and (n + 3) / 4 bytes. */
  int32_t (*dot_i16_i8)(const int16_t *a, const int8_t *b, uint32_t n);
  int32_t (*dot_i16_u4)(const int16_t *a, const uint8_t *b, uint32_t n);
  int32_t (*dot_i16_u2)(const int16_t *a, const uint8_t *b, uint32_t n);

  /* the same with a of 8 bits, behind which zeros can be read up to a multiple
   * of 32 elements, for each of many b: sums[i] for row i */
  void (*dot_i8_u4)(const int8_t *a, const mn_rows *b, uint32_t n,
                    int32_t *sums);
  void (*dot_i8_u2)(const int8_t *a, const mn_rows *b, uint32_t n,
                    int32_t *sums);

  /* likewise the sum of the a[j] whose bit is set in b: bit j % 8, the lowest
   * first, of byte j / 8, in (n + 7) / 8 bytes; nothing is read behind a */
  void (*dot_i8_u1)(const int8_t *a, const mn_rows *b, uint32_t n,
                    int32_t *sums);

  /* bits set in a ^ b, and in a & b */
  uint32_t (*count_xor)(const uint8_t *a, const uint8_t *b, uint32_t bytes);
  uint32_t (*count_and)(const uint8_t *a, const uint8_t *b, uint32_t bytes);

  /* count_xor of a and each of `count` rows, which lie `stride` bytes apart */
  void (*count_xor_rows)(const uint8_t *a, const uint8_t *rows, size_t stride,
                         uint32_t bytes, uint32_t count, uint32_t *counts);

  /* Table lookup by 4-bit codes, for MN_LOOKUP_ROWS rows at once: sums[r] is
   * the sum over i < bytes of
   *   T(2 i, rows[r][i] % 16) + T(2 i + 1, rows[r][i] / 16)
   * where T(t, c) = low + 256 high, low the byte c and high the byte 16 + c of
   * the 32 bytes at tables + 32 t. High bytes are below 16. `tables` is aligned
   * to 64. Rows may be the same, and are not read past `bytes`. */
  void (*lookup_u4)(const uint8_t *tables, const uint8_t *const *rows,
                    uint32_t bytes, uint32_t *sums);

  /* sum over i < n of table[256 i + b[i]] */
  uint32_t (*lookup_u8)(const uint16_t *table, const uint8_t *b, uint32_t n);

  /* Distances of x to `count` points that are given by columns, component j of
   * point k at columns[j * count + k]: out[k] = the sum over j < n, in
   * ascending order from +0, of (x[j] - p[j])^2; and of x[j] * p[j]. `nearest`
   * gives the k of the smallest such squared distance, the smallest k among
   * equals, and that distance; NaN and infinity count as farther than all. */
  void (*l2_columns)(const float *x, const float *columns, uint32_t n,
                     uint32_t count, float *out);
  void (*dot_columns)(const float *x, const float *columns, uint32_t n,
                      uint32_t count, float *out);
  uint32_t (*nearest_column)(const float *x, const float *columns, uint32_t n,
                             uint32_t count, float *distance);
} mn_kernels;

static inline const uint8_t *mn_row(const mn_rows *rows, uint32_t i) {
  return rows->at + rows->slots[i] * rows->stride;
}

extern const mn_kernels mn_kernels_c;
#if defined(__x86_64__) || defined(__i386__)
extern const mn_kernels mn_kernels_avx2, mn_kernels_avx512;
#endif
#if defined(__wasm_simd128__)
extern const mn_kernels mn_kernels_wasm;
#endif
#if defined(MN_HAS_NEON)
extern const mn_kernels mn_kernels_neon;
#endif
#if defined(MN_HAS_MVE)
extern const mn_kernels mn_kernels_mve;
#endif
#if defined(MN_HAS_DSP)
extern const mn_kernels mn_kernels_dsp;
#endif
#if defined(MN_HAS_DOTPROD)
extern const mn_kernels mn_kernels_dotprod, mn_kernels_i8mm;
#endif

/* The fastest table that needs nothing but `features`. */
const mn_kernels *mn_kernels_select(uint32_t features);

/* Of `features` those that this machine has, as far as can be known. */
uint32_t mn_kernels_usable(uint32_t features);

/* Every table compiled into this build, fastest last; NULL past the end. For
 * tests. */
const mn_kernels *mn_kernels_at(uint32_t i);

/* Exact widening, shared by the reference kernels and the encodings. */
float mn_f16_to_f32(uint16_t half);
float mn_bf16_to_f32(uint16_t half);

#endif
