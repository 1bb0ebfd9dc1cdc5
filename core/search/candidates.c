/* SPDX-License-Identifier: Apache-2.0 */
#include "candidates.h"
#include "../block.h"
#include "../bytes.h"

static uint32_t larger(uint32_t a, uint32_t b) {
  return a > b ? a : b;
}

/* Whether distances end a walk. Those of MN_IP do not begin at 0. */
static int is_ended(const mn_options *options, const mn_query *query) {
  return (query->gamma != 0.0f || query->ef == 0) && options->metric != MN_IP;
}

/* What is fetched is chosen among later: then all candidates are asked for. */
static mn_ending ending_of(const mn_options *options, const mn_query *query,
                           const mn_stages *stages) {
  mn_ending ending = {1.0f + query->gamma, query->k, 0};
  if (query->gamma == 0.0f) {
    ending.reach = 1.0f + MN_GAMMA_DEFAULT;
    ending.least = MN_GAMMA_LEAST;
  }
  if (MN_HAS_FETCH && query->fetch != NULL)
    ending.rank = stages->candidates;
  ending.rank = larger(ending.rank, MN_GAMMA_RANK);
  if (!MN_HAS_SIGN || options->metric != MN_JACCARD)
    ending.reach *= ending.reach; /* all other distances are squares */
  return ending;
}

int mn_seeker_allocate(const mn_options *options, uint32_t capacity,
                       const mn_query *query, const mn_stages *stages,
                       const uint64_t *keys, mn_seeker *seeker,
                       mn_arena *scratch) {
  uint32_t room = stages->candidates; /* of the pool, and a graph's queue */
  if (mn_is_graph(options)) {
    const uint32_t ef = query->ef == 0 ? MN_EF_DEFAULT : query->ef;
    seeker->kept = seeker->ef = larger(ef, stages->candidates);
    room = mn_hunt_room(seeker->ef);
    seeker->ending = MN_NO_ENDING;
    if (is_ended(options, query)) {
      seeker->ending = ending_of(options, query, stages);
      seeker->kept = MN_EF_STRETCH * seeker->ef;
      room = 2 * seeker->kept;
    }
  }
  seeker->room = room;
  seeker->sieve = mn_pool_allocate(keys, 2 * stages->sieve, scratch);
  seeker->pool = mn_pool_allocate(keys, room, scratch);
  if (seeker->sieve.items == NULL || seeker->pool.items == NULL)
    return 0;
  seeker->walk.links = NULL;
  if (mn_is_ivf(options))
    return mn_prober_allocate(options, &seeker->prober, scratch);
  if (!mn_is_graph(options))
    return 1;
  seeker->hunt.queue =
      (mn_pool){keys, seeker->pool.items + room - room / 2, 0, room / 2};
  return mn_walk_allocate(options, capacity, &seeker->walk, scratch) &&
         mn_hunt_allocate(options, &seeker->hunt, scratch);
}

/* --- Scanning ------------------------------------------------------------- */

/* By the signs of the query, and what that leaves by all of it. */
static void scan_through_sieve(const mn_index *index, const mn_target *target,
                               mn_seeker *seeker, mn_stats *stats) {
  const uint32_t count = index->state->count;
  mn_sift(index, target, &seeker->sieve);
  seeker->pool.size = 0;
  mn_rank_again(target, &seeker->sieve, seeker->sieve.size, &seeker->pool,
                stats);
  stats->exact = 0;
  stats->matches = mn_index_vectors(index);
  stats->distances = (uint64_t)count + seeker->sieve.size;
  stats->bytes += (uint64_t)count * index->codec.code_bytes;
}

static void scan_matches(const mn_index *index, const mn_target *target,
                         const mn_filter *filter, uint32_t candidates,
                         mn_seeker *seeker, mn_spending *spending,
                         mn_stats *stats) {
  const uint64_t before = spending->spent;
  seeker->pool.size = 0;
  seeker->pool.capacity = candidates;
  mn_scan(index, target, filter, &seeker->pool, spending);
  stats->exact = !spending->is_cut;
  if (stats->exact)
    stats->matches = (uint32_t)(spending->spent - before);
}

/* Lists, the nearest first. */
static void probe(const mn_index *index, const mn_query *query,
                  const mn_target *target, const mn_filter *filter,
                  mn_seeker *seeker, mn_spending *spending, mn_stats *stats) {
  const uint32_t nlist = index->options.nlist;
  const uint32_t ranked = mn_afford(spending, seeker->prober.left);
  MN_ASSERT(ranked == seeker->prober.left);
  spending->is_cut |= ranked < nlist;
  seeker->pool.size = 0;
  stats->probed = mn_ivf_search(index, query, target, filter, &seeker->prober,
                                &seeker->pool, spending);
  stats->exact = stats->probed == nlist && !spending->is_cut;
  if (stats->exact)
    stats->matches = (uint32_t)(spending->spent - ranked);
  stats->distances = spending->spent;
  stats->cut = spending->is_cut;
  stats->bytes =
      (spending->spent - ranked) *
          mn_codec_read_bytes(&index->codec, stats->planes) +
      (uint64_t)ranked * (index->codec.dimensions + 1) * sizeof(float);
}

/* --- Walking -------------------------------------------------------------- */

/* What a walk came to: how many it found, and whether it gave up. */
typedef struct outcome {
  uint32_t found;
  int gave_up;
} outcome;

