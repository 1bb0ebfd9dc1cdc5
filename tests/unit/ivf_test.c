/* SPDX-License-Identifier: Apache-2.0 */
/* Inverted lists: who is in which, what a search looks into, and that all of it
 * survives change, packing and thawing. */
#include "../../core/block.h"
#include "../../core/structure/ivf.h"
#include "fixture.h"

enum { N = 600, D = 24, K = 10, QUERIES = 20 };

static void search(fixture *f, const float *vector, uint32_t k, uint32_t nprobe,
                   const uint32_t *filter, mn_hit *hits, uint32_t *found,
                   mn_stats *stats) {
  const mn_query query = {.vector = vector,
                          .dimensions = f->options.dimensions,
                          .k = k,
                          .nprobe = nprobe,
                          .filter = filter,
                          .stats = stats};
  CHECK_OK(mn_index_search(&f->index, &query, hits, found, &f->arena));
}

static int same_hits(const mn_hit *a, const mn_hit *b, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (a[i].key != b[i].key || a[i].distance != b[i].distance)
      return 0;
  return 1;
}

/* The packed form takes the live one's place in the fixture. */
static void pack(fixture *f) {
  CHECK_OK(mn_index_pack(&f->index, &f->index, &f->arena));
  CHECK_OK(mn_index_verify(&f->index));
}

static void thaw(fixture *f, uint32_t capacity) {
  CHECK_OK(mn_index_thaw(&f->index, capacity, &f->index, &f->arena));
  CHECK_OK(mn_index_verify(&f->index));
}

/* --- Options -------------------------------------------------------------- */

static uint32_t lists_of(uint32_t nlist, uint32_t capacity) {
  const mn_options options = {
      .dimensions = 4, .metric = MN_L2, .structure = MN_IVF, .nlist = nlist};
  static uint8_t memory[1 << 20];
  mn_arena arena = mn_arena_over(memory, sizeof memory);
  mn_index index;
  CHECK_OK(mn_index_create(&index, &options, capacity, &arena));
  return mn_index_info(&index).options.nlist;
}

static void test_nlist(void) {
  CHECK_EQUAL(lists_of(0, 1), 1);
  CHECK_EQUAL(lists_of(0, 15), 1);
  CHECK_EQUAL(lists_of(0, 100), 12);    /* an eighth */
  CHECK_EQUAL(lists_of(0, 10000), 400); /* 4 roots */
  CHECK_EQUAL(lists_of(7, 10000), 7);
  CHECK_EQUAL(mn_ivf_default_nlist(100000), 1264);
  CHECK_EQUAL(mn_ivf_default_nlist(MN_CAPACITY_MAX), MN_NLIST_MAX);
  CHECK_EQUAL(mn_ivf_default_nprobe(1), 1);
  CHECK_EQUAL(mn_ivf_default_nprobe(9), 9);
  CHECK_EQUAL(mn_ivf_default_nprobe(400), 60);
  mn_sizes sizes;
  const mn_query query = {.k = 1};
  mn_options o = {.dimensions = 4, .metric = MN_L2, .structure = MN_IVF};
  o.nlist = MN_NLIST_MAX;
  CHECK_OK(mn_plan(&o, 100, &query, &sizes));
  o.nlist = MN_NLIST_MAX + 1;
  CHECK_STATUS(mn_plan(&o, 100, &query, &sizes), MN_ERROR_ARGUMENT);
}

