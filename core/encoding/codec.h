/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encodings: one table entry each. Nothing outside this folder knows how a
 * vector is stored.
 *
 * A query is prepared once and then compared with many codes. What `prepare`
 * makes is private to the encoding, `query_bytes` long and aligned to
 * MN_ALIGNMENT. All vectors have passed mn_vector_take.
 */
#ifndef MN_CODEC_H
#define MN_CODEC_H

#include "../minnow.h"

typedef struct mn_codec_ops {
  const char *name;      /* its word in a spec string */
  uint32_t needs_sample; /* vectors that training wants; 0: no training */

  uint32_t (*code_bytes)(mn_metric metric, uint32_t dimensions);
  uint64_t (*model_bytes)(uint32_t dimensions);
  uint64_t (*query_bytes)(uint32_t dimensions);

  /* One more row of the sample; `row` counts from 0. NULL: no training. */
  void (*train)(mn_index *index, const float *vector, uint32_t row);
  /* After the last row. NOT_FINITE where what was found leads to sums that
   * overflow. */
  mn_status (*train_end)(mn_index *index);

  /* MN_ERROR_RANGE where the vector cannot be stored. `*clipped` is set to 1
   * where it can, but not within the encoding's usual error. */
  mn_status (*encode)(const mn_index *index, const float *vector, uint8_t *code,
                      uint32_t *clipped);
  void (*decode)(const mn_index *index, const uint8_t *code, float *vector);
  /* Whether a code, and what training found, could come from accepted vectors:
   * else damage has made them such that sums overflow. NULL: no model. */
  int (*is_sound)(const mn_index *index, const uint8_t *code);
  int (*model_is_sound)(const mn_index *index);

  /* Overwrites `vector`. */
  void (*prepare)(const mn_index *index, float *vector, void *query);
  float (*distance)(const mn_index *index, const void *query,
                    const uint8_t *code);

  /* The code itself is a prepared query. */
  uint8_t code_is_query;
} mn_codec_ops;

/* NULL for an unknown encoding. */
const mn_codec_ops *mn_codec_of(mn_encoding encoding);

extern const mn_codec_ops mn_codec_f32, mn_codec_f16, mn_codec_bf16,
    mn_codec_sq8;

static inline uint8_t *mn_code_at(const mn_index *index, uint32_t slot) {
  return index->codes + (size_t)slot * index->code_bytes;
}

/* Prepares a stored vector as a query, in `query` (mn_slot_query_bytes) by way
 * of `vector` (`dimensions` floats), or finds that its code is one already. */
const void *mn_prepare_slot(const mn_index *index, uint32_t slot, float *vector,
                            void *query);

static inline size_t mn_slot_query_bytes(const mn_options *options) {
  const mn_codec_ops *codec = mn_codec_of(options->encoding);
  return codec->code_is_query ? 0
                              : (size_t)codec->query_bytes(options->dimensions);
}

/* The distances of a prepared query to `count` slots. */
void mn_distances(const mn_index *index, const void *query,
                  const uint32_t *slots, uint32_t count, float *distances);

/* Copies a vector that came in, checked (NOT_FINITE, ZERO_VECTOR) and, under
 * cosine, normalised. */
mn_status mn_vector_take(const mn_index *index, const float *vector,
                         float *copy);

/* Whether a stored vector's squared norm may be this. Rounding to 16 bits makes
 * a vector longer by less than this allows. NaN is not. */
static inline int mn_norm2_is_sound(float norm2) {
  return norm2 <= 2.0f * MN_NORM2_MAX;
}

/* The distance that an inner product means. */
static inline float mn_distance_of_dot(mn_metric metric, float dot) {
  return metric == MN_COSINE ? 1.0f - dot : -dot;
}

#endif
