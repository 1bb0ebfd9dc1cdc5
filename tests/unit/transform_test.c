/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of vectors, by themselves and in an index. */
#include "matrix.h"

/* --- Maps ----------------------------------------------------------------- */

static void test_first(void) {
  static const float vector[5] = {3, 4, -5, 6, 7};
  const mn_map map = map_of(&mn_transform_first, 5, 2);
  float mapped[2], back[5] = {9, 9, 9, 9, 9};
  CHECK_OK(mn_map_apply(&map, MN_L2, vector, mapped));
  CHECK(mapped[0] == 3 && mapped[1] == 4);
  CHECK_OK(mn_map_apply(&map, MN_COSINE, vector, mapped));
  CHECK(mapped[0] == 3.0f / 5 && mapped[1] == 4.0f / 5);
  map.ops->invert(&map, mapped, back);
  CHECK(back[0] == mapped[0] && back[1] == mapped[1] && back[2] == 0 &&
        back[3] == 0 && back[4] == 0);
}

/* What cannot be normalised any more. */
static void test_nothing_left(void) {
  static const float vectors[2][3] = {{0, 0, 1}, {0x1p-64f, 0, 1}};
  const mn_map map = map_of(&mn_transform_first, 3, 2);
  float mapped[2];
  for (unsigned i = 0; i < 2; i++) {
    CHECK_STATUS(mn_map_apply(&map, MN_COSINE, vectors[i], mapped),
                 MN_ERROR_ZERO_VECTOR);
    CHECK_OK(mn_map_apply(&map, MN_L2, vectors[i], mapped));
    CHECK(mapped[0] == vectors[i][0]);
  }
}

static void test_no_transform(void) {
  static const float vector[3] = {1, 2, 3};
  const mn_map map = map_of(NULL, 3, 3);
  float mapped[3];
  CHECK_OK(mn_map_apply(&map, MN_COSINE, vector, mapped));
  CHECK(memcmp(mapped, vector, sizeof vector) == 0);
}

/* --- In an index ---------------------------------------------------------- */

/* A search answers with the distances of the mapped vectors, and a vector
 * comes back without what was dropped. */
static void test_index(const char *spec, mn_metric metric, uint32_t kept) {
  enum { D = 24, COUNT = 200, K = 20 };
  fixture f = fixture_create(spec, metric, D, COUNT);
  float *rows = fixture_rows("uniform", 0, COUNT, D);
  fixture_train(&f, rows, COUNT);
  CHECK_OK(fixture_add(&f, NULL, rows, COUNT));
  CHECK_EQUAL(mn_index_info(&f.index).code_bytes, 4 * kept);
  CHECK_OK(mn_index_verify(&f.index));
  const mn_map map = mn_map_of_index(&f.index);
  float *query = fixture_rows("uniform", COUNT, 1, D), mapped[2][D], back[D];
  CHECK_OK(mn_map_apply(&map, metric, query, mapped[0]));
  mn_hit hits[K];
  uint32_t found = 0;
  CHECK_OK(fixture_search(&f, query, K, 0, hits, &found, NULL));
  CHECK_EQUAL(found, K);
  for (uint32_t i = 0; i < found; i++) {
    const float *row = rows + hits[i].key * D;
    CHECK_OK(mn_map_apply(&map, metric, row, mapped[1]));
    double expected = 0;
    for (uint32_t j = 0; j < kept; j++)
      expected += metric == MN_L2 ? pow((double)mapped[0][j] - mapped[1][j], 2)
                                  : -(double)mapped[0][j] * mapped[1][j];
    expected += metric == MN_COSINE;
    CHECK(fabs(hits[i].distance - expected) < 1e-5);
    CHECK_OK(fixture_reconstruct(&f, hits[i].key, back));
    double lost = 0;
    for (uint32_t j = 0; j < D; j++)
      lost += pow((double)row[j] - back[j], 2);
    const double norm2 = dot(row, row, D);
    if (metric != MN_COSINE)
      CHECK(fabs(norm2 - dot(mapped[1], mapped[1], kept) - lost) <
            1e-5 * norm2);
    else
      CHECK(fabs(dot(back, back, D) - 1) < 1e-5);
  }
  free(rows), free(query);
  fixture_free(&f);
}

int main(void) {
  test_first();
  test_nothing_left();
  test_no_transform();
  for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
    test_index("flat,first10,f32", metric, 10);
    test_index("flat,pca10,f32", metric, 10);
    test_index("flat,hadamard,f32", metric, 24);
  }
  return test_report();
}
