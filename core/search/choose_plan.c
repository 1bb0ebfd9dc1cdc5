/* SPDX-License-Identifier: Apache-2.0 */
#include "choose_plan.h"
#include "../block.h"
#include "../structure/graph.h"
#include "../structure/ivf.h"

uint32_t mn_queue_width(uint32_t ef) {
  return 4 * ef;
}

/* --- How many match ------------------------------------------------------- */

/* Keys that are asked for an estimate. */
#define SAMPLE 512u

typedef struct sample {
  uint32_t asked, matched;
} sample;

static void ask(const mn_filter *filter, uint32_t slot, sample *s) {
  if ((mn_filter_word(filter, slot / 32) >> slot % 32 & 1) == 0)
    return;
  s->asked++;
  s->matched += (uint32_t)mn_filter_key(filter, slot);
}

/* Entries and their neighbours: vectors that are spread over the index, and the
 * same ones however slots are numbered. Whole lists only, for the same reason.
 */
static sample take_sample(const mn_index *index, const mn_filter *filter,
                          uint32_t *room) {
  const uint32_t used = index->state->count;
  sample s = {0, 0};
  for (uint32_t i = 0; i < index->state->entries; i++)
    if (index->entries[i] < used)
      ask(filter, index->entries[i], &s);
  for (uint32_t i = 0; i < index->state->entries && s.asked < SAMPLE; i++) {
    if (index->entries[i] >= used)
      continue;
    const uint32_t *links;
    const uint32_t length =
        mn_graph_links(index, index->entries[i], room, &links);
    for (uint32_t l = 0; l < length; l++)
      if (links[l] < used)
        ask(filter, links[l], &s);
  }
  return s;
}

/* Where keys are asked, one more than was found is taken to match: it keeps an
 * estimate of few from being none. */
static void count_matches(const mn_index *index, const mn_filter *filter,
                          uint32_t *room, mn_choice *c) {
  c->at_most = c->matches = mn_filter_count(filter, index->state->count);
  if (!filter->asks_keys || c->at_most == 0)
    return;
  const sample s = take_sample(index, filter, room);
  /* In floats: some processors need a library for 64-bit division. */
  const float share = (float)(s.matched + 1) / (float)(s.asked + 1);
  const float matches = share * (float)c->at_most;
  if (matches < (float)c->at_most)
    c->matches = (uint32_t)matches;
}

/* --- What plans cost ------------------------------------------------------ */

static void choose(const mn_index *index, const mn_query *query,
                   const mn_filter *filter, uint32_t ef, mn_choice *c) {
  const uint32_t linked = index->state->linked;
  const int may_scan = query->budget == 0 || c->at_most <= query->budget;
  if (may_scan && c->scan <= (uint64_t)ef * 20) {
    c->plan = MN_PLAN_SCAN;
    c->reason = MN_WHY_FEW;
  } else if (c->matches < linked / 4 && filter->match == NULL) {
    c->plan = MN_PLAN_TWO_HOP;
    c->reason = MN_WHY_SPARSE;
  } else {
    c->plan = MN_PLAN_WALK;
    c->reason = MN_WHY_DENSE;
  }
}

/* What a search of the nearest lists compares, if they are of mean size. */
static uint64_t probing_cost(const mn_index *index, const mn_query *query) {
  const uint32_t nlist = index->options.nlist;
  const uint32_t nprobe = mn_ivf_nprobe(query, nlist);
  const uint32_t mean = index->state->linked / nlist + 1;
  return nlist + (uint64_t)(nprobe < nlist ? nprobe : nlist) * mean;
}

static void choose_lists(const mn_index *index, const mn_query *query,
                         const mn_filter *filter, uint32_t *room,
                         mn_choice *c) {
  c->plan = query->plan == MN_PLAN_SCAN ? MN_PLAN_SCAN : MN_PLAN_PROBE;
  if (filter != NULL)
    count_matches(index, filter, room, c);
  if (query->plan != MN_PLAN_AUTO)
    return;
  c->reason = filter == NULL ? MN_WHY_ALL : MN_WHY_DENSE;
  if (filter != NULL && c->matches <= probing_cost(index, query) &&
      (query->budget == 0 || c->at_most <= query->budget)) {
    c->plan = MN_PLAN_SCAN;
    c->reason = MN_WHY_FEW;
  }
}

mn_choice mn_choose_plan(const mn_index *index, const mn_query *query,
                         const mn_filter *filter, uint32_t ef,
                         uint32_t *links) {
  const uint32_t count = mn_index_vectors(index);
  mn_choice c = {.plan = query->plan,
                 .reason = MN_WHY_FORCED,
                 .matches = count,
                 .at_most = count,
                 .enough = ef};
  if (mn_is_ivf(&index->options) && index->state->linked > 0) {
    choose_lists(index, query, filter, links, &c);
    return c;
  }
  if (!mn_is_graph(&index->options) || index->state->linked == 0) {
    c.plan = MN_PLAN_SCAN;
    c.reason = MN_WHY_NO_GRAPH;
    return c;
  }
  if (!MN_HAS_FILTERS || filter == NULL) {
    if (query->plan == MN_PLAN_SCAN)
      return c;
    c.plan = MN_PLAN_WALK;
    c.reason = MN_WHY_ALL;
    return c;
  }
  count_matches(index, filter, links, &c);
  c.scan = c.matches;
  if (query->plan == MN_PLAN_AUTO)
    choose(index, query, filter, ef, &c);
  return c;
}
