/* SPDX-License-Identifier: Apache-2.0 */
/* Two stages of a search: what is read when, against ranking by hand. */
#include "fixture.h"

#include <math.h>

#define N 300u
#define Q 8u
#define K 10u
#define D 24u /* 3 bytes to a bit plane */

typedef struct store {
  const float *rows;
  uint32_t dimensions, calls;
  mn_status end; /* what the call number `end_at` returns */
  uint32_t end_at;
} store;

static mn_status fetch(void *context, uint64_t key, uint32_t slot,
                       float *vector) {
  store *s = context;
  CHECK_EQUAL(key, slot);
  memcpy(vector, s->rows + (size_t)slot * s->dimensions,
         s->dimensions * sizeof *vector);
  return ++s->calls == s->end_at ? s->end : MN_OK;
}

/* --- Which stages --------------------------------------------------------- */

/* With k 10: what is asked, and the planes and refined of the answer. */
typedef struct rule {
  const char *spec;
  uint32_t dimensions, planes, refine_planes;
  float refine_k;
  int has_fetch;
  mn_status status;
  uint32_t read, refined;
} rule;

#define OK  MN_OK
#define BAD MN_ERROR_ARGUMENT

static const rule rules[] = {
    /* Defaults: some 400 bits find candidates, all refine them. */
    {"flat,f32", D, 0, 0, 0, 0, OK, 0, 0},
    {"flat,bits1", D, 0, 0, 0, 0, OK, 1, 0},
    {"flat,bits2", D, 0, 0, 0, 0, OK, 2, 0},
    {"flat,bits3", 384, 0, 0, 0, 0, OK, 3, 0},
    {"flat,bits4", D, 0, 0, 0, 0, OK, 4, 0},
    {"flat,bits4", 192, 0, 0, 0, 0, OK, 2, 100},
    {"flat,bits4", 384, 0, 0, 0, 0, OK, 1, 100},
    {"flat,bits5", D, 0, 0, 0, 0, OK, 4, 100},
    {"flat,bits8", 191, 0, 0, 0, 0, OK, 4, 100},
    {"flat,bits8", 383, 0, 0, 0, 0, OK, 2, 100},
    {"flat,bits8", 384, 0, 0, 3, 0, OK, 1, 30},
    /* The dimensions that count are those that are left. */
    {"flat,first24,bits8", 384, 0, 0, 0, 0, OK, 4, 100},
    /* Planes that have a correction of their own can be read. */
    {"flat,bits8", D, 1, 0, 0, 0, OK, 1, 0},
    {"flat,bits8", D, 2, 0, 0, 0, OK, 2, 0},
    {"flat,bits8", D, 3, 0, 0, 0, BAD, 0, 0},
    {"flat,bits8", D, 4, 0, 0, 0, OK, 4, 0},
    {"flat,bits8", D, 5, 0, 0, 0, BAD, 0, 0},
    {"flat,bits8", D, 7, 0, 0, 0, BAD, 0, 0},
    {"flat,bits8", D, 8, 0, 0, 0, OK, 8, 0},
    {"flat,bits8", D, 9, 0, 0, 0, BAD, 0, 0},
    {"flat,bits7", D, 7, 0, 0, 0, OK, 7, 0},
    {"flat,bits7", D, 8, 0, 0, 0, BAD, 0, 0},
    {"flat,bits3", D, 2, 0, 0, 0, OK, 2, 0},
    {"flat,bits3", D, 3, 0, 0, 0, OK, 3, 0},
    {"flat,bits3", D, 4, 0, 0, 0, BAD, 0, 0},
    {"flat,bits1", D, 1, 0, 0, 0, OK, 1, 0},
    {"flat,bits1", D, 2, 0, 0, 0, BAD, 0, 0},
    {"flat,f32", D, 1, 0, 0, 0, BAD, 0, 0},
    {"flat,sq8", D, 8, 0, 0, 0, BAD, 0, 0},
    {"flat,pq3x4", D, 4, 0, 0, 0, BAD, 0, 0},
    /* refine_planes: with planes, more than those, without anything better. */
    {"flat,bits8", D, 1, 2, 0, 0, OK, 1, 100},
    {"flat,bits8", D, 1, 8, 1, 0, OK, 1, 10},
    {"flat,bits8", 384, 1, 8, 1, 0, OK, 1, 10},
    {"flat,bits8", D, 4, 8, 0, 0, OK, 4, 100},
    {"flat,bits8", D, 2, 4, 0, 0, OK, 2, 100},
    {"flat,bits8", D, 2, 3, 0, 0, BAD, 0, 0},
    {"flat,bits8", D, 2, 2, 0, 0, BAD, 0, 0},
    {"flat,bits8", D, 2, 1, 0, 0, BAD, 0, 0},
    {"flat,bits8", D, 1, 9, 0, 0, BAD, 0, 0},
    {"flat,bits8", D, 0, 8, 0, 0, BAD, 0, 0},
    {"flat,f32", D, 0, 1, 0, 0, BAD, 0, 0},
    {"flat,bits8,refine=f32", D, 1, 8, 0, 0, BAD, 0, 0},
    {"flat,bits8", D, 1, 8, 0, 1, BAD, 0, 0},
    /* A refine encoding, or the caller's vectors. */
    {"flat,bits8,refine=f32", D, 0, 0, 0, 0, OK, 4, 100},
    {"flat,bits8,refine=f32", D, 1, 0, 2, 0, OK, 1, 20},
    {"flat,bits4,refine=sq8", D, 4, 0, 0, 0, OK, 4, 100},
    {"flat,f32,refine=f32", D, 0, 0, 0, 0, OK, 0, 100},
    {"flat,sq4,refine=bits8", D, 1, 0, 0, 0, BAD, 0, 0},
    {"flat,f32", D, 0, 0, 0, 1, OK, 0, 100},
    {"flat,sq4,refine=sq8", D, 0, 0, 0, 1, OK, 0, 100},
    {"flat,bits8", D, 1, 0, 0, 1, OK, 1, 100},
    /* refine_k */
    {"flat,f32", D, 0, 0, 1.0f, 1, OK, 0, 10},
    {"flat,f32", D, 0, 0, 1.01f, 1, OK, 0, 11},
    {"flat,f32", D, 0, 0, 1.25f, 1, OK, 0, 13},
    {"flat,f32", D, 0, 0, 29.9f, 1, OK, 0, 299},
    {"flat,f32", D, 0, 0, 30.1f, 1, OK, 0, N},
    {"flat,f32", D, 0, 0, 1e30f, 1, OK, 0, N},
    {"flat,f32", D, 0, 0, INFINITY, 1, OK, 0, N},
    {"flat,f32", D, 0, 0, 0x1.fffffep-1f, 1, BAD, 0, 0},
    {"flat,f32", D, 0, 0, -1, 1, BAD, 0, 0},
    {"flat,f32", D, 0, 0, NAN, 1, BAD, 0, 0},
    /* Nothing to refine by: refine_k is checked, and does nothing. */
    {"flat,f32", D, 0, 0, 5, 0, OK, 0, 0},
    {"flat,f32", D, 0, 0, 0.5f, 0, BAD, 0, 0},
};

