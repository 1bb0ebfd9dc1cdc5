/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deletes and replacements, the same for every library: which rows of a set go
 * and come, and what searches should then find. Half of all rows, drawn at
 * random, are deleted; and in ten rounds a fifth of an index of four fifths of
 * the rows is replaced by rows that are not in it.
 */
#ifndef BENCH_CHANGE_H
#define BENCH_CHANGE_H

#include "recall.h"

enum { BENCH_ROUNDS = 10 };

typedef struct bench_change {
  const bench_set *set;
  const double *truth;
  const uint32_t *nearest; /* BENCH_TRUTH rows by query */
  uint8_t *is_in;          /* by row */
  uint32_t *gone, *come;   /* rows of the last step */
} bench_change;

typedef struct bench_found {
  uint64_t hits, distances, short_of_k; /* searches that found fewer than k */
} bench_found;

static inline bench_change bench_change_of(const bench_set *set) {
  bench_change c;
  c.set = set;
  c.truth = bench_truth(set);
  c.nearest = (const uint32_t *)bench_read(
      set, ".truth.u32", (size_t)set->queries * BENCH_TRUTH * sizeof(uint32_t));
  c.is_in = (uint8_t *)malloc(set->n);
  c.gone = (uint32_t *)malloc(set->n * sizeof(uint32_t));
  c.come = (uint32_t *)malloc(set->n * sizeof(uint32_t));
  if (!c.is_in || !c.gone || !c.come)
    bench_fail("no memory");
  memset(c.is_in, 1, set->n);
  return c;
}

static inline uint32_t bench_draw(uint32_t below) {
  static uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33) % below;
}

/* Of all rows, half go: `gone`. Says how many. */
static inline uint32_t bench_halve(bench_change *c) {
  uint32_t deleted = 0;
  memset(c->is_in, 1, c->set->n);
  while (deleted < c->set->n / 2) {
    const uint32_t row = bench_draw(c->set->n);
    if (!c->is_in[row])
      continue;
    c->is_in[row] = 0;
    c->gone[deleted++] = row;
  }
  return deleted;
}

/* The first four fifths are in. Says what a fifth of them is. */
static inline uint32_t bench_begin_rounds(bench_change *c) {
  const uint32_t in = c->set->n / 5 * 4;
  memset(c->is_in, 0, c->set->n);
  memset(c->is_in, 1, in);
  return in / 5;
}

/* `count` rows that are in go, and as many that were not come. */
static inline void bench_replace(bench_change *c, uint32_t count) {
  for (uint32_t i = 0; i < count;) {
    const uint32_t row = bench_draw(c->set->n);
    if (c->is_in[row] != 1)
      continue;
    c->is_in[row] = 2; /* it does not come back at once */
    c->gone[i++] = row;
  }
  for (uint32_t i = 0; i < count;) {
    const uint32_t row = bench_draw(c->set->n);
    if (c->is_in[row] != 0)
      continue;
    c->is_in[row] = 1;
    c->come[i++] = row;
  }
  for (uint32_t i = 0; i < count; i++)
    c->is_in[c->gone[i]] = 0;
}

/* What it is called after this round, or NULL if nothing is said then. */
static inline const char *bench_reports(uint32_t round) {
  if (round == 0)
    return "a fifth replaced";
  if (round == 4)
    return "a fifth, 5 times";
  return round == BENCH_ROUNDS - 1 ? "a fifth, 10 times" : NULL;
}

/* The distance of the tenth nearest row that is in. */
static inline double bench_limit(const bench_change *c, uint32_t q) {
  const size_t at = (size_t)q * BENCH_TRUTH;
  uint32_t in = 0;
  for (uint32_t i = 0; i < BENCH_TRUTH; i++) {
    in += c->is_in[c->nearest[at + i]];
    if (in == BENCH_K)
      return c->truth[at + i];
  }
  bench_fail("too few of the true nearest are left");
  return 0;
}

/* Adds what a search found. */
static inline void bench_judge(const bench_change *c, uint32_t q,
                               const uint32_t *rows, uint32_t count,
                               bench_found *found) {
  const double limit = bench_limit(c, q);
  for (uint32_t i = 0; i < count; i++) {
    if (!c->is_in[rows[i]])
      bench_fail("a deleted vector was found");
    found->hits += bench_distance(c->set, bench_query(c->set, q),
                                  bench_row(c->set, rows[i])) <=
                   limit + 1e-9 * (1 + fabs(limit));
  }
  found->short_of_k += count < BENCH_K;
}

/* The beginning of a line of JSON. */
static inline void bench_say_found(const bench_change *c, const char *what,
                                   const bench_found *found) {
  uint32_t in = 0;
  for (uint32_t row = 0; row < c->set->n; row++)
    in += c->is_in[row];
  const double queries = c->set->queries;
  printf("{\"what\":\"%s\",\"vectors\":%u,\"recall\":%.4f,"
         "\"evaluations\":%.1f,\"short\":%llu",
         what, in, (double)found->hits / queries / BENCH_K,
         (double)found->distances / queries,
         (unsigned long long)found->short_of_k);
}

#endif
