/* SPDX-License-Identifier: Apache-2.0 */
/* first: the first components of a vector, the others dropped. */
#include "../bytes.h"
#include "transform.h"

static void apply(const mn_map *map, const float *vector, float *mapped) {
  mn_move(mapped, vector, sizeof(float) * map->to);
}

static void invert(const mn_map *map, const float *mapped, float *vector) {
  mn_move(vector, mapped, sizeof(float) * map->to);
  mn_zero(vector + map->to, sizeof(float) * (map->from - map->to));
}

const mn_transform_ops mn_transform_first = {
    .name = "first",
    .apply = apply,
    .invert = MN_IF_DECODE(invert),
};
