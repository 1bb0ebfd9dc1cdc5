/* SPDX-License-Identifier: Apache-2.0 */
/* sq8, sq6 and sq4, against arithmetic of our own. */
#include "../../core/encoding/codec.h"
#include "../../core/kernels/kernels.h"
#include "fixture.h"

#include <math.h>

static const char *const specs[] = {"flat,sq8", "flat,sq6", "flat,sq4"};

static uint32_t levels_of(mn_encoding encoding) {
  return encoding == MN_SQ8 ? 256 : encoding == MN_SQ6 ? 64 : 16;
}

/* --- Codecs by themselves ------------------------------------------------- */

typedef struct tested {
  mn_codec codec;
  mn_codec_sizes sizes;
} tested;

/* With room for a model, untrained. */
static tested tested_create(mn_encoding encoding, mn_metric metric,
                            uint32_t d) {
  tested t;
  const mn_options options = {
      .dimensions = d, .metric = metric, .encoding = encoding};
  mn_codec_first(&options, &t.codec);
  t.sizes = mn_codec_measure(&t.codec);
  t.codec.kernels = &mn_kernels_c;
  t.codec.model = calloc(1, (size_t)t.sizes.model_bytes);
  return t;
}

static void tested_free(tested *t) {
  free(t->codec.model);
}

static mn_status tested_train(tested *t, const float *rows, uint32_t count) {
  const size_t bytes = (size_t)count * t->codec.dimensions * sizeof(float);
  float *copy = malloc(bytes);
  memcpy(copy, rows, bytes);
  mn_arena none = mn_arena_over(NULL, 0);
  const mn_status status = t->codec.ops->train(&t->codec, copy, count, &none);
  free(copy);
  return status;
}

/* 1 where the vector was clipped. */
static uint32_t tested_encode(const tested *t, const float *vector,
                              uint8_t *code) {
  const uint32_t d = t->codec.dimensions;
  float *copy = malloc(d * sizeof *copy);
  memcpy(copy, vector, d * sizeof *copy);
  uint32_t clipped = 0;
  CHECK_OK(t->codec.ops->encode(&t->codec, copy, code, NULL, &clipped, NULL));
  free(copy);
  return clipped;
}

static float tested_distance(const tested *t, const float *vector,
                             const uint8_t *code) {
  const uint32_t d = t->codec.dimensions;
  float *copy = malloc(d * sizeof *copy);
  memcpy(copy, vector, d * sizeof *copy);
  void *query = malloc((size_t)t->sizes.query_bytes);
  t->codec.ops->prepare(&t->codec, copy, query);
  const float distance =
      t->codec.ops->distance(&t->codec, query, code, NULL, 0);
  free(copy), free(query);
  return distance;
}

/* --- Codes ---------------------------------------------------------------- */

/* Where the range is that of the integers, the code shows them as they are:
 * bytes of 128 less; nibbles, the first low; and 2 more bits of each. */
static void test_layout(mn_encoding encoding, uint32_t d) {
  const uint32_t levels = levels_of(encoding), nibbles = (d + 1) / 2;
  tested t = tested_create(encoding, MN_IP, d);
  float *rows = calloc((size_t)2 * d, sizeof *rows);
  float *vector = malloc(d * sizeof *vector), *back = malloc(d * sizeof *back);
  for (uint32_t j = 0; j < d; j++)
    rows[d + j] = (float)(levels - 1);
  CHECK_OK(tested_train(&t, rows, 2));
  uint8_t *code = malloc(t.codec.code_bytes);
  uint8_t *expected = malloc(t.codec.code_bytes);
  for (uint32_t round = 0; round < levels; round++) {
    memset(code, 0xa5, t.codec.code_bytes);
    memset(expected, 0, t.codec.code_bytes);
    for (uint32_t j = 0; j < d; j++) {
      const uint32_t s = (round + 5 * j) % levels;
      vector[j] = (float)s;
      if (encoding == MN_SQ8)
        expected[j] = (uint8_t)(s - 128);
      else
        expected[j / 2] |= (uint8_t)((s & 15) << 4 * (j % 2));
      if (encoding == MN_SQ6)
        expected[nibbles + j / 4] |= (uint8_t)((s >> 4) << 2 * (j % 4));
    }
    CHECK_EQUAL(tested_encode(&t, vector, code), 0);
    CHECK(memcmp(code, expected, t.codec.code_bytes) == 0);
    t.codec.ops->decode(&t.codec, code, NULL, back, NULL);
    CHECK(memcmp(back, vector, d * sizeof *back) == 0);
  }
  free(rows), free(vector), free(back), free(code), free(expected);
  tested_free(&t);
}

