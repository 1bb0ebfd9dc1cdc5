/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Product quantization beside an independent implementation (golden.py, which
 * works as nanopq does): of the same data, with as many subspaces and centroids
 * and as many iterations, no more than 2 % more is lost.
 */
#include "../conformance/generator.h"
#include "../unit/test.h"
#include "golden.h"

#include <stdlib.h>

#define N           GOLDEN_ROWS
#define D           GOLDEN_DIMENSIONS
#define HIDDEN      12
#define ARENA_BYTES ((size_t)16 << 20)

/* The upper bits of a draw as a number of so many bits, with sign. */
static int32_t number(uint32_t what, uint32_t i, uint32_t j, uint32_t bits) {
  const uint32_t upper = gen_draw(what, i, j) >> (32 - bits);
  return (int32_t)upper - (1 << (bits - 1));
}

/* Rounded down, as Python does. */
static int32_t divide(int32_t a, int32_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

/* As make_rows of golden.py. */
static float *make_rows(void) {
  float *rows = malloc(N * D * sizeof *rows);
  uint32_t checksum = 0;
  for (uint32_t i = 0; i < N; i++) {
    const uint32_t centre = gen_draw(1, i, 0) % 20;
    int32_t hidden[HIDDEN];
    for (uint32_t h = 0; h < HIDDEN; h++) {
      const int32_t sum = 2 * number(2, centre, h, 8) + number(3, i, h, 7) +
                          number(4, i, h, 7) + number(5, i, h, 7);
      hidden[h] = divide(sum * 12, (int32_t)h + 1);
    }
    for (uint32_t j = 0; j < D; j++) {
      int32_t component = number(7, i, j, 10);
      for (uint32_t h = 0; h < HIDDEN; h++)
        component += hidden[h] * number(6, j, h, 4);
      rows[i * D + j] = (float)component;
      checksum = checksum * 31 + (uint32_t)component;
    }
  }
  CHECK_EQUAL(checksum, GOLDEN_CHECKSUM);
  return rows;
}

/* The mean of |x - y|^2 over that of |x|^2, y what the code of x decodes to. */
static double error_of(const char *spec, const float *rows) {
  uint8_t *memory = malloc(ARENA_BYTES), *codes = malloc(N * D);
  float *decoded = malloc(N * D * sizeof *decoded);
  const mn_vectors vectors = {rows, N, D};
  mn_arena arena = mn_arena_over(memory, ARENA_BYTES);
  mn_options options = {.dimensions = D, .metric = MN_L2, .seed = 1};
  mn_index index;
  CHECK_OK(mn_options_parse(&options, spec, strlen(spec), NULL));
  CHECK_OK(mn_index_create(&index, &options, 1, &arena));
  CHECK_OK(mn_index_train(&index, &vectors, &arena));
  CHECK_OK(mn_index_encode(&index, &vectors, codes, NULL, &arena));
  CHECK_OK(mn_index_decode(&index, codes, N, decoded, &arena));
  double lost = 0, total = 0;
  for (uint32_t i = 0; i < N * D; i++) {
    lost += ((double)rows[i] - decoded[i]) * ((double)rows[i] - decoded[i]);
    total += (double)rows[i] * rows[i];
  }
  free(memory);
  free(codes);
  free(decoded);
  return lost / total;
}

int main(void) {
  float *rows = make_rows();
  for (unsigned i = 0; i < sizeof golden / sizeof *golden; i++) {
    const double error = error_of(golden[i].spec, rows);
    printf("%s: %.6f of the squared norm is lost, %.3f of %.6f\n",
           golden[i].spec, error, error / golden[i].error, golden[i].error);
    CHECK(error <= 1.02 * golden[i].error);
    /* Nothing can be so much better: the measure would be wrong. */
    CHECK(error >= 0.8 * golden[i].error);
  }
  free(rows);
  return test_report();
}
