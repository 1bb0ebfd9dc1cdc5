/* SPDX-License-Identifier: Apache-2.0 */
#include "recall.h"
#include "arena.h"
#include "block.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "root.h"
#include "search/refine.h"
#include "search/search.h"
#include "structure/graph.h"
#include "structure/ivf.h"
#include "structure/structure.h"

#ifndef MN_ONLY_SEARCH

static uint32_t smaller(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

/* --- Plan ----------------------------------------------------------------- */

float mn_refine_k_of(uint32_t candidates, uint32_t k) {
  const float refine_k = (float)candidates / (float)k;
  /* The search rounds k times this up: it may not lie above by a last bit. */
  return refine_k * (float)k > (float)candidates ? refine_k * (1.0f - 0x1p-23f)
                                                 : refine_k;
}

/* The query of a setting, `more` hits being found besides: a vector of the
 * index finds itself. */
static void set_query(const mn_trial *t, const mn_setting *setting,
                      uint32_t more, mn_query *query) {
  mn_move(query, &t->query, sizeof *query);
  query->k += more;
  query->ef = setting->ef == 0 ? 0 : smaller(setting->ef + more, MN_EF_MAX);
  query->gamma = setting->gamma;
  query->nprobe = setting->nprobe;
  if (t->refines)
    query->refine_k = mn_refine_k_of(
        smaller(setting->candidates + more, MN_EF_MAX), query->k);
}

mn_setting mn_trial_widest(const mn_trial *t, uint32_t ef_max) {
  mn_setting setting = t->asked;
  if (t->turns_gamma) {
    setting.ef = (ef_max - 1) / MN_EF_STRETCH + 1;
    if (setting.ef < t->query.k)
      setting.ef = t->query.k;
    setting.gamma = MN_GAMMA_MAX;
  } else if (t->turns_ef)
    setting.ef = ef_max;
  return setting;
}

uint32_t mn_trial_most(const mn_trial *t, uint32_t ef_max) {
  const uint32_t ef = mn_trial_widest(t, ef_max).ef;
  if (!mn_is_graph(&t->index->options))
    return ef_max;
  if (t->turns_ef)
    return ef;
  const uint32_t kept = ef == 0 ? MN_EF_DEFAULT : ef;
  return kept > t->asked.candidates ? kept : t->asked.candidates;
}

/* The most that a search takes, whose scratch need not grow with what it
 * refines: a scan that refines more may do without a sieve. */
static mn_status measure_searches(mn_trial *t, uint32_t ef_max) {
  const int is_free = t->refines && ef_max > 0 && t->query.refine_k == 0.0f;
  mn_setting setting = mn_trial_widest(t, ef_max);
  if (is_free)
    setting.candidates = t->query.k;
  const uint32_t to = is_free ? mn_trial_most(t, ef_max) : setting.candidates;
  mn_status status = MN_OK;
  t->search_bytes = 0;
  for (; setting.candidates <= to && status == MN_OK; setting.candidates++) {
    mn_query query;
    set_query(t, &setting, t->own, &query);
    mn_arena measuring = mn_arena_measuring();
    status = mn_search_measure(&t->index->options, t->index->capacity, &query,
                               &measuring);
    if (measuring.used > t->search_bytes)
      t->search_bytes = measuring.used;
  }
  return status;
}

static mn_status plan_queries(mn_trial *t, const mn_sampling *sampling) {
  const mn_vectors *queries = sampling->queries;
  const uint32_t count = mn_index_vectors(t->index);
  t->own = queries == NULL;
  t->count = smaller(
      sampling->sample == 0 ? MN_SAMPLE_DEFAULT : sampling->sample, count);
  if (!t->own) {
    if (queries->dimensions != t->index->options.dimensions)
      return MN_ERROR_DIMENSIONS;
    if (queries->data == NULL && queries->count > 0)
      return MN_ERROR_ARGUMENT;
    t->count = queries->count;
    t->rows = queries->data;
  }
  if (t->query.k + t->own > MN_EF_MAX)
    return MN_ERROR_ARGUMENT;
  t->wanted = smaller(t->query.k, count < t->own ? 0 : count - t->own);
  return t->count > 0 && t->wanted > 0 ? MN_OK : MN_ERROR_SAMPLE;
}

mn_status mn_trial_plan(const mn_index *index, const mn_sampling *sampling,
                        uint32_t ef_max, mn_trial *t) {
  if (index == NULL || sampling == NULL || sampling->query == NULL ||
      ef_max > MN_EF_MAX)
    return MN_ERROR_ARGUMENT;
  const mn_query *query = sampling->query;
  if (query->filter != NULL || query->range_count > 0 ||
      query->without_count > 0 || query->match != NULL || query->budget > 0)
    return MN_ERROR_ARGUMENT;
  mn_zero(t, sizeof *t);
  t->index = index;
  if (ef_max > 0)
    mn_move(&t->query, query, sizeof t->query);
  else
    mn_query_fill(index, query, &t->query);
  t->query.stats = NULL;
  mn_stages stages;
  mn_status status = mn_stages_of(&index->options, &t->query, &stages);
  if (status != MN_OK)
    return status;
  if (mn_is_ivf(&index->options))
    t->asked.nprobe = mn_ivf_nprobe(&t->query, index->options.nlist);
  t->refines = stages.refiner != MN_BY_NOTHING;
  t->asked.candidates = stages.candidates;
  t->asked.ef = t->query.ef;
  t->asked.gamma = t->query.gamma;
  t->turns_ef = ef_max > 0 && mn_is_graph(&index->options) &&
                t->query.ef == 0 && t->query.gamma == 0.0f;
  t->turns_gamma = t->turns_ef && index->options.metric != MN_IP;
  const int exact = sampling->fetch != NULL;
  t->fetch = exact ? sampling->fetch : query->fetch;
  t->fetch_context = exact ? sampling->fetch_context : query->fetch_context;
  if (t->fetch != NULL && index->options.encoding == MN_SIGN)
    return MN_ERROR_ARGUMENT;
  status = plan_queries(t, sampling);
  return status == MN_OK ? measure_searches(t, ef_max) : status;
}

int mn_trial_allocate(mn_trial *t, mn_arena *scratch) {
  const mn_options *o = &t->index->options;
  const size_t count = t->count, d = o->dimensions, k = t->query.k + t->own;
  const size_t group = t->fetch == NULL ? 0 : MN_FETCH_GROUP;
  const mn_codec *best =
      t->index->fine.ops != NULL ? &t->index->fine : &t->index->codec;
  const int has_room = mn_vector_room_allocate(o, &t->room, scratch);
  t->own_rows = mn_arena_allocate(scratch, t->own * count * d * sizeof(float));
  t->sample = mn_pool_allocate(t->index->keys, t->own * t->count, scratch);
  t->bounds = mn_arena_allocate(scratch, count * sizeof *t->bounds);
  t->found = mn_arena_allocate(scratch, count * sizeof *t->found);
  t->prepared =
      mn_arena_allocate(scratch, (size_t)mn_codec_measure(best).query_bytes);
  t->right = mn_pool_allocate(
      t->index->keys, t->wanted * (group > 0 ? MN_FETCH_GROUP : 1), scratch);
  t->taken = mn_arena_allocate(scratch, group * d * sizeof *t->taken);
  t->hits = mn_arena_allocate(scratch, k * sizeof *t->hits);
  t->slots = mn_arena_allocate(scratch, k * sizeof *t->slots);
  t->distances = mn_arena_allocate(scratch, k * sizeof *t->distances);
  t->memory = mn_arena_allocate(scratch, t->search_bytes);
  return has_room && t->own_rows != NULL && t->sample.items != NULL &&
         t->bounds != NULL && t->found != NULL && t->prepared != NULL &&
         t->right.items != NULL && t->taken != NULL && t->hits != NULL &&
         t->slots != NULL && t->distances != NULL && t->memory != NULL;
}

/* --- Searching ------------------------------------------------------------ */

/* How many of `count` slots are no farther than the last right answer. */
static mn_status judge(mn_trial *t, uint32_t query, uint32_t count) {
  mn_status status = MN_OK;
  if (t->fetch == NULL) {
    mn_target target;
    status = mn_trial_prepare(t, query, &target);
    for (uint32_t i = 0; i < count && status == MN_OK; i += MN_CODEC_BATCH)
      mn_distances(&target, t->slots + i, smaller(count - i, MN_CODEC_BATCH),
                   t->distances + i);
  } else
    status = mn_trial_take(t, query, t->taken);
  t->found[query] = 0;
  for (uint32_t i = 0; i < count && status == MN_OK; i++) {
    const uint32_t slot = t->slots[i];
    if (t->fetch != NULL)
      status = t->fetch(t->fetch_context, t->index->keys[slot], slot,
                        t->room.vector);
    if (t->fetch != NULL && status == MN_OK)
      status = mn_trial_distance(t, t->taken, &t->distances[i]);
    t->found[query] += t->distances[i] <= t->bounds[query];
  }
  return status;
}

/* The slot of a query that is taken for new, since its links would lead to the
 * right answers at once: a vector in the graph. Not one with twins, for which
 * it stands; nor where a walk is left with fewer than k. */
static uint32_t hidden_of(const mn_trial *t, uint32_t query) {
  const mn_index *index = t->index;
  if (!t->own || index->options.structure != MN_HNSW ||
      index->state->linked <= t->wanted)
    return MN_TWIN;
  const uint32_t slot = t->sample.items[query].slot;
  return mn_graph_is_single(index, slot) ? slot : MN_TWIN;
}

static mn_status run_one(mn_trial *t, uint32_t query, const mn_setting *setting,
                         mn_stats *stats) {
  const uint32_t hidden = hidden_of(t, query);
  mn_arena scratch = mn_arena_over(t->memory, t->search_bytes);
  mn_query asked;
  uint32_t count = 0, kept = 0;
  set_query(t, setting, t->own && hidden == MN_TWIN, &asked);
  asked.vector = mn_trial_row(t, query);
  asked.dimensions = t->index->options.dimensions;
  asked.stats = stats;
  const mn_status status =
      mn_search_hiding(t->index, &asked, hidden, t->hits, &count, &scratch);
  if (status != MN_OK)
    return status;
  for (uint32_t i = 0; i < count && kept < t->wanted; i++)
    if (mn_trial_can_answer(t, query, t->hits[i].slot))
      t->slots[kept++] = t->hits[i].slot;
  return judge(t, query, kept);
}

void mn_wilson(float share, float trials, float *low, float *high) {
  const float z = 1.959964f, z2n = z * z / trials;
  const float middle = share + 0.5f * z2n, scale = 1.0f / (1.0f + z2n);
  const float spread =
      z * mn_root(share * (1.0f - share) / trials + 0.25f * z2n / trials);
  const float least = (middle - spread) * scale;
  const float most = (middle + spread) * scale;
  *low = least > 0.0f ? least : 0.0f;
  *high = most < 1.0f ? most : 1.0f;
}

/* Hits of one query are missed together more often than by chance. The number
 * of hits is divided by the design effect (Kish, "Survey Sampling", 1965,
 * section 5.4): the variance between queries as a multiple of what chance would
 * give. Where nothing or all was found that is not known, and taken for the
 * largest: each query counts once. */
static float independent_trials(const mn_trial *t, float share) {
  const float n = (float)t->count, wanted = (float)t->wanted;
  const float chance = wanted * share * (1.0f - share);
  if (!(chance > 0.0f) || t->count < 2)
    return n;
  float sum = 0.0f;
  for (uint32_t i = 0; i < t->count; i++) {
    const float off = (float)t->found[i] - wanted * share;
    sum += off * off;
  }
  float effect = sum / (n - 1.0f) / chance;
  effect = effect < 1.0f ? 1.0f : effect < wanted ? effect : wanted;
  return n * wanted / effect;
}

mn_status mn_trial_run(mn_trial *t, const mn_setting *setting, uint64_t budget,
                       mn_recall *recall, uint32_t *cut) {
  uint64_t distances = 0, refined = 0, found = 0;
  for (uint32_t i = 0; i < t->count; i++) {
    mn_stats stats;
    if (budget > 0 && t->spent >= budget) {
      *cut = 1;
      return MN_OK;
    }
    const mn_status status = run_one(t, i, setting, &stats);
    if (status != MN_OK)
      return status;
    distances += stats.distances;
    refined += stats.refined;
    found += t->found[i];
    t->spent += stats.distances + stats.refined;
  }
  const float queries = (float)t->count;
  recall->queries = t->count;
  recall->k = t->wanted;
  recall->found = found;
  recall->recall = mn_float_from_u64(found) / (queries * (float)t->wanted);
  recall->distances = mn_float_from_u64(distances) / queries;
  recall->refined = mn_float_from_u64(refined) / queries;
  mn_wilson(recall->recall, independent_trials(t, recall->recall), &recall->low,
            &recall->high);
  return MN_OK;
}

#endif
