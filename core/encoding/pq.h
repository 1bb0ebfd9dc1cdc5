/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pq and prq: product quantization (Jegou, Douze and Schmid, TPAMI 2011,
 * section III) and its residual form, which are one encoding: a vector is cut
 * into pq_m subvectors, and each is replaced by the sum of pq_nrq centroids,
 * one from each of pq_nrq codebooks (pq: one).
 *
 * Code: pq_m * pq_nrq numbers of pq_bits bits, that of stage t of subspace s at
 * place s * pq_nrq + t, packed from the lowest bit of byte 0 on. Then 4 bytes
 * where there is a correction, or where prq needs a squared norm (l2, cosine).
 *
 * Model: the mean of the sample, if there is a correction; then the codebooks
 * in the order of the code's numbers, each by columns: component j of centroid
 * k at j * 2^pq_bits + k.
 *
 * Let y be the sum of a code's centroids. Without a correction y stands for x:
 *   pq   |q - x|^2 ~ the sum of |q_s - y_s|^2, under cosine half of that;
 *        q.x ~ the sum of q_s.y_s
 *   prq  |q - x|^2 ~ |q|^2 + n - 2 q.y, since |q - y|^2 is no sum over
 *        codebooks: n = |y|^2 stands behind the numbers
 * Under cosine, 1 - q.x ~ half of |q - x|^2, with |x|^2 ~ .8 |y|^2 + .2. Of a
 * vector near q, y lies nearer to the origin, so that q.y is too small by
 * |x - y|^2; |y|^2, too small by as much, makes up for some of that, 1 for
 * none, and .8 was best (recall@10 of words by pq25x8 .646, with |y|^2 .618,
 * with 1 .571; of sentences by pq128x8 .893, .883, .736).
 *
 * With a correction f y stands for r = x - mean, with f = |r| / |y|: a centroid
 * lies amid what it stands for, so y falls short of r by as much as the code
 * loses, which differs from vector to vector. With p = q - mean:
 *   |q - x|^2 ~ |p|^2 + n - 2 f p.y     n = |r|^2
 *   q.x       ~ q.mean + n + f p.y      n = r.mean
 * f and n share the 4 bytes. This is a norm-preserving relative of the
 * correction of RaBitQ (arXiv 2405.12497, section 3.2), f = |r|^2 / y.r, which
 * found less (MNIST, pq16x8: recall@10 .605 against .660; neither: .649).
 */
#ifndef MN_PQ_H
#define MN_PQ_H

#include "../bytes.h"
#include "codec.h"
#include "round.h"

/* --- Layout --------------------------------------------------------------- */

/* Codebooks, and numbers in a code. */
static inline uint32_t mn_pq_books(const mn_codec *codec) {
  return codec->pq_m * codec->pq_nrq;
}

/* Centroids in a codebook. */
static inline uint32_t mn_pq_centroids(const mn_codec *codec) {
  return 1u << codec->pq_bits;
}

/* Dimensions of a subspace. */
static inline uint32_t mn_pq_width(const mn_codec *codec) {
  return codec->dimensions / codec->pq_m;
}

static inline uint32_t mn_pq_packed_bytes(const mn_codec *codec) {
  return (mn_pq_books(codec) * codec->pq_bits + 7) / 8;
}

/* Whether 4 bytes stand behind the numbers. */
static inline int mn_pq_has_tail(const mn_codec *codec) {
  return codec->pq_correction ||
         (codec->encoding == MN_PRQ && codec->metric != MN_IP);
}

/* Whether distances are sums of squared distances, not of inner products. */
static inline int mn_pq_is_squared(const mn_codec *codec) {
  return codec->metric != MN_IP && codec->encoding == MN_PQ &&
         !codec->pq_correction;
}

/* NULL without a correction. */
static inline float *mn_pq_mean(const mn_codec *codec) {
  return codec->pq_correction ? (void *)codec->model : NULL;
}

static inline float *mn_pq_book(const mn_codec *codec, uint32_t book) {
  float *first = (float *)(void *)codec->model +
                 (codec->pq_correction ? codec->dimensions : 0);
  return first + ((size_t)book * mn_pq_width(codec) << codec->pq_bits);
}

