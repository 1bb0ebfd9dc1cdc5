/* SPDX-License-Identifier: Apache-2.0 */
/* What training wants, refuses and leaves behind; models taken over. */
#include "fixture.h"

#include <math.h>

#define D 12u
#define N 300u

typedef struct need {
  const char *spec;
  uint32_t least;
} need;

static const need needs[] = {
    {"flat,sq8", 1},
    {"flat,sq6", 1},
    {"hnsw4,sq4", 1},
    {"flat,bits1", 1},
    {"flat,bits8", 1},
    {"flat,pq3x4", 16},
    {"flat,pq6x8", 256},
    {"hnsw4,pq3x4+c", 16},
    {"flat,prq3x1x2", 2},
    {"flat,prq2x6x3+c", 64},
    {"flat,pca5,f32", 5},
    {"flat,pca5,pq5x4", 16},
    {"flat,pca12,bits2", 12},
    {"flat,opq,pq3x4", 16},
    {"flat,opq,prq3x4x2+c", 16},
    {"flat,hadamard,sq8", 1},
    {"flat,first5,bits4", 1},
    {"flat,f16,refine=sq8", 1},
    {"flat,pq3x4,refine=bits2", 16},
    {"flat,pca7,bits4,refine=sq6", 7},
};

#define NEEDS ((unsigned)(sizeof needs / sizeof *needs))

#define MODEL MN_SECTION('M', 'O', 'D', 'L')

static mn_status train(fixture *f, const float *rows, uint32_t count) {
  const mn_vectors sample = {rows, count, D};
  return mn_index_train(&f->index, &sample, &f->arena);
}

/* --- Refusals ------------------------------------------------------------- */

/* One vector too few is refused, and says what would do; then that does. */
static void test_least(const need *n, mn_metric metric) {
  fixture f = fixture_create(n->spec, metric, D, N);
  float *rows = fixture_rows("uniform", 0, N, D);
  mn_training training;
  CHECK_OK(mn_plan_training(&f.options, N, &training));
  CHECK_EQUAL(training.least, n->least);
  CHECK(training.enough >= training.least);
  CHECK_REFUSED(&f, train(&f, rows, n->least - 1), MN_ERROR_SAMPLE);
  CHECK_REFUSED(&f, train(&f, rows, 0), MN_ERROR_SAMPLE);
  CHECK_REFUSED(&f, fixture_add(&f, NULL, rows, 1), MN_ERROR_UNTRAINED);
  CHECK_EQUAL(mn_index_info(&f.index).trained, 0);
  CHECK_OK(train(&f, rows, n->least));
  CHECK_EQUAL(mn_index_info(&f.index).trained, 1);
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_REFUSED(&f, train(&f, rows, N), MN_ERROR_TRAINED);
  CHECK_OK(fixture_add(&f, NULL, rows, N));
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_REFUSED(&f, train(&f, rows, N), MN_ERROR_TRAINED);
  free(rows);
  fixture_free(&f);
}

/* Whatever part of the scratch is there, it is all or nothing. */
static void test_scratch(const need *n) {
  fixture f = fixture_create(n->spec, MN_L2, D, 1);
  float *rows = fixture_rows("clustered", 0, n->least + 9, D);
  const mn_vectors sample = {rows, n->least + 9, D};
  mn_training training;
  CHECK_OK(mn_plan_training(&f.options, sample.count, &training));
  uint8_t *memory = aligned_alloc(64, training.scratch_bytes);
  size_t step = training.scratch_bytes / 64 / 50 * 64 + 64;
  for (size_t bytes = 0; bytes < training.scratch_bytes; bytes += step) {
    mn_arena scratch = mn_arena_over(memory, bytes);
    CHECK_REFUSED(&f, mn_index_train(&f.index, &sample, &scratch),
                  MN_ERROR_ARENA);
    CHECK_EQUAL(scratch.used, 0);
  }
  mn_arena scratch = mn_arena_over(memory, training.scratch_bytes - 64);
  CHECK_REFUSED(&f, mn_index_train(&f.index, &sample, &scratch),
                MN_ERROR_ARENA);
  scratch = mn_arena_over(memory, training.scratch_bytes);
  CHECK_OK(mn_index_train(&f.index, &sample, &scratch));
  free(memory);
  free(rows);
  fixture_free(&f);
}

