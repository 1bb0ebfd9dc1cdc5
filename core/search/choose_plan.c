/* SPDX-License-Identifier: Apache-2.0 */
#include "choose_plan.h"
#include "../block.h"
#include "../key_map.h"
#include "../structure/graph.h"
#include "../structure/ivf.h"

/* --- How many match ------------------------------------------------------- */

/* Keys that are asked for an estimate. */
#define SAMPLE 512u

/* What is known by slot is counted. Where keys are asked, the share of those of
 * a sample that pass is that of all; one more than was found is taken to match:
 * it keeps an estimate of few from being none. */
static void count_matches(const mn_index *index, const mn_filter *filter,
                          mn_choice *c) {
  c->at_most = c->matches = mn_filter_count(filter, index->state->count);
  if (!filter->asks_keys || c->at_most == 0)
    return;
  uint32_t asked = 0, matched = 0, slot;
  mn_key_sample sample = mn_key_map_sample(index, SAMPLE);
  while ((slot = mn_key_map_next(index, &sample)) != MN_NO_SLOT) {
    if ((mn_filter_word(filter, slot / 32) >> slot % 32 & 1) == 0)
      continue;
    asked++;
    matched += (uint32_t)mn_filter_key(filter, slot);
  }
  /* In floats: some processors need a library for 64-bit division. */
  const float share = (float)(matched + 1) / (float)(asked + 1);
  const float matches = share * (float)c->at_most;
  if (matches < (float)c->at_most)
    c->matches = (uint32_t)matches;
}

/* --- What plans cost ------------------------------------------------------ */

/* In units of a walk's distance by a short code: visiting, queueing and the
 * distance itself. Found by tests/bench/run filters; core/DESIGN.md has the
 * figures.
 *
 * - A scan takes a quarter of that for a match, its memory comes in order, and
 *   a longer code costs both alike.
 * - Keys that are asked cost a scan something for each vector; a predicate is
 *   taken to be dearer than ranges. (Not for each slot: free ones are not
 * asked, and what is packed has none.)
 * - A walk compares 3/4 M new vectors a hop, and takes 1 / share hops to meet a
 *   match.
 * - A hop to neighbours of neighbours follows some (2M)^2 links; what it
 *   compares are matches only. */
typedef struct costs {
  float scan, walk, two_hop;
} costs;

typedef struct situation {
  const mn_index *index;
  const mn_filter *filter;
  float share; /* of the graph's vectors that match */
  uint32_t k, ef;
  float bytes; /* of a code, as it is read */
} situation;

static uint32_t larger(float a, uint32_t b) {
  return a > (float)b ? (uint32_t)a : b;
}

/* Matches that a walk must have found before it may end. All ef of them would
 * take it through ef / share vectors: more than recall asks for, since also
 * what lies between was looked at. Where they lie close together they are found
 * at once; so it makes as many hops as a walk without filter does, at the
 * least, and half as many more, as there is no telling how they lie. */
static uint32_t enough_of(const situation *s) {
  const float part = s->share + 0.375f;
  return part >= 1.0f ? s->ef : larger(part * (float)s->ef, s->k);
}

/* The graph of the matches alone has fewer links, the sparser they are. */
#define SPARSE 0.05f

static uint32_t enough_of_two_hop(const situation *s) {
  return s->share < SPARSE ? s->ef : larger(0.5f * (float)s->ef, s->k);
}

/* What a walk takes is known the least: where matches are far from the query,
 * twice as much, and then a scan comes on top. */
#define DOUBT 1.25f

static costs cost_of(const situation *s, uint32_t matches) {
  const float m = (float)s->index->options.m;
  const float extra = s->bytes * 0x1p-10f, one = 1.0f + extra;
  const float asked = s->filter->match != NULL     ? 0.5f
                      : s->filter->range_count > 0 ? 0.0625f
                                                   : 0.0f;
  const float hops = (float)enough_of_two_hop(s);
  const float behind = 0.3125f * m * m;
  const float compared = (0.5f + 8.0f * s->share) * m;
  const float walked = 0.75f * m * (float)enough_of(s) / s->share;
  return (costs){.scan = (float)matches * (0.25f + extra) +
                         asked * (float)mn_index_vectors(s->index),
                 .walk = DOUBT * walked * one,
                 .two_hop = hops * (behind + compared * one)};
}

