/* SPDX-License-Identifier: Apache-2.0 */
/* The road of every search: check, prepare, plan, candidates, refine, hits. */
#include "search.h"
#include "../block.h"
#include "../bytes.h"
#include "../encoding/codec.h"
#include "../key_map.h"
#include "../structure/graph.h"
#include "../vector.h"
#include "candidates.h"

typedef struct work {
  mn_vector_room room;
  void *query;      /* prepared for the encoding */
  void *refined;    /* and for refine */
  uint32_t *filter; /* excluded slots */
  mn_seeker seeker;
  mn_pool best; /* the k that refining leaves */
} work;

static int allocate(const mn_options *o, uint32_t capacity,
                    const mn_query *query, const mn_stages *stages,
                    const uint64_t *keys, work *w, mn_arena *scratch) {
  mn_codec codec;
  mn_codec_first(o, &codec);
  const int fits = mn_vector_room_allocate(o, &w->room, scratch);
  w->query =
      mn_arena_allocate(scratch, (size_t)mn_codec_measure(&codec).query_bytes);
  w->refined = mn_arena_allocate(scratch, mn_refine_query_bytes(o, stages));
  w->filter = mn_arena_allocate(scratch, mn_filter_scratch(query, capacity) *
                                             sizeof *w->filter);
  w->best = mn_pool_allocate(
      keys, stages->refiner == MN_BY_NOTHING ? 0 : query->k, scratch);
  return fits && w->query != NULL && w->refined != NULL && w->filter != NULL &&
         w->best.items != NULL &&
         mn_seeker_allocate(o, capacity, query, stages, keys, &w->seeker,
                            scratch);
}

mn_status mn_search_measure(const mn_options *options, uint32_t capacity,
                            const mn_query *query, mn_arena *measuring) {
  work w;
  mn_stages stages;
  const mn_status status = mn_stages_of(options, query, &stages);
  if (status != MN_OK)
    return status;
  return allocate(options, capacity, query, &stages, NULL, &w, measuring)
             ? MN_OK
             : MN_ERROR_TOO_LARGE;
}

/* --- One query ------------------------------------------------------------ */

/* The best of a pool, but for one slot. */
static uint32_t write_hits(const mn_index *index, const mn_pool *best,
                           const mn_answer *wanted, mn_hit *hits) {
  uint32_t found = 0;
  for (uint32_t i = 0; i < best->size && found < wanted->limit; i++) {
    const uint32_t slot = mn_candidate_slot(best->items[i]);
    if (slot != wanted->left_out)
      hits[found++] =
          (mn_hit){index->keys[slot], best->items[i].distance, slot};
  }
  return found;
}

/* Prepared, planned and with room for all: what is left to do. `filter` is NULL
 * where there is none. */
static mn_status search(const mn_index *index, const mn_query *query,
                        const mn_stages *stages, const mn_filter *filter,
                        const mn_answer *wanted, work *w, mn_hit *hits,
                        uint32_t *count, mn_stats *stats) {
  mn_status status = mn_vector_map(index, query->vector, &w->room);
  if (status != MN_OK)
    return status;
  if (mn_is_ivf(&index->options))
    mn_ivf_begin(index, query, &w->room, &w->seeker.prober);
  index->codec.ops->prepare(&index->codec, w->room.mapped, w->query);
  mn_zero(stats, sizeof *stats);
  mn_find_candidates(index, query, stages, filter, w->query, &w->seeker, stats);
  const mn_pool *best = &w->seeker.pool;
  if (stages->refiner != MN_BY_NOTHING) {
    best = &w->best;
    w->best.size = 0;
    status = mn_refine(index, query, stages, &w->room, w->query, w->refined,
                       &w->seeker.pool, &w->best, stats);
    if (status != MN_OK)
      return status;
  }
  *count = write_hits(index, best, wanted, hits);
  return MN_OK;
}

void mn_query_fill(const mn_index *index, const mn_query *query,
                   mn_query *filled) {
  const mn_state *state = index->state;
  mn_move(filled, query, sizeof *filled); /* not `=`: no call of memcpy */
  if (query->ef == 0 && query->gamma == 0.0f) {
    filled->ef = state->tuned_ef;
    filled->gamma = state->tuned_gamma;
  }
  if (query->nprobe == 0)
    filled->nprobe = state->tuned_nprobe;
  if (query->refine_k == 0.0f)
    filled->refine_k = state->tuned_refine_k;
}

/* What is asked, complete, of vectors of so many dimensions. */
static mn_status begin(const mn_index *index, const mn_query *asked,
                       uint32_t dimensions, mn_query *filled,
                       mn_stages *stages) {
  mn_query_fill(index, asked, filled);
  const mn_status status = mn_stages_of(&index->options, filled, stages);
  if (status != MN_OK)
    return status;
  return dimensions == index->options.dimensions ? MN_OK : MN_ERROR_DIMENSIONS;
}