/* A bad row anywhere in the sample, and in a sealed index: nothing changes. */
static void test_bad_rows(const need *n) {
  const float bad[] = {NAN, INFINITY, -INFINITY, 0x1p63f};
  fixture f = fixture_create(n->spec, MN_COSINE, D, 1);
  float *rows = fixture_rows("uniform", 0, N, D);
  CHECK_OK(mn_index_seal(&f.index));
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
    for (uint32_t row = 0; row < N; row += N - 1) {
      const float kept = rows[row * D + 3];
      rows[row * D + 3] = bad[i];
      CHECK_REFUSED(&f, train(&f, rows, N), MN_ERROR_NOT_FINITE);
      rows[row * D + 3] = kept;
    }
  memset(rows + (N - 1) * D, 0, D * sizeof *rows);
  CHECK_REFUSED(&f, train(&f, rows, N), MN_ERROR_ZERO_VECTOR);
  const mn_vectors wide = {rows, 1, D + 1}, none = {NULL, 1, D};
  CHECK_REFUSED(&f, mn_index_train(&f.index, &wide, &f.arena),
                MN_ERROR_DIMENSIONS);
  CHECK_REFUSED(&f, mn_index_train(&f.index, &none, &f.arena),
                MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_train(&f.index, &wide, NULL), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_train(NULL, &wide, &f.arena), MN_ERROR_ARGUMENT);
  CHECK_EQUAL(mn_index_info(&f.index).sealed, 1);
  CHECK_OK(train(&f, rows, N - 1));
  CHECK_EQUAL(mn_index_info(&f.index).sealed, 0);
  mn_index read_only;
  CHECK_OK(mn_index_open(&read_only, f.index.block, f.index.block_bytes));
  const mn_vectors sample = {rows, N - 1, D};
  CHECK_STATUS(mn_index_train(&read_only, &sample, &f.arena),
               MN_ERROR_READ_ONLY);
  free(rows);
  fixture_free(&f);
}

/* Untrained, an index is empty, and no codec. */
static void test_untrained(const need *n, mn_metric metric) {
  fixture f = fixture_create(n->spec, metric, D, 3);
  float row[D];
  uint8_t code[4 * D + 64] = {0};
  const mn_vectors vectors = {row, 1, D};
  gen_rows(row, "uniform", 1, 0, 1, D);
  mn_hit hit;
  uint32_t found = 9, bad = 77;
  float distance = 0;
  CHECK_OK(fixture_search(&f, row, 1, 0, &hit, &found, NULL));
  CHECK_EQUAL(found, 0);
  CHECK_REFUSED(&f, mn_index_append(&f.index, NULL, &vectors, &bad, &f.arena),
                MN_ERROR_UNTRAINED);
  CHECK_REFUSED(&f, mn_index_encode(&f.index, &vectors, code, &bad, &f.arena),
                MN_ERROR_UNTRAINED);
  CHECK_REFUSED(&f, mn_index_decode(&f.index, code, 1, row, &f.arena),
                MN_ERROR_UNTRAINED);
  CHECK_REFUSED(
      &f, mn_index_compare(&f.index, row, D, code, 1, &distance, &f.arena),
      MN_ERROR_UNTRAINED);
  CHECK_REFUSED(&f, mn_index_between(&f.index, code, code, &distance, &f.arena),
                MN_ERROR_UNTRAINED);
  CHECK_EQUAL(bad, 77);
  CHECK_OK(mn_index_verify(&f.index));
  /* What it has not learnt is 0. */
  size_t bytes;
  uint8_t *model = fixture_section(&f, MODEL, &bytes);
  for (size_t at = 0; at < bytes; at += bytes / 3 + 1) {
    model[at] = 1;
    CHECK_STATUS(mn_index_verify(&f.index), MN_ERROR_CORRUPT);
    model[at] = 0;
  }
  fixture_free(&f);
}

/* --- What is learnt ------------------------------------------------------- */

/* The encoding learns from what the transform leaves, refine from the vectors
 * themselves: as indexes without either do. */
static void test_composition(void) {
  fixture whole = fixture_create("flat,first5,sq8,refine=bits2", MN_L2, D, 1);
  fixture fine = fixture_create("flat,bits2", MN_L2, D, 1);
  fixture first = fixture_create("flat,sq8", MN_L2, 5, 1);
  float *rows = fixture_rows("uniform", 0, N, D);
  float *five = malloc(N * 5 * sizeof *five);
  for (uint32_t i = 0; i < N; i++)
    memcpy(five + i * 5, rows + i * D, 5 * sizeof *five);
  fixture_train(&whole, rows, N);
  fixture_train(&fine, rows, N);
  fixture_train(&first, five, N);
  CHECK(!memcmp(whole.index.codec.model, first.index.codec.model, 8 * 5));
  CHECK(!memcmp(whole.index.fine.model, fine.index.codec.model, 4 * D));
  free(five);
  free(rows);
  fixture_free(&whole);
  fixture_free(&fine);
  fixture_free(&first);
}

/* The same bytes from every kernel, and other bytes from another seed where
 * the seed has a say. */
static void test_same(const need *n, mn_metric metric) {
  fixture a = fixture_create(n->spec, metric, D, 1);
  fixture b = fixture_create(n->spec, metric, D, 1);
  float *rows = fixture_rows("clustered", 0, N, D);
  mn_index_use_features(&b.index, 0);
  fixture_train(&a, rows, N);
  fixture_train(&b, rows, N);
  CHECK_EQUAL(hash_of(a.index.block, a.index.block_bytes),
              hash_of(b.index.block, b.index.block_bytes));
  free(rows);
  fixture_free(&a);
  fixture_free(&b);
}

