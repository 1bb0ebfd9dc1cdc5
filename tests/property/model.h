/* SPDX-License-Identifier: Apache-2.0 */
/* What an index must be equal to: keys and vectors in a plain array, searched
 * by looking at all of them. */
#ifndef PROPERTY_MODEL_H
#define PROPERTY_MODEL_H

#include "../../core/minnow.h"

#include <stdlib.h>
#include <string.h>

enum { MODEL_KEYS = 200, MODEL_D = 3, MODEL_K = 12 };

/* Key k is there where has[k]; all numbers are small integers, so that vectors
 * repeat and distances are exact. */
typedef struct model {
  uint8_t has[MODEL_KEYS];
  float vectors[MODEL_KEYS][MODEL_D];
  uint32_t count;
} model;

typedef struct model_hit {
  float distance;
  uint32_t key;
} model_hit;

static inline void model_put(model *m, uint32_t key, const float *vector) {
  m->count += !m->has[key];
  m->has[key] = 1;
  memcpy(m->vectors[key], vector, sizeof m->vectors[key]);
}

static inline void model_remove(model *m, uint32_t key) {
  m->count -= m->has[key];
  m->has[key] = 0;
}

static inline float model_distance(const model *m, uint32_t key,
                                   const float *query) {
  float sum = 0;
  for (int j = 0; j < MODEL_D; j++) {
    const float difference = query[j] - m->vectors[key][j];
    sum += difference * difference;
  }
  return sum;
}

static int model_order(const void *a, const void *b) {
  const model_hit *x = (const model_hit *)a, *y = (const model_hit *)b;
  if (x->distance != y->distance)
    return x->distance < y->distance ? -1 : 1;
  return x->key < y->key ? -1 : x->key > y->key;
}

/* All that pass (by key; NULL: all), nearest first; their number. */
static inline uint32_t model_search(const model *m, const float *query,
                                    const uint8_t *passes, model_hit *hits) {
  uint32_t count = 0;
  for (uint32_t key = 0; key < MODEL_KEYS; key++)
    if (m->has[key] && (passes == NULL || passes[key]))
      hits[count++] = (model_hit){model_distance(m, key, query), key};
  qsort(hits, count, sizeof *hits, model_order);
  return count;
}

#endif