static void test_training(void) {
  fixture f = fixture_create("ivf20,f32", MN_L2, D, N);
  float *rows = fixture_rows("uniform", 0, N, D);
  mn_training training;
  mn_options o = f.index.options;
  CHECK_OK(mn_plan_training(&o, N, &training));
  CHECK_EQUAL(training.least, 20);
  CHECK_EQUAL(training.enough, 1280);
  o.nlist = 0;
  CHECK_STATUS(mn_plan_training(&o, N, &training), MN_ERROR_ARGUMENT);
  const mn_vectors few = {rows, 19, D}, some = {rows, 20, D};
  CHECK(!mn_index_info(&f.index).trained);
  CHECK_REFUSED(&f, mn_index_train(&f.index, &few, &f.arena), MN_ERROR_SAMPLE);
  CHECK_REFUSED(&f, fixture_add(&f, NULL, rows, 1), MN_ERROR_UNTRAINED);
  mn_hit hit;
  uint32_t found = 9;
  search(&f, rows, 1, 0, NULL, &hit, &found, NULL);
  CHECK_EQUAL(found, 0);
  CHECK_OK(mn_index_train(&f.index, &some, &f.arena));
  CHECK_REFUSED(&f, mn_index_train(&f.index, &some, &f.arena),
                MN_ERROR_TRAINED);
  CHECK_OK(mn_index_verify(&f.index));
  free(rows);
  fixture_free(&f);
}

/* --- Exact where every list is probed ------------------------------------- */

typedef struct kind {
  mn_metric metric;
  const char *encoding, *data;
} kind;

static const kind kinds[] = {
    {MN_L2, "f32", "uniform"},
    {MN_IP, "f32", "uniform"},
    {MN_COSINE, "f32", "clustered"},
    {MN_L2, "f16", "integers"},
    {MN_IP, "sq8", "clustered"},
    {MN_L2, "sq4,refine=f32", "uniform"},
    {MN_COSINE, "bits1", "clustered"},
    {MN_L2, "bits4", "uniform"},
    {MN_COSINE, "bits8", "clustered"},
    {MN_IP, "pq6x4", "uniform"},
    {MN_L2, "pca12,bits2", "uniform"},
    {MN_COSINE, "first16,sq8", "uniform"},
    {MN_HAMMING, "sign", "clustered"},
    {MN_JACCARD, "sign", "clustered"},
    {MN_L2, "hadamard,bf16", "duplicates"},
};

/* Live, packed and thawed, the hits are those of a flat index. */
static void test_exact(const kind *k) {
  char spec[64];
  float *queries = fixture_rows(k->data, N, QUERIES, D);
  snprintf(spec, sizeof spec, "flat,%s", k->encoding);
  fixture flat = fixture_filled(spec, k->metric, D, k->data, N);
  snprintf(spec, sizeof spec, "ivf25,%s", k->encoding);
  fixture ivf = fixture_filled(spec, k->metric, D, k->data, N);
  CHECK_OK(mn_index_verify(&ivf.index));
  for (int form = 0; form < 3; form++) {
    for (uint32_t q = 0; q < QUERIES; q++) {
      mn_hit hits[K], expected[K];
      uint32_t found, wanted;
      mn_stats stats;
      search(&flat, queries + q * D, K, 0, NULL, expected, &wanted, NULL);
      search(&ivf, queries + q * D, K, 25, NULL, hits, &found, &stats);
      CHECK(found == K && wanted == K && same_hits(hits, expected, K));
      CHECK(stats.exact == 1 && stats.probed == 25);
      CHECK_EQUAL(stats.distances, N + 25);
    }
    if (form == 0)
      pack(&ivf);
    else if (form == 1)
      thaw(&ivf, N + 3);
  }
  free(queries);
  fixture_free(&ivf);
  fixture_free(&flat);
}

/* --- What a search looks into --------------------------------------------- */

/* The same answers and the same work, in whatever form; more lists find no
 * less; and as many hits as were asked for. */