/* --- Models taken over ---------------------------------------------------- */

static void test_set_model(const need *n, mn_metric metric) {
  fixture from = fixture_create(n->spec, metric, D, 5);
  fixture to = fixture_create(n->spec, metric, D, 5);
  float *rows = fixture_rows("uniform", 0, N, D);
  size_t bytes;
  const uint8_t *model = fixture_section(&from, MODEL, &bytes);
  fixture_train(&from, rows, N);
  CHECK_REFUSED(&to, mn_index_set_model(&to.index, model, bytes - 1),
                MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&to, mn_index_set_model(&to.index, model, bytes + 1),
                MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&to, mn_index_set_model(&to.index, NULL, bytes),
                MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_set_model(NULL, model, bytes), MN_ERROR_ARGUMENT);
  CHECK_OK(mn_index_seal(&to.index));
  mn_index read_only;
  CHECK_OK(mn_index_open(&read_only, to.index.block, to.index.block_bytes));
  CHECK_STATUS(mn_index_set_model(&read_only, model, bytes),
               MN_ERROR_READ_ONLY);
  CHECK_OK(mn_index_set_model(&to.index, model, bytes));
  CHECK_REFUSED(&to, mn_index_set_model(&to.index, model, bytes),
                MN_ERROR_TRAINED);
  CHECK(mn_index_info(&to.index).trained && !mn_index_info(&to.index).sealed);
  CHECK_OK(fixture_add(&to, NULL, rows, 5));
  CHECK_OK(fixture_add(&from, NULL, rows, 5));
  CHECK_EQUAL(hash_of(from.index.block, from.index.block_bytes),
              hash_of(to.index.block, to.index.block_bytes));
  free(rows);
  fixture_free(&from);
  fixture_free(&to);
}

/* One number of a model is no number, or too large: it is refused. */
static void test_hostile_model(const need *n) {
  static const float bad[] = {NAN, INFINITY, -INFINITY, 0x1p100f};
  fixture f = fixture_create(n->spec, MN_L2, D, 1);
  fixture from = fixture_create(n->spec, MN_L2, D, 1);
  float *rows = fixture_rows("uniform", 0, N, D);
  fixture_train(&from, rows, N);
  size_t bytes;
  uint8_t *model = fixture_section(&from, MODEL, &bytes);
  const size_t step = bytes / 4 / 200 + 1;
  for (size_t i = 0; i < bytes / 4; i += step) {
    float kept;
    memcpy(&kept, model + 4 * i, 4);
    if (!(fabsf(kept) > 0)) /* perhaps filling between the parts */
      continue;
    for (unsigned b = 0; b < 4; b++) {
      memcpy(model + 4 * i, &bad[b], 4);
      CHECK_REFUSED(&f, mn_index_set_model(&f.index, model, bytes),
                    MN_ERROR_NOT_FINITE);
      /* In a block, verifying finds it. */
      CHECK_STATUS(mn_index_verify(&from.index), MN_ERROR_CORRUPT);
    }
    memcpy(model + 4 * i, &kept, 4);
  }
  CHECK_OK(mn_index_verify(&from.index));
  CHECK_OK(mn_index_set_model(&f.index, model, bytes));
  free(rows);
  fixture_free(&from);
  fixture_free(&f);
}

/* There is no model to set where nothing is learnt. */
static void test_no_model(void) {
  static const char *const specs[] = {"flat,f32", "hnsw4,hadamard,f16",
                                      "flat,first5,bf16,refine=f32"};
  for (unsigned s = 0; s < 3; s++) {
    fixture f = fixture_create(specs[s], MN_IP, D, 1);
    const void *data;
    size_t bytes;
    float row[D] = {1};
    CHECK_STATUS(mn_index_section(&f.index, MODEL, &data, &bytes),
                 MN_ERROR_SECTION);
    CHECK_EQUAL(mn_index_info(&f.index).trained, 1);
    CHECK_REFUSED(&f, mn_index_set_model(&f.index, row, 4), MN_ERROR_TRAINED);
    CHECK_REFUSED(&f, train(&f, row, 1), MN_ERROR_TRAINED);
    fixture_free(&f);
  }
}

int main(void) {
  for (unsigned i = 0; i < NEEDS; i++) {
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
      test_least(&needs[i], metric);
      test_untrained(&needs[i], metric);
      test_same(&needs[i], metric);
      test_set_model(&needs[i], metric);
    }
    test_scratch(&needs[i]);
    test_bad_rows(&needs[i]);
    test_hostile_model(&needs[i]);
  }
  test_composition();
  test_no_model();
  return test_report();
}
