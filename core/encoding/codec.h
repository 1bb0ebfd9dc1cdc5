/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encodings: one table entry each. Nothing outside this folder knows how a
 * vector is stored.
 *
 * A code has two parts, kept in two arrays: the `code`, which every distance
 * reads, and the `rest` (of 0 bytes for most encodings), which only a distance
 * by more bit planes reads. A query is prepared once and then compared with
 * many codes. What `prepare` makes is private to the encoding and aligned to
 * MN_ALIGNMENT; codes, rests and models may lie anywhere.
 *
 * All vectors have passed mn_vector_take and the index's transform;
 * `dimensions` is what is left of them.
 */
#ifndef MN_CODEC_H
#define MN_CODEC_H

#include "../minnow.h"
#include "../selection.h"

/* What an encoding takes; a function of the codec's options alone. */
typedef struct mn_codec_sizes {
  uint32_t code_bytes;
  uint32_t rest_bytes;
  uint64_t model_bytes;
  uint64_t query_bytes;
  uint64_t scratch_bytes; /* of encode and decode */
  uint32_t least;         /* vectors that training needs; 0: no training */
  uint32_t enough;        /* more do not help */
} mn_codec_sizes;

typedef struct mn_codec_ops {
  const char *name; /* how its word in a spec begins */

  void (*sizes)(const mn_codec *codec, mn_codec_sizes *sizes);

  /* Fills the model from `count` rows (at least `least`), which it may
   * overwrite. NOT_FINITE where what was found leads to sums that overflow,
   * ARENA where scratch is short (a measuring arena has rows NULL: allocate and
   * return MN_OK). NULL: no training. */
  mn_status (*train)(mn_codec *codec, float *rows, uint32_t count,
                     mn_arena *scratch);

  /* Overwrites `vector`. MN_ERROR_RANGE where it cannot be stored; `*clipped`
   * becomes 1 where it can, but not within the encoding's usual error. */
  mn_status (*encode)(const mn_codec *codec, float *vector, uint8_t *code,
                      uint8_t *rest, uint32_t *clipped, void *scratch);
  void (*decode)(const mn_codec *codec, const uint8_t *code,
                 const uint8_t *rest, float *vector, void *scratch);

  /* Whether a code, and what training found, could come from accepted vectors:
   * else damage has made them such that sums overflow. NULL: anything could. */
  int (*is_sound)(const mn_codec *codec, const uint8_t *code,
                  const uint8_t *rest);
  int (*model_is_sound)(const mn_codec *codec);

  /* Overwrites `vector`. */
  void (*prepare)(const mn_codec *codec, float *vector, void *query);
  /* Prepares a code as query, by way of `vector` and scratch, for distances by
   * as many planes. NULL: decode, then prepare. */
  void (*prepare_code)(const mn_codec *codec, const uint8_t *code,
                       const uint8_t *rest, uint32_t planes, float *vector,
                       void *scratch, void *query);
  /* The same for a query that will meet few codes. NULL: as for many. */
  void (*prepare_pair)(const mn_codec *codec, const uint8_t *code,
                       const uint8_t *rest, uint32_t planes, float *vector,
                       void *scratch, void *query);

  /* One of the two. `distances` gets up to MN_CODEC_BATCH slots. */
  float (*distance)(const mn_codec *codec, const void *query,
                    const uint8_t *code, const uint8_t *rest, uint32_t planes);
  void (*distances)(const mn_codec *codec, const void *query,
                    const uint8_t *codes, const uint8_t *rests, uint32_t planes,
                    const uint32_t *slots, uint32_t count, float *distances);

  /* Something that grows with the distances to up to MN_SIFT_BATCH codes in a
   * row, coarser than `distances` by 1 plane and in fewer instructions; for a
   * query that was prepared from a vector, and codes of 1 plane and a rest.
   * NULL: there is nothing like that. */
  void (*sift)(const mn_codec *codec, const void *query, const uint8_t *codes,
               uint32_t count, float *distances);

  /* The code itself is a prepared query. */
  uint8_t code_is_query;
} mn_codec_ops;

#define MN_CODEC_BATCH 64u
#define MN_SIFT_BATCH  32u

/* NULL for an unknown encoding, and for one that this build leaves out. */
const mn_codec_ops *mn_codec_of(mn_encoding encoding);

