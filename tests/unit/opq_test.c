/* SPDX-License-Identifier: Apache-2.0 */
/* The polar factor, and the rotation that opq learns. What the latter gains is
 * tests/parity's to say. */
#include "../../core/transform/polar.h"
#include "matrix.h"

/* --- Polar factor --------------------------------------------------------- */

/* A = U H: U is orthogonal, H = U'A symmetric, and no x has x'H x < 0. */
static void test_polar(uint32_t n, float scale, float steep) {
  const size_t bytes = (size_t)n * n * sizeof(float);
  float *a = fixture_rows("uniform", 0, n, n),
        *x = fixture_rows("uniform", n, 8, n);
  float *u = malloc(bytes), *turned = malloc(bytes), *products = malloc(bytes);
  double *h = calloc((size_t)n * n, sizeof *h), largest = 0;
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < n; j++)
      a[i * n + j] *= scale * powf(steep, (float)i / (float)n);
  memcpy(u, a, bytes);
  CHECK(mn_polar(&mn_kernels_c, u, n, turned, products));
  CHECK(skew(u, n, n) < 1e-5);
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < n; j++) {
      for (uint32_t k = 0; k < n; k++)
        h[i * n + j] += (double)u[k * n + i] * a[k * n + j];
      largest = fmax(largest, fabs(h[i * n + j]));
    }
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < i; j++)
      CHECK(fabs(h[i * n + j] - h[j * n + i]) < 1e-5 * largest);
  for (uint32_t q = 0; q < 8; q++) {
    double form = 0;
    for (uint32_t i = 0; i < n; i++)
      for (uint32_t j = 0; j < n; j++)
        form += x[q * n + i] * h[i * n + j] * x[q * n + j];
    CHECK(form > 0);
  }
  free(a), free(x), free(u), free(turned), free(products), free(h);
}

/* `row`: which has the value; N: all. */
static void test_no_polar(float value, uint32_t row) {
  enum { N = 6 };
  float turned[N * N], products[N * N];
  float *a = fixture_rows("uniform", 0, N, N);
  for (uint32_t i = 0; i < N * N; i++)
    if (row == N || i / N == row)
      a[i] = value;
  CHECK(!mn_polar(&mn_kernels_c, a, N, turned, products));
  free(a);
}

/* --- Rotation ------------------------------------------------------------- */

#define D 12u
#define N 300u

typedef enum shape { FULL, FLAT, STEEP, EQUAL, NOTHING, SHAPES } shape;

/* Whatever the sample, the axes are orthonormal: where it says nothing, too. */
static void test_rotation(const char *spec, shape kind, float scale) {
  fixture f = fixture_create(spec, MN_L2, D, 1);
  float *rows = fixture_rows("uniform", 0, N, D);
  for (uint32_t i = 0; i < N; i++)
    for (uint32_t j = 0; j < D; j++) {
      float *x = rows + i * D + j;
      *x *= kind == NOTHING || (kind == FLAT && j % 3 > 0) ? 0 : scale;
      *x *= kind == STEEP ? powf(10, -(float)j) : 1;
      *x = kind == EQUAL ? rows[j] : *x;
    }
  fixture_train(&f, rows, N);
  size_t bytes;
  const float *axes =
      (void *)fixture_section(&f, MN_SECTION('M', 'O', 'D', 'L'), &bytes);
  CHECK(bytes >= D * D * sizeof *axes);
  CHECK(skew(axes, D, D) < 1e-5);
  free(rows);
  fixture_free(&f);
}

int main(void) {
  const uint32_t sizes[] = {1, 2, 3, 17, 64};
  for (unsigned i = 0; i < 5; i++) {
    test_polar(sizes[i], 1, 1);
    test_polar(sizes[i], 0x1p-30f, 1);
    test_polar(sizes[i], 0x1p30f, 1);
    test_polar(sizes[i], 1, 1e-3f);
  }
  test_no_polar(0, 6);
  test_no_polar(0, 2);
  test_no_polar(NAN, 3);
  test_no_polar(INFINITY, 6);
  for (shape kind = FULL; kind < SHAPES; kind++) {
    test_rotation("flat,opq,pq3x4", kind, 1);
    test_rotation("flat,opq,pq6x4+c", kind, 0x1p50f);
    test_rotation("flat,opq,prq4x3x2", kind, 0x1p-60f);
  }
  return test_report();
}