static void test_code_bytes(void) {
  static const uint32_t bytes[3][4] = {
      {1, 5, 100, 65535}, {2, 5, 75, 49152}, {1, 3, 50, 32768}};
  static const uint32_t dimensions[4] = {1, 5, 100, 65535};
  for (unsigned e = 0; e < 3; e++)
    for (unsigned i = 0; i < 4; i++)
      for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
        const mn_options options = {.dimensions = dimensions[i],
                                    .metric = metric,
                                    .encoding = (mn_encoding)(MN_SQ8 + e)};
        mn_sizes sizes;
        const mn_query query = {.k = 1};
        CHECK_OK(mn_plan(&options, 1, &query, &sizes));
        CHECK_EQUAL(sizes.code_bytes,
                    bytes[e][i] + (metric == MN_L2 ? 4u : 0u));
      }
}

/* Inside the trained range the error is half a step; outside, the nearer end
 * is kept. Vectors that lose more than those within the range are counted. */
static void test_range(mn_encoding encoding, mn_metric metric) {
  enum { DIMENSIONS = 37, COUNT = 300, TRAINED = 100 };
  fixture f =
      fixture_create(specs[encoding - MN_SQ8], metric, DIMENSIONS, COUNT);
  const double steps = levels_of(encoding) - 1;
  float *rows = fixture_rows("uniform", 0, COUNT, DIMENSIONS);
  for (uint32_t i = 0; i < COUNT; i++)
    for (uint32_t j = 0; j < DIMENSIONS; j++) {
      float *x = rows + i * DIMENSIONS + j;
      *x = j == 5 ? 3.5f : *x * (float)(j + 1) + 10;
    }
  fixture_train(&f, rows, TRAINED);
  CHECK_OK(fixture_add(&f, NULL, rows, COUNT));
  float low[DIMENSIONS], high[DIMENSIONS], row[DIMENSIONS];
  for (uint32_t i = 0; i < TRAINED; i++)
    for (uint32_t j = 0; j < DIMENSIONS; j++) {
      const float x = rows[i * DIMENSIONS + j];
      low[j] = i == 0 || x < low[j] ? x : low[j];
      high[j] = i == 0 || x > high[j] ? x : high[j];
    }
  uint32_t clipped = 0, outside = 0;
  for (uint32_t i = 0; i < COUNT; i++) {
    int out = 0, far_out = 0;
    CHECK_OK(fixture_reconstruct(&f, i, row));
    for (uint32_t j = 0; j < DIMENSIONS; j++) {
      const float x = rows[i * DIMENSIONS + j];
      const float nearest = x < low[j] ? low[j] : x > high[j] ? high[j] : x;
      const double half = ((double)high[j] - low[j]) / steps / 2;
      const double rounding = (fabs(high[j]) + fabs(low[j])) * 0x1p-22;
      out |= x != nearest;
      far_out |= fabs((double)x - nearest) > 1.1 * half;
      CHECK(fabs((double)row[j] - nearest) <= half + rounding);
    }
    outside += (uint32_t)out;
    clipped += (uint32_t)far_out;
  }
  const uint64_t counted = mn_index_info(&f.index).clipped;
  CHECK(0 < clipped && clipped <= counted && counted <= outside);
  CHECK(outside <= COUNT - TRAINED);
  free(rows);
  fixture_free(&f);
}

/* --- Distances ------------------------------------------------------------ */

/* A distance is that to the decoded vector, but for the rounding of weights:
 * half a unit of the largest of them for each integer of the code. */
