/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One encoding of one data set:
 *
 *     encodings PREFIX N QUERIES DIMENSIONS METRIC SPEC
 *
 * builds the index, says what it took as one line of JSON, and then answers
 * each line of standard input with one line of JSON:
 *
 *     recall K PLANES REFINE_PLANES REFINE_K   all queries
 *     time Q PLANES REFINE_PLANES REFINE_K     the first Q, k 10
 *
 * PLANES and what follows are fields of mn_query. at10 and at50 say how many of
 * the true 10 nearest are among the first 10 and the first 50 of K hits. One
 * thread; seconds are of its processor time.
 */
#define _POSIX_C_SOURCE 200809L
#include "index.h"

enum { K_MAX = 50, REFINED_MAX = 2048 };

static bench_set set;
static bench_index built;
static double *truth;

static uint32_t search(mn_query query, uint32_t q, mn_stats *stats,
                       uint32_t rows[K_MAX]) {
  mn_hit hits[K_MAX];
  uint32_t found;
  query.vector = bench_query(&set, q);
  query.dimensions = set.dimensions;
  query.stats = stats;
  bench_check(
      mn_index_search(&built.index, &query, hits, &found, &built.scratch),
      "search");
  for (uint32_t i = 0; i < found; i++)
    rows[i] = (uint32_t)hits[i].key;
  return found;
}

static void say_built(void) {
  mn_info info = mn_index_info(&built.index);
  printf("{\"code_bytes\":%u,\"refine_bytes\":%u,\"error\":%.9g,"
         "\"clipped\":%llu,\"sample\":%u,\"train\":%.6f,\"add\":%.6f}\n",
         info.code_bytes, info.refine_bytes, (double)info.error,
         (unsigned long long)info.clipped, built.sample, built.train_cpu,
         built.add_cpu);
}

static void say_recall(const mn_query *query) {
  uint64_t at10 = 0, at50 = 0, bytes = 0, refined = 0;
  uint32_t rows[K_MAX];
  mn_stats stats;
  for (uint32_t q = 0; q < set.queries; q++) {
    uint32_t found = search(*query, q, &stats, rows);
    uint32_t first = found < BENCH_K ? found : BENCH_K;
    at10 += bench_hits(&set, truth, q, rows, first);
    at50 += bench_hits(&set, truth, q, rows, found);
    bytes += stats.bytes;
    refined += stats.refined;
  }
  double wanted = (double)BENCH_K * set.queries;
  printf("{\"at10\":%.6f,\"at50\":%.6f,\"read\":%.1f,\"refined\":%.1f}\n",
         (double)at10 / wanted, (double)at50 / wanted,
         (double)bytes / set.queries, (double)refined / set.queries);
}

static void say_time(const mn_query *query, uint32_t queries) {
  uint32_t rows[K_MAX];
  mn_stats stats;
  if (queries > set.queries)
    queries = set.queries;
  double cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
  for (uint32_t q = 0; q < queries; q++)
    search(*query, q, &stats, rows);
  cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
  printf("{\"queries\":%u,\"cpu\":%.6f}\n", queries, cpu);
}

int main(int argc, char **argv) {
  mn_query largest = {.k = K_MAX, .refine_k = (float)REFINED_MAX / K_MAX};
  char line[128];
  set = bench_open(argc, argv);
  truth = bench_truth(&set);
  built = bench_build(&set, argv[6], &largest);
  say_built();
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    unsigned count, planes, refine_planes;
    float refine_k;
    mn_query query = {.k = BENCH_K};
    if (sscanf(line, "%*s %u %u %u %f", &count, &planes, &refine_planes,
               &refine_k) != 4)
      bench_fail("expected: recall|time COUNT PLANES REFINE_PLANES REFINE_K");
    query.planes = planes;
    query.refine_planes = refine_planes;
    query.refine_k = refine_k;
    if (strncmp(line, "time", 4) == 0) {
      say_time(&query, count);
    } else {
      query.k = count <= K_MAX ? count : K_MAX;
      say_recall(&query);
    }
    fflush(stdout);
  }
  return 0;
}
