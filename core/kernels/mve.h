/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the kernels for Helium (M-profile vector extension) share.
 */
#ifndef MN_KERNELS_MVE_H
#define MN_KERNELS_MVE_H

#include "kernels.h"
#include "partial.h"

#include <arm_mve.h>

#define MN_INLINE static inline __attribute__((always_inline))

/* In mve_codes.c. */
int32_t mn_dot_i16_i8_mve(const int16_t *a, const int8_t *b, uint32_t n);
int32_t mn_dot_i16_u4_mve(const int16_t *a, const uint8_t *b, uint32_t n);
int32_t mn_dot_i16_u2_mve(const int16_t *a, const uint8_t *b, uint32_t n);
void mn_dot_i8_u4_mve(const int8_t *a, const mn_rows *b, uint32_t n,
                      int32_t *sums);
void mn_dot_i8_u2_mve(const int8_t *a, const mn_rows *b, uint32_t n,
                      int32_t *sums);
void mn_dot_i8_u1_mve(const int8_t *a, const mn_rows *b, uint32_t n,
                      int32_t *sums);
uint32_t mn_count_xor_mve(const uint8_t *a, const uint8_t *b, uint32_t bytes);
uint32_t mn_count_and_mve(const uint8_t *a, const uint8_t *b, uint32_t bytes);
void mn_count_xor_rows_mve(const uint8_t *a, const uint8_t *rows, size_t stride,
                           uint32_t bytes, uint32_t count, uint32_t *counts);
void mn_lookup_u4_mve(const uint8_t *tables, const uint8_t *const *rows,
                      uint32_t bytes, uint32_t *sums);

#endif
