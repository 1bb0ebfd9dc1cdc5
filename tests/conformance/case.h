/* SPDX-License-Identifier: Apache-2.0 */
/* A case of the list, and what runs it: see README.md. */
#ifndef CASE_H
#define CASE_H

#include "../../core/minnow.h"
#include "generator.h"

#include <stdio.h>

typedef struct test_case {
  const char *name, *spec, *data, *keys, *how, *change, *filter, *search;
  mn_options options;
  uint32_t n, train, queries, k, ef, seed;
} test_case;

typedef struct runner {
  uint32_t features;
  const char *folder;
  mn_arena arena;
  mn_arena other; /* for a second index */
  float *rows;    /* the case's n vectors, its queries, and 2 n rows that
                     changes take */
  uint64_t *keys; /* of all of them; NULL: default keys */
  mn_index index;
} runner;

#define TRY(expression)                                                        \
  do {                                                                         \
    mn_status try_status = (expression);                                       \
    if (try_status != MN_OK)                                                   \
      return try_status;                                                       \
  } while (0)

/* The number behind a word of a column, or 0. */
double case_option(const char *column, const char *word);

static inline mn_vectors case_view(const runner *r, uint32_t first,
                                   uint32_t count) {
  const uint32_t dimensions = r->index.options.dimensions;
  return (mn_vectors){r->rows + (size_t)first * dimensions, count, dimensions};
}

static inline uint64_t case_key(const runner *r, uint32_t row) {
  return r->keys ? gen_key(row) : row; /* there need not be such a row */
}

/* The row of a key. */
static inline uint32_t case_row(const runner *r, uint64_t key) {
  return (uint32_t)(r->keys ? key >> 32 : key);
}

/* The index as the columns up to `change` have it, packed or not, and sealed;
 * what changes report goes into `answers`. */
mn_status case_build(runner *r, const test_case *c, gen_hash *answers);

/* What the column `change` says. */
mn_status case_change(runner *r, const test_case *c, gen_hash *answers);

/* Asks what the columns from `queries` on say. Hits go to `file` too, unless it
 * is NULL. */
mn_status case_ask(runner *r, const test_case *c, gen_hash *answers,
                   FILE *file);

void case_hash_recall(gen_hash *hash, const mn_recall *recall);

#endif
