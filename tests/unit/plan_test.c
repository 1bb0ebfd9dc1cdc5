/* SPDX-License-Identifier: Apache-2.0 */
/* mn_plan is exact: an arena of just so many bytes is enough and is used up; a
 * byte less is refused, and nothing changed. */
#include "fixture.h"

#define K 10u

typedef struct plan {
  mn_options options;
  uint32_t capacity;
  mn_query query;
  mn_sizes sizes;
  mn_training training;
  uint8_t *block_memory, *scratch_memory;
  float *rows;       /* capacity vectors, then one query */
  mn_vectors sample; /* as few vectors as training can do with */
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
  CHECK_EQUAL(mn_index_info(&p->index).trained, p->training.least == 0);
  if (p->training.least > 0)
    CHECK_EXACT(p, p->training.scratch_bytes,
                mn_index_train(&p->index, &p->sample, &scratch));
  CHECK(s->add_scratch_bytes == (s->append_scratch_bytes > s->link_scratch_bytes
                                     ? s->append_scratch_bytes
                                     : s->link_scratch_bytes));
  if (half) {
    CHECK_EXACT(p, s->append_scratch_bytes,
                mn_index_append(&p->index, NULL, &first, NULL, &scratch));
    /* Where there is no batch, nothing is taken. */
    const size_t link_bytes =
        mn_index_batch(&p->index) > 0 ? s->link_scratch_bytes : 0;
    CHECK_EXACT(p, link_bytes, mn_index_link(&p->index, half, &left, &scratch));
  }
  CHECK_EXACT(p, s->add_scratch_bytes,
              mn_index_add(&p->index, NULL, &second, NULL, &scratch));
  CHECK_EQUAL(mn_index_info(&p->index).count, p->capacity);
  CHECK_EQUAL(mn_index_info(&p->index).code_bytes, s->code_bytes);
  CHECK_EQUAL(mn_index_info(&p->index).refine_bytes, s->refine_bytes);
}

static mn_status fetch(void *context, uint64_t key, uint32_t slot,
                       float *vector) {
  const plan *p = context;
  const size_t d = p->options.dimensions;
  CHECK_EQUAL(key, slot);
  memcpy(vector, p->rows + slot * d, d * sizeof *vector);
  return MN_OK;
}

static void test_search(plan *p) {
  mn_hit hits[K], more[2 * K];
  uint32_t found = 99, d = p->options.dimensions;
  p->query.vector = p->rows + (size_t)p->capacity * d;
  p->query.dimensions = d;
  CHECK_EXACT(p, p->sizes.search_scratch_bytes,
              mn_index_search(&p->index, &p->query, hits, &found, &scratch));
  CHECK_EQUAL(found, p->capacity < K ? p->capacity : K);
  CHECK_EXACT(
      p, p->sizes.like_scratch_bytes,
      mn_index_search_like(&p->index, 0, &p->query, more, &found, &scratch));
  CHECK_EQUAL(found, p->capacity - 1 < K ? p->capacity - 1 : K);
  CHECK_EXACT(
      p, p->sizes.within_scratch_bytes,
      mn_index_within(&p->index, &p->query, 1e30f, more, &found, &scratch));
  CHECK_EQUAL(found, p->capacity < K ? p->capacity : K);
  const mn_vectors two = fixture_view(p->query.vector - d, 2, d);
  uint32_t counts[2] = {99, 99};
  CHECK_EXACT(
      p, p->sizes.search_scratch_bytes,
      mn_index_search_many(&p->index, &two, &p->query, more, counts, &scratch));
  CHECK(counts[0] == found && counts[1] == found);
  if (found == K)
    CHECK_EXACT(p, p->sizes.diversify_scratch_bytes,
                mn_index_diversify(&p->index, more, K, K, 0.5f, &scratch));
  if (found < K || p->index.options.encoding == MN_SIGN)
    return;
  mn_vectors vectors = fixture_view(p->rows, K, d);
  CHECK_EXACT(
      p, p->sizes.rank_scratch_bytes,
      mn_index_rank(&p->index, p->query.vector, &vectors, hits, &scratch));
}

/* One size is enough for each of these, and none wants a byte more. */
static void test_vectors(plan *p) {
  const size_t bytes = p->sizes.vector_scratch_bytes;
  const uint32_t d = p->options.dimensions;
  const mn_vectors one = fixture_view(p->rows, 1, d);
  uint8_t *code = malloc(p->sizes.code_bytes);
  float *row = malloc(d * sizeof *row), distance;
  size_t most = 0;
  mn_arena scratch = mn_arena_over(p->scratch_memory, bytes);
#define CHECK_FITS(call)                                                       \
  (scratch.peak = 0, CHECK_OK(call), CHECK_EQUAL(scratch.used, 0),             \
   most = scratch.peak > most ? scratch.peak : most)
  CHECK_FITS(mn_index_encode(&p->index, &one, code, NULL, &scratch));
  CHECK_FITS(mn_index_decode(&p->index, code, 1, row, &scratch));
  CHECK_FITS(mn_index_compare(&p->index, row, d, code, 1, &distance, &scratch));
  CHECK_FITS(mn_index_between(&p->index, code, code, &distance, &scratch));
  CHECK_FITS(mn_index_reconstruct(&p->index, 0, row, d, &scratch));
#undef CHECK_FITS
  CHECK_EQUAL(most, bytes);
  free(code);
  free(row);
}

