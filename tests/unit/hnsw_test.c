/* SPDX-License-Identifier: Apache-2.0 */
/* The graph: what it finds, that nothing but its input decides its bytes, and
 * that vectors are found whether they are linked or not. link_test.c divides
 * the linking. */
#include "fixture.h"

#define D 24u
#define N 2000u
#define Q 50u
#define K 10u

/* Shares of the true ten that a search with `ef` finds. */
static double recall(fixture *f, const float *queries, uint32_t ef) {
  uint32_t same = 0;
  for (uint32_t i = 0; i < Q; i++) {
    mn_hit near[K], found[K];
    uint32_t near_count = 0, found_count = 0;
    mn_query q = {.vector = queries + i * D,
                  .dimensions = D,
                  .k = K,
                  .ef = ef,
                  .plan = MN_PLAN_SCAN};
    CHECK_OK(mn_index_search(&f->index, &q, near, &near_count, &f->arena));
    q.plan = MN_PLAN_AUTO;
    CHECK_OK(mn_index_search(&f->index, &q, found, &found_count, &f->arena));
    CHECK(near_count == K && found_count == K);
    for (uint32_t a = 0; a < K; a++)
      for (uint32_t b = 0; b < K; b++)
        same += near[a].key == found[b].key;
  }
  return (double)same / (Q * K);
}

static void test_recall(const char *spec, mn_metric metric, const char *kind,
                        double at_64, double at_300) {
  fixture f = fixture_filled(spec, metric, D, kind, N);
  float *queries = fixture_rows(kind, N, Q, D);
  double low = recall(&f, queries, 64), high = recall(&f, queries, 300);
  if (low < at_64 || high < at_300)
    printf("%s %s: recall@10 %.3f at ef 64, %.3f at ef 300\n", spec, kind, low,
           high);
  CHECK(low >= at_64);
  CHECK(high >= at_300);
  CHECK(recall(&f, queries, N) == 1);
  CHECK_OK(mn_index_verify(&f.index));
  /* A walk looks at a part only, and says so. */
  mn_hit hits[K];
  uint32_t found;
  mn_stats stats;
  CHECK_OK(fixture_search(&f, queries, K, 20, hits, &found, &stats));
  CHECK(stats.exact == 0 && stats.hops >= 20 && stats.distances >= stats.hops);
  CHECK(stats.distances < N / 2);
  free(queries);
  fixture_free(&f);
}

/* Each stored vector finds itself: nothing is out of reach. */
static void test_reach(const char *kind) {
  fixture f = fixture_filled("hnsw8,f32", MN_L2, D, kind, N);
  float *rows = fixture_rows(kind, 0, N, D);
  uint32_t reached = 0;
  for (uint32_t i = 0; i < N; i++) {
    mn_hit hit;
    uint32_t found;
    CHECK_OK(fixture_search(&f, rows + i * D, 1, 64, &hit, &found, NULL));
    reached += found == 1 && hit.distance == 0;
  }
  CHECK(reached >= N - N / 100);
  free(rows);
  fixture_free(&f);
}

/* A walk begins at one of the entries; the others are found as any vector is,
 * by a walk that has room for all. */
static void test_entries(void) {
  fixture f = fixture_filled("hnsw16,f32", MN_L2, D, "clustered", N);
  const uint32_t linked = mn_index_info(&f.index).linked;
  float *query = fixture_rows("clustered", N, 1, D);
  static mn_hit hits[N];
  uint32_t found = 0;
  mn_stats stats;
  CHECK_OK(fixture_search(&f, query, linked, N, hits, &found, &stats));
  CHECK_EQUAL(found, linked);
  CHECK(stats.exact == 0 && stats.hops == linked);
  CHECK(stats.distances >= N && stats.distances <= N + 64);
  free(query);
  fixture_free(&f);
}

/* --- Sameness ------------------------------------------------------------- */

static uint64_t build_hash(const float *rows, uint32_t n, uint32_t features,
                           uint32_t step, uint64_t seed) {
  fixture f = fixture_create("hnsw6,f32", MN_IP, D, n);
  f.options.seed = seed;
  mn_arena_rewind(&f.arena, 0);
  CHECK_OK(mn_index_create(&f.index, &f.options, n, &f.arena));
  mn_index_use_features(&f.index, features);
  mn_vectors vectors = {rows, n, D};
  uint32_t left = n;
  CHECK_OK(mn_index_append(&f.index, NULL, &vectors, NULL, &f.arena));
  while (left > 0)
    CHECK_OK(mn_index_link(&f.index, step, &left, &f.arena));
  uint64_t hash = hash_of(f.index.block, f.index.block_bytes);
  fixture_free(&f);
  return hash;
}

