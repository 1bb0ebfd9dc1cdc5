/* SPDX-License-Identifier: Apache-2.0 */
/* Options: defaults, ranges, and the spec string. */
#include "options.h"
#include "encoding/codec.h"

/* --- Defaults and ranges -------------------------------------------------- */

static const uint32_t default_m = 16, default_ef_construction = 200;

mn_status mn_options_complete(const mn_options *options, uint32_t capacity,
                              mn_options *complete, int *is_auto) {
  if (options == NULL || capacity == 0 || capacity > MN_CAPACITY_MAX)
    return MN_ERROR_ARGUMENT;
  mn_options o = *options;
  if (o.dimensions == 0 || o.dimensions > MN_DIMENSIONS_MAX ||
      o.metric < MN_L2 || o.metric > MN_COSINE || o.structure < MN_AUTO ||
      o.structure > MN_HNSW)
    return MN_ERROR_ARGUMENT;
  if (o.encoding == 0)
    o.encoding = MN_F32;
  if (mn_codec_of(o.encoding) == NULL)
    return MN_ERROR_ARGUMENT;
  if (o.m == 0)
    o.m = default_m;
  if (o.ef_construction == 0)
    o.ef_construction = default_ef_construction;
  if (o.m < MN_M_MIN || o.m > MN_M_MAX || o.ef_construction < o.m ||
      o.ef_construction > MN_EF_MAX)
    return MN_ERROR_ARGUMENT;
  *is_auto = o.structure == MN_AUTO;
  if (*is_auto)
    o.structure = capacity < MN_AUTO_HNSW_CAPACITY ? MN_FLAT : MN_HNSW;
  *complete = o;
  return MN_OK;
}

/* --- Spec string ---------------------------------------------------------- */

static const char *const structure_words[] = {"auto", "flat", "hnsw"};

/* The length of `word` where the text begins with it, else 0. */
static size_t begins_with(const char *text, size_t bytes, const char *word) {
  size_t i = 0;
  for (; word[i] != 0; i++)
    if (i == bytes || text[i] != word[i])
      return 0;
  return i;
}

/* One word of a spec. 1 where it was understood. */
static int read_structure(const char *word, size_t bytes, mn_options *o) {
  for (uint32_t s = MN_AUTO; s <= MN_HNSW; s++) {
    size_t at = begins_with(word, bytes, structure_words[s]);
    if (at == 0)
      continue;
    uint32_t m = 0;
    size_t digits = at;
    for (; at < bytes && word[at] >= '0' && word[at] <= '9'; at++)
      m = m > MN_M_MAX ? m : m * 10 + (uint32_t)(word[at] - '0');
    int has_m = at > digits;
    if (at < bytes || (has_m && s != MN_HNSW) ||
        (has_m && (m < MN_M_MIN || m > MN_M_MAX)))
      return 0;
    o->structure = (mn_structure)s;
    o->m = m;
    return 1;
  }
  return 0;
}

static int read_encoding(const char *word, size_t bytes, mn_options *o) {
  for (uint32_t e = MN_F32; e <= MN_SQ8; e++)
    if (bytes > 0 &&
        begins_with(word, bytes, mn_codec_of((mn_encoding)e)->name) == bytes) {
      o->encoding = (mn_encoding)e;
      return 1;
    }
  return 0;
}

mn_status mn_options_parse(mn_options *options, const char *spec, size_t bytes,
                           size_t *at) {
  if (options == NULL || spec == NULL)
    return MN_ERROR_ARGUMENT;
  mn_options o = *options;
  o.structure = MN_AUTO;
  o.encoding = (mn_encoding)0;
  o.m = 0;
  size_t begin = 0;
  for (int words_may = 2;; begin++) { /* step over the comma */
    size_t end = begin;
    while (end < bytes && spec[end] != ',')
      end++;
    if (words_may == 2 && read_structure(spec + begin, end - begin, &o))
      words_may = 1;
    else if (words_may > 0 && read_encoding(spec + begin, end - begin, &o))
      words_may = 0;
    else
      break;
    begin = end;
    if (begin == bytes) {
      *options = o;
      return MN_OK;
    }
  }
  if (at != NULL)
    *at = begin;
  return MN_ERROR_SPEC;
}

mn_status mn_options_format(const mn_options *options,
                            char spec[MN_SPEC_BYTES]) {
  mn_options o;
  int is_auto;
  if (spec == NULL)
    return MN_ERROR_ARGUMENT;
  mn_status status = mn_options_complete(options, 1, &o, &is_auto);
  if (status != MN_OK)
    return status;
  uint32_t structure = is_auto ? MN_AUTO : o.structure;
  char *to = spec;
  for (const char *c = structure_words[structure]; *c != 0; c++)
    *to++ = *c;
  if (structure == MN_HNSW) {
    if (o.m >= 10)
      *to++ = (char)('0' + o.m / 10);
    *to++ = (char)('0' + o.m % 10);
  }
  *to++ = ',';
  for (const char *c = mn_codec_of(o.encoding)->name; *c != 0; c++)
    *to++ = *c;
  *to = 0;
  return MN_OK;
}

/* --- Names of statuses ---------------------------------------------------- */

const char *mn_status_name(mn_status status) {
#ifdef MN_NO_STRINGS
  (void)status;
  return "";
#else
  static const char *const names[] = {
      "ok",          "argument",   "spec",          "dimensions",  "not-finite",
      "zero-vector", "range",      "duplicate-key", "unknown-key", "capacity",
      "arena",       "read-only",  "untrained",     "trained",     "sample",
      "alignment",   "not-minnow", "version",       "truncated",   "corrupt",
      "too-large",   "section",
  };
  if (status > MN_OK || status < MN_ERROR_SECTION)
    return "unknown";
  return names[-(int)status];
#endif
}
