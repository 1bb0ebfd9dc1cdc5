/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_SEARCH_H
#define MN_SEARCH_H

#include "../minnow.h"

/* Takes from `measuring` what a search takes. 0 where it does not fit. */
int mn_search_measure(const mn_options *options, uint32_t capacity, uint32_t k,
                      uint32_t ef, mn_arena *measuring);

#endif
