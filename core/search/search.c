/* SPDX-License-Identifier: Apache-2.0 */
/* The road of every search: check, prepare, plan, candidates, refine, hits. */
#include "search.h"
#include "../block.h"
#include "../bytes.h"
#include "../encoding/codec.h"
#include "../structure/graph.h"
#include "../structure/structure.h"
#include "../vector.h"
#include "refine.h"

typedef struct work {
  mn_vector_room room;
  void *query;   /* prepared for the encoding */
  void *refined; /* and for refine */
  mn_pool sieve; /* what a scan by signs leaves */
  mn_pool pool;  /* candidates */
  mn_pool best;  /* and the k that refining leaves */
  mn_walk walk;
} work;

static uint32_t graph_ef(uint32_t candidates, uint32_t ef) {
  if (ef == 0)
    ef = MN_EF_DEFAULT;
  return ef > candidates ? ef : candidates;
}

static int allocate(const mn_options *o, uint32_t capacity,
                    const mn_query *query, const mn_stages *stages,
                    const uint64_t *keys, work *w, mn_arena *scratch) {
  const int is_graph = mn_is_graph(o);
  mn_codec codec;
  mn_codec_first(o, &codec);
  const int fits = mn_vector_room_allocate(o, &w->room, scratch);
  w->query =
      mn_arena_allocate(scratch, (size_t)mn_codec_measure(&codec).query_bytes);
  w->refined = mn_arena_allocate(scratch, mn_refine_query_bytes(o, stages));
  w->sieve = mn_pool_allocate(keys, 2 * stages->sieve, scratch);
  w->pool = mn_pool_allocate(keys,
                             is_graph ? graph_ef(stages->candidates, query->ef)
                                      : stages->candidates,
                             scratch);
  w->best = mn_pool_allocate(
      keys, stages->refiner == MN_BY_NOTHING ? 0 : query->k, scratch);
  return fits && w->query != NULL && w->refined != NULL &&
         w->sieve.items != NULL && w->pool.items != NULL &&
         w->best.items != NULL &&
         (!is_graph || mn_walk_allocate(o, capacity, &w->walk, scratch));
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

/* By the signs of the query, and what that leaves by all of it. */
static void scan_through_sieve(const mn_index *index, const mn_stages *stages,
                               work *w, mn_stats *stats) {
  mn_target target = mn_codes_of(index, stages->planes);
  target.query = w->query;
  mn_sift(index, &target, &w->sieve);
  mn_rank_again(&target, &w->sieve, w->sieve.size, &w->pool, stats);
  stats->exact = 0;
  stats->distances = (uint64_t)index->state->count + w->sieve.size;
  stats->bytes += (uint64_t)index->state->count * index->codec.code_bytes;
}

/* Fills the pool with the best candidates. */
static void find_candidates(const mn_index *index, const mn_query *query,
                            const mn_stages *stages, work *w, mn_stats *stats) {
  const mn_state *state = index->state;
  const int walk = mn_is_graph(&index->options) && query->filter == NULL &&
                   state->linked > 0;
  mn_target target = mn_codes_of(index, stages->planes);
  target.query = w->query;
  int scan = !walk;
  w->pool.size = 0;
  stats->planes = stages->planes;
  if (walk) {
    w->pool.capacity = graph_ef(stages->candidates, query->ef);
    mn_graph_search(index, &target, stages->candidates, &w->walk, &w->pool);
    stats->hops = w->walk.hops;
    /* k means k: a graph that falls apart is not searched but scanned. */
    scan =
        w->pool.size < query->k && w->pool.size < state->linked - state->dead;
    if (!scan)
      mn_scan_pending(index, &target, NULL, &w->walk, &w->pool);
    stats->distances += w->walk.distance_count;
  }
  if (scan) {
    w->pool.size = 0;
    w->pool.capacity = stages->candidates;
    stats->exact = 1;
  }
  if (stages->sieve > 0 && stages->sieve < state->count &&
      query->filter == NULL) {
    scan_through_sieve(index, stages, w, stats);
    return;
  }
  if (scan)
    mn_scan(index, &target, query->filter, &w->pool, &stats->distances);
  stats->bytes =
      stats->distances * mn_codec_read_bytes(&index->codec, stages->planes);
}

/* Prepared, planned and with room for all: what is left to do. */
static mn_status search(const mn_index *index, const mn_query *query,
                        const mn_stages *stages, work *w, mn_hit *hits,
                        uint32_t *count) {
  mn_status status = mn_vector_map(index, query->vector, &w->room);
  if (status != MN_OK)
    return status;
  index->codec.ops->prepare(&index->codec, w->room.mapped, w->query);
  mn_stats stats;
  mn_zero(&stats, sizeof stats); /* not `= {0}`: no call of memset */
  find_candidates(index, query, stages, w, &stats);
  const mn_pool *best = &w->pool;
  if (stages->refiner != MN_BY_NOTHING) {
    best = &w->best;
    status = mn_refine(index, query, stages, &w->room, w->query, w->refined,
                       &w->pool, &w->best, &stats);
    if (status != MN_OK)
      return status;
  }
  const uint32_t found = best->size < query->k ? best->size : query->k;
  for (uint32_t i = 0; i < found; i++) {
    const uint32_t slot = mn_candidate_slot(best->items[i]);
    hits[i] = (mn_hit){index->keys[slot], best->items[i].distance, slot};
  }
  *count = found;
  if (query->stats != NULL)
    *query->stats = stats;
  return MN_OK;
}

void mn_query_fill(const mn_index *index, const mn_query *query,
                   mn_query *filled) {
  const mn_state *state = index->state;
  mn_move(filled, query, sizeof *filled); /* not `=`: no call of memcpy */
  if (query->ef == 0)
    filled->ef = state->tuned_ef;
  if (query->refine_k == 0.0f)
    filled->refine_k = state->tuned_refine_k;
}

mn_status mn_search_hiding(const mn_index *index, const mn_query *asked,
                           uint32_t hidden, mn_hit *hits, uint32_t *count,
                           mn_arena *scratch) {
  if (index == NULL || asked == NULL || asked->vector == NULL || hits == NULL ||
      count == NULL || scratch == NULL)
    return MN_ERROR_ARGUMENT;
  mn_query filled;
  const mn_query *query = &filled;
  mn_query_fill(index, asked, &filled);
  mn_stages stages;
  mn_status status = mn_stages_of(&index->options, query, &stages);
  if (status != MN_OK)
    return status;
  if (query->dimensions != index->options.dimensions)
    return MN_ERROR_DIMENSIONS;
  const size_t mark = mn_arena_mark(scratch);
  work w;
  status = MN_ERROR_ARENA;
  if (allocate(&index->options, index->capacity, query, &stages, index->keys,
               &w, scratch)) {
    w.walk.hidden = hidden;
    status = search(index, query, &stages, &w, hits, count);
  }
  mn_arena_rewind(scratch, mark);
  return status;
}

mn_status mn_index_search(const mn_index *index, const mn_query *query,
                          mn_hit *hits, uint32_t *count, mn_arena *scratch) {
  return mn_search_hiding(index, query, MN_TWIN, hits, count, scratch);
}
