/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the AVX-512 kernels share. A masked load does not touch
 * what its mask leaves out, so the ends of vectors need no care.
 *
 * There is no AVX-512 without fused multiplication: that the compiler does not
 * make use of it is up to -ffp-contract=off.
 */
#ifndef MN_KERNELS_AVX512_H
#define MN_KERNELS_AVX512_H

#include "x86.h"

#define MN_AVX512                                                              \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,"       \
                        "avx512vbmi,avx512vpopcntdq,avx512bitalg")))
#define MN_INLINE static inline __attribute__((always_inline)) MN_AVX512

/* The first `count` of 16 lanes. */
MN_INLINE __mmask16 mn_lanes_below(uint32_t count) {
  return (__mmask16)(count < 16 ? (1u << count) - 1 : 0xffff);
}

/* In avx512_codes.c and avx512_lookup.c. */
int32_t mn_dot_i16_i8_avx512(const int16_t *a, const int8_t *b, uint32_t n);
int32_t mn_dot_i16_u4_avx512(const int16_t *a, const uint8_t *b, uint32_t n);
int32_t mn_dot_i16_u2_avx512(const int16_t *a, const uint8_t *b, uint32_t n);
void mn_dot_i8_u4_avx512(const int8_t *a, const mn_rows *b, uint32_t n,
                         int32_t *sums);
void mn_dot_i8_u2_avx512(const int8_t *a, const mn_rows *b, uint32_t n,
                         int32_t *sums);
void mn_dot_i8_u1_avx512(const int8_t *a, const mn_rows *b, uint32_t n,
                         int32_t *sums);
uint32_t mn_count_xor_avx512(const uint8_t *a, const uint8_t *b,
                             uint32_t bytes);
uint32_t mn_count_and_avx512(const uint8_t *a, const uint8_t *b,
                             uint32_t bytes);
void mn_count_xor_rows_avx512(const uint8_t *a, const uint8_t *rows,
                              size_t stride, uint32_t bytes, uint32_t count,
                              uint32_t *counts);
void mn_lookup_u4_avx512(const uint8_t *tables, const uint8_t *const *rows,
                         uint32_t bytes, uint32_t *sums);

#endif