static void test_plan(const char *spec, mn_metric metric, uint32_t dimensions,
                      uint32_t capacity, mn_query query) {
  plan p = {.capacity = capacity, .query = query};
  p.options = fixture_options(spec, metric, dimensions);
  if (query.fetch != NULL)
    p.query.fetch_context = &p;
  CHECK_OK(mn_plan(&p.options, capacity, &query, &p.sizes));
  CHECK_OK(mn_plan_training(&p.options, 1, &p.training));
  const uint32_t least = p.training.least;
  CHECK(p.training.enough >= least);
  CHECK_OK(mn_plan_training(&p.options, least, &p.training));
  CHECK_EQUAL(p.training.least, least);
  size_t scratch = p.sizes.add_scratch_bytes + p.training.scratch_bytes +
                   p.sizes.search_scratch_bytes + p.sizes.rank_scratch_bytes +
                   p.sizes.vector_scratch_bytes + p.sizes.like_scratch_bytes +
                   p.sizes.within_scratch_bytes +
                   p.sizes.diversify_scratch_bytes;
  p.block_memory = aligned_alloc(64, p.sizes.block_bytes);
  p.scratch_memory = aligned_alloc(64, scratch + 64);
  p.rows = fixture_rows("uniform", 0, capacity + 1, dimensions);
  float *sample = fixture_rows("uniform", 9999, least + 1, dimensions);
  p.sample = fixture_view(sample, least, dimensions);
  test_create(&p);
  test_fill(&p);
  test_search(&p);
  test_vectors(&p);
  free(p.block_memory);
  free(p.scratch_memory);
  free(p.rows);
  free(sample);
}

static void test_all(void) {
  static const char *const specs[] = {
      "flat,f32",   "flat,f16",    "flat,bf16",      "flat,sq8",
      "hnsw4,f32",  "hnsw16,f16",  "hnsw7,sq8",      "auto,f32",
      "hnsw5,sq6",  "flat,sq4",    "flat,bits1",     "hnsw4,bits3",
      "flat,bits8", "hnsw4,pq1x4", "flat,prq1x3x2+c"};
  static const uint32_t dimensions[] = {1, 17, 100};
  static const uint32_t capacities[] = {1, 2, 17, 300};
  for (unsigned s = 0; s < sizeof specs / sizeof *specs; s++)
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++)
      for (unsigned d = 0; d < 3; d++)
        for (unsigned c = 0; c < 4; c++)
          test_plan(specs[s], metric, dimensions[d], capacities[c],
                    (mn_query){.k = K, .ef = c % 2 ? 0 : 33});
  test_plan("hnsw8,f32", MN_L2, 3, 3000, (mn_query){.k = K, .ef = 1000});
  test_plan("auto,f16", MN_L2, 3, MN_AUTO_HNSW_CAPACITY,
            (mn_query){.k = K, .ef = 5});
  test_plan("flat,sign", MN_HAMMING, 17, 40, (mn_query){.k = K});
  test_plan("hnsw4,first9", MN_JACCARD, 17, 40, (mn_query){.k = K});
}

/* Transforms and refine have room of their own. */
static void test_composed(void) {
  static const char *const specs[] = {"flat,hadamard,f16",
                                      "hnsw4,first7,sq8,refine=f32",
                                      "flat,pca5,bits4,refine=sq6",
                                      "hnsw4,opq,pq4x4,refine=bf16",
                                      "flat,opq,prq4x2x3+c",
                                      "flat,f32,refine=bits2",
                                      "hnsw4,pca24,f32",
                                      "ivf7,f32",
                                      "ivf3,pca5,bits4,refine=sq6",
                                      "flat,bits1,refine=bits8"};
  for (unsigned s = 0; s < sizeof specs / sizeof *specs; s++)
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
      test_plan(specs[s], metric, 24, 60, (mn_query){.k = K});
      test_plan(specs[s], metric, 24, 60,
                (mn_query){.k = K, .ef = 5, .refine_k = 3.7f});
      test_plan(specs[s], metric, 24, 60,
                (mn_query){.k = K, .refine_k = 2, .fetch = fetch});
    }
  test_plan("flat,bits8", MN_L2, 24, 60,
            (mn_query){.k = K, .planes = 1, .refine_planes = 4});
  test_plan("hnsw4,bits5", MN_COSINE, 24, 60, (mn_query){.k = K, .planes = 2});
  static const uint64_t without[] = {7000, 7001};
  test_plan("hnsw4,f32", MN_L2, 3, 500,
            (mn_query){.k = K, .without = without, .without_count = 2});
  test_plan("flat,f32", MN_L2, 3, 500,
            (mn_query){.k = K,
                       .without = without,
                       .without_count = 2,
                       .budget = 1000,
                       .plan = MN_PLAN_POST});
}

