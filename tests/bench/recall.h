/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs that search a data set share: the truth that recall is
 * judged by, and clocks. _POSIX_C_SOURCE must be defined first. */
#ifndef BENCH_RECALL_H
#define BENCH_RECALL_H

#include "set.h"

#include <time.h>

enum { BENCH_K = 10, BENCH_TRUTH = 100 };

static inline double bench_seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The distances of the true nearest BENCH_TRUTH rows, query by query. */
static inline double *bench_truth(const bench_set *set) {
  return (double *)bench_read(
      set, ".truth.f64", (size_t)set->queries * BENCH_TRUTH * sizeof(double));
}

/* How many of the true BENCH_K nearest are among the rows found. A row counts
 * when its true distance is no more than that of the last of them, so that it
 * does not matter which of several equals was found. */
static inline uint32_t bench_hits(const bench_set *set, const double *truth,
                                  uint32_t q, const uint32_t *rows,
                                  uint32_t found) {
  double limit = truth[(size_t)q * BENCH_TRUTH + BENCH_K - 1];
  uint32_t hits = 0;
  for (uint32_t i = 0; i < found; i++) {
    for (uint32_t j = 0; j < i; j++)
      if (rows[i] == rows[j])
        bench_fail("a row was found twice");
    double distance =
        bench_distance(set, bench_query(set, q), bench_row(set, rows[i]));
    hits += distance <= limit + 1e-9 * (1 + fabs(limit));
  }
  return hits < BENCH_K ? hits : BENCH_K;
}

#endif
