/* SPDX-License-Identifier: Apache-2.0 */
#include "balance.h"
#include "../bytes.h"
#include "../encoding/kmeans.h"
#include "../kernels/kernels.h"
#include "../root.h"

/* The first rounds only have to find about where the centroids go: without
 * lifts, and with every so-manieth point. */
#define COARSE_ROUNDS 4u
#define COARSE_STRIDE 4u
#define ROUNDS        7u

/* The step of a lift, as a share of the mean squared distance. Of 100,000 word
 * vectors in 1,264 lists, .02 made sizes swing, .005 left them less even. */
#define STEP 0.008f
/* A size counts for so many times the mean at most. */
#define SIZE_MOST 3.0f

/* Centroids that a point is compared with at once. */
#define TOGETHER 32u

int mn_balance_allocate(mn_balance *job, mn_arena *scratch) {
  return (job->nearest = mn_scratch(scratch, job->count, 4)) != NULL &&
         (job->distances = mn_scratch(scratch, job->count, 4)) != NULL &&
         (job->sizes = mn_scratch(scratch, job->found.count, 4)) != NULL &&
         (job->columns = mn_scratch(scratch, TOGETHER,
                                    4ull * job->found.dimensions)) != NULL;
}

static const float *point_of(const mn_balance *job, uint32_t i) {
  return job->points + (size_t)i * job->found.dimensions;
}

/* --- Distances ------------------------------------------------------------ */

float mn_centroid_distance(const mn_kernels *kernels,
                           const mn_centroids *centroids, uint32_t k,
                           const float *vector) {
  const float dot = kernels->dot_f32(vector, mn_centroid_row(centroids, k),
                                     centroids->dimensions);
  return centroids->norms[k] + -2.0f * dot;
}

uint32_t mn_centroid_nearest(const mn_kernels *kernels,
                             const mn_centroids *centroids,
                             const float *vector) {
  uint32_t nearest = 0;
  float least = __builtin_inff();
  for (uint32_t k = 0; k < centroids->count; k++) {
    const float distance = mn_centroid_distance(kernels, centroids, k, vector) +
                           centroids->lifts[k];
    if (distance < least) {
      least = distance;
      nearest = k;
    }
  }
  return nearest;
}

/* --- Rounds --------------------------------------------------------------- */

/* Some centroids, by columns as kernels want them. */
static void take_columns(const mn_balance *job, uint32_t from, uint32_t some) {
  for (uint32_t k = 0; k < some; k++) {
    const float *row = mn_centroid_row(&job->found, from + k);
    for (uint32_t j = 0; j < job->found.dimensions; j++)
      job->columns[(size_t)j * some + k] = row[j];
  }
}

/* Compares a point with the centroids whose columns were taken. */
static void compare(mn_balance *job, uint32_t i, uint32_t from, uint32_t some) {
  float dots[TOGETHER];
  job->kernels->dot_columns(point_of(job, i), job->columns,
                            job->found.dimensions, some, dots);
  for (uint32_t k = 0; k < some; k++) {
    const float distance = job->found.norms[from + k] + -2.0f * dots[k] +
                           job->found.lifts[from + k];
    if (distance < job->distances[i]) {
      job->distances[i] = distance;
      job->nearest[i] = from + k;
    }
  }
}

/* Puts every stride-th point into its cluster. Some centroids at a time, which
 * stay in a near cache while all points pass. */
static void assign(mn_balance *job, uint32_t stride) {
  const uint32_t clusters = job->found.count;
  for (uint32_t i = 0; i < job->count; i++) {
    job->distances[i] = __builtin_inff();
    job->nearest[i] = 0;
  }
  for (uint32_t from = 0; from < clusters; from += TOGETHER) {
    const uint32_t left = clusters - from;
    const uint32_t some = left < TOGETHER ? left : TOGETHER;
    take_columns(job, from, some);
    for (uint32_t i = 0; i < job->count; i += stride)
      compare(job, i, from, some);
  }
  mn_zero(job->sizes, clusters * sizeof *job->sizes);
  for (uint32_t i = 0; i < job->count; i += stride)
    job->sizes[job->nearest[i]]++;
}

/* Normalised where that is wanted and possible. */
static void settle(const mn_balance *job, uint32_t k) {
  const mn_centroids *found = &job->found;
  const uint32_t d = found->dimensions;
  float *row = mn_centroid_row(found, k);
  float norm2 = job->kernels->dot_f32(row, row, d);
  if (job->unit && norm2 >= 0x1p-126f) {
    const float norm = mn_root(norm2);
    for (uint32_t j = 0; j < d; j++)
      row[j] /= norm;
    norm2 = job->kernels->dot_f32(row, row, d);
  }
  found->norms[k] = norm2;
}

