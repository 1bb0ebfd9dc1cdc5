/* SPDX-License-Identifier: Apache-2.0 */
/* What each encoding keeps of a vector, against arithmetic of our own. */
#include "../../core/kernels/kernels.h"
#include "fixture.h"

#include <math.h>

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* --- Halves --------------------------------------------------------------- */

/* A 16-bit float of `exponent_bits`, by the definition of IEEE 754. */
static double half_value(uint32_t half, int exponent_bits) {
  int mantissa_bits = 15 - exponent_bits;
  int bias = (1 << (exponent_bits - 1)) - 1;
  int exponent = (int)(half >> mantissa_bits) & ((1 << exponent_bits) - 1);
  double mantissa = half & ((1u << mantissa_bits) - 1);
  double sign = half >> 15 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1)
    return mantissa != 0 ? NAN : sign * INFINITY;
  if (exponent == 0)
    return sign * ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign * ldexp(1 + ldexp(mantissa, -mantissa_bits), exponent - bias);
}

/* All 65,536 patterns are widened exactly. */
static void test_widening(void) {
  for (uint32_t half = 0; half < 65536; half++) {
    float f16 = mn_f16_to_f32((uint16_t)half);
    float bf16 = mn_bf16_to_f32((uint16_t)half);
    double expected = half_value(half, 5);
    if (isnan(expected))
      CHECK(isnan(f16));
    else
      CHECK_EQUAL(bits_of(f16), bits_of((float)expected));
    expected = half_value(half, 8);
    if (isnan(expected))
      CHECK(isnan(bf16));
    else
      CHECK_EQUAL(bits_of(bf16), bits_of((float)expected));
  }
}

/* Every finite pattern and what lies around the middle to the next one: the
 * middle goes to the even neighbour, anything else to the nearer one. */
static void test_rounding(mn_encoding encoding, int exponent_bits,
                          double largest) {
  const char *spec = encoding == MN_F16 ? "flat,f16" : "flat,bf16";
  const uint32_t batch = 4096;
  fixture f = fixture_create(spec, MN_L2, 1, batch);
  float *rows = malloc(batch * sizeof *rows);
  float *expected = malloc(batch * sizeof *expected);
  uint32_t count = 0;
  for (uint32_t half = 0; half < 65536; half++) {
    double here = half_value(half, exponent_bits);
    double next = half_value(half + 1, exponent_bits);
    if (isfinite(here) && fabs(here) <= largest && isfinite(next) &&
        half != 0x7fff && fabs(next) <= largest) {
      float middle = (float)((here + next) / 2);
      CHECK(middle == (here + next) / 2);
      rows[count] = (float)here;
      expected[count++] = (float)here;
      rows[count] = middle;
      expected[count++] = (float)(half & 1 ? next : here);
      rows[count] = nextafterf(middle, (float)here);
      expected[count++] = (float)here;
      rows[count] = nextafterf(middle, (float)next);
      expected[count++] = (float)next;
    }
    if (count + 4 > batch || half == 65535) {
      mn_arena_rewind(&f.arena, 0);
      CHECK_OK(mn_index_create(&f.index, &f.options, batch, &f.arena));
      CHECK_OK(fixture_add(&f, NULL, rows, count));
      for (uint32_t i = 0; i < count; i++) {
        float row = NAN;
        CHECK_OK(fixture_reconstruct(&f, i, &row));
        CHECK_EQUAL(bits_of(row), bits_of(expected[i]));
      }
      count = 0;
    }
  }
  free(rows);
  free(expected);
  fixture_free(&f);
}

/* --- sq8 ------------------------------------------------------------------ */

/* Inside the trained range the error is half a step of 1/255 of the range;
 * outside, the nearer end is kept. Vectors that lose more than those within
 * the range are counted. */