mn_status mn_search_for(const mn_index *index, const mn_query *asked,
                        const mn_answer *wanted, mn_hit *hits, uint32_t *count,
                        mn_arena *scratch) {
  mn_query filled;
  const mn_query *query = &filled;
  mn_stages stages;
  mn_status status = begin(index, asked, asked->dimensions, &filled, &stages);
  if (status != MN_OK)
    return status;
  const size_t mark = mn_arena_mark(scratch);
  work w;
  mn_filter filter;
  mn_stats stats;
  status = MN_ERROR_ARENA;
  if (allocate(&index->options, index->capacity, query, &stages, index->keys,
               &w, scratch)) {
    const int is_filtered =
        MN_HAS_FILTERS && mn_filter_of(index, query, w.filter, &filter);
    w.seeker.walk.hidden = wanted->hidden;
    status = search(index, query, &stages, is_filtered ? &filter : NULL, wanted,
                    &w, hits, count, &stats);
  }
  mn_arena_rewind(scratch, mark);
  if (status == MN_OK && query->stats != NULL)
    mn_move(query->stats, &stats, sizeof stats); /* not `=`, as above */
  return status;
}

mn_status mn_search_hiding(const mn_index *index, const mn_query *query,
                           uint32_t hidden, mn_hit *hits, uint32_t *count,
                           mn_arena *scratch) {
  if (index == NULL || query == NULL || query->vector == NULL || hits == NULL ||
      count == NULL || scratch == NULL)
    return MN_ERROR_ARGUMENT;
  const mn_answer wanted = {query->k, MN_NO_SLOT, hidden};
  return mn_search_for(index, query, &wanted, hits, count, scratch);
}

mn_status mn_index_search(const mn_index *index, const mn_query *query,
                          mn_hit *hits, uint32_t *count, mn_arena *scratch) {
  return mn_search_hiding(index, query, MN_TWIN, hits, count, scratch);
}

/* --- Many ----------------------------------------------------------------- */

static mn_status check_rows(const mn_index *index, const mn_vectors *vectors,
                            const mn_vector_room *room) {
  mn_status status = MN_OK;
  for (uint32_t row = 0; row < vectors->count && status == MN_OK; row++)
    status = mn_vector_map(
        index, vectors->data + (size_t)row * vectors->dimensions, room);
  return status;
}

static mn_status search_rows(const mn_index *index, const mn_vectors *vectors,
                             const mn_query *asked, const mn_stages *stages,
                             work *w, mn_hit *hits, uint32_t *counts) {
  const mn_answer wanted = {asked->k, MN_NO_SLOT, MN_TWIN};
  mn_filter filter;
  mn_query query;
  mn_stats stats, sum;
  mn_move(&query, asked, sizeof query);
  mn_zero(&sum, sizeof sum);
  const int is_filtered =
      MN_HAS_FILTERS && mn_filter_of(index, asked, w->filter, &filter);
  mn_status status = check_rows(index, vectors, &w->room);
  for (uint32_t row = 0; row < vectors->count && status == MN_OK; row++) {
    query.vector = vectors->data + (size_t)row * vectors->dimensions;
    status =
        search(index, &query, stages, is_filtered ? &filter : NULL, &wanted, w,
               hits + (size_t)row * asked->k, &counts[row], &stats);
    if (status == MN_OK)
      mn_stats_join(&sum, &stats, row == 0);
  }
  if (status == MN_OK && asked->stats != NULL)
    mn_move(asked->stats, &sum, sizeof sum);
  return status;
}

mn_status mn_index_search_many(const mn_index *index, const mn_vectors *vectors,
                               const mn_query *asked, mn_hit *hits,
                               uint32_t *counts, mn_arena *scratch) {
  if (index == NULL || vectors == NULL || asked == NULL || scratch == NULL ||
      (vectors->count > 0 &&
       (vectors->data == NULL || hits == NULL || counts == NULL)))
    return MN_ERROR_ARGUMENT;
  mn_query filled;
  const mn_query *query = &filled;
  mn_stages stages;
  mn_status status = begin(index, asked, vectors->dimensions, &filled, &stages);
  if (status != MN_OK)
    return status;
  const size_t mark = mn_arena_mark(scratch);
  work w;
  status = MN_ERROR_ARENA;
  if (allocate(&index->options, index->capacity, query, &stages, index->keys,
               &w, scratch))
    status = search_rows(index, vectors, query, &stages, &w, hits, counts);
  mn_arena_rewind(scratch, mark);
  return status;
}

void mn_stats_join(mn_stats *sum, const mn_stats *one, int is_first) {
  mn_stats so_far;
  mn_move(&so_far, sum, sizeof so_far);
  mn_move(sum, one, sizeof *sum);
  if (is_first)
    return;
  sum->distances += so_far.distances;
  sum->bytes += so_far.bytes;
  sum->refine_bytes += so_far.refine_bytes;
  sum->hops += so_far.hops;
  sum->refined += so_far.refined;
  sum->probed += so_far.probed;
  sum->exact &= so_far.exact;
  sum->cut |= so_far.cut;
  sum->fell_back |= so_far.fell_back;
}