static void test_rule(const rule *r) {
  fixture f = fixture_filled(r->spec, MN_L2, r->dimensions, "uniform", N);
  float *rows = fixture_rows("uniform", 0, N, r->dimensions);
  store context = {.rows = rows, .dimensions = r->dimensions};
  mn_hit hits[K];
  mn_stats stats;
  uint32_t found = 99;
  const mn_query q = {.vector = rows,
                      .dimensions = r->dimensions,
                      .k = K,
                      .planes = r->planes,
                      .refine_planes = r->refine_planes,
                      .refine_k = r->refine_k,
                      .fetch = r->has_fetch ? fetch : NULL,
                      .fetch_context = &context,
                      .stats = &stats};
  mn_sizes sizes;
  CHECK_STATUS(mn_plan(&f.options, N, &q, &sizes), r->status);
  if (r->status != MN_OK) {
    CHECK_REFUSED(&f, mn_index_search(&f.index, &q, hits, &found, &f.arena),
                  r->status);
    CHECK_EQUAL(found, 99);
  } else {
    CHECK_OK(mn_index_search(&f.index, &q, hits, &found, &f.arena));
    CHECK_EQUAL(found, K);
    CHECK_EQUAL(stats.planes, r->read);
    CHECK_EQUAL(stats.refined, r->refined);
    /* One plane sifts first, where it lies by itself and few are refined: see
     * sieve_test.c. */
    const int is_sifted = r->read == 1 && r->dimensions >= 384 &&
                          r->refined > 0 && r->refined < 64;
    CHECK_EQUAL(stats.distances, N + (is_sifted ? 256 : 0));
    CHECK_EQUAL(stats.exact, !is_sifted);
  }
  CHECK_EQUAL(context.calls, r->has_fetch ? r->refined : 0);
  free(rows);
  fixture_free(&f);
}