static void test_same(void) {
  float *rows = fixture_rows("uniform", 0, 500, D);
  uint64_t hash = build_hash(rows, 500, MN_CPU_ALL, 500, 1);
  CHECK_EQUAL(build_hash(rows, 500, 0, 500, 1), hash);
  CHECK_EQUAL(build_hash(rows, 500, MN_CPU_ALL, 1, 1), hash);
  CHECK_EQUAL(build_hash(rows, 500, MN_CPU_ALL, 37, 1), hash);
  CHECK_EQUAL(build_hash(rows, 500, MN_CPU_ALL, UINT32_MAX, 1), hash);
  CHECK(build_hash(rows, 500, MN_CPU_ALL, 500, 2) != hash);
  CHECK(build_hash(rows, 500, MN_CPU_ALL, 500, 1ull << 40) != hash);
  free(rows);
}

/* --- Between append and link ---------------------------------------------- */

static void test_unlinked(void) {
  enum { HALF = 192 };
  fixture f = fixture_create("hnsw8,f32", MN_L2, D, 2 * HALF);
  float *rows = fixture_rows("clustered", 0, 2 * HALF, D);
  CHECK_OK(fixture_add(&f, NULL, rows, HALF));
  mn_vectors rest = {rows + HALF * D, HALF, D};
  CHECK_OK(mn_index_append(&f.index, NULL, &rest, NULL, &f.arena));
  CHECK_EQUAL(mn_index_info(&f.index).count, 2 * HALF);
  CHECK_EQUAL(mn_index_info(&f.index).linked, HALF);
  CHECK_OK(mn_index_verify(&f.index));
  for (uint32_t i = HALF; i < 2 * HALF; i++) {
    mn_hit hits[3];
    uint32_t found = 0;
    mn_stats stats;
    CHECK_OK(fixture_search(&f, rows + i * D, 3, 10, hits, &found, &stats));
    CHECK(found == 3 && hits[0].key == i && hits[0].distance == 0);
    CHECK(stats.exact == 0 && stats.distances >= HALF);
  }
  uint32_t left = 99;
  CHECK_OK(mn_index_link(&f.index, 0, &left, &f.arena));
  CHECK_EQUAL(left, HALF);
  /* Saved so, it is opened so, and goes on. */
  CHECK_OK(mn_index_seal(&f.index));
  CHECK_OK(
      mn_index_open_writable(&f.index, f.index.block, f.index.block_bytes));
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_OK(mn_index_link(&f.index, HALF, &left, &f.arena));
  CHECK_EQUAL(left, 0);
  CHECK_OK(mn_index_link(&f.index, 5, &left, &f.arena));
  CHECK_EQUAL(left, 0);
  uint64_t steps = hash_of(f.index.block, f.index.block_bytes);
  fixture once = fixture_create("hnsw8,f32", MN_L2, D, 2 * HALF);
  CHECK_OK(fixture_add(&once, NULL, rows, 2 * HALF));
  CHECK_EQUAL(hash_of(once.index.block, once.index.block_bytes), steps);
  fixture_free(&once);
  fixture_free(&f);
  free(rows);
}

/* Nothing linked at all: every vector is looked at. */
static void test_nothing_linked(void) {
  fixture f = fixture_create("hnsw8,f32", MN_L2, D, 100);
  float *rows = fixture_rows("uniform", 0, 100, D);
  mn_vectors vectors = {rows, 100, D};
  CHECK_OK(mn_index_append(&f.index, NULL, &vectors, NULL, &f.arena));
  mn_hit hits[100];
  uint32_t found = 0, left = 1;
  mn_stats stats;
  CHECK_OK(fixture_search(&f, rows, 100, 0, hits, &found, &stats));
  CHECK(found == 100 && stats.exact == 1 && stats.distances == 100);
  fixture_free(&f);
  f = fixture_create("flat,f32", MN_L2, D, 100);
  CHECK_OK(mn_index_append(&f.index, NULL, &vectors, NULL, &f.arena));
  CHECK_EQUAL(mn_index_info(&f.index).linked, 100);
  CHECK_OK(mn_index_link(&f.index, 7, &left, &f.arena));
  CHECK_EQUAL(left, 0);
  fixture_free(&f);
  free(rows);
}

