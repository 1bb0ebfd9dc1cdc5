/* SPDX-License-Identifier: Apache-2.0 */
/* The road of every search: check, prepare, plan, candidates, hits. */
#include "search.h"
#include "../block.h"
#include "../encoding/codec.h"
#include "../structure/structure.h"

typedef struct work {
  float *vector;
  uint8_t *query;
  mn_pool pool;
  mn_walk walk;
} work;

static uint32_t graph_ef(uint32_t k, uint32_t ef) {
  if (ef == 0)
    ef = MN_EF_DEFAULT;
  return ef > k ? ef : k;
}

static int allocate(const mn_options *o, uint32_t capacity, uint32_t k,
                    uint32_t ef, const uint64_t *keys, work *w,
                    mn_arena *scratch) {
  const int is_graph = o->structure == MN_HNSW;
  w->vector = mn_arena_allocate(scratch, sizeof(float) * o->dimensions);
  w->query = mn_arena_allocate(
      scratch, (size_t)mn_codec_of(o->encoding)->query_bytes(o->dimensions));
  w->pool = mn_pool_allocate(keys, is_graph ? graph_ef(k, ef) : k, scratch);
  return w->vector != NULL && w->query != NULL && w->pool.items != NULL &&
         (!is_graph || mn_walk_allocate(o, capacity, &w->walk, scratch));
}

int mn_search_measure(const mn_options *options, uint32_t capacity, uint32_t k,
                      uint32_t ef, mn_arena *measuring) {
  work w;
  return allocate(options, capacity, k, ef, NULL, &w, measuring);
}

/* Fills the pool with the best candidates. */
static void find_candidates(const mn_index *index, const mn_query *query,
                            work *w, mn_stats *stats) {
  const mn_state *state = index->state;
  const int walk = index->options.structure == MN_HNSW &&
                   query->filter == NULL && state->linked > 0;
  uint32_t scan_from = 0;
  w->pool.size = 0;
  if (walk) {
    w->pool.capacity = graph_ef(query->k, query->ef);
    mn_graph_search(index, w->query, query->k, &w->walk, &w->pool);
    stats->distances += w->walk.distance_count;
    stats->hops = w->walk.hops;
    scan_from = state->linked;
    /* k means k: a graph that falls apart is not searched but scanned. */
    if (w->pool.size < query->k && w->pool.size < state->linked)
      w->pool.size = scan_from = 0;
  }
  if (scan_from == 0) {
    w->pool.capacity = query->k;
    stats->exact = 1;
  }
  mn_scan(index, w->query, scan_from, state->count, query->filter, &w->pool,
          &stats->distances);
}

mn_status mn_index_search(const mn_index *index, const mn_query *query,
                          mn_hit *hits, uint32_t *count, mn_arena *scratch) {
  if (index == NULL || query == NULL || query->vector == NULL || hits == NULL ||
      count == NULL || scratch == NULL || query->k == 0 ||
      query->k > MN_EF_MAX || query->ef > MN_EF_MAX)
    return MN_ERROR_ARGUMENT;
  if (query->dimensions != index->options.dimensions)
    return MN_ERROR_DIMENSIONS;
  const size_t mark = mn_arena_mark(scratch);
  work w;
  mn_status status = MN_ERROR_ARENA;
  if (allocate(&index->options, index->capacity, query->k, query->ef,
               index->keys, &w, scratch))
    status = mn_vector_take(index, query->vector, w.vector);
  if (status == MN_OK) {
    index->codec->prepare(index, w.vector, w.query);
    mn_stats stats = {0};
    find_candidates(index, query, &w, &stats);
    uint32_t found = w.pool.size < query->k ? w.pool.size : query->k;
    for (uint32_t i = 0; i < found; i++) {
      const uint32_t slot = mn_candidate_slot(w.pool.items[i]);
      hits[i] = (mn_hit){index->keys[slot], w.pool.items[i].distance, slot};
    }
    *count = found;
    if (query->stats != NULL)
      *query->stats = stats;
  }
  mn_arena_rewind(scratch, mark);
  return status;
}
