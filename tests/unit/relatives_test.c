/* SPDX-License-Identifier: Apache-2.0 */
/* The searches that are made of others: within a radius, diverse, many at once,
 * and by a vector that is in the index. */
#include "fixture.h"

#define D 12u
#define N 1200u
#define K 10u

/* --- Within --------------------------------------------------------------- */

static void test_within(const char *spec) {
  static mn_hit all[N], hits[N + 1];
  fixture f = fixture_filled(spec, MN_L2, D, "clustered", N);
  float *query = fixture_rows("clustered", N, 1, D);
  uint32_t found, count;
  mn_stats stats;
  mn_query q = {
      .vector = query, .dimensions = D, .k = N, .ef = N, .stats = &stats};
  CHECK_OK(mn_index_search(&f.index, &q, all, &found, &f.arena));
  CHECK_EQUAL(found, N);
  static const uint32_t inside[] = {0, 1, 15, 16, 17, 127, 128, 500, N};
  for (unsigned i = 0; i < sizeof inside / sizeof *inside; i++) {
    const uint32_t want = inside[i];
    const float radius = want > 0 ? all[want - 1].distance : -1;
    if (want > 0 && want < N && !(all[want].distance > radius))
      continue;
    q.k = N;
    CHECK_OK(mn_index_within(&f.index, &q, radius, hits, &count, &f.arena));
    CHECK_EQUAL(count, want);
    CHECK_EQUAL(stats.cut, want == N ? 2 : 0);
    for (uint32_t h = 0; h < count; h++)
      CHECK(hits[h].key == all[h].key && hits[h].distance <= radius);
    /* A limit below what is there, and one that is just enough. */
    if (want < 20)
      continue;
    q.k = want - 3;
    CHECK_OK(mn_index_within(&f.index, &q, radius, hits, &count, &f.arena));
    CHECK(count == want - 3 && stats.cut == 2);
    q.k = want + 1;
    CHECK_OK(mn_index_within(&f.index, &q, radius, hits, &count, &f.arena));
    CHECK(count == want && stats.cut == 0);
  }
  /* The budget is that of all steps together. */
  q.k = N;
  q.budget = 150;
  CHECK_OK(mn_index_within(&f.index, &q, 1e9f, hits, &count, &f.arena));
  CHECK(stats.cut == 1 && stats.distances <= 150 && count < N);
  q.budget = 0;
  const float nan = __builtin_nanf("");
  count = 55;
  CHECK_REFUSED(&f, mn_index_within(&f.index, &q, nan, hits, &count, &f.arena),
                MN_ERROR_ARGUMENT);
  CHECK_EQUAL(count, 55);
  free(query);
  fixture_free(&f);
}

/* --- Diversify ------------------------------------------------------------ */

/* The distance of two hits, as codes have it. */
static float between(fixture *f, const mn_hit *a, const mn_hit *b) {
  size_t bytes;
  const uint8_t *codes =
      fixture_section(f, MN_SECTION('C', 'O', 'D', 'E'), &bytes);
  const uint32_t each = f->index.codec.code_bytes;
  float distance = 0;
  CHECK_OK(mn_index_between(&f->index, codes + (size_t)a->slot * each,
                            codes + (size_t)b->slot * each, &distance,
                            &f->arena));
  return distance;
}

/* Maximal marginal relevance, by the book. */
static void diversify(fixture *f, const mn_hit *from, uint32_t count,
                      uint32_t k, float lambda, mn_hit *to) {
  uint8_t taken[100] = {0};
  for (uint32_t t = 0; t < k; t++) {
    uint32_t best = count;
    float best_value = 0;
    for (uint32_t i = 0; i < count; i++) {
      if (taken[i])
        continue;
      float nearest = 0;
      for (uint32_t j = 0; j < t; j++) {
        const float distance = between(f, &to[j], &from[i]);
        if (j == 0 || distance < nearest)
          nearest = distance;
      }
      const float value = lambda * from[i].distance - (1 - lambda) * nearest;
      if (best == count || value < best_value) {
        best = i;
        best_value = value;
      }
    }
    taken[best] = 1;
    to[t] = from[best];
  }
  for (uint32_t i = 0; i < count; i++)
    if (!taken[i])
      to[k++] = from[i];
}

