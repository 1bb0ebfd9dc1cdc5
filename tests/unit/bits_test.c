/* SPDX-License-Identifier: Apache-2.0 */
/* bits1 to bits8: codes and distances against a second reading of them. */
#include "coder.h"

/* --- Tests ---------------------------------------------------------------- */

static void test_sizes(void) {
  static const uint32_t sizes[] = {1, 9, 17, 191, 192, 383, 384};
  for (uint32_t i = 0; i < 7; i++)
    for (uint32_t b = 1; b <= 8; b++) {
      const uint32_t d = sizes[i], plane = (d + 7) / 8;
      const uint32_t packed = packed_planes(b, d), tail = packed > 1 ? 4 : 0;
      const uint32_t code = 4 + tail + (d * packed + 7) / 8;
      const uint32_t rest = (b - packed) * plane + 4 - tail;
      coder c = coder_of(b, d, MN_L2);
      CHECK_EQUAL(c.sizes.code_bytes, code);
      CHECK_EQUAL(c.sizes.rest_bytes, b == 1 ? 0 : rest);
      CHECK_EQUAL(c.sizes.model_bytes, 4 * d);
      CHECK_EQUAL(c.sizes.least, 1);
      coder_free(&c);
      c = coder_of(b, d, MN_IP);
      CHECK_EQUAL(c.sizes.code_bytes, code + 4);
      for (uint32_t p = 1; p <= b; p++)
        CHECK_EQUAL(mn_codec_read_bytes(&c.codec, p),
                    p <= packed ? code + 4
                                : code + 4 + (4 - tail) + (p - packed) * plane);
      coder_free(&c);
    }
}

/* What a code says of its vector. */
static void test_codes(const coder *c) {
  for (uint32_t i = 0; i < ROWS; i++) {
    const double *r = c->residuals[i];
    const double norm = sqrt(dot(r, r, c->d));
    double before = 0;
    FOR_PREFIXES(p, c->b) {
      const reading read = read_code(c, i, p);
      CHECK(fabs(read.norm - norm) <= norm * 0x1p-12);
      /* The factor, as far as its field goes. */
      const double reach = ((1 << p) - 1) * sqrt(c->d) * norm;
      const double share = dot(read.y, r, c->d) / reach;
      const double kept = read.norm / (read.factor * reach / norm);
      const double values = p == 1      ? 4096
                            : p == c->b ? 16384
                            : p == 4    ? 1024
                                        : 256;
      CHECK(share == 0 || fabs(kept - share) <= .5001 / values + 1e-6);
      for (uint32_t j = 0; j < c->d; j++)
        CHECK(fabs(r[j]) < 1e-5 * norm || (read.y[j] > 0) == (r[j] > 0));
      /* More planes are nearer in angle. */
      const double cosine =
          dot(read.y, r, c->d) / norm / sqrt(dot(read.y, read.y, c->d));
      CHECK(cosine >= before - (c->d < 20 ? .05 : .0));
      before = cosine;
    }
    const uint32_t last = c->sizes.code_bytes - 1;
    const uint32_t used = c->d * packed_planes(c->b, c->d) % 8;
    if (used != 0)
      CHECK_EQUAL(code_at(c, i)[last] >> used, 0);
  }
}

/* Distances are those of the reading to the query's integers: so are batches
 * of any length, by every instruction set, bit for bit. */
