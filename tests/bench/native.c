/* SPDX-License-Identifier: Apache-2.0 */
/* Minnow, natively: see peer.h. SPEC is an index's spec string. Encodings that
 * are trained learn from 5,000 rows spread evenly over the base. */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"

#include "../../core/minnow.h"

static mn_index built_index;
static mn_arena search_scratch;

static void check(mn_status status, const char *what) {
  if (status == MN_OK)
    return;
  fprintf(stderr, "%s: %s\n", what, mn_status_name(status));
  exit(1);
}

static mn_arena arena_of(size_t bytes) {
  void *memory = malloc(bytes + MN_ALIGNMENT);
  if (!memory)
    bench_fail("no memory");
  return mn_arena_over(memory, bytes + MN_ALIGNMENT);
}

enum { SAMPLE = 5000 };

static void train(const bench_set *set, mn_arena *scratch) {
  uint32_t count = set->n < SAMPLE ? set->n : SAMPLE;
  size_t row = set->dimensions * sizeof(float);
  float *sample = malloc(count * row);
  if (!sample)
    bench_fail("no memory");
  for (uint32_t i = 0; i < count; i++)
    memcpy(sample + (size_t)i * set->dimensions,
           bench_row(set, (uint32_t)((uint64_t)i * set->n / count)), row);
  mn_vectors rows = {sample, count, set->dimensions};
  check(mn_index_train(&built_index, &rows, scratch), "train");
  free(sample);
}

static bench_built peer_build(const bench_set *set, const char *spec) {
  mn_options options = {.dimensions = set->dimensions,
                        .metric = (mn_metric)set->metric};
  mn_vectors rows = {set->base, set->n, set->dimensions};
  mn_sizes sizes;
  check(mn_options_parse(&options, spec, strlen(spec), NULL), spec);
  check(mn_plan(&options, set->n, BENCH_K, MN_EF_MAX, &sizes), "plan");
  size_t most = sizes.add_scratch_bytes > sizes.train_scratch_bytes
                    ? sizes.add_scratch_bytes
                    : sizes.train_scratch_bytes;
  mn_arena block = arena_of(sizes.block_bytes), scratch = arena_of(most);
  check(mn_index_create(&built_index, &options, set->n, &block), "create");
  if (!mn_index_info(&built_index).trained)
    train(set, &scratch);
  check(mn_index_add(&built_index, NULL, &rows, NULL, &scratch), "add");
  free(scratch.base);
  search_scratch = arena_of(sizes.search_scratch_bytes);
  return (bench_built){built_index.block_bytes, scratch.peak};
}

static uint32_t peer_search(const bench_set *set, uint32_t q, uint32_t ef,
                            uint32_t rows[BENCH_K], bench_counts *counts) {
  mn_stats stats;
  mn_hit hits[BENCH_K];
  uint32_t found;
  mn_query query = {.vector = bench_query(set, q),
                    .dimensions = set->dimensions,
                    .k = BENCH_K,
                    .ef = ef,
                    .stats = &stats};
  search_scratch.peak = 0;
  check(mn_index_search(&built_index, &query, hits, &found, &search_scratch),
        "search");
  for (uint32_t i = 0; i < found; i++)
    rows[i] = (uint32_t)hits[i].key;
  if (counts) {
    counts->distances += stats.distances;
    counts->hops += stats.hops;
    if (counts->scratch < search_scratch.peak)
      counts->scratch = search_scratch.peak;
  }
  return found;
}
