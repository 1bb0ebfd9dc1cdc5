/* SPDX-License-Identifier: Apache-2.0 */
/* Packing and thawing: the same answers, in the bytes that were planned, and
 * nothing that a packed block could be changed by. */
#include "../../core/block.h"
#include "fixture.h"

#define D    24u
#define N    500u /* of which 448 are linked */
#define K    20u
#define NAME MN_SECTION('d', 'o', 'c', 's')

/* Clustered rows of which every third is one of the first ten again. */
static float *make_rows(void) {
  float *rows = fixture_rows("clustered", 0, 2 * N, D);
  for (uint32_t i = 30; i < N; i += 3)
    memcpy(rows + i * D, rows + i / 3 % 10 * D, D * sizeof *rows);
  return rows;
}

/* Under given keys, with room for more. */
static fixture build(const char *spec, mn_metric metric, const float *rows) {
  fixture f = fixture_create(spec, metric, D, N + 100);
  uint64_t keys[N];
  for (uint32_t i = 0; i < N; i++)
    keys[i] = gen_key(i);
  fixture_train(&f, rows, N);
  CHECK_OK(fixture_add(&f, keys, rows, N));
  CHECK_OK(mn_index_attach(&f.index, NAME, "some text", 9, &f.arena));
  return f;
}

/* --- Answers -------------------------------------------------------------- */

static mn_status fetch(void *context, uint64_t key, uint32_t slot,
                       float *vector) {
  const float *rows = context;
  (void)slot;
  memcpy(vector, rows + (key >> 32) * D, D * sizeof *vector);
  return MN_OK;
}

/* The hits of one search, and what it did, but for slots. */
static void hash_search(const mn_index *index, mn_query query, gen_hash *hash,
                        mn_arena *scratch) {
  static mn_hit hits[N];
  uint32_t found = 0, slot;
  mn_stats stats;
  query.stats = &stats;
  const mn_status status =
      mn_index_search(index, &query, hits, &found, scratch);
  gen_hash_word(hash, (uint32_t)status);
  if (status != MN_OK)
    return; /* planes, of an encoding that has none */
  for (uint32_t i = 0; i < found; i++) {
    gen_hash_long(hash, hits[i].key);
    gen_hash_float(hash, hits[i].distance);
    CHECK_OK(mn_index_find(index, hits[i].key, &slot));
    CHECK_EQUAL(hits[i].slot, slot);
  }
  gen_hash_long(hash, stats.distances);
  gen_hash_long(hash, stats.bytes);
  gen_hash_word(hash, stats.hops);
  gen_hash_word(hash, stats.exact);
  gen_hash_word(hash, stats.refined);
  gen_hash_word(hash, stats.planes);
}

static uint64_t answers(const mn_index *index, const float *rows,
                        mn_arena *scratch) {
  gen_hash hash = gen_hash_start();
  uint32_t filter[(N + 31) / 32] = {0};
  for (uint32_t slot = 0; slot < N; slot++)
    if (index->keys[slot] % 3 == 0)
      filter[slot / 32] |= 1u << slot % 32;
  for (uint32_t i = 0; i < 20; i++) {
    const mn_query q = {.vector = rows + (N + i) * D,
                        .dimensions = D,
                        .k = 1 + i * i,
                        .ef = i % 2 ? 64 : 0};
    mn_query other = q;
    hash_search(index, q, &hash, scratch);
    other.filter = filter;
    hash_search(index, other, &hash, scratch);
    other.filter = NULL;
    other.planes = 2;
    hash_search(index, other, &hash, scratch);
    other.planes = 0;
    other.fetch = fetch;
    other.fetch_context = (void *)(uintptr_t)rows;
    other.refine_k = 1.5f;
    hash_search(index, other, &hash, scratch);
  }
  for (uint32_t i = 0; i < N; i++) {
    float row[D];
    CHECK_OK(mn_index_reconstruct(index, gen_key(i), row, D, scratch));
    gen_hash_bytes(&hash, (const uint8_t *)row, sizeof row);
  }
  gen_hash_float(&hash, mn_index_info(index).error);
  return gen_hash_end(hash);
}

/* --- Pack and thaw -------------------------------------------------------- */

