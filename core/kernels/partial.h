/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the end of a vector without reading past it: what follows may be the
 * end of memory.
 */
#ifndef MN_KERNELS_PARTIAL_H
#define MN_KERNELS_PARTIAL_H

#include <stdint.h>

typedef struct {
  uint64_t value;
} __attribute__((packed, may_alias)) mn_unaligned_u64;

typedef struct {
  uint32_t value;
} __attribute__((packed, may_alias)) mn_unaligned_u32;

typedef struct {
  float value;
} __attribute__((packed, may_alias)) mn_unaligned_f32;

/* The `bytes` (1 to 7) bytes at p as the low bytes of a number, the first
 * lowest. Reads that overlap cover every length; where they meet, their bytes
 * are the same, so `|` joins them. */
static inline uint64_t mn_load_partial(const uint8_t *p, uint32_t bytes) {
  if (bytes >= 4) {
    uint64_t first = ((const mn_unaligned_u32 *)p)->value;
    uint64_t last = ((const mn_unaligned_u32 *)(p + bytes - 4))->value;
    return first | last << (8 * bytes - 32);
  }
  uint32_t middle = bytes / 2, last = bytes - 1;
  return (uint64_t)p[0] | (uint64_t)p[middle] << 8 * middle |
         (uint64_t)p[last] << 8 * last;
}

#endif