static void test_diversify(const char *spec, mn_metric metric) {
  enum { FETCH = 60 };
  fixture f = fixture_filled(spec, metric, D, "clustered", N);
  float *query = fixture_rows("clustered", N, 1, D);
  mn_hit first[FETCH], hits[FETCH], expected[FETCH];
  uint32_t found;
  CHECK_OK(fixture_search(&f, query, FETCH, 0, first, &found, NULL));
  CHECK_EQUAL(found, FETCH);
  uint32_t moved = 0;
  for (uint32_t k = 0; k <= FETCH; k += 12)
    for (unsigned l = 0; l <= 4; l++) {
      const float lambda = (float)l / 4;
      memcpy(hits, first, sizeof hits);
      CHECK_OK(mn_index_diversify(&f.index, hits, FETCH, k, lambda, &f.arena));
      diversify(&f, first, FETCH, k, lambda, expected);
      for (uint32_t i = 0; i < FETCH; i++) {
        CHECK(hits[i].key == expected[i].key &&
              hits[i].distance == expected[i].distance);
        moved += hits[i].key != first[i].key;
        CHECK(l < 4 || hits[i].key == first[i].key);
      }
    }
  CHECK(moved > FETCH);
  /* Refused, and nothing moved. */
  memcpy(hits, first, sizeof hits);
  const float nan = __builtin_nanf("");
#define REFUSED(count, k, lambda, status)                                      \
  CHECK_REFUSED(                                                               \
      &f, mn_index_diversify(&f.index, hits, count, k, lambda, &f.arena),      \
      status)
  REFUSED(FETCH, FETCH + 1, 0.5f, MN_ERROR_ARGUMENT);
  REFUSED(FETCH, K, 1.1f, MN_ERROR_ARGUMENT);
  REFUSED(FETCH, K, -0.1f, MN_ERROR_ARGUMENT);
  REFUSED(FETCH, K, nan, MN_ERROR_ARGUMENT);
  hits[7].slot = N;
  REFUSED(FETCH, K, 0.5f, MN_ERROR_UNKNOWN_KEY);
  hits[7].slot = first[8].slot;
  REFUSED(FETCH, K, 0.5f, MN_ERROR_UNKNOWN_KEY);
#undef REFUSED
  hits[7] = first[7];
  CHECK(!memcmp(hits, first, sizeof hits));
  free(query);
  fixture_free(&f);
}

/* --- Many ----------------------------------------------------------------- */

static void test_many(const char *spec) {
  enum { ROWS = 7 };
  fixture f = fixture_filled(spec, MN_COSINE, D, "clustered", N);
  float *queries = fixture_rows("clustered", N, ROWS, D);
  static const uint64_t without[] = {3, 9, 27, 81, 243};
  mn_hit hits[ROWS * K], one[K];
  uint32_t counts[ROWS], found;
  uint64_t distances = 0;
  mn_stats all, stats;
  mn_query q = {.k = K, .without = without, .without_count = 5, .stats = &all};
  const mn_vectors rows = {queries, ROWS, D};
  CHECK_OK(mn_index_search_many(&f.index, &rows, &q, hits, counts, &f.arena));
  for (uint32_t i = 0; i < ROWS; i++) {
    q.vector = queries + i * D;
    q.dimensions = D;
    q.stats = &stats;
    CHECK_OK(mn_index_search(&f.index, &q, one, &found, &f.arena));
    CHECK_EQUAL(counts[i], found);
    distances += stats.distances;
    for (uint32_t h = 0; h < found; h++)
      CHECK(hits[i * K + h].key == one[h].key &&
            hits[i * K + h].distance == one[h].distance);
  }
  CHECK_EQUAL(all.distances, distances);
  /* One bad row, and nothing is written. */
  memset(counts, 0x33, sizeof counts);
  memset(queries + 6 * D, 0, D * sizeof *queries);
  CHECK_REFUSED(
      &f, mn_index_search_many(&f.index, &rows, &q, hits, counts, &f.arena),
      MN_ERROR_ZERO_VECTOR);
  CHECK_EQUAL(counts[0], 0x33333333);
  const mn_vectors narrow = {queries, ROWS, D - 1};
  CHECK_REFUSED(
      &f, mn_index_search_many(&f.index, &narrow, &q, hits, counts, &f.arena),
      MN_ERROR_DIMENSIONS);
  const mn_vectors none = {NULL, 0, D};
  CHECK_OK(mn_index_search_many(&f.index, &none, &q, NULL, NULL, &f.arena));
  free(queries);
  fixture_free(&f);
}