/* Bits are all that sign has. */
static void test_sign(void) {
  fixture f = fixture_filled("flat", MN_HAMMING, D, "uniform", N);
  float row[D] = {1};
  mn_hit hits[K];
  uint32_t found;
  mn_query q = {.vector = row, .dimensions = D, .k = K, .fetch = fetch};
  CHECK_REFUSED(&f, mn_index_search(&f.index, &q, hits, &found, &f.arena),
                MN_ERROR_ARGUMENT);
  q.fetch = NULL;
  CHECK_OK(mn_index_search(&f.index, &q, hits, &found, &f.arena));
  q.planes = 1;
  CHECK_REFUSED(&f, mn_index_search(&f.index, &q, hits, &found, &f.arena),
                MN_ERROR_ARGUMENT);
  fixture_free(&f);
}

/* --- By hand -------------------------------------------------------------- */

static int in_order(const void *a, const void *b) {
  const mn_hit *x = a, *y = b;
  if (x->distance < y->distance || x->distance > y->distance)
    return x->distance < y->distance ? -1 : 1;
  return (x->key > y->key) - (x->key < y->key);
}

/* The candidates of the first stage, which a search for more hits with one
 * stage gives, ranked by the distances of the second, which a whole scan by
 * that alone gives: to the bit what a search with two stages says. */
typedef struct stages {
  const char *spec;   /* of the index */
  const char *second; /* of an index whose encoding is the second stage's */
  uint32_t planes, refine_planes;
  int has_fetch;
} stages;

static const stages two_stages[] = {
    {"flat,bits8", "flat,bits8", 1, 8, 0},
    {"hnsw4,bits8", "flat,bits8", 2, 8, 0},
    {"hnsw8,bits4", "flat,bits4", 1, 4, 0},
    {"flat,bits1,refine=sq8", "flat,sq8", 1, 0, 0},
    {"hnsw4,bits2,refine=bits6", "flat,bits6", 2, 0, 0},
    {"hnsw4,sq4,refine=f16", "flat,f16", 0, 0, 0},
    {"flat,first6,bits3,refine=f32", "flat,f32", 2, 0, 0},
    {"hnsw4,pca8,sq6,refine=bf16", "flat,bf16", 0, 0, 0},
    {"flat,pq6x4,refine=sq6", "flat,sq6", 0, 0, 0},
    {"hnsw4,bits1", "flat,f32", 1, 0, 1},
    {"flat,hadamard,sq4,refine=sq8", "flat,f32", 0, 0, 1},
};

static void search(fixture *f, const mn_query *q, mn_hit *hits,
                   uint32_t count) {
  uint32_t found = 0;
  CHECK_OK(mn_index_search(&f->index, q, hits, &found, &f->arena));
  CHECK_EQUAL(found, count);
}

