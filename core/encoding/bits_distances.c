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

/* --- Products ------------------------------------------------------------- */

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

/* The rows of a plane, or of what is packed. */
static mn_rows column_of(const bits_rows *rows, uint32_t plane) {
  const mn_codec *codec = rows->codec;
  mn_rows column = {rows->codes + mn_bits_packed_at(codec), codec->code_bytes,
                    rows->slots, rows->count};
  if (plane < rows->packed)
    return column;
  const size_t before =
      (size_t)(plane - rows->packed) * mn_bits_plane_bytes(codec);
  column.at = rows->rests + mn_bits_planes_at(codec) + before;
  column.stride = codec->rest_bytes;
  return column;
}

typedef void dot_packed(const int8_t *a, const mn_rows *b, uint32_t n,
                        int32_t *sums);

static dot_packed *dot_of(const mn_kernels *kernels, uint32_t packed) {
  return packed == 4   ? kernels->dot_i8_u4
         : packed == 2 ? kernels->dot_i8_u2
                       : kernels->dot_i8_u1;
}

/* Not inlined into one function, whose frame would hold the arrays of all. */
#define APART __attribute__((noinline))

/* The packed levels, less their last bits, which are not asked for. */
APART static int32_t dot_fewer(const bits_rows *rows, const int8_t *weights,
                               const uint8_t *packed) {
  uint8_t fewer[96];
  _Static_assert(383 * 2 <= 96 * 8 && 191 * 4 <= 96 * 8, "they fit");
  const uint32_t dropped = rows->packed - rows->planes, slot = 0;
  const uint32_t mask =
      (rows->packed == 4 ? 0x11u : 0x55u) * ((1u << rows->planes) - 1);
  const uint32_t bytes = mn_bits_packed_bytes(rows->codec);
  for (uint32_t i = 0; i < bytes; i++)
    fewer[i] = (uint8_t)((uint32_t)packed[i] >> dropped & mask);
  const mn_rows row = {fewer, 0, &slot, 1};
  int32_t sum;
  dot_of(rows->codec->kernels, rows->packed)(weights, &row,
                                             rows->codec->dimensions, &sum);
  return sum;
}

/* 2^(p-1) s_1 + ... + s_p of the first `planes` planes, row by row. */
static void meet(const bits_rows *rows, const int8_t *weights, uint32_t planes,
                 int32_t *weighted) {
  const mn_kernels *kernels = rows->codec->kernels;
  const uint32_t d = rows->codec->dimensions, packed = rows->packed;
  mn_rows column = column_of(rows, 0);
  if (planes < packed)
    for (uint32_t i = 0; i < rows->count; i++)
      weighted[i] = dot_fewer(rows, weights, mn_row(&column, i));
  else
    dot_of(kernels, packed)(weights, &column, d, weighted);
  for (uint32_t plane = packed; plane < planes; plane++) {
    int32_t sums[MN_LOOKUP_ROWS];
    column = column_of(rows, plane);
    kernels->dot_i8_u1(weights, &column, d, sums);
    for (uint32_t i = 0; i < rows->count; i++)
      weighted[i] = (int32_t)(2 * (uint32_t)weighted[i] + (uint32_t)sums[i]);
  }
}

/* The same by tables, where one plane is packed. */
APART static void look_up(const bits_rows *rows, int32_t *weighted) {
  const mn_codec *codec = rows->codec;
  const uint8_t *tables =
      (const uint8_t *)rows->query + mn_bits_tables_at(codec);
  const uint8_t *places[MN_LOOKUP_ROWS];
  uint32_t sums[MN_LOOKUP_ROWS];
  mn_zero(weighted, sizeof *weighted * rows->count);
  for (uint32_t plane = 0; plane < rows->planes; plane++) {
    const mn_rows column = column_of(rows, plane);
    for (uint32_t i = 0; i < MN_LOOKUP_ROWS; i++)
      places[i] = mn_row(&column, i < rows->count ? i : 0);
    codec->kernels->lookup_u4(tables, places, mn_bits_plane_bytes(codec), sums);
    for (uint32_t i = 0; i < rows->count; i++)
      weighted[i] =
          (int32_t)(2 * (uint32_t)weighted[i] + sums[i] - rows->query->lowest);
  }
}

/* Tables cost as much for one row as for MN_LOOKUP_ROWS, which is as much as 8
 * (portable C), 10 (WebAssembly), 14 (AVX2) or 19 rows (AVX-512) by weights. */