static void test_distances(coder *c) {
  const uint32_t d = c->d;
  const float *mean = (const float *)(void *)c->codec.model;
  uint32_t slots[ROWS];
  float found[ROWS], again[ROWS], x[DIMENSIONS_MAX];
  gen_rows(x, "clustered", d, ROWS, 1, d);
  if (c->codec.metric == MN_COSINE)
    normalise(x, d);
  double q[DIMENSIONS_MAX], largest = 0, lift = 0;
  for (uint32_t j = 0; j < d; j++) {
    c->vector[j] = x[j] - mean[j];
    lift += (double)c->vector[j] * mean[j] + .5 * mean[j] * mean[j];
  }
  mn_rotate(c->codec.seed, c->vector, d);
  for (uint32_t j = 0; j < d; j++) {
    q[j] = c->vector[j];
    largest = fmax(largest, fabs(q[j]));
  }
  const double norm2 = dot(q, q, d);
  for (uint32_t i = 0; i < ROWS; i++)
    slots[i] = i * 7 % ROWS;

  take(c, x);
  mn_codec_bits.prepare(&c->codec, c->vector, c->query);
  FOR_PREFIXES(p, c->b) {
    mn_codec_bits.distances(&c->codec, c->query, c->codes, c->rests, p, slots,
                            ROWS, found);
    for (uint32_t i = 0; i < ROWS; i++) {
      const reading r = read_code(c, slots[i], p);
      const double own = c->codec.metric == MN_IP ? lift : norm2;
      const double expected =
          distance_of(c, &r, own, r.factor * dot(r.y, q, d));
      /* Each component of q is off by half a step of 127, or of 127 * 128 for
       * the first 4 planes and half a step for the rest. */
      double reach = 0;
      for (uint32_t j = 0; j < d; j++)
        reach += p < 7 ? fabs(r.y[j]) : fabs(r.y[j]) / 128 + (1 << (p - 4));
      const double scale = c->codec.metric == MN_L2 ? 2 : 1;
      const double most = scale * r.factor * reach * largest / 127 / 2;
      CHECK(fabs(found[i] - expected) <=
            most * 1.01 + 1e-5 * (norm2 + r.norm * r.norm + fabs(lift)));
    }
    for (uint32_t k = 0;; k++) {
      const mn_kernels *kernels = mn_kernels_at(k);
      if (kernels == NULL)
        break;
      if ((kernels->features & ~mn_cpu_features()) != 0)
        continue;
      mn_codec other = c->codec;
      other.kernels = kernels;
      take(c, x);
      mn_codec_bits.prepare(&other, c->vector, c->query);
      for (uint32_t batch = 1; batch <= ROWS; batch = batch * 2 + 1) {
        for (uint32_t i = 0; i < ROWS; i += batch)
          mn_codec_bits.distances(
              &other, c->query, c->codes, c->rests, p, slots + i,
              ROWS - i < batch ? ROWS - i : batch, again + i);
        CHECK(memcmp(found, again, sizeof found) == 0);
      }
    }
  }
}

