/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting, updating and upserting: what is found afterwards, which slots are
 * used again, what is refused, and that a block depends on what was done and
 * not on how that was divided among calls. */
#include "../../core/block.h"
#include "../../core/structure/graph.h"
#include "fixture.h"

#define D 6u
#define N 300u

static mn_status update(fixture *f, const uint64_t *keys, const float *rows,
                        uint32_t count, uint32_t *bad_row) {
  const mn_vectors vectors = {rows, count, D};
  return mn_index_update(&f->index, keys, &vectors, bad_row, &f->arena);
}

static mn_status upsert(fixture *f, const uint64_t *keys, const float *rows,
                        uint32_t count, uint32_t *bad_row) {
  const mn_vectors vectors = {rows, count, D};
  return mn_index_upsert(&f->index, keys, &vectors, bad_row, &f->arena);
}

/* --- Delete --------------------------------------------------------------- */

/* Every second key goes; the others are all found, in full order, and the
 * nearest of each is itself. */
static void test_delete(const char *spec) {
  static mn_hit hits[N];
  fixture f = fixture_filled(spec, MN_L2, D, "uniform", N);
  float *rows = fixture_rows("uniform", 0, N, D);
  const int is_graph = f.index.options.structure == MN_HNSW;
  uint32_t found;
  for (uint64_t key = 0; key < N; key += 2)
    CHECK_OK(mn_index_delete(&f.index, &key, 1, NULL));
  const mn_info info = mn_index_info(&f.index);
  CHECK_EQUAL(info.count, N / 2);
  CHECK_EQUAL(info.slots, N);
  CHECK_EQUAL(info.dead, is_graph ? 128 : 0);
  CHECK_EQUAL(info.linked, is_graph ? 128 : N / 2);
  fixture_check_sound(&f);
  for (uint32_t key = 0; key < N; key++) {
    CHECK(fixture_has(&f, key) == (key % 2 == 1));
    CHECK_OK(fixture_search(&f, rows + key * D, N, 0, hits, &found, NULL));
    CHECK_EQUAL(found, N / 2);
    for (uint32_t i = 0; i < found; i++)
      CHECK(hits[i].key % 2 == 1 && hits[i].slot == hits[i].key);
    CHECK(key % 2 == 0 || hits[0].key == key);
  }
  free(rows);
  fixture_free(&f);
}

static void test_refused(const char *spec) {
  fixture f = fixture_filled(spec, MN_L2, D, "uniform", N);
  const uint64_t twice[] = {5, 9, 280, 9}, unknown[] = {5, 1000, 6};
  uint32_t bad = 77;
  CHECK_REFUSED(&f, mn_index_delete(&f.index, twice, 4, &bad),
                MN_ERROR_DUPLICATE_KEY);
  CHECK_EQUAL(bad, 3);
  CHECK_REFUSED(&f, mn_index_delete(&f.index, unknown, 3, &bad),
                MN_ERROR_UNKNOWN_KEY);
  CHECK_EQUAL(bad, 1);
  CHECK_REFUSED(&f, mn_index_delete(&f.index, NULL, 1, &bad),
                MN_ERROR_ARGUMENT);
  CHECK_OK(mn_index_delete(&f.index, NULL, 0, NULL));
  CHECK_OK(mn_index_delete(&f.index, twice, 3, NULL));
  CHECK_REFUSED(&f, mn_index_delete(&f.index, twice, 1, &bad),
                MN_ERROR_UNKNOWN_KEY);
  fixture_check_sound(&f);
  fixture_free(&f);
}

/* A failed append gives back reused and new slots alike, to the bit. */
static void test_take_back(const char *spec) {
  fixture f = fixture_create(spec, MN_L2, D, N);
  float *rows = fixture_rows("uniform", 0, N, D);
  const uint64_t gone[] = {3, 199, 50};
  uint64_t keys[8] = {500, 501, 502, 503, 504, 505, 506, 7};
  fixture_train(&f, rows, N);
  CHECK_OK(fixture_add(&f, NULL, rows, 200));
  CHECK_OK(mn_index_delete(&f.index, gone, 3, NULL));
  CHECK_REFUSED(&f, fixture_add(&f, keys, rows, 8), MN_ERROR_DUPLICATE_KEY);
  rows[7 * D] = 0.0f / 0.0f;
  keys[7] = 507;
  CHECK_REFUSED(&f, fixture_add(&f, keys, rows, 8), MN_ERROR_NOT_FINITE);
  keys[7] = 502;
  CHECK_REFUSED(&f, upsert(&f, keys, rows, 8, NULL), MN_ERROR_DUPLICATE_KEY);
  keys[7] = 4;
  CHECK_REFUSED(&f, upsert(&f, keys, rows, 8, NULL), MN_ERROR_NOT_FINITE);
  CHECK_OK(fixture_add(&f, keys, rows, 7));
  fixture_check_sound(&f);
  free(rows);
  fixture_free(&f);
}

