/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters over the rows of a set and what a filtered search should find, for
 * filters.c and the peers that it is compared with. A filter lets a share of
 * all rows through:
 *
 *     random   any
 *     far      of those that are nearer to another of 10 rows (the pivots) than
 *              to the one that the query is nearest to
 *     near     of those that are nearest to the same pivot as the query
 *
 * "near" stops at the share of rows that there are.
 */
#ifndef BENCH_SELECTIONS_H
#define BENCH_SELECTIONS_H

#include "recall.h"

enum { BENCH_PIVOTS = 10, BENCH_FILTERED_QUERIES = 100 };

typedef enum bench_kind {
  BENCH_RANDOM,
  BENCH_FAR,
  BENCH_NEAR,
  BENCH_KINDS
} bench_kind;

static const char *const bench_kind_names[BENCH_KINDS] = {"random", "far",
                                                          "near"};
static const double bench_shares[] = {.5, .2, .1, .05, .02, .01, .001, 0};
enum { BENCH_SHARES = sizeof bench_shares / sizeof *bench_shares };

typedef struct bench_selections {
  uint32_t queries;
  uint8_t *pivot_of;       /* of each row */
  uint8_t *query_pivot_of; /* of each query */
  float *distances;        /* of each query to each row */
  uint32_t *bits;          /* the filter, by row */
  uint32_t matches;
  double limit; /* a match this near or nearer is one of the true ones */
  uint32_t wanted;
} bench_selections;

static uint32_t bench_hash(uint32_t x) {
  x = (x ^ x >> 16) * 0x7feb352du;
  x = (x ^ x >> 15) * 0x846ca68bu;
  return x ^ x >> 16;
}

static uint8_t bench_nearest_pivot(const bench_set *set, const float *vector) {
  uint8_t nearest = 0;
  double least = 0;
  for (uint32_t p = 0; p < BENCH_PIVOTS; p++) {
    const uint32_t row = bench_hash(p + 1) % set->n;
    const double distance = bench_distance(set, vector, bench_row(set, row));
    if (p == 0 || distance < least) {
      least = distance;
      nearest = (uint8_t)p;
    }
  }
  return nearest;
}

/* The rows of the set's queries that are asked, spread over all. */
static inline const float *bench_asked(const bench_set *set,
                                       const bench_selections *s, uint32_t q) {
  return bench_query(set, (uint32_t)((uint64_t)q * set->queries / s->queries));
}

static inline bench_selections bench_select_from(const bench_set *set) {
  bench_selections s;
  memset(&s, 0, sizeof s);
  s.queries = set->queries < BENCH_FILTERED_QUERIES ? set->queries
                                                    : BENCH_FILTERED_QUERIES;
  s.pivot_of = (uint8_t *)malloc(set->n);
  s.query_pivot_of = (uint8_t *)malloc(s.queries);
  s.distances = (float *)malloc(sizeof(float) * set->n * s.queries);
  s.bits = (uint32_t *)malloc((set->n / 32 + 1) * sizeof(uint32_t));
  if (!s.pivot_of || !s.query_pivot_of || !s.distances || !s.bits)
    bench_fail("no memory");
  for (uint32_t i = 0; i < set->n; i++)
    s.pivot_of[i] = bench_nearest_pivot(set, bench_row(set, i));
  for (uint32_t q = 0; q < s.queries; q++) {
    s.query_pivot_of[q] = bench_nearest_pivot(set, bench_asked(set, &s, q));
    for (uint32_t i = 0; i < set->n; i++)
      s.distances[(size_t)q * set->n + i] = (float)bench_distance(
          set, bench_asked(set, &s, q), bench_row(set, i));
  }
  return s;
}

static int bench_is_candidate(const bench_selections *s, bench_kind kind,
                              uint32_t q, uint32_t row) {
  const int is_same = s->pivot_of[row] == s->query_pivot_of[q];
  return kind == BENCH_RANDOM || (kind == BENCH_NEAR) == is_same;
}

/* The distance of the BENCH_K-th match. */
static void bench_find_truth(const bench_set *set, bench_selections *s,
                             uint32_t q) {
  float best[BENCH_K + 1];
  uint32_t count = 0;
  const float *distances = s->distances + (size_t)q * set->n;
  for (uint32_t row = 0; row < set->n; row++) {
    if ((s->bits[row / 32] >> row % 32 & 1) == 0 ||
        (count == BENCH_K && !(distances[row] < best[BENCH_K - 1])))
      continue;
    uint32_t at = count < BENCH_K ? count : BENCH_K - 1;
    for (; at > 0 && best[at - 1] > distances[row]; at--)
      best[at] = best[at - 1];
    best[at] = distances[row];
    count += count < BENCH_K;
  }
  s->wanted = count;
  s->limit = count > 0 ? best[count - 1] : 0;
}

/* Makes the filter of a query, the same in every program, and its truth. */
static inline void bench_select(const bench_set *set, bench_selections *s,
                                bench_kind kind, double share, uint32_t q) {
  uint32_t there = 0;
  for (uint32_t row = 0; row < set->n; row++)
    there += (uint32_t)bench_is_candidate(s, kind, q, row);
  const double keep = there > 0 ? share * set->n / there : 0;
  const double below = keep < 1 ? keep * 4294967296.0 : 4294967296.0;
  memset(s->bits, 0, (set->n / 32 + 1) * sizeof *s->bits);
  s->matches = 0;
  for (uint32_t row = 0; row < set->n; row++)
    if (bench_is_candidate(s, kind, q, row) &&
        bench_hash(row + (q + 1) * 0x9e3779b9u) < below) {
      s->bits[row / 32] |= 1u << row % 32;
      s->matches++;
    }
  bench_find_truth(set, s, q);
}

/* How many of the rows found are among the true ones. */
static inline uint32_t bench_selected(const bench_set *set,
                                      const bench_selections *s, uint32_t q,
                                      const uint32_t *rows, uint32_t found) {
  uint32_t hits = 0;
  for (uint32_t i = 0; i < found; i++) {
    if ((s->bits[rows[i] / 32] >> rows[i] % 32 & 1) == 0)
      bench_fail("a row was found that the filter does not let through");
    hits += s->distances[(size_t)q * set->n + rows[i]] <= s->limit;
  }
  return hits < s->wanted ? hits : s->wanted;
}

#endif
