/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_PEER_ROWS_H
#define BENCH_PEER_ROWS_H

#include "set.h"

/* The rows as long as one float, normalised: for libraries whose cosine is an
 * inner product of vectors that the caller normalises. */
static inline float *bench_unit_rows(const bench_set *set, const float *rows,
                                     uint32_t count) {
  size_t total = (size_t)count * set->dimensions;
  float *unit = (float *)malloc(total * sizeof *unit);
  if (!unit)
    bench_fail("no memory");
  memcpy(unit, rows, total * sizeof *unit);
  for (size_t at = 0; set->metric == BENCH_COSINE && at < total;
       at += set->dimensions) {
    double norm2 = 0;
    for (uint32_t i = 0; i < set->dimensions; i++)
      norm2 += (double)unit[at + i] * unit[at + i];
    for (uint32_t i = 0; i < set->dimensions; i++)
      unit[at + i] = (float)(unit[at + i] / sqrt(norm2));
  }
  return unit;
}

#endif