/* Number `book` of a code. */
static inline uint32_t mn_pq_number(const mn_codec *codec, const uint8_t *code,
                                    uint32_t book) {
  const uint32_t bit = book * codec->pq_bits, end = bit % 8 + codec->pq_bits;
  const uint8_t *p = code + bit / 8;
  uint32_t value = p[0];
  if (end > 8)
    value |= (uint32_t)p[1] << 8;
  if (end > 16)
    value |= (uint32_t)p[2] << 16;
  return value >> bit % 8 & (mn_pq_centroids(codec) - 1);
}

/* The 4 bytes of a correction: n without its last 12 bits, and f in 1024ths. */
#define MN_PQ_FACTOR_BITS 0xfffu
#define MN_PQ_FACTOR_ONE  1024.0f

/* f and n of a code; 1 and 0 where it has none. */
static inline float mn_pq_factor(const mn_codec *codec, const uint8_t *code,
                                 float *n) {
  const uint8_t *tail = code + mn_pq_packed_bytes(codec);
  *n = 0.0f;
  if (!mn_pq_has_tail(codec))
    return 1.0f;
  const uint32_t bits = mn_load_u32(tail);
  const uint32_t factor = codec->pq_correction ? bits & MN_PQ_FACTOR_BITS : 0;
  *n = mn_float_of((int32_t)(bits - factor));
  return codec->pq_correction ? (float)factor / MN_PQ_FACTOR_ONE : 1.0f;
}

/* --- Parts ---------------------------------------------------------------- */

/* Components `first` to first + n of y. */
void mn_pq_part(const mn_codec *codec, const uint8_t *code, uint32_t first,
                uint32_t n, float *part);

/* A kernel's sum over `vector` (NULL: y) and y, 64 components at a time. */
float mn_pq_sum(const mn_codec *codec,
                float (*sum)(const float *, const float *, uint32_t),
                const float *vector, const uint8_t *code);

/* Whether the model is finite and no distance by it overflows; with `slack` 2,
 * whether it is so up to rounding. */
int mn_pq_model_fits(const mn_codec *codec, float slack);

/* --- Beam search (pq_beam.c) ---------------------------------------------- */

uint64_t mn_pq_beam_bytes(const mn_codec *codec);

/* The numbers of the centroids from the first `stages` codebooks of a subspace
 * whose sum was found nearest to x. `rest`, if not NULL, gets what is left. */
const uint16_t *mn_pq_beam(const mn_codec *codec, uint32_t subspace,
                           uint32_t stages, const float *x, void *scratch,
                           float *rest);

/* --- Training (pq_train.c) ------------------------------------------------ */

/* As mn_codec_ops.train does, by so many iterations of k-means; on from the
 * model that is there, if `again`. */
mn_status mn_pq_train(mn_codec *codec, float *rows, uint32_t count,
                      uint32_t iterations, int again, mn_arena *scratch);

/* --- Queries (pq_query.c) ------------------------------------------------- */

uint64_t mn_pq_query_bytes(const mn_codec *codec);

/* What one codebook adds to the distance of a query: for each of its centroids
 * c, |q - c|^2 where distances are sums of that, else -q.c, with q the query's
 * part in this subspace. */
void mn_pq_table(const mn_codec *codec, const float *query, uint32_t book,
                 float *table);

void mn_pq_prepare(const mn_codec *codec, float *vector, void *query);
void mn_pq_prepare_code(const mn_codec *codec, const uint8_t *code,
                        const uint8_t *rest, uint32_t planes, float *vector,
                        void *scratch, void *query);
void mn_pq_prepare_pair(const mn_codec *codec, const uint8_t *code,
                        const uint8_t *rest, uint32_t planes, float *vector,
                        void *scratch, void *query);
void mn_pq_distances(const mn_codec *codec, const void *query,
                     const uint8_t *codes, const uint8_t *rests,
                     uint32_t planes, const uint32_t *slots, uint32_t count,
                     float *distances);

#endif