/* --- Slots ---------------------------------------------------------------- */

/* Without a graph slots are used again, the latest freed one first. */
static void test_reuse(void) {
  fixture f = fixture_filled("flat,f32", MN_L2, D, "uniform", 10);
  float *rows = fixture_rows("uniform", 100, 3, D);
  const uint64_t gone[] = {2, 7}, keys[] = {20, 21, 22};
  uint32_t slot;
  CHECK_OK(mn_index_delete(&f.index, gone, 2, NULL));
  CHECK_EQUAL(mn_index_info(&f.index).slots, 10);
  CHECK_REFUSED(&f, fixture_add(&f, keys, rows, 3), MN_ERROR_CAPACITY);
  CHECK_OK(fixture_add(&f, keys, rows, 2));
  CHECK_OK(mn_index_find(&f.index, 20, &slot));
  CHECK_EQUAL(slot, 7);
  CHECK_OK(mn_index_find(&f.index, 21, &slot));
  CHECK_EQUAL(slot, 2);
  fixture_check_sound(&f);
  free(rows);
  fixture_free(&f);
}

/* --- Update --------------------------------------------------------------- */

static void test_update(const char *spec) {
  fixture f = fixture_create(spec, MN_L2, D, 3 * N);
  float *rows = fixture_rows("uniform", 0, 2 * N, D), *other = rows + N * D;
  uint64_t keys[N];
  mn_hit hit;
  uint32_t found, bad = 77;
  fixture_train(&f, rows, N);
  CHECK_OK(fixture_add(&f, NULL, rows, N));
  for (uint32_t i = 0; i < N; i++)
    keys[i] = (i * 7 + 5) % N;
  CHECK_OK(update(&f, keys, other, N, NULL));
  CHECK_EQUAL(mn_index_info(&f.index).count, N);
  fixture_check_sound(&f);
  for (uint32_t i = 0; i < N; i++) {
    CHECK_OK(fixture_search(&f, other + i * D, 1, 0, &hit, &found, NULL));
    CHECK(found == 1 && hit.key == keys[i]);
  }
  keys[4] = 1000;
  CHECK_REFUSED(&f, update(&f, keys, rows, 5, &bad), MN_ERROR_UNKNOWN_KEY);
  CHECK_EQUAL(bad, 4);
  CHECK_OK(upsert(&f, keys, rows, 5, &bad));
  CHECK_EQUAL(mn_index_info(&f.index).count, N + 1);
  for (uint32_t i = 0; i < 5; i++) {
    CHECK_OK(fixture_search(&f, rows + i * D, 1, 0, &hit, &found, NULL));
    CHECK(found == 1 && hit.key == keys[i]);
  }
  fixture_check_sound(&f);
  free(rows);
  fixture_free(&f);
}

/* --- The same block ------------------------------------------------------- */

/* Upserts and deletes in calls of `step` rows. */
static uint64_t changed_in_steps(const char *spec, uint32_t step) {
  fixture f = fixture_create(spec, MN_L2, D, 4 * N);
  float *rows = fixture_rows("clustered", 0, 3 * N, D);
  uint64_t keys[3 * N], gone[N];
  fixture_train(&f, rows, N);
  for (uint32_t i = 0; i < 3 * N; i++) /* no key twice within 2N */
    keys[i] = i < 2 * N ? i : i - 2 * N;
  for (uint32_t i = 0; i < N; i++)
    gone[i] = i * 2;
  for (uint32_t at = 0; at < 2 * N; at += step)
    CHECK_OK(upsert(&f, keys + at, rows + at * D, step, NULL));
  for (uint32_t at = 0; at < N; at += step)
    CHECK_OK(mn_index_delete(&f.index, gone + at, step, NULL));
  for (uint32_t at = 2 * N; at < 3 * N; at += step)
    CHECK_OK(upsert(&f, keys + at, rows + at * D, step, NULL));
  fixture_check_sound(&f);
  const uint64_t hash = hash_of(f.index.block, f.index.block_bytes);
  free(rows);
  fixture_free(&f);
  return hash;
}

static void test_division(const char *spec) {
  const uint64_t expected = changed_in_steps(spec, 1);
  CHECK_EQUAL(changed_in_steps(spec, 3), expected);
  CHECK_EQUAL(changed_in_steps(spec, 100), expected);
  CHECK_EQUAL(changed_in_steps(spec, N), expected);
}

/* --- Twins ---------------------------------------------------------------- */