/* A code as query: the same from either side, and what the readings say. */
static void test_pairs(coder *c) {
  const uint32_t d = c->d, count = 8;
  const uint32_t slots[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  float found[8][8];
  FOR_PREFIXES(p, c->b) {
    for (uint32_t a = 0; a < count; a++) {
      mn_codec_bits.prepare_code(&c->codec, code_at(c, a), rest_at(c, a), p,
                                 c->vector, c->scratch, c->query);
      mn_codec_bits.distances(&c->codec, c->query, c->codes, c->rests, p, slots,
                              count, found[a]);
    }
    for (uint32_t a = 0; a < count; a++)
      for (uint32_t b = 0; b < count; b++) {
        CHECK(found[a][b] == found[b][a]);
        const reading ra = read_code(c, a, p), rb = read_code(c, b, p);
        const double own =
            c->codec.metric == MN_IP ? ra.lift : ra.norm * ra.norm;
        const double product = ra.factor * rb.factor * dot(ra.y, rb.y, d);
        const double expected = distance_of(c, &rb, own, product);
        CHECK(fabs(found[a][b] - expected) <=
              1e-5 * (ra.norm * ra.norm + rb.norm * rb.norm + fabs(product) +
                      fabs(ra.lift) * (c->codec.metric == MN_IP)));
      }
  }
}

/* Half of l2's distance without the query's own term, or ip's, by the signs of
 * the query's integers. */
static void test_sift(coder *c) {
  const float *mean = (const float *)(void *)c->codec.model;
  float x[DIMENSIONS_MAX], found[ROWS], again[ROWS];
  gen_rows(x, "clustered", c->d, ROWS, 1, c->d);
  for (uint32_t j = 0; j < c->d; j++)
    c->vector[j] = x[j] - mean[j];
  mn_rotate(c->codec.seed, c->vector, c->d);
  double largest = 0, squares = 0, sum = 0;
  for (uint32_t j = 0; j < c->d; j++)
    largest = fmax(largest, fabs((double)c->vector[j]));
  int signs[DIMENSIONS_MAX];
  for (uint32_t j = 0; j < c->d; j++) {
    const double w = round(c->vector[j] / largest * 127);
    signs[j] = w > 0 ? 1 : -1;
    squares += w * w, sum += fabs(w);
  }
  take(c, x);
  mn_codec_bits.prepare(&c->codec, c->vector, c->query);
  for (uint32_t i = 0; i < ROWS; i += MN_SIFT_BATCH)
    mn_codec_bits.sift(&c->codec, c->query, code_at(c, i),
                       ROWS - i < MN_SIFT_BATCH ? ROWS - i : MN_SIFT_BATCH,
                       found + i);
  for (uint32_t i = 0; i < ROWS; i++) {
    const reading r = read_code(c, i, 1);
    double product = 0;
    for (uint32_t j = 0; j < c->d; j++)
      product += signs[j] * r.y[j];
    product *= r.factor * largest / 127 * squares / sum;
    const double own = c->codec.metric == MN_IP ? -r.lift : r.norm * r.norm / 2;
    CHECK(fabs(found[i] - (own - product)) <=
          1e-5 * (fabs(own) + fabs(product)));
  }
  for (uint32_t i = 0; i < ROWS; i += 5)
    mn_codec_bits.sift(&c->codec, c->query, code_at(c, i),
                       ROWS - i < 5 ? ROWS - i : 5, again + i);
  CHECK(memcmp(found, again, sizeof found) == 0);
}

/* Decoding leaves the part of the residual that is at right angles to y. */
static void test_decoding(coder *c) {
  for (uint32_t i = 0; i < ROWS; i++) {
    const reading r = read_code(c, i, c->b);
    const double *residual = c->residuals[i];
    const double norm2 = dot(residual, residual, c->d);
    const double along = dot(r.y, residual, c->d);
    const double expected = norm2 - along * along / dot(r.y, r.y, c->d);
    mn_codec_bits.decode(&c->codec, code_at(c, i), rest_at(c, i), c->vector,
                         c->scratch);
    double error2 = 0, whole2 = 0;
    for (uint32_t j = 0; j < c->d; j++) {
      const double x = c->vectors[(size_t)i * c->d + j];
      error2 += (x - c->vector[j]) * (x - c->vector[j]);
      whole2 += x * x;
    }
    CHECK(fabs(sqrt(error2) - sqrt(fmax(expected, 0))) <=
          6e-4 * sqrt(norm2) + 1e-5 * sqrt(whole2));
  }
}

/* 1 - cos^2 of r and its code on a grid of this step. */
static double loss_of(const double *r, uint32_t d, uint32_t b, double step) {
  const double half = 1 << (b - 1);
  double along = 0, y2 = 0, r2 = 0;
  for (uint32_t j = 0; j < d; j++) {
    const double level = floor(r[j] / step);
    const double y = 2 * fmax(-half, fmin(half - 1, level)) + 1;
    along += y * r[j];
    y2 += y * y;
    r2 += r[j] * r[j];
  }
  return 1 - along * along / y2 / r2;
}

/* Codes are nearly as good as the best of 160 steps gives. */
static void test_steps(uint32_t b) {
  coder c = coder_filled(b, DIMENSIONS, MN_L2);
  double sum = 0, best_sum = 0;
  for (uint32_t i = 0; i < ROWS; i++) {
    const double *r = c.residuals[i];
    const double norm2 = dot(r, r, c.d);
    const reading read = read_code(&c, i, b);
    const double along = dot(read.y, r, c.d);
    double best = 1, step = 4 * sqrt(norm2 / c.d) / (1 << (b - 1));
    for (uint32_t k = 0; k < 160; k++, step /= 1.02)
      best = fmin(best, loss_of(r, c.d, b, step));
    sum += 1 - along * along / dot(read.y, read.y, c.d) / norm2;
    best_sum += best;
  }
  CHECK(sum > .99999 * best_sum && sum < 1.08 * best_sum);
  coder_free(&c);
}

static void test_all(uint32_t b, uint32_t d, mn_metric metric) {
  coder c = coder_filled(b, d, metric);
  test_codes(&c);
  test_distances(&c);
  if (packed_planes(b, d) == 1)
    test_sift(&c);
  test_pairs(&c);
  test_decoding(&c);
  coder_free(&c);
}

int main(void) {
  static const mn_metric metrics[] = {MN_L2, MN_IP, MN_COSINE};
  static const uint32_t large[] = {191, 192, 199, 383, 384, 389};
  test_sizes();
  for (uint32_t b = 1; b <= 8; b++)
    test_steps(b);
  for (uint32_t b = 1; b <= 8; b++)
    for (uint32_t m = 0; m < 3; m++) {
      for (uint32_t d = 1; d <= DIMENSIONS; d += d < 20 ? 1 : 7)
        test_all(b, d, metrics[m]);
      for (uint32_t i = 0; i < 6; i++)
        test_all(b, large[i], metrics[m]);
    }
  return test_report();
}
