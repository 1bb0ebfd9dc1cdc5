/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to an index, step by step: the words of the column `change`. */
#include "case.h"

#include <stdlib.h>

#define TUNE_SAMPLE 30u
#define REPAIR_STEP 50u

/* Rows that a step takes, with room for the case's n. */
typedef struct picked {
  uint32_t count;
  uint32_t *rows;
  uint64_t *keys;
  float *vectors;
} picked;

static int is_there(const runner *r, uint32_t row) {
  uint32_t slot;
  return mn_index_find(&r->index, case_key(r, row), &slot) == MN_OK;
}

/* Rows of which `percent` are drawn, by the number of the step; of them those
 * that are there (1), those that are not (0), or all (-1). */
static void pick(const runner *r, const test_case *c, uint32_t step,
                 uint32_t percent, int there, picked *p) {
  p->count = 0;
  for (uint32_t row = 0; row < c->n; row++)
    if (gen_draw(c->seed + step, row, 0xfffffffdu) % 100 < percent &&
        (there < 0 || is_there(r, row) == there)) {
      p->rows[p->count] = row;
      p->keys[p->count++] = case_key(r, row);
    }
}

/* Their vectors: those of rows that lie `offset` rows on. */
static mn_vectors vectors_of(const runner *r, uint32_t offset, picked *p) {
  const uint32_t d = r->index.options.dimensions;
  for (uint32_t i = 0; i < p->count; i++)
    memcpy(p->vectors + (size_t)i * d,
           r->rows + (size_t)(p->rows[i] + offset) * d, d * sizeof(float));
  return (mn_vectors){p->vectors, p->count, d};
}

static mn_status reserve(runner *r, uint32_t more) {
  const uint32_t needed = mn_index_info(&r->index).slots + more;
  return needed > r->index.capacity
             ? mn_index_resize(&r->index, needed, &r->arena)
             : MN_OK;
}

static mn_status repair(runner *r) {
  for (uint32_t left = 1; left;)
    TRY(mn_index_repair(&r->index, REPAIR_STEP, &left, &r->arena));
  return MN_OK;
}

static mn_status tune(runner *r, const test_case *c, float recall,
                      gen_hash *hash) {
  const mn_query query = {.k = c->k, .ef = c->ef};
  const mn_tuning tuning = {
      .sampling = {.query = &query, .sample = TUNE_SAMPLE},
      .recall = recall,
      .store = 1,
  };
  mn_tuned tuned;
  TRY(mn_index_tune(&r->index, &tuning, &tuned, &r->arena));
  gen_hash_word(hash, tuned.ef);
  gen_hash_word(hash, tuned.nprobe);
  gen_hash_float(hash, tuned.refine_k);
  gen_hash_float(hash, tuned.gamma);
  case_hash_recall(hash, &tuned.recall);
  gen_hash_word(hash, tuned.reached);
  gen_hash_word(hash, tuned.cut);
  gen_hash_word(hash, tuned.stored);
  gen_hash_word(hash, tuned.runs);
  gen_hash_long(hash, tuned.spent);
  return MN_OK;
}

/* --- Merge ---------------------------------------------------------------- */

/* An index of n rows, of which half have keys that the other has too; with the
 * spec behind the word's colon, or the case's own. */
static mn_status make_other(runner *r, const test_case *c, const char *spec,
                            mn_index *other) {
  mn_options options = c->options;
  TRY(mn_options_parse(&options, spec, strlen(spec), NULL));
  TRY(mn_index_create(other, &options, c->n, &r->other));
  mn_index_use_features(other, r->features);
  if (!mn_index_info(other).trained) {
    const mn_vectors sample = case_view(r, 0, c->train);
    TRY(mn_index_train(other, &sample, &r->other));
  }
  const uint32_t first = c->n / 2;
  const mn_vectors rows = case_view(r, c->n + c->queries + first, c->n);
  uint64_t *keys = mn_arena_allocate(&r->other, c->n * sizeof *keys);
  for (uint32_t i = 0; i < c->n; i++)
    keys[i] = case_key(r, first + i);
  return mn_index_add(other, keys, &rows, NULL, &r->other);
}

