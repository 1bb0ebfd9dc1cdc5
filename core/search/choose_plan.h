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
  uint64_t scan;    /* distances after which a walk had better scanned */
  uint32_t kept, enough, hops; /* see mn_hunting */
} mn_choice;

/* Candidates that a walk which keeps `ef` has room for where it looks for
 * matches: half of them results, half waiting to be walked from. */
static inline uint32_t mn_hunt_room(uint32_t ef) {
  return 3 * ef;
}

/* `filter` NULL: none. Candidates are found by `planes`; a walk keeps `ef` of
 * them. */
mn_choice mn_choose_plan(const mn_index *index, const mn_query *query,
                         const mn_filter *filter, uint32_t planes, uint32_t ef);

#endif
