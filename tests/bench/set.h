/* SPDX-License-Identifier: Apache-2.0 */
/* A data set as data.mjs lays it out, for the programs in C and C++. */
#ifndef BENCH_SET_H
#define BENCH_SET_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BENCH_L2 = 1, BENCH_IP = 2, BENCH_COSINE = 3 };

typedef struct bench_set {
  const char *prefix;
  uint32_t n, queries, dimensions;
  int metric;
  float *base, *query;
} bench_set;

static inline void bench_fail(const char *message) {
  fprintf(stderr, "%s\n", message);
  exit(1);
}

static inline FILE *bench_file(const bench_set *set, const char *suffix,
                               const char *mode) {
  char path[4096];
  snprintf(path, sizeof path, "%s%s", set->prefix, suffix);
  FILE *file = fopen(path, mode);
  if (!file)
    bench_fail(path);
  return file;
}

/* The `bytes` bytes of a file, which must have no fewer. */
static inline void *bench_read(const bench_set *set, const char *suffix,
                               size_t bytes) {
  void *data = malloc(bytes);
  FILE *file = bench_file(set, suffix, "rb");
  if (!data || fread(data, 1, bytes, file) != bytes)
    bench_fail("a data file is too short, or there is no memory for it");
  fclose(file);
  return data;
}

/* argv: PROGRAM PREFIX N QUERIES DIMENSIONS METRIC … */
static inline bench_set bench_open(int argc, char **argv) {
  static const char *const names[] = {"", "l2", "ip", "cosine"};
  bench_set set;
  memset(&set, 0, sizeof set);
  if (argc < 7)
    bench_fail("usage: PROGRAM PREFIX N QUERIES DIMENSIONS METRIC …");
  set.prefix = argv[1];
  set.n = (uint32_t)strtoul(argv[2], NULL, 10);
  set.queries = (uint32_t)strtoul(argv[3], NULL, 10);
  set.dimensions = (uint32_t)strtoul(argv[4], NULL, 10);
  for (int i = 1; i < 4; i++)
    if (strcmp(argv[5], names[i]) == 0)
      set.metric = i;
  if (!set.metric || !set.n || !set.queries || !set.dimensions)
    bench_fail("the description of the data set is not understood");
  size_t row = set.dimensions * sizeof(float);
  set.base = (float *)bench_read(&set, ".base.f32", set.n * row);
  set.query = (float *)bench_read(&set, ".query.f32", set.queries * row);
  return set;
}

static inline const float *bench_row(const bench_set *set, uint32_t i) {
  return set->base + (size_t)i * set->dimensions;
}

static inline const float *bench_query(const bench_set *set, uint32_t i) {
  return set->query + (size_t)i * set->dimensions;
}

/* The distance that recall is judged by: squared l2, minus the inner product,
 * or 1 minus the cosine, in doubles. */
static inline double bench_distance(const bench_set *set, const float *a,
                                    const float *b) {
  double dot = 0, aa = 0, bb = 0, l2 = 0;
  for (uint32_t i = 0; i < set->dimensions; i++) {
    double x = a[i], y = b[i];
    dot += x * y;
    aa += x * x;
    bb += y * y;
    l2 += (x - y) * (x - y);
  }
  if (set->metric == BENCH_L2)
    return l2;
  return set->metric == BENCH_IP ? -dot : 1 - dot / sqrt(aa * bb);
}

#endif
