/* SPDX-License-Identifier: Apache-2.0 */
/* Eigenvectors and principal axes, against Jacobi's method in double. */
#include "../../core/arena.h"
#include "../../core/transform/eigen.h"
#include "matrix.h"

/* --- Eigenvectors --------------------------------------------------------- */

/* Jacobi's method in double (Golub and Van Loan, section 8.5.2): slow, simple.
 * The eigenvalues, largest first. */
static void jacobi(double *a, uint32_t n, double *values) {
  for (unsigned sweep = 0; sweep < 30; sweep++)
    for (uint32_t p = 0; p < n; p++)
      for (uint32_t q = p + 1; q < n; q++) {
        const double angle =
            atan2(2 * a[p * n + q], a[q * n + q] - a[p * n + p]) / 2;
        const double c = cos(angle), s = sin(angle);
        for (uint32_t k = 0; k < n; k++) {
          const double x = a[k * n + p], y = a[k * n + q];
          a[k * n + p] = c * x - s * y;
          a[k * n + q] = s * x + c * y;
        }
        for (uint32_t k = 0; k < n; k++) {
          const double x = a[p * n + k], y = a[q * n + k];
          a[p * n + k] = c * x - s * y;
          a[q * n + k] = s * x + c * y;
        }
      }
  for (uint32_t i = 0; i < n; i++) {
    uint32_t at = i;
    for (; at > 0 && values[at - 1] < a[i * n + i]; at--)
      values[at] = values[at - 1];
    values[at] = a[i * n + i];
  }
}

static int descending(const void *a, const void *b) {
  const float x = *(const float *)a, y = *(const float *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

/* Rows whose sum of products is the matrix: of full rank, of a third of it,
 * with dimensions that never vary, with strengths from 1 down to 1e-12. */
typedef enum shape { FULL, DEFICIENT, DEAD, STEEP, NOTHING, SHAPES } shape;

static float *shaped_rows(shape kind, uint32_t count, uint32_t d) {
  float *rows = fixture_rows("uniform", 0, count, d);
  for (uint32_t i = 0; i < count; i++)
    for (uint32_t j = 0; j < d; j++) {
      float *x = rows + (size_t)i * d + j;
      if (kind == DEFICIENT && i > d / 3)
        *x = rows[(size_t)(i % (d / 3 + 1)) * d + j];
      if (kind == NOTHING || (kind == DEAD && j % 3 > 0))
        *x = 0;
      if (kind == STEEP)
        *x *= (float)pow(10, -12.0 * j / d);
    }
  return rows;
}

static void test_eigen(shape kind, uint32_t n) {
  const uint32_t count = 2 * n;
  float *rows = shaped_rows(kind, count, n);
  float *a = calloc((size_t)n * n, sizeof *a);
  float *vectors = calloc((size_t)n * n, sizeof *vectors);
  double *b = calloc((size_t)n * n, sizeof *b);
  float *values = malloc(n * sizeof *values), *work = malloc(n * sizeof *work);
  double *expected = malloc(n * sizeof *expected);
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < n; j++) {
      for (uint32_t k = 0; k < count; k++)
        b[i * n + j] += (double)rows[k * n + i] * rows[k * n + j] / count;
      a[i * n + j] = (float)b[i * n + j];
      vectors[i * n + j] = j <= i ? a[i * n + j] : NAN;
    }
  mn_eigen(&mn_kernels_c, vectors, n, values, work);
  CHECK(skew(vectors, n, n) < 1e-5);
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < n; j++) {
      const float *vector = vectors + i * n;
      CHECK(fabs(dot(a + j * n, vector, n) - (double)values[i] * vector[j]) <
            1e-5);
    }
  jacobi(b, n, expected);
  qsort(values, n, sizeof *values, descending);
  for (uint32_t i = 0; i < n; i++)
    CHECK(fabs(values[i] - expected[i]) < 1e-5);
  free(rows), free(a), free(vectors), free(b), free(values), free(work);
  free(expected);
}

/* --- pca ------------------------------------------------------------------ */

/* Trains in exactly the memory that planning says. */
static mn_status train(mn_map *map, const float *rows, uint32_t count) {
  mn_arena plan = mn_arena_measuring();
  CHECK_OK(map->ops->train(map, NULL, NULL, count, &plan));
  uint8_t *memory = malloc(plan.used + MN_ALIGNMENT);
  uint8_t *aligned = memory + (0u - (uintptr_t)memory) % MN_ALIGNMENT;
  mn_arena shorter = mn_arena_over(aligned, plan.used - 1);
  CHECK_STATUS(map->ops->train(map, NULL, rows, count, &shorter),
               MN_ERROR_ARENA);
  mn_arena exact = mn_arena_over(aligned, plan.used);
  const mn_status status = map->ops->train(map, NULL, rows, count, &exact);
  free(memory);
  return status;
}