static mn_status merge(runner *r, const test_case *c, mn_merge_policy policy,
                       const char *spec) {
  mn_index other;
  mn_merging merging;
  TRY(make_other(r, c, *spec == ':' ? spec + 1 : c->spec, &other));
  TRY(mn_plan_merge(&r->index, &other, policy, &merging));
  if (merging.capacity > r->index.capacity)
    TRY(mn_index_resize(&r->index, merging.capacity, &r->arena));
  return mn_index_merge(&r->index, &other, policy, NULL, &r->arena);
}

/* --- Steps ---------------------------------------------------------------- */

/* The words that store rows: all that are not there, or `percent` of those that
 * are there, or of all, with vectors of other rows. */
static const struct storing {
  const char *word;
  int there, is_fresh;
  mn_status (*store)(mn_index *index, const uint64_t *keys,
                     const mn_vectors *vectors, uint32_t *bad_row,
                     mn_arena *scratch);
} storings[] = {
    {"add", 0, 0, mn_index_add},
    {"update=", 1, 1, mn_index_update},
    {"upsert=", -1, 1, mn_index_upsert},
};

static int begins(const char *word, const char *with) {
  return strncmp(word, with, strlen(with)) == 0;
}

static mn_status store(runner *r, const test_case *c, uint32_t step,
                       const char *word, picked *p) {
  const struct storing *how = storings;
  const struct storing *end = how + sizeof storings / sizeof *how;
  while (how < end && !begins(word, how->word))
    how++;
  if (how == end)
    return MN_ERROR_SPEC;
  const char *percent = word + strlen(how->word);
  pick(r, c, step, *percent ? (uint32_t)strtoul(percent, NULL, 10) : 100,
       how->there, p);
  const mn_vectors vectors =
      vectors_of(r, how->is_fresh ? c->n + c->queries : 0, p);
  TRY(reserve(r, p->count));
  return how->store(&r->index, p->keys, &vectors, NULL, &r->arena);
}

static mn_status take_step(runner *r, const test_case *c, uint32_t step,
                           const char *word, picked *p, gen_hash *answers) {
  if (begins(word, "delete=")) {
    pick(r, c, step, (uint32_t)strtoul(word + 7, NULL, 10), 1, p);
    return mn_index_delete(&r->index, p->keys, p->count, NULL);
  }
  if (!strcmp(word, "repair"))
    return repair(r);
  if (begins(word, "tune="))
    return tune(r, c, strtof(word + 5, NULL), answers);
  if (begins(word, "keep"))
    return merge(r, c, MN_MERGE_KEEP, word + 4);
  if (begins(word, "take"))
    return merge(r, c, MN_MERGE_TAKE, word + 4);
  return store(r, c, step, word, p);
}

mn_status case_change(runner *r, const test_case *c, gen_hash *answers) {
  char words[128];
  if (!strcmp(c->change, "-"))
    return MN_OK;
  const size_t row_bytes = c->options.dimensions * sizeof(float);
  picked p = {.rows = malloc((c->n + 1) * sizeof *p.rows),
              .keys = malloc((c->n + 1) * sizeof *p.keys),
              .vectors = malloc((c->n + 1) * row_bytes)};
  mn_status status = p.rows && p.keys && p.vectors ? MN_OK : MN_ERROR_ARENA;
  snprintf(words, sizeof words, "%s", c->change);
  char *word = strtok(words, " ");
  for (uint32_t step = 0; word && status == MN_OK; step++) {
    status = take_step(r, c, step, word, &p, answers);
    word = strtok(NULL, " ");
  }
  free(p.rows);
  free(p.keys);
  free(p.vectors);
  return status;
}