#define TABLES_FROM 12u

static int has_tables(const mn_bits_query *query, uint32_t count) {
  return MN_IS_FAST && query->how == MN_BITS_BY_TABLES && count >= TABLES_FROM;
}

/* <y_p, w> from 2^(p-1) s_1 + ... + s_p. */
static inline float product_of(uint32_t planes, int32_t weighted, int32_t sum) {
  return (float)(int32_t)(2 * (uint32_t)weighted -
                          ((1u << planes) - 1) * (uint32_t)sum);
}

APART static void multiply(const bits_rows *rows, float *products) {
  const mn_bits_query *query = rows->query;
  const uint32_t planes = rows->planes, few = query->small_planes;
  const int32_t sum = query->sum;
  int32_t weighted[MN_LOOKUP_ROWS];
  if (has_tables(query, rows->count))
    look_up(rows, weighted);
  else
    meet(rows, mn_bits_weights(query), planes, weighted);
  for (uint32_t i = 0; i < rows->count; i++)
    products[i] = product_of(planes, weighted[i], sum);
  if (planes < 7 || few == 0)
    return;
  const float unit = (float)(1u << (planes - few)) * 0x1p-7f;
  const int32_t small_sum = query->small_sum;
  meet(rows, mn_bits_small(rows->codec, query), few, weighted);
  for (uint32_t i = 0; i < rows->count; i++)
    products[i] += unit * product_of(few, weighted[i], small_sum);
}

/* Plane against plane. */
APART static void compare(const bits_rows *rows, float *products) {
  const mn_kernels *kernels = rows->codec->kernels;
  const mn_rows column = column_of(rows, 0);
  const void *plane = mn_bits_weights(rows->query);
  const uint32_t d = rows->codec->dimensions, bytes = (d + 7) / 8;
  for (uint32_t i = 0; i < rows->count; i++) {
    const uint32_t differ =
        kernels->count_xor(plane, mn_row(&column, i), bytes);
    products[i] = (float)(int32_t)(d - 2 * differ);
  }
}

/* From products, in place, in a loop that compilers can vectorise. */
APART static void finish(const bits_rows *rows, float *distances) {
  const mn_codec *codec = rows->codec;
  const bits_terms terms = terms_of(codec, rows->query, rows->planes);
  const int in_tail = mn_bits_field_of(codec, rows->planes)->in_tail != 0;
  const int in_rest = in_tail && rows->packed == 1;
  const uint32_t count = rows->count;
  const mn_rows heads_at = {rows->codes, codec->code_bytes, rows->slots, count};
  mn_rows words_at = heads_at;
  if (in_rest)
    words_at.at = rows->rests, words_at.stride = codec->rest_bytes;
  else if (in_tail)
    words_at.at += mn_bits_tail_at(codec);
  uint32_t heads[MN_LOOKUP_ROWS], words[MN_LOOKUP_ROWS];
  float own[MN_LOOKUP_ROWS];
  for (uint32_t i = 0; i < count; i++) {
    heads[i] = mn_load_u32(mn_row(&heads_at, i));
    words[i] = mn_load_u32(mn_row(&words_at, i));
  }
  if (codec->metric == MN_IP)
    for (uint32_t i = 0; i < count; i++)
      own[i] = mn_bits_lift(mn_row(&heads_at, i));
  else
    for (uint32_t i = 0; i < count; i++)
      own[i] = mn_bits_norm2(heads[i]);
  for (uint32_t i = 0; i < count; i++)
    distances[i] = distance_of(terms, heads[i], words[i], own[i], distances[i]);
}

void mn_bits_distances(const mn_codec *codec, const void *query,
                       const uint8_t *codes, const uint8_t *rests,
                       uint32_t planes, const uint32_t *slots, uint32_t count,
                       float *distances) {
  bits_rows rows = {.codec = codec,
                    .query = query,
                    .codes = codes,
                    .rests = rests,
                    .planes = planes,
                    .packed = mn_codec_code_planes(codec)};
  while (count > 0) {
    rows.slots = slots;
    rows.count = count < MN_LOOKUP_ROWS ? count : MN_LOOKUP_ROWS;
    if (rows.query->how == MN_BITS_BY_PLANES)
      compare(&rows, distances);
    else
      multiply(&rows, distances);
    finish(&rows, distances);
    slots += rows.count;
    distances += rows.count;
    count -= rows.count;
  }
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
