/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact nearest neighbours by looking at every row.
 *
 *     truth PREFIX N QUERIES DIMENSIONS METRIC K
 *
 * reads PREFIX.base.f32 and PREFIX.query.f32 and writes PREFIX.truth.u32 (K
 * row numbers for each query, nearest first) and PREFIX.truth.f64 (their
 * distances, by bench_distance). A scan in floats picks 2K candidates, which
 * are then put in order in doubles: a float's rounding would have to move a row
 * past K others to be noticed.
 */
#include "set.h"

/* A step small enough for a block of rows to stay in the cache while all
 * queries look at it. */
#define BLOCK_BYTES (256u << 10)

typedef struct candidate {
  double distance;
  uint32_t row;
} candidate;

static int compare(const void *a, const void *b) {
  const candidate *x = (const candidate *)a, *y = (const candidate *)b;
  if (x->distance != y->distance)
    return x->distance < y->distance ? -1 : 1;
  return x->row < y->row ? -1 : 1;
}

static float score(const bench_set *set, const float *a, const float *b,
                   float b_norm2) {
  float sum = 0;
  if (set->metric == BENCH_L2) {
    for (uint32_t i = 0; i < set->dimensions; i++)
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
  }
  for (uint32_t i = 0; i < set->dimensions; i++)
    sum += a[i] * b[i];
  return set->metric == BENCH_IP ? -sum : -sum / sqrtf(b_norm2);
}

/* Keeps the `room` best seen in `list`, whose worst is found by a sort each
 * time twice as many have come together. */
static void offer(candidate *list, uint32_t *held, uint32_t room, float *bound,
                  float distance, uint32_t row) {
  if (distance >= *bound)
    return;
  list[(*held)++] = (candidate){distance, row};
  if (*held < 2 * room)
    return;
  qsort(list, *held, sizeof *list, compare);
  *held = room;
  *bound = (float)list[room - 1].distance;
}

int main(int argc, char **argv) {
  bench_set set = bench_open(argc, argv);
  uint32_t k = (uint32_t)strtoul(argv[6], NULL, 10), room = 2 * k;
  candidate *lists = calloc((size_t)set.queries * 2 * room, sizeof *lists);
  uint32_t *held = calloc(set.queries, sizeof *held);
  float *bounds = malloc(set.queries * sizeof *bounds);
  float *norms = malloc(set.n * sizeof *norms);
  if (!lists || !held || !bounds || !norms || k == 0 || k > set.n)
    bench_fail("truth: no memory, or K is not between 1 and N");
  for (uint32_t q = 0; q < set.queries; q++)
    bounds[q] = FLT_MAX;
  for (uint32_t r = 0; r < set.n; r++) {
    norms[r] = 0;
    for (uint32_t i = 0; i < set.dimensions; i++)
      norms[r] += bench_row(&set, r)[i] * bench_row(&set, r)[i];
  }
  uint32_t step = BLOCK_BYTES / (set.dimensions * (uint32_t)sizeof(float)) + 1;
  for (uint32_t from = 0; from < set.n; from += step) {
    uint32_t to = set.n - from < step ? set.n : from + step;
    for (uint32_t q = 0; q < set.queries; q++)
      for (uint32_t r = from; r < to; r++)
        offer(lists + (size_t)q * 2 * room, held + q, room, bounds + q,
              score(&set, bench_query(&set, q), bench_row(&set, r), norms[r]),
              r);
  }
  FILE *rows = bench_file(&set, ".truth.u32", "wb");
  FILE *distances = bench_file(&set, ".truth.f64", "wb");
  for (uint32_t q = 0; q < set.queries; q++) {
    candidate *list = lists + (size_t)q * 2 * room;
    for (uint32_t i = 0; i < held[q]; i++)
      list[i].distance = bench_distance(&set, bench_query(&set, q),
                                        bench_row(&set, list[i].row));
    qsort(list, held[q], sizeof *list, compare);
    for (uint32_t i = 0; i < k; i++) {
      fwrite(&list[i].row, sizeof list[i].row, 1, rows);
      fwrite(&list[i].distance, sizeof list[i].distance, 1, distances);
    }
  }
  if (fclose(rows) | fclose(distances))
    bench_fail("truth: cannot write");
  return 0;
}
