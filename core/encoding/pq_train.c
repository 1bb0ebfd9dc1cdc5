/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Training pq and prq: k-means in each subspace, and for each further stage on
 * what the stages before it, searched as they will be, leave over.
 */
#include "../kernels/kernels.h"
#include "kmeans.h"
#include "pq.h"

/* The mean of the rows, which are then centred on it. */
static void centre(mn_codec *codec, float *rows, uint32_t count) {
  const uint32_t d = codec->dimensions;
  float *mean = mn_pq_mean(codec);
  mn_zero(mean, d * sizeof(float));
  for (uint32_t i = 0; i < count; i++)
    for (uint32_t j = 0; j < d; j++)
      mean[j] += rows[(size_t)i * d + j];
  for (uint32_t j = 0; j < d; j++)
    mean[j] /= (float)count;
  for (uint32_t i = 0; i < count; i++)
    for (uint32_t j = 0; j < d; j++)
      rows[(size_t)i * d + j] -= mean[j];
}

/* What the first `stages` codebooks of a subspace leave of each row. */
static void gather(const mn_codec *codec, const float *rows, uint32_t subspace,
                   uint32_t stages, void *beam, mn_kmeans *job) {
  const uint32_t width = mn_pq_width(codec);
  for (uint32_t i = 0; i < job->count; i++) {
    const float *x =
        rows + (size_t)i * codec->dimensions + (size_t)subspace * width;
    float *point = job->points + (size_t)i * width;
    if (stages == 0)
      mn_move(point, x, width * sizeof *x);
    else
      (void)mn_pq_beam(codec, subspace, stages, x, beam, point);
  }
}

mn_status mn_pq_train(mn_codec *codec, float *rows, uint32_t count,
                      uint32_t iterations, int again, mn_arena *scratch) {
  mn_kmeans job = {.kernels = codec->kernels,
                   .count = count,
                   .dimensions = mn_pq_width(codec),
                   .clusters = mn_pq_centroids(codec)};
  void *beam = mn_scratch(scratch, 1, mn_pq_beam_bytes(codec));
  if (beam == NULL || !mn_kmeans_room(&job, scratch))
    return MN_ERROR_ARENA;
  if (rows == NULL)
    return MN_OK;

  if (codec->pq_correction)
    centre(codec, rows, count);
  for (uint32_t book = 0; book < mn_pq_books(codec); book++) {
    const uint64_t seed = codec->seed + ((uint64_t)(book + 1) << 32);
    gather(codec, rows, book / codec->pq_nrq, book % codec->pq_nrq, beam, &job);
    mn_kmeans_run(&job, again ? NULL : &seed, iterations,
                  mn_pq_book(codec, book));
  }
  return mn_pq_model_fits(codec, 1.0f) ? MN_OK : MN_ERROR_NOT_FINITE;
}
