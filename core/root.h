/* SPDX-License-Identifier: Apache-2.0 */
/* The square root of a float, rounded as IEEE 754 says. */
#ifndef MN_ROOT_H
#define MN_ROOT_H

#include <stdint.h>

/* Most processors that compute floats have an instruction. A compiler uses it,
 * but calls libm too where that must set errno for negative numbers: there the
 * instruction is named here. For other processors it would call libm alone. */
#if !defined(__SOFTFP__) && !defined(__XTENSA__) &&                            \
    !(defined(__riscv) && !defined(__riscv_flen)) &&                           \
    defined(__NO_MATH_ERRNO__)

static inline float mn_root(float x) {
  return __builtin_sqrtf(x);
}

#elif defined(__SSE_MATH__)

static inline float mn_root(float x) {
  __asm__("sqrtss %0, %0" : "+x"(x));
  return x;
}

#elif defined(__aarch64__)

static inline float mn_root(float x) {
  __asm__("fsqrt %s0, %s0" : "+w"(x));
  return x;
}

#elif defined(__ARM_FP) && !defined(__SOFTFP__)

static inline float mn_root(float x) {
  __asm__("vsqrt.f32 %0, %0" : "+t"(x));
  return x;
}

#elif defined(__riscv_flen)

static inline float mn_root(float x) {
  __asm__("fsqrt.s %0, %0" : "+f"(x));
  return x;
}

#else

/* x = m 2^e with an even e, and m of 24 or 25 bits. The root of 2^25 m has 25
 * bits, of which the last one says how to round: no root of a float lies
 * halfway between two, as its square would have 49 bits or more. Bit by bit
 * (Woo's abacus). */
static inline float mn_root(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  if (bits << 1 == 0 || bits == 0x7f800000)
    return x;
  if (bits > 0x7f800000)
    return __builtin_nanf("");
  uint32_t m = bits & 0x7fffff;
  int32_t e = (int32_t)(bits >> 23) - 127;
  if (e == -127)
    for (e = -126; (m & 0x800000) == 0; e--)
      m <<= 1;
  m |= 0x800000;
  if ((e & 1) != 0) {
    m <<= 1;
    e--;
  }
  uint64_t rest = (uint64_t)m << 25, root = 0;
  for (uint64_t bit = (uint64_t)1 << 48; bit > 0; bit >>= 2) {
    const uint64_t next = root + bit;
    root >>= 1;
    if (rest >= next) {
      rest -= next;
      root += bit;
    }
  }
  /* The leading bit of the fraction adds the missing 1 to the exponent. */
  bits = ((uint32_t)(e / 2 + 126) << 23) + (uint32_t)((root + 1) >> 1);
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

#endif

#endif
