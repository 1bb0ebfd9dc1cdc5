/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions of a search against a naive model: which vectors are hits, by
 * every plan; that live, packed and thawed blocks answer alike; budgets.
 */
#include "fixture.h"

#define D 16u
#define N 2410u
#define K 10u
#define Q 4u

/* --- Conditions ----------------------------------------------------------- */

static const mn_key_range ranges[] = {
    {100, 1499}, {2000, 2000}, {2200, 2100}, {2300, UINT64_MAX}};
static uint32_t bits[(N + 31) / 32];
static uint64_t without[200];
static uint32_t asked; /* predicates */

static int is_third(void *context, uint64_t key, uint32_t slot) {
  CHECK(context == bits && slot < N);
  asked++;
  return key % 3 == 0;
}

/* Which conditions a query has, as a sum of these. */
enum { BITS = 1, RANGES = 2, WITHOUT = 4, MATCH = 8, ALL = 15 };

static mn_query with_conditions(mn_query q, unsigned conditions) {
  if (conditions & BITS)
    q.filter = bits;
  if (conditions & RANGES) {
    q.ranges = ranges;
    q.range_count = 4;
  }
  if (conditions & WITHOUT) {
    q.without = without;
    q.without_count = 200;
  }
  if (conditions & MATCH) {
    q.match = is_third;
    q.match_context = bits;
  }
  return q;
}

/* Of a live index with default keys, where slots are keys. */
static uint32_t is_match(unsigned conditions, uint64_t key) {
  uint32_t matches = 1;
  if (conditions & BITS)
    matches &= bits[key / 32] >> key % 32 & 1;
  if (conditions & RANGES)
    matches &= (key >= 100 && key < 1500) || key == 2000 || key >= 2300;
  if ((conditions & WITHOUT) && key % 7 == 0 && key / 7 < 199)
    matches = 0;
  if (conditions & MATCH)
    matches &= key % 3 == 0;
  return matches;
}

static uint32_t count_matches(unsigned conditions) {
  uint32_t count = 0;
  for (uint32_t key = 0; key < N; key++)
    count += is_match(conditions, key);
  return count;
}

static void set_conditions(uint32_t percent) {
  gen_filter(bits, 5, N, percent);
  bits[N / 32] |= ~((1u << N % 32) - 1); /* past the last slot: no meaning */
  for (uint32_t i = 0; i < 200; i++)
    without[i] = 7 * i;
  without[199] = UINT64_MAX - 1; /* not in the index */
}

/* --- What is found -------------------------------------------------------- */

/* An exact search without conditions, of which the matches are the truth. */
static void find_truth(fixture *f, const float *query, unsigned conditions,
                       mn_hit truth[K], uint32_t *count) {
  static mn_hit all[N];
  uint32_t found;
  const mn_query q = {
      .vector = query, .dimensions = D, .k = N, .plan = MN_PLAN_SCAN};
  CHECK_OK(mn_index_search(&f->index, &q, all, &found, &f->arena));
  CHECK_EQUAL(found, N);
  *count = 0;
  for (uint32_t i = 0; i < found && *count < K; i++)
    if (is_match(conditions, all[i].key))
      truth[(*count)++] = all[i];
}

static uint32_t check_found(const mn_hit *hits, uint32_t found,
                            const mn_hit *truth, uint32_t count,
                            unsigned conditions) {
  uint32_t same = 0;
  CHECK_EQUAL(found, count);
  for (uint32_t i = 0; i < found; i++) {
    CHECK(is_match(conditions, hits[i].key));
    if (i > 0)
      CHECK(hits[i - 1].distance < hits[i].distance ||
            (hits[i - 1].distance == hits[i].distance &&
             hits[i - 1].key < hits[i].key));
    for (uint32_t j = 0; j < count; j++)
      same += hits[i].key == truth[j].key;
  }
  return same;
}

