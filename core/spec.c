/* SPDX-License-Identifier: Apache-2.0 */
/* The spec string: words that name a structure, a transform, an encoding and a
 * refine encoding. */
#include "encoding/codec.h"
#include "options.h"
#include "transform/transform.h"

static const char *const structure_words[] = {"auto", "flat", "hnsw", "ivf"};

static const mn_encoding encodings[] = {
    MN_F32, MN_F16,  MN_BF16, MN_SQ8, MN_SQ6,
    MN_SQ4, MN_SIGN, MN_PQ,   MN_PRQ, MN_BITS1,
};

#define ENCODINGS ((uint32_t)(sizeof encodings / sizeof encodings[0]))

/* --- Reading -------------------------------------------------------------- */

/* What is left of a word. Readers take what they understand off its front and
 * return 1, or 0 where that is not there. */
typedef struct word {
  const char *at;
  const char *end;
} word;

static int take(word *w, const char *text) {
  const char *at = w->at;
  for (; *text != 0; text++, at++)
    if (at == w->end || *at != *text)
      return 0;
  w->at = at;
  return 1;
}

/* A number from `least` to `most`, without leading zeros. */
static int take_number(word *w, uint32_t least, uint32_t most,
                       uint32_t *number) {
  const char *at = w->at;
  uint32_t n = 0;
  if (at == w->end || *at == '0')
    return 0;
  for (; at < w->end && *at >= '0' && *at <= '9' && n <= most; at++)
    n = n * 10 + (uint32_t)(*at - '0');
  if (at == w->at || n < least || n > most)
    return 0;
  w->at = at;
  *number = n;
  return 1;
}

/* Each kind of word; on failure the options may be changed, but only in fields
 * that a later word of the kind would set: the whole spec then fails or is read
 * as another kind. */
static int read_structure(word w, mn_options *o) {
  uint32_t s = MN_AUTO;
  while (s <= MN_IVF && !take(&w, structure_words[s]))
    s++;
  if (s > MN_IVF)
    return 0;
  o->structure = (mn_structure)s;
  if (s == MN_HNSW && w.at < w.end)
    (void)take_number(&w, MN_M_MIN, MN_M_MAX, &o->m);
  if (s == MN_IVF && w.at < w.end)
    (void)take_number(&w, 1, MN_NLIST_MAX, &o->nlist);
  return w.at == w.end;
}

static int take_transform(word *w, mn_transform transform) {
  const mn_transform_ops *ops = mn_transform_of(transform);
  return ops != NULL && take(w, ops->name);
}

static int read_transform(word w, mn_options *o) {
  uint32_t t = MN_HADAMARD;
  while (t <= MN_OPQ && !take_transform(&w, (mn_transform)t))
    t++;
  if (t > MN_OPQ ||
      ((t == MN_FIRST || t == MN_PCA) &&
       !take_number(&w, 1, MN_DIMENSIONS_MAX, &o->kept_dimensions)))
    return 0;
  o->transform = (mn_transform)t;
  return w.at == w.end;
}

/* Behind "pq" or "prq": M x BITS [x NRQ] [+c]. */
static int take_pq(word *w, mn_encoding encoding, mn_options *o) {
  if (!take_number(w, 1, MN_DIMENSIONS_MAX, &o->pq_m) || !take(w, "x") ||
      !take_number(w, 1, MN_PQ_BITS_MAX, &o->pq_bits) ||
      (encoding == MN_PQ && o->pq_bits != 4 && o->pq_bits != 8))
    return 0;
  if (encoding == MN_PRQ &&
      (!take(w, "x") || !take_number(w, 1, MN_PQ_NRQ_MAX, &o->pq_nrq)))
    return 0;
  o->pq_correction = (uint32_t)take(w, "+c");
  return 1;
}

static int take_encoding(word *w, mn_encoding *encoding) {
  for (uint32_t i = 0; i < ENCODINGS; i++) {
    const mn_codec_ops *ops = mn_codec_of(encodings[i]);
    const word start = *w;
    uint32_t planes = 1;
    if (ops != NULL && take(w, ops->name) &&
        (encodings[i] != MN_BITS1 || take_number(w, 1, 8, &planes))) {
      *encoding = (mn_encoding)(encodings[i] + planes - 1);
      return 1;
    }
    *w = start;
  }
  return 0;
}