static void test_distances(mn_encoding encoding, mn_metric metric, uint32_t d) {
  enum { COUNT = 30 };
  tested t = tested_create(encoding, metric, d);
  float *rows = fixture_rows("clustered", 0, COUNT, d);
  CHECK_OK(tested_train(&t, rows, COUNT));
  const float *zero = (const void *)t.codec.model, *step = zero + d;
  uint8_t *code = malloc(t.codec.code_bytes);
  float *decoded = malloc(d * sizeof *decoded);
  double limit =
      2147483647.0 / (encoding == MN_SQ8 ? 128 : levels_of(encoding) - 1) / d;
  limit = limit < 32767 ? floor(limit) : 32767;
  for (uint32_t q = 0; q < COUNT; q += 7)
    for (uint32_t i = 0; i < COUNT; i++) {
      const float *query = rows + (size_t)q * d;
      tested_encode(&t, rows + (size_t)i * d, code);
      t.codec.ops->decode(&t.codec, code, NULL, decoded, NULL);
      double expected = metric == MN_COSINE, size = 1, weight = 0, sum = 0;
      for (uint32_t j = 0; j < d; j++) {
        const double x = query[j], y = decoded[j];
        const double r = metric == MN_L2 ? x - zero[j] : x;
        expected += metric == MN_L2 ? (x - y) * (x - y) : -x * y;
        size += x * x + y * y + (double)zero[j] * zero[j];
        weight = fabs(r * step[j]) > weight ? fabs(r * step[j]) : weight;
        sum += step[j] > 0 ? fabs((y - zero[j]) / step[j]) : 0;
      }
      const double rounding = weight / limit / 2 * sum;
      const float distance = tested_distance(&t, query, code);
      CHECK(fabs(distance - expected) <=
            (metric == MN_L2 ? 2 : 1) * rounding + size * 1e-6);
      CHECK(t.codec.ops->is_sound(&t.codec, code, NULL));
    }
  free(rows), free(code), free(decoded);
  tested_free(&t);
}

/* The largest weights meet the largest integers in the most dimensions: the
 * sums just stay within int32, in every set of kernels. */
static void test_largest_sums(mn_encoding encoding) {
  enum { D = MN_DIMENSIONS_MAX };
  tested t = tested_create(encoding, MN_IP, D);
  float *rows = malloc(2 * (size_t)D * sizeof *rows);
  for (uint32_t j = 0; j < 2 * D; j++)
    rows[j] = j < D ? -1.0f : 1.0f;
  CHECK_OK(tested_train(&t, rows, 2));
  uint8_t *code = malloc(t.codec.code_bytes);
  for (uint32_t end = 0; end < 2; end++)
    for (uint32_t q = 0; q < 2; q++) {
      tested_encode(&t, rows + (size_t)end * D, code);
      for (uint32_t i = 0; mn_kernels_at(i) != NULL; i++) {
        t.codec.kernels = mn_kernels_at(i);
        if ((t.codec.kernels->features & ~mn_cpu_features()) != 0)
          continue;
        const float distance = tested_distance(&t, rows + (size_t)q * D, code);
        CHECK(fabs(distance - (end == q ? -(double)D : (double)D)) < 1);
      }
    }
  free(rows), free(code);
  tested_free(&t);
}

/* --- Numbers out of the way ----------------------------------------------- */

/* Ranges so wide that distances within them would overflow are refused. */
static void test_too_wide(mn_encoding encoding, mn_metric metric) {
  enum { DIMENSIONS = 200 };
  tested t = tested_create(encoding, metric, DIMENSIONS);
  float *rows = calloc(DIMENSIONS * DIMENSIONS, sizeof *rows);
  for (uint32_t i = 0; i < DIMENSIONS; i++)
    rows[i * DIMENSIONS + i] = 0x1p62f;
  CHECK_STATUS(tested_train(&t, rows, DIMENSIONS), MN_ERROR_NOT_FINITE);
  for (uint32_t i = 0; i < DIMENSIONS; i++)
    rows[i * DIMENSIONS + i] = 0x1p56f;
  CHECK_OK(tested_train(&t, rows, DIMENSIONS));
  CHECK(t.codec.ops->model_is_sound(&t.codec));
  free(rows);
  tested_free(&t);
}

