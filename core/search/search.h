/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_SEARCH_H
#define MN_SEARCH_H

#include "../minnow.h"

/* Takes from `measuring` what a search takes. ARGUMENT where the query is out
 * of range, TOO_LARGE where it does not fit. */
mn_status mn_search_measure(const mn_options *options, uint32_t capacity,
                            const mn_query *query, mn_arena *measuring);

/* The query with what the index was tuned to in place of its zeros. */
void mn_query_fill(const mn_index *index, const mn_query *query,
                   mn_query *filled);

/* mn_index_search as if a walk met no vector at slot `hidden`, nor links that
 * lead from it (MN_TWIN: as it is). Scans do not know of it. */
mn_status mn_search_hiding(const mn_index *index, const mn_query *query,
                           uint32_t hidden, mn_hit *hits, uint32_t *count,
                           mn_arena *scratch);

#endif
