/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tuning promises, and what queries that it did not see get:
 *
 *     tune PREFIX N QUERIES DIMENSIONS METRIC SPEC
 *
 * builds the index, says so in a line of JSON, and answers each line of
 * standard input, "TARGET QUERIES EXACT", with one line of JSON. QUERIES is
 * "own" (a sample of the index) or "held" (the first half of the set's
 * queries), EXACT "codes" (what is right follows from the best that the block
 * has) or "floats" (from the vectors themselves). The other half of the set's
 * queries is then searched for with what was chosen, and judged by the truth.
 */
#define _POSIX_C_SOURCE 200809L
#include "index.h"

static mn_status bring(void *context, uint64_t key, uint32_t slot,
                       float *vector) {
  const bench_set *set = context;
  (void)slot;
  memcpy(vector, bench_row(set, (uint32_t)key),
         set->dimensions * sizeof *vector);
  return MN_OK;
}

static mn_tuned tune(bench_set *set, mn_index *index, double target,
                     const char *queries, const char *exact) {
  mn_query query = {.k = BENCH_K};
  mn_vectors held = {set->query, set->queries / 2, set->dimensions};
  mn_tuning tuning = {
      .sampling = {.query = &query,
                   .queries = strcmp(queries, "held") == 0 ? &held : NULL,
                   .fetch = strcmp(exact, "floats") == 0 ? bring : NULL,
                   .fetch_context = set},
      .recall = (float)target};
  mn_tuned tuned;
  size_t bytes;
  bench_check(mn_plan_tune(index, &tuning, &bytes), "plan tune");
  mn_arena scratch = bench_arena(bytes);
  bench_check(mn_index_tune(index, &tuning, &tuned, &scratch), "tune");
  free(scratch.base);
  return tuned;
}

/* The queries that no tuning has seen. */
static void say_others(const bench_set *set, const mn_index *index,
                       const double *truth, mn_arena *scratch,
                       const mn_tuned *tuned) {
  uint64_t distances = 0, hits = 0;
  uint32_t from = set->queries / 2, rows[BENCH_K], found;
  mn_hit nearest[BENCH_K];
  mn_stats stats;
  mn_query query = {.dimensions = set->dimensions,
                    .k = BENCH_K,
                    .ef = tuned->ef,
                    .gamma = tuned->gamma,
                    .nprobe = tuned->nprobe,
                    .refine_k = tuned->refine_k,
                    .stats = &stats};
  for (uint32_t q = from; q < set->queries; q++) {
    query.vector = bench_query(set, q);
    bench_check(mn_index_search(index, &query, nearest, &found, scratch),
                "search");
    for (uint32_t i = 0; i < found; i++)
      rows[i] = (uint32_t)nearest[i].key;
    hits += bench_hits(set, truth, q, rows, found);
    distances += stats.distances;
  }
  double count = set->queries - from;
  printf("\"others\":{\"queries\":%.0f,\"recall\":%.5f,\"distances\":%.1f}}\n",
         count, (double)hits / (count * BENCH_K), (double)distances / count);
}

static void say_tuned(const mn_tuned *t) {
  printf("{\"ef\":%u,\"gamma\":%.4f,\"nprobe\":%u,\"refineK\":%.3f,\"reached\":"
         "%u,\"runs\":%u,"
         "\"spent\":%llu,\"recall\":{\"queries\":%u,\"recall\":%.5f,"
         "\"low\":%.5f,\"high\":%.5f,\"distances\":%.1f,\"refined\":%.1f},",
         t->ef, (double)t->gamma, t->nprobe, (double)t->refine_k, t->reached,
         t->runs, (unsigned long long)t->spent, t->recall.queries,
         (double)t->recall.recall, (double)t->recall.low,
         (double)t->recall.high, (double)t->recall.distances,
         (double)t->recall.refined);
}

int main(int argc, char **argv) {
  bench_set set = bench_open(argc, argv);
  mn_query largest = bench_query_for(&set, MN_HNSW, BENCH_EF_MAX);
  bench_index built = bench_build(&set, argv[6], &largest);
  double *truth = bench_truth(&set);
  printf("{\"bytes\":%zu}\n", built.index.block_bytes);
  fflush(stdout);
  char line[64], queries[16], exact[16];
  double target;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%lf %15s %15s", &target, queries, exact) != 3)
      bench_fail("a line is not understood");
    mn_tuned tuned = tune(&set, &built.index, target, queries, exact);
    say_tuned(&tuned);
    say_others(&set, &built.index, truth, &built.scratch, &tuned);
    fflush(stdout);
  }
  return 0;
}
