/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clusters of about equal size: k-means, and then more of it in which a
 * centroid whose cluster is too large is made to look farther away.
 *
 * What is added to a centroid's squared distances is its lift. Clusters of
 * equal size that lose least are the cells of nearest centroids for some lifts
 * (a power diagram; Aurenhammer, Hoffmann and Aronov, "Minkowski-type theorems
 * and least-squares clustering", Algorithmica 1998, section 4); steps along
 * (size / mean size - 1) climb towards these, and a few of them leave the sizes
 * even enough. Since a lift stays with its centroid, vectors that come later
 * are shared out as evenly as those of the sample.
 */
#ifndef MN_BALANCE_H
#define MN_BALANCE_H

#include "../minnow.h"

typedef struct mn_centroids {
  uint32_t count, dimensions;
  float *rows;  /* one behind the other */
  float *norms; /* their squared norms */
  float *lifts; /* at least 0; one of them is 0 */
} mn_centroids;

static inline float *mn_centroid_row(const mn_centroids *centroids,
                                     uint32_t k) {
  return centroids->rows + (size_t)k * centroids->dimensions;
}

typedef struct mn_balance {
  const struct mn_kernels *kernels;
  mn_centroids found;
  int unit; /* centroids are normalised */
  uint32_t count;
  const float *points; /* as many rows */

  /* Scratch: the cluster of each point and its distance, less the point's
   * squared norm; the points in each cluster; some centroids by columns. */
  uint32_t *nearest;
  float *distances;
  uint32_t *sizes;
  float *columns;
} mn_balance;

/* 0 where memory is short. */
int mn_balance_allocate(mn_balance *job, mn_arena *scratch);

/* Needs no fewer points than centroids. The same points and seed give the same
 * centroids on every target. O(points * centroids * dimensions). */
void mn_balance_run(mn_balance *job, uint64_t seed);

/* The number of the centroid to which this vector is nearest with lifts, the
 * smallest number among equals. */
uint32_t mn_centroid_nearest(const struct mn_kernels *kernels,
                             const mn_centroids *centroids,
                             const float *vector);

/* The squared distance, without lift, less the vector's squared norm. */
float mn_centroid_distance(const struct mn_kernels *kernels,
                           const mn_centroids *centroids, uint32_t k,
                           const float *vector);

#endif
