/* SPDX-License-Identifier: Apache-2.0 */
/* Looking an index over: its figures against a count by hand, and what it says
 * of an index that was damaged on purpose. */
#include "fixture.h"

#include <math.h>

#define D 24u
#define N 1500u
#define K 10u

/* In just the scratch that is planned, and in no less. */
static mn_audit audited(const mn_index *index, const mn_sampling *sampling) {
  size_t bytes = 0;
  mn_audit audit;
  memset(&audit, 0xff, sizeof audit);
  CHECK_OK(mn_plan_audit(index, sampling, &bytes));
  void *memory = aligned_alloc(MN_ALIGNMENT, bytes);
  mn_arena scratch = mn_arena_over(memory, bytes - MN_ALIGNMENT);
  CHECK_STATUS(mn_index_audit(index, sampling, &audit, &scratch),
               MN_ERROR_ARENA);
  CHECK_EQUAL(scratch.used, 0);
  scratch = mn_arena_over(memory, bytes);
  CHECK_OK(mn_index_audit(index, sampling, &audit, &scratch));
  CHECK_EQUAL(scratch.peak, bytes);
  CHECK_EQUAL(scratch.used, 0);
  free(memory);
  return audit;
}

/* The lists of a live block, as FORMAT.md has them. */
static uint32_t *list_at(const fixture *f, uint32_t slot) {
  size_t bytes;
  uint8_t *links = fixture_section(f, MN_SECTION('L', 'I', 'N', 'K'), &bytes);
  return (uint32_t *)(void *)links +
         (size_t)slot * (1 + 2 * f->index.options.m);
}

/* --- Recall --------------------------------------------------------------- */

/* Hits that a scan of the same codes finds too. */
static uint64_t hits_by_hand(fixture *f, const float *queries, uint32_t count,
                             uint32_t ef) {
  static uint32_t all[(N + 31) / 32];
  uint64_t hits = 0;
  memset(all, 0xff, sizeof all);
  for (uint32_t q = 0; q < count; q++) {
    mn_hit near[K], found[K];
    uint32_t n = 0;
    mn_query query = {
        .vector = queries + q * D, .dimensions = D, .k = K, .filter = all};
    CHECK_OK(mn_index_search(&f->index, &query, near, &n, &f->arena));
    query.filter = NULL;
    query.ef = ef;
    CHECK_OK(mn_index_search(&f->index, &query, found, &n, &f->arena));
    for (uint32_t i = 0; i < n; i++)
      hits += found[i].distance <= near[K - 1].distance;
  }
  return hits;
}

static void test_recall(void) {
  enum { QUERIES = 80 };
  fixture f = fixture_filled("hnsw6,f32", MN_COSINE, D, "uniform", N);
  float *queries = fixture_rows("uniform", N, QUERIES, D);
  const mn_vectors view = fixture_view(queries, QUERIES, D);
  mn_query query = {.k = K};
  mn_sampling sampling = {.query = &query, .queries = &view};
  const uint32_t efs[4] = {10, 30, 0, 500};
  float last = 0;
  for (int i = 0; i < 4; i++) {
    query.ef = efs[i];
    const mn_audit a = audited(&f.index, &sampling);
    CHECK_EQUAL(a.recall.found, hits_by_hand(&f, queries, QUERIES, efs[i]));
    CHECK(a.recall.queries == QUERIES && a.recall.k == K);
    CHECK(a.recall.recall == (float)a.recall.found / (QUERIES * K));
    CHECK(a.recall.recall > last && a.recall.low <= a.recall.recall &&
          a.recall.recall <= a.recall.high);
    last = a.recall.recall;
  }
  /* Its own vectors, more of them: a narrower interval around the truth. */
  sampling.queries = NULL;
  query.ef = 30;
  sampling.sample = 50;
  const mn_audit few = audited(&f.index, &sampling);
  sampling.sample = N;
  const mn_audit all = audited(&f.index, &sampling);
  CHECK(few.recall.queries == 50 && all.recall.queries == N);
  CHECK(few.recall.low < all.recall.recall &&
        all.recall.recall < few.recall.high);
  CHECK(all.recall.high - all.recall.low < few.recall.high - few.recall.low);
  /* Without a query nothing is searched for. */
  sampling.query = NULL;
  const mn_audit quiet = audited(&f.index, &sampling);
  CHECK(quiet.recall.queries == 0 && quiet.recall.recall == 0 &&
        quiet.vectors == N && quiet.links == all.links);
  free(queries);
  fixture_free(&f);
}

