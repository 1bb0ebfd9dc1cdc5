/* SPDX-License-Identifier: Apache-2.0 */
/* By which plan the matches of a query are found. */
#ifndef MN_CHOOSE_PLAN_H
#define MN_CHOOSE_PLAN_H

#include "../structure/structure.h"

/* A choice, and what it rests on. */
typedef struct mn_choice {
  mn_plan_kind plan;
  mn_plan_reason reason;
  uint32_t matches; /* counted or estimated */
  uint32_t at_most; /* that many there cannot be more than */
  uint64_t scan;    /* what scanning them costs, as distances of a walk */
  uint32_t enough;  /* see mn_hunting */
} mn_choice;

/* Candidates that a walk for matches may have in its queue, where it keeps `ef`
 * results. */
uint32_t mn_queue_width(uint32_t ef);

/* `filter` NULL: none. A walk keeps `ef` candidates. `links` has room for a
 * list. */
mn_choice mn_choose_plan(const mn_index *index, const mn_query *query,
                         const mn_filter *filter, uint32_t ef, uint32_t *links);

#endif