static void test_sq8(mn_metric metric) {
  enum { DIMENSIONS = 37, COUNT = 300, TRAINED = 100 };
  fixture f = fixture_create("flat,sq8", metric, DIMENSIONS, COUNT);
  float *rows = fixture_rows("uniform", 0, COUNT, DIMENSIONS);
  for (uint32_t i = 0; i < COUNT; i++)
    for (uint32_t j = 0; j < DIMENSIONS; j++)
      rows[i * DIMENSIONS + j] =
          j == 5 ? 3.5f : rows[i * DIMENSIONS + j] * (float)(j + 1) + 10;
  mn_vectors sample = {rows, TRAINED, DIMENSIONS};
  CHECK_OK(mn_index_train(&f.index, &sample, &f.arena));
  CHECK_OK(fixture_add(&f, NULL, rows, COUNT));
  float low[DIMENSIONS], high[DIMENSIONS], row[DIMENSIONS];
  uint32_t clipped = 0, outside = 0;
  for (uint32_t i = 0; i < TRAINED; i++)
    for (uint32_t j = 0; j < DIMENSIONS; j++) {
      float x = rows[i * DIMENSIONS + j];
      low[j] = i == 0 || x < low[j] ? x : low[j];
      high[j] = i == 0 || x > high[j] ? x : high[j];
    }
  for (uint32_t i = 0; i < COUNT; i++) {
    int out = 0, far_out = 0;
    CHECK_OK(fixture_reconstruct(&f, i, row));
    for (uint32_t j = 0; j < DIMENSIONS; j++) {
      float x = rows[i * DIMENSIONS + j];
      float nearest = x < low[j] ? low[j] : x > high[j] ? high[j] : x;
      double bound = ((double)high[j] - low[j]) / 255 / 2;
      double rounding = (fabs(high[j]) + fabs(low[j])) * 0x1p-22;
      out |= fabs((double)x - nearest) > 0;
      far_out |= fabs((double)x - nearest) > 1.1 * bound;
      CHECK(fabs((double)row[j] - nearest) <= bound + rounding);
    }
    outside += (uint32_t)out;
    clipped += (uint32_t)far_out;
  }
  uint64_t counted = mn_index_info(&f.index).clipped;
  CHECK(0 < clipped && clipped <= counted && counted <= outside);
  CHECK(outside <= COUNT - TRAINED);
  free(rows);
  fixture_free(&f);
}

/* Ranges so wide that distances within them would overflow are refused. */
static void test_sq8_too_wide(mn_metric metric) {
  enum { DIMENSIONS = 200 };
  fixture f = fixture_create("flat,sq8", metric, DIMENSIONS, DIMENSIONS);
  float *rows = calloc(DIMENSIONS * DIMENSIONS, sizeof *rows);
  mn_vectors sample = {rows, DIMENSIONS, DIMENSIONS};
  for (uint32_t i = 0; i < DIMENSIONS; i++)
    rows[i * DIMENSIONS + i] = 0x1p62f;
  CHECK_REFUSED(&f, mn_index_train(&f.index, &sample, &f.arena),
                MN_ERROR_NOT_FINITE);
  for (uint32_t i = 0; i < DIMENSIONS; i++)
    rows[i * DIMENSIONS + i] = 0x1p56f;
  CHECK_OK(mn_index_train(&f.index, &sample, &f.arena));
  CHECK_OK(fixture_add(&f, NULL, rows, DIMENSIONS));
  CHECK_OK(mn_index_verify(&f.index));
  free(rows);
  fixture_free(&f);
}

/* --- Sizes ---------------------------------------------------------------- */

static void test_code_bytes(void) {
  static const struct {
    const char *spec;
    uint32_t bytes, l2_bytes;
  } cases[] = {{"flat,f32", 400, 400},
               {"flat,f16", 200, 200},
               {"flat,bf16", 200, 200},
               {"flat,sq8", 100, 104}};
  for (unsigned i = 0; i < 4; i++)
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
      mn_options o = fixture_options(cases[i].spec, metric, 100);
      mn_sizes sizes;
      CHECK_OK(mn_plan(&o, 1, &(mn_query){.k = 1}, &sizes));
      CHECK_EQUAL(sizes.code_bytes,
                  metric == MN_L2 ? cases[i].l2_bytes : cases[i].bytes);
    }
}

/* --- Cosine --------------------------------------------------------------- */

/* Stored vectors have norm 1, whatever they came in with. */
static void test_normalised(void) {
  fixture f = fixture_create("flat,f32", MN_COSINE, 3, 4);
  static const float rows[12] = {
      3, 4, 0, 0x1p60f, 0x1p60f, 0, 0x1p-60f, 0x1p-60f, 0x1p-61f, 0, 0, -7};
  float row[3];
  CHECK_OK(fixture_add(&f, NULL, rows, 4));
  for (uint32_t i = 0; i < 4; i++) {
    CHECK_OK(fixture_reconstruct(&f, i, row));
    double norm = 0;
    for (uint32_t j = 0; j < 3; j++)
      norm += (double)row[j] * row[j];
    CHECK(fabs(norm - 1) < 1e-6);
  }
  CHECK_OK(fixture_reconstruct(&f, 0, row));
  CHECK(row[0] == 3.0f / 5 && row[1] == 4.0f / 5 && row[2] == 0);
  fixture_free(&f);
}

int main(void) {
  test_widening();
  test_rounding(MN_F16, 5, 65504);
  test_rounding(MN_BF16, 8, 0x1p62);
  test_sq8(MN_L2);
  test_sq8(MN_IP);
  test_sq8_too_wide(MN_L2);
  test_sq8_too_wide(MN_IP);
  test_code_bytes();
  test_normalised();
  return test_report();
}