static void check_sections(const mn_index *index) {
  const void *data = NULL;
  size_t bytes = 0;
  CHECK_OK(mn_index_section(index, NAME, &data, &bytes));
  CHECK(bytes == 9 && !memcmp(data, "some text", 9));
}

/* Into exactly the planned bytes; a unit less is refused, and changes nothing.
 */
static mn_index pack(fixture *f, uint8_t *memory) {
  mn_packing plan;
  mn_index packed, untouched;
  CHECK_OK(mn_plan_pack(&f->index, &plan));
  CHECK(plan.block_bytes % 64 == 0 && plan.scratch_bytes % 64 == 0);
  memset(&untouched, 0xa5, sizeof untouched);
  memcpy(&packed, &untouched, sizeof packed);
  const size_t all = plan.block_bytes + plan.scratch_bytes;
  const size_t less[] = {0, 64, plan.block_bytes - 64, plan.block_bytes,
                         all - 64};
  for (unsigned i = 0; i < 5; i++) {
    mn_arena arena = mn_arena_over(memory, less[i]);
    CHECK_REFUSED(f, mn_index_pack(&f->index, &packed, &arena), MN_ERROR_ARENA);
    CHECK(arena.used == 0 && !memcmp(&packed, &untouched, sizeof packed));
  }
  mn_arena arena = mn_arena_over(memory, all);
  const witness before = witness_take(f);
  CHECK_OK(mn_index_pack(&f->index, &packed, &arena));
  CHECK(witness_agrees(&before, f));
  CHECK_EQUAL(arena.used, plan.block_bytes);
  CHECK_EQUAL(arena.peak, all);
  CHECK_EQUAL(packed.block_bytes, plan.block_bytes);
  CHECK(packed.block == memory);
  return packed;
}

static void check_packed(const mn_index *packed, const mn_index *live) {
  const mn_info is = mn_index_info(packed), was = mn_index_info(live);
  CHECK_OK(mn_index_verify(packed));
  CHECK(is.packed && !was.packed && !is.sealed && !is.is_auto);
  CHECK(is.count == was.count && is.linked == was.linked);
  CHECK(is.trained && is.clipped == was.clipped);
  CHECK_EQUAL(is.capacity, was.count);
  CHECK(was.graph_bytes == 0 ? is.graph_bytes == 0
                             : is.graph_bytes < was.graph_bytes / 2);
  CHECK(!memcmp(&is.options, &was.options, sizeof is.options));
  check_sections(packed);
}

/* A copy that is only read, at an address that is a multiple of 8. */
static void check_opened(const mn_index *packed, const float *rows,
                         uint64_t expected, mn_arena *scratch) {
  uint8_t *copy = aligned_alloc(64, packed->block_bytes + 64);
  mn_index index;
  memcpy(copy + 8, packed->block, packed->block_bytes);
  CHECK_OK(mn_index_open(&index, copy + 8, packed->block_bytes));
  CHECK(index.is_packed && !index.writable);
  CHECK_OK(mn_index_verify(&index));
  CHECK_EQUAL(answers(&index, rows, scratch), expected);
  mn_index_use_features(&index, 0);
  CHECK_EQUAL(answers(&index, rows, scratch), expected);
  free(copy);
}

