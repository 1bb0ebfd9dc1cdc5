/* SPDX-License-Identifier: Apache-2.0 */
/* A flat search against plain arithmetic in double precision. */
#include "fixture.h"

#include <math.h>

#define N 400u
#define Q 6u

typedef struct truth {
  double distance, slack; /* slack bounds the error of the float distance */
} truth;

/* The distance of a query to a decoded vector. A float sum of d terms errs by
 * less than d 2^-24 of the sum of magnitudes; an sq8 query's weights are
 * rounded to 1/32767 of the largest, so a code of up to 128 steps errs by up to
 * half of that product, in every dimension. */
static truth measure(const mn_options *o, const float *query, const float *row,
                     double range) {
  double norm = 0, dot = 0, l2 = 0, magnitude = 0, widest = 0;
  for (uint32_t j = 0; j < o->dimensions; j++)
    norm += (double)query[j] * query[j];
  norm = o->metric == MN_COSINE ? sqrt(norm) : 1;
  for (uint32_t j = 0; j < o->dimensions; j++) {
    double q = query[j] / norm, x = row[j];
    dot += q * x;
    l2 += (q - x) * (q - x);
    magnitude += o->metric == MN_L2 ? q * q + x * x : fabs(q * x);
    widest = fmax(widest, o->metric == MN_L2 ? fabs(q) + range : fabs(q));
  }
  double d = o->dimensions;
  truth t = {o->metric == MN_L2   ? l2
             : o->metric == MN_IP ? -dot
                                  : 1 - dot,
             (d + 4) * 0x1p-23 * (magnitude + 1)};
  if (o->encoding == MN_SQ8)
    t.slack += d * widest * range * (128.0 / 255 / 32767 + 0x1p-22);
  return t;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The hits are sorted, distinct, as near as they say, and none that was left
 * out is nearer than the last by more than the slack. */
static void check_hits(const fixture *f, const mn_hit *hits, uint32_t found,
                       const truth *truths) {
  static double sorted[N];
  for (uint32_t i = 0; i < N; i++)
    sorted[i] = truths[i].distance;
  qsort(sorted, N, sizeof *sorted, ascending);
  for (uint32_t i = 0; i < found; i++) {
    uint32_t slot = hits[i].slot;
    CHECK(slot < N && hits[i].key == gen_key(slot));
    if (slot >= N)
      return;
    CHECK(fabs(hits[i].distance - truths[slot].distance) <= truths[slot].slack);
    CHECK(truths[slot].distance <= sorted[i] + 2 * truths[slot].slack);
    if (i > 0)
      CHECK(hits[i - 1].distance < hits[i].distance ||
            (hits[i - 1].distance <= hits[i].distance &&
             hits[i - 1].key < hits[i].key));
  }
  (void)f;
}

static void test_naive(const char *spec, mn_metric metric, uint32_t dimensions,
                       const char *kind) {
  static truth truths[N];
  static mn_hit hits[N + 5];
  fixture f = fixture_create(spec, metric, dimensions, N);
  float *rows = fixture_rows(kind, 0, N + Q, dimensions), *row;
  uint64_t keys[N];
  row = malloc(dimensions * sizeof *row);
  for (uint32_t i = 0; i < N; i++)
    keys[i] = gen_key(i);
  fixture_train(&f, rows, N);
  CHECK_OK(fixture_add(&f, keys, rows, N));
  for (uint32_t q = 0; q < Q; q++) {
    const float *query = rows + (size_t)(N + q) * dimensions;
    for (uint32_t i = 0; i < N; i++) {
      CHECK_OK(fixture_reconstruct(&f, keys[i], row));
      truths[i] = measure(&f.options, query, row, 2);
    }
    uint32_t wanted = q == 0 ? 1 : q == 1 ? N : q == 2 ? N + 5 : 10;
    uint32_t found = 0;
    mn_stats stats;
    CHECK_OK(fixture_search(&f, query, wanted, 0, hits, &found, &stats));
    CHECK_EQUAL(found, wanted < N ? wanted : N);
    CHECK(stats.distances == N && stats.hops == 0 && stats.exact == 1);
    check_hits(&f, hits, found, truths);
  }
  free(rows);
  free(row);
  fixture_free(&f);
}

/* Equal distances come in ascending key, whichever way they went in. */
static void test_ties(const char *spec) {
  enum { COUNT = 90 };
  fixture f = fixture_create(spec, MN_L2, 2, COUNT);
  float rows[2 * COUNT];
  uint64_t keys[COUNT];
  mn_hit hits[COUNT];
  uint32_t found = 0;
  for (uint32_t i = 0; i < COUNT; i++) {
    rows[2 * i] = (float)(i % 3);
    rows[2 * i + 1] = 0;
    keys[i] = (uint64_t)(i * 37 % COUNT) << 33;
  }
  CHECK_OK(fixture_add(&f, keys, rows, COUNT));
  static const float query[2] = {0, 0};
  CHECK_OK(fixture_search(&f, query, COUNT, 0, hits, &found, NULL));
  CHECK_EQUAL(found, COUNT);
  for (uint32_t i = 0; i < found; i++) {
    float expected = (float)(i / 30);
    CHECK(hits[i].distance == expected * expected);
    if (i % 30)
      CHECK(hits[i].key > hits[i - 1].key);
  }
  /* A cut through equal distances keeps the lowest keys; a graph may not reach
   * them all. */
  mn_hit some[45];
  CHECK_OK(fixture_search(&f, query, 45, 0, some, &found, NULL));
  CHECK_EQUAL(found, 45);
  for (uint32_t i = 0; i < 45 && f.options.structure == MN_FLAT; i++)
    CHECK_EQUAL(some[i].key, hits[i].key);
  fixture_free(&f);
}

/* The filter's bits say which slots are hits, and how many distances. */
static void test_filter(const char *spec) {
  enum { COUNT = 100 };
  fixture f = fixture_filled(spec, MN_L2, 4, "uniform", COUNT);
  static const float query[4] = {0};
  mn_hit all[COUNT], hits[COUNT];
  uint32_t found = 0;
  uint32_t filter[4] = {0xffffffff, 0xffffffff, 0xffffffff, 0xf};
  mn_stats stats;
  mn_query q = {.vector = query,
                .dimensions = 4,
                .k = COUNT,
                .filter = filter,
                .stats = &stats};
  CHECK_OK(mn_index_search(&f.index, &q, all, &found, &f.arena));
  CHECK(found == COUNT && stats.distances == COUNT && stats.exact == 1);
  for (uint32_t percent = 0; percent <= 100; percent += 20) {
    gen_filter(filter, 3, COUNT, percent);
    filter[3] |= 0xfffffff0; /* past the last slot: no meaning */
    CHECK_OK(mn_index_search(&f.index, &q, hits, &found, &f.arena));
    uint32_t expected = 0;
    for (uint32_t i = 0; i < COUNT; i++)
      if (filter[all[i].slot / 32] >> all[i].slot % 32 & 1)
        CHECK(expected < found && hits[expected++].key == all[i].key);
    CHECK_EQUAL(found, expected);
    CHECK_EQUAL(stats.distances, expected);
    CHECK_EQUAL(stats.exact, 1);
  }
  fixture_free(&f);
}

static void test_empty(const char *spec) {
  fixture f = fixture_create(spec, MN_COSINE, 3, 10);
  static const float query[3] = {1, 2, 3};
  mn_hit hits[10];
  uint32_t found = 5;
  mn_stats stats = {.distances = 9, .hops = 9};
  CHECK_OK(fixture_search(&f, query, 10, 0, hits, &found, &stats));
  CHECK_EQUAL(found, 0);
  CHECK(stats.distances == 0 && stats.hops == 0 && stats.exact == 1);
  CHECK_OK(mn_index_verify(&f.index));
  fixture_free(&f);
}

int main(void) {
  static const char *const specs[] = {"flat,f32", "flat,f16", "flat,bf16",
                                      "flat,sq8"};
  static const char *const kinds[] = {"uniform", "clustered", "integers",
                                      "sparse"};
  for (unsigned s = 0; s < 4; s++)
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
      test_naive(specs[s], metric, 3, "clustered");
      test_naive(specs[s], metric, 100, kinds[s]);
      test_naive(specs[s], metric, 257, "uniform");
    }
  test_ties("flat,f32");
  test_ties("hnsw4,f32");
  test_ties("hnsw16,bf16");
  test_filter("flat,f32");
  test_filter("hnsw4,f16");
  test_filter("hnsw16,sq8");
  test_empty("flat,f32");
  test_empty("hnsw4,f16");
  return test_report();
}
