/* SPDX-License-Identifier: Apache-2.0 */
/* Moving bytes without libc, and sizes that notice when they overflow. */
#ifndef MN_BYTES_H
#define MN_BYTES_H

#include "minnow.h"

/* A broken invariant of ours, never a caller's mistake. */
#ifdef MN_ASSERTIONS
#define MN_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define MN_ASSERT(condition) ((void)0)
#endif

/* Copies between areas that may overlap. */
void mn_move(void *to, const void *from, size_t bytes);

void mn_zero(void *to, size_t bytes);

int mn_equal(const void *a, const void *b, size_t bytes);

int mn_is_zero(const void *from, uint64_t bytes);

/* Asks for bytes that will be needed soon: as many as the processor will not go
 * on to fetch by itself. They need not begin where a line of the cache does, so
 * that their end may lie in one more. WebAssembly has no instruction for that,
 * but a read for whose value nothing waits does the same. */
static inline void mn_fetch_byte(const uint8_t *p) {
#ifdef __wasm__
  (void)*(const volatile uint8_t *)p;
#else
  __builtin_prefetch(p);
#endif
}

static inline void mn_fetch_bytes(const void *from, size_t bytes) {
  const uint8_t *p = from;
  const size_t some = bytes < 512 ? bytes : 512;
  if (some == 0)
    return;
  for (size_t line = 0; line < some; line += 64)
    mn_fetch_byte(p + line);
  mn_fetch_byte(p + some - 1);
}

/* XXH32 with seed 0 (Yann Collet's xxHash specification, XXH32), fed in one or
 * more pieces. */
typedef struct mn_xxh32 {
  uint32_t lanes[4];
  uint32_t total; /* bytes so far, modulo 2^32 as the specification has it */
  uint32_t large; /* 1 once 16 bytes were seen */
  uint32_t held;  /* bytes waiting in `block` */
  uint8_t block[16];
} mn_xxh32;

void mn_xxh32_begin(mn_xxh32 *hash);
void mn_xxh32_add(mn_xxh32 *hash, const void *data, size_t bytes);
uint32_t mn_xxh32_end(const mn_xxh32 *hash);

/* Block sizes are counted in 64 bits on every target and narrowed to size_t at
 * the end. */
static inline uint64_t mn_round_up(uint64_t bytes) {
  return (bytes + (MN_ALIGNMENT - 1)) & ~(uint64_t)(MN_ALIGNMENT - 1);
}

/* Without the 64-bit conversion, which some processors need a library for. */
static inline float mn_float_from_u64(uint64_t number) {
  return (float)(uint32_t)(number >> 32) * 0x1p32f + (float)(uint32_t)number;
}

/* What SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, figure 13) makes of the
 * numbers that it counts through, 0x9E3779B97F4A7C15 apart. */
static inline uint64_t mn_mix64(uint64_t z) {
  z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
  return z ^ z >> 31;
}

static inline uint32_t mn_load_u32(const uint8_t *p) {
  uint32_t value;
  __builtin_memcpy(&value, p, sizeof value);
  return value;
}

static inline float mn_load_f32(const uint8_t *p) {
  float value;
  __builtin_memcpy(&value, p, sizeof value);
  return value;
}

static inline void mn_store_f32(uint8_t *p, float value) {
  __builtin_memcpy(p, &value, sizeof value);
}

#endif
