/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits1 to bits8: distances. bits_query.h says how sums are made of codes,
 * bits.c how distances are made of those.
 */
#include "bits_query.h"

/* --- Distances from products ---------------------------------------------- */

/* What distances by so many planes have in common. */
typedef struct bits_terms {
  mn_metric metric;
  uint32_t shift; /* of the share in its word */
  uint32_t mask;
  float scale;
  float own; /* the query's; the factor of it and a code's */
  float own_factor;
  float factor; /* the query's; the one of the estimate */
  float dot_factor;
} bits_terms;

static inline bits_terms terms_of(const mn_codec *codec,
                                  const mn_bits_query *query, uint32_t planes) {
  const mn_bits_field *field = mn_bits_field_of(codec, planes);
  const mn_metric metric = codec->metric;
  return (bits_terms){.metric = metric,
                      .shift = field->shift,
                      .mask = field->mask,
                      .scale = field->scale * query->unit,
                      .own = query->own,
                      .own_factor = metric == MN_L2   ? 1.0f
                                    : metric == MN_IP ? -1.0f
                                                      : 0.5f,
                      .factor = query->factor,
                      .dot_factor = metric == MN_L2 ? -2.0f : -1.0f};
}

/* `word`: the head or the tail, where the share lies; `own`: the code's. Signs
 * and powers of two as factors round nothing. */
static inline float distance_of(bits_terms terms, uint32_t head, uint32_t word,
                                float own, float product) {
  const float share = mn_bits_share(terms.shift, terms.mask, word);
  const float factor = mn_bits_norm(head) * terms.scale / share;
  return terms.own_factor * (terms.own + own) +
         terms.dot_factor * (terms.factor * factor * product);
}

/* --- Codes alone ---------------------------------------------------------- */

typedef int32_t dot_packed(const int8_t *a, const uint8_t *b, uint32_t n);

static inline dot_packed *dot_of(const mn_kernels *kernels, uint32_t packed) {
  return packed == 4   ? kernels->dot_i8_u4
         : packed == 2 ? kernels->dot_i8_u2
                       : kernels->dot_i8_u1;
}

/* <y_p, w> from 2^(p-1) s_1 + ... + s_p. */
static inline int32_t product_of(uint32_t planes, uint32_t weighted,
                                 int32_t sum) {
  return (int32_t)(2 * weighted - ((1u << planes) - 1) * (uint32_t)sum);
}

/* By what is packed: what walks and linking do, few rows at a time. */
static void measure_codes(const mn_codec *codec, const mn_bits_query *query,
                          const uint8_t *codes, const uint32_t *slots,
                          uint32_t count, float *distances) {
  const mn_kernels *kernels = codec->kernels;
  const uint32_t planes = mn_codec_code_planes(codec);
  const uint32_t d = codec->dimensions, code_bytes = codec->code_bytes;
  const uint32_t word_at = planes > 1 ? mn_bits_tail_at(codec) : 0;
  const uint8_t *packed = codes + mn_bits_packed_at(codec);
  const void *weights = mn_bits_weights(query);
  const int32_t sum = query->sum;
  dot_packed *dot = dot_of(kernels, planes);
  if (query->how == MN_BITS_BY_PLANES)
    for (uint32_t i = 0; i < count; i++) {
      const uint32_t differ = kernels->count_xor(
          weights, packed + (size_t)slots[i] * code_bytes, (d + 7) / 8);
      distances[i] = (float)(int32_t)(d - 2 * differ);
    }
  else
    for (uint32_t i = 0; i < count; i++) {
      const int32_t weighted =
          dot(weights, packed + (size_t)slots[i] * code_bytes, d);
      distances[i] = (float)product_of(planes, (uint32_t)weighted, sum);
    }
  const bits_terms terms = terms_of(codec, query, planes);
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t *code = codes + (size_t)slots[i] * code_bytes;
    distances[i] =
        distance_of(terms, mn_load_u32(code), mn_load_u32(code + word_at),
                    mn_bits_own(codec, code), distances[i]);
  }
}

/* --- Codes and rests ------------------------------------------------------ */

