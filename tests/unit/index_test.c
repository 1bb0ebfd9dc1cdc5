/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller may get wrong: each gives its status and changes nothing. */
#include "fixture.h"

#include <math.h>

#define D 4u

static const float two_rows[2 * D] = {1, 2, 3, 4, 5, 6, 7, 8};

/* An index of three vectors under keys 10, 20, 30, with room for five. */
static fixture three(const char *spec, mn_metric metric) {
  static const float rows[3 * D] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1};
  static const uint64_t keys[3] = {10, 20, 30};
  fixture f = fixture_create(spec, metric, D, 5);
  fixture_train(&f, rows, 3);
  CHECK_OK(fixture_add(&f, keys, rows, 3));
  return f;
}

/* Adding, and appending, these rows is refused on account of row `bad`. */
static void refuse_rows(fixture *f, const uint64_t *keys, const float *rows,
                        uint32_t count, mn_status status, uint32_t bad) {
  mn_vectors vectors = {rows, count, D};
  uint32_t bad_row = 77;
  CHECK_REFUSED(f, mn_index_add(&f->index, keys, &vectors, &bad_row, &f->arena),
                status);
  CHECK_EQUAL(bad_row, bad);
  bad_row = 77;
  CHECK_REFUSED(f,
                mn_index_append(&f->index, keys, &vectors, &bad_row, &f->arena),
                status);
  CHECK_EQUAL(bad_row, bad);
  CHECK_REFUSED(f, mn_index_add(&f->index, keys, &vectors, NULL, &f->arena),
                status);
}

static void test_rows(const char *spec, mn_metric metric) {
  fixture f = three(spec, metric);
  const float bad[] = {NAN, INFINITY, -INFINITY, 0x1p63f, -0x1p100f};
  float rows[2 * D];
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
    for (unsigned at = 0; at < 2 * D; at++) {
      memcpy(rows, two_rows, sizeof rows);
      rows[at] = bad[i];
      refuse_rows(&f, NULL, rows, 2, MN_ERROR_NOT_FINITE, at / D);
    }
  if (metric == MN_COSINE) {
    memcpy(rows, two_rows, sizeof rows);
    memset(rows + D, 0, D * sizeof *rows);
    refuse_rows(&f, NULL, rows, 2, MN_ERROR_ZERO_VECTOR, 1);
    rows[D + 2] = nextafterf(0x1p-63f, 0);
    refuse_rows(&f, NULL, rows, 2, MN_ERROR_ZERO_VECTOR, 1);
  }
  if (f.options.encoding == MN_F16 && metric != MN_COSINE)
    for (int sign = -1; sign <= 1; sign += 2) {
      memcpy(rows, two_rows, sizeof rows);
      rows[D] = 65520.0f * (float)sign;
      refuse_rows(&f, NULL, rows, 2, MN_ERROR_RANGE, 1);
    }
  static const uint64_t there[2] = {40, 20}, twice[2] = {40, 40};
  refuse_rows(&f, there, two_rows, 2, MN_ERROR_DUPLICATE_KEY, 1);
  refuse_rows(&f, twice, two_rows, 2, MN_ERROR_DUPLICATE_KEY, 1);
  static const float three_rows[3 * D] = {1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3};
  refuse_rows(&f, NULL, three_rows, 3, MN_ERROR_CAPACITY, 77);
  mn_vectors wide = {two_rows, 1, D + 1}, none = {two_rows, 0, D};
  CHECK_REFUSED(&f, mn_index_add(&f.index, NULL, &wide, NULL, &f.arena),
                MN_ERROR_DIMENSIONS);
  CHECK_REFUSED(&f, mn_index_append(&f.index, NULL, &wide, NULL, &f.arena),
                MN_ERROR_DIMENSIONS);
  CHECK_REFUSED(&f, mn_index_add(&f.index, NULL, &none, NULL, &f.arena), MN_OK);
  fixture_free(&f);
}

/* The largest and smallest vectors that are still accepted. */
static void test_edges(void) {
  fixture f = fixture_create("flat,f32", MN_L2, 2, 9);
  const float largest[2] = {0x1p62f, -0x1p62f};
  CHECK_OK(fixture_add(&f, NULL, largest, 1));
  const float larger[2] = {0x1p62f, nextafterf(0x1p62f, INFINITY)};
  CHECK_REFUSED(&f, fixture_add(&f, NULL, larger, 1), MN_ERROR_NOT_FINITE);
  const float opposite[2] = {-0x1p62f, 0x1p62f};
  mn_hit hit;
  uint32_t found;
  CHECK_OK(fixture_search(&f, opposite, 1, 0, &hit, &found, NULL));
  CHECK(found == 1 && hit.distance == 0x1p127f);
  fixture_free(&f);
  f = fixture_create("flat,f32", MN_COSINE, 2, 9);
  const float smallest[2] = {0, 0x1p-63f};
  CHECK_OK(fixture_add(&f, NULL, smallest, 1));
  CHECK_OK(fixture_search(&f, smallest, 1, 0, &hit, &found, NULL));
  CHECK(found == 1 && hit.distance == 0);
  fixture_free(&f);
  f = fixture_create("flat,f16", MN_L2, 2, 9);
  const float held[2] = {nextafterf(65520.0f, 0), -65504.0f};
  CHECK_OK(fixture_add(&f, NULL, held, 1));
  fixture_free(&f);
}

