/* SPDX-License-Identifier: Apache-2.0 */
/* bits1 to bits8: how good estimates are, and what lies at the edges. */
#include "coder.h"

/* --- Errors --------------------------------------------------------------- */

/* Sums over seeds and vectors. */
typedef struct errors {
  double sum, sum2; /* of an estimate's error */
  double means2;    /* of the squares of the seeds' means of it */
  double lost;      /* of 1 - cos^2 of r and y */
  uint32_t count;
} errors;

static double distance2(const float *x, const float *y) {
  double sum = 0;
  for (uint32_t j = 0; j < DIMENSIONS; j++)
    sum += pow((double)x[j] - y[j], 2);
  return sum;
}

static void add_errors(coder *c, uint32_t p, uint32_t seed, errors *e) {
  const uint32_t d = DIMENSIONS;
  const float *mean = (const float *)(void *)c->codec.model;
  float x[DIMENSIONS], found[ROWS];
  uint32_t slots[ROWS];
  for (uint32_t i = 0; i < ROWS; i++)
    slots[i] = i;
  gen_rows(x, "clustered", d, ROWS + seed, 1, d);
  take(c, x);
  mn_codec_bits.prepare(&c->codec, c->vector, c->query);
  mn_codec_bits.distances(&c->codec, c->query, c->codes, c->rests, p, slots,
                          ROWS, found);
  for (uint32_t i = 0; i < ROWS; i++) {
    const float *row = c->vectors + (size_t)i * d;
    const double r2 = distance2(row, mean), q2 = distance2(x, mean);
    const double error = (found[i] - distance2(x, row)) / 2 / sqrt(r2 * q2 / d);
    const reading read = read_code(c, i, p);
    for (uint32_t j = 0; j < d; j++)
      c->vector[j] = row[j] - mean[j];
    mn_rotate(seed, c->vector, d);
    double along = 0;
    for (uint32_t j = 0; j < d; j++)
      along += read.y[j] * c->vector[j];
    e->sum += error;
    e->sum2 += error * error;
    e->lost += 1 - along * along / dot(read.y, read.y, d) / r2;
    e->count++;
  }
}

/* A code that loses the share D of |r|^2 leaves an estimate of <r, q> with an
 * error of sqrt(D / (1 - D)) |r| |q| / sqrt(d), on average 0. For many Gaussian
 * components, D of the best uniform quantizer is .3634, .1188, .0374, .0115 and
 * .0035 for 1 to 5 bits (Max, IRE Transactions on Information Theory, 1960,
 * table II). */
static void test_errors(void) {
  enum { SEEDS = 32 };
  static const double lost[] = {
      [1] = .3634, [2] = .1188,  [3] = .0374,   [4] = .0115,
      [5] = .0035, [6] = .00105, [7] = .000305, [8] = .000088};
  for (uint32_t b = 1; b <= 8; b++) {
    coder c = coder_filled(b, DIMENSIONS, MN_L2);
    errors e[9] = {{0}};
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
      c.codec.seed = seed;
      for (uint32_t i = 0; i < ROWS; i++)
        CHECK_OK(encode(&c, c.vectors + (size_t)i * DIMENSIONS, i));
      FOR_PREFIXES(p, b) {
        const double sum = e[p].sum;
        add_errors(&c, p, seed, &e[p]);
        e[p].means2 += pow((e[p].sum - sum) / (double)ROWS, 2);
      }
    }
    double before = 1;
    FOR_PREFIXES(p, b) {
      const double rms = sqrt(e[p].sum2 / e[p].count);
      /* Errors under one seed and query depend on each other. Norms are rounded
       * alike under all seeds, which is worth 2^-13 sqrt(d) at most. */
      const double spread = sqrt(e[p].means2 / (double)SEEDS);
      CHECK(fabs(e[p].sum / e[p].count) <
            3 * spread / sqrt((double)SEEDS) + 3e-4);
      CHECK(spread < .5 * rms);
      CHECK(rms < before / 1.1);
      before = rms;
      /* A prefix is on a grid too wide for it. */
      const double D = lost[p] * (p == b || p == 1 ? 1.02 : 2);
      CHECK(e[p].lost / e[p].count < D);
      CHECK(rms < 1.1 * sqrt(D / (1 - D)) + .008 * (p < 7));
    }
    coder_free(&c);
  }
}

