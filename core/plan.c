/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, found by running the allocations themselves in an arena without
 * memory (see arena.h). */
#include "arena.h"
#include "block.h"
#include "codes.h"
#include "encoding/codec.h"
#include "options.h"
#include "search/search.h"
#include "slots.h"
#include "structure/repair.h"
#include "vector.h"

/* mn_index_rank: a query, a vector, and a distance for each hit. */
static int measure_rank(const mn_options *o, uint32_t count, mn_arena *rank) {
  const size_t floats = sizeof(float) * o->dimensions;
  return mn_arena_allocate(rank, floats) != NULL &&
         mn_arena_allocate(rank, floats) != NULL &&
         mn_arena_allocate(rank, sizeof(float) * count) != NULL;
}

mn_status mn_plan(const mn_options *options, uint32_t capacity,
                  const mn_query *query, mn_sizes *sizes) {
  mn_options o;
  int is_auto;
  mn_status status = mn_options_complete(options, capacity, &o, &is_auto);
  if (status != MN_OK)
    return status;
  if (query == NULL || sizes == NULL)
    return MN_ERROR_ARGUMENT;
  const mn_arena measuring = mn_arena_measuring();
  mn_arena vector = measuring, link = measuring, search = measuring,
           rank = measuring, codes = measuring, update = measuring,
           like = measuring, within = measuring, diversify = measuring,
           repair = measuring;
  status = mn_search_measure(&o, capacity, query, &search);
  if (status == MN_OK)
    status = mn_like_measure(&o, capacity, query, &like);
  if (status == MN_OK)
    status = mn_within_measure(&o, capacity, query, &within);
  if (status == MN_OK)
    status = mn_diversify_measure(&o, query->k, &diversify);
  mn_layout layout;
  if (status == MN_OK)
    status = mn_layout_of(&o, capacity, NULL, &layout);
  if (status != MN_OK)
    return status;

  mn_vector_room room;
  mn_linker linker;
  mn_repairer repairer;
  mn_arena propose = measuring, commit = measuring;
  int fits = mn_vector_room_allocate(&o, &room, &vector) &&
             mn_codes_measure(&o, &codes) &&
             mn_update_measure(&o, capacity, &update) &&
             measure_rank(&o, query->k, &rank);
  if (mn_is_graph(&o))
    fits &=
        mn_linker_allocate(&o, capacity, NULL, &linker, &link) &&
        mn_chooser_allocate(&o, &linker.chooser, &propose) &&
        mn_proposer_allocate(&o, capacity, NULL, &linker.proposer, &propose) &&
        mn_chooser_allocate(&o, &linker.chooser, &commit) &&
        mn_committer_allocate(&o, NULL, &linker.committer, &commit) &&
        mn_repairer_allocate(&o, capacity, NULL, &repairer, &repair);
  if (!fits)
    return MN_ERROR_TOO_LARGE;

  mn_codec codec, fine;
  mn_codec_first(&o, &codec);
  mn_codec_fine(&o, &fine);
  *sizes = (mn_sizes){
      .block_bytes = (size_t)layout.end,
      .code_bytes = (size_t)codec.code_bytes + codec.rest_bytes,
      .refine_bytes = (size_t)fine.code_bytes + fine.rest_bytes,
      .append_scratch_bytes = vector.used,
      .link_scratch_bytes = link.used,
      .proposals_bytes = mn_is_graph(&o) ? mn_proposals_bytes(&o) : 0,
      .propose_scratch_bytes = propose.used,
      .commit_scratch_bytes = commit.used,
      .add_scratch_bytes = link.used > vector.used ? link.used : vector.used,
      .search_scratch_bytes = search.used,
      .rank_scratch_bytes = rank.used,
      .vector_scratch_bytes = codes.used,
      .update_scratch_bytes = update.used,
      .like_scratch_bytes = like.used,
      .within_scratch_bytes = within.used,
      .diversify_scratch_bytes = diversify.used,
      .repair_scratch_bytes = repair.used,
  };
  return MN_OK;
}

mn_status mn_plan_search(const mn_index *index, const mn_query *query,
                         mn_sizes *sizes) {
  if (index == NULL || query == NULL)
    return MN_ERROR_ARGUMENT;
  mn_query filled;
  mn_query_fill(index, query, &filled);
  return mn_plan(&index->options, index->capacity, &filled, sizes);
}
