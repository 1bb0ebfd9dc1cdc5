/* SPDX-License-Identifier: Apache-2.0 */
/* An index over memory of its own, its data, and a witness that a refused
 * call changed nothing. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "../conformance/generator.h"
#include "test.h"

#include <stdlib.h>

#define FIXTURE_BYTES ((size_t)24 << 20)

typedef struct fixture {
  uint8_t *memory;
  mn_arena arena;
  mn_index index;
  mn_options options;
} fixture;

static inline mn_options fixture_options(const char *spec, mn_metric metric,
                                         uint32_t dimensions) {
  mn_options options = {.dimensions = dimensions,
                        .metric = metric,
                        .ef_construction = 64,
                        .seed = 7};
  CHECK_OK(mn_options_parse(&options, spec, strlen(spec), NULL));
  return options;
}

/* An empty index. */
static inline fixture fixture_create(const char *spec, mn_metric metric,
                                     uint32_t dimensions, uint32_t capacity) {
  fixture f = {.memory = malloc(FIXTURE_BYTES)};
  f.options = fixture_options(spec, metric, dimensions);
  f.arena = mn_arena_over(f.memory, FIXTURE_BYTES);
  CHECK_OK(mn_index_create(&f.index, &f.options, capacity, &f.arena));
  return f;
}

static inline void fixture_free(fixture *f) {
  free(f->memory);
}

/* Rows of generated data; the caller frees them. */
static inline float *fixture_rows(const char *kind, uint32_t first,
                                  uint32_t count, uint32_t dimensions) {
  float *rows = malloc((size_t)count * dimensions * sizeof *rows);
  gen_rows(rows, kind, 1, first, count, dimensions);
  return rows;
}

static inline mn_vectors fixture_view(const float *rows, uint32_t count,
                                      uint32_t dimensions) {
  return (mn_vectors){rows, count, dimensions};
}

static inline mn_status fixture_add(fixture *f, const uint64_t *keys,
                                    const float *rows, uint32_t count) {
  mn_vectors vectors = {rows, count, f->options.dimensions};
  return mn_index_add(&f->index, keys, &vectors, NULL, &f->arena);
}

/* Trains on these rows, where there is anything to train. */
static inline void fixture_train(fixture *f, const float *rows,
                                 uint32_t count) {
  const mn_vectors sample = {rows, count, f->options.dimensions};
  if (!mn_index_info(&f->index).trained)
    CHECK_OK(mn_index_train(&f->index, &sample, &f->arena));
}

/* An index filled with `count` rows under default keys. */
static inline fixture fixture_filled(const char *spec, mn_metric metric,
                                     uint32_t dimensions, const char *kind,
                                     uint32_t count) {
  fixture f = fixture_create(spec, metric, dimensions, count);
  float *rows = fixture_rows(kind, 0, count, dimensions);
  fixture_train(&f, rows, count);
  CHECK_OK(fixture_add(&f, NULL, rows, count));
  free(rows);
  return f;
}

static inline mn_status fixture_search(fixture *f, const float *vector,
                                       uint32_t k, uint32_t ef, mn_hit *hits,
                                       uint32_t *found, mn_stats *stats) {
  mn_query query = {.vector = vector,
                    .dimensions = f->options.dimensions,
                    .k = k,
                    .ef = ef,
                    .stats = stats};
  return mn_index_search(&f->index, &query, hits, found, &f->arena);
}

static inline mn_status fixture_reconstruct(fixture *f, uint64_t key,
                                            float *vector) {
  return mn_index_reconstruct(&f->index, key, vector, f->options.dimensions,
                              &f->arena);
}

/* The bytes of a core section, which may be changed. */
static inline uint8_t *fixture_section(const fixture *f, uint32_t name,
                                       size_t *bytes) {
  const void *data = f->index.block;
  *bytes = 0;
  CHECK_OK(mn_index_section(&f->index, name, &data, bytes));
  return f->index.block + ((const uint8_t *)data - f->index.block);
}

/* It can be opened again, and is as it should be. */
static inline void fixture_check_sound(const fixture *f) {
  mn_index again;
  CHECK_OK(mn_index_open(&again, f->index.block, f->index.block_bytes));
  CHECK_OK(mn_index_verify(&f->index));
}

static inline int fixture_has(const fixture *f, uint64_t key) {
  uint32_t slot;
  return mn_index_find(&f->index, key, &slot) == MN_OK;
}

static inline uint64_t hash_of(const void *data, size_t bytes) {
  gen_hash hash = gen_hash_start();
  gen_hash_bytes(&hash, data, bytes);
  return gen_hash_end(hash);
}

/* --- Witness -------------------------------------------------------------- */

typedef struct witness {
  mn_index index;
  size_t used;
  uint64_t block;
} witness;

static inline witness witness_take(const fixture *f) {
  witness w = {.used = f->arena.used,
               .block = hash_of(f->index.block, f->index.block_bytes)};
  memcpy(&w.index, &f->index, sizeof w.index);
  return w;
}

static inline int witness_agrees(const witness *w, const fixture *f) {
  return memcmp(&w->index, &f->index, sizeof w->index) == 0 &&
         w->used == f->arena.used &&
         w->block == hash_of(f->index.block, f->index.block_bytes);
}

/* The call is refused with this status, and changes nothing. */
#define CHECK_REFUSED(f, call, expected)                                       \
  do {                                                                         \
    witness refused = witness_take(f);                                         \
    CHECK_STATUS(call, expected);                                              \
    CHECK(witness_agrees(&refused, f));                                        \
  } while (0)

#endif