static void test_conditions(fixture *f, const float *queries,
                            unsigned conditions, uint32_t percent) {
  set_conditions(percent);
  const uint32_t matches = count_matches(conditions);
  for (mn_plan_kind plan = MN_PLAN_AUTO; plan <= MN_PLAN_POST; plan++) {
    uint32_t same = 0, wanted = 0;
    for (uint32_t i = 0; i < Q; i++) {
      mn_hit truth[K], hits[K];
      uint32_t count, found;
      mn_stats stats;
      find_truth(f, queries + i * D, conditions, truth, &count);
      const mn_query q = with_conditions((mn_query){.vector = queries + i * D,
                                                    .dimensions = D,
                                                    .k = K,
                                                    .plan = plan,
                                                    .stats = &stats},
                                         conditions);
      CHECK_OK(mn_index_search(&f->index, &q, hits, &found, &f->arena));
      const uint32_t here = check_found(hits, found, truth, count, conditions);
      same += here;
      wanted += count;
      CHECK(stats.plan != MN_PLAN_AUTO && stats.reason != 0 && !stats.cut);
      if (f->options.structure == MN_FLAT)
        CHECK(stats.plan == MN_PLAN_SCAN && stats.reason == MN_WHY_NO_GRAPH);
      else if (conditions == 0 && plan != MN_PLAN_SCAN)
        CHECK(stats.plan == MN_PLAN_WALK && stats.reason == MN_WHY_ALL);
      else if (plan != MN_PLAN_AUTO)
        CHECK(stats.plan == plan && stats.reason == MN_WHY_FORCED);
      if (stats.exact) {
        CHECK_EQUAL(here, count);
        CHECK_EQUAL(stats.matches, matches);
      } else {
        CHECK(stats.hops > 0 && !stats.fell_back);
        if (!(conditions & (RANGES | MATCH)))
          CHECK_EQUAL(stats.matches, matches);
      }
    }
    if ((double)same < 0.97 * wanted)
      printf("conditions %u, %u %%, plan %d: %u of %u\n", conditions, percent,
             (int)plan, same, wanted);
    CHECK((double)same >= 0.97 * wanted);
  }
}

static void test_all_conditions(const char *spec) {
  fixture f = fixture_filled(spec, MN_L2, D, "clustered", N);
  float *queries = fixture_rows("clustered", N, Q, D);
  for (unsigned conditions = 0; conditions <= ALL; conditions++)
    for (uint32_t percent = 0; percent <= 100; percent += 50)
      if (percent == 50 || (conditions & BITS))
        test_conditions(&f, queries, conditions, percent);
  free(queries);
  fixture_free(&f);
}

/* --- Sameness ------------------------------------------------------------- */

/* Bits by slot for another numbering. */
static void renumber(const mn_index *index, uint32_t *renumbered) {
  memset(renumbered, 0, sizeof bits);
  for (uint32_t key = 0; key < N; key++) {
    uint32_t slot = 0;
    if (mn_index_find(index, key, &slot) != MN_OK)
      continue;
    renumbered[slot / 32] |= (bits[key / 32] >> key % 32 & 1) << slot % 32;
  }
}

/* What a search found and did, but for slots. */
static uint64_t hash_answers(fixture *f, const mn_index *index,
                             const float *queries, unsigned conditions,
                             mn_plan_kind plan, uint64_t budget) {
  static uint32_t renumbered[(N + 31) / 32];
  gen_hash hash = gen_hash_start();
  renumber(index, renumbered);
  for (uint32_t i = 0; i < Q; i++) {
    mn_hit hits[K];
    uint32_t found;
    mn_stats stats;
    mn_query q = with_conditions((mn_query){.vector = queries + i * D,
                                            .dimensions = D,
                                            .k = K,
                                            .ef = 40,
                                            .plan = plan,
                                            .budget = budget,
                                            .stats = &stats},
                                 conditions);
    if (q.filter != NULL)
      q.filter = renumbered;
    CHECK_OK(mn_index_search(index, &q, hits, &found, &f->arena));
    for (uint32_t h = 0; h < found; h++) {
      gen_hash_long(&hash, hits[h].key);
      gen_hash_float(&hash, hits[h].distance);
    }
    gen_hash_long(&hash, stats.distances);
    gen_hash_word(&hash, stats.hops);
    gen_hash_word(&hash, stats.plan);
    gen_hash_word(&hash, stats.reason);
    gen_hash_word(&hash, stats.matches);
    gen_hash_word(&hash, stats.exact);
    gen_hash_word(&hash, stats.cut);
    gen_hash_word(&hash, stats.fell_back);
  }
  return gen_hash_end(hash);
}

/* Slots that are free, and none that is dead. */
static void make_holes(fixture *f) {
  uint32_t left = 0;
  for (uint64_t key = 3; key < N; key += 9)
    CHECK_OK(mn_index_delete(&f->index, &key, 1, NULL));
  CHECK_OK(mn_index_repair(&f->index, UINT32_MAX, &left, &f->arena));
  const mn_info info = mn_index_info(&f->index);
  CHECK(left == 0 && info.dead == 0 && info.slots > info.count);
}