static void test_pack(const char *spec, mn_metric metric) {
  float *rows = make_rows();
  fixture f = build(spec, metric, rows);
  uint8_t *memory = aligned_alloc(64, 1 << 21), *other = memory + (1 << 20);
  const uint64_t expected = answers(&f.index, rows, &f.arena);
  mn_index packed = pack(&f, memory);
  check_packed(&packed, &f.index);
  CHECK_EQUAL(answers(&packed, rows, &f.arena), expected);
  CHECK_OK(mn_index_seal(&packed));
  check_opened(&packed, rows, expected, &f.arena);

  /* Thawed, in the bytes of a new index and its sections. */
  mn_index live;
  mn_sizes sizes;
  size_t bytes;
  const mn_query one = {.k = 1};
  CHECK_OK(mn_plan(&f.index.options, N + 200, &one, &sizes));
  CHECK_OK(mn_plan_thaw(&packed, N + 200, &bytes));
  CHECK_EQUAL(bytes, sizes.block_bytes + 64);
  CHECK_STATUS(mn_plan_thaw(&packed, N - 1, &bytes), MN_ERROR_CAPACITY);
  CHECK_STATUS(mn_plan_thaw(&f.index, N, &bytes), MN_ERROR_ARGUMENT);
  mn_arena arena = mn_arena_over(other, bytes - 64);
  CHECK_STATUS(mn_index_thaw(&packed, N + 200, &live, &arena), MN_ERROR_ARENA);
  CHECK_EQUAL(arena.used, 0);
  arena = mn_arena_over(other, bytes);
  CHECK_OK(mn_index_thaw(&packed, N + 200, &live, &arena));
  CHECK_EQUAL(arena.used, bytes);
  CHECK_EQUAL(live.block_bytes, bytes);
  CHECK(!live.is_packed && live.writable && live.capacity == N + 200);
  CHECK_OK(mn_index_verify(&live));
  CHECK_EQUAL(answers(&live, rows, &f.arena), expected);
  CHECK(!memcmp(live.keys, packed.keys, N * sizeof *live.keys));
  check_sections(&live);

  /* Packed again it is the same block; and it goes on as any index does. */
  mn_index again;
  CHECK_OK(mn_index_pack(&live, &again, &f.arena));
  CHECK_OK(mn_index_seal(&again));
  CHECK_EQUAL(again.block_bytes, packed.block_bytes);
  CHECK(!memcmp(again.block, packed.block, packed.block_bytes));
  const mn_vectors more = fixture_view(rows + (N + 100) * D, 200, D);
  uint64_t keys[200];
  for (uint32_t i = 0; i < 200; i++)
    keys[i] = i;
  CHECK_OK(mn_index_add(&live, keys, &more, NULL, &f.arena));
  CHECK_EQUAL(mn_index_info(&live).count, N + 200);
  CHECK_OK(mn_index_verify(&live));
  mn_index bigger;
  CHECK_OK(mn_index_pack(&live, &bigger, &f.arena));
  CHECK_OK(mn_index_verify(&bigger));
  free(memory);
  free(rows);
  fixture_free(&f);
}

/* --- Refused -------------------------------------------------------------- */

/* Whatever would change it but seal and host sections. */
static void test_read_only(const char *spec) {
  float *rows = make_rows();
  fixture f = build(spec, MN_L2, rows), p = f;
  const mn_vectors vectors = fixture_view(rows, 1, D);
  uint32_t left = 99;
  uint64_t key = 1;
  static uint8_t proposals[1 << 14];
  CHECK_OK(mn_index_pack(&f.index, &p.index, &p.arena));
  CHECK_EQUAL(p.index.writable, 1);
  CHECK_REFUSED(&p, mn_index_add(&p.index, &key, &vectors, NULL, &p.arena),
                MN_ERROR_READ_ONLY);
  CHECK_REFUSED(&p, mn_index_append(&p.index, &key, &vectors, NULL, &p.arena),
                MN_ERROR_READ_ONLY);
  CHECK_REFUSED(&p, mn_index_link(&p.index, 1, &left, &p.arena),
                MN_ERROR_READ_ONLY);
  CHECK_REFUSED(&p, mn_index_commit(&p.index, proposals, &p.arena),
                MN_ERROR_READ_ONLY);
  CHECK_REFUSED(&p, mn_index_resize(&p.index, N + 1, &p.arena),
                MN_ERROR_READ_ONLY);
  /* It has learnt already, or never had to. */
  CHECK_REFUSED(&p, mn_index_train(&p.index, &vectors, &p.arena),
                MN_ERROR_TRAINED);
  CHECK_REFUSED(&p, mn_index_set_model(&p.index, rows, 4), MN_ERROR_TRAINED);
  CHECK_EQUAL(mn_index_batch(&p.index), 0);
  CHECK_EQUAL(left, 99);
  CHECK_REFUSED(&p, mn_index_propose(&p.index, 0, 1, proposals, &p.arena),
                MN_ERROR_ARGUMENT);
  mn_packing plan = {1, 2};
  mn_index index;
  CHECK_REFUSED(&p, mn_plan_pack(&p.index, &plan), MN_ERROR_ARGUMENT);
  CHECK(plan.block_bytes == 1 && plan.scratch_bytes == 2);
  CHECK_REFUSED(&p, mn_index_pack(&p.index, &index, &p.arena),
                MN_ERROR_ARGUMENT);
  CHECK_OK(mn_index_attach(&p.index, MN_SECTION('m', 'o', 'r', 'e'), "more", 4,
                           &p.arena));
  CHECK_OK(mn_index_attach(&p.index, NAME, NULL, 0, &p.arena));
  CHECK_OK(mn_index_seal(&p.index));
  CHECK_OK(mn_index_verify(&p.index));
  free(rows);
  fixture_free(&f);
}

