/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, found by running the allocations themselves in an arena without
 * memory (see arena.h). */
#include "arena.h"
#include "block.h"
#include "encoding/codec.h"
#include "options.h"
#include "search/search.h"
#include "structure/structure.h"

mn_status mn_plan(const mn_options *options, uint32_t capacity, uint32_t k,
                  uint32_t ef, mn_sizes *sizes) {
  mn_options o;
  int is_auto;
  mn_status status = mn_options_complete(options, capacity, &o, &is_auto);
  if (status != MN_OK)
    return status;
  if (sizes == NULL || k == 0 || k > MN_EF_MAX || ef > MN_EF_MAX)
    return MN_ERROR_ARGUMENT;
  mn_layout layout;
  status = mn_layout_of(&o, capacity, &layout);
  if (status != MN_OK)
    return status;

  mn_arena vector = mn_arena_measuring(), link = vector, search = vector;
  int fits = mn_arena_allocate(&vector, sizeof(float) * o.dimensions) != NULL;
  mn_linker linker;
  if (o.structure == MN_HNSW)
    fits &= mn_linker_allocate(&o, capacity, NULL, &linker, &link);
  fits &= mn_search_measure(&o, capacity, k, ef, &search);
  if (!fits)
    return MN_ERROR_TOO_LARGE;

  const mn_codec_ops *codec = mn_codec_of(o.encoding);
  *sizes = (mn_sizes){
      .block_bytes = (size_t)layout.end,
      .code_bytes = codec->code_bytes(o.metric, o.dimensions),
      .append_scratch_bytes = vector.used,
      .link_scratch_bytes = link.used,
      .add_scratch_bytes = link.used > vector.used ? link.used : vector.used,
      .train_scratch_bytes = codec->needs_sample > 0 ? vector.used : 0,
      .search_scratch_bytes = search.used,
  };
  return MN_OK;
}