static void test_forms(mn_metric metric, const char *spec) {
  fixture f = fixture_filled(spec, metric, D, "clustered", N);
  float *queries = fixture_rows("clustered", N, QUERIES, D);
  static mn_hit expected[QUERIES][4][K];
  static mn_stats work[QUERIES][4];
  for (int form = 0; form < 3; form++) {
    for (uint32_t q = 0; q < QUERIES; q++)
      for (uint32_t nprobe = 0; nprobe < 4; nprobe++) {
        mn_hit hits[K];
        uint32_t found;
        mn_stats stats;
        search(&f, queries + q * D, K, nprobe, NULL, hits, &found, &stats);
        CHECK_EQUAL(found, K);
        if (form == 0) {
          memcpy(expected[q][nprobe], hits, sizeof hits);
          work[q][nprobe] = stats;
        }
        CHECK(same_hits(hits, expected[q][nprobe], K));
        CHECK(stats.distances == work[q][nprobe].distances &&
              stats.probed == work[q][nprobe].probed &&
              stats.bytes == work[q][nprobe].bytes);
        CHECK(nprobe == 0 ? stats.probed >= mn_ivf_default_nprobe(30)
                          : stats.probed >= nprobe);
        if (nprobe > 1)
          CHECK(stats.distances >= work[q][nprobe - 1].distances);
      }
    if (form == 0)
      pack(&f);
    else if (form == 1)
      thaw(&f, N);
  }
  free(queries);
  fixture_free(&f);
}

/* k means k, however few lists were asked for and whatever the filter. */
static void test_all_found(void) {
  fixture f = fixture_filled("ivf40,f32", MN_L2, D, "uniform", N);
  static mn_hit hits[N];
  uint32_t found, filter[(N + 31) / 32] = {0};
  mn_stats stats;
  float *queries = fixture_rows("uniform", N, 1, D);
  search(&f, queries, N, 1, NULL, hits, &found, &stats);
  CHECK(found == N && stats.probed == 40 && stats.exact);
  for (uint32_t i = 1; i < N; i++)
    CHECK(hits[i - 1].distance <= hits[i].distance);
  for (uint32_t slot = 5; slot < N; slot += 100)
    filter[slot / 32] |= 1u << slot % 32;
  search(&f, queries, 100, 1, filter, hits, &found, &stats);
  CHECK_EQUAL(found, 6);
  for (uint32_t i = 0; i < found; i++)
    CHECK_EQUAL(hits[i].slot % 100, 5);
  /* As many are compared as there are in the lists that were asked for, though
   * a filter lets only some of each through. */
  memset(filter, 0x55, sizeof filter);
  search(&f, queries, 1, 8, NULL, hits, &found, &stats);
  const uint64_t in_lists = stats.distances;
  search(&f, queries, 1, 8, filter, hits, &found, &stats);
  CHECK(stats.distances >= in_lists && stats.probed > 8);
  free(queries);
  fixture_free(&f);
}

/* --- Change --------------------------------------------------------------- */

/* Vectors come and go; after each step every list holds, and a full search
 * finds what is there and nothing else. */
static void test_change(void) {
  enum { STEPS = 40, AT_ONCE = 10, ROOM = 200 };
  fixture f = fixture_create("ivf8,sq8", MN_L2, D, ROOM);
  float *rows = fixture_rows("clustered", 0, STEPS * AT_ONCE, D);
  fixture_train(&f, rows, 100);
  uint8_t is_there[STEPS * AT_ONCE] = {0};
  uint32_t there = 0;
  for (uint32_t step = 0; step < STEPS; step++) {
    uint64_t keys[AT_ONCE];
    for (uint32_t i = 0; i < AT_ONCE; i++)
      keys[i] = step * AT_ONCE + i;
    CHECK_OK(fixture_add(&f, keys, rows + step * AT_ONCE * D, AT_ONCE));
    there += AT_ONCE;
    memset(is_there + step * AT_ONCE, 1, AT_ONCE);
    for (uint64_t key = step; key < (step + 1) * AT_ONCE; key += 3 + step % 5)
      if (is_there[key] && there > 50) {
        CHECK_OK(mn_index_delete(&f.index, &key, 1, NULL));
        is_there[key] = 0;
        there--;
      }
    CHECK_OK(mn_index_verify(&f.index));
    mn_hit hits[ROOM];
    uint32_t found;
    search(&f, rows, ROOM, 1, NULL, hits, &found, NULL);
    CHECK_EQUAL(found, there);
    for (uint32_t i = 0; i < found; i++)
      CHECK(is_there[hits[i].key]);
  }
  /* A call that is refused at its last row leaves no trace. */
  uint64_t twice[3] = {9000, 9001, 9000};
  CHECK_REFUSED(&f, fixture_add(&f, twice, rows, 3), MN_ERROR_DUPLICATE_KEY);
  pack(&f);
  CHECK_EQUAL(mn_index_info(&f.index).count, there);
  free(rows);
  fixture_free(&f);
}