static void test_arguments(void) {
  fixture f = fixture_create("hnsw4,f32", MN_L2, D, N);
  mn_packing plan;
  mn_index index;
  mn_arena *arena = &f.arena;
  CHECK_REFUSED(&f, mn_plan_pack(&f.index, &plan), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_pack(&f.index, &index, arena), MN_ERROR_ARGUMENT);
  float *rows = make_rows();
  CHECK_OK(fixture_add(&f, NULL, rows, N));
  CHECK_REFUSED(&f, mn_plan_pack(NULL, &plan), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_plan_pack(&f.index, NULL), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_pack(NULL, &index, arena), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_pack(&f.index, NULL, arena), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_pack(&f.index, &index, NULL), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_thaw(&f.index, N, &index, arena),
                MN_ERROR_ARGUMENT);
  CHECK_OK(mn_index_pack(&f.index, &f.index, arena));
  CHECK_REFUSED(&f, mn_index_thaw(NULL, N, &index, arena), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_thaw(&f.index, N, NULL, arena), MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_thaw(&f.index, N, &index, NULL),
                MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_thaw(&f.index, MN_CAPACITY_MAX + 1, &index, arena),
                MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_thaw(&f.index, N - 1, &index, arena),
                MN_ERROR_CAPACITY);
  free(rows);
  fixture_free(&f);
}

/* --- Small ones ----------------------------------------------------------- */

/* Every number of vectors around a batch and a group of 16. */
static void test_counts(const char *spec, const char *kind) {
  for (uint32_t n = 1; n <= 210; n += n % 16 == 1 || n > 60 ? 1 : 7) {
    fixture f = fixture_filled(spec, MN_L2, D, kind, n);
    mn_index packed, live;
    float *row = fixture_rows(kind, n, 1, D);
    mn_hit hits[2][10];
    uint32_t found[2] = {0, 0};
    mn_query q = {.vector = row, .dimensions = D, .k = 10};
    CHECK_OK(mn_index_search(&f.index, &q, hits[0], &found[0], &f.arena));
    CHECK_OK(mn_index_pack(&f.index, &packed, &f.arena));
    CHECK_OK(mn_index_verify(&packed));
    CHECK_OK(mn_index_search(&packed, &q, hits[1], &found[1], &f.arena));
    CHECK_EQUAL(found[0], n < 10 ? n : 10);
    CHECK_EQUAL(found[0], found[1]);
    for (uint32_t h = 0; h < found[0]; h++)
      CHECK(hits[0][h].key == hits[1][h].key &&
            hits[0][h].distance == hits[1][h].distance);
    CHECK_OK(mn_index_thaw(&packed, n, &live, &f.arena));
    CHECK_OK(mn_index_verify(&live));
    CHECK_EQUAL(live.block_bytes, f.index.block_bytes);
    free(row);
    fixture_free(&f);
  }
}

int main(void) {
  static const char *const specs[] = {
      "flat,f32",    "hnsw8,f32",
      "hnsw16,sq8",  "hnsw4,bits1",
      "hnsw8,bits8", "hnsw8,pq6x8+c",
      "flat,bits4",  "hnsw6,first20,bits4,refine=f16",
      "auto,sq6",    "hnsw5,pca9,sq4,refine=bits6",
      "hnsw64,bf16", "hnsw4,opq,prq4x4x2",
  };
  for (unsigned s = 0; s < sizeof specs / sizeof *specs; s++)
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++)
      test_pack(specs[s], metric);
  test_pack("hnsw8,sign", MN_HAMMING);
  test_pack("flat,first17", MN_JACCARD);
  test_read_only("flat,sq8");
  test_read_only("hnsw8,f32");
  test_arguments();
  test_counts("hnsw4,f32", "uniform");
  test_counts("hnsw16,bits2", "duplicates");
  test_counts("flat,sq8", "uniform");
  return test_report();
}
