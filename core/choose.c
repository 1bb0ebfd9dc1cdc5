/* SPDX-License-Identifier: Apache-2.0 */
/* What an index is made of, where the user does not say. */
#include "block.h"
#include "options.h"
#include "structure/graph.h"

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

mn_status mn_options_choose(mn_options *options, uint32_t count,
                            uint64_t budget_bytes) {
  if (options == NULL || (budget_bytes > 0 && count == 0))
    return MN_ERROR_ARGUMENT;
  mn_options o = {.dimensions = options->dimensions,
                  .metric = options->metric,
                  .ef_construction = options->ef_construction,
                  .seed = options->seed};
  const int is_binary = o.metric == MN_HAMMING || o.metric == MN_JACCARD;
  o.structure = count == 0                      ? MN_AUTO
                : count < MN_AUTO_HNSW_CAPACITY ? MN_FLAT
                                                : MN_HNSW;
  for (uint32_t i = 0; i < CHOICES; i++) {
    const choice *c = &choices[i];
    if (c->dimensions != ANY_NUMBER && c->dimensions != number_of(o.dimensions))
      continue;
    o.encoding = is_binary ? MN_SIGN : c->encoding;
    o.transform = is_binary || c->share == 0 ? MN_NO_TRANSFORM : MN_PCA;
    o.kept_dimensions = o.transform == MN_PCA ? o.dimensions / c->share : 0;
    uint64_t bytes;
    const mn_status status = packed_bytes(&o, count == 0 ? 1 : count, &bytes);
    if (status != MN_OK)
      return status;
    if (budget_bytes == 0 || bytes <= budget_bytes) {
      *options = o;
      return MN_OK;
    }
  }
  return MN_ERROR_CAPACITY;
}