/* Up to MN_LOOKUP_ROWS rows. */
typedef struct bits_rows {
  const mn_codec *codec;
  const mn_bits_query *query;
  const uint8_t *codes;
  const uint8_t *rests; /* read where planes > packed */
  const uint32_t *slots;
  uint32_t count;
  uint32_t planes;
  uint32_t packed; /* planes that a code has */
} bits_rows;

static const uint8_t *code_of(const bits_rows *rows, uint32_t i) {
  return rows->codes + (size_t)rows->slots[i] * rows->codec->code_bytes;
}

/* Where a plane, or what is packed, lies: of slot s at `at + s * stride`. */
typedef struct bits_column {
  const uint8_t *at;
  size_t stride;
} bits_column;

static bits_column column_of(const bits_rows *rows, uint32_t plane) {
  const mn_codec *codec = rows->codec;
  if (plane < rows->packed)
    return (bits_column){rows->codes + mn_bits_packed_at(codec),
                         codec->code_bytes};
  const size_t before =
      (size_t)(plane - rows->packed) * mn_bits_plane_bytes(codec);
  return (bits_column){rows->rests + mn_bits_planes_at(codec) + before,
                       codec->rest_bytes};
}

/* Not inlined into one function, whose frame would hold the arrays of all. */
#define APART __attribute__((noinline))

/* The packed levels, less their last bits, which are not asked for. */
APART static uint32_t dot_fewer(const bits_rows *rows, const int8_t *weights,
                                const uint8_t *packed) {
  uint8_t fewer[96];
  _Static_assert(383 * 2 <= 96 * 8 && 191 * 4 <= 96 * 8, "they fit");
  const uint32_t dropped = rows->packed - rows->planes;
  const uint32_t mask =
      (rows->packed == 4 ? 0x11u : 0x55u) * ((1u << rows->planes) - 1);
  const uint32_t bytes = mn_bits_packed_bytes(rows->codec);
  for (uint32_t i = 0; i < bytes; i++)
    fewer[i] = (uint8_t)((uint32_t)packed[i] >> dropped & mask);
  return (uint32_t)dot_of(rows->codec->kernels, rows->packed)(
      weights, fewer, rows->codec->dimensions);
}

/* 2^(p-1) s_1 + ... + s_p of the first `planes` planes, row by row. */
static void meet(const bits_rows *rows, const int8_t *weights, uint32_t planes,
                 uint32_t *weighted) {
  const mn_kernels *kernels = rows->codec->kernels;
  const uint32_t d = rows->codec->dimensions, packed = rows->packed;
  dot_packed *dot = dot_of(kernels, packed);
  bits_column column = column_of(rows, 0);
  for (uint32_t i = 0; i < rows->count; i++) {
    const uint8_t *row = column.at + rows->slots[i] * column.stride;
    weighted[i] = planes < packed ? dot_fewer(rows, weights, row)
                                  : (uint32_t)dot(weights, row, d);
  }
  for (uint32_t plane = packed; plane < planes; plane++) {
    column = column_of(rows, plane);
    for (uint32_t i = 0; i < rows->count; i++) {
      const uint8_t *row = column.at + rows->slots[i] * column.stride;
      weighted[i] =
          2 * weighted[i] + (uint32_t)kernels->dot_i8_u1(weights, row, d);
    }
  }
}

/* The same by tables, where one plane is packed. */
APART static void look_up(const bits_rows *rows, uint32_t *weighted) {
  const mn_codec *codec = rows->codec;
  const uint8_t *tables =
      (const uint8_t *)rows->query + mn_bits_tables_at(codec);
  const uint8_t *places[MN_LOOKUP_ROWS];
  uint32_t sums[MN_LOOKUP_ROWS];
  mn_zero(weighted, sizeof *weighted * rows->count);
  for (uint32_t plane = 0; plane < rows->planes; plane++) {
    const bits_column column = column_of(rows, plane);
    for (uint32_t i = 0; i < MN_LOOKUP_ROWS; i++) {
      const uint32_t slot = rows->slots[i < rows->count ? i : 0];
      places[i] = column.at + slot * column.stride;
    }
    codec->kernels->lookup_u4(tables, places, mn_bits_plane_bytes(codec), sums);
    for (uint32_t i = 0; i < rows->count; i++)
      weighted[i] = 2 * weighted[i] + (sums[i] - rows->query->lowest);
  }
}

