/* SPDX-License-Identifier: Apache-2.0 */
/* What mn_options_choose makes of dimensions, metric, number and budget. */
#include "../../core/options.h"
#include "fixture.h"

static mn_options asked(mn_metric metric, uint32_t dimensions) {
  return (mn_options){.dimensions = dimensions,
                      .metric = metric,
                      .structure = MN_FLAT, /* all this is chosen anew */
                      .transform = MN_PCA,
                      .kept_dimensions = 3,
                      .encoding = MN_PQ,
                      .pq_m = 2,
                      .refine = MN_SQ4,
                      .m = 5,
                      .ef_construction = 77,
                      .seed = 1234567890123};
}

/* The spec that is chosen. */
static void expect(mn_metric metric, uint32_t dimensions, uint32_t count,
                   uint64_t budget, const char *spec) {
  mn_options o = asked(metric, dimensions);
  char text[MN_SPEC_BYTES];
  CHECK_OK(mn_options_choose(&o, count, budget, 0));
  CHECK(o.dimensions == dimensions && o.metric == metric);
  CHECK(o.ef_construction == 77 && o.seed == 1234567890123);
  CHECK_OK(mn_options_format(&o, text));
  if (strcmp(text, spec))
    printf("%u vectors, %u dimensions, budget %llu: %s, not %s\n", count,
           dimensions, (unsigned long long)budget, text, spec);
  CHECK(!strcmp(text, spec));
}

/* --- Without a budget ----------------------------------------------------- */

static void test_rules(void) {
  for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
    expect(metric, 1, 0, 0, "auto,bits8");
    expect(metric, 65535, 0, 0, "auto,bits8");
    expect(metric, 100, 1, 0, "flat,bits8");
    expect(metric, 100, MN_AUTO_HNSW_CAPACITY - 1, 0, "flat,bits8");
    expect(metric, 100, MN_AUTO_HNSW_CAPACITY, 0, "hnsw16,bits8");
    expect(metric, 512, 100000, 0, "hnsw16,bits8");
  }
  for (mn_metric metric = MN_HAMMING; metric <= MN_JACCARD; metric++) {
    expect(metric, 64, 0, 0, "auto,sign");
    expect(metric, 1000, 50000, 0, "hnsw16,sign");
    expect(metric, 1000, 100, 1 << 20, "flat,sign");
  }
}

/* --- Read by pages -------------------------------------------------------- */

static void expect_paged(mn_metric metric, uint32_t dimensions, uint32_t count,
                         uint64_t budget, const char *spec) {
  mn_options o = asked(metric, dimensions);
  char text[MN_SPEC_BYTES];
  CHECK_OK(mn_options_choose(&o, count, budget, 1));
  CHECK(o.ef_construction == 77 && o.seed == 1234567890123);
  CHECK_OK(mn_options_format(&o, text));
  if (strcmp(text, spec))
    printf("%u vectors, %u dimensions, by pages: %s, not %s\n", count,
           dimensions, text, spec);
  CHECK(!strcmp(text, spec));
}

/* Lists where there are many vectors, so that centroids are few beside them;
 * the number of lists is told. */
static void test_paged(void) {
  for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
    expect_paged(metric, 100, 1000, 0, "flat,bits8");
    expect_paged(metric, 100, 10000, 0, "hnsw16,bits8");
    expect_paged(metric, 100, 100000, 0, "ivf1264,bits8");
    expect_paged(metric, 512, 20000, 0, "hnsw16,bits8");
    expect_paged(metric, 512, 100000, 0, "ivf1264,bits8");
    expect_paged(metric, 100, 1000000, 120000000, "ivf4000,bits6");
    expect_paged(metric, 512, 1000000, 150000000, "ivf4000,pca128,bits4");
  }
  expect_paged(MN_HAMMING, 1000, 100000, 0, "hnsw16,sign");
}

/* --- Within a budget ------------------------------------------------------ */

/* The place of what was chosen in the order of bytes. */
static uint32_t place_of(const mn_options *o) {
  static const char *const by_size[] = {
      "bits8",       "bits6", "bits4", "pca150,bits4", "pca75,bits4",
      "pca37,bits4", "bits3", "bits2", "bits1"};
  char text[MN_SPEC_BYTES];
  CHECK_OK(mn_options_format(o, text));
  uint32_t place = 0;
  while (place < 9 && strcmp(strchr(text, ',') + 1, by_size[place]) != 0)
    place++;
  CHECK(place < 9);
  return place;
}

