/* SPDX-License-Identifier: Apache-2.0 */
#include "pq.h"
#include "../kernels/kernels.h"
#include "../root.h"

#include <float.h>

/* k-means' iterations. */
#define ITERATIONS 25u

/* With a correction, the largest squared norm of the mean. With N for
 * MN_NORM2_MAX, |r|^2 and |p|^2 are then up to 1.25^2 N, and no distance
 * exceeds 4 times that, 6.25 N < 2^128. */
#define MEAN_NORM2_MAX (MN_NORM2_MAX / 16.0f)

static void sizes(const mn_codec *codec, mn_codec_sizes *s) {
  const uint32_t k = mn_pq_centroids(codec);
  s->code_bytes = mn_pq_packed_bytes(codec) + (mn_pq_has_tail(codec) ? 4u : 0u);
  s->rest_bytes = 0;
  const uint64_t values = (uint64_t)codec->dimensions * codec->pq_nrq * k;
  s->model_bytes =
      4 * (values + (codec->pq_correction ? codec->dimensions : 0));
  s->query_bytes = mn_pq_query_bytes(codec);
  s->scratch_bytes = mn_pq_beam_bytes(codec);
  s->least = k;
  /* pq25x8 on 100,000 word vectors, recall@10: .607 trained on 25,600, .613 on
   * 65,536, .616 on all. pq50x4 gains nothing from 20,000 on. */
  s->enough = 256 * k > 20000 ? 256 * k : 20000;
}

/* --- Parts ---------------------------------------------------------------- */

void mn_pq_part(const mn_codec *codec, const uint8_t *code, uint32_t first,
                uint32_t n, float *part) {
  const uint32_t width = mn_pq_width(codec), nrq = codec->pq_nrq;
  uint32_t subspace = first / width, j = first % width;
  while (n > 0) {
    const uint32_t run = n < width - j ? n : width - j;
    for (uint32_t t = 0; t < nrq; t++) {
      const uint32_t book = subspace * nrq + t;
      const float *centroid = mn_pq_book(codec, book) +
                              ((size_t)j << codec->pq_bits) +
                              mn_pq_number(codec, code, book);
      for (uint32_t i = 0; i < run; i++) {
        const float value = centroid[(size_t)i << codec->pq_bits];
        part[i] = t == 0 ? value : part[i] + value;
      }
    }
    part += run;
    n -= run;
    subspace++;
    j = 0;
  }
}

float mn_pq_sum(const mn_codec *codec,
                float (*sum)(const float *, const float *, uint32_t),
                const float *vector, const uint8_t *code) {
  float part[64], total = 0.0f;
  for (uint32_t i = 0; i < codec->dimensions; i += 64) {
    const uint32_t left = codec->dimensions - i, n = left < 64 ? left : 64;
    mn_pq_part(codec, code, i, n, part);
    total += sum(vector != NULL ? vector + i : part, part, n);
  }
  return total;
}

/* --- Soundness ------------------------------------------------------------ */

/* The norm of the longest centroid, or infinity where one is not finite. */
static float longest(const mn_codec *codec, uint32_t book) {
  const float *centroid = mn_pq_book(codec, book);
  float most = 0.0f;
  for (uint32_t k = 0; k < mn_pq_centroids(codec); k++) {
    float norm2 = 0.0f;
    for (uint32_t j = 0; j < mn_pq_width(codec); j++) {
      const float value = centroid[((size_t)j << codec->pq_bits) + k];
      norm2 += value * value;
    }
    if (!(norm2 <= FLT_MAX))
      return __builtin_inff();
    most = norm2 > most ? norm2 : most;
  }
  return mn_root(most); /* under -fno-math-errno */
}

int mn_pq_model_fits(const mn_codec *codec, float slack) {
  const float *mean = mn_pq_mean(codec);
  float norm2 = 0.0f;
  for (uint32_t s = 0; s < codec->pq_m; s++) {
    float norm = 0.0f;
    for (uint32_t t = 0; t < codec->pq_nrq; t++)
      norm += longest(codec, s * codec->pq_nrq + t);
    norm2 += norm * norm;
  }
  return norm2 <= slack * MN_NORM2_MAX &&
         (mean == NULL ||
          codec->kernels->dot_f32(mean, mean, codec->dimensions) <=
              slack * MEAN_NORM2_MAX);
}

static int model_is_sound(const mn_codec *codec) {
  return mn_pq_model_fits(codec, 2.0f);
}

