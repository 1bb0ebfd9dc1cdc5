/* SPDX-License-Identifier: Apache-2.0 */
/* What tuning stores: where it is heeded, and what keeps it. */
#include "tuned.h"

#include "../../core/block.h"

#include <math.h>

#define D 24u
#define N 2000u
#define K 10u

/* Distances of a search that says nothing, in just the scratch that is planned
 * for it. */
static uint64_t distances_by_default(const mn_index *index, const float *row,
                                     uint32_t ef, float gamma, float refine_k) {
  mn_hit hits[K];
  mn_stats stats;
  uint32_t found;
  mn_sizes sizes;
  const mn_query query = {.vector = row,
                          .dimensions = D,
                          .k = K,
                          .ef = ef,
                          .gamma = gamma,
                          .refine_k = refine_k,
                          .stats = &stats};
  CHECK_OK(mn_plan_search(index, &query, &sizes));
  const size_t bytes = sizes.search_scratch_bytes;
  void *memory = aligned_alloc(MN_ALIGNMENT, bytes);
  mn_arena scratch = mn_arena_over(memory, bytes);
  CHECK_OK(mn_index_search(index, &query, hits, &found, &scratch));
  CHECK_EQUAL(scratch.peak, bytes);
  free(memory);
  return stats.distances * 1000 + stats.refined;
}

/* What a hostile block is tuned to is looked at when it is opened. */
static void test_hostile(mn_metric metric) {
  static const float gammas[] = {NAN,   INFINITY, -INFINITY, -1,
                                 16.5f, 16,       7e-43f,    0};
  fixture f = fixture_filled("hnsw4,f32", metric, D, "uniform", 100);
  for (unsigned i = 0; i < sizeof gammas / sizeof *gammas; i++) {
    const float gamma = gammas[i];
    const int holds =
        gamma >= 0 && gamma <= (metric == MN_IP ? 0 : MN_GAMMA_MAX);
    mn_index copy;
    f.index.state->tuned_gamma = gamma;
    CHECK_OK(mn_index_seal(&f.index));
    CHECK_STATUS(mn_index_open(&copy, f.index.block, f.index.block_bytes),
                 holds ? MN_OK : MN_ERROR_CORRUPT);
    CHECK_STATUS(mn_index_set_tuned(&f.index, 0, gamma, 0, 0),
                 holds ? MN_OK : MN_ERROR_ARGUMENT);
  }
  fixture_free(&f);
}

/* Where distances do not begin at 0, ef is tuned, and alone decides. */
static void test_ip(void) {
  fixture f = fixture_filled("hnsw8,f32", MN_IP, D, "uniform", N);
  const mn_query query = {.k = K};
  const mn_tuning tuning = {
      .sampling = {.query = &query}, .recall = 0.9f, .store = 1};
  const mn_tuned t = tuned_with(&f.index, &tuning);
  CHECK(t.reached && t.stored && t.ef >= K && t.gamma == 0);
  float *row = fixture_rows("uniform", N, 1, D);
  CHECK_EQUAL(distances_by_default(&f.index, row, 0, 0, 0),
              distances_by_default(&f.index, row, t.ef, 0, 0));
  free(row);
  fixture_free(&f);
}

