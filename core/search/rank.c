/* SPDX-License-Identifier: Apache-2.0 */
/* Exact distances to vectors that the caller brings. */
#include "rank.h"
#include "../encoding/codec.h"
#include "../kernels/kernels.h"
#include "pool.h"

#ifndef MN_NO_FETCH

mn_status mn_rank_one(const mn_index *index, const float *query,
                      const float *vector, float *work, float *distance) {
  const mn_kernels *kernels = index->codec.kernels;
  const mn_metric metric = index->options.metric;
  const uint32_t d = index->options.dimensions;
  const mn_status status = mn_vector_take(kernels, metric, vector, d, work);
  if (status == MN_OK)
    *distance =
        metric == MN_L2
            ? kernels->l2_f32(query, work, d)
            : mn_distance_of_dot(metric, kernels->dot_f32(query, work, d));
  return status;
}

static int comes_before(const mn_hit *a, const mn_hit *b) {
  return a->distance < b->distance ||
         (a->distance == b->distance && a->key < b->key);
}

/* Lets the hit at `at` sink in a heap of `count`, the farthest on top. */
static void sink(mn_hit *hits, uint32_t at, uint32_t count) {
  for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
    if (child + 1 < count && comes_before(&hits[child], &hits[child + 1]))
      child++;
    if (!comes_before(&hits[at], &hits[child]))
      return;
    const mn_hit swapped = hits[at];
    hits[at] = hits[child];
    hits[child] = swapped;
  }
}

/* Heapsort: as many as MN_EF_MAX, and no memory. */
static void sort(mn_hit *hits, uint32_t count) {
  for (uint32_t at = count / 2; at-- > 0;)
    sink(hits, at, count);
  for (uint32_t end = count; end-- > 1;) {
    const mn_hit farthest = hits[0];
    hits[0] = hits[end];
    hits[end] = farthest;
    sink(hits, 0, end);
  }
}

static mn_status measure(const mn_index *index, const float *query,
                         const mn_vectors *vectors, float *taken, float *work,
                         float *distances) {
  const uint32_t d = vectors->dimensions;
  mn_status status = mn_vector_take(index->codec.kernels, index->options.metric,
                                    query, d, taken);
  for (uint32_t i = 0; i < vectors->count && status == MN_OK; i++)
    status = mn_rank_one(index, taken, vectors->data + (size_t)i * d, work,
                         &distances[i]);
  return status;
}

mn_status mn_index_rank(const mn_index *index, const float *query,
                        const mn_vectors *vectors, mn_hit *hits,
                        mn_arena *scratch) {
  if (index == NULL || query == NULL || vectors == NULL || scratch == NULL ||
      ((vectors->data == NULL || hits == NULL) && vectors->count > 0) ||
      vectors->count > MN_EF_MAX || index->options.encoding == MN_SIGN)
    return MN_ERROR_ARGUMENT;
  if (vectors->dimensions != index->options.dimensions)
    return MN_ERROR_DIMENSIONS;
  const size_t mark = mn_arena_mark(scratch);
  const size_t bytes = sizeof(float) * vectors->dimensions;
  float *taken = mn_arena_allocate(scratch, bytes);
  float *work = mn_arena_allocate(scratch, bytes);
  float *distances = mn_arena_allocate(scratch, sizeof(float) * vectors->count);
  mn_status status = MN_ERROR_ARENA;
  if (taken != NULL && work != NULL && distances != NULL)
    status = measure(index, query, vectors, taken, work, distances);
  if (status == MN_OK) {
    for (uint32_t i = 0; i < vectors->count; i++)
      hits[i].distance = distances[i];
    sort(hits, vectors->count);
  }
  mn_arena_rewind(scratch, mark);
  return status;
}

#endif
