/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the candidates of a query, by the plan that is chosen for it. */
#ifndef MN_CANDIDATES_H
#define MN_CANDIDATES_H

#include "../structure/ivf.h"
#include "choose_plan.h"
#include "refine.h"

/* Room for it. */
typedef struct mn_seeker {
  mn_pool sieve; /* what a scan by signs leaves */
  mn_pool pool;  /* candidates; behind them, in a graph, the queue of a hunt */
  uint32_t kept; /* candidates that a walk keeps */
  uint32_t
      ef; /* and where conditions let through few: no distance ends it then */
  uint32_t room; /* of the pool and the queue */
  mn_ending ending;
  mn_walk walk;
  mn_hunt hunt;
  mn_prober prober; /* ivf: the lists, told how far they are from the query */
} mn_seeker;

int mn_seeker_allocate(const mn_options *options, uint32_t capacity,
                       const mn_query *query, const mn_stages *stages,
                       const uint64_t *keys, mn_seeker *seeker,
                       mn_arena *scratch);

/* Leaves the best candidates in seeker->pool. `prepared` is the query,
 * `filter` NULL where there is no condition. */
void mn_find_candidates(const mn_index *index, const mn_query *query,
                        const mn_stages *stages, const mn_filter *filter,
                        const void *prepared, mn_seeker *seeker,
                        mn_stats *stats);

#endif