/* Moves each centroid to the mean of its cluster; an empty one stays. */
static void move(const mn_balance *job, uint32_t stride) {
  const mn_centroids *found = &job->found;
  const uint32_t d = found->dimensions;
  for (uint32_t k = 0; k < found->count; k++)
    if (job->sizes[k] > 0)
      mn_zero(mn_centroid_row(found, k), d * sizeof(float));
  for (uint32_t i = 0; i < job->count; i += stride) {
    const float *point = point_of(job, i);
    float *sum = mn_centroid_row(found, job->nearest[i]);
    for (uint32_t j = 0; j < d; j++)
      sum[j] += point[j];
  }
  for (uint32_t k = 0; k < found->count; k++) {
    float *sum = mn_centroid_row(found, k);
    for (uint32_t j = 0; j < d && job->sizes[k] > 0; j++)
      sum[j] /= (float)job->sizes[k];
    settle(job, k);
  }
}

/* The mean squared distance of the points to their centroids. */
static float mean_distance(const mn_balance *job) {
  const uint32_t d = job->found.dimensions;
  float mean = 0.0f;
  for (uint32_t i = 0; i < job->count; i++) {
    const float *point = point_of(job, i);
    const float distance = job->distances[i] -
                           job->found.lifts[job->nearest[i]] +
                           job->kernels->dot_f32(point, point, d);
    if (distance > 0.0f) /* by rounding it may not be */
      mean += distance / (float)job->count;
  }
  return mean;
}

static void lift(const mn_balance *job, float step) {
  float *lifts = job->found.lifts;
  const uint32_t clusters = job->found.count;
  const float even = (float)job->count / (float)clusters;
  float least = __builtin_inff();
  for (uint32_t k = 0; k < clusters; k++) {
    const float size = (float)job->sizes[k] / even;
    lifts[k] += step * ((size < SIZE_MOST ? size : SIZE_MOST) - 1.0f);
    if (lifts[k] < least)
      least = lifts[k];
  }
  for (uint32_t k = 0; k < clusters; k++)
    lifts[k] -= least;
}

/* --- All ------------------------------------------------------------------ */

/* The first point of run k of as many as there are centroids. Both products
 * stay within 32 bits. */
static uint32_t run_at(const mn_balance *job, uint32_t k) {
  const uint32_t runs = job->found.count;
  return k * (job->count / runs) + k * (job->count % runs) / runs;
}

/* Each centroid is a point of a run of its own, drawn by chance. */
static void begin(mn_balance *job, uint64_t seed) {
  const uint32_t d = job->found.dimensions;
  for (uint32_t k = 0; k < job->found.count; k++) {
    const uint32_t from = run_at(job, k), size = run_at(job, k + 1) - from;
    const uint32_t drawn = (uint32_t)(mn_draw(&seed) * (float)size);
    const uint32_t i = from + (drawn < size ? drawn : size - 1);
    mn_move(mn_centroid_row(&job->found, k), point_of(job, i),
            d * sizeof(float));
    job->found.lifts[k] = 0.0f;
    settle(job, k);
  }
}

static void swap(const mn_centroids *found, uint32_t a, uint32_t b) {
  float *row_a = mn_centroid_row(found, a), *row_b = mn_centroid_row(found, b);
  for (uint32_t j = 0; j < found->dimensions; j++) {
    const float swapped = row_a[j];
    row_a[j] = row_b[j];
    row_b[j] = swapped;
  }
  const float norm = found->norms[a], lift = found->lifts[a];
  found->norms[a] = found->norms[b];
  found->lifts[a] = found->lifts[b];
  found->norms[b] = norm;
  found->lifts[b] = lift;
}

/* Behind each centroid the nearest of those to come: lists that are searched
 * together then lie near one another once they are packed. */
static void line_up(const mn_balance *job) {
  const mn_centroids *found = &job->found;
  for (uint32_t k = 1; k + 1 < found->count; k++) {
    const float *last = mn_centroid_row(found, k - 1);
    uint32_t nearest = k;
    float least = __builtin_inff();
    for (uint32_t other = k; other < found->count; other++) {
      const float distance =
          mn_centroid_distance(job->kernels, found, other, last);
      if (distance < least) {
        least = distance;
        nearest = other;
      }
    }
    if (nearest != k)
      swap(found, k, nearest);
  }
}

void mn_balance_run(mn_balance *job, uint64_t seed) {
  begin(job, seed);
  for (uint32_t round = 0; round < COARSE_ROUNDS; round++) {
    assign(job, COARSE_STRIDE);
    move(job, COARSE_STRIDE);
  }
  for (uint32_t round = 0; round < ROUNDS; round++) {
    assign(job, 1);
    const float step = STEP * mean_distance(job);
    move(job, 1);
    lift(job, step);
  }
  line_up(job);
}