/* Default keys go on from the number of vectors, and may meet given ones. */
static void test_default_keys(void) {
  fixture f = fixture_create("flat,f32", MN_L2, D, 9);
  uint64_t key = 2;
  uint32_t slot;
  CHECK_OK(fixture_add(&f, &key, two_rows, 1));
  CHECK_OK(fixture_add(&f, NULL, two_rows, 1));
  CHECK_OK(mn_index_find(&f.index, 1, &slot));
  CHECK_EQUAL(slot, 1);
  refuse_rows(&f, NULL, two_rows, 2, MN_ERROR_DUPLICATE_KEY, 0);
  key = UINT64_MAX;
  CHECK_OK(fixture_add(&f, &key, two_rows, 1));
  CHECK_OK(mn_index_find(&f.index, UINT64_MAX, &slot));
  CHECK_EQUAL(slot, 2);
  fixture_free(&f);
}

/* A search is refused, and leaves everything that it was given alone. */
static void refuse_query(fixture *f, const mn_query *query, mn_status status) {
  mn_hit hits[5], kept[5];
  uint32_t found = 66;
  mn_stats stats, kept_stats;
  mn_query q = *query;
  memset(hits, 0x3c, sizeof hits);
  memcpy(kept, hits, sizeof hits);
  memset(&stats, 0x5b, sizeof stats);
  memcpy(&kept_stats, &stats, sizeof stats);
  q.stats = &stats;
  CHECK_REFUSED(f, mn_index_search(&f->index, &q, hits, &found, &f->arena),
                status);
  CHECK(!memcmp(hits, kept, sizeof hits) && found == 66);
  CHECK(!memcmp(&stats, &kept_stats, sizeof stats));
}

static void test_search_refused(const char *spec, mn_metric metric) {
  fixture f = three(spec, metric);
  float vector[D] = {1, 1, 1, 1};
  const mn_query good = {.vector = vector, .dimensions = D, .k = 5};
  mn_query q = good;
  q.dimensions = D - 1;
  refuse_query(&f, &q, MN_ERROR_DIMENSIONS);
  q = good, q.k = 0;
  refuse_query(&f, &q, MN_ERROR_ARGUMENT);
  q = good, q.k = MN_EF_MAX + 1;
  refuse_query(&f, &q, MN_ERROR_ARGUMENT);
  q = good, q.ef = MN_EF_MAX + 1;
  refuse_query(&f, &q, MN_ERROR_ARGUMENT);
  const float gammas[] = {-0.1f, 17, NAN, INFINITY,
                          metric == MN_IP ? 0.1f : 17};
  for (unsigned i = 0; i < sizeof gammas / sizeof *gammas; i++) {
    q = good, q.gamma = gammas[i];
    refuse_query(&f, &q, MN_ERROR_ARGUMENT);
  }
  q = good, q.vector = NULL;
  refuse_query(&f, &q, MN_ERROR_ARGUMENT);
  const float bad[] = {NAN, INFINITY, -INFINITY, 0x1p63f};
  for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
    vector[2] = bad[i];
    refuse_query(&f, &good, MN_ERROR_NOT_FINITE);
  }
  memset(vector, 0, sizeof vector);
  if (metric == MN_COSINE)
    refuse_query(&f, &good, MN_ERROR_ZERO_VECTOR);
  vector[0] = 1;
  mn_arena full = f.arena;
  f.arena.capacity = f.arena.used;
  refuse_query(&f, &good, MN_ERROR_ARENA);
  f.arena = full;
  mn_hit hits[5];
  uint32_t found = 66;
  CHECK_STATUS(mn_index_search(NULL, &q, hits, &found, &f.arena),
               MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_search(&f.index, NULL, hits, &found, &f.arena),
               MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_search(&f.index, &good, NULL, &found, &f.arena),
               MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_search(&f.index, &good, hits, NULL, &f.arena),
               MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_search(&f.index, &good, hits, &found, NULL),
               MN_ERROR_ARGUMENT);
  CHECK_OK(mn_index_search(&f.index, &good, hits, &found, &f.arena));
  CHECK_EQUAL(found, 3);
  fixture_free(&f);
}

