/* SPDX-License-Identifier: Apache-2.0 */
/* Ranking hits by vectors that the caller brings afterwards: as a search that
 * fetches them does. */
#include "fixture.h"

#include <math.h>

#define D 19u
#define N 200u
#define K 40u

static mn_status fetch(void *context, uint64_t key, uint32_t slot,
                       float *vector) {
  (void)key;
  memcpy(vector, (const float *)context + slot * D, D * sizeof *vector);
  return MN_OK;
}

static mn_status rank(fixture *f, const float *query, const float *rows,
                      mn_hit *hits, uint32_t count) {
  const mn_vectors vectors = {rows, count, D};
  return mn_index_rank(&f->index, query, &vectors, hits, &f->arena);
}

static void test_as_fetch(const char *spec, mn_metric metric) {
  fixture f = fixture_filled(spec, metric, D, "clustered", N);
  float *rows = fixture_rows("clustered", 0, N + 5, D), near[K * D];
  for (uint32_t i = 0; i < 5; i++) {
    float *query = rows + (N + i) * D;
    mn_hit hits[K], fetched[K];
    uint32_t found = 0;
    const mn_query q = {.vector = query,
                        .dimensions = D,
                        .k = K,
                        .ef = 100,
                        .refine_k = 1,
                        .fetch = fetch,
                        .fetch_context = rows};
    CHECK_OK(mn_index_search(&f.index, &q, fetched, &found, &f.arena));
    CHECK_OK(fixture_search(&f, query, K, 100, hits, &found, NULL));
    for (uint32_t h = 0; h < K; h++)
      memcpy(near + h * D, rows + hits[h].slot * D, D * sizeof *near);
    CHECK_OK(rank(&f, query, near, hits, K));
    for (uint32_t h = 0; h < K; h++)
      CHECK(hits[h].key == fetched[h].key && hits[h].slot == fetched[h].slot &&
            !memcmp(&hits[h].distance, &fetched[h].distance, 4));
  }
  free(rows);
  fixture_free(&f);
}

/* Distances by plain arithmetic; equal ones in ascending key. */
static void test_values(void) {
  static const float rows[4 * D] = {
      [0] = 3, [D] = 1, [2 * D] = -1, [3 * D + 1] = 2};
  static const float query[D] = {[1] = 1};
  static const float expected[3][4] = {
      {1, 2, 2, 10}, {-2, 0, 0, 0}, {0, 1, 1, 1}};
  static const uint64_t order[3][4] = {
      {9, 3, 4, 5}, {9, 3, 4, 5}, {9, 3, 4, 5}};
  for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
    fixture f = fixture_create("flat,f32", metric, D, 1);
    mn_hit hits[4] = {{5, NAN, 0}, {3, 1, 1}, {4, INFINITY, 2}, {9, -1, 3}};
    CHECK_OK(rank(&f, query, rows, hits, 4));
    for (uint32_t h = 0; h < 4; h++) {
      CHECK(hits[h].distance == expected[metric - MN_L2][h]);
      CHECK_EQUAL(hits[h].key, order[metric - MN_L2][h]);
    }
    fixture_free(&f);
  }
}

static void test_refused(void) {
  fixture f = fixture_filled("flat,f16", MN_COSINE, D, "uniform", 5);
  float *rows = fixture_rows("uniform", 0, 5, D);
  float query[D] = {1}, zero[D] = {0};
  mn_hit hits[5], kept[5];
  const mn_vectors five = {rows, 5, D}, wide = {rows, 1, D + 1},
                   none = {NULL, 1, D}, many = {rows, MN_EF_MAX + 1, D};
  mn_arena *arena = &f.arena;
  memset(hits, 0x3c, sizeof hits);
  memcpy(kept, hits, sizeof hits);
#define REFUSED(status, query, vectors, hits, arena)                           \
  CHECK_REFUSED(&f, mn_index_rank(&f.index, query, vectors, hits, arena),      \
                status)
  REFUSED(MN_ERROR_ARGUMENT, NULL, &five, hits, arena);
  REFUSED(MN_ERROR_ARGUMENT, query, NULL, hits, arena);
  REFUSED(MN_ERROR_ARGUMENT, query, &five, NULL, arena);
  REFUSED(MN_ERROR_ARGUMENT, query, &five, hits, NULL);
  REFUSED(MN_ERROR_ARGUMENT, query, &none, hits, arena);
  REFUSED(MN_ERROR_ARGUMENT, query, &many, hits, arena);
  REFUSED(MN_ERROR_DIMENSIONS, query, &wide, hits, arena);
  REFUSED(MN_ERROR_ZERO_VECTOR, zero, &five, hits, arena);
  CHECK_STATUS(mn_index_rank(NULL, query, &five, hits, arena),
               MN_ERROR_ARGUMENT);
  query[3] = NAN;
  REFUSED(MN_ERROR_NOT_FINITE, query, &five, hits, arena);
  query[3] = 0;
  rows[4 * D] = INFINITY;
  REFUSED(MN_ERROR_NOT_FINITE, query, &five, hits, arena);
  memset(rows + 4 * D, 0, D * sizeof *rows);
  REFUSED(MN_ERROR_ZERO_VECTOR, query, &five, hits, arena);
  mn_arena full = f.arena;
  full.capacity = full.used + 64;
  REFUSED(MN_ERROR_ARENA, query, &five, hits, &full);
#undef REFUSED
  CHECK(!memcmp(hits, kept, sizeof hits));
  CHECK_OK(rank(&f, query, rows, hits, 0));
  CHECK_OK(
      mn_index_rank(&f.index, query, &(mn_vectors){NULL, 0, D}, NULL, arena));
  CHECK(!memcmp(hits, kept, sizeof hits));
  free(rows);
  fixture_free(&f);
  f = fixture_filled("flat", MN_JACCARD, D, "uniform", 5);
  CHECK_STATUS(rank(&f, query, zero, hits, 1), MN_ERROR_ARGUMENT);
  fixture_free(&f);
}

int main(void) {
  static const char *const specs[] = {"flat,f32", "hnsw4,sq4", "flat,bits3",
                                      "hnsw8,first9,bits1"};
  for (unsigned s = 0; s < sizeof specs / sizeof *specs; s++)
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++)
      test_as_fetch(specs[s], metric);
  test_values();
  test_refused();
  return test_report();
}
