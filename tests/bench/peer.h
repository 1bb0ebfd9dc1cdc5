/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a library that is measured provides, and the main() that measures it.
 *
 *     PROGRAM PREFIX N QUERIES DIMENSIONS METRIC SPEC
 *
 * builds an index of the set, says what it took as one line of JSON, and then
 * answers each line of standard input with one line of JSON, so that native.mjs
 * can take turns between several such programs:
 *
 *     count EF     all queries, with recall, distances and hops
 *     time EF Q    the first Q queries, with seconds
 *
 * One thread. Seconds are given twice: of this thread's processor time and of
 * the clock on the wall.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "peer_rows.h"
#include "recall.h"

typedef struct bench_built {
  size_t bytes;        /* of the whole index, links and keys included */
  size_t link_scratch; /* on top, while building; 0: not known */
  double pack;         /* seconds of the building that packing took */
} bench_built;

typedef struct bench_counts {
  uint64_t distances, hops, read; /* read: bytes of codes; 0: not known */
  size_t scratch;                 /* bytes on top of the index; 0: not known */
} bench_counts;

/* Builds the index that `spec` names. */
static bench_built peer_build(const bench_set *set, const char *spec);

/* The rows nearest to query number q, and how many. `counts` is added to, and
 * NULL in timed passes. */
static uint32_t peer_search(const bench_set *set, uint32_t q, uint32_t ef,
                            uint32_t rows[BENCH_K], bench_counts *counts);

static void bench_count(const bench_set *set, const double *truth,
                        uint32_t ef) {
  bench_counts counts = {0, 0, 0, 0};
  uint64_t hits = 0;
  uint32_t rows[BENCH_K];
  for (uint32_t q = 0; q < set->queries; q++) {
    uint32_t found = peer_search(set, q, ef, rows, &counts);
    hits += bench_hits(set, truth, q, rows, found);
  }
  double queries = set->queries;
  printf("{\"ef\":%u,\"recall\":%.6f,\"distances\":%.1f,\"hops\":%.1f,"
         "\"read\":%.1f,\"scratch\":%zu}\n",
         ef, (double)hits / (BENCH_K * queries),
         (double)counts.distances / queries, (double)counts.hops / queries,
         (double)counts.read / queries, counts.scratch);
}

/* Not inlined: instructions.mjs profiles it by name. */
static __attribute__((noinline)) void
bench_time(const bench_set *set, uint32_t ef, uint32_t queries) {
  uint32_t rows[BENCH_K], found = 0;
  if (queries > set->queries)
    queries = set->queries;
  double cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
  double wall = bench_seconds(CLOCK_MONOTONIC);
  for (uint32_t q = 0; q < queries; q++)
    found += peer_search(set, q, ef, rows, NULL);
  wall = bench_seconds(CLOCK_MONOTONIC) - wall;
  cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
  if (found != queries * BENCH_K)
    bench_fail("fewer than k were found");
  printf("{\"ef\":%u,\"queries\":%u,\"cpu\":%.6f,\"wall\":%.6f}\n", ef, queries,
         cpu, wall);
}

int main(int argc, char **argv) {
  bench_set set = bench_open(argc, argv);
  double *truth = bench_truth(&set);
  double cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
  double wall = bench_seconds(CLOCK_MONOTONIC);
  bench_built built = peer_build(&set, argv[6]);
  wall = bench_seconds(CLOCK_MONOTONIC) - wall;
  cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
  printf("{\"cpu\":%.3f,\"wall\":%.3f,\"bytes\":%zu,\"link_scratch\":%zu,"
         "\"pack\":%.3f}\n",
         cpu, wall, built.bytes, built.link_scratch, built.pack);
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    unsigned ef, queries;
    if (sscanf(line, "count %u", &ef) == 1)
      bench_count(&set, truth, ef);
    else if (sscanf(line, "time %u %u", &ef, &queries) == 2)
      bench_time(&set, ef, queries);
    else
      bench_fail("expected: count EF, or: time EF QUERIES");
    fflush(stdout);
  }
  return 0;
}

#endif
