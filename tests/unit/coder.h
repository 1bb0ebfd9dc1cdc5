/* SPDX-License-Identifier: Apache-2.0 */
/* A codec of bits1 to bits8 without an index, the codes of some vectors, and a
 * second reading of them, in doubles. */
#ifndef CODER_H
#define CODER_H

#include "../../core/encoding/codec.h"
#include "../../core/kernels/kernels.h"
#include "../../core/transform/transform.h"
#include "../conformance/generator.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS = 64, DIMENSIONS = 69, DIMENSIONS_MAX = 400 };

/* A trained codec, what it works with, and the codes of some vectors. */
typedef struct coder {
  mn_codec codec;
  mn_codec_sizes sizes;
  uint32_t b, d;
  float *vectors, *vector;             /* as given; to be overwritten */
  double (*residuals)[DIMENSIONS_MAX]; /* centred and rotated */
  uint8_t *codes, *rests;
  void *scratch, *query;
  mn_arena none;
} coder;

static inline void *aligned(uint64_t bytes) {
  return aligned_alloc(64, (size_t)(bytes + 64) / 64 * 64);
}

static inline void normalise(float *vector, uint32_t d) {
  double norm2 = 0;
  for (uint32_t j = 0; j < d; j++)
    norm2 += (double)vector[j] * vector[j];
  for (uint32_t j = 0; j < d; j++)
    vector[j] = (float)(vector[j] / sqrt(norm2));
}

static inline coder coder_of(uint32_t b, uint32_t d, mn_metric metric) {
  coder c = {.b = b, .d = d};
  c.codec = (mn_codec){.ops = &mn_codec_bits,
                       .kernels = &mn_kernels_c,
                       .metric = metric,
                       .encoding = (mn_encoding)(MN_BITS1 + b - 1),
                       .dimensions = d,
                       .seed = 5};
  mn_codec_bits.sizes(&c.codec, &c.sizes);
  c.codec.code_bytes = c.sizes.code_bytes;
  c.codec.rest_bytes = c.sizes.rest_bytes;
  c.codec.model = aligned(c.sizes.model_bytes);
  c.vector = aligned(4 * d);
  c.scratch = aligned(c.sizes.scratch_bytes);
  c.query = aligned(c.sizes.query_bytes);
  c.codes = malloc((size_t)ROWS * c.sizes.code_bytes);
  c.rests = malloc((size_t)ROWS * c.sizes.rest_bytes + 1);
  c.vectors = malloc(sizeof(float) * ROWS * d);
  c.residuals = malloc(sizeof *c.residuals * ROWS);
  return c;
}

/* Planes that are packed in the code; the others are in the rest. */
static inline uint32_t packed_planes(uint32_t b, uint32_t d) {
  return b < 4 || d >= 384 ? 1 : d >= 192 ? 2 : 4;
}

static inline void coder_free(coder *c) {
  free(c->codec.model);
  free(c->vector);
  free(c->scratch);
  free(c->query);
  free(c->codes);
  free(c->rests);
  free(c->vectors);
  free(c->residuals);
}

static inline uint8_t *code_at(const coder *c, uint32_t i) {
  return c->codes + (size_t)i * c->sizes.code_bytes;
}

static inline uint8_t *rest_at(const coder *c, uint32_t i) {
  return c->rests + (size_t)i * c->sizes.rest_bytes;
}

static inline void take(const coder *c, const float *vector) {
  memcpy(c->vector, vector, sizeof(float) * c->d);
}

static inline mn_status encode(const coder *c, const float *vector,
                               uint32_t i) {
  uint32_t clipped = 0;
  take(c, vector);
  const mn_status status = mn_codec_bits.encode(
      &c->codec, c->vector, code_at(c, i), rest_at(c, i), &clipped, c->scratch);
  CHECK_EQUAL(clipped, 0);
  return status;
}