/* Queries that say 0 take what was stored, in every copy of the block. */
static void test_stored(void) {
  fixture f = fixture_create("hnsw8,bits8", MN_L2, D, N);
  float *rows = fixture_rows("uniform", 0, N + 1, D);
  fixture_train(&f, rows, N);
  CHECK_OK(fixture_add(&f, NULL, rows, N - 10));
  const float *row = rows + N * D;
  const mn_query query = {.k = K};
  mn_tuning tuning = {.sampling = {.query = &query}, .recall = 0.97f};
  const uint64_t before = distances_by_default(&f.index, row, 0, 0, 0);
  CHECK_OK(mn_index_seal(&f.index));
  mn_tuned t = tuned_with(&f.index, &tuning);
  CHECK(t.reached && !t.stored && mn_index_info(&f.index).sealed);
  CHECK(mn_index_info(&f.index).tuned_ef == 0);
  tuning.store = 1;
  t = tuned_with(&f.index, &tuning);
  const uint64_t after =
      distances_by_default(&f.index, row, t.ef, t.gamma, t.refine_k);
  CHECK(t.stored && !mn_index_info(&f.index).sealed && after != before);
  CHECK_EQUAL(distances_by_default(&f.index, row, 0, 0, 0), after);
  /* An audit searches as others do. */
  mn_audit audit;
  CHECK_OK(mn_index_audit(&f.index, &tuning.sampling, &audit, &f.arena));
  CHECK(audit.recall.found == t.recall.found &&
        audit.recall.distances == t.recall.distances);
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_OK(mn_index_seal(&f.index));

  mn_index copy;
  CHECK_OK(mn_index_open(&copy, f.index.block, f.index.block_bytes));
  CHECK(mn_index_info(&copy).tuned_ef == t.ef &&
        mn_index_info(&copy).tuned_gamma == t.gamma &&
        mn_index_info(&copy).tuned_refine_k == t.refine_k);
  CHECK_EQUAL(distances_by_default(&copy, row, 0, 0, 0), after);
  CHECK_STATUS(mn_index_set_tuned(&copy, 1, 0, 0, 1), MN_ERROR_READ_ONLY);
  CHECK_STATUS(mn_index_tune(&copy, &tuning, &t, &f.arena), MN_ERROR_READ_ONLY);
  CHECK_OK(mn_index_resize(&f.index, N, &f.arena));
  CHECK_EQUAL(distances_by_default(&f.index, row, 0, 0, 0), after);
  CHECK_OK(mn_index_pack(&f.index, &copy, &f.arena));
  CHECK_EQUAL(distances_by_default(&copy, row, 0, 0, 0), after);
  CHECK_OK(mn_index_thaw(&copy, N, &copy, &f.arena));
  CHECK_EQUAL(distances_by_default(&copy, row, 0, 0, 0), after);

  /* A packed block can be tuned; what is not reached is not stored. */
  CHECK_OK(mn_index_pack(&f.index, &copy, &f.arena));
  CHECK_OK(mn_index_set_tuned(&copy, 0, 0, 0, 0));
  CHECK_EQUAL(distances_by_default(&copy, row, 0, 0, 0), before);
  tuning.recall = 1;
  tuning.ef_max = 20;
  t = tuned_with(&copy, &tuning);
  CHECK(!t.reached && !t.stored && mn_index_info(&copy).tuned_ef == 0);
  tuning.recall = 0.97f;
  tuning.ef_max = 0;
  t = tuned_with(&copy, &tuning);
  CHECK(t.stored && distances_by_default(&copy, row, 0, 0, 0) == after);
  CHECK_STATUS(mn_index_set_tuned(&copy, MN_EF_MAX + 1, 0, 0, 0),
               MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_set_tuned(&copy, 0, MN_GAMMA_MAX + 1, 0, 0),
               MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_set_tuned(&copy, 0, -0.1f, 0, 0), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_set_tuned(&copy, 0, NAN, 0, 0), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_set_tuned(&copy, 0, 0, 0, 0.5f), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_set_tuned(&copy, 0, 0, 0, NAN), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_set_tuned(NULL, 0, 0, 0, 0), MN_ERROR_ARGUMENT);
  free(rows);
  fixture_free(&f);
}

/* The fewest lists, and where all of them are not enough, more refined. */
static void test_lists(void) {
  fixture f = fixture_filled("ivf40,bits8", MN_L2, D, "uniform", N);
  float *row = fixture_rows("uniform", N, 1, D);
  mn_query query = {.k = K};
  mn_tuning tuning = {
      .sampling = {.query = &query}, .recall = 0.9f, .store = 1};
  const mn_tuned t = tuned_with(&f.index, &tuning);
  CHECK(t.reached && t.stored && t.ef == 0 && t.nprobe > 1 && t.nprobe < 40);
  CHECK_EQUAL(mn_index_info(&f.index).tuned_nprobe, t.nprobe);
  query.nprobe = t.nprobe - 1;
  mn_audit audit;
  CHECK_OK(mn_index_audit(&f.index, &tuning.sampling, &audit, &f.arena));
  CHECK(audit.recall.recall < 0.9f);
  query.nprobe = 0;
  CHECK_OK(mn_index_audit(&f.index, &tuning.sampling, &audit, &f.arena));
  CHECK(audit.recall.found == t.recall.found);
  free(row);
  fixture_free(&f);
}

int main(void) {
  test_hostile(MN_L2);
  test_hostile(MN_IP);
  test_ip();
  test_lists();
  test_stored();
  return test_report();
}
