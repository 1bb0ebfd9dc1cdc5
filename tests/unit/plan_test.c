/* SPDX-License-Identifier: Apache-2.0 */
/* mn_plan is exact: an arena of just so many bytes is enough and is used up; a
 * byte less is refused, and nothing changed. */
#include "fixture.h"

#define K 10u

typedef struct plan {
  mn_options options;
  uint32_t capacity, ef;
  mn_sizes sizes;
  uint8_t *block_memory, *scratch_memory;
  float *rows; /* capacity vectors, then one query */
  mn_index index;
  mn_arena block;
} plan;

/* Runs `call`, which uses an arena named `scratch`, in one byte less than
 * `bytes`, then in `bytes`. */
#define CHECK_EXACT(p, bytes, call)                                            \
  do {                                                                         \
    uint64_t before = hash_of((p)->index.block, (p)->index.block_bytes);       \
    mn_arena scratch;                                                          \
    if ((bytes) > 0) {                                                         \
      scratch = mn_arena_over((p)->scratch_memory, (bytes)-1);                 \
      CHECK_STATUS(call, MN_ERROR_ARENA);                                      \
      CHECK_EQUAL(scratch.used, 0);                                            \
      CHECK(before == hash_of((p)->index.block, (p)->index.block_bytes));      \
    }                                                                          \
    scratch = mn_arena_over((p)->scratch_memory, (bytes));                     \
    CHECK_OK(call);                                                            \
    CHECK_EQUAL(scratch.peak, (bytes));                                        \
    CHECK_EQUAL(scratch.used, 0);                                              \
  } while (0)

static void test_create(plan *p) {
  size_t bytes = p->sizes.block_bytes;
  mn_index untouched;
  memset(&untouched, 0xa5, sizeof untouched);
  memcpy(&p->index, &untouched, sizeof untouched);
  p->block = mn_arena_over(p->block_memory, bytes - 1);
  CHECK_STATUS(mn_index_create(&p->index, &p->options, p->capacity, &p->block),
               MN_ERROR_ARENA);
  CHECK(!memcmp(&p->index, &untouched, sizeof untouched));
  CHECK_EQUAL(p->block.used, 0);
  p->block = mn_arena_over(p->block_memory, bytes);
  CHECK_OK(mn_index_create(&p->index, &p->options, p->capacity, &p->block));
  CHECK_EQUAL(p->block.used, bytes);
  CHECK_EQUAL(p->block.peak, bytes);
  CHECK_EQUAL(p->index.block_bytes, bytes);
  CHECK_EQUAL(bytes % MN_ALIGNMENT, 0);
}

static void test_fill(plan *p) {
  uint32_t half = p->capacity / 2, rest = p->capacity - half, left;
  uint32_t d = p->options.dimensions;
  mn_vectors first = fixture_view(p->rows, half, d);
  mn_vectors second = fixture_view(p->rows + (size_t)half * d, rest, d);
  mn_sizes *s = &p->sizes;
  if (p->options.encoding == MN_SQ8)
    CHECK_EXACT(p, s->train_scratch_bytes,
                mn_index_train(&p->index, &second, &scratch));
  CHECK(s->add_scratch_bytes == (s->append_scratch_bytes > s->link_scratch_bytes
                                     ? s->append_scratch_bytes
                                     : s->link_scratch_bytes));
  if (half) {
    CHECK_EXACT(p, s->append_scratch_bytes,
                mn_index_append(&p->index, NULL, &first, NULL, &scratch));
    CHECK_EXACT(p, s->link_scratch_bytes,
                mn_index_link(&p->index, half, &left, &scratch));
  }
  CHECK_EXACT(p, s->add_scratch_bytes,
              mn_index_add(&p->index, NULL, &second, NULL, &scratch));
  CHECK_EQUAL(mn_index_info(&p->index).count, p->capacity);
  CHECK_EQUAL(mn_index_info(&p->index).code_bytes, s->code_bytes);
}

static void test_search(plan *p) {
  mn_hit hits[K];
  uint32_t found = 99, d = p->options.dimensions;
  mn_query query = {.vector = p->rows + (size_t)p->capacity * d,
                    .dimensions = d,
                    .k = K,
                    .ef = p->ef};
  CHECK_EXACT(p, p->sizes.search_scratch_bytes,
              mn_index_search(&p->index, &query, hits, &found, &scratch));
  CHECK_EQUAL(found, p->capacity < K ? p->capacity : K);
}

static void test_plan(const char *spec, mn_metric metric, uint32_t dimensions,
                      uint32_t capacity, uint32_t ef) {
  plan p = {.capacity = capacity, .ef = ef};
  p.options = fixture_options(spec, metric, dimensions);
  CHECK_OK(mn_plan(&p.options, capacity, K, ef, &p.sizes));
  size_t scratch = p.sizes.add_scratch_bytes + p.sizes.train_scratch_bytes +
                   p.sizes.search_scratch_bytes;
  p.block_memory = aligned_alloc(64, p.sizes.block_bytes);
  p.scratch_memory = aligned_alloc(64, scratch + 64);
  p.rows = fixture_rows("uniform", 0, capacity + 1, dimensions);
  test_create(&p);
  test_fill(&p);
  test_search(&p);
  free(p.block_memory);
  free(p.scratch_memory);
  free(p.rows);
}

