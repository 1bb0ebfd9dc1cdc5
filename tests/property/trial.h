/* SPDX-License-Identifier: Apache-2.0 */
/* An index under test beside its model, and searches of it that are held
 * against the model's. */
#ifndef TRIAL_H
#define TRIAL_H

#include "../unit/test.h"
#include "model.h"

#define ROWS_MAX     80u
#define MEMORY_BYTES ((size_t)1 << 20)

/* --- Numbers -------------------------------------------------------------- */

static uint32_t state;

static uint32_t draw(uint32_t below) {
  state = state * 1664525u + 1013904223u;
  return (uint32_t)(((uint64_t)state * below) >> 32);
}

static void draw_row(float *row) {
  for (int j = 0; j < MODEL_D; j++)
    row[j] = (float)draw(5) - 2;
}

/* --- The index under test ------------------------------------------------- */

typedef struct trial {
  uint8_t *memory[2]; /* of the block, and of its copy */
  uint8_t *scratch_memory;
  mn_arena block, scratch;
  mn_index index;
  model model;
  const char *wrong; /* what is not so; NULL: nothing */
} trial;

static void expect(trial *t, int holds, const char *what) {
  if (!holds && t->wrong == NULL)
    t->wrong = what;
}

static uint64_t hash_of(const mn_index *index) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < index->block_bytes; i++)
    hash = (hash ^ index->block[i]) * 0x100000001b3u;
  return hash;
}

static void check_index(trial *t) {
  mn_index again;
  expect(t, mn_index_info(&t->index).count == t->model.count, "count");
  expect(t,
         mn_index_open(&again, t->index.block, t->index.block_bytes) == MN_OK,
         "the block opens");
  expect(t, mn_index_verify(&t->index) == MN_OK, "the block verifies");
  expect(t, t->scratch.used == 0, "scratch is given back");
}

/* --- Rows ------------------------------------------------------------------
 */

typedef struct rows {
  uint64_t keys[ROWS_MAX];
  float data[ROWS_MAX * MODEL_D];
  uint32_t count;
} rows;

/* Mostly keys in a run, which are all there or not; now and then any. */
static void draw_rows(rows *r) {
  const uint32_t from = draw(MODEL_KEYS), step = draw(4) == 0 ? 7 : 1;
  const uint32_t few = draw(2) ? 5 : ROWS_MAX;
  r->count = draw(few + 1);
  for (uint32_t i = 0; i < r->count; i++) {
    r->keys[i] = draw(40) ? (from + i * step) % MODEL_KEYS : draw(MODEL_KEYS);
    draw_row(r->data + i * MODEL_D);
  }
}

/* --- Search --------------------------------------------------------------- */

typedef struct question {
  float vector[MODEL_D];
  uint8_t passes[MODEL_KEYS];
  uint32_t bits[64]; /* the same by slot */
  mn_query query;
} question;

static void draw_question(const mn_index *index, question *q) {
  memset(q, 0, sizeof *q);
  draw_row(q->vector);
  q->query = (mn_query){.vector = q->vector,
                        .dimensions = MODEL_D,
                        .k = 1 + draw(MODEL_K),
                        .ef = draw(2) ? 0 : 1 + draw(20),
                        .gamma = draw(2) || index->options.metric == MN_IP
                                     ? 0
                                     : (float)(1 + draw(40)) / 100,
                        .plan = (mn_plan_kind)draw(MN_PLAN_POST + 1)};
  const uint32_t share = draw(4); /* 0: no filter */
  for (uint32_t key = 0; key < MODEL_KEYS; key++)
    q->passes[key] = share == 0 || draw(share * share) == 0;
  if (share == 0)
    return;
  q->query.filter = q->bits;
  for (uint32_t key = 0; key < MODEL_KEYS; key++) {
    uint32_t slot;
    if (q->passes[key] && mn_index_find(index, key, &slot) == MN_OK)
      q->bits[slot / 32] |= 1u << slot % 32;
  }
  /* Bits of slots without a vector mean nothing. */
  for (uint32_t slot = 0; slot < mn_index_info(index).slots; slot++) {
    uint32_t at;
    if (mn_index_find(index, index->keys[slot], &at) != MN_OK || at != slot)
      q->bits[slot / 32] |= 1u << slot % 32;
  }
}

static void check_hit(trial *t, const question *q, const mn_hit *hit) {
  uint32_t slot;
  const int is_key = hit->key < MODEL_KEYS && t->model.has[hit->key];
  expect(t, is_key, "a hit is there");
  if (!is_key)
    return;
  expect(t, q->passes[hit->key], "a hit passes the filter");
  expect(t,
         hit->distance ==
             model_distance(&t->model, (uint32_t)hit->key, q->vector),
         "its distance");
  expect(t,
         mn_index_find(&t->index, hit->key, &slot) == MN_OK &&
             slot == hit->slot,
         "its slot");
}

static void search(trial *t) {
  question q;
  mn_hit hits[MODEL_K];
  model_hit best[MODEL_KEYS];
  uint32_t found = 0;
  mn_stats stats;
  draw_question(&t->index, &q);
  q.query.stats = &stats;
  expect(t,
         mn_index_search(&t->index, &q.query, hits, &found, &t->scratch) ==
             MN_OK,
         "search");
  const uint32_t matches = model_search(&t->model, q.vector, q.passes, best);
  const uint32_t wanted = matches < q.query.k ? matches : q.query.k;
  expect(t, found == wanted, "k means k");
  for (uint32_t i = 0; i < found; i++) {
    check_hit(t, &q, &hits[i]);
    if (stats.exact && i < wanted)
      expect(t, hits[i].key == best[i].key, "a scan is exact");
    if (i > 0)
      expect(t,
             hits[i - 1].distance < hits[i].distance ||
                 (hits[i - 1].distance == hits[i].distance &&
                  hits[i - 1].key < hits[i].key),
             "hits are in order");
  }
}

#endif