/* --- Like ----------------------------------------------------------------- */

static void test_like(const char *spec, const char *kind) {
  fixture f = fixture_filled(spec, MN_L2, D, kind, N);
  static mn_hit all[N], hits[K];
  uint32_t found, count;
  float row[D];
  for (uint64_t key = 0; key < N; key += 37) {
    CHECK_OK(fixture_reconstruct(&f, key, row));
    mn_query q = {.vector = row, .dimensions = D, .k = K + 1};
    CHECK_OK(mn_index_search(&f.index, &q, all, &found, &f.arena));
    mn_query like = {.k = K};
    CHECK_OK(
        mn_index_search_like(&f.index, key, &like, hits, &count, &f.arena));
    CHECK_EQUAL(count, K);
    for (uint32_t i = 0, from = 0; i < count; i++, from++) {
      from += all[from].key == key;
      CHECK(hits[i].key == all[from].key && hits[i].key != key);
    }
  }
  mn_query q = {.k = K};
  count = 44;
  CHECK_REFUSED(&f,
                mn_index_search_like(&f.index, N, &q, hits, &count, &f.arena),
                MN_ERROR_UNKNOWN_KEY);
  q.k = MN_EF_MAX;
  CHECK_REFUSED(&f,
                mn_index_search_like(&f.index, 1, &q, hits, &count, &f.arena),
                MN_ERROR_ARGUMENT);
  CHECK_EQUAL(count, 44);
  /* The last vector on its own is like nothing. */
  fixture lone = fixture_filled("flat,f32", MN_L2, D, kind, 1);
  q.k = K;
  CHECK_OK(mn_index_search_like(&lone.index, 0, &q, hits, &count, &lone.arena));
  CHECK_EQUAL(count, 0);
  fixture_free(&lone);
  fixture_free(&f);
}

/* A slot that is free has another key, be it one that hits may have: 0. */
static void test_diversify_deleted(void) {
  fixture f = fixture_filled("flat,f32", MN_L2, D, "uniform", 3);
  const float query[D] = {0};
  const uint64_t key = 0;
  mn_hit hits[3];
  uint32_t found;
  CHECK_OK(fixture_search(&f, query, 3, 0, hits, &found, NULL));
  CHECK_OK(mn_index_delete(&f.index, &key, 1, NULL));
  CHECK_STATUS(mn_index_diversify(&f.index, hits, found, 1, 0.5f, &f.arena),
               MN_ERROR_UNKNOWN_KEY);
  fixture_free(&f);
}

int main(void) {
  test_diversify_deleted();
  test_within("flat,f32");
  test_within("hnsw16,f32");
  test_within("flat,bits8");
  test_diversify("flat,f32", MN_L2);
  test_diversify("hnsw8,f16", MN_COSINE);
  test_diversify("flat,sq8", MN_IP);
  test_many("flat,f32");
  test_many("hnsw8,sq8");
  test_like("flat,f32", "clustered");
  test_like("flat,bits4", "uniform");
  test_like("hnsw16,f16", "duplicates");
  return test_report();
}
