/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_SEARCH_H
#define MN_SEARCH_H

#include "../minnow.h"

/* Takes from `measuring` what a search takes. ARGUMENT where the query is out
 * of range, TOO_LARGE where it does not fit. */
mn_status mn_search_measure(const mn_options *options, uint32_t capacity,
                            const mn_query *query, mn_arena *measuring);

#endif
