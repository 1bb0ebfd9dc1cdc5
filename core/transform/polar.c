/* SPDX-License-Identifier: Apache-2.0 */
#include "polar.h"
#include "axes.h"

#define STEPS_MAX 60u

static void turn(const float *matrix, uint32_t n, float *turned) {
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < n; j++)
      turned[(size_t)j * n + i] = matrix[(size_t)i * n + j];
}

/* products = X X', and how far at most an entry is from the unit matrix's. */
static float multiply(const mn_kernels *kernels, const float *x, uint32_t n,
                      float *products) {
  float worst = 0.0f;
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j <= i; j++) {
      const float dot =
          kernels->dot_f32(x + (size_t)i * n, x + (size_t)j * n, n);
      products[(size_t)i * n + j] = products[(size_t)j * n + i] = dot;
      const float off = mn_magnitude(dot - (i == j ? 1.0f : 0.0f));
      worst = off > worst ? off : worst;
    }
  return worst;
}

/* Newton and Schulz's iteration, X <- 3/2 X - 1/2 X X' X (Higham, Functions of
 * Matrices, 2008, section 8.3): each singular value s becomes (3 s - s^3) / 2,
 * which tends to 1 from anywhere between 0 and the root of 3. It needs products
 * only, so that the kernels do the work and rounding errors heal. */
void mn_polar(const mn_kernels *kernels, float *matrix, uint32_t n,
              float *turned, float *products) {
  float norm2 = 0.0f;
  for (uint32_t i = 0; i < n; i++)
    norm2 +=
        kernels->dot_f32(matrix + (size_t)i * n, matrix + (size_t)i * n, n);
  const float scale = 1.7f / __builtin_sqrtf(norm2);
  for (size_t i = 0; i < (size_t)n * n; i++)
    matrix[i] *= scale;
  for (uint32_t step = 0; step < STEPS_MAX; step++) {
    if (multiply(kernels, matrix, n, products) < 4e-6f)
      return;
    turn(matrix, n, turned);
    for (uint32_t i = 0; i < n; i++) {
      float *row = matrix + (size_t)i * n;
      for (uint32_t j = 0; j < n; j++)
        row[j] =
            1.5f * row[j] - 0.5f * kernels->dot_f32(products + (size_t)i * n,
                                                    turned + (size_t)j * n, n);
    }
  }
}
