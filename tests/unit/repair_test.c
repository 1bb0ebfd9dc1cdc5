/* SPDX-License-Identifier: Apache-2.0 */
/* Repairing a graph after deletes: in whatever steps, the block is the same,
 * sound between them and without dead vectors in the end; what is left is
 * found, and slots are used again. */
#include "../../core/block.h"
#include "../../core/structure/graph.h"
#include "fixture.h"

#define D 6u
#define N 300u

static mn_status upsert(fixture *f, uint64_t key, const float *row) {
  const mn_vectors vectors = {row, 1, D};
  return mn_index_upsert(&f->index, &key, &vectors, NULL, &f->arena);
}

/* Steps of `limit` slots until nothing is left, `left` being what it says. */
static void repair(fixture *f, uint32_t limit) {
  uint32_t left = UINT32_MAX, before;
  CHECK_OK(mn_index_repair(&f->index, 0, &before, &f->arena));
  while (left > 0) {
    CHECK_OK(mn_index_repair(&f->index, limit, &left, &f->arena));
    CHECK(left == (before > limit ? before - limit : 0));
    before = left;
    fixture_check_sound(f);
  }
  CHECK_EQUAL(mn_index_info(&f->index).dead, 0);
}

/* Half of all vectors go, at random; the block after repair. */
static uint64_t repaired(const char *spec, uint32_t limit) {
  static mn_hit hits[N];
  fixture f = fixture_filled(spec, MN_L2, D, "uniform", N);
  float *rows = fixture_rows("uniform", 0, N, D);
  uint32_t found, walked = 0;
  for (uint64_t key = 0; key < N; key++)
    if (key * 7919 % 64 < 32)
      CHECK_OK(mn_index_delete(&f.index, &key, 1, NULL));
  repair(&f, limit);
  const mn_info info = mn_index_info(&f.index);
  for (uint32_t key = 0; key < N; key++) {
    mn_stats stats;
    const mn_query query = {.vector = rows + key * D,
                            .dimensions = D,
                            .k = info.count,
                            .plan = MN_PLAN_WALK,
                            .stats = &stats};
    CHECK_OK(mn_index_search(&f.index, &query, hits, &found, &f.arena));
    CHECK_EQUAL(found, info.count);
    walked += !stats.fell_back;
    CHECK(!fixture_has(&f, key) || hits[0].key == key);
  }
  CHECK_EQUAL(walked, N);
  /* The slots are used again, and the block packs. */
  const uint32_t gone = N - info.count;
  uint64_t *keys = malloc(gone * sizeof *keys);
  for (uint32_t i = 0; i < gone; i++)
    keys[i] = 1000 + i;
  mn_index packed;
  CHECK_OK(mn_index_pack(&f.index, &packed, &f.arena));
  CHECK_EQUAL(mn_index_info(&packed).count, info.count);
  CHECK_OK(mn_index_verify(&packed));
  CHECK_OK(fixture_add(&f, keys, rows, gone));
  CHECK_EQUAL(mn_index_info(&f.index).count, N);
  CHECK_EQUAL(mn_index_info(&f.index).slots, N);
  fixture_check_sound(&f);
  const uint64_t hash = hash_of(f.index.block, f.index.block_bytes);
  free(keys);
  free(rows);
  fixture_free(&f);
  return hash;
}

static void test_repair(const char *spec) {
  const uint64_t expected = repaired(spec, UINT32_MAX);
  CHECK_EQUAL(repaired(spec, 1), expected);
  CHECK_EQUAL(repaired(spec, 7), expected);
  CHECK_EQUAL(repaired(spec, N), expected);
}

/* Vectors come and go while a sweep is on. */
static void test_repair_meanwhile(const char *spec) {
  fixture f = fixture_create(spec, MN_L2, D, 2 * N);
  float *rows = fixture_rows("uniform", 0, 2 * N, D);
  mn_hit hits[10];
  uint32_t left, found;
  uint64_t oldest = 0, next = N;
  fixture_train(&f, rows, N);
  CHECK_OK(fixture_add(&f, NULL, rows, N));
  for (uint32_t step = 0; step < 300; step++) {
    if (step % 3 == 0) {
      CHECK_OK(mn_index_delete(&f.index, &oldest, 1, NULL));
      CHECK_OK(upsert(&f, next, rows + next % (2 * N) * D));
      oldest++;
      next++;
    }
    CHECK_OK(mn_index_repair(&f.index, 11, &left, &f.arena));
    fixture_check_sound(&f);
    CHECK_OK(fixture_search(&f, rows + step * D, 10, 0, hits, &found, NULL));
    CHECK_EQUAL(found, 10);
    for (uint32_t i = 0; i < found; i++)
      CHECK(hits[i].key >= oldest && hits[i].key < next);
  }
  CHECK_EQUAL(mn_index_info(&f.index).count, N);
  free(rows);
  fixture_free(&f);
}

