/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pca: the principal axes of the sample, the strongest first, as rows of the
 * model.
 *
 * They are those of the second moments, with no mean taken off: then the map is
 * linear, what it drops is as short as can be, and distances keep their meaning
 * under every metric. Axes of the covariance found the same neighbours
 * (sentences of 512 dimensions, kept 128: recall@10 .894 against .896; kept
 * 32: .548 against .537) but dropped 2.6 times as much of the vectors, their
 * mean above all. Normalising again under cosine, which mn_map_apply does,
 * gains 1.5 points.
 */
#include <float.h>

#include "../bytes.h"
#include "../kernels/kernels.h"
#include "../root.h"
#include "axes.h"
#include "eigen.h"
#include "transform.h"

/* Recall with the axes of 1,000 vectors was .884, of 3,000 .891, of 10,000
 * .894, of 59,000 .895 (sentences, kept 128). */
#define ENOUGH 10000u

/* Fewer vectors than axes would leave some axes to chance. */
static void sample(const mn_map *map, uint32_t *least, uint32_t *enough) {
  *least = map->to;
  *enough = map->to > ENOUGH ? map->to : ENOUGH;
}

/* --- Training ------------------------------------------------------------- */

/* Of norm 1 to the last bits. An axis may point either way: its largest
 * component shall be positive. */
static void take_axis(const mn_kernels *kernels, const float *vector,
                      uint32_t d, float *axis) {
  uint32_t at = 0;
  for (uint32_t j = 1; j < d; j++)
    if (mn_magnitude(vector[j]) > mn_magnitude(vector[at]))
      at = j;
  const float norm = mn_root(kernels->dot_f32(vector, vector, d));
  const float divisor = vector[at] < 0.0f ? -norm : norm;
  for (uint32_t j = 0; j < d; j++)
    axis[j] = vector[j] / divisor;
}

static mn_status train(mn_map *map, const mn_codec *codec, const float *rows,
                       uint32_t count, mn_arena *scratch) {
  (void)codec;
  const uint32_t d = map->from;
  float *matrix = mn_floats(scratch, (uint64_t)d * d);
  float *columns = mn_floats(scratch, (uint64_t)d * MN_ROWS_BLOCK);
  float *values = mn_floats(scratch, d), *work = mn_floats(scratch, d);
  if (matrix == NULL || columns == NULL || values == NULL || work == NULL)
    return MN_ERROR_ARENA;
  if (rows == NULL)
    return MN_OK;
  mn_sum_moments(map->kernels, rows, count, d, columns, matrix);
  mn_eigen(map->kernels, matrix, d, values, work);
  for (uint32_t i = 0; i < map->to; i++) {
    const uint32_t best = mn_strongest(values, d);
    take_axis(map->kernels, matrix + (size_t)best * d, d, mn_axis(map, i));
    values[best] = -FLT_MAX; /* taken */
  }
  return MN_OK;
}

const mn_transform_ops mn_transform_pca = {
    .name = "pca",
    .model_bytes = mn_axes_bytes,
    .sample = sample,
    .train = MN_IF_TRAIN(train),
    .apply = mn_axes_apply,
    .invert = MN_IF_DECODE(mn_axes_invert),
    .model_is_sound = MN_IF_CHANGE(mn_axes_are_sound),
};