static void test_null(void) {
  fixture f = three("hnsw4,f32", MN_L2);
  mn_index other;
  mn_options *o = &f.options;
  mn_vectors vectors = {NULL, 1, D};
  uint32_t left;
  uint64_t key = 50;
  const void *data;
  CHECK_REFUSED(&f, mn_index_create(NULL, o, 1, &f.arena), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_create(&other, NULL, 1, &f.arena),
                MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_create(&other, o, 1, NULL), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_create(&other, o, 0, &f.arena), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_add(&f.index, &key, &vectors, NULL, &f.arena),
                MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_add(&f.index, &key, NULL, NULL, &f.arena),
                MN_ERROR_ARGUMENT);
  vectors.data = two_rows;
  CHECK_STATUS(mn_index_add(NULL, &key, &vectors, NULL, &f.arena),
               MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_add(&f.index, &key, &vectors, NULL, NULL),
                MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_append(&f.index, &key, &vectors, NULL, NULL),
                MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_train(&f.index, NULL, &f.arena),
                MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_link(NULL, 1, &left, &f.arena), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_find(NULL, 10, &left), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_find(&f.index, 10, NULL), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_reconstruct(&f.index, 10, NULL, D, &f.arena),
               MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_seal(NULL), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_verify(NULL), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_resize(&f.index, 0, &f.arena), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_resize(&f.index, MN_CAPACITY_MAX + 1, &f.arena),
                MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_resize(&f.index, 9, NULL), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_resize(&f.index, 2, &f.arena), MN_ERROR_CAPACITY);
  CHECK_STATUS(mn_index_section(&f.index, 1, &data, NULL), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_open(&other, NULL, 1000), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_index_open(NULL, f.index.block, f.index.block_bytes),
               MN_ERROR_ARGUMENT);
  fixture_free(&f);
}

static void test_keys(void) {
  fixture f = three("flat,f32", MN_L2);
  uint32_t slot = 88;
  float vector[D] = {9, 9, 9, 9};
  CHECK_REFUSED(&f, mn_index_find(&f.index, 11, &slot), MN_ERROR_UNKNOWN_KEY);
  CHECK_EQUAL(slot, 88);
  CHECK_OK(mn_index_find(&f.index, 30, &slot));
  CHECK_EQUAL(slot, 2);
  CHECK_STATUS(fixture_reconstruct(&f, 11, vector), MN_ERROR_UNKNOWN_KEY);
  CHECK_STATUS(mn_index_reconstruct(&f.index, 30, vector, D + 1, &f.arena),
               MN_ERROR_DIMENSIONS);
  CHECK(vector[0] == 9 && vector[3] == 9);
  CHECK_OK(fixture_reconstruct(&f, 30, vector));
  CHECK(vector[0] == 0 && vector[1] == 0 && vector[2] == 1 && vector[3] == 1);
  fixture_free(&f);
}

static void test_training(void) {
  fixture f = fixture_create("flat,sq8", MN_L2, D, 9);
  mn_vectors none = {two_rows, 0, D}, wide = {two_rows, 1, D + 1};
  mn_vectors sample = {two_rows, 2, D};
  float nan_row[D] = {1, NAN, 1, 1};
  mn_vectors not_finite = {nan_row, 1, D};
  CHECK_EQUAL(mn_index_info(&f.index).trained, 0);
  CHECK_REFUSED(&f, fixture_add(&f, NULL, two_rows, 2), MN_ERROR_UNTRAINED);
  CHECK_REFUSED(&f, mn_index_train(&f.index, &none, &f.arena), MN_ERROR_SAMPLE);
  CHECK_REFUSED(&f, mn_index_train(&f.index, &wide, &f.arena),
                MN_ERROR_DIMENSIONS);
  CHECK_REFUSED(&f, mn_index_train(&f.index, &not_finite, &f.arena),
                MN_ERROR_NOT_FINITE);
  mn_hit hit;
  uint32_t found = 5;
  CHECK_OK(fixture_search(&f, two_rows, 1, 0, &hit, &found, NULL));
  CHECK_EQUAL(found, 0);
  CHECK_OK(mn_index_train(&f.index, &sample, &f.arena));
  CHECK_EQUAL(mn_index_info(&f.index).trained, 1);
  CHECK_REFUSED(&f, mn_index_train(&f.index, &sample, &f.arena),
                MN_ERROR_TRAINED);
  CHECK_OK(fixture_add(&f, NULL, two_rows, 2));
  CHECK_REFUSED(&f, mn_index_train(&f.index, &sample, &f.arena),
                MN_ERROR_TRAINED);
  fixture_free(&f);
  f = fixture_create("flat,f16", MN_L2, D, 9);
  CHECK_EQUAL(mn_index_info(&f.index).trained, 1);
  CHECK_REFUSED(&f, mn_index_train(&f.index, &sample, &f.arena),
                MN_ERROR_TRAINED);
  fixture_free(&f);
}

int main(void) {
  static const char *const specs[] = {"flat,f32", "flat,f16", "flat,sq8",
                                      "hnsw4,f32", "hnsw4,bf16"};
  for (unsigned s = 0; s < sizeof specs / sizeof *specs; s++)
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
      test_rows(specs[s], metric);
      test_search_refused(specs[s], metric);
    }
  test_edges();
  test_default_keys();
  test_null();
  test_keys();
  test_training();
  return test_report();
}
