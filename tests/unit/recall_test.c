/* SPDX-License-Identifier: Apache-2.0 */
/* Every encoding in every structure under every metric: what share of the true
 * ten a search finds among clustered vectors, and how far a graph falls behind
 * a scan of the same codes. */
#include "fixture.h"

#define D 48u
#define N 800u
#define Q 30u
#define K 10u

typedef struct truth {
  uint64_t keys[Q][K];
} truth;

static float *rows;

/* Thirty clusters, about as wide as they lie apart, whose later components are
 * smaller, as those of real vectors are along their principal axes. */
static float *make_rows(void) {
  enum { CLUSTERS = 30 };
  float *made = fixture_rows("uniform", 0, N + Q, D);
  float *centres = fixture_rows("uniform", 100000, CLUSTERS, D);
  for (uint32_t i = 0; i < N + Q; i++)
    for (uint32_t j = 0; j < D; j++) {
      float *x = made + i * D + j;
      *x = (*x + centres[i % CLUSTERS * D + j]) / (1 + (float)j * 0.125f);
    }
  free(centres);
  return made;
}

static void find(fixture *f, uint32_t ef, truth *found) {
  for (uint32_t i = 0; i < Q; i++) {
    mn_hit hits[K];
    uint32_t count = 0;
    CHECK_OK(fixture_search(f, rows + (N + i) * D, K, ef, hits, &count, NULL));
    CHECK_EQUAL(count, K);
    for (uint32_t k = 0; k < K; k++)
      found->keys[i][k] = hits[k].key;
  }
}

static double share(const truth *a, const truth *b) {
  uint32_t same = 0;
  for (uint32_t i = 0; i < Q; i++)
    for (uint32_t k = 0; k < K; k++)
      for (uint32_t j = 0; j < K; j++)
        same += a->keys[i][k] == b->keys[i][j];
  return (double)same / (Q * K);
}

/* With what `learnt` knows, where it is not NULL. */
static fixture build(const char *structure, const char *spec, mn_metric metric,
                     const fixture *learnt) {
  char whole[MN_SPEC_BYTES];
  snprintf(whole, sizeof whole, "%s,%s", structure, spec);
  fixture f = fixture_create(whole, metric, D, N);
  if (learnt != NULL && !mn_index_info(&f.index).trained) {
    size_t bytes;
    const uint8_t *model =
        fixture_section(learnt, MN_SECTION('M', 'O', 'D', 'L'), &bytes);
    CHECK_OK(mn_index_set_model(&f.index, model, bytes));
  }
  fixture_train(&f, rows, N);
  CHECK_OK(fixture_add(&f, NULL, rows, N));
  CHECK_OK(mn_index_verify(&f.index));
  return f;
}

/* The floors of a scan, and what a graph may lose of its hits. */
static void test_recall(const char *spec, mn_metric metric, const truth *exact,
                        double floor, double loss) {
  fixture flat = build("flat", spec, metric, NULL);
  fixture graph = build("hnsw12", spec, metric, &flat);
  truth scanned, walked;
  find(&flat, 0, &scanned);
  find(&graph, 40, &walked);
  const double recall = share(exact, &scanned);
  const double kept = share(&scanned, &walked);
  if (!(recall >= floor && kept >= 1 - loss))
    printf("%s, metric %d: recall %.3f, of which a graph finds %.3f\n", spec,
           metric, recall, kept);
  CHECK(recall >= floor);
  CHECK(kept >= 1 - loss);
  fixture_free(&flat);
  fixture_free(&graph);
}

static void find_exact(const char *spec, mn_metric metric, truth *exact) {
  fixture f = build("flat", spec, metric, NULL);
  find(&f, 0, exact);
  fixture_free(&f);
}

int main(void) {
  /* Floors: three points below the least that was seen under any metric. */
  static const struct {
    const char *spec;
    double floor;
  } cases[] = {
      {"f32", 1},
      {"f16", 0.99},
      {"bf16", 0.98},
      {"sq8", 0.97},
      {"sq6", 0.93},
      {"sq4", 0.86},
      {"bits1", 0.59},
      {"bits2", 0.75},
      {"bits3", 0.84},
      {"bits4", 0.91},
      {"bits5", 0.93},
      {"bits6", 0.95},
      {"bits7", 0.96},
      {"bits8", 0.97},
      {"pq12x8", 0.76},
      {"pq24x4", 0.69},
      {"pq24x4+c", 0.72},
      {"prq6x6x2", 0.64},
      {"prq12x4x2+c", 0.71},
      {"hadamard,sq4", 0.87},
      {"first24,f32", 0.74},
      {"pca24,bits4", 0.82},
      {"opq,pq12x4", 0.45},
      {"bits1,refine=sq8", 0.97},
      {"pq12x4,refine=bits8", 0.93},
      {"pca12,sq6,refine=f16", 0.97},
  };
  rows = make_rows();
  for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
    truth exact;
    find_exact("f32", metric, &exact);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
      test_recall(cases[i].spec, metric, &exact, cases[i].floor, 0.02);
  }
  free(rows);
  rows = fixture_rows("uniform", 0, N + Q, D);
  for (mn_metric metric = MN_HAMMING; metric <= MN_JACCARD; metric++) {
    truth exact;
    find_exact("sign", metric, &exact);
    test_recall("sign", metric, &exact, 1, 0.15);
  }
  free(rows);
  return test_report();
}