/* Between the ends of every range that is accepted, distances are finite. */
static void test_widest(mn_encoding encoding, mn_metric metric) {
  uint32_t accepted = 0, refused = 0;
  for (float x = 0x1p60f; x <= 0x1.6a09ep62f; x *= 1.01f) {
    tested t = tested_create(encoding, metric, 1);
    const float rows[2] = {-x, x};
    if (tested_train(&t, rows, 2) != MN_OK) {
      refused++;
      tested_free(&t);
      continue;
    }
    accepted++;
    uint8_t code[8];
    for (unsigned a = 0; a < 2; a++)
      for (unsigned b = 0; b < 2; b++) {
        tested_encode(&t, &rows[a], code);
        CHECK(t.codec.ops->is_sound(&t.codec, code, NULL));
        CHECK(isfinite(tested_distance(&t, &rows[b], code)));
      }
    tested_free(&t);
  }
  CHECK(accepted > 0 && (refused > 0) == (encoding != MN_SQ8));
}

/* A sample of one vector, or of equal ones, leaves no step: such dimensions are
 * kept as they were. */
static void test_constant(mn_encoding encoding) {
  static const float row[3] = {1.5f, 0, -7}, other[3] = {1.5f, 0.5f, -7};
  tested t = tested_create(encoding, MN_L2, 3);
  CHECK_EQUAL(t.sizes.least, 1);
  CHECK_OK(tested_train(&t, row, 1));
  uint8_t code[16];
  float back[3];
  CHECK_EQUAL(tested_encode(&t, row, code), 0);
  CHECK(tested_distance(&t, row, code) == 0);
  CHECK_EQUAL(tested_encode(&t, other, code), 1);
  t.codec.ops->decode(&t.codec, code, NULL, back, NULL);
  CHECK(memcmp(back, row, sizeof row) == 0);
  CHECK(tested_distance(&t, other, code) == 0.25f);
  tested_free(&t);
}

/* Whatever stands in a model, nothing but wrong numbers comes of it; what would
 * overflow is found. */
static void test_damaged_model(mn_encoding encoding, mn_metric metric) {
  enum { D = 21 };
  static const uint32_t damage[] = {0x7fc00000u, 0x7f800000u, 0xff800000u,
                                    0x7f7fffffu, 0xff7fffffu, 0xffffffffu};
  tested t = tested_create(encoding, metric, D);
  float *rows = fixture_rows("uniform", 0, 10, D), back[D];
  uint8_t code[64];
  CHECK_OK(tested_train(&t, rows, 10));
  CHECK(t.codec.ops->model_is_sound(&t.codec));
  uint8_t *kept = malloc((size_t)t.sizes.model_bytes);
  memcpy(kept, t.codec.model, (size_t)t.sizes.model_bytes);
  for (uint32_t at = 0; at < 2 * D; at++)
    for (unsigned i = 0; i < sizeof damage / sizeof *damage; i++) {
      memcpy(t.codec.model + 4 * at, &damage[i], 4);
      CHECK(!t.codec.ops->model_is_sound(&t.codec));
      tested_encode(&t, rows, code);
      t.codec.ops->decode(&t.codec, code, NULL, back, NULL);
      (void)tested_distance(&t, rows, code);
      (void)tested_distance(&t, back, code);
      memcpy(t.codec.model, kept, (size_t)t.sizes.model_bytes);
    }
  free(rows), free(kept);
  tested_free(&t);
}

int main(void) {
  test_code_bytes();
  for (mn_encoding encoding = MN_SQ8; encoding <= MN_SQ4; encoding++) {
    for (uint32_t d = 1; d <= 9; d++)
      test_layout(encoding, d);
    test_layout(encoding, 130);
    test_largest_sums(encoding);
    test_constant(encoding);
    test_range(encoding, MN_L2);
    test_range(encoding, MN_IP);
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
      test_distances(encoding, metric, 1);
      test_distances(encoding, metric, 19);
      test_distances(encoding, metric, 100);
      test_distances(encoding, metric, 4000);
      test_too_wide(encoding, metric);
      test_widest(encoding, metric);
      test_damaged_model(encoding, metric);
    }
  }
  return test_report();
}
