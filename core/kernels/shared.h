/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels of the reference that other tables use too, where their instructions
 * have nothing better. By name, because a build whose every machine has the
 * better table leaves the rest of the reference's out.
 */
#ifndef MN_KERNELS_SHARED_H
#define MN_KERNELS_SHARED_H

#include "kernels.h"

float mn_dot_f32_c(const float *a, const float *b, uint32_t n);
float mn_l2_f32_c(const float *a, const float *b, uint32_t n);
float mn_dot_f16_c(const float *a, const uint16_t *b, uint32_t n);
float mn_l2_f16_c(const float *a, const uint16_t *b, uint32_t n);
float mn_dot_bf16_c(const float *a, const uint16_t *b, uint32_t n);
float mn_l2_bf16_c(const float *a, const uint16_t *b, uint32_t n);
int32_t mn_dot_i16_i8_c(const int16_t *a, const int8_t *b, uint32_t n);
int32_t mn_dot_i16_u4_c(const int16_t *a, const uint8_t *b, uint32_t n);
int32_t mn_dot_i16_u2_c(const int16_t *a, const uint8_t *b, uint32_t n);
void mn_dot_i8_u4_c(const int8_t *a, const mn_rows *b, uint32_t n,
                    int32_t *sums);
void mn_dot_i8_u2_c(const int8_t *a, const mn_rows *b, uint32_t n,
                    int32_t *sums);
void mn_dot_i8_u1_c(const int8_t *a, const mn_rows *b, uint32_t n,
                    int32_t *sums);
uint32_t mn_count_xor_c(const uint8_t *a, const uint8_t *b, uint32_t bytes);
uint32_t mn_count_and_c(const uint8_t *a, const uint8_t *b, uint32_t bytes);
void mn_count_xor_rows_c(const uint8_t *a, const uint8_t *rows, size_t stride,
                         uint32_t bytes, uint32_t count, uint32_t *counts);
void mn_lookup_u4_c(const uint8_t *tables, const uint8_t *const *rows,
                    uint32_t bytes, uint32_t *sums);
uint32_t mn_lookup_u8_c(const uint16_t *table, const uint8_t *b, uint32_t n);
void mn_l2_columns_c(const float *x, const float *columns, uint32_t n,
                     uint32_t count, float *out);
void mn_dot_columns_c(const float *x, const float *columns, uint32_t n,
                      uint32_t count, float *out);
uint32_t mn_nearest_column_c(const float *x, const float *columns, uint32_t n,
                             uint32_t count, float *distance);

#endif
