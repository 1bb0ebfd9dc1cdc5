/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pq and prq: product quantization (Jegou, Douze and Schmid, TPAMI 2011,
 * section III) and its residual form, which are one encoding: a vector is cut
 * into pq_m subvectors, and each is replaced by the sum of pq_nrq centroids,
 * one from each of pq_nrq codebooks (pq: one).
 *
 * Code: pq_m * pq_nrq numbers of pq_bits bits, that of stage t of subspace s at
 * place s * pq_nrq + t, packed from the lowest bit of byte 0 on. Then floats:
 * the factor f where there is a correction; the squared norm n where l2 needs
 * one.
 *
 * Model: the mean of the sample, if there is a correction; then the codebooks
 * in the order of the code's numbers, each by columns: component j of centroid
 * k at j * 2^pq_bits + k.
 *
 * Let y be the sum of a code's centroids. Without a correction y stands for x;
 * prq under l2 keeps n = |y|^2, since |q - y|^2 is no sum over codebooks:
 *   pq       |q - x|^2 ~ the sum of |q_s - y_s|^2,   q.x ~ the sum of q_s.y_s
 *   prq, l2  |q - x|^2 ~ |q|^2 + n - 2 q.y
 * With a correction y stands for r = x - mean. Seen along r, y falls short of
 * it, since a centroid lies amid what it stands for; f = |r|^2 / y.r makes up
 * for that (as the estimate of RaBitQ does, arXiv 2405.12497, section 3.2), and
 * n = |r|^2. With p = q - mean:
 *   l2       |q - x|^2 ~ |p|^2 + n - 2 f p.y
 *   else     q.x ~ q.mean + f q.y
 */
#ifndef MN_PQ_H
#define MN_PQ_H

#include "../bytes.h"
#include "codec.h"

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

/* Whether a code keeps a squared norm. */
static inline int mn_pq_has_norm(const mn_codec *codec) {
  return codec->metric == MN_L2 &&
         (codec->pq_correction || codec->encoding == MN_PRQ);
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
void mn_pq_prepare_pair(const mn_codec *codec, const uint8_t *code,
                        const uint8_t *rest, uint32_t planes, float *vector,
                        void *scratch, void *query);
void mn_pq_distances(const mn_codec *codec, const void *query,
                     const uint8_t *codes, const uint8_t *rests,
                     uint32_t planes, const uint32_t *slots, uint32_t count,
                     float *distances);

#endif
