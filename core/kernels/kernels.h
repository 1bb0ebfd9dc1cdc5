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
 *  - Integer sums are exact, so their order is free.
 *
 * No pointer need be aligned. n is the number of elements, 0 to 65535.
 */
#ifndef MN_KERNELS_H
#define MN_KERNELS_H

#include "../minnow.h"

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

  /* exact sum of a[i] * b[i]; the sum of |a[i] * b[i]| is below 2^31 */
  int32_t (*dot_i16_i8)(const int16_t *a, const int8_t *b, uint32_t n);
} mn_kernels;

extern const mn_kernels mn_kernels_c;
#if defined(__x86_64__) || defined(__i386__)
extern const mn_kernels mn_kernels_avx2;
#endif
#if defined(__wasm_simd128__)
extern const mn_kernels mn_kernels_wasm;
#endif

/* The fastest table that needs nothing but `features`. */
const mn_kernels *mn_kernels_select(uint32_t features);

/* Every table compiled into this build, fastest last; NULL past the end. For
 * tests. */
const mn_kernels *mn_kernels_at(uint32_t i);

/* Exact widening, shared by the reference kernels and the encodings. */
float mn_f16_to_f32(uint16_t half);
float mn_bf16_to_f32(uint16_t half);

#endif
