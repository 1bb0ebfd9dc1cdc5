/* SPDX-License-Identifier: Apache-2.0 */
#include "axes.h"
#include "../bytes.h"
#include "../kernels/kernels.h"

uint64_t mn_axes_bytes(uint32_t from, uint32_t to) {
  return mn_round_up(sizeof(float) * (uint64_t)from * to);
}

void mn_axes_apply(const mn_map *map, const float *vector, float *mapped) {
  for (uint32_t i = 0; i < map->to; i++)
    mapped[i] = map->kernels->dot_f32(mn_axis(map, i), vector, map->from);
}

void mn_axes_invert(const mn_map *map, const float *mapped, float *vector) {
  mn_zero(vector, sizeof(float) * map->from);
  for (uint32_t i = 0; i < map->to; i++) {
    const float *axis = mn_axis(map, i);
    for (uint32_t j = 0; j < map->from; j++)
      vector[j] += mapped[i] * axis[j];
  }
}

/* Orthonormal to within 2^-10 a product, so that a vector of 1,024 components
 * becomes no longer than mn_norm2_is_sound allows. O(from to^2). */
int mn_axes_are_sound(const mn_map *map) {
  for (uint32_t i = 0; i < map->to; i++)
    for (uint32_t j = 0; j <= i; j++) {
      const float dot =
          map->kernels->dot_f32(mn_axis(map, i), mn_axis(map, j), map->from);
      if (!(mn_magnitude(dot - (i == j ? 1.0f : 0.0f)) < 0x1p-10f))
        return 0;
    }
  return 1;
}

float *mn_floats(mn_arena *scratch, uint64_t count) {
  return count > SIZE_MAX / sizeof(float)
             ? NULL
             : mn_arena_allocate(scratch, (size_t)count * sizeof(float));
}

float mn_rows_divisor(const float *rows, uint32_t count, uint32_t d) {
  float largest = 0.0f;
  for (size_t i = 0; i < (size_t)count * d; i++)
    largest = mn_magnitude(rows[i]) > largest ? mn_magnitude(rows[i]) : largest;
  return largest > 0.0f ? largest : 1.0f;
}

uint32_t mn_turn_rows(const float *rows, uint32_t begin, uint32_t count,
                      uint32_t d, float divisor, float *columns) {
  const uint32_t left = count - begin;
  const uint32_t n = left < MN_ROWS_BLOCK ? left : MN_ROWS_BLOCK;
  const float *block = rows + (size_t)begin * d;
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < d; j++)
      columns[(size_t)j * MN_ROWS_BLOCK + i] =
          block[(size_t)i * d + j] / divisor;
  return n;
}

void mn_sum_moments(const mn_kernels *kernels, const float *rows,
                    uint32_t count, uint32_t d, float *columns, float *matrix) {
  const float divisor = mn_rows_divisor(rows, count, d);
  mn_zero(matrix, sizeof(float) * d * d);
  for (uint32_t begin = 0; begin < count; begin += MN_ROWS_BLOCK) {
    const uint32_t n = mn_turn_rows(rows, begin, count, d, divisor, columns);
    for (uint32_t j = 0; j < d; j++)
      for (uint32_t k = 0; k <= j; k++)
        matrix[(size_t)j * d + k] +=
            kernels->dot_f32(columns + (size_t)j * MN_ROWS_BLOCK,
                             columns + (size_t)k * MN_ROWS_BLOCK, n);
  }
}

uint32_t mn_strongest(const float *values, uint32_t d) {
  uint32_t best = 0;
  for (uint32_t j = 1; j < d; j++)
    if (values[j] > values[best])
      best = j;
  return best;
}
