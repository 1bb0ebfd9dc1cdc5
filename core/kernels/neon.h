/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the AArch64 kernels share. NEON is in every such processor;
 * of its extensions, dotprod and i8mm are used where the host says that they
 * are there (minnow_cpu.h).
 */
#ifndef MN_KERNELS_NEON_H
#define MN_KERNELS_NEON_H

#include "kernels.h"
#include "partial.h"

#include <arm_neon.h>

#define MN_INLINE static inline __attribute__((always_inline))

MN_INLINE uint8x16_t mn_join(uint64_t low, uint64_t high) {
  return vcombine_u8(vcreate_u8(low), vcreate_u8(high));
}

/* The first `bytes` (0 to 15) bytes at p, then zeros. */
MN_INLINE uint8x16_t mn_load_part(const uint8_t *p, uint32_t bytes) {
  if (bytes < 8)
    return mn_join(bytes == 0 ? 0 : mn_load_partial(p, bytes), 0);
  /* Two reads that overlap; the second is rid of what the first has. */
  uint64_t last = ((const mn_unaligned_u64 *)(p + bytes - 8))->value;
  last = bytes == 8 ? 0 : last >> 8 * (16 - bytes);
  return vcombine_u8(vld1_u8(p), vcreate_u8(last));
}

/* In neon_codes.c, neon_lookup.c, neon_dotprod.c. */
int32_t mn_dot_i16_i8_neon(const int16_t *a, const int8_t *b, uint32_t n);
int32_t mn_dot_i16_u4_neon(const int16_t *a, const uint8_t *b, uint32_t n);
int32_t mn_dot_i16_u2_neon(const int16_t *a, const uint8_t *b, uint32_t n);
void mn_dot_i8_u4_neon(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums);
void mn_dot_i8_u2_neon(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums);
void mn_dot_i8_u1_neon(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums);
uint32_t mn_count_xor_neon(const uint8_t *a, const uint8_t *b, uint32_t bytes);
uint32_t mn_count_and_neon(const uint8_t *a, const uint8_t *b, uint32_t bytes);
void mn_count_xor_rows_neon(const uint8_t *a, const uint8_t *rows,
                            size_t stride, uint32_t bytes, uint32_t count,
                            uint32_t *counts);
void mn_lookup_u4_neon(const uint8_t *tables, const uint8_t *const *rows,
                       uint32_t bytes, uint32_t *sums);

int32_t mn_dot_i16_i8_dotprod(const int16_t *a, const int8_t *b, uint32_t n);
int32_t mn_dot_i16_u4_dotprod(const int16_t *a, const uint8_t *b, uint32_t n);
int32_t mn_dot_i16_u2_dotprod(const int16_t *a, const uint8_t *b, uint32_t n);
void mn_dot_i8_u4_dotprod(const int8_t *a, const mn_rows *b, uint32_t n,
                          int32_t *sums);
void mn_dot_i8_u2_dotprod(const int8_t *a, const mn_rows *b, uint32_t n,
                          int32_t *sums);
void mn_dot_i8_u1_dotprod(const int8_t *a, const mn_rows *b, uint32_t n,
                          int32_t *sums);
int32_t mn_dot_i16_i8_i8mm(const int16_t *a, const int8_t *b, uint32_t n);

#endif
