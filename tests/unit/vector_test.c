/* SPDX-License-Identifier: Apache-2.0 */
/* What an index says about what its encoding lost, and gives back of vectors.
 */
#include "fixture.h"

#include <math.h>

#define D 20u
#define N 80u

static double norm2_of(const float *x) {
  double sum = 0;
  for (uint32_t j = 0; j < D; j++)
    sum += (double)x[j] * x[j];
  return sum;
}

/* |x - y|^2 / |x|^2 of a vector as it is taken, up to 1. */
static double error_of(mn_metric metric, const float *x, const float *y) {
  const double norm2 = norm2_of(x);
  const double scale = metric == MN_COSINE ? sqrt(norm2) : 1;
  double error = 0;
  for (uint32_t j = 0; j < D; j++)
    error += (x[j] / scale - y[j]) * (x[j] / scale - y[j]);
  error /= norm2 / (scale * scale);
  return norm2 > 0 ? fmin(error, 1) : 0;
}

/* Of the encoding alone, whatever refine keeps. */
static double mean_error(fixture *f, const float *rows, uint32_t count) {
  const uint32_t bytes = mn_index_info(&f->index).code_bytes;
  uint8_t *code = malloc(bytes);
  float y[D];
  double sum = 0;
  for (uint32_t i = 0; i < count; i++) {
    const mn_vectors one = {rows + i * D, 1, D};
    CHECK_OK(mn_index_encode(&f->index, &one, code, NULL, &f->arena));
    CHECK_OK(mn_index_decode(&f->index, code, 1, y, &f->arena));
    sum += error_of(f->options.metric, rows + i * D, y);
  }
  free(code);
  return sum / count;
}

static void test_error(const char *spec, mn_metric metric, double least,
                       double most) {
  fixture f = fixture_create(spec, metric, D, N);
  float *rows = fixture_rows("uniform", 0, N, D);
  fixture_train(&f, rows, N);
  CHECK(!(mn_index_info(&f.index).error > 0));
  for (uint32_t n = 0; n < N; n += 20) {
    CHECK_OK(fixture_add(&f, NULL, rows + n * D, 20));
    const double expected = mean_error(&f, rows, n + 20);
    const float error = mn_index_info(&f.index).error;
    CHECK(fabs(error - expected) <= 1e-5 * expected + 1e-9);
  }
  const float error = mn_index_info(&f.index).error;
  if (!(error >= least && error <= most))
    printf("%s, metric %d: error %g\n", spec, metric, (double)error);
  CHECK(error >= least && error <= most);
  /* A refused call adds nothing, and a resize nothing either. */
  rows[D] = NAN;
  CHECK_OK(mn_index_resize(&f.index, 2 * N, &f.arena));
  CHECK_REFUSED(&f, fixture_add(&f, NULL, rows, 2), MN_ERROR_NOT_FINITE);
  CHECK(!(mn_index_info(&f.index).error < error) &&
        !(mn_index_info(&f.index).error > error));
  CHECK_OK(mn_index_verify(&f.index));
  free(rows);
  fixture_free(&f);
}

/* Far outside what was learnt, a vector counts for 1 at most; a vector of
 * zeros for 0. */
static void test_bounds(void) {
  fixture f = fixture_create("flat,sq4", MN_L2, D, 4);
  float rows[4 * D] = {0};
  gen_rows(rows, "uniform", 1, 0, 1, D);
  fixture_train(&f, rows, 1);
  for (uint32_t j = 0; j < D; j++) {
    rows[D + j] = -10 * rows[j];
    rows[2 * D + j] = rows[j] + 0x1p50f;
  }
  CHECK_OK(fixture_add(&f, NULL, rows, 1));
  CHECK(mn_index_info(&f.index).error < 1e-9f);
  CHECK_OK(fixture_add(&f, NULL, rows + D, 1));
  CHECK(fabsf(mn_index_info(&f.index).error - 0.5f) < 1e-6f);
  CHECK_OK(fixture_add(&f, NULL, rows + 2 * D, 1));
  CHECK(fabsf(mn_index_info(&f.index).error - 2.0f / 3) < 1e-6f);
  CHECK_OK(fixture_add(&f, NULL, rows + 3 * D, 1));
  CHECK(fabsf(mn_index_info(&f.index).error - 0.5f) < 1e-6f);
  CHECK_EQUAL(mn_index_info(&f.index).clipped, 3);
  /* A sum of errors that so few vectors cannot have is damage. */
  mn_index index;
  uint64_t sum = 4ull << 31;
  uint8_t *place = f.index.block + 896 + 32;
  memcpy(place, &sum, 8);
  CHECK_OK(mn_index_open(&index, f.index.block, f.index.block_bytes));
  sum++;
  memcpy(place, &sum, 8);
  CHECK_STATUS(mn_index_open(&index, f.index.block, f.index.block_bytes),
               MN_ERROR_CORRUPT);
  fixture_free(&f);
}

static void test_compression(const char *spec, mn_metric metric, double bytes) {
  fixture f = fixture_create(spec, metric, D, 1);
  const mn_info info = mn_index_info(&f.index);
  CHECK(fabs(info.compression - 4 * D / bytes) < 1e-5);
  CHECK_EQUAL(info.code_bytes + info.refine_bytes, (uint32_t)bytes);
  fixture_free(&f);
}