/* A vector that is updated moves to another list. */
static void test_update(void) {
  fixture f = fixture_filled("ivf30,f32", MN_L2, D, "clustered", N);
  float *rows = fixture_rows("clustered", N, N, D);
  uint64_t keys[N];
  for (uint32_t i = 0; i < N; i++)
    keys[i] = i;
  const mn_vectors fresh = {rows, N, D};
  CHECK_OK(mn_index_update(&f.index, keys, &fresh, NULL, &f.arena));
  CHECK_OK(mn_index_verify(&f.index));
  for (uint32_t i = 0; i < N; i += 7) {
    mn_hit hit;
    uint32_t found;
    search(&f, rows + i * D, 1, 4, NULL, &hit, &found, NULL);
    CHECK(found == 1 && hit.key == i && hit.distance == 0.0f);
  }
  free(rows);
  fixture_free(&f);
}

/* However the vectors are divided among calls, and whatever the capacity was
 * meanwhile, the block is the same. */
static void test_same_block(void) {
  float *rows = fixture_rows("uniform", 0, N, D);
  uint64_t hash = 0;
  for (uint32_t at_once = 1; at_once <= N; at_once = at_once * 7 + 1) {
    fixture f = fixture_create("ivf25,sq8", MN_COSINE, D, N);
    fixture_train(&f, rows, 300);
    CHECK_OK(mn_index_resize(&f.index, at_once, &f.arena));
    for (uint32_t from = 0; from < N; from += at_once) {
      const uint32_t left = N - from, some = left < at_once ? left : at_once;
      if (from + some > f.index.capacity)
        CHECK_OK(mn_index_resize(&f.index, from + some, &f.arena));
      CHECK_OK(fixture_add(&f, NULL, rows + from * D, some));
    }
    CHECK_OK(mn_index_verify(&f.index));
    const uint64_t made = hash_of(f.index.block, f.index.block_bytes);
    CHECK(hash == 0 || hash == made);
    hash = made;
    fixture_free(&f);
  }
  free(rows);
}

/* --- Model ---------------------------------------------------------------- */

/* Another index takes over the model, and so has the same lists. */
static void test_set_model(void) {
  fixture a = fixture_filled("ivf25,sq8", MN_L2, D, "uniform", N);
  fixture b = fixture_create("ivf25,sq8", MN_L2, D, N);
  float *rows = fixture_rows("uniform", 0, N, D);
  size_t bytes;
  uint8_t *model = fixture_section(&a, MN_SECTION('M', 'O', 'D', 'L'), &bytes);
  CHECK_OK(mn_index_set_model(&b.index, model, bytes));
  CHECK_OK(fixture_add(&b, NULL, rows, N));
  CHECK(a.index.block_bytes == b.index.block_bytes &&
        !memcmp(a.index.block, b.index.block, a.index.block_bytes));
  fixture c = fixture_create("ivf25,sq8", MN_L2, D, N);
  float *centroids = (float *)(void *)a.index.centroids;
  const float bad[] = {__builtin_nanf(""), __builtin_inff(), 1e30f};
  for (int i = 0; i < 3; i++) {
    const float was = centroids[3];
    centroids[3] = bad[i];
    CHECK_STATUS(mn_index_set_model(&c.index, model, bytes),
                 MN_ERROR_NOT_FINITE);
    centroids[3] = was;
  }
  free(rows);
  fixture_free(&c);
  fixture_free(&b);
  fixture_free(&a);
}

