/* SPDX-License-Identifier: Apache-2.0 */
/* Products of rows in double, and maps by themselves. */
#ifndef MATRIX_H
#define MATRIX_H

#include "../../core/kernels/kernels.h"
#include "../../core/transform/transform.h"
#include "fixture.h"

#include <math.h>

static inline double dot(const float *a, const float *b, uint32_t n) {
  double sum = 0;
  for (uint32_t i = 0; i < n; i++)
    sum += (double)a[i] * b[i];
  return sum;
}

/* How far n rows of d components are from orthonormal: the largest error of a
 * product. */
static inline double skew(const float *rows, uint32_t n, uint32_t d) {
  double worst = 0;
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j <= i; j++) {
      double error = fabs(dot(rows + i * d, rows + j * d, d) - (i == j));
      worst = error > worst ? error : worst;
    }
  return worst;
}

/* With room for a model, untrained. */
static inline mn_map map_of(const mn_transform_ops *ops, uint32_t from,
                            uint32_t to) {
  mn_map map = {.ops = ops, .kernels = &mn_kernels_c, .from = from, .to = to};
  if (ops != NULL && ops->model_bytes != NULL) {
    CHECK_EQUAL(ops->model_bytes(from, to) % MN_ALIGNMENT, 0);
    map.model = calloc(1, (size_t)ops->model_bytes(from, to));
  }
  return map;
}

#endif
