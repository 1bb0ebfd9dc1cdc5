/* SPDX-License-Identifier: Apache-2.0 */
/* The seeded rotation, as the matrix that it is. */
#include "matrix.h"

static const uint32_t rotated_dimensions[] = {
    1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 31, 63, 64, 65, 96, 100, 127, 200};
enum { ROTATED = sizeof rotated_dimensions / sizeof *rotated_dimensions };

/* The rotation as a matrix: row i is what becomes of unit vector i. */
static float *rotation(uint64_t seed, uint32_t d) {
  float *rows = calloc((size_t)d * d, sizeof *rows);
  for (uint32_t i = 0; i < d; i++) {
    rows[i * d + i] = 1;
    mn_rotate(seed, rows + i * d, d);
  }
  return rows;
}

static void test_rotation_is_orthonormal(void) {
  for (uint32_t c = 0; c < ROTATED; c++) {
    const uint32_t d = rotated_dimensions[c];
    float *rows = rotation(c, d);
    CHECK(skew(rows, d, d) < 1e-6);
    for (uint32_t i = 0; i < d; i++) {
      mn_rotate_back(c, rows + i * d, d);
      for (uint32_t j = 0; j < d; j++)
        CHECK(fabs(rows[i * d + j] - (i == j)) < 1e-6);
    }
    free(rows);
  }
}

/* Over 100 seeds, each component spreads its energy over all. A single seed may
 * well put 0 somewhere, and the mean of 100 strays by a factor of 2. */
static void test_rotation_spreads(void) {
  const uint32_t seeds = 100;
  for (uint32_t c = 0; c < ROTATED; c++) {
    const uint32_t d = rotated_dimensions[c];
    double *energy = calloc((size_t)d * d, sizeof *energy);
    for (uint32_t seed = 0; seed < seeds; seed++) {
      float *rows = rotation(seed * UINT64_C(0x123456789ab), d);
      for (uint32_t i = 0; i < d * d; i++)
        energy[i] += (double)rows[i] * rows[i] * d / seeds;
      free(rows);
    }
    for (uint32_t i = 0; i < d * d; i++)
      CHECK(0.4 < energy[i] && energy[i] < 2.2);
    free(energy);
  }
}

/* Where the two windows hardly overlap, both ends still meet; and seeds that
 * differ in any part give other rotations. */
static void test_rotation_of_many(void) {
  enum { D = 1023 };
  float row[D] = {0}, other[D] = {0};
  row[3] = other[3] = 1;
  mn_rotate(1, row, D);
  double low = dot(row, row, 511), all = dot(row, row, D);
  CHECK(fabs(all - 1) < 1e-6 && 0.45 < low && low < 0.55);
  mn_rotate(UINT64_C(1) << 63 | 1, other, D);
  CHECK(fabs(dot(row, other, D)) < 0.2);
}

int main(void) {
  test_rotation_is_orthonormal();
  test_rotation_spreads();
  test_rotation_of_many();
  return test_report();
}
