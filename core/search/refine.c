/* SPDX-License-Identifier: Apache-2.0 */
#include "refine.h"
#include "../bytes.h"
#include "rank.h"

/* --- Plan ----------------------------------------------------------------- */

/* What a sieve leaves: so many times the candidates, and no fewer than that. A
 * larger pool would cost more to keep sorted than the sieve saves. */
#define SIEVE_FACTOR 4u
#define SIEVE_LEAST  256u
#define SIEVE_MOST   4096u

static uint32_t sieve_of(const mn_options *o, const mn_stages *stages) {
  const uint32_t size = stages->candidates < SIEVE_LEAST / SIEVE_FACTOR
                            ? SIEVE_LEAST
                            : SIEVE_FACTOR * stages->candidates;
  return o->structure == MN_FLAT && stages->planes == 1 &&
                 stages->refiner != MN_BY_NOTHING && size <= SIEVE_MOST
             ? size
             : 0;
}

/* Every prefix that has a correction of its own. */
static int can_read(uint32_t planes, uint32_t all) {
  return planes == all ||
         (planes < all && (planes == 1 || planes == 2 || planes == 4));
}

/* refine_k k, rounded up; at most MN_EF_MAX. */
static uint32_t count_candidates(uint32_t k, float refine_k) {
  const float wanted = refine_k * (float)k;
  if (!(wanted < (float)MN_EF_MAX))
    return MN_EF_MAX;
  const uint32_t whole = (uint32_t)wanted;
  return whole + ((float)whole < wanted);
}

/* Whether this build has what the query asks for. */
static int is_built(const mn_query *query) {
  return (MN_HAS_FETCH || query->fetch == NULL) &&
         (MN_HAS_FILTERS ||
          (query->filter == NULL && query->range_count == 0 &&
           query->without_count == 0 && query->match == NULL));
}

int mn_gamma_holds(const mn_options *options, float gamma) {
  return gamma >= 0.0f &&
         gamma <= (options->metric == MN_IP ? 0.0f : MN_GAMMA_MAX);
}

mn_status mn_stages_of(const mn_options *o, const mn_query *query,
                       mn_stages *stages) {
  const float refine_k =
      query->refine_k == 0.0f ? MN_REFINE_K_DEFAULT : query->refine_k;
  const int fetches = MN_HAS_FETCH && query->fetch != NULL;
  if (query->k == 0 || query->k > MN_EF_MAX || query->ef > MN_EF_MAX ||
      !mn_gamma_holds(o, query->gamma) || !(refine_k >= 1.0f) ||
      (fetches && o->encoding == MN_SIGN) ||
      (uint32_t)query->plan > MN_PLAN_PROBE ||
      (query->plan == MN_PLAN_PROBE && o->structure != MN_IVF) ||
      (MN_HAS_FILTERS && mn_filter_check(query) != MN_OK))
    return MN_ERROR_ARGUMENT;
  if (!is_built(query))
    return MN_ERROR_UNSUPPORTED;
  mn_codec codec;
  mn_codec_first(o, &codec);
  const uint32_t all = mn_codec_planes(o->encoding);
  const int is_better = fetches || o->refine != 0;
  uint32_t planes = query->planes, refine_planes = query->refine_planes;
  if (planes == 0) {
    if (refine_planes != 0)
      return MN_ERROR_ARGUMENT;
    planes = mn_codec_first_planes(&codec);
    refine_planes = planes < all && !is_better ? all : 0;
  } else if (!can_read(planes, all))
    return MN_ERROR_ARGUMENT;
  if (refine_planes != 0 &&
      (is_better || refine_planes <= planes || !can_read(refine_planes, all)))
    return MN_ERROR_ARGUMENT;
  stages->planes = planes;
  stages->refine_planes = refine_planes;
  stages->refiner = fetches              ? MN_BY_FETCH
                    : o->refine != 0     ? MN_BY_FINE
                    : refine_planes != 0 ? MN_BY_PLANES
                                         : MN_BY_NOTHING;
  stages->candidates = stages->refiner == MN_BY_NOTHING
                           ? query->k
                           : count_candidates(query->k, refine_k);
  stages->sieve = mn_codec_code_planes(&codec) == 1 ? sieve_of(o, stages) : 0;
  return MN_OK;
}

size_t mn_refine_query_bytes(const mn_options *options,
                             const mn_stages *stages) {
  if (stages->refiner != MN_BY_FINE)
    return 0;
  mn_codec fine;
  mn_codec_fine(options, &fine);
  return (size_t)mn_codec_measure(&fine).query_bytes;
}

/* --- Work ----------------------------------------------------------------- */

/* Candidates go in batches, in the order in which they stand in the pool. */
void mn_rank_again(const mn_target *target, const mn_pool *from, uint32_t count,
                   mn_pool *to, mn_stats *stats) {
  uint32_t slots[MN_SCAN_BATCH];
  float distances[MN_SCAN_BATCH];
  for (uint32_t at = 0; at < count;) {
    uint32_t batch = 0;
    for (; batch < MN_SCAN_BATCH && at < count; at++)
      slots[batch++] = mn_candidate_slot(from->items[at]);
    mn_distances(target, slots, batch, distances);
    for (uint32_t i = 0; i < batch; i++)
      if (!(distances[i] > mn_pool_bound(to)))
        mn_pool_add(to, (mn_candidate){distances[i], slots[i]});
  }
  stats->bytes +=
      (uint64_t)count * mn_codec_read_bytes(target->codec, target->planes);
}

static mn_status refine_by_fetch(const mn_index *index, const mn_query *asked,
                                 const mn_vector_room *room,
                                 const mn_pool *from, uint32_t count,
                                 mn_pool *to) {
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t slot = mn_candidate_slot(from->items[i]);
    mn_status status =
        asked->fetch(asked->fetch_context, index->keys[slot], slot, room->work);
    float distance = 0.0f;
    if (status == MN_OK)
      status =
          mn_rank_one(index, room->vector, room->work, room->work, &distance);
    if (status != MN_OK)
      return status;
    mn_pool_add(to, (mn_candidate){distance, slot});
  }
  return MN_OK;
}

mn_status mn_refine(const mn_index *index, const mn_query *asked,
                    const mn_stages *stages, const mn_vector_room *room,
                    const void *prepared, void *query, const mn_pool *from,
                    mn_pool *to, mn_stats *stats) {
  const uint32_t count =
      from->size < stages->candidates ? from->size : stages->candidates;
  stats->refined = count;
  if (MN_HAS_FETCH && stages->refiner == MN_BY_FETCH)
    return refine_by_fetch(index, asked, room, from, count, to);
  mn_target target = mn_codes_of(index, stages->refine_planes);
  target.query = prepared;
  if (stages->refiner == MN_BY_FINE) {
    mn_move(room->work, room->vector,
            sizeof(float) * index->options.dimensions);
    index->fine.ops->prepare(&index->fine, room->work, query);
    target = (mn_target){.codec = &index->fine,
                         .codes = index->fine_codes,
                         .rests = index->fine_rests,
                         .planes = mn_codec_planes(index->fine.encoding),
                         .query = query};
  }
  const uint64_t before = stats->bytes;
  mn_rank_again(&target, from, count, to, stats);
  stats->refine_bytes = stats->bytes - before;
  return MN_OK;
}