static void test_stages(const stages *s, mn_metric metric, uint32_t k,
                        float refine_k, uint32_t candidates) {
  fixture f = fixture_filled(s->spec, metric, D, "clustered", N);
  fixture second = fixture_filled(s->second, metric, D, "clustered", N);
  fixture first = f; /* the same block, searched in one stage */
  const uint32_t all = s->refine_planes;
  float *rows = fixture_rows("clustered", 0, N + Q, D);
  store context = {.rows = rows, .dimensions = D};
  mn_hit hits[N], near[N], found[N];
  float exact[N];
  mn_stats stats;
  /* Candidates are found with the same ef; without refine there is one stage.
   */
  first.index.options.refine = (mn_encoding)0;
  for (uint32_t i = 0; i < Q; i++) {
    const float *vector = rows + (N + i) * D;
    const mn_query one = {.vector = vector,
                          .dimensions = D,
                          .k = candidates,
                          .ef = 150,
                          .planes = s->planes};
    mn_query whole = {.vector = vector, .dimensions = D, .k = N};
    mn_query two = {.vector = vector,
                    .dimensions = D,
                    .k = k,
                    .ef = 150,
                    .planes = s->planes,
                    .refine_planes = all,
                    .refine_k = refine_k,
                    .fetch = s->has_fetch ? fetch : NULL,
                    .fetch_context = &context,
                    .stats = &stats};
    if (second.options.encoding >= MN_BITS1)
      whole.planes = second.options.encoding - MN_BITS1 + 1;
    search(&first, &one, near, candidates);
    search(&second, &whole, hits, N);
    for (uint32_t h = 0; h < N; h++)
      exact[hits[h].slot] = hits[h].distance;
    for (uint32_t c = 0; c < candidates; c++)
      near[c].distance = exact[near[c].slot];
    qsort(near, candidates, sizeof *near, in_order);
    search(&f, &two, found, k);
    CHECK_EQUAL(stats.refined, candidates);
    for (uint32_t h = 0; h < k; h++)
      CHECK(found[h].key == near[h].key && found[h].slot == near[h].slot &&
            !memcmp(&found[h].distance, &near[h].distance, 4));
  }
  free(rows);
  fixture_free(&f);
  fixture_free(&second);
}

/* A filter narrows the candidates, not the hits; more than there are, or than
 * are wanted, changes nothing. */
static void test_filter(void) {
  fixture f = fixture_filled("hnsw4,bits8", MN_COSINE, D, "uniform", N);
  float *rows = fixture_rows("uniform", 0, N, D);
  mn_hit all[N], hits[N];
  uint32_t found = 0, filter[(N + 31) / 32];
  mn_stats stats;
  gen_filter(filter, 5, N, 30);
  mn_query q = {.vector = rows,
                .dimensions = D,
                .k = N,
                .planes = 8,
                .filter = filter,
                .stats = &stats};
  CHECK_OK(mn_index_search(&f.index, &q, all, &found, &f.arena));
  const uint32_t passing = found;
  CHECK(passing > K && passing < N / 2);
  q.planes = 1, q.refine_planes = 8;
  CHECK_OK(mn_index_search(&f.index, &q, hits, &found, &f.arena));
  CHECK(found == passing && stats.refined == passing && stats.exact);
  CHECK(!memcmp(hits, all, found * sizeof *hits));
  q.k = K, q.refine_k = (float)N / K;
  CHECK_OK(mn_index_search(&f.index, &q, hits, &found, &f.arena));
  CHECK(found == K && stats.refined == passing);
  CHECK(!memcmp(hits, all, found * sizeof *hits));
  free(rows);
  fixture_free(&f);
}

/* --- Bytes ---------------------------------------------------------------- */

/* What was read, by the layout of the codes: of bits1 to bits3, 4 (under ip 8)
 * bytes and a plane; behind that 4 more and the other planes. Of bits4 and up,
 * 8 (under ip 12) bytes and four planes, then the others. */
static void test_bytes(const char *spec, mn_metric metric, uint32_t planes,
                       uint32_t refine_planes, uint32_t one, uint32_t other) {
  fixture f = fixture_filled(spec, metric, D, "uniform", N);
  float *rows = fixture_rows("uniform", N, Q, D);
  for (uint32_t i = 0; i < Q; i++) {
    mn_hit hits[K];
    uint32_t found = 0;
    mn_stats stats;
    const mn_query q = {.vector = rows + i * D,
                        .dimensions = D,
                        .k = K,
                        .planes = planes,
                        .refine_planes = refine_planes,
                        .stats = &stats};
    CHECK_OK(mn_index_search(&f.index, &q, hits, &found, &f.arena));
    CHECK_EQUAL(stats.bytes, stats.distances * one + stats.refined * other);
    CHECK(other == 0 ? stats.refined == 0
                     : stats.refined >= K && stats.refined <= 10 * K);
    if (f.options.structure == MN_HNSW)
      CHECK(stats.hops > 0 && stats.exact == 0);
    else
      CHECK(stats.hops == 0 && (other == 0 || stats.refined == 10 * K) &&
            stats.exact == 1 && stats.distances == N);
  }
  free(rows);
  fixture_free(&f);
}