/* Every number in a code has its centroid; only f and n can be wrong. */
static int is_sound(const mn_codec *codec, const uint8_t *code,
                    const uint8_t *rest) {
  (void)rest;
  if (!mn_pq_has_tail(codec))
    return 1;
  float n;
  const float f = mn_pq_factor(codec, code, &n);
  const float y2 = mn_pq_sum(codec, codec->kernels->dot_f32, NULL, code);
  const float least = codec->metric == MN_IP ? -2.0f * MN_NORM2_MAX : 0.0f;
  return n >= least && mn_norm2_is_sound(n) && mn_norm2_is_sound(f * f * y2);
}

/* --- Codes ---------------------------------------------------------------- */

static void set_number(const mn_codec *codec, uint8_t *code, uint32_t book,
                       uint32_t number) {
  const uint32_t bit = book * codec->pq_bits;
  uint32_t value = number << bit % 8;
  for (uint8_t *p = code + bit / 8; value > 0; value >>= 8)
    *p++ |= (uint8_t)value;
}

/* f and n of a code of r. Where r or y is 0, any f will do. */
static uint32_t correction(const mn_codec *codec, const float *r,
                           const uint8_t *code) {
  const mn_kernels *kernels = codec->kernels;
  const float r2 = kernels->dot_f32(r, r, codec->dimensions);
  const float y2 = mn_pq_sum(codec, kernels->dot_f32, NULL, code);
  const float n =
      codec->metric == MN_IP
          ? kernels->dot_f32(r, mn_pq_mean(codec), codec->dimensions)
          : r2;
  const float f = r2 > 0.0f && y2 > 0.0f ? mn_root(r2) / mn_root(y2) : 1.0f;
  const uint32_t rounded =
      ((uint32_t)mn_bits_of(n) + (MN_PQ_FACTOR_BITS + 1) / 2) &
      ~MN_PQ_FACTOR_BITS;
  return rounded | (uint32_t)mn_to_integer(f * MN_PQ_FACTOR_ONE,
                                           (float)MN_PQ_FACTOR_BITS);
}

static mn_status encode(const mn_codec *codec, float *vector, uint8_t *code,
                        uint8_t *rest, uint32_t *clipped, void *scratch) {
  (void)rest;
  (void)clipped;
  const float *mean = mn_pq_mean(codec);
  for (uint32_t j = 0; mean != NULL && j < codec->dimensions; j++)
    vector[j] -= mean[j];

  const uint32_t packed = mn_pq_packed_bytes(codec), width = mn_pq_width(codec);
  mn_zero(code, packed);
  for (uint32_t s = 0; s < codec->pq_m; s++) {
    const uint16_t *numbers =
        mn_pq_beam(codec, s, codec->pq_nrq, vector + s * width, scratch, NULL);
    for (uint32_t t = 0; t < codec->pq_nrq; t++)
      set_number(codec, code, s * codec->pq_nrq + t, numbers[t]);
  }

  if (codec->pq_correction) {
    const uint32_t tail = correction(codec, vector, code);
    mn_move(code + packed, &tail, sizeof tail);
  } else if (mn_pq_has_tail(codec)) {
    mn_store_f32(code + packed,
                 mn_pq_sum(codec, codec->kernels->dot_f32, NULL, code));
  }
  return MN_OK;
}

static void decode(const mn_codec *codec, const uint8_t *code,
                   const uint8_t *rest, float *vector, void *scratch) {
  (void)rest;
  (void)scratch;
  const float *mean = mn_pq_mean(codec);
  mn_pq_part(codec, code, 0, codec->dimensions, vector);
  if (mean == NULL)
    return;
  float n;
  const float f = mn_pq_factor(codec, code, &n);
  for (uint32_t j = 0; j < codec->dimensions; j++)
    vector[j] = f * vector[j] + mean[j];
}

static mn_status train(mn_codec *codec, float *rows, uint32_t count,
                       mn_arena *scratch) {
  return mn_pq_train(codec, rows, count, ITERATIONS, 0, scratch);
}

/* --- Table ---------------------------------------------------------------- */

#define PQ_OPS(word)                                                           \
  {                                                                            \
    .name = word, .sizes = sizes, .train = MN_IF_TRAIN(train),                 \
    .encode = MN_IF_CHANGE(encode), .decode = MN_IF_DECODE(decode),            \
    .is_sound = MN_IF_CHANGE(is_sound),                                        \
    .model_is_sound = MN_IF_CHANGE(model_is_sound), .prepare = mn_pq_prepare,  \
    .prepare_code = MN_IF_CHANGE(mn_pq_prepare_code),                          \
    .prepare_pair = MN_IF_CHANGE(mn_pq_prepare_pair),                          \
    .distances = mn_pq_distances,                                              \
  }

const mn_codec_ops mn_codec_pq = PQ_OPS("pq");
const mn_codec_ops mn_codec_prq = PQ_OPS("prq");
