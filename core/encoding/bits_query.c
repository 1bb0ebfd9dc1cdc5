/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits1 to bits8: queries. bits.c says what the numbers mean.
 *
 * A query becomes signed integers too, q_j ~ factor w_j, of 8 bits. They meet
 * the planes exactly: with s_i the sum of the w_j whose bit is set in plane i,
 *   <y_p, w> = 2 (s_1 2^(p-1) + ... + s_p) - (2^p - 1) sum_j w_j.
 * Since |<y_p, w>| <= 255 * 128 * 65535 < 2^31, it fits whatever its terms do
 * modulo 2^32.
 *
 * 8 bits are as good as floats for up to 6 planes; for all 8 they cost .004 of
 * recall@10 on word vectors. From 7 planes on, what rounding to 8 bits left
 * over is therefore met as well, in 128ths: q_j ~ factor (w_j + v_j / 128).
 *
 * Three ways give these sums, and the same integers:
 *   tables   for one plane and many rows: the sums of w over every subset of
 *            four components, looked up by half bytes of the plane (as André,
 *            Kermarrec and Le Scouarnec do for PQ, VLDB 2015, section 4)
 *   weights  row by row
 *   planes   a query of one plane made from a code: <y, y'> is d less twice
 *            the bits that differ
 */
#include "../kernels/kernels.h"
#include "bits.h"
#include "round.h"

enum { BY_TABLES, BY_WEIGHTS, BY_PLANES };

typedef struct bits_query {
  float own;         /* as of a code */
  float factor;      /* q ~ factor * weights */
  int32_t sum;       /* of the weights */
  int32_t small_sum; /* of what they left over */
  uint32_t is_small; /* whether they left over anything */
  uint32_t lowest;   /* what tables add to every sum, to keep above 0 */
  uint32_t how;
} bits_query;

#define WEIGHTS_AT MN_ALIGNMENT /* behind a bits_query */
_Static_assert(sizeof(bits_query) <= WEIGHTS_AT, "the head has grown");

static uint64_t weight_bytes(const mn_codec *codec) {
  return mn_round_up(codec->dimensions);
}

static int has_small(const mn_codec *codec) {
  return mn_codec_planes(codec->encoding) >= 7;
}

static uint64_t tables_at(const mn_codec *codec) {
  return WEIGHTS_AT + (has_small(codec) ? 2 : 1) * weight_bytes(codec);
}

uint64_t mn_bits_query_bytes(const mn_codec *codec) {
  return tables_at(codec) + 64 * (uint64_t)mn_bits_plane_bytes(codec);
}

/* Also the plane of BY_PLANES. */
static int8_t *weights_of(const void *query) {
  return (int8_t *)(uintptr_t)query + WEIGHTS_AT;
}

static int8_t *small_of(const mn_codec *codec, const void *query) {
  return weights_of(query) + weight_bytes(codec);
}

static int32_t sum_of(const int8_t *weights, uint32_t d) {
  int32_t sum = 0;
  for (uint32_t j = 0; j < d; j++)
    sum += weights[j];
  return sum;
}

/* --- Preparing a vector --------------------------------------------------- */

/* For every four weights a table as lookup_u4 wants it. Gives what they add in
 * total. */
static uint32_t make_tables(const int8_t *weights, uint32_t count,
                            uint8_t *tables) {
  uint32_t added = 0;
  for (uint32_t g = 0; g < count; g++, weights += 4, tables += 32) {
    int32_t sums[16] = {0};
    for (uint32_t k = 0; k < 4; k++)
      sums[0] -= weights[k] < 0 ? weights[k] : 0;
    added += (uint32_t)sums[0];
    for (uint32_t k = 0; k < 4; k++)
      for (uint32_t c = 0; c < 1u << k; c++)
        sums[c + (1u << k)] = sums[c] + weights[k];
    for (uint32_t c = 0; c < 16; c++) {
      tables[c] = (uint8_t)sums[c];
      tables[16 + c] = (uint8_t)(sums[c] >> 8);
    }
  }
  return added;
}

void mn_bits_prepare(const mn_codec *codec, float *vector, void *prepared) {
  const uint32_t d = codec->dimensions;
  bits_query *query = prepared;
  int8_t *weights = weights_of(query);
  const float own = mn_bits_center(codec, vector);
  const float largest = mn_largest(vector, d);
  /* Weights too small for an inverse count as 0. */
  const float inverse = largest > 0x1p-100f ? 127.0f / largest : 0.0f;
  *query = (bits_query){.own = own, .factor = largest / 127.0f};

  mn_zero(weights, (size_t)weight_bytes(codec));
  for (uint32_t j = 0; j < d; j++) {
    vector[j] *= inverse;
    weights[j] = (int8_t)mn_to_integer(vector[j], 127.0f);
  }
  query->sum = sum_of(weights, d);
  if (has_small(codec)) {
    int8_t *small = small_of(codec, query);
    for (uint32_t j = 0; j < d; j++)
      small[j] = (int8_t)mn_to_integer((vector[j] - (float)weights[j]) * 128.0f,
                                       64.0f);
    query->small_sum = sum_of(small, d);
    query->is_small = 1;
  }
  query->lowest = make_tables(weights, 2 * mn_bits_plane_bytes(codec),
                              (uint8_t *)query + tables_at(codec));
  query->how = BY_TABLES;
}

/* --- Preparing a code ----------------------------------------------------- */

/* The integers y of a code are weights as they are, its f their factor; so two
 * codes are as far from one another as from the other to the one. Those of 8
 * planes are 2 (c - 128 + 64 / 128). */