static void test_same(const char *spec, const char *kind, int has_holes) {
  static const unsigned some[] = {BITS, RANGES, MATCH | WITHOUT, ALL, 0};
  fixture f = fixture_filled(spec, MN_L2, D, kind, N);
  const int is_graph = f.index.options.structure == MN_HNSW;
  if (has_holes)
    make_holes(&f);
  float *queries = fixture_rows(kind, N, Q, D);
  mn_index packed, thawed;
  CHECK_OK(mn_index_pack(&f.index, &packed, &f.arena));
  CHECK_OK(mn_index_thaw(&packed, N + 9, &thawed, &f.arena));
  for (unsigned c = 0; c < 5; c++)
    for (mn_plan_kind plan = MN_PLAN_AUTO; plan <= MN_PLAN_POST; plan++)
      for (uint64_t budget = 0; budget <= 1600; budget += 400) {
        if ((plan == MN_PLAN_SCAN || !is_graph) && budget > 0)
          continue; /* in the order of slots */
        set_conditions(10 + 25 * c);
        const uint64_t live =
            hash_answers(&f, &f.index, queries, some[c], plan, budget);
        CHECK(live ==
              hash_answers(&f, &packed, queries, some[c], plan, budget));
        CHECK(live ==
              hash_answers(&f, &thawed, queries, some[c], plan, budget));
      }
  free(queries);
  fixture_free(&f);
}

/* --- Twins ---------------------------------------------------------------- */

/* Ten vectors, 300 times each: one of them matches, and it is never the one
 * that stands in the graph. */
static void test_twins(const char *spec) {
  enum { DIFFERENT = 10 };
  fixture f = fixture_create(spec, MN_L2, D, N);
  float *rows = fixture_rows("uniform", 0, N, D);
  for (uint32_t i = DIFFERENT; i < N; i++)
    memcpy(rows + i * D, rows + i % DIFFERENT * D, D * sizeof *rows);
  fixture_train(&f, rows, N);
  CHECK_OK(fixture_add(&f, NULL, rows, N));
  memset(bits, 0, sizeof bits);
  for (uint32_t i = 0; i < DIFFERENT; i++) {
    const uint32_t slot = 1000 + DIFFERENT * 37 * i % 1000 + i;
    bits[slot / 32] |= 1u << slot % 32;
  }
  for (mn_plan_kind plan = MN_PLAN_AUTO; plan <= MN_PLAN_POST; plan++)
    for (uint32_t i = 0; i < DIFFERENT; i++) {
      mn_hit hits[DIFFERENT];
      uint32_t found;
      mn_stats stats;
      const mn_query q = {.vector = rows + i * D,
                          .dimensions = D,
                          .k = DIFFERENT,
                          .filter = bits,
                          .plan = plan,
                          .stats = &stats};
      CHECK_OK(mn_index_search(&f.index, &q, hits, &found, &f.arena));
      CHECK_EQUAL(found, DIFFERENT);
      CHECK_EQUAL(hits[0].key % DIFFERENT, i);
      CHECK(plan <= MN_PLAN_SCAN || (!stats.fell_back && stats.hops > 0));
    }
  free(rows);
  fixture_free(&f);
}

/* --- Budget --------------------------------------------------------------- */

static void test_budget(const char *spec, unsigned conditions) {
  fixture f = fixture_filled(spec, MN_L2, D, "clustered", N);
  float *query = fixture_rows("clustered", N, 1, D);
  set_conditions(50);
  for (mn_plan_kind plan = MN_PLAN_AUTO; plan <= MN_PLAN_POST; plan++) {
    uint32_t cuts = 0;
    for (uint64_t budget = 1; budget < 8 * N; budget += budget / 3 + 1) {
      mn_hit hits[K];
      uint32_t found = 0;
      mn_stats stats;
      const mn_query q = with_conditions((mn_query){.vector = query,
                                                    .dimensions = D,
                                                    .k = K,
                                                    .plan = plan,
                                                    .budget = budget,
                                                    .stats = &stats},
                                         conditions);
      CHECK_OK(mn_index_search(&f.index, &q, hits, &found, &f.arena));
      CHECK(stats.distances <= budget && stats.cut <= 1);
      CHECK(stats.cut || found == K);
      for (uint32_t i = 0; i < found; i++)
        CHECK(is_match(conditions, hits[i].key));
      cuts += stats.cut;
      if (budget > 4 * N)
        CHECK(!stats.cut);
    }
    CHECK(cuts > 5);
  }
  free(query);
  fixture_free(&f);
}