/* Vectors as long as any may be: no distance overflows. */
static void test_long_vectors(void) {
  enum { COUNT = 64 };
  fixture f = fixture_create("ivf8,f32", MN_L2, 2, COUNT);
  float rows[COUNT * 2];
  for (uint32_t i = 0; i < COUNT; i++) {
    rows[2 * i] = i % 2 ? 6.5e18f : -6.5e18f;
    rows[2 * i + 1] = (float)i * 1e15f;
  }
  fixture_train(&f, rows, COUNT);
  CHECK_OK(fixture_add(&f, NULL, rows, COUNT));
  CHECK_OK(mn_index_verify(&f.index));
  mn_hit hits[COUNT];
  uint32_t found;
  search(&f, rows, COUNT, 1, NULL, hits, &found, NULL);
  CHECK_EQUAL(found, COUNT);
  CHECK_EQUAL(hits[0].key, 0);
  fixture_free(&f);
}

/* --- Damage --------------------------------------------------------------- */

static void check_damaged(fixture *f, uint32_t *word, uint32_t value) {
  const uint32_t was = *word;
  float query[D] = {1.0f};
  static mn_hit hits[N];
  uint32_t found;
  if (was == value)
    return;
  *word = value;
  CHECK_STATUS(mn_index_verify(&f->index), MN_ERROR_CORRUPT);
  search(f, query, N, 2, NULL, hits, &found, NULL);
  for (uint32_t i = 0; i < found; i++)
    CHECK(hits[i].slot < N);
  *word = was;
}

/* Whatever stands in section LIST, nothing leads outside the block, every
 * search ends, and verifying notices. */
static void test_damage(int is_packed) {
  fixture f = fixture_filled("ivf12,f32", MN_L2, D, "uniform", N);
  const uint32_t values[] = {0,     1,           7,           N - 1,     N,
                             N + 1, 0x80000000u, 0x80000003u, UINT32_MAX};
  if (is_packed)
    pack(&f);
  size_t bytes;
  uint32_t *words =
      (void *)fixture_section(&f, MN_SECTION('L', 'I', 'S', 'T'), &bytes);
  for (uint32_t i = 0; i < bytes / 4; i += is_packed ? 1 : 11)
    for (uint32_t j = 0; j < sizeof values / sizeof *values; j++)
      /* An empty list begins where the next one does. */
      if (!is_packed || i == 0 || i == 12 || values[j] > N)
        check_damaged(&f, words + i, values[j]);
  CHECK_OK(mn_index_verify(&f.index));
  if (!is_packed) { /* what is in a circle can be packed, and deleted */
    mn_ivf_next(&f.index, 3);
    words[12 + 2 * 3] = 4; /* slot 3 leads to itself */
    uint64_t key = 3;
    mn_index packed;
    CHECK_OK(mn_index_pack(&f.index, &packed, &f.arena));
    CHECK_OK(mn_index_verify(&packed));
    CHECK_EQUAL(mn_index_info(&packed).count, N);
    CHECK_OK(mn_index_delete(&f.index, &key, 1, NULL));
  }
  fixture_free(&f);
}

int main(void) {
  test_nlist();
  test_training();
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    test_exact(&kinds[i]);
  test_forms(MN_L2, "ivf30,f32");
  test_forms(MN_IP, "ivf30,bits4");
  test_forms(MN_COSINE, "ivf30,sq8,refine=f16");
  test_forms(MN_HAMMING, "ivf30");
  test_all_found();
  test_change();
  test_update();
  test_same_block();
  test_set_model();
  test_long_vectors();
  test_damage(0);
  test_damage(1);
  return test_report();
}
