/* SPDX-License-Identifier: Apache-2.0 */
/*
 * k-means: seeding by k-means++ (Arthur and Vassilvitskii, SODA 2007, section
 * 2.2), then Lloyd's iterations. The same points and seed give the same
 * centroids on every target.
 */
#ifndef MN_KMEANS_H
#define MN_KMEANS_H

#include "../minnow.h"

typedef struct mn_kmeans {
  const struct mn_kernels *kernels;
  uint32_t count, dimensions, clusters;

  /* Scratch: the points, which the caller fills in, row by row; by columns;
   * the nearest centroid of each and its squared distance; the sums over each
   * cluster, row by row, and the number of points in it. */
  float *points;
  float *columns;
  uint32_t *nearest;
  float *distances;
  float *sums;
  uint32_t *sizes;
} mn_kmeans;

/* Takes the scratch. 0 where it does not fit. */
int mn_kmeans_room(mn_kmeans *job, mn_arena *scratch);

/* Finds the centroids of the points, by columns as kernels want them: component
 * j of centroid k at centroids[j * clusters + k]. Stops early where nothing
 * moves any more. `seed` NULL: improves the centroids that are there. */
void mn_kmeans_run(mn_kmeans *job, const uint64_t *seed, uint32_t iterations,
                   float *centroids);

/* A number from 0 to below 1, of 24 bits, by the generator SplitMix64 (Steele,
 * Lea and Flood, OOPSLA 2014, figure 13). */
float mn_draw(uint64_t *state);

/* `count * bytes` bytes, or NULL where they do not fit or size_t is too small
 * to say how many they are. */
void *mn_scratch(mn_arena *scratch, uint64_t count, uint64_t bytes);

#endif
