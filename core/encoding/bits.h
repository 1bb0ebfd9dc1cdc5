/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits1 to bits8: how a code of b bits per component lies in memory, and how
 * its numbers are read. What they mean stands in bits.c.
 *
 *   code  u32 head; under ip f32 lift; plane 1
 *   rest  (b >= 2) u32 tail; planes 2 to b
 *
 * A plane is a bit per component, component j in bit j % 8 (the lowest first)
 * of byte j / 8; bits beyond the last component are 0. Plane 1 has the highest
 * bit of the levels.
 *
 *   head  bits 31 to 12: |r| as a float of 8 bits of exponent and 12 of
 *         fraction, rounded; 11 to 0: the share of 1 plane
 *   tail  bits 31 to 24: the share of 2 planes, where b > 2; 23 to 14: of 4,
 *         where b > 4; 13 to 0: of all
 */
#ifndef MN_ENCODING_BITS_H
#define MN_ENCODING_BITS_H

#include "../bytes.h"
#include "codec.h"
#include "round.h"

static inline uint32_t mn_bits_plane_bytes(const mn_codec *codec) {
  return (codec->dimensions + 7) / 8;
}

static inline uint32_t mn_bits_code_head(const mn_codec *codec) {
  return codec->metric == MN_IP ? 8 : 4;
}

#define MN_BITS_TAIL 4u

/* Plane i of a code, counted from 0. */
static inline const uint8_t *mn_bits_plane(const mn_codec *codec,
                                           const uint8_t *code,
                                           const uint8_t *rest, uint32_t i) {
  return i == 0 ? code + mn_bits_code_head(codec)
                : rest + MN_BITS_TAIL +
                      (size_t)(i - 1) * mn_bits_plane_bytes(codec);
}

/* Prefixes of planes that can be read are 1, 2, 4 and all: the one after p. */
static inline uint32_t mn_bits_next_prefix(uint32_t all, uint32_t p) {
  return p < 4 && 2 * p < all ? 2 * p : all;
}

/* Where the share of the first p planes lies, and what it means: the factor f_p
 * is |r| / sqrt(d) * scale / (share + 1/2). */
typedef struct mn_bits_field {
  uint32_t in_rest;
  uint32_t shift;
  uint32_t mask;
  float scale;
} mn_bits_field;

static inline mn_bits_field mn_bits_field_of(const mn_codec *codec,
                                             uint32_t planes) {
  const uint32_t all = mn_codec_planes(codec->encoding);
  mn_bits_field field = {1, 0, (1u << 14) - 1, 0.0f};
  if (planes == 1)
    field.in_rest = 0, field.mask = (1u << 12) - 1;
  else if (planes == 2 && all > 2)
    field.shift = 24, field.mask = (1u << 8) - 1;
  else if (planes == 4 && all > 4)
    field.shift = 14, field.mask = (1u << 10) - 1;
  field.scale = (float)(field.mask + 1) / (float)((1u << planes) - 1);
  return field;
}

/* |r|: the sign, which it does not have, makes room for a bit of fraction. */
static inline float mn_bits_norm(uint32_t head) {
  return mn_float_of((int32_t)(head >> 1 & 0x7ffff800u));
}

/* The middle of what was rounded to this share. */
static inline float mn_bits_share(mn_bits_field field, uint32_t word) {
  return (float)(int32_t)(word >> field.shift & field.mask) + 0.5f;
}

/* f_p. `unit`: 1 / sqrt(d); `word`: the head or the tail, as the field says. */
static inline float mn_bits_factor(mn_bits_field field, float unit,
                                   uint32_t head, uint32_t word) {
  return mn_bits_norm(head) * (field.scale * unit) / mn_bits_share(field, word);
}

static inline float mn_bits_unit(const mn_codec *codec) {
  return 1.0f / __builtin_sqrtf((float)codec->dimensions);
}

/* The term of a distance that is the code's own (see bits.c): its squared norm,
 * or under ip what is stored. */
static inline float mn_bits_norm2(uint32_t head) {
  return mn_bits_norm(head) * mn_bits_norm(head);
}

static inline float mn_bits_lift(const uint8_t *code) {
  return mn_load_f32(code + 4);
}

static inline float mn_bits_own(const mn_codec *codec, const uint8_t *code) {
  return codec->metric == MN_IP ? mn_bits_lift(code)
                                : mn_bits_norm2(mn_load_u32(code));
}

/* Subtracts the mean, rotates, and gives the vector's own term. */
float mn_bits_center(const mn_codec *codec, float *vector);

/* The levels of the first planes, a byte each, and zeros up to a multiple of 8.
 */
void mn_bits_levels(const mn_codec *codec, const uint8_t *code,
                    const uint8_t *rest, uint32_t planes, uint8_t *levels);

/* 8 rows of 8 bits, transposed: bit i of byte j becomes bit j of byte i
 * (Warren, Hacker's Delight, 2nd edition, section 7-3). */
static inline uint64_t mn_bits_transpose(uint64_t x) {
  uint64_t t = (x ^ x >> 7) & UINT64_C(0x00aa00aa00aa00aa);
  x ^= t ^ t << 7;
  t = (x ^ x >> 14) & UINT64_C(0x0000cccc0000cccc);
  x ^= t ^ t << 14;
  t = (x ^ x >> 28) & UINT64_C(0x00000000f0f0f0f0);
  return x ^ t ^ t << 28;
}

/* bits_query.c */
uint64_t mn_bits_query_bytes(const mn_codec *codec);
void mn_bits_prepare(const mn_codec *codec, float *vector, void *query);
void mn_bits_prepare_code(const mn_codec *codec, const uint8_t *code,
                          const uint8_t *rest, uint32_t planes, float *vector,
                          void *scratch, void *query);
void mn_bits_sift(const mn_codec *codec, const void *query,
                  const uint8_t *codes, uint32_t count, float *distances);
void mn_bits_distances(const mn_codec *codec, const void *query,
                       const uint8_t *codes, const uint8_t *rests,
                       uint32_t planes, const uint32_t *slots, uint32_t count,
                       float *distances);

#endif
