/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits1 to bits8: preparing queries. bits_query.h says what they are.
 */
#include "bits_query.h"

uint64_t mn_bits_query_bytes(const mn_codec *codec) {
  return mn_codec_code_planes(codec) > 1
             ? mn_bits_tables_at(codec)
             : mn_bits_signs_at(codec) + mn_bits_plane_bytes(codec);
}

static int32_t sum_of(const int8_t *weights, uint32_t d) {
  int32_t sum = 0;
  for (uint32_t j = 0; j < d; j++)
    sum += weights[j];
  return sum;
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
  mn_bits_query *query = prepared;
  int8_t *weights = mn_bits_weights(query);
  const float own = mn_bits_center(codec, vector);
  const float largest = mn_largest(vector, d);
  /* Weights too small for an inverse count as 0. */
  const float inverse = largest > 0x1p-100f ? 127.0f / largest : 0.0f;
  *query = (mn_bits_query){.own = own,
                           .factor = largest / 127.0f,
                           .unit = mn_bits_unit(codec),
                           .how = MN_BITS_BY_WEIGHTS};

  mn_zero(weights, (size_t)(mn_bits_tables_at(codec) - MN_BITS_WEIGHTS_AT));
  for (uint32_t j = 0; j < d; j++) {
    vector[j] *= inverse;
    weights[j] = (int8_t)mn_to_integer(vector[j], 127.0f);
  }
  query->sum = sum_of(weights, d);
  if (mn_bits_has_small(codec)) {
    int8_t *small = mn_bits_small(codec, query);
    for (uint32_t j = 0; j < d; j++)
      small[j] = (int8_t)mn_to_integer((vector[j] - (float)weights[j]) * 128.0f,
                                       64.0f);
    query->small_sum = sum_of(small, d);
    query->small_planes = 4;
  }
  if (mn_codec_code_planes(codec) > 1)
    return;
  if (MN_IS_FAST) {
    query->how = MN_BITS_BY_TABLES;
    query->lowest = make_tables(weights, 2 * mn_bits_plane_bytes(codec),
                                (uint8_t *)query + mn_bits_tables_at(codec));
  }
  query->sign_factor =
      query->factor * take_signs(weights, d, mn_bits_signs(codec, query));
}

/* --- Preparing a code ----------------------------------------------------- */

/* The integers y of a code are weights as they are, its f their factor; so two
 * codes are as far apart from either side. Those of 8 planes are
 * 2 (c - 128 + 64 / 128). */
void mn_bits_prepare_code(const mn_codec *codec, const uint8_t *code,
                          const uint8_t *rest, uint32_t planes, float *vector,
                          void *scratch, void *prepared) {
  (void)vector;
  const uint32_t d = codec->dimensions, head = mn_load_u32(code);
  const mn_bits_field *field = mn_bits_field_of(codec, planes);
  const float unit = mn_bits_unit(codec);
  mn_bits_query *query = prepared;
  int8_t *weights = mn_bits_weights(query);
  const int is_plane = planes == 1 && mn_codec_code_planes(codec) == 1;
  *query = (mn_bits_query){
      .own = mn_bits_own(codec, code),
      .factor = mn_bits_factor(field, unit, head,
                               field->in_tail ? mn_bits_tail(codec, code, rest)
                                              : head),
      .unit = unit,
      .how = is_plane ? MN_BITS_BY_PLANES : MN_BITS_BY_WEIGHTS};
  if (is_plane) {
    mn_move(weights, code + mn_bits_packed_at(codec),
            mn_bits_plane_bytes(codec));
    return;
  }
  uint8_t *levels = scratch;
  mn_bits_levels(codec, code, rest, planes, levels);
  const int32_t twice = planes < 8 ? 2 : 1;
  const int32_t middle = planes < 8 ? (1 << planes) - 1 : 128;
  mn_zero(weights, (size_t)(mn_bits_tables_at(codec) - MN_BITS_WEIGHTS_AT));
  for (uint32_t j = 0; j < d; j++)
    weights[j] = (int8_t)(twice * levels[j] - middle);
  query->sum = sum_of(weights, d);
  if (planes == 8) {
    int8_t *small = mn_bits_small(codec, query);
    for (uint32_t j = 0; j < d; j++)
      small[j] = 64;
    query->small_sum = 64 * (int32_t)d;
    query->small_planes = 8;
    query->factor *= 2.0f;
  }
}