static const float *axes_of(const mn_map *map) {
  return (const void *)map->model;
}

/* The axes are orthonormal, the strongest come first, their largest component
 * is positive; and they drop as little as any axes can. */
static void test_pca_axes(shape kind, uint32_t d, uint32_t kept) {
  const uint32_t count = 300;
  float *rows = shaped_rows(kind, count, d);
  mn_map map = map_of(&mn_transform_pca, d, kept);
  CHECK_OK(train(&map, rows, count));
  CHECK(map.ops->model_is_sound(&map));
  const float *axes = axes_of(&map);
  CHECK(skew(axes, kept, d) < 1e-5);
  float *mapped = malloc(kept * sizeof *mapped),
        *back = malloc(d * sizeof *back);
  double *energy = calloc(kept, sizeof *energy), all = 0, dropped = 0;
  for (uint32_t i = 0; i < count; i++) {
    const float *row = rows + (size_t)i * d;
    CHECK_OK(mn_map_apply(&map, MN_L2, row, mapped));
    map.ops->invert(&map, mapped, back);
    double lost = 0;
    for (uint32_t j = 0; j < d; j++)
      lost += ((double)row[j] - back[j]) * ((double)row[j] - back[j]);
    /* What is dropped is what the length lacks. */
    const double norm2 = dot(row, row, d);
    CHECK(fabs(norm2 - dot(mapped, mapped, kept) - lost) <= 2e-6 * norm2);
    all += norm2;
    dropped += lost;
    for (uint32_t j = 0; j < kept; j++)
      energy[j] += (double)mapped[j] * mapped[j];
  }
  double *b = calloc((size_t)d * d, sizeof *b);
  double *values = malloc(d * sizeof *values), least = 0;
  for (uint32_t i = 0; i < d; i++)
    for (uint32_t j = 0; j < d; j++)
      for (uint32_t k = 0; k < count; k++)
        b[i * d + j] += (double)rows[k * d + i] * rows[k * d + j];
  jacobi(b, d, values);
  for (uint32_t j = kept; j < d; j++)
    least += values[j];
  CHECK(dropped >= least - 1e-5 * all && dropped <= least + 1e-5 * all);
  for (uint32_t j = 0; j < kept; j++) {
    CHECK(fabs(energy[j] - values[j]) <= 1e-5 * all);
    double largest = 0;
    for (uint32_t k = 0; k < d; k++)
      if (fabs(axes[j * d + k]) > fabs(largest))
        largest = axes[j * d + k];
    CHECK(largest > 0);
  }
  free(rows), free(map.model), free(mapped), free(back), free(energy);
  free(b), free(values);
}

/* With all axes kept it is a rotation; magnitude is no obstacle. */
static void test_pca_keeps_distances(float factor) {
  enum { D = 29, COUNT = 1000, COMPARED = 60 };
  float *rows = fixture_rows("clustered", 0, COUNT, D);
  for (uint32_t i = 0; i < COUNT * D; i++)
    rows[i] *= factor;
  mn_map map = map_of(&mn_transform_pca, D, D);
  CHECK_OK(train(&map, rows, COUNT));
  CHECK(skew(axes_of(&map), D, D) < 1e-5);
  float mapped[COMPARED][D];
  for (uint32_t i = 0; i < COMPARED; i++)
    CHECK_OK(mn_map_apply(&map, MN_IP, rows + i * D, mapped[i]));
  for (uint32_t i = 0; i < COMPARED; i++)
    for (uint32_t j = 0; j < i; j++) {
      double before = 0, after = 0;
      for (uint32_t k = 0; k < D; k++) {
        before += pow((double)rows[i * D + k] - rows[j * D + k], 2);
        after += pow((double)mapped[i][k] - mapped[j][k], 2);
      }
      const double size = dot(rows + i * D, rows + i * D, D) +
                          dot(rows + j * D, rows + j * D, D);
      CHECK(fabs(before - after) < 1e-5 * size);
    }
  /* The first axis is the strongest, whatever the magnitude. */
  double energy[2] = {0};
  for (uint32_t i = 0; i < COMPARED; i++)
    for (uint32_t j = 0; j < 2; j++)
      energy[j] += pow((double)mapped[i][j * (D - 1)] / factor, 2);
  CHECK(energy[0] > 20 * energy[1]);
  free(rows), free(map.model);
}

