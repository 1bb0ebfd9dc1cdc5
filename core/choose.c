/* SPDX-License-Identifier: Apache-2.0 */
/* What an index is made of, where the user does not say. */
#include "block.h"
#include "options.h"
#include "structure/graph.h"
#include "structure/ivf.h"

/* Of how many dimensions there can be: from MANY on axes can be spared, up to
 * where finding them takes too long. */
typedef enum number { ANY_NUMBER, FEW, MANY } number;

static number number_of(uint32_t dimensions) {
  return dimensions >= 256 && dimensions <= 2048 ? MANY : FEW;
}

/* From the best recall to the fewest bytes, as measured (core/DESIGN.md, "Where
 * the user does not say"). */
typedef struct choice {
  number dimensions;
  mn_encoding encoding;
  uint32_t share; /* pca keeps one axis in so many; 0: there is none */
} choice;

static const choice choices[] = {
    {ANY_NUMBER, MN_BITS8, 0}, {ANY_NUMBER, MN_BITS6, 0},
    {ANY_NUMBER, MN_BITS4, 0}, {MANY, MN_BITS4, 2},
    {MANY, MN_BITS4, 4},       {MANY, MN_BITS4, 8},
    {FEW, MN_BITS3, 0},        {FEW, MN_BITS2, 0},
    {FEW, MN_BITS1, 0},
};

#define CHOICES ((uint32_t)(sizeof choices / sizeof choices[0]))

/* The most bytes that the block can have once it is packed: every list full. */
static mn_status packed_bytes(const mn_options *asked, uint32_t count,
                              uint64_t *bytes) {
  mn_options o;
  int is_auto;
  mn_layout layout;
  const mn_status status = mn_options_complete(asked, count, &o, &is_auto);
  if (status != MN_OK)
    return status;
  const mn_packed_links links = mn_packed_shape(
      count, o.structure == MN_HNSW ? (uint64_t)count * mn_links_max(o.m) : 0);
  /* Even of what this machine could not hold: the same is to be chosen
   * everywhere. */
  (void)mn_layout_of(&o, count, &links, &layout);
  *bytes = layout.end;
  return MN_OK;
}

/* Lists are read in fewer pages than a graph, in all that was measured. But
 * every query compares all centroids: they had better stay in memory, and may
 * be such a part of the block. */
#define CENTROIDS_PART 16u

/* Lists in the place of a graph, where the block is read by pages and they pay;
 * and the bytes of what it is then. */
static mn_status take_lists(mn_options *o, uint32_t count, uint64_t *bytes) {
  mn_options lists = *o;
  uint64_t lists_bytes;
  const uint32_t d =
      o->kept_dimensions > 0 ? o->kept_dimensions : o->dimensions;
  lists.structure = MN_IVF;
  lists.nlist = mn_ivf_default_nlist(count); /* training has to know it */
  const mn_status status = packed_bytes(&lists, count, &lists_bytes);
  if (status == MN_OK &&
      mn_ivf_model_bytes(&lists, d) <= lists_bytes / CENTROIDS_PART) {
    *o = lists;
    *bytes = lists_bytes;
  }
  return status;
}

mn_status mn_options_choose(mn_options *options, uint32_t count,
                            uint64_t budget_bytes, uint32_t is_paged) {
  if (options == NULL || ((budget_bytes > 0 || is_paged) && count == 0))
    return MN_ERROR_ARGUMENT;
  const mn_options kept = {.dimensions = options->dimensions,
                           .metric = options->metric,
                           .ef_construction = options->ef_construction,
                           .seed = options->seed};
  const int is_binary = kept.metric == MN_HAMMING || kept.metric == MN_JACCARD;
  for (uint32_t i = 0; i < CHOICES; i++) {
    const choice *c = &choices[i];
    if (c->dimensions != ANY_NUMBER &&
        c->dimensions != number_of(kept.dimensions))
      continue;
    mn_options o = kept;
    o.structure = count == 0                      ? MN_AUTO
                  : count < MN_AUTO_HNSW_CAPACITY ? MN_FLAT
                                                  : MN_HNSW;
    o.encoding = is_binary ? MN_SIGN : c->encoding;
    o.transform = is_binary || c->share == 0 ? MN_NO_TRANSFORM : MN_PCA;
    o.kept_dimensions = o.transform == MN_PCA ? o.dimensions / c->share : 0;
    uint64_t bytes;
    mn_status status = packed_bytes(&o, count == 0 ? 1 : count, &bytes);
    if (status == MN_OK && MN_HAS_IVF && is_paged && !is_binary &&
        o.structure == MN_HNSW)
      status = take_lists(&o, count, &bytes);
    if (status != MN_OK)
      return status;
    if (budget_bytes == 0 || bytes <= budget_bytes) {
      *options = o;
      return MN_OK;
    }
  }
  return MN_ERROR_CAPACITY;
}
