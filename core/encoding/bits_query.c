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
 * over is therefore met too, in 128ths: q_j ~ factor (w_j + v_j / 128). For
 * that 4 planes will do, y ~ 2^(p-4) y_4.
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

enum { BY_TABLES, BY_WEIGHTS, BY_PLANES };

typedef struct bits_query {
  float own;             /* as of a code */
  float factor;          /* q ~ factor * weights */
  float unit;            /* 1 / sqrt(d) */
  int32_t sum;           /* of the weights */
  int32_t small_sum;     /* of what they left over */
  uint32_t small_planes; /* that meet those; 0: there are none */
  uint32_t lowest;       /* what tables add to every sum, to keep above 0 */
  uint32_t how;
  float sign_factor; /* q ~ sign_factor * signs */
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

static uint64_t signs_at(const mn_codec *codec) {
  return tables_at(codec) + 64 * (uint64_t)mn_bits_plane_bytes(codec);
}

uint64_t mn_bits_query_bytes(const mn_codec *codec) {
  return signs_at(codec) + mn_bits_plane_bytes(codec);
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

static uint8_t *signs_of(const mn_codec *codec, const void *query) {
  return (uint8_t *)(uintptr_t)query + signs_at(codec);
}

/* --- Preparing a vector --------------------------------------------------- */

/* The weights' signs, as a plane, and the factor by which they stand for the
 * weights as y_1 stands for r in bits.c. */
static float take_signs(const int8_t *weights, uint32_t d, uint8_t *signs) {
  int32_t squares = 0, magnitudes = 0;
  mn_zero(signs, (d + 7) / 8);
  for (uint32_t j = 0; j < d; j++) {
    signs[j / 8] = (uint8_t)(signs[j / 8] | (weights[j] > 0) << j % 8);
    squares += weights[j] * weights[j];
    magnitudes += weights[j] < 0 ? -weights[j] : weights[j];
  }
  return magnitudes > 0 ? (float)squares / (float)magnitudes : 0.0f;
}

/* For every four weights a table as lookup_u4 wants it. Gives what they add in
 * total. */
static uint32_t make_tables(const int8_t *weights, uint32_t count,
                            uint8_t *tables) {
  uint32_t added = 0;
  for (uint32_t g = 0; g < count; g++, weights += 4, tables += 32) {
    int32_t sums[16];
    sums[0] = 0;
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
  *query = (bits_query){.own = own,
                        .factor = largest / 127.0f,
                        .unit = mn_bits_unit(codec),
                        .how = BY_TABLES};

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
    query->small_planes = 4;
  }
  query->lowest = make_tables(weights, 2 * mn_bits_plane_bytes(codec),
                              (uint8_t *)query + tables_at(codec));
  query->sign_factor =
      query->factor * take_signs(weights, d, signs_of(codec, query));
}

/* --- Preparing a code ----------------------------------------------------- */

/* The integers y of a code are weights as they are, its f their factor; so two
 * codes are as far apart from either side. Those of 8 planes are
 * 2 (c - 128 + 64 / 128). */
void mn_bits_prepare_code(const mn_codec *codec, const uint8_t *code,
                          const uint8_t *rest, uint32_t planes, float *vector,
                          void *scratch, void *prepared) {
  (void)vector;
  const uint32_t d = codec->dimensions;
  const mn_bits_field field = mn_bits_field_of(codec, planes);
  const float unit = mn_bits_unit(codec);
  bits_query *query = prepared;
  int8_t *weights = weights_of(query);
  *query = (bits_query){
      .own = mn_bits_own(codec, code),
      .factor = mn_bits_factor(field, unit, mn_load_u32(code),
                               mn_load_u32(field.in_rest ? rest : code)),
      .unit = unit,
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
    query->small_planes = 8;
    query->factor *= 2.0f;
  }
}

/* --- Inner products ------------------------------------------------------- */

/* Rows, up to MN_LOOKUP_ROWS. */
typedef struct bits_rows {
  const uint8_t *codes;
  const uint8_t *rests; /* read where planes > 1 */
  const uint32_t *slots;
  uint32_t count;
  uint32_t planes;
} bits_rows;

static const uint8_t *code_of(const mn_codec *codec, const bits_rows *rows,
                              uint32_t i) {
  return rows->codes + (size_t)rows->slots[i] * codec->code_bytes;
}

static const uint8_t *rest_of(const mn_codec *codec, const bits_rows *rows,
                              uint32_t i) {
  return rows->rests + (size_t)rows->slots[i] * codec->rest_bytes;
}

static const uint8_t *plane_of(const mn_codec *codec, const bits_rows *rows,
                               uint32_t i, uint32_t plane) {
  if (plane == 0)
    return code_of(codec, rows, i) + mn_bits_code_head(codec);
  return rest_of(codec, rows, i) + MN_BITS_TAIL +
         (size_t)(plane - 1) * mn_bits_plane_bytes(codec);
}

/* <y_p, w> from 2^(p-1) s_1 + ... + s_p. */
static int32_t product_of(uint32_t planes, uint32_t weighted, int32_t sum) {
  return (int32_t)(2 * weighted - ((1u << planes) - 1) * (uint32_t)sum);
}

/* With the first `planes` planes of row i. */
static float meet(const mn_codec *codec, const int8_t *weights, int32_t sum,
                  const bits_rows *rows, uint32_t i, uint32_t planes) {
  uint32_t weighted = 0;
  for (uint32_t plane = 0; plane < planes; plane++)
    weighted = 2 * weighted +
               (uint32_t)codec->kernels->dot_i8_u1(
                   weights, plane_of(codec, rows, i, plane), codec->dimensions);
  return (float)product_of(planes, weighted, sum);
}

static float differ(const mn_codec *codec, const bits_query *query,
                    const bits_rows *rows, uint32_t i) {
  const uint32_t bits = codec->kernels->count_xor(
      (const uint8_t *)weights_of(query), plane_of(codec, rows, i, 0),
      mn_bits_plane_bytes(codec));
  return (float)((int32_t)codec->dimensions - 2 * (int32_t)bits);
}

/* Not inlined into one function, whose frame would hold the arrays of all. */
#define APART __attribute__((noinline))

/* Weighted sums stand in the products' place until they are complete. */
typedef uint32_t __attribute__((may_alias)) bits_sum;

APART static void look_up(const mn_codec *codec, const bits_query *query,
                          const bits_rows *rows, float *products) {
  const uint8_t *planes[MN_LOOKUP_ROWS];
  uint32_t sums[MN_LOOKUP_ROWS];
  bits_sum *weighted = (bits_sum *)products;
  mn_zero(weighted, sizeof *weighted * rows->count);
  for (uint32_t plane = 0; plane < rows->planes; plane++) {
    for (uint32_t i = 0; i < MN_LOOKUP_ROWS; i++)
      planes[i] = plane_of(codec, rows, i < rows->count ? i : 0, plane);
    codec->kernels->lookup_u4((const uint8_t *)query + tables_at(codec), planes,
                              mn_bits_plane_bytes(codec), sums);
    for (uint32_t i = 0; i < rows->count; i++)
      weighted[i] = 2 * weighted[i] + (sums[i] - query->lowest);
  }
  for (uint32_t i = 0; i < rows->count; i++)
    products[i] = (float)product_of(rows->planes, weighted[i], query->sum);
}

/* Tables cost as much for one row as for MN_LOOKUP_ROWS, which is as much as 8
 * (portable C), 10 (WebAssembly), 14 (AVX2) or 19 rows (AVX-512) by weights. */
#define TABLES_FROM 12u

static void multiply(const mn_codec *codec, const bits_query *query,
                     const bits_rows *rows, float *products) {
  const uint32_t planes = rows->planes, few = query->small_planes;
  if (query->how == BY_TABLES && rows->count >= TABLES_FROM)
    look_up(codec, query, rows, products);
  else if (query->how == BY_PLANES)
    for (uint32_t i = 0; i < rows->count; i++)
      products[i] = differ(codec, query, rows, i);
  else
    for (uint32_t i = 0; i < rows->count; i++)
      products[i] = meet(codec, weights_of(query), query->sum, rows, i, planes);
  if (planes < 7 || few == 0)
    return;
  const float unit = (float)(1u << (planes - few)) * 0x1p-7f;
  for (uint32_t i = 0; i < rows->count; i++)
    products[i] += unit * meet(codec, small_of(codec, query), query->small_sum,
                               rows, i, few);
}

/* --- Distances ------------------------------------------------------------ */

/* From inner products, in place. In loops that compilers can vectorise; signs
 * and powers of two as factors round nothing. */
APART static void finish(const mn_codec *codec, const bits_query *query,
                         const bits_rows *rows, float *distances) {
  static const float own_factors[] = {
      [MN_L2] = 1.0f, [MN_IP] = -1.0f, [MN_COSINE] = 0.5f};
  static const float estimate_factors[] = {
      [MN_L2] = -2.0f, [MN_IP] = -1.0f, [MN_COSINE] = -1.0f};
  const float own_factor = own_factors[codec->metric];
  const float estimate_factor = estimate_factors[codec->metric];
  const mn_bits_field field = mn_bits_field_of(codec, rows->planes);
  uint32_t heads[MN_LOOKUP_ROWS], words[MN_LOOKUP_ROWS];
  float own[MN_LOOKUP_ROWS];
  for (uint32_t i = 0; i < rows->count; i++) {
    heads[i] = mn_load_u32(code_of(codec, rows, i));
    words[i] = field.in_rest ? mn_load_u32(rest_of(codec, rows, i)) : heads[i];
  }
  if (codec->metric == MN_IP)
    for (uint32_t i = 0; i < rows->count; i++)
      own[i] = mn_bits_lift(code_of(codec, rows, i));
  else
    for (uint32_t i = 0; i < rows->count; i++)
      own[i] = mn_bits_norm2(heads[i]);
  for (uint32_t i = 0; i < rows->count; i++) {
    const float factor = mn_bits_factor(field, query->unit, heads[i], words[i]);
    const float estimate = query->factor * factor * distances[i];
    distances[i] =
        own_factor * (query->own + own[i]) + estimate_factor * estimate;
  }
}

void mn_bits_distances(const mn_codec *codec, const void *query,
                       const uint8_t *codes, const uint8_t *rests,
                       uint32_t planes, const uint32_t *slots, uint32_t count,
                       float *distances) {
  while (count > 0) {
    const uint32_t some = count < MN_LOOKUP_ROWS ? count : MN_LOOKUP_ROWS;
    const bits_rows rows = {codes, rests, slots, some, planes};
    multiply(codec, query, &rows, distances);
    finish(codec, query, &rows, distances);
    slots += some;
    distances += some;
    count -= some;
  }
}

/* Half of l2's distance without the query's own term, or ip's. */
void mn_bits_sift(const mn_codec *codec, const void *prepared,
                  const uint8_t *codes, uint32_t count, float *distances) {
  const bits_query *query = prepared;
  const mn_bits_field field = mn_bits_field_of(codec, 1);
  const float d = (float)codec->dimensions, unit = query->unit;
  uint32_t differ[MN_SIFT_BATCH], heads[MN_SIFT_BATCH];
  float own[MN_SIFT_BATCH];
  codec->kernels->count_xor_rows(
      signs_of(codec, query), codes + mn_bits_code_head(codec),
      codec->code_bytes, mn_bits_plane_bytes(codec), count, differ);
  for (uint32_t i = 0; i < count; i++)
    heads[i] = mn_load_u32(codes + (size_t)i * codec->code_bytes);
  if (codec->metric == MN_IP)
    for (uint32_t i = 0; i < count; i++)
      own[i] = -mn_bits_lift(codes + (size_t)i * codec->code_bytes);
  else
    for (uint32_t i = 0; i < count; i++)
      own[i] = 0.5f * mn_bits_norm2(heads[i]);
  for (uint32_t i = 0; i < count; i++) {
    const float product = d - 2.0f * (float)(int32_t)differ[i];
    const float factor = mn_bits_factor(field, unit, heads[i], heads[i]);
    distances[i] = own[i] - query->sign_factor * factor * product;
  }
}