static void test_pca_sample(void) {
  const mn_map map = {.from = 512, .to = 128};
  uint32_t least = 0, enough = 0;
  mn_transform_pca.sample(&map, &least, &enough);
  CHECK_EQUAL(least, 128);
  CHECK(enough >= least);
}

/* Axes that would make a vector longer are damage. */
static void test_pca_soundness(void) {
  enum { D = 20, KEPT = 6 };
  float *rows = fixture_rows("uniform", 0, 50, D);
  mn_map map = map_of(&mn_transform_pca, D, KEPT);
  CHECK(!map.ops->model_is_sound(&map));
  CHECK_OK(train(&map, rows, 50));
  CHECK(map.ops->model_is_sound(&map));
  float *axes = (void *)map.model;
  float kept[KEPT * D];
  memcpy(kept, axes, sizeof kept);
  static const float wrong[] = {NAN, INFINITY, -INFINITY, 1e30f, 2};
  for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    axes[KEPT * D - 1] = wrong[i];
    CHECK(!map.ops->model_is_sound(&map));
    memcpy(axes, kept, sizeof kept);
  }
  memcpy(axes + D, axes, D * sizeof *axes); /* twice the same */
  CHECK(!map.ops->model_is_sound(&map));
  free(rows), free(map.model);
}

/* --- In an index ---------------------------------------------------------- */

/* pca says how many vectors it wants, and refuses fewer. */
static void test_too_few(void) {
  enum { D = 24, KEPT = 10 };
  fixture f = fixture_create("flat,pca10,f32", MN_L2, D, 50);
  float *rows = fixture_rows("uniform", 0, KEPT, D);
  mn_training training;
  CHECK_OK(mn_plan_training(&f.options, KEPT, &training));
  CHECK_EQUAL(training.least, KEPT);
  mn_vectors sample = {rows, KEPT - 1, D};
  CHECK_REFUSED(&f, mn_index_train(&f.index, &sample, &f.arena),
                MN_ERROR_SAMPLE);
  CHECK_REFUSED(&f, fixture_add(&f, NULL, rows, 1), MN_ERROR_UNTRAINED);
  sample.count = KEPT;
  CHECK_OK(mn_index_train(&f.index, &sample, &f.arena));
  CHECK_OK(fixture_add(&f, NULL, rows, KEPT));
  free(rows);
  fixture_free(&f);
}

/* Whatever numbers stand in the model, a search ends, and verify objects. */
static void test_damaged_model(mn_metric metric) {
  enum { D = 24, COUNT = 50 };
  static const uint32_t damage[] = {0x7fc00000u, 0x7f800000u, 0xff7fffffu,
                                    0xffffffffu, 0x00000001u};
  fixture f = fixture_create("flat,pca10,sq8", metric, D, COUNT);
  float *rows = fixture_rows("uniform", 0, COUNT, D);
  fixture_train(&f, rows, COUNT);
  CHECK_OK(fixture_add(&f, NULL, rows, COUNT));
  for (unsigned i = 0; i < sizeof damage / sizeof *damage; i++) {
    size_t bytes;
    uint8_t *model =
        fixture_section(&f, MN_SECTION('M', 'O', 'D', 'L'), &bytes);
    for (size_t at = 0; at + 4 <= bytes; at += 4)
      memcpy(model + at, &damage[i], 4);
    mn_hit hits[5];
    uint32_t found;
    const mn_status status = fixture_search(&f, rows, 5, 0, hits, &found, NULL);
    CHECK(status == MN_OK || status == MN_ERROR_ZERO_VECTOR);
    CHECK_STATUS(mn_index_verify(&f.index), MN_ERROR_CORRUPT);
  }
  free(rows);
  fixture_free(&f);
}

int main(void) {
  static const uint32_t sizes[] = {1, 2, 3, 10, 47};
  for (shape kind = FULL; kind < SHAPES; kind++) {
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
      test_eigen(kind, sizes[i]);
    test_pca_axes(kind, 33, 33);
    test_pca_axes(kind, 33, 7);
  }
  test_pca_keeps_distances(1);
  test_pca_keeps_distances(0x1p59f);
  test_pca_keeps_distances(0x1p-75f);
  test_pca_sample();
  test_pca_soundness();
  for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++)
    test_damaged_model(metric);
  test_too_few();
  return test_report();
}
