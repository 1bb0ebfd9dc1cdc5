/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits1 to bits8: what a query is. bits.c says what the numbers mean.
 *
 * A query becomes signed integers too, q_j ~ factor w_j, of 8 bits. They meet
 * the planes exactly: with s_i the sum of the w_j whose bit is set in plane i,
 *   <y_p, w> = 2 (s_1 2^(p-1) + ... + s_p) - (2^p - 1) sum_j w_j.
 * Since |<y_p, w>| <= 255 * 128 * 65535 < 2^31, it fits whatever its terms do
 * modulo 2^32.
 *
 * 8 bits are as good as floats for up to 6 planes; for all 8 they cost .004 of
 * recall@10 on word vectors. From 7 planes on, what rounding to 8 bits left
 * over is therefore met too, in 128ths: q_j ~ factor (w_j + v_j / 128). For
 * that 4 planes will do, y ~ 2^(p-4) y_4.
 *
 * Three ways give these sums, and the same integers:
 *   weights  row by row: the packed planes at once, each plane of the rest
 *   tables   where one plane is packed, for many rows: the sums of w over every
 *            subset of four components, looked up by half bytes of a plane (as
 *            André, Kermarrec and Le Scouarnec do for PQ, VLDB 2015, section 4)
 *   planes   a query of one plane made from a code: <y, y'> is d less twice
 *            the bits that differ
 */
#ifndef MN_ENCODING_BITS_QUERY_H
#define MN_ENCODING_BITS_QUERY_H

#include "../kernels/kernels.h"
#include "bits.h"

enum { MN_BITS_BY_WEIGHTS, MN_BITS_BY_TABLES, MN_BITS_BY_PLANES };

typedef struct mn_bits_query {
  float own;             /* as of a code */
  float factor;          /* q ~ factor * weights */
  float unit;            /* 1 / sqrt(d) */
  int32_t sum;           /* of the weights */
  int32_t small_sum;     /* of what they left over */
  uint32_t small_planes; /* that meet those; 0: there are none */
  uint32_t lowest;       /* what tables add to every sum, to keep above 0 */
  uint32_t how;
  float sign_factor; /* q ~ sign_factor * signs */
} mn_bits_query;

#define MN_BITS_WEIGHTS_AT MN_ALIGNMENT /* behind a mn_bits_query */
_Static_assert(sizeof(mn_bits_query) <= MN_BITS_WEIGHTS_AT,
               "the head has grown");

/* With zeros behind them, as kernels want it. */
static inline uint64_t mn_bits_weight_bytes(const mn_codec *codec) {
  return mn_round_up(codec->dimensions);
}

static inline int mn_bits_has_small(const mn_codec *codec) {
  return mn_codec_planes(codec->encoding) >= 7;
}

static inline uint64_t mn_bits_tables_at(const mn_codec *codec) {
  return MN_BITS_WEIGHTS_AT +
         (mn_bits_has_small(codec) ? 2 : 1) * mn_bits_weight_bytes(codec);
}

static inline uint64_t mn_bits_signs_at(const mn_codec *codec) {
  return mn_bits_tables_at(codec) + 64 * (uint64_t)mn_bits_plane_bytes(codec);
}

/* Also the plane of MN_BITS_BY_PLANES. */
static inline int8_t *mn_bits_weights(const void *query) {
  return (int8_t *)(uintptr_t)query + MN_BITS_WEIGHTS_AT;
}

static inline int8_t *mn_bits_small(const mn_codec *codec, const void *query) {
  return mn_bits_weights(query) + mn_bits_weight_bytes(codec);
}

static inline uint8_t *mn_bits_signs(const mn_codec *codec, const void *query) {
  return (uint8_t *)(uintptr_t)query + mn_bits_signs_at(codec);
}

#endif