/* --- Refused -------------------------------------------------------------- */

static int is_below(void *context, uint64_t key, uint32_t slot) {
  (void)slot;
  return key < *(const uint64_t *)context;
}

/* How many match is known within a tenth of all where keys are asked, by a
 * range or a predicate, in every structure; and ivf takes its plan by that. */
static void test_estimates(const char *spec, uint64_t below, int is_range,
                           mn_plan_kind expected) {
  fixture f = fixture_filled(spec, MN_L2, D, "clustered", N);
  float query[D];
  gen_rows(query, "clustered", 1, N, 1, D);
  const mn_key_range range = {0, below - 1};
  mn_stats stats;
  mn_hit hits[K];
  uint32_t found;
  const mn_query q = {.vector = query,
                      .dimensions = D,
                      .k = K,
                      .budget = below < 300 ? 0 : 300,
                      .stats = &stats,
                      .ranges = is_range ? &range : NULL,
                      .range_count = (uint32_t)is_range,
                      .match = is_range ? NULL : is_below,
                      .match_context = &below};
  CHECK_OK(mn_index_search(&f.index, &q, hits, &found, &f.arena));
  CHECK_EQUAL(stats.plan, expected);
  CHECK(stats.matches + N / 10 >= below && stats.matches <= below + N / 10);
  CHECK(!stats.exact || (stats.matches == below && found == K));
  fixture_free(&f);
}

static void test_refused(void) {
  fixture f = fixture_filled("hnsw8,f32", MN_L2, D, "uniform", 100);
  float *query = fixture_rows("uniform", 100, 1, D);
  mn_hit hits[K];
  uint32_t found = 77;
  mn_query q = {.vector = query, .dimensions = D, .k = K};
#define REFUSED(field, value)                                                  \
  do {                                                                         \
    mn_query bad = q;                                                          \
    mn_sizes sizes;                                                            \
    bad.field = value;                                                         \
    CHECK_REFUSED(&f, mn_index_search(&f.index, &bad, hits, &found, &f.arena), \
                  MN_ERROR_ARGUMENT);                                          \
    CHECK_STATUS(mn_plan(&f.options, 100, &bad, &sizes), MN_ERROR_ARGUMENT);   \
    CHECK_EQUAL(found, 77);                                                    \
  } while (0)
  REFUSED(range_count, 1);
  REFUSED(without_count, 1);
  REFUSED(plan, (mn_plan_kind)5);
  REFUSED(plan, (mn_plan_kind)-1);
#undef REFUSED
  /* No ranges are no condition; one that is empty lets nothing through. */
  static const mn_key_range none[] = {{5, 4}};
  q.ranges = none;
  CHECK_OK(mn_index_search(&f.index, &q, hits, &found, &f.arena));
  CHECK_EQUAL(found, K);
  q.range_count = 1;
  CHECK_OK(mn_index_search(&f.index, &q, hits, &found, &f.arena));
  CHECK_EQUAL(found, 0);
  free(query);
  fixture_free(&f);
}

int main(void) {
  test_all_conditions("flat,f32");
  test_all_conditions("hnsw16,f32");
  test_all_conditions("hnsw8,sq8");
  CHECK(asked > 0);
  test_same("hnsw16,f32", "clustered", 0);
  test_same("hnsw8,bits4", "uniform", 0);
  test_same("hnsw4,sq8", "duplicates", 0);
  test_same("hnsw16,f32", "clustered", 1);
  test_same("hnsw8,bits4", "uniform", 1);
  test_same("ivf40,sq8", "clustered", 0);
  test_same("ivf40,sq8", "clustered", 1);
  test_same("flat,sq8", "uniform", 1);
  test_same("flat,bits4", "uniform", 1);
  test_twins("hnsw8,f32");
  test_twins("hnsw16,bits4");
  test_budget("flat,f32", BITS);
  test_budget("hnsw8,f32", 0);
  test_budget("hnsw8,f32", BITS);
  test_budget("hnsw8,sq8", RANGES);
  for (int is_range = 0; is_range < 2; is_range++) {
    test_estimates("flat,f32", 1200, is_range, MN_PLAN_SCAN);
    test_estimates("ivf40,f32", 1200, is_range, MN_PLAN_PROBE);
    test_estimates("ivf40,f32", 50, is_range, MN_PLAN_SCAN);
    test_estimates("hnsw8,f32", 1200, is_range, MN_PLAN_WALK);
  }
  test_refused();
  return test_report();
}
