/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which kernels this build has, and which of them this machine can run.
 */
#include "kernels.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

/* What select chooses from, fastest last; the first needs no feature. Where
 * the compiler may use WebAssembly's SIMD, that is always there: the linker
 * then leaves out the reference, which only tests ask for. */
static const mn_kernels *const choices[] = {
#if defined(__wasm_simd128__)
    &mn_kernels_wasm,
#else
    &mn_kernels_c,
#endif
#if defined(__x86_64__) || defined(__i386__)
    &mn_kernels_avx2,
#endif
};

#define CHOICES ((uint32_t)(sizeof choices / sizeof choices[0]))

const mn_kernels *mn_kernels_select(uint32_t features) {
  uint32_t i = CHOICES - 1;
  while (i > 0 && (choices[i]->features & ~features) != 0)
    i--;
  return choices[i];
}

const mn_kernels *mn_kernels_at(uint32_t i) {
  if (i == 0)
    return &mn_kernels_c;
  if (choices[0] != &mn_kernels_c)
    i--;
  return i < CHOICES ? choices[i] : NULL;
}

#if defined(__x86_64__) || defined(__i386__)

/* The register state that the operating system saves: XCR0's low half. */
static uint32_t saved_state(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

uint32_t mn_cpu_features(void) {
  const uint32_t leaf_1_ecx = 1u << 27 /* OSXSAVE: xgetbv may be used */ |
                              1u << 28 /* AVX */ | 1u << 29 /* F16C */;
  const uint32_t leaf_7_ebx = 1u << 5 /* AVX2 */;
  const uint32_t ymm_state = 1u << 1 | 1u << 2 /* XMM and YMM registers */;
  uint32_t a, b, c, d;
  if (__get_cpuid_max(0, NULL) < 7)
    return 0;
  __cpuid(1, a, b, c, d);
  if ((~c & leaf_1_ecx) != 0 || (~saved_state() & ymm_state) != 0)
    return 0;
  __cpuid_count(7, 0, a, b, c, d);
  return (b & leaf_7_ebx) != 0 ? MN_CPU_AVX2 : 0;
}

#else

uint32_t mn_cpu_features(void) {
  return 0;
}

#endif
