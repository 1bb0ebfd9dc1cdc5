/* SPDX-License-Identifier: Apache-2.0 */
/* Searching by a vector that is in the index. */
#include "../bytes.h"
#include "../key_map.h"
#include "../structure/graph.h"
#include "search.h"

/* The vector itself takes a place among the hits, and is then left out. Where
 * so many are equal to it that it has none, the last hit is too many. */
static void ask_one_more(const mn_query *asked, mn_query *query) {
  mn_move(query, asked, sizeof *query);
  query->k++;
}

static int can_have_more(const mn_query *query) {
  return query->k > 0 && query->k < MN_EF_MAX;
}

mn_status mn_like_measure(const mn_options *options, uint32_t capacity,
                          const mn_query *query, mn_arena *measuring) {
  if (!can_have_more(query))
    return MN_OK;
  mn_query more;
  ask_one_more(query, &more);
  if (mn_arena_allocate(measuring, sizeof(float) * options->dimensions) == NULL)
    return MN_ERROR_TOO_LARGE;
  return mn_search_measure(options, capacity, &more, measuring);
}

mn_status mn_index_search_like(const mn_index *index, uint64_t key,
                               const mn_query *query, mn_hit *hits,
                               uint32_t *count, mn_arena *scratch) {
  if (index == NULL || query == NULL || hits == NULL || count == NULL ||
      scratch == NULL || !can_have_more(query))
    return MN_ERROR_ARGUMENT;
  mn_answer wanted = {query->k, MN_NO_SLOT, MN_TWIN};
  mn_status status = mn_index_find(index, key, &wanted.left_out);
  if (status != MN_OK)
    return status;
  const uint32_t dimensions = index->options.dimensions;
  const size_t mark = mn_arena_mark(scratch);
  float *vector = mn_arena_allocate(scratch, sizeof(float) * dimensions);
  status = MN_ERROR_ARENA;
  if (vector != NULL)
    status = mn_index_reconstruct(index, key, vector, dimensions, scratch);
  if (status == MN_OK) {
    mn_query more;
    ask_one_more(query, &more);
    more.vector = vector;
    more.dimensions = dimensions;
    status = mn_search_for(index, &more, &wanted, hits, count, scratch);
  }
  mn_arena_rewind(scratch, mark);
  return status;
}