/* --- Edges ---------------------------------------------------------------- */

static float distance_to(coder *c, const float *x, uint32_t slot, uint32_t p) {
  float found = NAN;
  take(c, x);
  mn_codec_bits.prepare(&c->codec, c->vector, c->query);
  mn_codec_bits.distances(&c->codec, c->query, c->codes, c->rests, p, &slot, 1,
                          &found);
  return found;
}

/* The mean itself has a code of norm 0, and is decoded exactly. */
static void test_mean(void) {
  for (uint32_t b = 1; b <= 8; b++) {
    coder c = coder_filled(b, 40, MN_L2);
    float mean[40], zero[40] = {0};
    memcpy(mean, c.codec.model, sizeof mean);
    CHECK_OK(encode(&c, mean, 0));
    CHECK(mn_codec_bits.is_sound(&c.codec, code_at(&c, 0), rest_at(&c, 0)));
    mn_codec_bits.decode(&c.codec, code_at(&c, 0), rest_at(&c, 0), c.vector,
                         c.scratch);
    CHECK(memcmp(c.vector, mean, sizeof mean) == 0);
    double norm2 = 0;
    for (uint32_t j = 0; j < 40; j++)
      norm2 += (double)mean[j] * mean[j];
    FOR_PREFIXES(p, b) {
      CHECK(distance_to(&c, mean, 0, p) == 0);
      CHECK(fabs(distance_to(&c, zero, 0, p) - norm2) < 1e-5 * norm2);
    }
    coder_free(&c);
  }
}

/* The mean of the sample; one vector is enough. */
static void test_training(void) {
  enum { D = 9 };
  coder c = coder_of(3, D, MN_L2);
  float rows[5 * D];
  gen_rows(rows, "uniform", 1, 0, 5, D);
  float sample[5 * D];
  const float *mean = (const float *)(void *)c.codec.model;
  for (uint32_t count = 1; count <= 5; count += 4) {
    memcpy(sample, rows, sizeof rows);
    CHECK_OK(mn_codec_bits.train(&c.codec, sample, count, &c.none));
    for (uint32_t j = 0; j < D; j++) {
      double sum = 0;
      for (uint32_t i = 0; i < count; i++)
        sum += rows[i * D + j];
      CHECK(fabs(mean[j] - sum / count) < 1e-6);
    }
  }
  CHECK_OK(mn_codec_bits.train(&c.codec, NULL, 5, &c.none));
  static const float bad[] = {NAN, INFINITY, -INFINITY, 1e19f};
  for (uint32_t k = 0; k < 4; k++) {
    float model[D] = {0};
    model[4] = bad[k];
    memcpy(c.codec.model, model, sizeof model);
    CHECK(!mn_codec_bits.model_is_sound(&c.codec));
  }
  coder_free(&c);
}

/* Codes do not depend on the scale of things, and very small and very large
 * vectors overflow nowhere. What lies beyond is refused. */
