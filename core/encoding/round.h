/* SPDX-License-Identifier: Apache-2.0 */
/* From floats to integers without libm. Any float may come, NaN too: models and
 * codes read from a block are not trusted. */
#ifndef MN_ENCODING_ROUND_H
#define MN_ENCODING_ROUND_H

#include <stdint.h>

static inline int32_t mn_bits_of(float x) {
  int32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float mn_float_of(int32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

/* The nearest integer, halves away from 0, of a magnitude up to `limit`.
 * Magnitudes are compared as the integers that their bits are, which compilers
 * can vectorise; NaN has the largest. */
static inline int32_t mn_to_integer(float x, float limit) {
  const int32_t sign = mn_bits_of(x) >> 31, most = mn_bits_of(limit);
  const int32_t bits = mn_bits_of(x) & 0x7fffffff;
  const float magnitude = mn_float_of(bits < most ? bits : most);
  return ((int32_t)(magnitude + 0.5f) ^ sign) - sign;
}

/* The largest magnitude; NaN where there is one. */
static inline float mn_largest(const float *vector, uint32_t n) {
  int32_t most = 0;
  for (uint32_t i = 0; i < n; i++) {
    const int32_t bits = mn_bits_of(vector[i]) & 0x7fffffff;
    most = bits > most ? bits : most;
  }
  return mn_float_of(most);
}

#endif
