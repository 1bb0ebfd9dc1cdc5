/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_SEARCH_H
#define MN_SEARCH_H

#include "../minnow.h"

/* Takes from `measuring` what a search takes. ARGUMENT where the query is out
 * of range, TOO_LARGE where it does not fit. And the same of its relatives. */
mn_status mn_search_measure(const mn_options *options, uint32_t capacity,
                            const mn_query *query, mn_arena *measuring);
mn_status mn_like_measure(const mn_options *options, uint32_t capacity,
                          const mn_query *query, mn_arena *measuring);
mn_status mn_within_measure(const mn_options *options, uint32_t capacity,
                            const mn_query *query, mn_arena *measuring);
mn_status mn_diversify_measure(const mn_options *options, uint32_t count,
                               mn_arena *measuring);

/* The query with what the index was tuned to in place of its zeros. */
void mn_query_fill(const mn_index *index, const mn_query *query,
                   mn_query *filled);

/* mn_index_search as if a walk met no vector at slot `hidden`, nor links that
 * lead from it (MN_TWIN: as it is). Scans do not know of it. */
mn_status mn_search_hiding(const mn_index *index, const mn_query *query,
                           uint32_t hidden, mn_hit *hits, uint32_t *count,
                           mn_arena *scratch);

/* Which hits an answer has: the first `limit` of k without the slot `left_out`
 * (MN_NO_SLOT: with all). And what is `hidden` from the walk. */
typedef struct mn_answer {
  uint32_t limit, left_out, hidden;
} mn_answer;

/* mn_index_search with pointers that are there. */
mn_status mn_search_for(const mn_index *index, const mn_query *query,
                        const mn_answer *wanted, mn_hit *hits, uint32_t *count,
                        mn_arena *scratch);

/* What two searches did together; the plan is that of the later one. */
void mn_stats_join(mn_stats *sum, const mn_stats *one, int is_first);

#endif