/* The k nearest matches are among so many of all. */
static uint32_t rank_among_all(const mn_index *index, const mn_choice *choice,
                               const mn_seeker *seeker) {
  const uint32_t least = seeker->ending.rank;
  const float matches = (float)(choice->matches > 0 ? choice->matches : 1);
  const float rank = (float)least * (float)index->state->linked / matches;
  return rank < (float)seeker->kept ? larger((uint32_t)rank, least)
                                    : UINT32_MAX;
}

/* Vectors that are not linked yet are scanned, and the budget for that is set
 * aside. Where most vectors match, the walk ends as one without conditions. */
static outcome walk(const mn_index *index, const mn_query *query,
                    const mn_target *target, const mn_filter *filter,
                    const mn_choice *choice, uint32_t candidates,
                    mn_seeker *seeker, mn_spending *spending) {
  const uint64_t left = spending->most - spending->spent;
  const uint32_t pending = mn_index_pending(index);
  const uint64_t most = left - (pending < left / 2 ? pending : left / 2);
  mn_pool *pool = &seeker->pool;
  int is_done = 1;
  pool->capacity = seeker->kept;
  seeker->walk.ending = seeker->ending;
  if (filter == NULL) {
    mn_graph_search(index, target, candidates, most, &seeker->walk, pool);
  } else if (choice->plan == MN_PLAN_POST) {
    pool->capacity = seeker->room;
    seeker->walk.ending.rank = rank_among_all(index, choice, seeker);
    mn_graph_post_filter(index, target, filter, candidates, most, &seeker->walk,
                         pool);
    pool->capacity = seeker->kept;
    if (pool->size > pool->capacity)
      pool->size = pool->capacity;
  } else {
    mn_hunting how = {.filter = filter,
                      .k = candidates,
                      .enough = choice->enough,
                      .hops = choice->hops,
                      .useful = query->plan == MN_PLAN_AUTO ? choice->scan
                                                            : UINT64_MAX,
                      .most = most,
                      .two_hop = choice->plan == MN_PLAN_TWO_HOP};
    if (seeker->ending.rank > 0 && choice->plan == MN_PLAN_WALK &&
        choice->enough >= seeker->ef) {
      how.enough = how.hops = seeker->kept;
    } else {
      pool->capacity = choice->kept;
      seeker->walk.ending = MN_NO_ENDING;
    }
    MN_ASSERT(pool->capacity <= seeker->room - seeker->room / 2);
    is_done =
        mn_graph_hunt(index, target, &how, &seeker->walk, &seeker->hunt, pool);
  }
  spending->spent += seeker->walk.spending.spent;
  spending->is_cut |= seeker->walk.spending.is_cut;
  const outcome came_to = {pool->size, !is_done};
  mn_scan_pending(index, target, filter, &seeker->walk, pool, spending);
  return came_to;
}

/* k means k, and a walk that gave up is no answer: the matches are scanned
 * then, unless the budget ended the walk, or would end the scan. */
static int must_scan(const mn_choice *choice, uint32_t k,
                     const outcome *came_to, const mn_pool *pool,
                     mn_spending *spending) {
  const int is_full = came_to->found >= k || pool->size >= choice->at_most;
  if (spending->is_cut || (is_full && !came_to->gave_up))
    return 0;
  spending->is_cut = choice->at_most > spending->most - spending->spent;
  return !spending->is_cut;
}

void mn_find_candidates(const mn_index *index, const mn_query *query,
                        const mn_stages *stages, const mn_filter *filter,
                        const void *prepared, mn_seeker *seeker,
                        mn_stats *stats) {
  mn_spending spending = {0, query->budget > 0 ? query->budget : UINT64_MAX, 0};
  if (!MN_HAS_FILTERS)
    filter = NULL;
  mn_target target = mn_codes_of(index, stages->planes);
  target.query = prepared;
  /* No walk comes to slots that are free. */
  const mn_filter *walked = filter;
  if (filter != NULL && mn_filter_is_plain(filter) && index->state->dead == 0)
    walked = NULL;
  const mn_choice choice =
      mn_choose_plan(index, query, walked, stages->planes, seeker->ef);
  stats->plan = choice.plan;
  stats->reason = choice.reason;
  stats->matches = choice.matches;
  stats->planes = stages->planes;
  if (choice.plan == MN_PLAN_SCAN && stages->sieve > 0 &&
      (filter == NULL || mn_filter_is_plain(filter)) &&
      stages->sieve < index->state->count &&
      index->state->count + stages->sieve <= spending.most) {
    scan_through_sieve(index, &target, seeker, stats);
    return;
  }
  if (MN_HAS_IVF && choice.plan == MN_PLAN_PROBE) {
    probe(index, query, &target, filter, seeker, &spending, stats);
    return;
  }
  int must = !MN_HAS_GRAPH || choice.plan == MN_PLAN_SCAN;
  if (!must) {
    const outcome came_to = walk(index, query, &target, walked, &choice,
                                 stages->candidates, seeker, &spending);
    stats->hops = seeker->walk.hops;
    must = must_scan(&choice, query->k, &came_to, &seeker->pool, &spending);
    stats->fell_back = (uint32_t)must;
  }
  if (must)
    scan_matches(index, &target, filter, stages->candidates, seeker, &spending,
                 stats);
  stats->distances = spending.spent;
  stats->cut = spending.is_cut;
  stats->bytes =
      spending.spent * mn_codec_read_bytes(&index->codec, stages->planes);
}