/* Equal vectors go one after the other, first ones and last ones; those that
 * are left are found. */
static void test_twins(const char *spec) {
  enum { EQUAL = 8 };
  static mn_hit hits[N];
  fixture f = fixture_create(spec, MN_L2, D, N);
  float *rows = fixture_rows("uniform", 0, N, D);
  uint32_t found;
  for (uint32_t i = 0; i < N; i++)
    memcpy(rows + i * D, rows + i / EQUAL * EQUAL * D, D * sizeof *rows);
  fixture_train(&f, rows, N);
  CHECK_OK(fixture_add(&f, NULL, rows, N));
  for (uint32_t round = 0; round < EQUAL - 1; round++) {
    for (uint32_t i = round % 2 ? 7 : 0; i < N - EQUAL; i += EQUAL) {
      const uint64_t key = i + (round % 2 ? 0 - round / 2 : round / 2);
      CHECK_OK(mn_index_delete(&f.index, &key, 1, NULL));
    }
    fixture_check_sound(&f);
    for (uint32_t i = 0; i + EQUAL < N; i += 5 * EQUAL) {
      const uint32_t left = EQUAL - 1 - round;
      CHECK_OK(fixture_search(&f, rows + i * D, left, 0, hits, &found, NULL));
      CHECK_EQUAL(found, left);
      for (uint32_t h = 0; h < found; h++)
        CHECK_EQUAL(hits[h].key / EQUAL, i / EQUAL);
    }
  }
  free(rows);
  fixture_free(&f);
}

/* --- Pack, thaw, resize --------------------------------------------------- */

static void test_pack(void) {
  fixture f = fixture_filled("flat,sq8", MN_L2, D, "uniform", N);
  const uint64_t gone[] = {0, 17, 299};
  mn_index packed;
  CHECK_OK(mn_index_delete(&f.index, gone, 3, NULL));
  CHECK_OK(mn_index_pack(&f.index, &packed, &f.arena));
  CHECK_EQUAL(mn_index_info(&packed).count, N - 3);
  CHECK_EQUAL(mn_index_info(&packed).slots, N - 3);
  CHECK_OK(mn_index_verify(&packed));
  fixture_free(&f);
  f = fixture_filled("hnsw4,f32", MN_L2, D, "uniform", N);
  mn_packing plan;
  CHECK_OK(mn_index_delete(&f.index, gone + 2, 1, NULL)); /* it waits */
  CHECK_OK(mn_plan_pack(&f.index, &plan));
  CHECK_OK(mn_index_delete(&f.index, gone, 1, NULL)); /* it is in the graph */
  CHECK_STATUS(mn_plan_pack(&f.index, &plan), MN_ERROR_ARGUMENT);
  fixture_free(&f);
}

static void test_resize(void) {
  fixture f = fixture_filled("auto,f32", MN_L2, D, "uniform", N);
  const uint64_t gone[] = {0, 17, 200};
  CHECK_OK(mn_index_delete(&f.index, gone, 3, NULL));
  CHECK_OK(mn_index_resize(&f.index, MN_AUTO_HNSW_CAPACITY, &f.arena));
  fixture_check_sound(&f);
  CHECK_EQUAL(mn_index_info(&f.index).linked, 0);
  uint32_t left;
  CHECK_OK(mn_index_link(&f.index, UINT32_MAX, &left, &f.arena));
  CHECK_EQUAL(mn_index_info(&f.index).linked, 256);
  CHECK_OK(mn_index_delete(&f.index, (const uint64_t[]){5, 6}, 2, NULL));
  CHECK_EQUAL(mn_index_info(&f.index).dead, 2);
  fixture_check_sound(&f);
  CHECK_STATUS(mn_index_resize(&f.index, N - 1, &f.arena), MN_ERROR_CAPACITY);
  CHECK_OK(mn_index_resize(&f.index, N, &f.arena));
  CHECK_EQUAL(mn_index_info(&f.index).dead, 0);
  CHECK_EQUAL(mn_index_info(&f.index).count, N - 5);
  CHECK_EQUAL(mn_index_info(&f.index).linked, N - 5);
  fixture_check_sound(&f);
  fixture_free(&f);
}

int main(void) {
  static const char *const specs[] = {"flat,f32", "flat,bits4", "hnsw4,f32",
                                      "hnsw8,sq8", "hnsw4,f16,refine=f32"};
  for (unsigned i = 0; i < sizeof specs / sizeof *specs; i++) {
    test_delete(specs[i]);
    test_refused(specs[i]);
    test_take_back(specs[i]);
    test_update(specs[i]);
    test_division(specs[i]);
    test_twins(specs[i]);
  }

  test_reuse();
  test_pack();
  test_resize();
  return test_report();
}
