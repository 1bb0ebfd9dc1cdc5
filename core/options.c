/* SPDX-License-Identifier: Apache-2.0 */
/* Options: defaults and ranges; the names of statuses. */
#include "options.h"
#include "encoding/codec.h"
#include "structure/ivf.h"
#include "transform/transform.h"

static const uint32_t default_m = 16, default_ef_construction = 100;
static const uint32_t default_pq_bits = 8, default_nrq = 2;

static int is_binary(mn_metric metric) {
  return metric == MN_HAMMING || metric == MN_JACCARD;
}

/* What is left of the dimensions; 0 where the transform's options are wrong. */
static uint32_t kept_dimensions(const mn_options *o) {
  switch (o->transform) {
  case MN_FIRST:
  case MN_PCA:
    return o->kept_dimensions <= o->dimensions ? o->kept_dimensions : 0;
  case MN_NO_TRANSFORM:
  case MN_HADAMARD:
  case MN_OPQ:
    return o->kept_dimensions == 0 ? o->dimensions : 0;
  }
  return 0;
}

/* Fills in what pq and prq leave out; 1 where all is in range. Sums of 16-bit
 * table entries, one for each code, stay below 2^32. */
static int complete_pq(mn_options *o, uint32_t dimensions) {
  if (!MN_HAS_PQ || (o->encoding != MN_PQ && o->encoding != MN_PRQ))
    return o->pq_m == 0 && o->pq_bits == 0 && o->pq_nrq == 0 &&
           o->pq_correction == 0 && o->transform != MN_OPQ;
  const int is_pq = o->encoding == MN_PQ;
  if (o->pq_bits == 0)
    o->pq_bits = default_pq_bits;
  if (o->pq_nrq == 0)
    o->pq_nrq = is_pq ? 1 : default_nrq;
  if (is_pq && (o->pq_nrq != 1 || (o->pq_bits != 4 && o->pq_bits != 8)))
    return 0;
  return o->pq_bits <= MN_PQ_BITS_MAX && o->pq_nrq <= MN_PQ_NRQ_MAX &&
         o->pq_correction <= 1 && o->pq_m > 0 && dimensions % o->pq_m == 0 &&
         o->pq_m <= 65535 / o->pq_nrq;
}

static int is_encoding(mn_encoding e) {
  return (e >= MN_F32 && e <= MN_PRQ) || (e >= MN_BITS1 && e <= MN_BITS8);
}

static int refine_fits(const mn_options *o) {
  return o->refine == 0 ||
         (is_encoding(o->refine) && !is_binary(o->metric) &&
          o->refine != MN_SIGN && o->refine != MN_PQ && o->refine != MN_PRQ);
}

/* Whether this build has what the options name. */
static int is_built(const mn_options *o) {
  return (o->refine == 0 || mn_codec_of(o->refine) != NULL) &&
         (o->transform == MN_NO_TRANSFORM ||
          mn_transform_of(o->transform) != NULL) &&
         (o->structure != MN_HNSW || MN_HAS_GRAPH) &&
         (o->structure != MN_IVF || MN_HAS_IVF);
}

mn_status mn_options_complete(const mn_options *options, uint32_t capacity,
                              mn_options *complete, int *is_auto) {
  if (options == NULL || capacity == 0 || capacity > MN_CAPACITY_MAX)
    return MN_ERROR_ARGUMENT;
  mn_options o = *options;
  if (o.dimensions == 0 || o.dimensions > MN_DIMENSIONS_MAX ||
      o.metric < MN_L2 || o.metric > MN_JACCARD ||
      (uint32_t)o.structure > MN_IVF)
    return MN_ERROR_ARGUMENT;
  if (o.encoding == 0)
    o.encoding = is_binary(o.metric) ? MN_SIGN : MN_F32;
  const uint32_t dimensions = kept_dimensions(&o);
  if (is_encoding(o.encoding) && mn_codec_of(o.encoding) == NULL)
    return MN_ERROR_UNSUPPORTED;
  if (!is_encoding(o.encoding) || dimensions == 0 ||
      is_binary(o.metric) != (o.encoding == MN_SIGN) ||
      (o.encoding == MN_SIGN && o.transform != MN_NO_TRANSFORM &&
       o.transform != MN_FIRST) ||
      !complete_pq(&o, dimensions) || !refine_fits(&o))
    return MN_ERROR_ARGUMENT;
  if (o.m == 0)
    o.m = default_m;
  if (o.ef_construction == 0)
    o.ef_construction = default_ef_construction;
  if (o.m < MN_M_MIN || o.m > MN_M_MAX || o.ef_construction < o.m ||
      o.ef_construction > MN_EF_MAX)
    return MN_ERROR_ARGUMENT;
  if (o.structure == MN_IVF && o.nlist == 0)
    o.nlist = mn_ivf_default_nlist(capacity);
  if (o.nlist > (o.structure == MN_IVF ? MN_NLIST_MAX : 0))
    return MN_ERROR_ARGUMENT;
  *is_auto = o.structure == MN_AUTO;
  if (*is_auto)
    o.structure = capacity < MN_AUTO_HNSW_CAPACITY ? MN_FLAT : MN_HNSW;
  if (!is_built(&o))
    return MN_ERROR_UNSUPPORTED;
  *complete = o;
  return MN_OK;
}

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
      "too-large",   "section",    "unsupported",
  };
  if (status > MN_OK || status < MN_ERROR_UNSUPPORTED)
    return "unknown";
  return names[-(int)status];
#endif
}