/* An exact index finds all, with fewer vectors than k too. */
static void test_small(void) {
  fixture f = fixture_filled("flat,f32", MN_L2, D, "uniform", 7);
  const mn_query query = {.k = K};
  const mn_sampling sampling = {.query = &query};
  const mn_audit a = audited(&f.index, &sampling);
  CHECK(a.recall.queries == 7 && a.recall.k == 6 && a.recall.found == 42);
  CHECK(a.recall.recall == 1 && a.recall.distances == 7);
  CHECK(a.links == 0 && a.link_bits == 0 && a.unreachable == 0);
  CHECK(a.linked == 7 && a.pending == 0);
  fixture_free(&f);
}

/* --- Graph ---------------------------------------------------------------- */

/* Vectors that no list leads to from an entry on, twins included: marks spread
 * along links until none is new. */
static uint32_t unreachable_by_hand(const fixture *f) {
  static uint8_t seen[N];
  const uint32_t linked = mn_index_info(&f->index).linked;
  uint32_t left = linked;
  int is_new = 1;
  memset(seen, 0, sizeof seen);
  for (uint32_t i = 0; i < 64; i++)
    seen[f->index.entries[i]] |= i == 0 || f->index.entries[i] > 0;
  while (is_new) {
    is_new = 0;
    for (uint32_t slot = 0; slot < linked; slot++) {
      const uint32_t *list = list_at(f, slot);
      for (uint32_t i = 1; seen[slot] && i <= (list[0] & 0x7fffffff); i++) {
        is_new |= !seen[list[i] & 0x7fffffff];
        seen[list[i] & 0x7fffffff] = 1;
      }
    }
  }
  for (uint32_t slot = 0; slot < linked; slot++)
    left -= seen[slot];
  return left;
}

static void test_links(void) {
  fixture f = fixture_filled("hnsw6,f32", MN_L2, D, "clustered", N);
  const mn_sampling nothing = {.query = NULL};
  mn_audit a = audited(&f.index, &nothing);
  const uint32_t linked = mn_index_info(&f.index).linked;
  uint64_t links = 0;
  for (uint32_t slot = 0; slot < linked; slot++)
    links += list_at(&f, slot)[0];
  const double bits =
      8.0 * (double)mn_index_info(&f.index).graph_bytes / (double)links;
  CHECK(fabs((double)a.links - (double)links / linked) < 1e-4);
  CHECK(fabs((double)a.link_bits - bits) < 1e-3);
  CHECK(a.linked == linked && a.pending == N - linked && a.vectors == N);
  CHECK(a.duplicates == 0 && a.groups == 0 && a.dead_share == 0);
  const uint32_t unreachable = unreachable_by_hand(&f);
  CHECK_EQUAL(a.unreachable, unreachable);
  mn_index packed;
  CHECK_OK(mn_index_pack(&f.index, &packed, &f.arena));
  const mn_audit p = audited(&packed, &nothing);
  CHECK(p.links == a.links && p.link_bits < a.link_bits / 2);
  CHECK(p.unreachable == unreachable && p.linked == linked);

  /* No list leads to this one any longer, which is no entry. */
  const uint32_t lost = linked / 2 | 1;
  CHECK(f.index.entries[1] % 2 == 0);
  for (uint32_t slot = 0; slot < linked; slot++) {
    uint32_t *list = list_at(&f, slot);
    for (uint32_t i = 1; i <= list[0]; i++)
      if (list[i] == lost) {
        list[i] = list[list[0]];
        list[list[0]--] = 0;
      }
  }
  a = audited(&f.index, &nothing);
  CHECK(a.unreachable > unreachable);
  CHECK_EQUAL(a.unreachable, unreachable_by_hand(&f));
  fixture_free(&f);
}

/* --- Deleted -------------------------------------------------------------- */