/* Below one match in fifty the graph of the matches falls apart, and above one
 * in four a walk through all of it meets enough. A predicate is not asked for
 * every link, nor is a budget spent by neighbourhoods. */
static int may_two_hop(const situation *s, const mn_query *query) {
  return s->share >= 0.02f && s->share <= 0.25f && s->filter->match == NULL &&
         query->budget == 0;
}

static void choose(const situation *s, const mn_query *query, mn_choice *c) {
  const int may_scan = query->budget == 0 || c->at_most <= query->budget;
  const costs cost = cost_of(s, c->matches);
  c->scan = (uint64_t)larger(cost.scan / (1.0f + s->bytes * 0x1p-10f), 0);
  if (may_scan && cost.scan <= cost.walk &&
      (!may_two_hop(s, query) || cost.scan <= cost.two_hop)) {
    c->plan = MN_PLAN_SCAN;
    c->reason = MN_WHY_FEW;
  } else if (may_two_hop(s, query) && cost.two_hop < cost.walk) {
    c->plan = MN_PLAN_TWO_HOP;
    c->reason = MN_WHY_SPARSE;
    c->scan = c->matches / 2;
  } else {
    c->plan = MN_PLAN_WALK;
    c->reason = MN_WHY_DENSE;
  }
}

/* --- Choosing ------------------------------------------------------------- */

/* What a search of the nearest lists compares, if they are of mean size. */
static uint64_t probing_cost(const mn_index *index, const mn_query *query) {
  const uint32_t nlist = index->options.nlist;
  const uint32_t nprobe = mn_ivf_nprobe(query, nlist);
  const uint32_t mean = index->state->linked / nlist + 1;
  return nlist + (uint64_t)(nprobe < nlist ? nprobe : nlist) * mean;
}

static void choose_lists(const mn_index *index, const mn_query *query,
                         const mn_filter *filter, mn_choice *c) {
  c->plan = query->plan == MN_PLAN_SCAN ? MN_PLAN_SCAN : MN_PLAN_PROBE;
  if (filter != NULL)
    count_matches(index, filter, c);
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
                         const mn_filter *filter, uint32_t planes,
                         uint32_t ef) {
  const uint32_t count = mn_index_vectors(index);
  mn_choice c = {.plan = query->plan,
                 .reason = MN_WHY_FORCED,
                 .matches = count,
                 .at_most = count,
                 .kept = ef};
  if (mn_is_ivf(&index->options) && index->state->linked > 0) {
    choose_lists(index, query, filter, &c);
    return c;
  }
  if (!mn_is_graph(&index->options) || index->state->linked == 0) {
    c.plan = MN_PLAN_SCAN;
    c.reason = MN_WHY_NO_GRAPH;
    if (MN_HAS_FILTERS && filter != NULL && query->budget > 0)
      count_matches(index, filter, &c); /* else the scan does */
    return c;
  }
  if (!MN_HAS_FILTERS || filter == NULL) {
    if (query->plan == MN_PLAN_SCAN)
      return c;
    c.plan = MN_PLAN_WALK;
    c.reason = MN_WHY_ALL;
    return c;
  }
  count_matches(index, filter, &c);
  const uint32_t linked = index->state->linked;
  const situation s = {
      .index = index,
      .filter = filter,
      .share = (float)(c.matches > 0 ? c.matches : 1) / (float)linked,
      .k = query->k,
      .ef = ef,
      .bytes = (float)mn_codec_read_bytes(&index->codec, planes)};
  if (query->plan == MN_PLAN_AUTO)
    choose(&s, query, &c);
  const int is_plain = mn_filter_is_plain(filter);
  c.enough = c.plan == MN_PLAN_TWO_HOP ? enough_of_two_hop(&s) : enough_of(&s);
  c.kept = is_plain ? ef : ef + ef / 2;
  c.hops = c.plan == MN_PLAN_TWO_HOP ? 0 : c.kept;
  return c;
}