/* Trained on its vectors, of which residual and code are kept. */
static inline coder coder_filled(uint32_t b, uint32_t d, mn_metric metric) {
  coder c = coder_of(b, d, metric);
  gen_rows(c.vectors, "clustered", d, 0, ROWS, d);
  for (uint32_t i = 0; i < ROWS && metric == MN_COSINE; i++)
    normalise(c.vectors + (size_t)i * d, d);
  float *sample = malloc(sizeof(float) * ROWS * d);
  memcpy(sample, c.vectors, sizeof(float) * ROWS * d);
  CHECK_OK(mn_codec_bits.train(&c.codec, sample, ROWS, &c.none));
  free(sample);
  CHECK(mn_codec_bits.model_is_sound(&c.codec));
  const float *mean = (const float *)(void *)c.codec.model;
  for (uint32_t i = 0; i < ROWS; i++) {
    const float *x = c.vectors + (size_t)i * d;
    for (uint32_t j = 0; j < d; j++)
      c.vector[j] = x[j] - mean[j];
    mn_rotate(c.codec.seed, c.vector, d);
    for (uint32_t j = 0; j < d; j++)
      c.residuals[i][j] = c.vector[j];
    CHECK_OK(encode(&c, x, i));
    CHECK(mn_codec_bits.is_sound(&c.codec, code_at(&c, i), rest_at(&c, i)));
  }
  return c;
}

static inline double dot(const double *a, const double *b, uint32_t d) {
  double sum = 0;
  for (uint32_t j = 0; j < d; j++)
    sum += a[j] * b[j];
  return sum;
}

/* Runs `body` with p at 1, 2, 4 where they are below b, then b. */
#define FOR_PREFIXES(p, b)                                                     \
  for (uint32_t p = 1; p <= (b); p = p == (b)               ? (b) + 1          \
                                     : p < 4 && 2 * p < (b) ? 2 * p            \
                                                            : (b))

/* --- A second reading ----------------------------------------------------- */

typedef struct reading {
  double norm, lift, factor;
  double y[DIMENSIONS_MAX];
} reading;

static inline uint32_t word_at(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
         (uint32_t)p[3] << 24;
}

/* Bits that lie packed, the lowest of each byte first. */
static inline int bits_at(const uint8_t *p, uint32_t i, uint32_t bits) {
  return p[i * bits / 8] >> i * bits % 8 & ((1 << bits) - 1);
}

static inline reading read_code(const coder *c, uint32_t i, uint32_t p) {
  const uint32_t packed = packed_planes(c->b, c->d);
  const uint8_t *code = code_at(c, i), *rest = rest_at(c, i);
  const uint32_t bytes = (c->d + 7) / 8, head = word_at(code);
  reading r = {0};
  r.norm = ldexp(1 + (head >> 12 & 0xfff) * 0x1p-12, (int)(head >> 24) - 127);
  if (head >> 12 == 0)
    r.norm = 0;
  if (c->codec.metric == MN_IP)
    r.lift = gen_from_bits(word_at(code + 4));
  const uint8_t *behind = code + (c->codec.metric == MN_IP ? 8 : 4);
  const uint8_t *first = packed > 1 ? behind + 4 : behind;
  const uint8_t *planes = packed > 1 ? rest : rest + 4;
  double share = ((head & 0xfff) + .5) * 0x1p-12;
  if (p > 1) {
    const uint32_t tail = word_at(packed > 1 ? behind : rest);
    if (p == c->b)
      share = ((tail & 0x3fff) + .5) * 0x1p-14;
    else if (p == 4)
      share = ((tail >> 14 & 0x3ff) + .5) * 0x1p-10;
    else
      share = ((tail >> 24) + .5) * 0x1p-8;
  }
  r.factor = r.norm / (share * ((1 << p) - 1) * sqrt(c->d));
  for (uint32_t j = 0; j < c->d; j++) {
    int level = bits_at(first, j, packed);
    level >>= p < packed ? packed - p : 0;
    for (uint32_t plane = packed; plane < p; plane++)
      level =
          2 * level + bits_at(planes + (size_t)(plane - packed) * bytes, j, 1);
    r.y[j] = 2 * level + 1 - (1 << p);
  }
  return r;
}

static inline double distance_of(const coder *c, const reading *r, double own,
                                 double product) {
  switch (c->codec.metric) {
  case MN_L2:
    return own + r->norm * r->norm - 2 * product;
  case MN_COSINE:
    return (own + r->norm * r->norm) / 2 - product;
  default:
    return -(own + r->lift + product);
  }
}

#endif