/* --- Reconstruction ------------------------------------------------------- */

/* What comes back is what refine kept of a vector, else what the encoding did;
 * what the transform dropped is 0. */
static void test_reconstruct(mn_metric metric) {
  fixture refined =
      fixture_filled("flat,bits1,refine=f16", metric, D, "uniform", N);
  fixture half = fixture_filled("flat,f16", metric, D, "uniform", N);
  fixture first = fixture_filled("flat,first7,f32", metric, D, "uniform", N);
  fixture turned =
      fixture_filled("hnsw4,hadamard,f32", metric, D, "uniform", N);
  float *rows = fixture_rows("uniform", 0, N, D), a[D], b[D];
  for (uint32_t i = 0; i < N; i++) {
    const float *x = rows + i * D;
    double norm = metric == MN_COSINE ? sqrt(norm2_of(x)) : 1, norm7 = 0;
    CHECK_OK(fixture_reconstruct(&refined, i, a));
    CHECK_OK(fixture_reconstruct(&half, i, b));
    CHECK(!memcmp(a, b, sizeof a));
    CHECK_OK(fixture_reconstruct(&turned, i, a));
    for (uint32_t j = 0; j < D; j++)
      CHECK(fabs(a[j] - x[j] / norm) < 1e-6);
    CHECK_OK(fixture_reconstruct(&first, i, a));
    for (uint32_t j = 0; j < 7; j++)
      norm7 += (double)x[j] * x[j];
    norm7 = metric == MN_COSINE ? sqrt(norm7) : 1;
    for (uint32_t j = 0; j < D; j++)
      CHECK(fabs(a[j] - (j < 7 ? x[j] / norm7 : 0)) < 1e-6);
  }
  mn_arena none = turned.arena;
  none.capacity = none.used;
  a[0] = 99;
  CHECK_REFUSED(&turned, mn_index_reconstruct(&turned.index, 3, a, D, &none),
                MN_ERROR_ARENA);
  CHECK_REFUSED(&turned, mn_index_reconstruct(&turned.index, 3, a, D, NULL),
                MN_ERROR_ARGUMENT);
  CHECK(a[0] == 99);
  free(rows);
  fixture_free(&refined);
  fixture_free(&half);
  fixture_free(&first);
  fixture_free(&turned);
}

/* Nothing remains of a vector: under cosine it is refused, and says which. */
static void test_nothing_left(void) {
  fixture f = fixture_create("flat,first4,f32", MN_COSINE, D, 3);
  float rows[2 * D] = {1};
  uint32_t bad = 77, found = 66;
  rows[D + 4] = 1;
  const mn_vectors two = {rows, 2, D};
  mn_hit hit;
  CHECK_REFUSED(&f, mn_index_add(&f.index, NULL, &two, &bad, &f.arena),
                MN_ERROR_ZERO_VECTOR);
  CHECK_EQUAL(bad, 1);
  CHECK_OK(fixture_add(&f, NULL, rows, 1));
  CHECK_REFUSED(&f, fixture_search(&f, rows + D, 1, 0, &hit, &found, NULL),
                MN_ERROR_ZERO_VECTOR);
  CHECK_EQUAL(found, 66);
  fixture_free(&f);
}

int main(void) {
  /* Around what a grid of so many steps loses on uniform numbers: for a step h,
   * h^2 / 12 of 1/3; codebooks and rotations by what was seen. */
  static const struct {
    const char *spec;
    double least, most;
  } cases[] = {
      {"flat,f32", 0, 1e-12},
      {"flat,f16", 1e-8, 1e-6},
      {"flat,bf16", 1e-6, 1e-5},
      {"hnsw4,sq8", 2e-6, 4e-5},
      {"flat,sq6", 3e-5, 6e-4},
      {"flat,sq4", 1e-3, 9e-3},
      {"flat,bits1", 0.2, 0.8},
      {"flat,bits2", 0.05, 0.2},
      {"hnsw4,bits4", 3e-3, 2e-2},
      {"flat,bits8", 1e-5, 3e-4},
      {"flat,first10,f32", 0.4, 0.6},
      {"flat,pca20,f32", 0, 1e-9},
      {"flat,hadamard,f32", 0, 1e-9},
      {"flat,pq5x4", 0.1, 0.4},
      {"flat,prq5x4x3", 0.002, 0.04},
      {"flat,pq5x4+c", 0.1, 0.4},
      {"flat,bits1,refine=f32", 0.2, 0.8},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++)
      test_error(cases[i].spec, metric, cases[i].least, cases[i].most);
  test_bounds();
  test_compression("flat,f32", MN_L2, 80);
  test_compression("flat,bits1", MN_L2, 7);
  test_compression("flat,pq5x4", MN_IP, 3);
  test_compression("flat,bits8,refine=f16", MN_COSINE, 30 + 40);
  test_compression("flat,first7,sq8", MN_IP, 7);
  test_compression("flat,sign", MN_HAMMING, 3);
  for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++)
    test_reconstruct(metric);
  test_nothing_left();
  return test_report();
}
