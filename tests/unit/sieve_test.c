/* SPDX-License-Identifier: Apache-2.0 */
/* The sieve before a scan of one plane: when there is one, what it costs, and
 * that it loses nothing that matters. A filter that lets everything through
 * does without it. */
#include "fixture.h"

#define D 384u /* codes of bits4 and up have one plane and a rest */
#define N 1500u
#define Q 20u
#define K 10u

static uint32_t everything[(N + 31) / 32];

typedef struct answer {
  mn_hit hits[K];
  mn_stats stats;
} answer;

static answer search(fixture *f, const float *vector, float refine_k,
                     const uint32_t *filter) {
  const mn_encoding encoding = f->index.options.encoding;
  answer a;
  uint32_t found = 0;
  const mn_query q = {.vector = vector,
                      .dimensions = D,
                      .k = K,
                      .planes = 1,
                      .refine_planes = f->index.options.refine == 0
                                           ? encoding - MN_BITS1 + 1
                                           : 0,
                      .refine_k = refine_k,
                      .filter = filter,
                      .stats = &a.stats};
  CHECK_OK(mn_index_search(&f->index, &q, a.hits, &found, &f->arena));
  CHECK_EQUAL(found, K);
  return a;
}

static uint32_t same_hits(const answer *a, const answer *b) {
  uint32_t same = 0;
  for (uint32_t i = 0; i < K; i++)
    for (uint32_t j = 0; j < K; j++)
      same += a->hits[i].key == b->hits[j].key &&
              !memcmp(&a->hits[i].distance, &b->hits[j].distance, 4);
  return same;
}

/* Under each metric, with so many to refine: how many pass the sieve. */
static void test_sieve(const char *spec, mn_metric metric, float refine_k,
                       uint32_t refined, uint32_t pass, double kept) {
  fixture f = fixture_filled(spec, metric, D, "uniform", N);
  float *queries = fixture_rows("uniform", N, Q, D);
  const uint32_t one = f.index.codec.code_bytes;
  const mn_info info = mn_index_info(&f.index);
  const uint32_t better =
      info.refine_bytes > 0 ? info.refine_bytes : info.code_bytes;
  uint32_t same = 0;
  for (uint32_t i = 0; i < Q; i++) {
    const float *query = queries + i * D;
    const answer a = search(&f, query, refine_k, NULL);
    const answer whole = search(&f, query, refine_k, everything);
    CHECK_EQUAL(a.stats.distances, N + pass);
    CHECK_EQUAL(a.stats.refined, refined);
    CHECK_EQUAL(a.stats.planes, 1);
    CHECK_EQUAL(a.stats.exact, pass == 0);
    CHECK_EQUAL(whole.stats.exact, 1);
    CHECK_EQUAL(a.stats.bytes, (N + pass) * one + refined * better);
    CHECK_EQUAL(whole.stats.distances, N);
    CHECK_EQUAL(whole.stats.bytes, N * one + refined * better);
    for (uint32_t h = 1; h < K; h++)
      CHECK(a.hits[h - 1].distance < a.hits[h].distance ||
            (a.hits[h - 1].distance <= a.hits[h].distance &&
             a.hits[h - 1].key < a.hits[h].key));
    same += same_hits(&a, &whole);
    fixture portable = f;
    mn_index_use_features(&portable.index, 0);
    const answer b = search(&portable, query, refine_k, NULL);
    CHECK_EQUAL(same_hits(&a, &b), K);
  }
  if (!(same >= kept * Q * K))
    printf("%s, metric %d: %u of %u\n", spec, metric, same, Q * K);
  CHECK(same >= kept * Q * K);
  free(queries);
  fixture_free(&f);
}

/* Equal vectors: those with the smallest keys pass, as they would be hits. */
static void test_ties(mn_metric metric) {
  enum { SOME = 600 };
  fixture f = fixture_create("flat,bits4", metric, D, SOME);
  float *rows = fixture_rows("uniform", 0, SOME, D);
  uint64_t keys[SOME];
  for (uint32_t i = 0; i < SOME; i++) {
    memcpy(rows + i * D, rows + i % 2 * D, D * sizeof *rows);
    keys[i] = (uint64_t)(i * 7 % SOME) << 20;
  }
  fixture_train(&f, rows, SOME);
  CHECK_OK(fixture_add(&f, keys, rows, SOME));
  for (uint32_t q = 0; q < 2; q++) {
    const answer a = search(&f, rows + q * D, 2, NULL);
    CHECK_EQUAL(a.stats.distances, SOME + 256);
    const answer whole = search(&f, rows + q * D, 2, everything);
    CHECK_EQUAL(same_hits(&a, &whole), K);
    for (uint32_t h = 1; h < K; h++)
      CHECK(a.hits[h - 1].key < a.hits[h].key);
  }
  free(rows);
  fixture_free(&f);
}

int main(void) {
  memset(everything, 0xff, sizeof everything);
  for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
    /* 4 times the candidates, 256 at least; none where that is all of them, or
     * more than 4,096. */
    test_sieve("flat,bits8", metric, 5, 50, 256, 0.85);
    test_sieve("flat,bits4", metric, 6.4f, 64, 256, 0.85);
    test_sieve("flat,bits4", metric, 6.5f, 65, 260, 0.85);
    test_sieve("flat,bits1,refine=sq8", metric, 20, 200, 800, 0.98);
    test_sieve("flat,bits2", metric, 37.5f, 375, 0, 1);
    test_sieve("flat,bits2", metric, 37.4f, 374, 1496, 0.99);
    test_sieve("flat,bits2", metric, 1000, N, 0, 1);
    test_ties(metric);
  }
  return test_report();
}