static void test_scale(void) {
  enum { D = 24 };
  for (uint32_t m = 0; m < 2; m++)
    for (uint32_t b = 1; b <= 8; b++) {
      coder c = coder_filled(b, D, m == 0 ? MN_L2 : MN_IP);
      coder s = coder_of(b, D, c.codec.metric);
      for (int exponent = -50; exponent <= 58; exponent += 27) {
        float model[D], x[D], near = distance_to(&c, c.vectors, 1, b);
        memcpy(model, c.codec.model, sizeof model);
        for (uint32_t j = 0; j < D; j++) {
          model[j] = ldexpf(model[j], exponent);
          x[j] = ldexpf(c.vectors[D + j], exponent);
        }
        memcpy(s.codec.model, model, sizeof model);
        CHECK_OK(encode(&s, x, 1));
        const uint32_t behind = m == 0 ? 4 : 8; /* norm and lift */
        CHECK(memcmp(code_at(&s, 1) + behind, code_at(&c, 1) + behind,
                     c.sizes.code_bytes - behind) == 0);
        CHECK(memcmp(rest_at(&s, 1), rest_at(&c, 1), c.sizes.rest_bytes) == 0);
        for (uint32_t j = 0; j < D; j++)
          x[j] = ldexpf(c.vectors[j], exponent);
        CHECK(distance_to(&s, x, 1, b) == ldexpf(near, 2 * exponent));
      }
      float far[D] = {0x1.2p62f}, model[D] = {-0x1.2p62f};
      memcpy(s.codec.model, model, sizeof model);
      CHECK(mn_codec_bits.model_is_sound(&s.codec));
      CHECK_STATUS(encode(&s, far, 1), MN_ERROR_RANGE);
      CHECK_OK(encode(&s, model, 1));
      coder_free(&c);
      coder_free(&s);
    }
}

/* Anything at all in codes and model: nothing but wrong answers; and what is
 * sound gives numbers. */
static void test_hostile(void) {
  uint32_t sound = 0, unsound = 0;
  for (uint32_t b = 1; b <= 8; b++)
    for (uint32_t m = 0; m < 3; m++) {
      const uint32_t d = 1 + 190 * m + b; /* packed by 4, 2 and 1 planes */
      coder c = coder_filled(b, d, m == 0 ? MN_L2 : m == 1 ? MN_IP : MN_COSINE);
      float x[DIMENSIONS_MAX];
      gen_rows(x, m < 2 ? "extreme" : "uniform", 9, 0, 1, d);
      for (uint32_t i = 0; i < 500; i++) {
        for (uint32_t k = 0; k < c.sizes.code_bytes; k++)
          code_at(&c, 0)[k] = (uint8_t)gen_draw(b, i, k);
        for (uint32_t k = 0; k < c.sizes.rest_bytes; k++)
          rest_at(&c, 0)[k] = (uint8_t)gen_draw(b, i, 1000 + k);
        if (i % 3 == 0) /* a norm of 2^63, the largest, and no share */
          code_at(&c, 0)[3] = 190, code_at(&c, 0)[0] = code_at(&c, 0)[1] = 0,
                      code_at(&c, 0)[2] = 0;
        const int ok =
            mn_codec_bits.is_sound(&c.codec, code_at(&c, 0), rest_at(&c, 0));
        ok ? sound++ : unsound++;
        mn_codec_bits.decode(&c.codec, code_at(&c, 0), rest_at(&c, 0), c.vector,
                             c.scratch);
        FOR_PREFIXES(p, b) {
          CHECK(!isnan(distance_to(&c, x, 0, p)) || !ok);
          mn_codec_bits.prepare_code(&c.codec, code_at(&c, 0), rest_at(&c, 0),
                                     p, c.vector, c.scratch, c.query);
          float found[2];
          mn_codec_bits.distances(&c.codec, c.query, c.codes, c.rests, p,
                                  (uint32_t[]){0, 1}, 2, found);
          CHECK((!isnan(found[0]) && !isnan(found[1])) || !ok);
        }
      }
      for (uint32_t i = 0; i < 50; i++) {
        for (uint64_t k = 0; k < c.sizes.model_bytes; k++)
          c.codec.model[k] = (uint8_t)gen_draw(b, i, (uint32_t)k);
        c.codec.model[2] |= 0x80, c.codec.model[3] |= 0x7f; /* or not finite */
        CHECK(!mn_codec_bits.model_is_sound(&c.codec));
        CHECK_STATUS(encode(&c, x, 1), MN_ERROR_RANGE);
        FOR_PREFIXES(p, b)
        (void)distance_to(&c, x, 1, p);
      }
      coder_free(&c);
    }
  CHECK(sound > 1000 && unsound > 1000);
}

int main(void) {
  test_errors();
  test_mean();
  test_training();
  test_scale();
  test_hostile();
  return test_report();
}
