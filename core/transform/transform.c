/* SPDX-License-Identifier: Apache-2.0 */
#include "transform.h"
#include "../bytes.h"
#include "../kernels/kernels.h"
#include "../root.h"

const mn_transform_ops *mn_transform_of(mn_transform transform) {
  switch (transform) {
  case MN_NO_TRANSFORM:
    return NULL;
  case MN_HADAMARD:
    return MN_IF_TRANSFORMS(&mn_transform_hadamard);
  case MN_FIRST:
    return MN_IF_TRANSFORMS(&mn_transform_first);
  case MN_PCA:
    return MN_IF_TRANSFORMS(&mn_transform_pca);
  case MN_OPQ:
    return MN_IF_TRANSFORMS(&mn_transform_opq);
  }
  return NULL;
}

mn_map mn_map_of(const mn_options *options) {
  return (mn_map){
      .ops = mn_transform_of(options->transform),
      .from = options->dimensions,
      .to = options->kept_dimensions > 0 ? options->kept_dimensions
                                         : options->dimensions,
      .seed = options->seed,
  };
}

mn_map mn_map_of_index(const mn_index *index) {
  return (mn_map){
      .ops = index->transform,
      .kernels = index->codec.kernels,
      .from = index->options.dimensions,
      .to = index->codec.dimensions,
      .seed = index->options.seed,
      .model = index->model,
  };
}

mn_status mn_map_apply(const mn_map *map, mn_metric metric, const float *vector,
                       float *mapped) {
  if (map->ops == NULL) {
    mn_move(mapped, vector, sizeof(float) * map->from);
    return MN_OK;
  }
  map->ops->apply(map, vector, mapped);
  if (metric != MN_COSINE)
    return MN_OK;
  const float norm2 = map->kernels->dot_f32(mapped, mapped, map->to);
  /* A subnormal squared norm has too few bits left to divide by; NaN comes of
   * a damaged model. */
  if (!(norm2 >= 0x1p-126f))
    return MN_ERROR_ZERO_VECTOR;
  const float norm = mn_root(norm2);
  for (uint32_t i = 0; i < map->to; i++)
    mapped[i] /= norm;
  return MN_OK;
}
