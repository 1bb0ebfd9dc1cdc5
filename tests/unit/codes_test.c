/* SPDX-License-Identifier: Apache-2.0 */
/* Codes without an index, against what an index does with the same vectors. */
#include "fixture.h"

#include <math.h>

#define D 24u
#define N 60u

static const char *const specs[] = {
    "f32",          "f16",        "bf16",         "sq8",
    "sq6",          "sq4",        "bits1",        "bits2",
    "bits3",        "bits4",      "bits5",        "bits6",
    "bits7",        "bits8",      "pq6x4",        "pq4x4+c",
    "prq4x4x2",     "prq3x5x3+c", "first7,bits5", "pca9,sq4",
    "hadamard,f16", "opq,pq6x4",  "pca8,pq4x4+c", "bits2,refine=sq8",
};

#define SPECS ((unsigned)(sizeof specs / sizeof *specs))

typedef struct coded {
  const char *spec;
  fixture f;
  float *rows;
  uint8_t *codes; /* of the N rows */
  uint32_t bytes; /* of one */
} coded;

static coded make(const char *spec, mn_metric metric, const char *kind) {
  coded c = {.spec = spec,
             .f = fixture_filled(spec, metric, D, kind, N),
             .rows = fixture_rows(kind, 0, N + 5, D)};
  const mn_vectors vectors = {c.rows, N, D};
  uint32_t bad = 77;
  c.bytes = mn_index_info(&c.f.index).code_bytes;
  /* Whatever stood there before does not matter. */
  c.codes = malloc(N * c.bytes);
  memset(c.codes, 0xa5, N * c.bytes);
  CHECK_OK(mn_index_encode(&c.f.index, &vectors, c.codes, &bad, &c.f.arena));
  CHECK_EQUAL(bad, 77);
  return c;
}

static void end(coded *c) {
  free(c->rows);
  free(c->codes);
  fixture_free(&c->f);
}

/* --- As in an index ------------------------------------------------------- */

/* A code is what the index keeps: its first part, then the rest. */
static void test_encode(coded *c) {
  const mn_index *index = &c->f.index;
  const uint32_t code = index->codec.code_bytes, rest = index->codec.rest_bytes;
  CHECK_EQUAL(code + rest, c->bytes);
  for (uint32_t i = 0; i < N; i++) {
    CHECK(!memcmp(c->codes + i * c->bytes, index->codes + i * code, code));
    CHECK(rest == 0 || !memcmp(c->codes + i * c->bytes + code,
                               index->rests + i * rest, rest));
  }
}

static void test_decode(coded *c) {
  float *decoded = malloc(N * D * sizeof *decoded), row[D];
  CHECK_OK(mn_index_decode(&c->f.index, c->codes, N, decoded, &c->f.arena));
  for (uint32_t i = 0; i < N && c->f.options.refine == 0; i++) {
    CHECK_OK(fixture_reconstruct(&c->f, i, row));
    CHECK(!memcmp(decoded + i * D, row, sizeof row));
  }
  free(decoded);
}

/* Distances are those of a search by all planes. */
static void test_compare(coded *c) {
  const mn_encoding encoding = c->f.index.options.encoding;
  float distances[N], again[N];
  mn_hit hits[N];
  for (uint32_t q = 0; q < 5; q++) {
    const float *query = c->rows + (N + q) * D;
    mn_query all = {.vector = query, .dimensions = D, .k = N};
    uint32_t found = 0;
    if (encoding >= MN_BITS1)
      all.planes = encoding - MN_BITS1 + 1;
    fixture one = c->f;
    one.index.options.refine = (mn_encoding)0;
    CHECK_OK(mn_index_search(&one.index, &all, hits, &found, &one.arena));
    CHECK_EQUAL(found, N);
    CHECK_OK(mn_index_compare(&c->f.index, query, D, c->codes, N, distances,
                              &c->f.arena));
    for (uint32_t h = 0; h < found; h++)
      CHECK(!memcmp(&distances[hits[h].slot], &hits[h].distance, 4));
    mn_index portable = c->f.index;
    mn_index_use_features(&portable, 0);
    CHECK_OK(
        mn_index_compare(&portable, query, D, c->codes, N, again, &c->f.arena));
    CHECK(!memcmp(again, distances, sizeof again));
  }
}

