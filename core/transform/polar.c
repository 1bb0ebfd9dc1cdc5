/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The orthogonal polar factor by Newton and Schulz's iteration (Higham,
 * Functions of Matrices, 2008, section 8.3),
 *   X <- 3/2 X - 1/2 X X' X:
 * each singular value s becomes (3 s - s^3) / 2, which tends to 1 from anywhere
 * between 0 and the root of 3. It needs products only, so that the kernels do
 * the work and rounding errors heal.
 *
 * Small values grow by half in a step. While all are known to lie between l and
 * 1, scaling X first by r = sqrt(3 / (1 + l + l^2)), for which l and 1 become
 * the same, lets them grow 2.6 times (Chen and Chow, "A stable scaling of
 * Newton-Schulz", 2014).
 */
#include "polar.h"
#include "axes.h"

#include "../bytes.h"
#include "../root.h"

/* The l to begin with, and steps that suffice for it and for what is smaller
 * than allowed: 15 with r, 10 without. */
#define SMALLEST  0x1p-16f
#define STEPS_MAX 30u

/* No singular value is above the root of the largest sum of magnitudes along a
 * row times the largest along a column. */
static float bound(const float *x, uint32_t n, float *sums) {
  float along_row = 0.0f, along_column = 0.0f;
  mn_zero(sums, n * sizeof *sums);
  for (uint32_t i = 0; i < n; i++) {
    float sum = 0.0f;
    for (uint32_t j = 0; j < n; j++) {
      const float magnitude = mn_magnitude(x[(size_t)i * n + j]);
      sum += magnitude;
      sums[j] += magnitude;
    }
    along_row = sum > along_row ? sum : along_row;
  }
  for (uint32_t j = 0; j < n; j++)
    along_column = sums[j] > along_column ? sums[j] : along_column;
  return mn_root(along_row) * mn_root(along_column);
}

static void turn(const float *matrix, uint32_t n, float *turned) {
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < n; j++)
      turned[(size_t)j * n + i] = matrix[(size_t)i * n + j];
}

/* products = X X', and how far at most an entry is from the unit matrix's; NaN
 * where one is. */
static float multiply(const mn_kernels *kernels, const float *x, uint32_t n,
                      float *products) {
  float worst = 0.0f;
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j <= i; j++) {
      const float dot =
          kernels->dot_f32(x + (size_t)i * n, x + (size_t)j * n, n);
      products[(size_t)i * n + j] = products[(size_t)j * n + i] = dot;
      const float off = mn_magnitude(dot - (i == j ? 1.0f : 0.0f));
      if (!(off <= worst) && worst == worst)
        worst = off;
    }
  return worst;
}

/* X <- a X - b X X' X */
static void step(const mn_kernels *kernels, float a, float b, float *x,
                 uint32_t n, float *turned, const float *products) {
  turn(x, n, turned);
  for (uint32_t i = 0; i < n; i++) {
    float *row = x + (size_t)i * n;
    for (uint32_t j = 0; j < n; j++)
      row[j] = a * row[j] - b * kernels->dot_f32(products + (size_t)i * n,
                                                 turned + (size_t)j * n, n);
  }
}

int mn_polar(const mn_kernels *kernels, float *matrix, uint32_t n,
             float *turned, float *products) {
  const float most = bound(matrix, n, turned);
  if (!(most > 0.0f))
    return 0;
  for (size_t i = 0; i < (size_t)n * n; i++)
    matrix[i] /= most;
  float l = SMALLEST;
  for (uint32_t t = 0; t < STEPS_MAX; t++) {
    const float off = multiply(kernels, matrix, n, products);
    /* Near the end no scaling is as good as the right one. */
    const float r2 = off < 0.25f ? 1.0f : 3.0f / (1.0f + l + l * l);
    const float r = mn_root(r2);
    step(kernels, 1.5f * r, 0.5f * r * r2, matrix, n, turned, products);
    l = 0.5f * r * l * (3.0f - r2 * l * l);
    /* A step squares the distance: nothing is left of this but rounding. */
    if (off < 0x1p-12f)
      return 1;
  }
  return 0;
}
