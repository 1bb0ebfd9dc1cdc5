/* SPDX-License-Identifier: Apache-2.0 */
/* Linking in batches: however it is divided, among calls, handles or threads,
 * the block is the same; what is not linked is found by a scan; equal vectors
 * are twins, wherever they stand. */
#include "../../core/block.h"
#include "../../core/structure/graph.h"
#include "fixture.h"

#define D      12u
#define N      300u
#define LINKED 256u
#define SPEC   "hnsw6,f32"

static uint64_t block_hash(const fixture *f) {
  return hash_of(f->index.block, f->index.block_bytes);
}

/* All rows appended, none linked. */
static fixture appended(const char *spec, const float *rows, uint32_t count) {
  fixture f = fixture_create(spec, MN_L2, D, count);
  const mn_vectors vectors = fixture_view(rows, count, D);
  fixture_train(&f, rows, count);
  CHECK_OK(mn_index_append(&f.index, NULL, &vectors, NULL, &f.arena));
  CHECK_EQUAL(mn_index_info(&f.index).linked, 0);
  return f;
}

static uint64_t linked_at_once(const char *spec, const float *rows,
                               uint32_t count) {
  fixture f = appended(spec, rows, count);
  uint32_t left = 99;
  CHECK_OK(mn_index_link(&f.index, UINT32_MAX, &left, &f.arena));
  CHECK_EQUAL(left, 0);
  CHECK_EQUAL(mn_index_info(&f.index).linked, count / 64 * 64);
  CHECK_OK(mn_index_verify(&f.index));
  const uint64_t hash = block_hash(&f);
  fixture_free(&f);
  return hash;
}

/* --- Ways ----------------------------------------------------------------- */

/* A limit is rounded up to whole batches. */
static void test_limits(const float *rows, uint64_t expected) {
  static const struct {
    uint32_t limit, linked;
  } cases[] = {{0, 0},     {1, 64},    {63, 64},   {64, 64},  {65, 128},
               {130, 192}, {256, 256}, {257, 256}, {300, 256}};
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    fixture f = appended(SPEC, rows, N);
    uint32_t left = 99, calls = 0;
    CHECK_OK(mn_index_link(&f.index, cases[i].limit, &left, &f.arena));
    CHECK_EQUAL(mn_index_info(&f.index).linked, cases[i].linked);
    CHECK_EQUAL(left, LINKED - cases[i].linked);
    CHECK_OK(mn_index_verify(&f.index));
    for (; left > 0 && calls < 10; calls++)
      CHECK_OK(mn_index_link(&f.index, 1 + i, &left, &f.arena));
    CHECK_EQUAL(calls, (LINKED - cases[i].linked) / 64);
    CHECK_EQUAL(block_hash(&f), expected);
    fixture_free(&f);
  }
}

/* `step` rows to an add. */
static void test_divided(const float *rows, uint32_t step, uint64_t expected) {
  fixture f = fixture_create(SPEC, MN_L2, D, N);
  for (uint32_t n = 0; n < N; n += step) {
    const uint32_t count = step < N - n ? step : N - n;
    CHECK_OK(fixture_add(&f, NULL, rows + n * D, count));
    CHECK_EQUAL(mn_index_info(&f.index).linked, (n + count) / 64 * 64);
  }
  CHECK_EQUAL(block_hash(&f), expected);
  fixture_free(&f);
}

/* In halves: each vector proposed for once, in an order drawn by `seed`, by one
 * of several handles with scratch of its own. */