static void test_all(void) {
  static const char *const specs[] = {"flat,f32",    "flat,f16",  "flat,bf16",
                                      "flat,sq8",    "hnsw4,f32", "hnsw16,f16",
                                      "hnsw32,bf16", "hnsw7,sq8", "auto,f32"};
  static const uint32_t dimensions[] = {1, 17, 100};
  static const uint32_t capacities[] = {1, 2, 17, 300};
  for (unsigned s = 0; s < sizeof specs / sizeof *specs; s++)
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++)
      for (unsigned d = 0; d < 3; d++)
        for (unsigned c = 0; c < 4; c++)
          test_plan(specs[s], metric, dimensions[d], capacities[c],
                    c % 2 ? 0 : 33);
  test_plan("hnsw8,f32", MN_L2, 3, 3000, 1000);
  test_plan("auto,f16", MN_L2, 3, MN_AUTO_HNSW_CAPACITY, 5);
}

/* What a resize takes from the arena, in place and elsewhere. */
static void test_resize(void) {
  mn_options options = fixture_options("hnsw8,f32", MN_L2, 9);
  mn_sizes small, large;
  CHECK_OK(mn_plan(&options, 100, 1, 0, &small));
  CHECK_OK(mn_plan(&options, 300, 1, 0, &large));
  uint8_t *memory = aligned_alloc(64, large.block_bytes);
  uint8_t *other = aligned_alloc(64, large.block_bytes);
  mn_arena arena = mn_arena_over(memory, large.block_bytes - 1);
  mn_index index;
  CHECK_OK(mn_index_create(&index, &options, 100, &arena));
  CHECK_STATUS(mn_index_resize(&index, 300, &arena), MN_ERROR_ARENA);
  CHECK_EQUAL(arena.used, small.block_bytes);
  CHECK_EQUAL(index.block_bytes, small.block_bytes);
  arena.capacity = large.block_bytes;
  CHECK_OK(mn_index_resize(&index, 300, &arena));
  CHECK_EQUAL(arena.used, large.block_bytes);
  CHECK_EQUAL(arena.peak, large.block_bytes);
  CHECK(index.block == memory);
  CHECK_OK(mn_index_resize(&index, 100, &arena));
  CHECK_EQUAL(arena.used, small.block_bytes);
  mn_arena elsewhere = mn_arena_over(other, large.block_bytes - 1);
  uint64_t before = hash_of(index.block, index.block_bytes);
  CHECK_STATUS(mn_index_resize(&index, 300, &elsewhere), MN_ERROR_ARENA);
  CHECK_EQUAL(elsewhere.used, 0);
  CHECK(index.block == memory);
  elsewhere.capacity = large.block_bytes;
  CHECK_OK(mn_index_resize(&index, 300, &elsewhere));
  CHECK(index.block == other);
  CHECK_EQUAL(elsewhere.used, large.block_bytes);
  CHECK_EQUAL(arena.used, small.block_bytes);
  CHECK(before == hash_of(memory, small.block_bytes));
  free(memory);
  free(other);
}

static void test_refused(void) {
  mn_options o = fixture_options("flat,f32", MN_L2, 3);
  mn_sizes sizes, before;
  memset(&before, 0x5a, sizeof before);
  memcpy(&sizes, &before, sizeof before);
  CHECK_STATUS(mn_plan(NULL, 1, 1, 0, &sizes), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_plan(&o, 1, 1, 0, NULL), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_plan(&o, 0, 1, 0, &sizes), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_plan(&o, MN_CAPACITY_MAX + 1, 1, 0, &sizes),
               MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_plan(&o, 1, 0, 0, &sizes), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_plan(&o, 1, MN_EF_MAX + 1, 0, &sizes), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_plan(&o, 1, 1, MN_EF_MAX + 1, &sizes), MN_ERROR_ARGUMENT);
  o.dimensions = MN_DIMENSIONS_MAX;
  mn_status status = mn_plan(&o, MN_CAPACITY_MAX, MN_EF_MAX, 0, &sizes);
  if (sizeof(size_t) == 4) {
    mn_index index;
    mn_arena arena = mn_arena_over(&index, 64);
    CHECK_STATUS(status, MN_ERROR_TOO_LARGE);
    CHECK_STATUS(mn_index_create(&index, &o, MN_CAPACITY_MAX, &arena),
                 MN_ERROR_TOO_LARGE);
    CHECK(!memcmp(&sizes, &before, sizeof before));
  } else {
    CHECK_STATUS(status, MN_OK);
    CHECK_EQUAL(sizes.code_bytes, 4ull * MN_DIMENSIONS_MAX);
    CHECK(sizes.block_bytes >
          (unsigned long long)MN_CAPACITY_MAX * 4 * MN_DIMENSIONS_MAX);
  }
}

int main(void) {
  test_all();
  test_resize();
  test_refused();
  return test_report();
}