/* --- The caller's vectors ------------------------------------------------- */

static void test_fetch_fails(const char *spec, mn_metric metric) {
  fixture f = fixture_filled(spec, metric, D, "uniform", N);
  float *rows = fixture_rows("uniform", 0, N, D);
  store context = {.rows = rows, .dimensions = D};
  mn_hit hits[K], kept[K];
  mn_stats stats, kept_stats;
  uint32_t found = 66;
  const mn_query q = {.vector = rows,
                      .dimensions = D,
                      .k = K,
                      .refine_k = 2,
                      .fetch = fetch,
                      .fetch_context = &context,
                      .stats = &stats};
  memset(hits, 0x3c, sizeof hits);
  memset(&stats, 0x3c, sizeof stats);
  memcpy(kept, hits, sizeof hits);
  memcpy(&kept_stats, &stats, sizeof stats);
  for (uint32_t at = 1; at <= 2 * K; at++) {
    context =
        (store){rows, D, 0, at % 2 ? MN_ERROR_UNKNOWN_KEY : (mn_status)7, at};
    CHECK_REFUSED(&f, mn_index_search(&f.index, &q, hits, &found, &f.arena),
                  context.end);
    CHECK_EQUAL(context.calls, at);
  }
  context = (store){.rows = rows, .dimensions = D};
  mn_hit near[2 * K];
  CHECK_OK(fixture_search(&f, rows, 2 * K, 0, near, &found, NULL));
  float *last = rows + near[2 * K - 1].slot * D;
  const float value = last[5];
  const float bad[] = {NAN, INFINITY, -0x1p100f};
  found = 66;
  for (unsigned b = 0; b < 3; b++) {
    last[5] = bad[b];
    CHECK_REFUSED(&f, mn_index_search(&f.index, &q, hits, &found, &f.arena),
                  MN_ERROR_NOT_FINITE);
  }
  last[5] = value;
  if (metric == MN_COSINE) {
    memset(last, 0, D * sizeof *last);
    CHECK_REFUSED(&f, mn_index_search(&f.index, &q, hits, &found, &f.arena),
                  MN_ERROR_ZERO_VECTOR);
  }
  CHECK(found == 66 && !memcmp(hits, kept, sizeof hits) &&
        !memcmp(&stats, &kept_stats, sizeof stats));
  free(rows);
  fixture_free(&f);
}

int main(void) {
  for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++)
    test_rule(&rules[i]);
  test_sign();
  for (unsigned i = 0; i < sizeof two_stages / sizeof *two_stages; i++)
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
      test_stages(&two_stages[i], metric, K, 7.5f, 75);
      test_stages(&two_stages[i], metric, 8, 0, 80);
    }
  test_filter();
  test_bytes("flat,bits8", MN_L2, 1, 8, 20, 32);
  test_bytes("flat,bits3", MN_L2, 1, 2, 7, 14);
  test_bytes("hnsw4,bits8", MN_COSINE, 2, 4, 20, 20);
  test_bytes("flat,bits8", MN_IP, 1, 2, 24, 24);
  test_bytes("flat,bits3", MN_IP, 1, 3, 11, 21);
  test_bytes("hnsw4,bits8", MN_L2, 0, 0, 20, 32);
  test_bytes("flat,bits1", MN_L2, 0, 0, 7, 0);
  test_bytes("flat,bits5", MN_COSINE, 4, 0, 20, 0);
  test_bytes("flat,bits2,refine=sq8", MN_L2, 1, 0, 7, 28);
  test_bytes("hnsw4,f16,refine=f32", MN_IP, 0, 0, 48, 96);
  test_bytes("flat,sq6,refine=bits4", MN_L2, 0, 0, 22, 20);
  test_fetch_fails("flat,sq4", MN_L2);
  test_fetch_fails("hnsw4,bits4", MN_COSINE);
  return test_report();
}
