/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the WebAssembly kernels share.
 */
#ifndef MN_KERNELS_WASM_H
#define MN_KERNELS_WASM_H

#include "kernels.h"
#include "partial.h"

#include <wasm_simd128.h>

#define MN_INLINE static inline __attribute__((always_inline))

/* Hides where two pointers come from, so that LLVM adds what follows them as
 * constant offsets of the loads instead of by instructions in the loop. */
#define MN_KEEP(a, b) __asm__("" : "+r"(a), "+r"(b))

/* Has a vector computed here, instead of in a sum of many terms that would all
 * wait in registers. */
#define MN_SETTLE(vector) __asm__("" : "+r"(vector))

/* The first `bytes` (1 to 15) bytes at p, then zeros. */
MN_INLINE v128_t mn_load_part(const uint8_t *p, uint32_t bytes) {
  if (bytes < 8)
    return wasm_i64x2_make((int64_t)mn_load_partial(p, bytes), 0);
  /* Two reads that overlap; the second is rid of what the first has. */
  uint64_t last = ((const mn_unaligned_u64 *)(p + bytes - 8))->value;
  last = bytes == 8 ? 0 : last >> 8 * (16 - bytes);
  return wasm_i64x2_replace_lane(wasm_v128_load64_zero(p), 1, (int64_t)last);
}

/* The same as a call: smaller, for ends that are rare. In wasm.c. */
v128_t mn_load_end(const uint8_t *p, uint32_t bytes);

/* In wasm_codes.c and wasm_lookup.c. */
int32_t mn_dot_i16_i8_wasm(const int16_t *a, const int8_t *b, uint32_t n);
int32_t mn_dot_i16_u4_wasm(const int16_t *a, const uint8_t *b, uint32_t n);
int32_t mn_dot_i16_u2_wasm(const int16_t *a, const uint8_t *b, uint32_t n);
void mn_dot_i8_u4_wasm(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums);
void mn_dot_i8_u2_wasm(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums);
void mn_dot_i8_u1_wasm(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums);
uint32_t mn_count_xor_wasm(const uint8_t *a, const uint8_t *b, uint32_t bytes);
uint32_t mn_count_and_wasm(const uint8_t *a, const uint8_t *b, uint32_t bytes);
void mn_count_xor_rows_wasm(const uint8_t *a, const uint8_t *rows,
                            size_t stride, uint32_t bytes, uint32_t count,
                            uint32_t *counts);
void mn_lookup_u4_wasm(const uint8_t *tables, const uint8_t *const *rows,
                       uint32_t bytes, uint32_t *sums);

#endif