/* bits correct their estimates, so that these differ from the distances of what
 * the codes decode to: by a share that halves with every plane. Numbers of the
 * corrections of pq are rounded. */
static double most_between(mn_encoding encoding) {
  return encoding >= MN_BITS1 ? 3.0 / (2u << (encoding - MN_BITS1))
         : encoding == MN_PQ  ? 0.01
                              : 1e-4;
}

/* The distance of a code to another is about that of the vectors that they
 * stand for, and about the same both ways. */
static void test_between(coded *c) {
  const mn_metric metric = c->f.options.metric;
  float *decoded = malloc(N * D * sizeof *decoded), distance, back;
  CHECK_OK(mn_index_decode(&c->f.index, c->codes, N, decoded, &c->f.arena));
  double error = 0, scale = 0, turned = 0;
  for (uint32_t a = 0; a < 12; a++)
    for (uint32_t b = 0; b < N; b++) {
      const float *x = decoded + a * D, *y = decoded + b * D;
      double l2 = 0, dot = 0;
      for (uint32_t j = 0; j < D; j++) {
        l2 += ((double)x[j] - y[j]) * ((double)x[j] - y[j]);
        dot += (double)x[j] * y[j];
      }
      const int is_pq =
          c->f.options.encoding == MN_PQ || c->f.options.encoding == MN_PRQ;
      const double expected = metric == MN_L2   ? l2
                              : metric == MN_IP ? -dot
                              : is_pq           ? l2 / 2
                                                : 1 - dot;
      CHECK_OK(mn_index_between(&c->f.index, c->codes + a * c->bytes,
                                c->codes + b * c->bytes, &distance,
                                &c->f.arena));
      CHECK_OK(mn_index_between(&c->f.index, c->codes + b * c->bytes,
                                c->codes + a * c->bytes, &back, &c->f.arena));
      turned += fabsf(distance - back);
      error += fabs(distance - expected);
      scale += fabs(expected);
    }
  const double most = most_between(c->f.options.encoding);
  if (!(error <= most * scale && turned <= most * scale))
    printf("%s, metric %d: errs by %g, by %g the other way round\n", c->spec,
           metric, error / scale, turned / scale);
  CHECK(error <= most * scale && turned <= most * scale);
  free(decoded);
}

/* --- Tables --------------------------------------------------------------- */

/* The entries that a code names add up to its distance, and are those of the
 * codebooks. */