/* Every third vector is deleted: passed through, but nobody's answer. */
static void test_deleted(const char *spec) {
  enum { QUERIES = 40 };
  fixture f = fixture_filled(spec, MN_L2, D, "uniform", N);
  float *queries = fixture_rows("uniform", N, QUERIES, D);
  const mn_vectors view = fixture_view(queries, QUERIES, D);
  const int is_graph = f.index.options.structure == MN_HNSW;
  const uint32_t linked = mn_index_info(&f.index).linked;
  uint32_t deleted = 0, dead = 0;
  for (uint64_t key = 0; key < N; key += 3, deleted++) {
    CHECK_OK(mn_index_delete(&f.index, &key, 1, NULL));
    dead += is_graph && key < linked;
  }
  const mn_query query = {.k = K, .ef = 40};
  mn_sampling sampling = {.query = &query, .queries = &view};
  mn_audit a = audited(&f.index, &sampling);
  CHECK_EQUAL(a.vectors, N - deleted);
  CHECK_EQUAL(a.linked, linked - (is_graph ? dead : deleted));
  CHECK_EQUAL(a.pending, N - deleted - a.linked);
  CHECK(fabs((double)a.dead_share - (double)dead / (a.vectors + dead)) < 1e-6);
  CHECK_EQUAL(a.recall.found, hits_by_hand(&f, queries, QUERIES, 40));
  CHECK_EQUAL(a.duplicates, 0);
  /* Own vectors are the ones that are left. */
  sampling.queries = NULL;
  sampling.sample = N;
  a = audited(&f.index, &sampling);
  CHECK_EQUAL(a.recall.queries, N - deleted);
  CHECK(is_graph ? a.recall.recall > 0.8f : a.recall.recall == 1);
  free(queries);
  fixture_free(&f);
}

/* --- Lists ---------------------------------------------------------------- */

static void test_lists(void) {
  enum { LISTS = 12 };
  fixture f = fixture_filled("ivf12,f32", MN_L2, D, "uniform", N);
  const mn_query query = {.k = K, .nprobe = LISTS};
  const mn_sampling sampling = {.query = &query};
  const mn_audit a = audited(&f.index, &sampling);
  CHECK(a.lists == LISTS && a.recall.recall == 1 && a.links == 0);
  CHECK(a.empty_lists == 0 && a.largest_list >= N / LISTS &&
        a.largest_list < N / 3);
  mn_index packed;
  CHECK_OK(mn_index_pack(&f.index, &packed, &f.arena));
  const mn_audit p = audited(&packed, &sampling);
  CHECK(p.lists == LISTS && p.largest_list == a.largest_list &&
        p.empty_lists == a.empty_lists);
  /* All but one are deleted. */
  for (uint64_t key = 1; key < N; key++)
    CHECK_OK(mn_index_delete(&f.index, &key, 1, NULL));
  const mn_sampling nothing = {.query = NULL};
  const mn_audit one = audited(&f.index, &nothing);
  CHECK(one.vectors == 1 && one.empty_lists == LISTS - 1 &&
        one.largest_list == 1);
  fixture_free(&f);
}

/* --- Duplicates ----------------------------------------------------------- */

/* Ten different vectors, some of them once. */
static void test_duplicates(const char *spec) {
  enum { DIFFERENT = 10, ONCE = 4 };
  fixture f = fixture_create(spec, MN_L2, D, N);
  float *rows = fixture_rows("uniform", 0, N, D);
  const uint32_t repeated = DIFFERENT - ONCE;
  for (uint32_t i = DIFFERENT; i < N; i++)
    memcpy(rows + i * D, rows + i % repeated * D, D * sizeof *rows);
  fixture_train(&f, rows, DIFFERENT);
  CHECK_OK(fixture_add(&f, NULL, rows, N));
  const mn_query query = {.k = K};
  const mn_sampling sampling = {.query = &query};
  const mn_audit a = audited(&f.index, &sampling);
  CHECK_EQUAL(a.groups, repeated);
  CHECK_EQUAL(a.duplicates, N - DIFFERENT);
  CHECK_EQUAL(a.largest, 1 + (N - DIFFERENT + repeated - 1) / repeated);
  /* All within reach of a walk, and each finds its equals. */
  CHECK_EQUAL(a.unreachable, 0);
  CHECK(a.recall.recall == 1);
  /* Live and packed alike. */
  mn_index packed;
  CHECK_OK(mn_index_pack(&f.index, &packed, &f.arena));
  const mn_audit p = audited(&packed, &sampling);
  CHECK(p.groups == a.groups && p.duplicates == a.duplicates &&
        p.largest == a.largest && p.unreachable == 0 &&
        p.recall.found == a.recall.found);
  free(rows);
  fixture_free(&f);
}

int main(void) {
  test_recall();
  test_small();
  test_links();
  test_lists();
  test_deleted("hnsw8,f32");
  test_deleted("flat,sq8");
  test_duplicates("hnsw8,f32");
  test_duplicates("hnsw8,bits8");
  test_duplicates("flat,sq8");
  return test_report();
}