/* Less and less: never better, until nothing fits. */
static void test_falling(mn_metric metric, uint32_t dimensions,
                         uint32_t count) {
  uint32_t place = 0, seen = 0;
  uint64_t budget = (uint64_t)count * (dimensions * 4 + 100) + 100000;
  mn_status status = MN_OK;
  for (; budget > 500; budget -= budget / 50 + 1) {
    mn_options o = asked(metric, dimensions);
    const mn_options before = o;
    const mn_status now = mn_options_choose(&o, count, budget, 0);
    CHECK(now == MN_OK || now == MN_ERROR_CAPACITY);
    CHECK(status == MN_OK || now == MN_ERROR_CAPACITY);
    status = now;
    if (now != MN_OK) {
      CHECK(!memcmp(&o, &before, sizeof o));
      continue;
    }
    CHECK(place_of(&o) >= place);
    place = place_of(&o);
    seen |= 1u << place;
  }
  CHECK_STATUS(status, MN_ERROR_CAPACITY);
  CHECK_EQUAL(seen, dimensions < 256 ? 0x1c7 : 0x3f);
}

/* An index so chosen, filled and packed, keeps to the budget. */
static void test_kept(mn_metric metric, uint32_t dimensions, uint32_t count,
                      const char *kind) {
  float *rows = fixture_rows(kind, 0, count, dimensions);
  uint32_t tried = 0;
  uint8_t *memory = malloc(FIXTURE_BYTES);
  for (uint64_t each = 40 + dimensions / 8; each < 4 * dimensions + 200;
       each += each / 2) {
    mn_options o = asked(metric, dimensions);
    o.ef_construction = 40;
    const uint64_t budget = each * count;
    if (mn_options_choose(&o, count, budget, 0) != MN_OK)
      continue;
    fixture f = {.memory = memory,
                 .arena = mn_arena_over(memory, FIXTURE_BYTES),
                 .options = o};
    mn_index packed;
    CHECK_OK(mn_index_create(&f.index, &o, count, &f.arena));
    fixture_train(&f, rows, count);
    CHECK_OK(fixture_add(&f, NULL, rows, count));
    CHECK_OK(mn_index_pack(&f.index, &packed, &f.arena));
    if (packed.block_bytes > budget)
      printf("%zu bytes, not %llu\n", packed.block_bytes,
             (unsigned long long)budget);
    CHECK(packed.block_bytes <= budget);
    tried++;
  }
  CHECK(tried >= 2);
  free(rows);
  free(memory);
}

/* --- Refused -------------------------------------------------------------- */

static void test_refused(void) {
  mn_options o = asked(MN_L2, 100), before = o;
  CHECK_STATUS(mn_options_choose(NULL, 0, 0, 0), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_options_choose(&o, 0, 1, 0), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_options_choose(&o, 0, 0, 1), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_options_choose(&o, MN_CAPACITY_MAX + 1, 0, 0),
               MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_options_choose(&o, 1000, 1, 0), MN_ERROR_CAPACITY);
  CHECK_STATUS(mn_options_choose(&o, 1000, 1000, 0), MN_ERROR_CAPACITY);
  CHECK(!memcmp(&o, &before, sizeof o));
  o.dimensions = 0;
  CHECK_STATUS(mn_options_choose(&o, 0, 0, 0), MN_ERROR_ARGUMENT);
  o.dimensions = MN_DIMENSIONS_MAX + 1;
  CHECK_STATUS(mn_options_choose(&o, 0, 0, 0), MN_ERROR_ARGUMENT);
  o.dimensions = 100;
  o.metric = (mn_metric)0;
  CHECK_STATUS(mn_options_choose(&o, 0, 0, 0), MN_ERROR_ARGUMENT);
  o.metric = (mn_metric)6;
  CHECK_STATUS(mn_options_choose(&o, 10, 0, 0), MN_ERROR_ARGUMENT);
  o = before;
  o.ef_construction = MN_EF_MAX + 1;
  CHECK_STATUS(mn_options_choose(&o, 10000, 0, 0), MN_ERROR_ARGUMENT);
}

int main(void) {
  test_rules();
  test_paged();
  for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
    test_falling(metric, 64, 1000);
    test_falling(metric, 300, 100000);
  }
  test_kept(MN_L2, 32, 5000, "clustered");
  test_kept(MN_COSINE, 200, 1000, "uniform");
  test_kept(MN_IP, 260, 1000, "uniform");
  test_refused();
  return test_report();
}
