/* SPDX-License-Identifier: Apache-2.0 */
/* Tuning: what it says of its choice is what searches do, and one less would
 * not reach the target. */
#include "tuned.h"

#include <math.h>

#define D 24u
#define N 2000u
#define Q 60u
#define K 10u

/* --- By hand -------------------------------------------------------------- */

/* What a search must find and found, by brute force over decoded vectors, where
 * they are stored as they are. `own` queries are stored under their keys. */
typedef struct exam {
  fixture *f;
  const float *rows;    /* of the index */
  const float *queries; /* asked for */
  const uint64_t *own;  /* their keys, or NULL */
  uint32_t count;
} exam;

static float l2(const float *a, const float *b) {
  float sum = 0;
  for (uint32_t i = 0; i < D; i++)
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

static int by_value(const void *a, const void *b) {
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* The distance of the k-th nearest. */
static float bound_of(const exam *e, uint32_t q) {
  static float distances[N];
  uint32_t count = 0;
  for (uint32_t i = 0; i < N; i++)
    if (e->own == NULL || e->own[q] != i)
      distances[count++] = l2(e->queries + q * D, e->rows + i * D);
  qsort(distances, count, sizeof *distances, by_value);
  return distances[K - 1] * (1 + 1e-6f);
}

static uint64_t hits_of(const exam *e, uint32_t ef, float gamma, float refine_k,
                        double *distances) {
  uint64_t hits = 0;
  *distances = 0;
  for (uint32_t q = 0; q < e->count; q++) {
    mn_hit found[K + 1];
    uint32_t count = 0, taken = 0;
    mn_stats stats;
    mn_query query = {.vector = e->queries + q * D,
                      .dimensions = D,
                      .k = K + (e->own != NULL),
                      .ef = ef + (e->own != NULL),
                      .gamma = gamma,
                      .refine_k = refine_k,
                      .stats = &stats};
    CHECK_OK(
        mn_index_search(&e->f->index, &query, found, &count, &e->f->arena));
    const float bound = bound_of(e, q);
    for (uint32_t i = 0; i < count && taken < K; i++) {
      if (e->own != NULL && found[i].key == e->own[q])
        continue;
      taken++;
      hits += l2(e->queries + q * D, e->rows + found[i].key * D) <= bound;
    }
    *distances += (double)stats.distances / e->count;
  }
  return hits;
}

/* --- Calls ---------------------------------------------------------------- */

static int same(const mn_tuned *a, const mn_tuned *b) {
  return a->ef == b->ef && a->gamma == b->gamma && a->refine_k == b->refine_k &&
         a->recall.found == b->recall.found && a->spent == b->spent &&
         a->recall.low == b->recall.low && a->runs == b->runs;
}

static void test_held_out(void) {
  fixture f = fixture_filled("hnsw8,f32", MN_L2, D, "uniform", N);
  float *rows = fixture_rows("uniform", 0, N, D);
  float *queries = fixture_rows("uniform", N, Q, D);
  const mn_vectors view = fixture_view(queries, Q, D);
  const exam e = {&f, rows, queries, NULL, Q};
  const mn_query query = {.k = K};
  const float targets[3] = {0.5f, 0.9f, 0.99f};
  float gamma = 0;
  for (int i = 0; i < 3; i++) {
    const mn_tuning tuning = {.sampling = {.query = &query, .queries = &view},
                              .recall = targets[i]};
    const mn_tuned t = tuned_with(&f.index, &tuning);
    double distances;
    CHECK(t.reached && !t.cut && !t.stored && t.refine_k == 0);
    CHECK(t.gamma > gamma && t.gamma <= MN_GAMMA_MAX);
    CHECK(t.ef > 0 && t.ef <= MN_TUNE_EF_MAX / MN_EF_STRETCH);
    CHECK(t.recall.queries == Q && t.recall.k == K);
    CHECK_EQUAL(t.recall.found, hits_of(&e, t.ef, t.gamma, 0, &distances));
    CHECK(fabs(distances - (double)t.recall.distances) < 1e-3 * distances);
    CHECK(t.recall.recall >= targets[i] &&
          (double)t.recall.found >= (double)targets[i] * Q * K - 0.001);
    CHECK(t.recall.low < t.recall.recall && t.recall.recall < t.recall.high);
    const double missed = (double)targets[i] * Q * K;
    if (t.gamma > 1.0f / 256)
      CHECK((double)hits_of(&e, MN_TUNE_EF_MAX / MN_EF_STRETCH,
                            t.gamma - 1.0f / 256, 0, &distances) < missed);
    if (t.ef > K) /* below, k is what counts */
      CHECK((double)hits_of(&e, t.ef - 1, t.gamma, 0, &distances) < missed);
    gamma = t.gamma;
  }
  free(queries);
  free(rows);
  fixture_free(&f);
}

static float recall_of(fixture *f, const mn_vectors *queries, uint32_t ef) {
  const mn_query query = {.k = K, .ef = ef};
  const mn_sampling sampling = {
      .query = &query, .queries = queries, .sample = N};
  mn_audit audit;
  CHECK_OK(mn_index_audit(&f->index, &sampling, &audit, &f->arena));
  CHECK_EQUAL(audit.recall.queries, N);
  return audit.recall.recall;
}

/* Vectors of the index are about as hard to answer as new ones, since each is
 * left out of the graph too while it is asked for: somewhat harder, as the
 * links around it were chosen with it. Asking for one by the public search and
 * dropping it from the hits, with one more of everything, is far easier. */
static void test_own(void) {
  fixture f = fixture_filled("hnsw8,f32", MN_L2, D, "uniform", N);
  float *rows = fixture_rows("uniform", 0, N, D);
  float *new_rows = fixture_rows("uniform", N, N, D);
  const mn_vectors view = fixture_view(new_rows, N, D);
  static uint64_t own[N];
  for (uint32_t i = 0; i < N; i++)
    own[i] = i;
  const exam e = {&f, rows, rows, own, N};
  double distances;
  for (uint32_t ef = 20; ef <= 40; ef *= 2) {
    const double of_own = (double)recall_of(&f, NULL, ef);
    const double of_new = (double)recall_of(&f, &view, ef);
    const double easier = (double)hits_of(&e, ef, 0, 0, &distances) / (N * K);
    CHECK(of_own < of_new && of_new < easier);
    CHECK(of_new - of_own < 0.8 * (easier - of_new));
  }
  CHECK(recall_of(&f, NULL, N) >= 0.999f);
  free(new_rows);
  free(rows);
  fixture_free(&f);
}

/* The same ones are taken whether the block is live, packed or thawed. */
static void test_copies(void) {
  fixture f = fixture_filled("hnsw8,f32", MN_L2, D, "uniform", N);
  const mn_query query = {.k = K};
  mn_tuning tuning = {.sampling = {.query = &query}, .recall = 0.95f};
  const mn_tuned some = tuned_with(&f.index, &tuning);
  CHECK_EQUAL(some.recall.queries, MN_SAMPLE_DEFAULT);
  mn_index packed, thawed;
  CHECK_OK(mn_index_pack(&f.index, &packed, &f.arena));
  CHECK_OK(mn_index_thaw(&packed, N + 9, &thawed, &f.arena));
  const mn_tuned p = tuned_with(&packed, &tuning);
  const mn_tuned t = tuned_with(&thawed, &tuning);
  CHECK(same(&some, &p) && same(&some, &t));
  tuning.sampling.sample = N;
  const mn_tuned all = tuned_with(&f.index, &tuning);
  CHECK_EQUAL(all.recall.queries, N);
  CHECK(all.reached && some.reached &&
        some.recall.high - some.recall.low > all.recall.high - all.recall.low);
  fixture_free(&f);
}

/* --- Refining ------------------------------------------------------------- */

static mn_status bring(void *context, uint64_t key, uint32_t slot,
                       float *vector) {
  (void)slot;
  memcpy(vector, (const float *)context + key * D, D * sizeof *vector);
  return MN_OK;
}

static mn_status bring_nothing(void *context, uint64_t key, uint32_t slot,
                               float *vector) {
  (void)context, (void)key, (void)slot, (void)vector;
  return MN_ERROR_UNKNOWN_KEY;
}

/* The smallest of both: one candidate less would not do. */
static void test_refined(const char *spec) {
  fixture f = fixture_filled(spec, MN_L2, D, "uniform", N);
  float *rows = fixture_rows("uniform", 0, N, D);
  float *queries = fixture_rows("uniform", N, Q, D);
  const mn_vectors view = fixture_view(queries, Q, D);
  const exam e = {&f, rows, queries, NULL, Q};
  const mn_query query = {.k = K};
  const mn_tuning tuning = {.sampling = {.query = &query,
                                         .queries = &view,
                                         .fetch = bring,
                                         .fetch_context = rows},
                            .recall = 0.9f};
  const mn_tuned t = tuned_with(&f.index, &tuning);
  const uint32_t ef = t.ef > 0 ? MN_EF_STRETCH * t.ef : N;
  double distances;
  CHECK(t.reached && t.refine_k > 1 && t.refine_k * (float)K <= (float)ef);
  CHECK_EQUAL(hits_of(&e, t.ef, t.gamma, t.refine_k, &distances),
              t.recall.found);
  const float refined = ceilf(t.refine_k * (float)K);
  CHECK(t.ef > 0 ? t.recall.refined <= refined : t.recall.refined == refined);
  const float less = (refined - 1) / (float)K;
  CHECK((double)hits_of(&e, t.ef, t.gamma, less, &distances) <
        0.9 * Q * K - 0.001);
  /* What the query says already stays. */
  mn_query fixed = {
      .k = K, .refine_k = t.refine_k, .ef = t.ef + 5, .gamma = t.gamma};
  mn_tuning again = tuning;
  again.sampling.query = &fixed;
  const mn_tuned a = tuned_with(&f.index, &again);
  CHECK(a.reached && a.runs == 1 && a.refine_k == t.refine_k);
  CHECK_EQUAL(a.ef, t.ef == 0 ? 0 : t.ef + 5);
  if (t.ef > 0) { /* no more is refined than it keeps then */
    fixed = (mn_query){.k = K, .ef = 10 * K};
    const mn_tuned kept = tuned_with(&f.index, &again);
    CHECK(kept.ef == 10 * K && kept.gamma == 0 && kept.refine_k <= 10);
  }
  free(queries);
  free(rows);
  fixture_free(&f);
}

/* --- Bounds --------------------------------------------------------------- */

/* A bit for each component cannot tell the ten nearest apart. */
static void test_unreached(void) {
  fixture f = fixture_filled("flat,bits1", MN_L2, D, "uniform", N);
  float *rows = fixture_rows("uniform", 0, N, D);
  float *queries = fixture_rows("uniform", N, Q, D);
  const mn_vectors view = fixture_view(queries, Q, D);
  const exam e = {&f, rows, queries, NULL, Q};
  const mn_query query = {.k = K};
  mn_tuning tuning = {.sampling = {.query = &query, .queries = &view},
                      .recall = 0.9f};
  /* Codes find what codes can. */
  mn_tuned t = tuned_with(&f.index, &tuning);
  CHECK(t.reached && t.recall.recall == 1 && t.runs == 1 && t.ef == 0);
  /* Each query counts once where nothing was missed. */
  CHECK(fabsf(t.recall.low - (float)Q / ((float)Q + 3.8415f)) < 1e-4f);
  tuning.sampling.fetch = bring;
  tuning.sampling.fetch_context = rows;
  t = tuned_with(&f.index, &tuning);
  double distances;
  CHECK(!t.reached && !t.cut && t.recall.recall < 0.9f);
  CHECK_EQUAL(t.recall.found, hits_of(&e, 0, 0, 0, &distances));
  CHECK(t.recall.distances == N);
  /* A walk that may not keep more. */
  fixture g = fixture_filled("hnsw4,f32", MN_L2, D, "uniform", N);
  tuning.ef_max = 20;
  tuning.recall = 0.99f;
  t = tuned_with(&g.index, &tuning);
  CHECK(!t.reached && t.ef == K && t.gamma > 0 && t.recall.recall < 0.99f);
  fixture_free(&g);
  free(queries);
  free(rows);
  fixture_free(&f);
}

static void test_budget(void) {
  fixture f = fixture_filled("hnsw8,f32", MN_L2, D, "uniform", N);
  const mn_query query = {.k = K};
  mn_tuning tuning = {.sampling = {.query = &query}, .recall = 0.95f};
  const mn_tuned whole = tuned_with(&f.index, &tuning);
  CHECK(whole.reached && !whole.cut);
  /* Half of the budget finds what is right for fewer. */
  tuning.budget = 40 * N;
  tuning.recall = 0.5f;
  mn_tuned t = tuned_with(&f.index, &tuning);
  CHECK_EQUAL(t.recall.queries, 20);
  CHECK(t.reached && !t.cut && t.spent < tuning.budget);
  tuning.recall = 1.0f;
  t = tuned_with(&f.index, &tuning);
  CHECK(t.cut && t.runs > 0 && t.spent >= tuning.budget &&
        t.spent < tuning.budget + N);
  tuning.budget = N;
  t = tuned_with(&f.index, &tuning);
  CHECK(t.cut && t.runs == 0 && !t.reached && t.spent == 0 && t.ef == 0);
  tuning.recall = 0.95f;
  tuning.budget = 2 * whole.spent;
  t = tuned_with(&f.index, &tuning);
  CHECK(same(&t, &whole) && !t.cut);
  fixture_free(&f);
}

static void test_refusals(void) {
  fixture f = fixture_filled("hnsw8,f32", MN_COSINE, D, "uniform", 300);
  float *rows = fixture_rows("uniform", 300, 4, D);
  mn_query query = {.k = K};
  mn_vectors view = fixture_view(rows, 4, D);
  mn_tuned tuned;
  size_t bytes;
  mn_tuning tuning = {.sampling = {.query = &query}, .recall = 0.9f};
#define REFUSED(expected)                                                      \
  do {                                                                         \
    CHECK_REFUSED(&f, mn_index_tune(&f.index, &tuning, &tuned, &f.arena),      \
                  expected);                                                   \
    CHECK_STATUS(mn_plan_tune(&f.index, &tuning, &bytes), expected);           \
  } while (0)
  tuning.recall = 0;
  REFUSED(MN_ERROR_ARGUMENT);
  tuning.recall = 1.01f;
  REFUSED(MN_ERROR_ARGUMENT);
  tuning.recall = NAN;
  REFUSED(MN_ERROR_ARGUMENT);
  tuning.recall = 0.9f;
  query.k = 0;
  REFUSED(MN_ERROR_ARGUMENT);
  query.k = MN_EF_MAX;
  REFUSED(MN_ERROR_ARGUMENT);
  query.k = K;
  tuning.sampling.queries = &view;
  view.dimensions = D - 1;
  REFUSED(MN_ERROR_DIMENSIONS);
  view.dimensions = D;
  view.count = 0;
  REFUSED(MN_ERROR_SAMPLE);
  view.count = 4;
  memset(rows + D, 0, D * sizeof *rows);
  CHECK_REFUSED(&f, mn_index_tune(&f.index, &tuning, &tuned, &f.arena),
                MN_ERROR_ZERO_VECTOR);
  tuning.sampling.queries = NULL;
  tuning.sampling.fetch = bring_nothing;
  CHECK_REFUSED(&f, mn_index_tune(&f.index, &tuning, &tuned, &f.arena),
                MN_ERROR_UNKNOWN_KEY);
#undef REFUSED
  free(rows);
  fixture_free(&f);
  f = fixture_create("hnsw8,f32", MN_L2, D, 10);
  tuning.sampling.fetch = NULL;
  CHECK_REFUSED(&f, mn_index_tune(&f.index, &tuning, &tuned, &f.arena),
                MN_ERROR_SAMPLE);
  fixture_free(&f);
}

int main(void) {
  test_held_out();
  test_own();
  test_copies();
  test_refined("hnsw8,bits8");
  test_refined("hnsw8,bits2,refine=f32");
  test_refined("flat,bits1,refine=sq8");
  test_unreached();
  test_budget();
  test_refusals();
  return test_report();
}
