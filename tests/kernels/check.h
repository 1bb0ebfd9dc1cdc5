/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting what is right, for every table that this machine can run.
 */
#ifndef MN_TESTS_KERNELS_CHECK_H
#define MN_TESTS_KERNELS_CHECK_H

#include "../../core/kernels/kernels.h"

#include <stdio.h>

#define SHIFTS 16u /* distances from the edge: every alignment, every edge */

static uint64_t passed, failed;

static uint32_t cpu; /* mn_host_cpu_features(): slow under a hypervisor */

/* The i-th table that can run here, the reference first. */
static const mn_kernels *table_at(uint32_t i) {
  const mn_kernels *table;
  for (uint32_t at = 0; (table = mn_kernels_at(at)) != NULL; at++)
    if ((table->features & ~cpu) == 0 && i-- == 0)
      break;
  return table;
}

/* Counts a comparison, and describes the first few that fail. */
#define CHECK(ok, ...)                                                         \
  do {                                                                         \
    if (ok) {                                                                  \
      passed++;                                                                \
    } else if (failed++ < 20) {                                                \
      printf("FAILED: " __VA_ARGS__);                                          \
      putchar('\n');                                                           \
    }                                                                          \
  } while (0)

#endif
