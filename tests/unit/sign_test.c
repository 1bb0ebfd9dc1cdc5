/* SPDX-License-Identifier: Apache-2.0 */
/* Bits and their two metrics, against counting one component at a time. */
#include "fixture.h"

#include <math.h>

/* Components of both signs, among them zeros of both signs, and rows without
 * any bit set. */
static float *bit_rows(uint32_t count, uint32_t d) {
  float *rows = fixture_rows("integers", 0, count, d);
  for (uint32_t i = 0; i < count; i++)
    for (uint32_t j = 0; j < d; j++) {
      float *x = rows + (size_t)i * d + j;
      if (i % 7 == 0 || (i + j) % 11 == 0)
        *x = j % 2 ? 0.0f : -0.0f;
    }
  return rows;
}

static double expected_distance(mn_metric metric, const float *a,
                                const float *b, uint32_t d) {
  uint32_t differ = 0, both = 0, either = 0;
  for (uint32_t j = 0; j < d; j++) {
    const int x = a[j] > 0, y = b[j] > 0;
    differ += x != y;
    both += x && y;
    either += x || y;
  }
  return metric == MN_HAMMING ? differ
         : either == 0        ? 0
                              : 1 - (double)both / either;
}

static void test_distances(mn_metric metric, uint32_t d) {
  enum { COUNT = 60 };
  fixture f = fixture_create("flat,sign", metric, d, COUNT);
  float *rows = bit_rows(COUNT, d), *row = malloc(d * sizeof *row);
  CHECK_EQUAL(mn_index_info(&f.index).code_bytes, (d + 7) / 8);
  CHECK_OK(fixture_add(&f, NULL, rows, COUNT));
  mn_hit hits[COUNT];
  uint32_t found = 0;
  for (uint32_t q = 0; q < 9; q++) {
    const float *query = rows + (size_t)q * d;
    CHECK_OK(fixture_search(&f, query, COUNT, 0, hits, &found, NULL));
    CHECK_EQUAL(found, COUNT);
    for (uint32_t i = 0; i < found; i++) {
      const double expected =
          expected_distance(metric, query, rows + (size_t)hits[i].key * d, d);
      CHECK(fabs(hits[i].distance - expected) < 1e-6);
      CHECK(i == 0 || hits[i - 1].distance < hits[i].distance ||
            (hits[i - 1].distance == hits[i].distance &&
             hits[i - 1].key < hits[i].key));
    }
  }
  for (uint32_t i = 0; i < COUNT; i++) {
    CHECK_OK(fixture_reconstruct(&f, i, row));
    for (uint32_t j = 0; j < d; j++)
      CHECK(row[j] == (rows[(size_t)i * d + j] > 0 ? 1.0f : -1.0f));
  }
  CHECK_OK(mn_index_verify(&f.index));
  free(rows), free(row);
  fixture_free(&f);
}

/* Component 0 in the most significant bit; what is left over is 0. */
static void test_layout(void) {
  fixture f = fixture_create("flat,sign", MN_HAMMING, 11, 2);
  static const float rows[22] = {1, -1, 1, 1, -1, -1, -1, 1, 0, 5, -2,
                                 1, 1,  1, 1, 1,  1,  1,  1, 1, 1, 1};
  static const uint8_t expected[4] = {0xb1, 0x40, 0xff, 0xe0};
  const mn_vectors vectors = {rows, 2, 11};
  uint8_t codes[4];
  CHECK_OK(mn_index_encode(&f.index, &vectors, codes, NULL, &f.arena));
  CHECK(memcmp(codes, expected, sizeof codes) == 0);
  float distance = -1;
  CHECK_OK(mn_index_between(&f.index, codes, codes + 2, &distance, &f.arena));
  CHECK(distance == 6);
  fixture_free(&f);
}

/* What sentence-transformers packs comes in as it was, from either of its two
 * forms. */
static void test_unpack(void) {
  static const uint8_t bits[2] = {0xb1, 0x40};
  static const float expected[11] = {1, -1, 1, 1, -1, -1, -1, 1, -1, 1, -1};
  uint8_t less[2];
  for (unsigned i = 0; i < 2; i++)
    less[i] = (uint8_t)(bits[i] - 128);
  for (int is_signed = 0; is_signed < 2; is_signed++) {
    float vector[12];
    vector[11] = 7;
    mn_unpack_bits(is_signed ? less : bits, 11, is_signed, vector);
    CHECK(memcmp(vector, expected, sizeof expected) == 0);
    CHECK(vector[11] == 7);
  }
}

int main(void) {
  static const uint32_t dimensions[] = {1, 7, 8, 9, 64, 100, 511, 1030};
  for (unsigned i = 0; i < sizeof dimensions / sizeof *dimensions; i++) {
    test_distances(MN_HAMMING, dimensions[i]);
    test_distances(MN_JACCARD, dimensions[i]);
  }
  test_layout();
  test_unpack();
  return test_report();
}
