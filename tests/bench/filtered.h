/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer that is measured on the filters of selections.h provides, and the
 * main() that measures it:
 *
 *     PROGRAM PREFIX N QUERIES DIMENSIONS METRIC SPEC [FILE]
 *
 * A line of JSON for each kind of filter and share: recall@10 among the
 * matches, distances, how often fewer than k and matches were found, and the
 * processor's microseconds a search.
 */
#ifndef BENCH_FILTERED_H
#define BENCH_FILTERED_H

#include "peer_rows.h"
#include "selections.h"

/* The index that SPEC names. FILE, if not NULL, is where a built one may be
 * kept. */
static void filtered_build(const bench_set *set, const char *spec,
                           const char *file);

/* Takes over the filter of the next search. */
static void filtered_by(const bench_set *set, const bench_selections *s);

/* The rows found, and how many; `distances` is added to. */
static uint32_t filtered_search(const float *query, uint32_t rows[BENCH_K],
                                uint64_t *distances);

static void filtered_measure(const bench_set *set, bench_selections *s,
                             const float *queries, bench_kind kind,
                             double share) {
  uint64_t hits = 0, wanted = 0, short_of_k = 0, distances = 0;
  double cpu = 0;
  for (uint32_t q = 0; q < s->queries; q++) {
    bench_select(set, s, kind, share, q);
    filtered_by(set, s);
    const float *query = queries + (bench_asked(set, s, q) - set->query);
    uint32_t rows[BENCH_K];
    cpu -= bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    uint32_t found = filtered_search(query, rows, &distances);
    cpu += bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    hits += bench_selected(set, s, q, rows, found);
    wanted += s->wanted;
    short_of_k += found < s->wanted;
  }
  printf("{\"kind\":\"%s\",\"share\":%g,\"recall\":%.4f,\"distances\":%.1f,"
         "\"short\":%llu,\"cpu\":%.1f}\n",
         bench_kind_names[kind], share,
         wanted > 0 ? (double)hits / (double)wanted : 1.0,
         (double)distances / s->queries, (unsigned long long)short_of_k,
         1e6 * cpu / s->queries);
  fflush(stdout);
}

int main(int argc, char **argv) {
  bench_set set = bench_open(argc, argv);
  float *queries = bench_unit_rows(&set, set.query, set.queries);
  filtered_build(&set, argv[6], argc > 7 ? argv[7] : NULL);
  bench_selections s = bench_select_from(&set);
  for (int kind = BENCH_RANDOM; kind < BENCH_KINDS; kind++)
    for (uint32_t i = 0; i < BENCH_SHARES; i++)
      filtered_measure(&set, &s, queries, (bench_kind)kind, bench_shares[i]);
  return 0;
}

#endif
