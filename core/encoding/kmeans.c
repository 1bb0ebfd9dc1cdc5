/* SPDX-License-Identifier: Apache-2.0 */
#include "kmeans.h"
#include "../bytes.h"
#include "../kernels/kernels.h"

/* --- Room ----------------------------------------------------------------- */

void *mn_scratch(mn_arena *scratch, uint64_t count, uint64_t bytes) {
  /* 2^32 points of 2^16 dimensions are far from 2^64. Half the address space is
   * more than any arena has. */
  const uint64_t total = count * bytes;
  return total > SIZE_MAX / 2 ? NULL
                              : mn_arena_allocate(scratch, (size_t)total);
}

int mn_kmeans_room(mn_kmeans *job, mn_arena *scratch) {
  const uint64_t values = (uint64_t)job->count * job->dimensions;
  const uint64_t centres = (uint64_t)job->clusters * job->dimensions;
  return (job->points = mn_scratch(scratch, values, 4)) != NULL &&
         (job->columns = mn_scratch(scratch, values, 4)) != NULL &&
         (job->nearest = mn_scratch(scratch, job->count, 4)) != NULL &&
         (job->distances = mn_scratch(scratch, job->count, 4)) != NULL &&
         (job->sums = mn_scratch(scratch, centres, 4)) != NULL &&
         (job->sizes = mn_scratch(scratch, job->clusters, 4)) != NULL;
}

/* --- Seeding -------------------------------------------------------------- */

float mn_draw(uint64_t *state) {
  *state += UINT64_C(0x9E3779B97F4A7C15);
  return (float)(uint32_t)(mn_mix64(*state) >> 40) * 0x1p-24f;
}

/* A point drawn with its distance for weight. Where all of them are 0, the
 * first one. */
static uint32_t draw_point(const float *distances, uint32_t count,
                           uint64_t *state) {
  float total = 0.0f;
  for (uint32_t i = 0; i < count; i++)
    total += distances[i];
  const float target = total * mn_draw(state);
  float passed = 0.0f;
  for (uint32_t i = 0; i < count; i++) {
    passed += distances[i];
    if (passed > target)
      return i;
  }
  return 0;
}

static void set_centroid(const mn_kmeans *job, uint32_t k, const float *point,
                         float *centroids) {
  for (uint32_t j = 0; j < job->dimensions; j++)
    centroids[(size_t)j * job->clusters + k] = point[j];
}

/* The points by columns are what is measured against each new centre: one call
 * for all of them. */
static void seed_centroids(mn_kmeans *job, uint64_t state, float *centroids) {
  const uint32_t count = job->count, d = job->dimensions;
  float *fresh = (float *)job->nearest; /* not in use yet */
  for (uint32_t i = 0; i < count; i++) {
    for (uint32_t j = 0; j < d; j++)
      job->columns[(size_t)j * count + i] = job->points[(size_t)i * d + j];
    job->distances[i] = 1.0f;
  }
  for (uint32_t k = 0; k < job->clusters; k++) {
    const uint32_t chosen = draw_point(job->distances, count, &state);
    const float *point = job->points + (size_t)chosen * d;
    set_centroid(job, k, point, centroids);
    job->kernels->l2_columns(point, job->columns, d, count, fresh);
    for (uint32_t i = 0; i < count; i++)
      if (k == 0 || fresh[i] < job->distances[i])
        job->distances[i] = fresh[i];
  }
}

/* --- Lloyd's iteration ---------------------------------------------------- */

/* Whether any point changed its cluster. */
static int assign(mn_kmeans *job, const float *centroids) {
  const uint32_t d = job->dimensions;
  int changed = 0;
  for (uint32_t i = 0; i < job->count; i++) {
    const uint32_t k =
        job->kernels->nearest_column(job->points + (size_t)i * d, centroids, d,
                                     job->clusters, &job->distances[i]);
    changed |= k != job->nearest[i];
    job->nearest[i] = k;
  }
  return changed;
}

/* The point farthest from its centroid, which thereby becomes one itself. A
 * cluster stays as it is where every point is a centroid. */
static int take_farthest(mn_kmeans *job, uint32_t k, float *centroids) {
  uint32_t farthest = 0;
  for (uint32_t i = 1; i < job->count; i++)
    if (job->distances[i] > job->distances[farthest])
      farthest = i;
  if (!(job->distances[farthest] > 0.0f))
    return 0;
  set_centroid(job, k, job->points + (size_t)farthest * job->dimensions,
               centroids);
  job->distances[farthest] = 0.0f;
  return 1;
}

/* Moves each centroid to the mean of its cluster, an empty one to where it is
 * missed most. Whether there was one. */
static int update(mn_kmeans *job, float *centroids) {
  const uint32_t d = job->dimensions;
  mn_zero(job->sums, (size_t)job->clusters * d * sizeof(float));
  mn_zero(job->sizes, (size_t)job->clusters * sizeof(uint32_t));
  for (uint32_t i = 0; i < job->count; i++) {
    const float *point = job->points + (size_t)i * d;
    float *sum = job->sums + (size_t)job->nearest[i] * d;
    job->sizes[job->nearest[i]]++;
    for (uint32_t j = 0; j < d; j++)
      sum[j] += point[j];
  }
  int missing = 1, taken = 0;
  for (uint32_t k = 0; k < job->clusters; k++) {
    float *sum = job->sums + (size_t)k * d;
    if (job->sizes[k] > 0) {
      for (uint32_t j = 0; j < d; j++)
        sum[j] /= (float)job->sizes[k];
      set_centroid(job, k, sum, centroids);
    } else if (missing) {
      missing = take_farthest(job, k, centroids);
      taken |= missing;
    }
  }
  return taken;
}

void mn_kmeans_run(mn_kmeans *job, const uint64_t *seed, uint32_t iterations,
                   float *centroids) {
  if (seed != NULL)
    seed_centroids(job, *seed, centroids);
  /* No cluster's number, so that every point counts as changed. */
  for (uint32_t i = 0; i < job->count; i++)
    job->nearest[i] = job->clusters;
  int moving = 1;
  for (uint32_t t = 0; t < iterations && moving; t++) {
    moving = assign(job, centroids);
    moving |= update(job, centroids);
  }
}