extern const mn_codec_ops mn_codec_f32, mn_codec_f16, mn_codec_bf16;
extern const mn_codec_ops mn_codec_sq8, mn_codec_sq6, mn_codec_sq4;
extern const mn_codec_ops mn_codec_bits, mn_codec_sign;
extern const mn_codec_ops mn_codec_pq, mn_codec_prq;

/* A codec as complete options describe it, its model and kernels still
 * missing: the encoding's, and refine's (ops NULL where there is none). */
void mn_codec_first(const mn_options *options, mn_codec *codec);
void mn_codec_fine(const mn_options *options, mn_codec *codec);

/* All 0 where there is no codec. */
mn_codec_sizes mn_codec_measure(const mn_codec *codec);

/* Bit planes of a code; 0 where it has none. */
static inline uint32_t mn_codec_planes(mn_encoding encoding) {
  return encoding >= MN_BITS1 && encoding <= MN_BITS8
             ? (uint32_t)encoding - MN_BITS1 + 1
             : 0;
}

/* Bytes of a code that a distance by so many planes reads. */
uint32_t mn_codec_read_bytes(const mn_codec *codec, uint32_t planes);

/* Planes by which candidates are found where a query does not say. A walk needs
 * some 400 bits of code to find its way, measured from 100 to 784 dimensions;
 * more only cost time. */
static inline uint32_t mn_codec_first_planes(const mn_codec *codec) {
  if (codec->encoding < MN_BITS4)
    return mn_codec_planes(codec->encoding);
  return codec->dimensions >= 384 ? 1 : codec->dimensions >= 192 ? 2 : 4;
}

/* Planes that `code` has, the others being in `rest`: what a search begins
 * with, but of bits2 and bits3, which it reads in full, the first. */
static inline uint32_t mn_codec_code_planes(const mn_codec *codec) {
  return codec->encoding < MN_BITS4 ? 1 : mn_codec_first_planes(codec);
}

static inline uint8_t *mn_code_at(const mn_index *index, uint32_t slot) {
  return index->codes + (size_t)slot * index->codec.code_bytes;
}

/* --- Comparing ------------------------------------------------------------ */

/* A prepared query and what it is compared with. */
typedef struct mn_target {
  const mn_codec *codec;
  const uint8_t *codes; /* by slot */
  const uint8_t *rests;
  uint32_t planes;
  const void *query;
} mn_target;

/* Prepares the code of a slot as query of `target`, in `query` by way of
 * `vector` (`dimensions` floats) and the codec's scratch, or finds that the
 * code is one already. `few`: it will meet few codes. */
const void *mn_prepare_slot(const mn_target *target, uint32_t slot, int few,
                            float *vector, void *scratch, void *query);

/* Bytes of a query made by that. */
size_t mn_slot_query_bytes(const mn_codec *codec);

/* The distances to `count` slots. */
void mn_distances(const mn_target *target, const uint32_t *slots,
                  uint32_t count, float *distances);

/* In two steps, between which there is something else to do: asking for what
 * they read, and the distances. */
void mn_fetch_codes(const mn_target *target, const uint32_t *slots,
                    uint32_t count);
void mn_fetched_distances(const mn_target *target, const uint32_t *slots,
                          uint32_t count, float *distances);

/* --- Vectors -------------------------------------------------------------- */

/* Copies a vector that came in, checked (NOT_FINITE, ZERO_VECTOR) and, under
 * cosine, normalised. */
mn_status mn_vector_take(const struct mn_kernels *kernels, mn_metric metric,
                         const float *vector, uint32_t dimensions, float *copy);

/* Divides by the root of `norm2`, which is the vector's: ZERO_VECTOR where that
 * is too small. `copy` may be `vector`. */
mn_status mn_vector_normalise(const float *vector, float norm2,
                              uint32_t dimensions, float *copy);

/* Whether a stored vector's squared norm may be this. Rounding to 16 bits makes
 * a vector longer by less than this allows. NaN is not. */
static inline int mn_norm2_is_sound(float norm2) {
  return norm2 <= 2.0f * MN_NORM2_MAX;
}

/* The distance that an inner product means. */
static inline float mn_distance_of_dot(mn_metric metric, float dot) {
  return metric == MN_COSINE ? 1.0f - dot : -dot;
}

#endif