static void test_halves(const float *rows, uint32_t seed, uint64_t expected) {
  enum { HANDLES = 3 };
  fixture f = appended(SPEC, rows, N);
  const mn_query query = {.k = 1};
  mn_sizes sizes;
  CHECK_OK(mn_plan(&f.index.options, N, &query, &sizes));
  uint8_t *proposals = aligned_alloc(64, sizes.proposals_bytes);
  uint8_t *memory = aligned_alloc(64, sizes.propose_scratch_bytes * HANDLES);
  uint32_t order[MN_LINK_BATCH], batches = 0, count;
  memset(proposals, 0xa5, sizes.proposals_bytes);
  while ((count = mn_index_batch(&f.index)) > 0 && batches < 10) {
    const uint64_t before = block_hash(&f);
    CHECK_EQUAL(count, MN_LINK_BATCH);
    for (uint32_t i = 0; i < count; i++) {
      const uint32_t j = gen_draw(seed, batches, i) % (i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    for (uint32_t i = 0; i < count; i++) {
      mn_index handle = f.index;
      mn_arena scratch =
          mn_arena_over(memory + i % HANDLES * sizes.propose_scratch_bytes,
                        sizes.propose_scratch_bytes);
      CHECK_OK(mn_index_propose(&handle, order[i], order[i] + 1, proposals,
                                &scratch));
      CHECK(scratch.peak == sizes.propose_scratch_bytes && scratch.used == 0);
    }
    CHECK_EQUAL(block_hash(&f), before);
    mn_arena scratch = mn_arena_over(memory, sizes.commit_scratch_bytes);
    CHECK_OK(mn_index_commit(&f.index, proposals, &scratch));
    CHECK(scratch.peak == sizes.commit_scratch_bytes && scratch.used == 0);
    CHECK_EQUAL(mn_index_info(&f.index).linked, ++batches * 64);
  }
  CHECK_EQUAL(batches, LINKED / 64);
  CHECK_EQUAL(block_hash(&f), expected);
  free(proposals);
  free(memory);
  fixture_free(&f);
}

static void test_ways(const char *kind) {
  float *rows = fixture_rows(kind, 0, N, D);
  const uint64_t expected = linked_at_once(SPEC, rows, N);
  test_limits(rows, expected);
  for (uint32_t step = 1; step < N; step = step * 2 + 1)
    test_divided(rows, step, expected);
  for (uint32_t seed = 0; seed < 3; seed++)
    test_halves(rows, seed, expected);
  free(rows);
}

/* --- The tail ------------------------------------------------------------- */

/* Fewer than a batch wait; a scan finds them meanwhile. */
static void test_tail(void) {
  float *rows = fixture_rows("clustered", 0, N, D);
  fixture f = fixture_create("hnsw6,f32", MN_L2, D, N);
  for (uint32_t n = 0; n < N; n++) {
    mn_hit hit;
    uint32_t found = 0, left = 99;
    mn_stats stats;
    CHECK_OK(fixture_add(&f, NULL, rows + n * D, 1));
    CHECK_OK(mn_index_link(&f.index, UINT32_MAX, &left, &f.arena));
    CHECK_EQUAL(left, 0);
    CHECK_EQUAL(mn_index_info(&f.index).linked, (n + 1) / 64 * 64);
    CHECK_OK(fixture_search(&f, rows + n * D, 1, 32, &hit, &found, &stats));
    CHECK(found == 1 && hit.key == n && hit.distance == 0);
    CHECK_EQUAL(stats.exact, n < 63);
    CHECK(stats.distances >= (n + 1) % 64);
  }
  CHECK_OK(mn_index_verify(&f.index));
  free(rows);
  fixture_free(&f);
}

/* --- Refused -------------------------------------------------------------- */

static void test_refused(void) {
  float *rows = fixture_rows("uniform", 0, N, D);
  fixture f = appended(SPEC, rows, N);
  static _Alignas(64) uint8_t proposals[1 << 14], memory[1 << 18];
  const mn_query query = {.k = 1};
  mn_sizes s;
  uint32_t left = 99;
  mn_arena scratch = mn_arena_over(memory, sizeof memory);
  CHECK_OK(mn_plan(&f.index.options, N, &query, &s));
  CHECK(s.proposals_bytes <= sizeof proposals);
  CHECK_EQUAL(mn_index_batch(NULL), 0);
#define TRY(call, expected)                                                    \
  do {                                                                         \
    CHECK_REFUSED(&f, call, expected);                                         \
    CHECK(left == 99 && scratch.used == 0);                                    \
  } while (0)
  mn_index *index = &f.index;
  TRY(mn_index_link(NULL, 1, &left, &scratch), MN_ERROR_ARGUMENT);
  TRY(mn_index_link(index, 1, NULL, &scratch), MN_ERROR_ARGUMENT);
  TRY(mn_index_link(index, 1, &left, NULL), MN_ERROR_ARGUMENT);
  TRY(mn_index_propose(NULL, 0, 1, proposals, &scratch), MN_ERROR_ARGUMENT);
  TRY(mn_index_propose(index, 0, 1, NULL, &scratch), MN_ERROR_ARGUMENT);
  TRY(mn_index_propose(index, 0, 1, proposals, NULL), MN_ERROR_ARGUMENT);
  TRY(mn_index_propose(index, 2, 1, proposals, &scratch), MN_ERROR_ARGUMENT);
  TRY(mn_index_propose(index, 0, 65, proposals, &scratch), MN_ERROR_ARGUMENT);
  TRY(mn_index_commit(NULL, proposals, &scratch), MN_ERROR_ARGUMENT);
  TRY(mn_index_commit(index, NULL, &scratch), MN_ERROR_ARGUMENT);
  TRY(mn_index_commit(index, proposals, NULL), MN_ERROR_ARGUMENT);
  scratch.capacity = s.link_scratch_bytes - 64;
  TRY(mn_index_link(index, 1, &left, &scratch), MN_ERROR_ARENA);
  TRY(mn_index_add(index, NULL, &(mn_vectors){rows, 1, D}, NULL, &scratch),
      MN_ERROR_ARENA);
  scratch.capacity = s.propose_scratch_bytes - 64;
  TRY(mn_index_propose(index, 0, 1, proposals, &scratch), MN_ERROR_ARENA);
  scratch.capacity = s.commit_scratch_bytes - 64;
  TRY(mn_index_commit(index, proposals, &scratch), MN_ERROR_ARENA);
  scratch.capacity = sizeof memory;
  CHECK_OK(mn_index_propose(index, 7, 7, proposals, &scratch));

  /* Opened to be read it can be proposed for, not changed. */
  CHECK_OK(mn_index_open(index, index->block, index->block_bytes));
  CHECK_EQUAL(mn_index_batch(index), 64);
  CHECK_OK(mn_index_propose(index, 0, 64, proposals, &scratch));
  TRY(mn_index_link(index, 1, &left, &scratch), MN_ERROR_READ_ONLY);
  TRY(mn_index_commit(index, proposals, &scratch), MN_ERROR_READ_ONLY);
  CHECK_OK(mn_index_open_writable(index, index->block, index->block_bytes));

  /* Nothing left: there is no batch, and a seal stays. */
  CHECK_OK(mn_index_link(index, UINT32_MAX, &left, &scratch));
  CHECK_OK(mn_index_seal(index));
  left = 99;
  CHECK_EQUAL(mn_index_batch(index), 0);
  TRY(mn_index_commit(index, proposals, &scratch), MN_ERROR_ARGUMENT);
  TRY(mn_index_propose(index, 0, 1, proposals, &scratch), MN_ERROR_ARGUMENT);
  CHECK_OK(mn_index_link(index, UINT32_MAX, &left, &scratch));
  CHECK_EQUAL(left, 0);
  CHECK_EQUAL(mn_index_info(index).sealed, 1);
#undef TRY
  fixture_free(&f);
  f = fixture_filled("flat,f32", MN_L2, D, "uniform", N);
  CHECK_EQUAL(mn_index_batch(&f.index), 0);
  fixture_free(&f);
  free(rows);
}

/* Linking is a change: a seal is lifted. */
static void test_seal(void) {
  float *rows = fixture_rows("uniform", 0, N, D);
  fixture f = appended(SPEC, rows, N);
  uint32_t left;
  CHECK_OK(mn_index_seal(&f.index));
  CHECK_OK(mn_index_link(&f.index, 0, &left, &f.arena));
  CHECK_EQUAL(mn_index_info(&f.index).sealed, 1);
  CHECK_OK(mn_index_link(&f.index, 1, &left, &f.arena));
  CHECK_EQUAL(mn_index_info(&f.index).sealed, 0);
  CHECK_OK(mn_index_verify(&f.index));
  free(rows);
  fixture_free(&f);
}

/* --- Twins ---------------------------------------------------------------- */

/* How many of the linked vectors are twins. */
static uint32_t count_twins(const mn_index *index) {
  uint32_t twins = 0;
  for (uint32_t slot = 0; slot < index->state->linked; slot++)
    twins += (uint32_t)mn_list_is_twin(mn_graph_list(index, slot));
  return twins;
}

/* `count` rows of which row i is that of `same(i)`; how many twins that makes,
 * and that a walk finds every one of them. */
static void test_twins(const char *spec, uint32_t count,
                       uint32_t (*same)(uint32_t), uint32_t twins) {
  static mn_hit hits[1024];
  float *rows = fixture_rows("uniform", 0, count, D);
  for (uint32_t i = 0; i < count; i++)
    memcpy(rows + i * D, rows + same(i) * D, D * sizeof *rows);
  fixture f = appended(spec, rows, count);
  uint32_t left, found = 0;
  CHECK_OK(mn_index_link(&f.index, UINT32_MAX, &left, &f.arena));
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_EQUAL(count_twins(&f.index), twins);
  const uint32_t firsts = count / 64 * 64 - twins;
  if (firsts < 64 && twins < 64)
    CHECK_EQUAL(f.index.state->entries, firsts);
  mn_stats stats;
  CHECK_OK(fixture_search(&f, rows, count, 0, hits, &found, &stats));
  CHECK_EQUAL(found, count);
  CHECK_EQUAL(stats.exact, 0);
  for (uint32_t i = 1; i < found; i++)
    CHECK(hits[i - 1].distance < hits[i].distance ||
          (hits[i - 1].distance == hits[i].distance &&
           hits[i - 1].key < hits[i].key));
  fixture_free(&f);
  free(rows);
}

static uint32_t all_one(uint32_t i) {
  (void)i;
  return 0;
}

/* Pairs within a batch. */
static uint32_t pairs(uint32_t i) {
  return i & ~1u;
}

/* The second batch repeats the first, row by row. */
static uint32_t second_batch(uint32_t i) {
  return i >= 64 && i < 128 ? i - 64 : i;
}

/* The second batch is 64 times row 5. */
static uint32_t one_of_first(uint32_t i) {
  return i >= 64 && i < 128 ? 5 : i;
}

/* The first of them comes late in its batch. */
static uint32_t last_of_batch(uint32_t i) {
  return i > 62 ? 62 : i;
}

static void test_all_twins(const char *spec) {
  test_twins(spec, 64, all_one, 63);
  test_twins(spec, 65, all_one, 63);
  test_twins(spec, 128, all_one, 127);
  test_twins(spec, 1000, all_one, 959);
  test_twins(spec, 64, pairs, 32);
  test_twins(spec, 200, pairs, 96);
  test_twins(spec, 192, second_batch, 64);
  test_twins(spec, 192, one_of_first, 64);
  test_twins(spec, 300, last_of_batch, 193);
}

/* --- Reach ---------------------------------------------------------------- */

/* Vectors that links lead to from the entries. */
static uint32_t reached(const mn_index *index) {
  const uint32_t linked = index->state->linked;
  uint8_t *seen = calloc(linked, 1);
  uint32_t *queue = malloc((linked + MN_ENTRIES) * sizeof *queue), end = 0;
  for (uint32_t i = 0; i < index->state->entries; i++)
    seen[queue[end++] = index->entries[i]] = 1;
  for (uint32_t at = 0; at < end; at++) {
    uint32_t room[2 * MN_M_MAX];
    const uint32_t *links, twin = mn_graph_twin(index, queue[at]);
    const uint32_t count = mn_graph_links(index, queue[at], room, &links);
    for (uint32_t i = 0; i <= count; i++) {
      const uint32_t next = i < count ? links[i] : twin;
      if (next < linked && !seen[next])
        seen[queue[end++] = next] = 1;
    }
  }
  free(seen);
  free(queue);
  return end;
}

static void test_reach(const char *spec, const char *kind, uint32_t lost) {
  enum { MANY = 3000 };
  float *rows = fixture_rows(kind, 0, MANY, D);
  fixture f = appended(spec, rows, MANY);
  uint32_t left;
  CHECK_OK(mn_index_link(&f.index, UINT32_MAX, &left, &f.arena));
  const uint32_t linked = mn_index_info(&f.index).linked;
  const uint32_t found = reached(&f.index);
  if (found + lost < linked)
    printf("%s, %s: %u of %u within reach\n", spec, kind, found, linked);
  CHECK(found + lost >= linked);
  free(rows);
  fixture_free(&f);
}

int main(void) {
  test_ways("uniform");
  test_ways("clustered");
  test_ways("duplicates");
  test_tail();
  test_refused();
  test_seal();
  test_all_twins("hnsw4,f32");
  test_all_twins("hnsw8,sq8");
  test_all_twins("hnsw4,bits1");
  test_all_twins("hnsw4,pca5,bits4,refine=f16");
  test_reach("hnsw16,f32", "clustered", 0);
  test_reach("hnsw16,f32", "uniform", 0);
  test_reach("hnsw16,bits4", "clustered", 30);
  test_reach("hnsw8,sq8", "clustered", 15);
  test_reach("hnsw4,f32", "duplicates", 0);
  return test_report();
}