static int read_encoding(word w, mn_options *o) {
  return take_encoding(&w, &o->encoding) &&
         ((o->encoding != MN_PQ && o->encoding != MN_PRQ) ||
          take_pq(&w, o->encoding, o)) &&
         w.at == w.end;
}

static int read_refine(word w, mn_options *o) {
  return take(&w, "refine=") && take_encoding(&w, &o->refine) &&
         o->refine != MN_SIGN && o->refine != MN_PQ && o->refine != MN_PRQ &&
         w.at == w.end;
}

typedef int read_word(word w, mn_options *o);
static read_word *const kinds[] = {read_structure, read_transform,
                                   read_encoding, read_refine};

#define KINDS ((uint32_t)(sizeof kinds / sizeof kinds[0]))

mn_status mn_options_parse(mn_options *options, const char *spec, size_t bytes,
                           size_t *at) {
  if (options == NULL || spec == NULL)
    return MN_ERROR_ARGUMENT;
  mn_options o = {.dimensions = options->dimensions,
                  .metric = options->metric,
                  .ef_construction = options->ef_construction,
                  .seed = options->seed};
  uint32_t kind = 0; /* the first that may still come */
  for (size_t begin = 0;; begin++) {
    size_t end = begin;
    while (end < bytes && spec[end] != ',')
      end++;
    const word w = {spec + begin, spec + end};
    int understood = 0;
    while (!understood && kind < KINDS)
      understood = kinds[kind++](w, &o);
    if (!understood) {
      if (at != NULL)
        *at = begin;
      return MN_ERROR_SPEC;
    }
    begin = end;
    if (begin == bytes) {
      *options = o;
      return MN_OK;
    }
  }
}

/* --- Writing -------------------------------------------------------------- */

static char *put(char *to, const char *text) {
  while (*text != 0)
    *to++ = *text++;
  return to;
}

static char *put_number(char *to, uint32_t number) {
  uint32_t unit = 1;
  while (number / unit >= 10)
    unit *= 10;
  for (; unit > 0; unit /= 10)
    *to++ = (char)('0' + number / unit % 10);
  return to;
}

static char *put_encoding(char *to, mn_encoding encoding) {
  to = put(to, mn_codec_of(encoding)->name);
  const uint32_t planes = mn_codec_planes(encoding);
  return planes > 0 ? put_number(to, planes) : to;
}

static char *put_pq(char *to, const mn_options *o) {
  to = put_number(to, o->pq_m);
  to = put_number(put(to, "x"), o->pq_bits);
  if (o->encoding == MN_PRQ)
    to = put_number(put(to, "x"), o->pq_nrq);
  return o->pq_correction ? put(to, "+c") : to;
}

mn_status mn_options_format(const mn_options *options,
                            char spec[MN_SPEC_BYTES]) {
  mn_options o;
  int is_auto;
  if (spec == NULL)
    return MN_ERROR_ARGUMENT;
  const mn_status status = mn_options_complete(options, 1, &o, &is_auto);
  if (status != MN_OK)
    return status;
  const uint32_t structure = is_auto ? MN_AUTO : o.structure;
  char *to = put(spec, structure_words[structure]);
  if (structure == MN_HNSW)
    to = put_number(to, o.m);
  if (structure == MN_IVF && options->nlist > 0)
    to = put_number(to, o.nlist);
  to = put(to, ",");
  if (o.transform != MN_NO_TRANSFORM) {
    to = put(to, mn_transform_of(o.transform)->name);
    if (o.kept_dimensions > 0)
      to = put_number(to, o.kept_dimensions);
    to = put(to, ",");
  }
  to = put_encoding(to, o.encoding);
  if (o.encoding == MN_PQ || o.encoding == MN_PRQ)
    to = put_pq(to, &o);
  if (o.refine != 0)
    to = put_encoding(put(to, ",refine="), o.refine);
  *to = 0;
  return MN_OK;
}
