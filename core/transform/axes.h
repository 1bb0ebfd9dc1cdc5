/* SPDX-License-Identifier: Apache-2.0 */
/* Orthonormal axes as rows of the model: what pca and opq have in common. */
#ifndef MN_AXES_H
#define MN_AXES_H

#include "transform.h"

static inline float *mn_axis(const mn_map *map, uint32_t i) {
  return (float *)(void *)map->model + (size_t)i * map->from;
}

static inline float mn_magnitude(float x) {
  return x < 0.0f ? -x : x;
}

/* As mn_transform_ops wants them. */
uint64_t mn_axes_bytes(uint32_t from, uint32_t to);
void mn_axes_apply(const mn_map *map, const float *vector, float *mapped);
void mn_axes_invert(const mn_map *map, const float *mapped, float *vector);
int mn_axes_are_sound(const mn_map *map);

/* --- For training --------------------------------------------------------- */

/* NULL where they do not fit, be it into size_t. */
float *mn_floats(mn_arena *scratch, uint64_t count);

/* Rows whose products are summed in one call of a kernel. */
#define MN_ROWS_BLOCK 256u

/* The largest component of all, or 1 where all are 0. Divided by that, squares
 * neither overflow nor vanish, and sums of them are not below 1. */
float mn_rows_divisor(const float *rows, uint32_t count, uint32_t d);

/* Turns the block of rows from `begin` on its side, divided by `divisor`:
 * component j of its row i goes to columns[j * MN_ROWS_BLOCK + i]. Gives how
 * many rows there are. A sum over rows is then one along two columns. */
uint32_t mn_turn_rows(const float *rows, uint32_t begin, uint32_t count,
                      uint32_t d, float divisor, float *columns);

/* The lower triangle of the sum of x x' over the rows, divided by the square of
 * their mn_rows_divisor. `columns` has room for a block. */
void mn_sum_moments(const struct mn_kernels *kernels, const float *rows,
                    uint32_t count, uint32_t d, float *columns, float *matrix);

/* Which of the values is the largest; of equals, the first. */
uint32_t mn_strongest(const float *values, uint32_t d);

#endif
