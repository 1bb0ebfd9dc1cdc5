/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transforms: linear maps of vectors before they are encoded, one table entry
 * each. Only mn_map_apply knows the metric, to normalise again under cosine.
 */
#ifndef MN_TRANSFORM_H
#define MN_TRANSFORM_H

#include "../minnow.h"
#include "../selection.h"

struct mn_kernels;

/* What a transform works with. */
typedef struct mn_map {
  const struct mn_transform_ops *ops; /* NULL: vectors stay as they are */
  const struct mn_kernels *kernels;
  uint32_t from; /* dimensions that come in */
  uint32_t to;   /* and that remain */
  uint64_t seed;
  uint8_t *model;
} mn_map;

typedef struct mn_transform_ops {
  const char *name; /* how its word in a spec begins */

  /* A multiple of MN_ALIGNMENT. NULL: 0. */
  uint64_t (*model_bytes)(uint32_t from, uint32_t to);

  /* Vectors that training needs and what is enough; NULL: no training. */
  void (*sample)(const mn_map *map, uint32_t *least, uint32_t *enough);

  /* Fills the model from `count` rows of `from` floats, which stay as they are.
   * `codec` is untrained; opq trains a copy of it, with a model of its own in
   * scratch, on the rows as it turns them. ARENA where scratch is short (a
   * measuring arena has rows NULL: allocate and return MN_OK). */
  mn_status (*train)(mn_map *map, const mn_codec *codec, const float *rows,
                     uint32_t count, mn_arena *scratch);

  /* From `from` floats to `to` floats elsewhere. */
  void (*apply)(const mn_map *map, const float *vector, float *mapped);
  /* And back; what was dropped is 0. */
  void (*invert)(const mn_map *map, const float *mapped, float *vector);

  /* Whether the model's numbers are finite and do not make a vector longer than
   * rounding can. NULL: no model. */
  int (*model_is_sound)(const mn_map *map);
} mn_transform_ops;

/* NULL for MN_NO_TRANSFORM, for unknown ones, and for all under
 * MN_NO_TRANSFORMS. */
const mn_transform_ops *mn_transform_of(mn_transform transform);

extern const mn_transform_ops mn_transform_hadamard, mn_transform_first,
    mn_transform_pca, mn_transform_opq;

/* A map as complete options describe it, model and kernels still missing. */
mn_map mn_map_of(const mn_options *options);

/* The index's map, ready for use. */
mn_map mn_map_of_index(const mn_index *index);

/* Maps a vector that mn_vector_take let through; without a transform, copies
 * it. ZERO_VECTOR where nothing of it remains under cosine. */
mn_status mn_map_apply(const mn_map *map, mn_metric metric, const float *vector,
                       float *mapped);

/* --- Rotation ------------------------------------------------------------- */

/* The seeded random rotation behind MN_HADAMARD and MN_BITS1 to 8, in place:
 * signs are flipped by bits of a hash of seed, step and position, then a fast
 * Walsh-Hadamard transform spreads the components. Where d is no power of 2,
 * the first and the last 2^floor(log2 d) of them take turns, twice, with one
 * butterfly of the two halves in between. Orthonormal. O(d log d). */
void mn_rotate(uint64_t seed, float *vector, uint32_t dimensions);
void mn_rotate_back(uint64_t seed, float *vector, uint32_t dimensions);

#endif
