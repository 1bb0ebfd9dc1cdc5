/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Training pq and prq: k-means in each subspace, and for each further stage on
 * what the stages before it, searched as they will be, leave over. Then the
 * stages settle together.
 */
#include "../kernels/kernels.h"
#include "kmeans.h"
#include "pq.h"

/* --- One stage after the other -------------------------------------------- */

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

/* --- Stages together ------------------------------------------------------ */

/* Moves each centroid of a stage by the mean of what is left where it is used,
 * which no longer is left then. */
static void settle(const mn_codec *codec, uint32_t stage, float *book,
                   const uint16_t *numbers, mn_kmeans *job) {
  const uint32_t width = job->dimensions, nrq = codec->pq_nrq;
  mn_zero(job->sums, (size_t)job->clusters * width * sizeof(float));
  mn_zero(job->sizes, (size_t)job->clusters * sizeof(uint32_t));
  for (uint32_t i = 0; i < job->count; i++) {
    const uint32_t k = numbers[(size_t)i * nrq + stage];
    job->sizes[k]++;
    for (uint32_t j = 0; j < width; j++)
      job->sums[(size_t)k * width + j] += job->points[(size_t)i * width + j];
  }
  for (uint32_t k = 0; k < job->clusters; k++)
    for (uint32_t j = 0; j < width && job->sizes[k] > 0; j++) {
      float *mean = job->sums + (size_t)k * width + j;
      *mean /= (float)job->sizes[k];
      book[((size_t)j << codec->pq_bits) + k] += *mean;
    }
  for (uint32_t i = 0; i < job->count; i++) {
    const uint32_t k = numbers[(size_t)i * nrq + stage];
    for (uint32_t j = 0; j < width; j++)
      job->points[(size_t)i * width + j] -= job->sums[(size_t)k * width + j];
  }
}

/* A stage is trained before there is a next one. Once all are there, each can
 * take account of the others. */
static void settle_all(const mn_codec *codec, const float *rows,
                       uint32_t subspace, void *beam, uint16_t *numbers,
                       mn_kmeans *job) {
  const uint32_t width = job->dimensions, nrq = codec->pq_nrq;
  for (uint32_t i = 0; i < job->count; i++) {
    const float *x =
        rows + (size_t)i * codec->dimensions + (size_t)subspace * width;
    const uint16_t *found = mn_pq_beam(codec, subspace, nrq, x, beam,
                                       job->points + (size_t)i * width);
    mn_move(numbers + (size_t)i * nrq, found, nrq * sizeof *found);
  }
  for (uint32_t t = 0; t < nrq; t++)
    settle(codec, t, mn_pq_book(codec, subspace * nrq + t), numbers, job);
}

/* --- All ------------------------------------------------------------------ */

/* What this gains grows with the stages: prq64x4x2 on sentences loses .1046
 * without, .1027 after 1 round, .1015 after 3, .1010 after 5; prq20x4x4 on word
 * vectors .0264, .0242, .0227, .0221. */
#define ROUNDS 3u

mn_status mn_pq_train(mn_codec *codec, float *rows, uint32_t count,
                      uint32_t iterations, int again, mn_arena *scratch) {
  const uint32_t nrq = codec->pq_nrq;
  mn_kmeans job = {.kernels = codec->kernels,
                   .count = count,
                   .dimensions = mn_pq_width(codec),
                   .clusters = mn_pq_centroids(codec)};
  void *beam = mn_scratch(scratch, 1, mn_pq_beam_bytes(codec));
  uint16_t *numbers = mn_scratch(scratch, nrq > 1 ? count : 0, 2 * nrq);
  if (beam == NULL || numbers == NULL || !mn_kmeans_room(&job, scratch))
    return MN_ERROR_ARENA;
  if (rows == NULL)
    return MN_OK;

  if (codec->pq_correction)
    centre(codec, rows, count);
  for (uint32_t book = 0; book < mn_pq_books(codec); book++) {
    const uint64_t seed = codec->seed + ((uint64_t)(book + 1) << 32);
    gather(codec, rows, book / nrq, book % nrq, beam, &job);
    mn_kmeans_run(&job, again ? NULL : &seed, iterations,
                  mn_pq_book(codec, book));
  }
  for (uint32_t i = 0; nrq > 1 && !again && i < codec->pq_m * ROUNDS; i++)
    settle_all(codec, rows, i / ROUNDS, beam, numbers, &job);
  return mn_pq_model_fits(codec, 1.0f) ? MN_OK : MN_ERROR_NOT_FINITE;
}