/* What a resize takes from the arena, in place and elsewhere. */
static void test_resize(void) {
  mn_options options = fixture_options("hnsw8,f32", MN_L2, 9);
  const mn_query one = {.k = 1};
  mn_sizes small, large;
  CHECK_OK(mn_plan(&options, 100, &one, &small));
  CHECK_OK(mn_plan(&options, 300, &one, &large));
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
  const mn_query one = {.k = 1};
  mn_query q;
  mn_sizes sizes, before;
  memset(&before, 0x5a, sizeof before);
  memcpy(&sizes, &before, sizeof before);
  CHECK_STATUS(mn_plan(NULL, 1, &one, &sizes), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_plan(&o, 1, NULL, &sizes), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_plan(&o, 1, &one, NULL), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_plan(&o, 0, &one, &sizes), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_plan(&o, MN_CAPACITY_MAX + 1, &one, &sizes),
               MN_ERROR_ARGUMENT);
#define TRY_QUERY(...)                                                         \
  (q = (mn_query){__VA_ARGS__},                                                \
   CHECK_STATUS(mn_plan(&o, 1, &q, &sizes), MN_ERROR_ARGUMENT))
  TRY_QUERY(.k = 0);
  TRY_QUERY(.k = MN_EF_MAX + 1);
  TRY_QUERY(.k = 1, .ef = MN_EF_MAX + 1);
  TRY_QUERY(.k = 1, .planes = 1);
  TRY_QUERY(.k = 1, .refine_planes = 1);
  TRY_QUERY(.k = 1, .refine_k = 0.5f);
#undef TRY_QUERY
  CHECK(!memcmp(&sizes, &before, sizeof before));
  q = (mn_query){.k = MN_EF_MAX};
  o.dimensions = MN_DIMENSIONS_MAX;
  mn_status status = mn_plan(&o, MN_CAPACITY_MAX, &q, &sizes);
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

/* A plan for a model or a sample that no address space holds. */
static void test_training_refused(void) {
  mn_options o = fixture_options("flat,sq8", MN_L2, 3);
  mn_training training, before;
  memset(&before, 0x5a, sizeof before);
  memcpy(&training, &before, sizeof before);
  CHECK_STATUS(mn_plan_training(NULL, 1, &training), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_plan_training(&o, 1, NULL), MN_ERROR_ARGUMENT);
  o.metric = MN_HAMMING;
  CHECK_STATUS(mn_plan_training(&o, 1, &training), MN_ERROR_ARGUMENT);
  o.metric = MN_L2;
  o.dimensions = MN_DIMENSIONS_MAX;
  if (sizeof(size_t) == 4)
    CHECK_STATUS(mn_plan_training(&o, UINT32_MAX, &training),
                 MN_ERROR_TOO_LARGE);
  CHECK(!memcmp(&training, &before, sizeof before));
  if (sizeof(size_t) > 4) {
    CHECK_OK(mn_plan_training(&o, UINT32_MAX, &training));
    CHECK(training.scratch_bytes >=
          4ull * UINT32_MAX * (unsigned long long)MN_DIMENSIONS_MAX);
  }
  o = fixture_options("hnsw,f32", MN_L2, 3);
  CHECK_OK(mn_plan_training(&o, 1000, &training));
  CHECK(training.least == 0 && training.enough == 0 &&
        training.scratch_bytes == 0);
}

/* More vectors never take less, up to where no address space holds them. */
static void test_training_grows(void) {
  static const char *const specs[] = {
      "flat,sq8",      "flat,bits4",        "flat,pq1x8",
      "flat,pq1x4+c",  "flat,prq1x12x16+c", "flat,pca3,f32",
      "flat,pca2,sq6", "flat,opq,prq1x4x2", "flat,hadamard,f16,refine=bits8"};
  static const uint32_t dimensions[] = {3, 100, 65535};
  for (unsigned s = 0; s < sizeof specs / sizeof *specs; s++)
    for (unsigned d = 0; d < 3; d++) {
      mn_options o = fixture_options(specs[s], MN_COSINE, dimensions[d]);
      mn_training training = {.scratch_bytes = 0};
      size_t before = 0;
      int is_too_large = 0;
      for (uint64_t count = 1; count <= UINT32_MAX; count = count * 3 + 1) {
        const mn_status status =
            mn_plan_training(&o, (uint32_t)count, &training);
        CHECK(status == MN_OK || status == MN_ERROR_TOO_LARGE);
        CHECK(!is_too_large || status == MN_ERROR_TOO_LARGE);
        is_too_large = status != MN_OK;
        if (is_too_large)
          continue;
        CHECK(training.scratch_bytes >= before &&
              training.scratch_bytes >= 4 * count * dimensions[d]);
        before = training.scratch_bytes;
      }
      CHECK(is_too_large == (sizeof(size_t) == 4));
    }
}

int main(void) {
  test_training_grows();
  test_all();
  test_composed();
  test_resize();
  test_refused();
  test_training_refused();
  return test_report();
}
