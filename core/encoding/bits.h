/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits1 to bits8: how a code of b bits per component lies in memory, and how
 * its numbers are read. What they mean stands in bits.c.
 *
 *   code  u32 head; under ip f32 lift; where P > 1 u32 tail; the top P bits of
 *         every level, packed
 *   rest  where P = 1 < b u32 tail; planes P + 1 to b
 *
 * P is mn_codec_code_planes: what a search begins with lies together, in the
 * form that one kernel reads. Packed bits go upwards from the lowest of a byte,
 * component by component. A plane is a bit per component, component j in bit
 * j % 8 (the lowest first) of byte j / 8; plane 1 has the highest bits of the
 * levels, and is what packing makes of P = 1. Bits beyond the last component
 * are 0.
 *
 *   head  bits 31 to 12: |r| as a float of 8 bits of exponent and 12 of
 *         fraction, rounded; 11 to 0: the share of 1 plane
 *   tail  bits 31 to 24: the share of 2 planes, where b > 2; 23 to 14: of 4,
 *         where b > 4; 13 to 0: of all
 */
#ifndef MN_ENCODING_BITS_H
#define MN_ENCODING_BITS_H

#include "../bytes.h"
#include "../root.h"
#include "codec.h"
#include "round.h"

static inline uint32_t mn_bits_plane_bytes(const mn_codec *codec) {
  return (codec->dimensions + 7) / 8;
}

/* Of what lies packed in a code. */
static inline uint32_t mn_bits_packed_bytes(const mn_codec *codec) {
  return (codec->dimensions * mn_codec_code_planes(codec) + 7) / 8;
}

/* Where that lies. */
static inline uint32_t mn_bits_packed_at(const mn_codec *codec) {
  return codec->code_bytes - mn_bits_packed_bytes(codec);
}

#define MN_BITS_TAIL 4u

static inline uint32_t mn_bits_tail_at(const mn_codec *codec) {
  return codec->metric == MN_IP ? 8 : 4;
}

/* 0 for bits1, which has none. */
static inline uint32_t mn_bits_tail(const mn_codec *codec, const uint8_t *code,
                                    const uint8_t *rest) {
  if (mn_codec_code_planes(codec) > 1)
    return mn_load_u32(code + mn_bits_tail_at(codec));
  return codec->encoding > MN_BITS1 ? mn_load_u32(rest) : 0;
}

/* The planes in a rest. */
static inline uint32_t mn_bits_planes_at(const mn_codec *codec) {
  return mn_codec_code_planes(codec) > 1 ? 0 : MN_BITS_TAIL;
}

/* Prefixes of planes that can be read are 1, 2, 4 and all: the one after p. */
static inline uint32_t mn_bits_next_prefix(uint32_t all, uint32_t p) {
  return p < 4 && 2 * p < all ? 2 * p : all;
}

/* Where the share of the first p planes lies, and what it means: the factor f_p
 * is |r| / sqrt(d) * scale / (share + 1/2). */
typedef struct mn_bits_field {
  uint32_t in_tail;
  uint32_t shift;
  uint32_t mask;
  float scale; /* (mask + 1) / (2^p - 1) */
} mn_bits_field;

/* In bits.c: of p planes of more, and of p that are all. */
extern const mn_bits_field mn_bits_fields[2][9];

static inline const mn_bits_field *mn_bits_field_of(const mn_codec *codec,
                                                    uint32_t planes) {
  return &mn_bits_fields[planes == mn_codec_planes(codec->encoding)][planes];
}

/* |r|: the sign, which it does not have, makes room for a bit of fraction. */
static inline float mn_bits_norm(uint32_t head) {
  return mn_float_of((int32_t)(head >> 1 & 0x7ffff800u));
}

/* The middle of what was rounded to this share. */
static inline float mn_bits_share(uint32_t shift, uint32_t mask,
                                  uint32_t word) {
  return (float)(int32_t)(word >> shift & mask) + 0.5f;
}

/* f_p. `unit`: 1 / sqrt(d); `word`: the head or the tail, as the field says. */
static inline float mn_bits_factor(const mn_bits_field *field, float unit,
                                   uint32_t head, uint32_t word) {
  return mn_bits_norm(head) * (field->scale * unit) /
         mn_bits_share(field->shift, field->mask, word);
}

static inline float mn_bits_unit(const mn_codec *codec) {
  return 1.0f / mn_root((float)codec->dimensions);
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

/* bits_distances.c */
void mn_bits_sift(const mn_codec *codec, const void *query,
                  const uint8_t *codes, uint32_t count, float *distances);
void mn_bits_distances(const mn_codec *codec, const void *query,
                       const uint8_t *codes, const uint8_t *rests,
                       uint32_t planes, const uint32_t *slots, uint32_t count,
                       float *distances);

#endif
