/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Division and conversion of 64-bit numbers, which a 32-bit processor leaves to
 * the compiler's library; Debian has none of clang's for RISC-V.
 */
#include <stdint.h>

#if defined(__riscv) && __riscv_xlen == 32

typedef struct {
  uint64_t quotient, rest;
} division;

static division divide(uint64_t a, uint64_t b) {
  division d = {0, 0};
  for (int i = 63; i >= 0; i--) {
    d.rest = d.rest << 1 | (a >> i & 1);
    d.quotient <<= 1;
    if (d.rest >= b) {
      d.rest -= b;
      d.quotient |= 1;
    }
  }
  return d;
}

static uint64_t magnitude(int64_t a) {
  return a < 0 ? 0 - (uint64_t)a : (uint64_t)a;
}

uint64_t __fixunsdfdi(double value);
uint64_t __udivdi3(uint64_t a, uint64_t b);
uint64_t __umoddi3(uint64_t a, uint64_t b);
int64_t __divdi3(int64_t a, int64_t b);
int64_t __moddi3(int64_t a, int64_t b);

uint64_t __fixunsdfdi(double value) {
  const double high = value * 0x1p-32;
  const uint32_t upper = high >= 1 ? (uint32_t)high : 0;
  return (uint64_t)upper << 32 | (uint32_t)(value - (double)upper * 0x1p32);
}

uint64_t __udivdi3(uint64_t a, uint64_t b) {
  return divide(a, b).quotient;
}

uint64_t __umoddi3(uint64_t a, uint64_t b) {
  return divide(a, b).rest;
}

int64_t __divdi3(int64_t a, int64_t b) {
  const uint64_t quotient = divide(magnitude(a), magnitude(b)).quotient;
  return (int64_t)((a < 0) != (b < 0) ? 0 - quotient : quotient);
}

int64_t __moddi3(int64_t a, int64_t b) {
  const uint64_t rest = divide(magnitude(a), magnitude(b)).rest;
  return (int64_t)(a < 0 ? 0 - rest : rest);
}

#endif