/* Tables cost as much for one row as for MN_LOOKUP_ROWS, which is as much as 8
 * (portable C), 10 (WebAssembly), 14 (AVX2) or 19 rows (AVX-512) by weights. */
#define TABLES_FROM 12u

static int has_tables(const mn_bits_query *query, uint32_t count) {
  return query->how == MN_BITS_BY_TABLES && count >= TABLES_FROM;
}

APART static void multiply(const bits_rows *rows, float *products) {
  const mn_bits_query *query = rows->query;
  const uint32_t planes = rows->planes, few = query->small_planes;
  uint32_t weighted[MN_LOOKUP_ROWS];
  if (has_tables(query, rows->count))
    look_up(rows, weighted);
  else
    meet(rows, mn_bits_weights(query), planes, weighted);
  for (uint32_t i = 0; i < rows->count; i++)
    products[i] = (float)product_of(planes, weighted[i], query->sum);
  if (planes < 7 || few == 0)
    return;
  const float unit = (float)(1u << (planes - few)) * 0x1p-7f;
  meet(rows, mn_bits_small(rows->codec, query), few, weighted);
  for (uint32_t i = 0; i < rows->count; i++)
    products[i] += unit * (float)product_of(few, weighted[i], query->small_sum);
}

/* From products, in place, in a loop that compilers can vectorise. */
APART static void finish(const bits_rows *rows, float *distances) {
  const mn_codec *codec = rows->codec;
  const bits_terms terms = terms_of(codec, rows->query, rows->planes);
  const int in_tail = mn_bits_field_of(codec, rows->planes)->in_tail != 0;
  const int in_rest = in_tail && rows->packed == 1;
  const uint32_t word_at = in_tail && !in_rest ? mn_bits_tail_at(codec) : 0;
  uint32_t heads[MN_LOOKUP_ROWS], words[MN_LOOKUP_ROWS];
  float own[MN_LOOKUP_ROWS];
  for (uint32_t i = 0; i < rows->count; i++) {
    const uint8_t *code = code_of(rows, i);
    heads[i] = mn_load_u32(code);
    words[i] = mn_load_u32(in_rest ? rows->rests + (size_t)rows->slots[i] *
                                                       codec->rest_bytes
                                   : code + word_at);
    own[i] = mn_bits_own(codec, code);
  }
  for (uint32_t i = 0; i < rows->count; i++)
    distances[i] = distance_of(terms, heads[i], words[i], own[i], distances[i]);
}

APART static void measure(bits_rows rows, uint32_t count, float *distances) {
  while (count > 0) {
    rows.count = count < MN_LOOKUP_ROWS ? count : MN_LOOKUP_ROWS;
    multiply(&rows, distances);
    finish(&rows, distances);
    rows.slots += rows.count;
    distances += rows.count;
    count -= rows.count;
  }
}

void mn_bits_distances(const mn_codec *codec, const void *query,
                       const uint8_t *codes, const uint8_t *rests,
                       uint32_t planes, const uint32_t *slots, uint32_t count,
                       float *distances) {
  const uint32_t packed = mn_codec_code_planes(codec);
  if (planes == packed && !has_tables(query, count))
    measure_codes(codec, query, codes, slots, count, distances);
  else
    measure((bits_rows){.codec = codec,
                        .query = query,
                        .codes = codes,
                        .rests = rests,
                        .slots = slots,
                        .planes = planes,
                        .packed = packed},
            count, distances);
}

/* Half of l2's distance without the query's own term, or ip's. */
void mn_bits_sift(const mn_codec *codec, const void *prepared,
                  const uint8_t *codes, uint32_t count, float *distances) {
  const mn_bits_query *query = prepared;
  const mn_bits_field *field = mn_bits_field_of(codec, 1);
  const float d = (float)codec->dimensions, unit = query->unit;
  uint32_t differ[MN_SIFT_BATCH], heads[MN_SIFT_BATCH];
  float own[MN_SIFT_BATCH];
  codec->kernels->count_xor_rows(
      mn_bits_signs(codec, query), codes + mn_bits_packed_at(codec),
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
