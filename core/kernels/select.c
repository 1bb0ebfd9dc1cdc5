/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which kernels this build has, and which of them this machine can run.
 */
#include "kernels.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

/* What select chooses from, fastest last; the first needs no feature. Where
 * the compiler may use an instruction set, that is always there: the linker
 * then leaves out the reference, which only tests ask for. */
static const mn_kernels *const choices[] = {
#if defined(__wasm_simd128__)
    &mn_kernels_wasm,
#elif defined(MN_HAS_NEON)
    &mn_kernels_neon,
#elif defined(MN_HAS_MVE)
    &mn_kernels_mve,
#elif defined(MN_HAS_DSP)
    &mn_kernels_dsp,
#else
    &mn_kernels_c,
#endif
#if defined(__x86_64__) || defined(__i386__)
    &mn_kernels_avx2,    &mn_kernels_avx512,
#endif
#if defined(MN_HAS_DOTPROD)
    &mn_kernels_dotprod, &mn_kernels_i8mm,
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

/* cpuid's bits: leaf 1 in ecx, leaf 7 in ebx and ecx; and XCR0's. */
typedef struct {
  uint32_t feature, leaf_1_ecx, leaf_7_ebx, leaf_7_ecx, state;
} requirement;

#define OSXSAVE    (1u << 27) /* xgetbv may be used */
#define POPCNT     (1u << 23)
#define AVX_F16C   (1u << 28 | 1u << 29)
#define YMM_STATE  (1u << 1 | 1u << 2)
#define MASK_STATE (1u << 5)
#define ZMM_STATE  (1u << 6 | 1u << 7)

static const requirement requirements[] = {
    {MN_CPU_AVX2, POPCNT | AVX_F16C, 1u << 5, 0, YMM_STATE},
    {MN_CPU_AVX512, POPCNT | AVX_F16C,
     1u << 16 /* F */ | 1u << 17 /* DQ */ | 1u << 30 /* BW */ |
         1u << 31 /* VL */,
     1u << 1 /* VBMI */ | 1u << 11 /* VNNI */ | 1u << 12 /* BITALG */ |
         1u << 14 /* VPOPCNTDQ */,
     YMM_STATE | MASK_STATE | ZMM_STATE},
};

uint32_t mn_cpu_features(void) {
  uint32_t a, b, c, d, leaf_1_ecx, state, features = 0;
  if (__get_cpuid_max(0, NULL) < 7)
    return 0;
  __cpuid(1, a, b, leaf_1_ecx, d);
  if ((leaf_1_ecx & OSXSAVE) == 0)
    return 0;
  state = saved_state();
  __cpuid_count(7, 0, a, b, c, d);
  for (uint32_t i = 0; i < sizeof requirements / sizeof requirements[0]; i++) {
    const requirement *r = &requirements[i];
    if ((r->leaf_1_ecx & ~leaf_1_ecx) == 0 && (r->leaf_7_ebx & ~b) == 0 &&
        (r->leaf_7_ecx & ~c) == 0 && (r->state & ~state) == 0)
      features |= r->feature;
  }
  return features;
}

uint32_t mn_kernels_usable(uint32_t features) {
  return features & mn_cpu_features();
}

#else

#define ARM_FEATURES (MN_CPU_DOTPROD | MN_CPU_I8MM)

/* Here only the operating system can be asked, which is the host's part
 * (minnow_cpu.h); what the compiler was told is known. */
uint32_t mn_cpu_features(void) {
  uint32_t features = 0;
#if defined(__ARM_FEATURE_DOTPROD) && defined(MN_HAS_DOTPROD)
  features |= MN_CPU_DOTPROD;
#endif
#if defined(__ARM_FEATURE_MATMUL_INT8) && defined(MN_HAS_DOTPROD)
  features |= MN_CPU_I8MM;
#endif
  return features;
}

/* A mask of ARM's features alone comes from one who has asked; one with other
 * bits too, as MN_CPU_ALL, says "whatever there is". */
uint32_t mn_kernels_usable(uint32_t features) {
  if ((features & ~ARM_FEATURES) != 0)
    return features & mn_cpu_features();
  return features;
}

#endif
