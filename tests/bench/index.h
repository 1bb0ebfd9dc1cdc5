/* SPDX-License-Identifier: Apache-2.0 */
/* An index of a data set's rows, trained and filled, for the programs that
 * measure Minnow natively. It is named by a spec string of the library's, and
 * behind that, if wanted,
 *
 *     " ef64"      is linked with ef_construction 64
 *     " packed"    is packed when it has been built; the live block is let go
 *     " portable"  uses the kernels in plain C */
#ifndef BENCH_INDEX_H
#define BENCH_INDEX_H

#include "../../core/minnow.h"
#include "recall.h"

typedef struct bench_index {
  mn_index index;
  mn_arena block;            /* in which it lies */
  mn_sizes sizes;            /* planned */
  mn_arena scratch;          /* for any search up to the one planned for */
  size_t build_scratch;      /* bytes on top of the block while adding */
  uint32_t sample;           /* vectors trained on */
  double train_cpu, add_cpu; /* seconds */
  double pack_cpu;           /* the same; 0: not packed */
} bench_index;

static void bench_check(mn_status status, const char *what) {
  if (status == MN_OK)
    return;
  fprintf(stderr, "%s: %s\n", what, mn_status_name(status));
  exit(1);
}

enum { BENCH_EF_MAX = 4096 };

/* A query without its vector. `ef` is, of a graph, gamma in thousandths, with
 * all that the walk ends with refined where the index refines; of an inverted
 * file, the lists that are scanned, with three times as many candidates
 * refined; of a flat index, the candidates that are refined. 0: all as the
 * library has it by default. */
static mn_query bench_query_for(const bench_set *set, mn_structure structure,
                                uint32_t ef) {
  mn_query query = {.dimensions = set->dimensions, .k = BENCH_K};
  if (ef == 0)
    return query;
  const uint32_t wanted = structure == MN_HNSW  ? BENCH_EF_MAX / MN_EF_STRETCH
                          : structure == MN_IVF ? 3 * ef
                                                : ef;
  const uint32_t refined = wanted < BENCH_EF_MAX ? wanted : BENCH_EF_MAX;
  query.refine_k = refined < BENCH_K ? 1 : (float)refined / BENCH_K;
  query.nprobe = ef;
  query.ef = wanted;
  query.gamma = structure == MN_HNSW ? (float)ef / 1000 : 0;
  return query;
}

/* free(arena.base) gives it back. */
static mn_arena bench_arena(size_t bytes) {
  void *memory = aligned_alloc(MN_ALIGNMENT, bytes + MN_ALIGNMENT);
  if (!memory)
    bench_fail("no memory");
  return mn_arena_over(memory, bytes);
}

/* Trains on as many rows as mn_plan_training says are enough, spread evenly
 * over the base. */
static void bench_train(bench_index *built, const bench_set *set) {
  mn_training training;
  mn_options options = built->index.options;
  bench_check(mn_plan_training(&options, set->n, &training), "plan training");
  uint32_t count = set->n < training.enough ? set->n : training.enough;
  bench_check(mn_plan_training(&options, count, &training), "plan training");
  mn_arena scratch = bench_arena(training.scratch_bytes);
  size_t row = set->dimensions * sizeof(float);
  float *sample = malloc(count * row);
  if (!sample)
    bench_fail("no memory");
  for (uint32_t i = 0; i < count; i++)
    memcpy(sample + (size_t)i * set->dimensions,
           bench_row(set, (uint32_t)((uint64_t)i * set->n / count)), row);
  mn_vectors rows = {sample, count, set->dimensions};
  built->sample = count;
  built->train_cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
  bench_check(mn_index_train(&built->index, &rows, &scratch), "train");
  built->train_cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID) - built->train_cpu;
  free(sample);
  free(scratch.base);
}

/* An index without vectors, trained; `largest` is the search to plan for. */
static bench_index bench_create(const bench_set *set, const char *spec,
                                const mn_query *largest) {
  bench_index made;
  memset(&made, 0, sizeof made);
  mn_options options = {.dimensions = set->dimensions,
                        .metric = (mn_metric)set->metric};
  const char *end = strstr(spec, " ef");
  if (end != NULL)
    options.ef_construction = (uint32_t)strtoul(end + 3, NULL, 10);
  size_t length = end != NULL ? (size_t)(end - spec) : strlen(spec);
  bench_check(mn_options_parse(&options, spec, length, NULL), spec);
  bench_check(mn_plan(&options, set->n, largest, &made.sizes), "plan");
  made.block = bench_arena(made.sizes.block_bytes);
  bench_check(mn_index_create(&made.index, &options, set->n, &made.block),
              "create");
  if (!mn_index_info(&made.index).trained)
    bench_train(&made, set);
  return made;
}

/* Puts the packed form in the place of the live one. */
static void bench_pack(bench_index *built) {
  mn_packing plan;
  mn_index packed;
  bench_check(mn_plan_pack(&built->index, &plan), "plan pack");
  mn_arena arena = bench_arena(plan.block_bytes + plan.scratch_bytes);
  built->pack_cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
  bench_check(mn_index_pack(&built->index, &packed, &arena), "pack");
  built->pack_cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID) - built->pack_cpu;
  free(built->block.base);
  built->block = arena;
  built->index = packed;
}

/* Takes a word off the end of a text that ends in it. */
static int bench_ends_in(char *text, const char *word) {
  size_t length = strlen(text), word_length = strlen(word);
  if (length < word_length || strcmp(text + length - word_length, word) != 0)
    return 0;
  text[length - word_length] = 0;
  return 1;
}

/* `largest` is the search for which there shall be scratch. */
static bench_index bench_build(const bench_set *set, const char *name,
                               const mn_query *largest) {
  char spec[MN_SPEC_BYTES + 32];
  snprintf(spec, sizeof spec, "%s", name);
  uint32_t features = bench_ends_in(spec, " portable") ? 0 : mn_cpu_features();
  int is_packed = bench_ends_in(spec, " packed");
  bench_index built = bench_create(set, spec, largest);
  mn_vectors rows = {set->base, set->n, set->dimensions};
  mn_arena scratch = bench_arena(built.sizes.add_scratch_bytes);
  mn_index_use_features(&built.index, features);
  built.add_cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
  bench_check(mn_index_add(&built.index, NULL, &rows, NULL, &scratch), "add");
  built.add_cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID) - built.add_cpu;
  built.build_scratch = scratch.peak;
  free(scratch.base);
  if (is_packed)
    bench_pack(&built);
  mn_index_use_features(&built.index, features);
  /* A search for fewer may sift first, in a pool of up to 8,192 candidates. */
  built.scratch = bench_arena(built.sizes.search_scratch_bytes + 8192 * 8);
  return built;
}

#endif
