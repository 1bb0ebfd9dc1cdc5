/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows, keys and hashes made of integers only, so that C and JavaScript
 * (generator.mjs) make the same bits. README.md defines them.
 */
#ifndef GENERATOR_H
#define GENERATOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t gen_mix(uint32_t x) {
  x += 0x9e3779b9u;
  x ^= x >> 16;
  x *= 0x85ebca6bu;
  x ^= x >> 13;
  x *= 0xc2b2ae35u;
  return x ^ x >> 16;
}

static inline uint32_t gen_draw(uint32_t seed, uint32_t row, uint32_t column) {
  return gen_mix(gen_mix(gen_mix(seed) ^ row) ^ column);
}

static inline float gen_uniform(uint32_t u) {
  return (float)((int32_t)(u >> 8) - (1 << 23)) * 0x1p-23f;
}

static inline float gen_from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* A float of random sign and mantissa, its exponent field among `span` from
 * `first` on; column 0 lies in 1 to 2, so that no vector is all but zero. */
static inline float gen_wide(uint32_t u, uint32_t column, uint32_t first,
                             uint32_t span) {
  uint32_t exponent = column ? first + gen_mix(u) % span : 127u;
  return gen_from_bits((u & 0x807fffffu) | exponent << 23);
}

static inline float gen_clustered(uint32_t seed, uint32_t row, uint32_t column,
                                  uint32_t u) {
  uint32_t centre = gen_draw(seed, row, 0xffffffffu) & 7u;
  uint32_t c = gen_draw(seed, 0x80000000u + centre, column);
  int32_t sum = (int32_t)(c >> 12) - (1 << 19) + (int32_t)(u >> 16) - (1 << 15);
  return (float)sum * 0x1p-19f;
}

/* One component of a row of the given kind. Unknown kinds are uniform. */
static inline float gen_value(const char *kind, uint32_t seed, uint32_t row,
                              uint32_t column, uint32_t dimensions) {
  static const float integers[4] = {-2, -1, 1, 2};
  uint32_t u = gen_draw(seed, row, column);
  if (!strcmp(kind, "clustered"))
    return gen_clustered(seed, row, column, u);
  if (!strcmp(kind, "integers"))
    return integers[u >> 30];
  if (!strcmp(kind, "duplicates"))
    return gen_uniform(gen_draw(seed, row % 10, column));
  if (!strcmp(kind, "extreme"))
    return gen_wide(u, column, 0, 178);
  if (!strcmp(kind, "half"))
    return gen_wide(u, column, 97, 45);
  if (!strcmp(kind, "sparse") && column != row % dimensions && u & 7u)
    return gen_from_bits(u & 0x80000000u);
  return gen_uniform(u);
}

static inline void gen_rows(float *rows, const char *kind, uint32_t seed,
                            uint32_t first, uint32_t count,
                            uint32_t dimensions) {
  for (uint32_t row = 0; row < count; row++)
    for (uint32_t column = 0; column < dimensions; column++)
      rows[(size_t)row * dimensions + column] =
          gen_value(kind, seed, first + row, column, dimensions);
}

/* Distinct keys below 2^52 in no order: gen_mix is a bijection. */
static inline uint64_t gen_key(uint32_t row) {
  return (uint64_t)(row & 0xfffffu) << 32 | gen_mix(row);
}

/* The bitset that lets through the rows whose draw falls below `percent`. */
static inline void gen_filter(uint32_t *bits, uint32_t seed, uint32_t count,
                              uint32_t percent) {
  memset(bits, 0, (size_t)((count + 31) / 32) * sizeof *bits);
  for (uint32_t row = 0; row < count; row++)
    if (gen_draw(seed, row, 0xfffffffeu) % 100 < percent)
      bits[row / 32] |= 1u << row % 32;
}

/* --- Hash ----------------------------------------------------------------- */

typedef struct gen_hash {
  uint32_t a, b;
} gen_hash;

static inline gen_hash gen_hash_start(void) {
  return (gen_hash){0x6d696e6eu, 0x6f772d31u};
}

static inline void gen_hash_word(gen_hash *hash, uint32_t word) {
  uint32_t a = hash->a ^ word, b = hash->b ^ word;
  hash->a = (a << 13 | a >> 19) * 0x9e3779b1u;
  hash->b = (b << 17 | b >> 15) * 0x85ebca77u;
}

static inline void gen_hash_long(gen_hash *hash, uint64_t value) {
  gen_hash_word(hash, (uint32_t)value);
  gen_hash_word(hash, (uint32_t)(value >> 32));
}

static inline void gen_hash_float(gen_hash *hash, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  gen_hash_word(hash, bits);
}

/* Bytes as little-endian words; the last one is filled up with zeros. */
static inline void gen_hash_bytes(gen_hash *hash, const uint8_t *data,
                                  size_t bytes) {
  for (size_t i = 0; i < bytes; i += 4) {
    uint32_t word = 0;
    for (size_t j = 0; j < 4 && i + j < bytes; j++)
      word |= (uint32_t)data[i + j] << 8 * j;
    gen_hash_word(hash, word);
  }
}

static inline uint64_t gen_hash_end(gen_hash hash) {
  return (uint64_t)gen_mix(hash.a) << 32 | gen_mix(hash.b);
}

#endif
