/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the operating system which of the core's instruction sets this machine
 * has. The core cannot: it is freestanding, and on AArch64 a program may not
 * ask the processor.
 *
 *     mn_index_use_features(&index, mn_host_cpu_features());
 *
 * after an index is created or opened. Linux and Android: getauxval. Apple:
 * sysctlbyname. Elsewhere: what the core knows by itself.
 */
#ifndef MINNOW_CPU_H
#define MINNOW_CPU_H

#include "minnow.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

static inline uint32_t mn_host_cpu_features(void) {
  uint32_t features = mn_cpu_features();
#if defined(__aarch64__) && defined(__linux__)
  /* HWCAP_ASIMDDP and HWCAP2_I8MM of the kernel's asm/hwcap.h; AT_HWCAP2 is
   * 26. By number, because headers are older than processors. */
  if ((getauxval(AT_HWCAP) & 1ul << 20) != 0)
    features |= MN_CPU_DOTPROD;
  if ((getauxval(26) & 1ul << 13) != 0)
    features |= MN_CPU_I8MM;
#elif defined(__aarch64__) && defined(__APPLE__)
  int is_there = 0;
  size_t bytes = sizeof is_there;
  if (sysctlbyname("hw.optional.arm.FEAT_DotProd", &is_there, &bytes, NULL,
                   0) == 0 &&
      is_there)
    features |= MN_CPU_DOTPROD;
  is_there = 0;
  bytes = sizeof is_there;
  if (sysctlbyname("hw.optional.arm.FEAT_I8MM", &is_there, &bytes, NULL, 0) ==
          0 &&
      is_there)
    features |= MN_CPU_I8MM;
#endif
  return features;
}

#endif