/* All go, and the index begins anew. */
static void test_repair_of_nothing(void) {
  fixture f = fixture_filled("hnsw4,f32", MN_L2, D, "uniform", N);
  float *rows = fixture_rows("uniform", 0, N, D);
  mn_hit hit;
  uint32_t found;
  for (uint64_t key = 0; key < N; key++)
    CHECK_OK(mn_index_delete(&f.index, &key, 1, NULL));
  fixture_check_sound(&f);
  CHECK_OK(fixture_search(&f, rows, 1, 0, &hit, &found, NULL));
  CHECK_EQUAL(found, 0);
  repair(&f, 100);
  CHECK_EQUAL(mn_index_info(&f.index).linked, 0);
  CHECK_EQUAL(f.index.state->entries, 0);
  CHECK_OK(fixture_add(&f, NULL, rows, N));
  for (uint32_t i = 0; i < N; i++) {
    CHECK_OK(fixture_search(&f, rows + i * D, 1, 0, &hit, &found, NULL));
    CHECK(found == 1 && hit.key == N + i);
  }
  fixture_check_sound(&f);
  free(rows);
  fixture_free(&f);
}

/* Where one step has less scratch than planned nothing changes. */
static void test_repair_refused(void) {
  fixture f = fixture_filled("hnsw4,sq8", MN_L2, D, "uniform", N);
  const mn_query query = {.k = 1};
  mn_sizes sizes;
  uint32_t left = 77;
  CHECK_OK(mn_index_delete(&f.index, (const uint64_t[]){3}, 1, NULL));
  CHECK_OK(mn_plan(&f.options, N, &query, &sizes));
  uint8_t *memory = aligned_alloc(64, sizes.repair_scratch_bytes);
  mn_arena less = mn_arena_over(memory, sizes.repair_scratch_bytes - 64);
  CHECK_REFUSED(&f, mn_index_repair(&f.index, 1, &left, &less), MN_ERROR_ARENA);
  CHECK_EQUAL(left, 77);
  mn_arena enough = mn_arena_over(memory, sizes.repair_scratch_bytes);
  CHECK_OK(mn_index_repair(&f.index, 2 * N, &left, &enough));
  CHECK_EQUAL(left, 0);
  CHECK_EQUAL(enough.peak, sizes.repair_scratch_bytes);
  CHECK_STATUS(mn_index_repair(&f.index, 1, NULL, &enough), MN_ERROR_ARGUMENT);
  free(memory);
  fixture_free(&f);
}

/* What is damaged within bounds stays within them, and repair ends. */
static void test_damage(void) {
  fixture f = fixture_filled("hnsw8,f32", MN_L2, D, "uniform", N);
  const uint64_t key = 3;
  uint32_t left;
  /* More are dead by the state's numbers than there are. */
  f.index.state->dead = 1;
  CHECK_OK(mn_index_repair(&f.index, 4 * N, &left, &f.arena));
  CHECK_EQUAL(left, 0);
  /* A list longer than there is room for, with a twin in its last place. */
  uint32_t *list = mn_graph_list(&f.index, 3);
  list[0] = MN_TWIN - 1;
  list[mn_links_max(8)] = MN_TWIN | 9;
  mn_graph_list(&f.index, 9)[0] = MN_TWIN | 1;
  CHECK_OK(mn_index_delete(&f.index, &key, 1, NULL));
  /* A second pass meets links that lead outside. */
  for (uint32_t slot = 0; slot < N; slot++)
    for (uint32_t i = 1; i <= mn_links_max(8); i++)
      mn_graph_list(&f.index, slot)[i] = MN_TWIN - i;
  f.index.state->sweep = 2;
  f.index.state->dying = f.index.state->dead;
  CHECK_OK(mn_index_repair(&f.index, N, &left, &f.arena));
  CHECK_STATUS(mn_index_verify(&f.index), MN_ERROR_CORRUPT);
  fixture_free(&f);
}

int main(void) {
  test_damage();
  static const char *const specs[] = {"flat,f32", "hnsw4,f32", "hnsw8,sq8",
                                      "hnsw4,bits4,refine=f16"};
  for (unsigned i = 0; i < sizeof specs / sizeof *specs; i++) {
    test_repair(specs[i]);
    test_repair_meanwhile(specs[i]);
  }
  test_repair_of_nothing();
  test_repair_refused();
  return test_report();
}