void mn_bits_prepare_code(const mn_codec *codec, const uint8_t *code,
                          const uint8_t *rest, uint32_t planes, float *vector,
                          void *scratch, void *prepared) {
  (void)vector;
  const uint32_t d = codec->dimensions;
  const mn_bits_field field = mn_bits_field_of(codec, planes);
  bits_query *query = prepared;
  int8_t *weights = weights_of(query);
  *query = (bits_query){.own = mn_bits_own(codec, code),
                        .factor = mn_bits_factor(&field, code, rest),
                        .how = planes == 1 ? BY_PLANES : BY_WEIGHTS};
  if (planes == 1) {
    mn_move(weights, mn_bits_plane(codec, code, rest, 0),
            mn_bits_plane_bytes(codec));
    return;
  }
  uint8_t *levels = scratch;
  mn_bits_levels(codec, code, rest, planes, levels);
  const int32_t twice = planes < 8 ? 2 : 1;
  const int32_t middle = planes < 8 ? (1 << planes) - 1 : 128;
  for (uint32_t j = 0; j < d; j++)
    weights[j] = (int8_t)(twice * levels[j] - middle);
  query->sum = sum_of(weights, d);
  if (planes == 8) {
    int8_t *small = small_of(codec, query);
    for (uint32_t j = 0; j < d; j++)
      small[j] = 64;
    query->small_sum = 64 * (int32_t)d;
    query->is_small = 1;
    query->factor *= 2.0f;
  }
}

/* --- Distances ------------------------------------------------------------ */

/* <y_p, w> from the weighted planes, 2^(p-1) s_1 + ... + s_p. */
static int32_t product_of(uint32_t planes, uint32_t weighted, int32_t sum) {
  return (int32_t)(2 * weighted - ((1u << planes) - 1) * (uint32_t)sum);
}

static int32_t meet(const mn_codec *codec, const int8_t *weights, int32_t sum,
                    const uint8_t *code, const uint8_t *rest, uint32_t planes) {
  uint32_t weighted = 0;
  for (uint32_t i = 0; i < planes; i++)
    weighted = 2 * weighted + (uint32_t)codec->kernels->dot_i8_u1(
                                  weights, mn_bits_plane(codec, code, rest, i),
                                  codec->dimensions);
  return product_of(planes, weighted, sum);
}

/* The inner product of a code's integers and a query's. */
static float product_with(const mn_codec *codec, const bits_query *query,
                          const uint8_t *code, const uint8_t *rest,
                          uint32_t planes) {
  const int8_t *weights = weights_of(query);
  if (query->how == BY_PLANES) {
    const uint32_t differ = codec->kernels->count_xor(
        (const uint8_t *)weights, mn_bits_plane(codec, code, rest, 0),
        mn_bits_plane_bytes(codec));
    return (float)((int32_t)codec->dimensions - 2 * (int32_t)differ);
  }
  float product = (float)meet(codec, weights, query->sum, code, rest, planes);
  if (planes >= 7 && query->is_small)
    product += (float)meet(codec, small_of(codec, query), query->small_sum,
                           code, rest, planes) *
               0x1p-7f;
  return product;
}

static float distance_of(const mn_codec *codec, const bits_query *query,
                         const mn_bits_field *field, const uint8_t *code,
                         const uint8_t *rest, float product) {
  const float own = query->own + mn_bits_own(codec, code);
  const float estimate =
      query->factor * mn_bits_factor(field, code, rest) * product;
  switch (codec->metric) {
  case MN_L2:
    return own - 2.0f * estimate;
  case MN_COSINE:
    return 0.5f * own - estimate;
  default:
    return -(own + estimate);
  }
}

/* Below this many rows tables are not worth their fixed cost for 32. */
#define TABLES_FROM 8u

/* Up to MN_LOOKUP_ROWS rows by tables. */
static void look_up(const mn_codec *codec, const bits_query *query,
                    const mn_bits_field *field, const uint8_t *codes,
                    const uint32_t *slots, uint32_t count, float *distances) {
  const uint8_t *rows[MN_LOOKUP_ROWS];
  uint32_t sums[MN_LOOKUP_ROWS];
  const size_t head = mn_bits_code_head(codec);
  for (uint32_t i = 0; i < MN_LOOKUP_ROWS; i++)
    rows[i] =
        codes + (size_t)slots[i < count ? i : 0] * codec->code_bytes + head;
  codec->kernels->lookup_u4((const uint8_t *)query + tables_at(codec), rows,
                            mn_bits_plane_bytes(codec), sums);
  for (uint32_t i = 0; i < count; i++) {
    const int32_t product = product_of(1, sums[i] - query->lowest, query->sum);
    distances[i] =
        distance_of(codec, query, field, rows[i] - head, NULL, (float)product);
  }
}

void mn_bits_distances(const mn_codec *codec, const void *prepared,
                       const uint8_t *codes, const uint8_t *rests,
                       uint32_t planes, const uint32_t *slots, uint32_t count,
                       float *distances) {
  const bits_query *query = prepared;
  const mn_bits_field field = mn_bits_field_of(codec, planes);
  if (query->how == BY_TABLES && planes == 1)
    for (; count >= TABLES_FROM;) {
      const uint32_t some = count < MN_LOOKUP_ROWS ? count : MN_LOOKUP_ROWS;
      look_up(codec, query, &field, codes, slots, some, distances);
      slots += some, distances += some, count -= some;
    }
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t *code = codes + (size_t)slots[i] * codec->code_bytes;
    const uint8_t *rest =
        planes > 1 ? rests + (size_t)slots[i] * codec->rest_bytes : NULL;
    distances[i] = distance_of(codec, query, &field, code, rest,
                               product_with(codec, query, code, rest, planes));
  }
}