static void test_table(const char *spec, mn_metric metric, uint32_t m,
                       uint32_t bits) {
  coded c = make(spec, metric, "clustered");
  const uint32_t ks = 1u << bits, width = D / m;
  float *table = malloc(m * ks * sizeof *table), distances[N], decoded[D];
  const float *query = c.rows + N * D;
  double norm = 0;
  for (uint32_t j = 0; j < D; j++)
    norm += (double)query[j] * query[j];
  norm = metric == MN_COSINE ? sqrt(norm) : 1;
  CHECK_OK(mn_index_distance_table(&c.f.index, query, D, table, &c.f.arena));
  CHECK_OK(mn_index_compare(&c.f.index, query, D, c.codes, N, distances,
                            &c.f.arena));
  for (uint32_t i = 0; i < N; i++) {
    double sum = 0, most = 0;
    for (uint32_t s = 0; s < m; s++) {
      const uint8_t *code = c.codes + i * c.bytes;
      const uint32_t name = bits == 8 ? code[s] : code[s / 2] >> s % 2 * 4 & 15;
      sum += table[s * ks + name];
      for (uint32_t k = 0; k < ks; k++)
        most = fmax(most, fabs(table[s * ks + k]));
    }
    if (metric == MN_COSINE) { /* .8 |y|^2 + .2 counts, not |y|^2 */
      double norm2 = 0;
      CHECK_OK(mn_index_decode(&c.f.index, c.codes + i * c.bytes, 1, decoded,
                               &c.f.arena));
      for (uint32_t j = 0; j < D; j++)
        norm2 += (double)decoded[j] * decoded[j];
      sum = (sum - 0.2 * (norm2 - 1)) / 2;
    }
    /* A scan's tables have entries of 12 or 16 bits. */
    CHECK(fabs(sum - distances[i]) <= most * m * 0x1p-11);
  }
  /* Component j of centroid k of subspace s: float s width ks + j ks + k. */
  const float *books = (const void *)c.f.index.codec.model;
  for (uint32_t s = 0; s < m; s++)
    for (uint32_t k = 0; k < ks; k++) {
      double l2 = 0, dot = 0;
      for (uint32_t j = 0; j < width; j++) {
        const double q = query[s * width + j] / norm;
        const double y = books[(s * width + j) * ks + k];
        l2 += (q - y) * (q - y);
        dot += q * y;
      }
      const double expected = metric == MN_IP ? -dot : l2;
      CHECK(fabs(expected - table[s * ks + k]) <= 1e-5 * (1 + fabs(expected)));
    }
  free(table);
  end(&c);
}

/* --- Refusals ------------------------------------------------------------- */