/* k means k, though many vectors are equal and lists are short. */
static void test_k(void) {
  fixture f = fixture_filled("hnsw4,f32", MN_L2, D, "duplicates", 600);
  float *queries = fixture_rows("duplicates", 600, 10, D);
  static mn_hit hits[700];
  for (uint32_t k = 1; k <= 700; k += k < 8 ? 1 : 97)
    for (uint32_t i = 0; i < 10; i++) {
      uint32_t found = 0;
      CHECK_OK(fixture_search(&f, queries + i * D, k, 0, hits, &found, NULL));
      CHECK_EQUAL(found, k < 600 ? k : 600);
      for (uint32_t h = 1; h < found; h++)
        CHECK(hits[h - 1].distance <= hits[h].distance &&
              hits[h - 1].key != hits[h].key);
    }
  free(queries);
  fixture_free(&f);
}

/* Ten vectors, 200 times each: all within reach of a walk, and none crowds out
 * another. */
static void test_twins(const char *spec, mn_metric metric) {
  enum { DIFFERENT = 10 };
  fixture f = fixture_create(spec, metric, D, N);
  float *rows = fixture_rows("uniform", 0, N, D);
  for (uint32_t i = DIFFERENT; i < N; i++)
    memcpy(rows + i * D, rows + i * i % DIFFERENT * D, D * sizeof *rows);
  fixture_train(&f, rows, N);
  CHECK_OK(fixture_add(&f, NULL, rows, N));
  CHECK_OK(mn_index_verify(&f.index));

  static mn_hit all[N], hits[K], near[K];
  uint32_t found = 0;
  mn_stats stats;
  CHECK_OK(fixture_search(&f, rows, N, 0, all, &found, &stats));
  CHECK(found == N && !stats.exact);
  float *queries = fixture_rows("uniform", N, Q, D);
  for (uint32_t i = 0; i < Q; i++) {
    mn_query q = {.vector = queries + i * D,
                  .dimensions = D,
                  .k = K,
                  .ef = 10,
                  .plan = MN_PLAN_SCAN};
    CHECK_OK(mn_index_search(&f.index, &q, near, &found, &f.arena));
    q.plan = MN_PLAN_AUTO;
    CHECK_OK(mn_index_search(&f.index, &q, hits, &found, &f.arena));
    for (uint32_t h = 0; h < K; h++) {
      CHECK(hits[h].distance == near[h].distance);
      CHECK(h == 0 || hits[h - 1].distance < hits[h].distance ||
            hits[h - 1].key < hits[h].key);
    }
  }
  free(queries);
  free(rows);

  /* A twin that hangs on nothing would never be found again. */
  size_t bytes;
  uint8_t *section =
      fixture_section(&f, MN_SECTION('L', 'I', 'N', 'K'), &bytes);
  uint32_t *list = (uint32_t *)(void *)section;
  while ((list[0] >> 31) != 0 || (list[list[0]] >> 31) == 0)
    list += 1 + 2 * f.index.options.m;
  list[list[0]--] = 0;
  CHECK_STATUS(mn_index_verify(&f.index), MN_ERROR_CORRUPT);
  fixture_free(&f);
}

int main(void) {
  test_twins("hnsw4,f32", MN_L2);
  test_twins("hnsw8,sq8", MN_COSINE);
  test_twins("hnsw16,f16", MN_IP);
  test_twins("hnsw4,bits1", MN_L2);
  test_twins("hnsw8,bits4", MN_COSINE);
  test_twins("hnsw8,pq6x4+c", MN_L2);
  test_twins("hnsw4,pca9,sq6", MN_IP);
  test_twins("hnsw4,sign", MN_HAMMING);
  test_recall("hnsw16,f32", MN_L2, "clustered", 0.95, 0.99);
  test_recall("hnsw16,f16", MN_COSINE, "clustered", 0.95, 0.99);
  test_recall("hnsw16,bf16", MN_IP, "clustered", 0.9, 0.99);
  test_recall("hnsw16,sq8", MN_L2, "clustered", 0.95, 0.99);
  test_recall("hnsw16,f32", MN_L2, "uniform", 0.8, 0.97);
  test_reach("uniform");
  test_reach("duplicates");
  test_entries();
  test_same();
  test_unlinked();
  test_nothing_linked();
  test_k();
  return test_report();
}