static void test_refused(const char *spec, int has_table) {
  coded c = make(spec, MN_COSINE, "uniform");
  mn_index *index = &c.f.index;
  mn_arena *arena = &c.f.arena, none = *arena;
  float row[D] = {1}, nan[D] = {NAN}, zero[D] = {0}, distance = 9;
  float table[16 * D], out[D] = {9};
  uint32_t bad = 77;
  none.capacity = none.used + 64;
#define REFUSED(status, call) CHECK_REFUSED(&c.f, mn_index_##call, status)
  const mn_vectors wide = {row, 1, D + 1}, null = {NULL, 1, D},
                   one = {row, 1, D};
  float rows[3 * D];
  memcpy(rows, c.rows, sizeof rows);
  const mn_vectors three = {rows, 3, D};
  uint8_t *codes = c.codes;
  REFUSED(MN_ERROR_ARGUMENT, encode(index, NULL, codes, &bad, arena));
  REFUSED(MN_ERROR_ARGUMENT, encode(index, &null, codes, &bad, arena));
  REFUSED(MN_ERROR_ARGUMENT, encode(index, &one, NULL, &bad, arena));
  REFUSED(MN_ERROR_ARGUMENT, encode(index, &one, codes, &bad, NULL));
  REFUSED(MN_ERROR_ARGUMENT, encode(NULL, &one, codes, &bad, arena));
  REFUSED(MN_ERROR_DIMENSIONS, encode(index, &wide, codes, &bad, arena));
  REFUSED(MN_ERROR_ARENA, encode(index, &one, codes, &bad, &none));
  CHECK_EQUAL(bad, 77);
  rows[2 * D + 1] = INFINITY;
  REFUSED(MN_ERROR_NOT_FINITE, encode(index, &three, codes, &bad, arena));
  CHECK_EQUAL(bad, 2);
  memset(rows + D, 0, D * sizeof *rows);
  REFUSED(MN_ERROR_ZERO_VECTOR, encode(index, &three, codes, &bad, arena));
  CHECK_EQUAL(bad, 1);
  CHECK_OK(
      mn_index_encode(index, &(mn_vectors){NULL, 0, D}, NULL, NULL, arena));

  REFUSED(MN_ERROR_ARGUMENT, decode(NULL, codes, 1, out, arena));
  REFUSED(MN_ERROR_ARGUMENT, decode(index, NULL, 1, out, arena));
  REFUSED(MN_ERROR_ARGUMENT, decode(index, codes, 1, NULL, arena));
  REFUSED(MN_ERROR_ARGUMENT, decode(index, codes, 1, out, NULL));
  REFUSED(MN_ERROR_ARENA, decode(index, codes, 1, out, &none));
  CHECK(out[0] == 9);
  CHECK_OK(mn_index_decode(index, NULL, 0, NULL, arena));

  REFUSED(MN_ERROR_ARGUMENT, compare(NULL, row, D, codes, 1, &distance, arena));
  REFUSED(MN_ERROR_ARGUMENT,
          compare(index, NULL, D, codes, 1, &distance, arena));
  REFUSED(MN_ERROR_ARGUMENT, compare(index, row, D, NULL, 1, &distance, arena));
  REFUSED(MN_ERROR_ARGUMENT, compare(index, row, D, codes, 1, NULL, arena));
  REFUSED(MN_ERROR_ARGUMENT, compare(index, row, D, codes, 1, &distance, NULL));
  REFUSED(MN_ERROR_DIMENSIONS,
          compare(index, row, D - 1, codes, 1, &distance, arena));
  REFUSED(MN_ERROR_NOT_FINITE,
          compare(index, nan, D, codes, 1, &distance, arena));
  REFUSED(MN_ERROR_ZERO_VECTOR,
          compare(index, zero, D, codes, 1, &distance, arena));
  REFUSED(MN_ERROR_ARENA, compare(index, row, D, codes, 1, &distance, &none));

  REFUSED(MN_ERROR_ARGUMENT, between(NULL, codes, codes, &distance, arena));
  REFUSED(MN_ERROR_ARGUMENT, between(index, NULL, codes, &distance, arena));
  REFUSED(MN_ERROR_ARGUMENT, between(index, codes, NULL, &distance, arena));
  REFUSED(MN_ERROR_ARGUMENT, between(index, codes, codes, NULL, arena));
  REFUSED(MN_ERROR_ARGUMENT, between(index, codes, codes, &distance, NULL));
  REFUSED(MN_ERROR_ARENA, between(index, codes, codes, &distance, &none));
  CHECK(distance == 9);

  REFUSED(MN_ERROR_ARGUMENT, distance_table(NULL, row, D, table, arena));
  REFUSED(MN_ERROR_ARGUMENT, distance_table(index, NULL, D, table, arena));
  REFUSED(MN_ERROR_ARGUMENT, distance_table(index, row, D, NULL, arena));
  REFUSED(MN_ERROR_ARGUMENT, distance_table(index, row, D, table, NULL));
  if (has_table) {
    REFUSED(MN_ERROR_DIMENSIONS,
            distance_table(index, row, D + 1, table, arena));
    REFUSED(MN_ERROR_NOT_FINITE, distance_table(index, nan, D, table, arena));
    REFUSED(MN_ERROR_ZERO_VECTOR, distance_table(index, zero, D, table, arena));
    REFUSED(MN_ERROR_ARENA, distance_table(index, row, D, table, &none));
  } else {
    REFUSED(MN_ERROR_ARGUMENT, distance_table(index, row, D, table, arena));
  }
#undef REFUSED
  end(&c);
}

int main(void) {
  for (unsigned s = 0; s < SPECS; s++)
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
      coded c = make(specs[s], metric, "clustered");
      test_encode(&c);
      test_decode(&c);
      test_compare(&c);
      test_between(&c);
      end(&c);
    }
  for (mn_metric metric = MN_HAMMING; metric <= MN_JACCARD; metric++) {
    coded c = make("sign", metric, "uniform");
    test_encode(&c);
    test_decode(&c);
    test_compare(&c);
    end(&c);
  }
  for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
    test_table("pq6x4", metric, 6, 4);
    test_table("pq3x4", metric, 3, 4);
  }
  test_refused("pq6x4", 1);
  test_refused("f32", 0);
  test_refused("prq6x4x1", 0);
  test_refused("pca9,bits4,refine=f16", 0);
  return test_report();
}
