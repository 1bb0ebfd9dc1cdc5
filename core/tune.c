/* SPDX-License-Identifier: Apache-2.0 */
/* The least work by which searches reach a recall. */
#include "arena.h"
#include "block.h"
#include "bytes.h"
#include "recall.h"
#include "search/refine.h"
#include "structure/structure.h"

#ifndef MN_ONLY_SEARCH

typedef struct tuner {
  mn_trial trial;
  float target;
  uint64_t budget;
  uint32_t cut, runs;
  mn_setting chosen; /* the latest that reached it, else the best so far */
  mn_recall recall;
  uint32_t reached;
} tuner;

/* --- One setting ---------------------------------------------------------- */

static mn_status try(tuner *t, const mn_setting *setting, int *reached) {
  mn_recall recall;
  *reached = 0;
  const mn_status status =
      mn_trial_run(&t->trial, setting, t->budget, &recall, &t->cut);
  if (status != MN_OK || t->cut)
    return status;
  *reached = recall.recall >= t->target;
  if (*reached || t->runs == 0 ||
      (!t->reached && recall.recall > t->recall.recall)) {
    t->chosen = *setting;
    mn_move(&t->recall, &recall, sizeof recall);
  }
  t->reached |= (uint32_t)*reached;
  t->runs++;
  return MN_OK;
}

/* --- One number ----------------------------------------------------------- */

typedef struct dial {
  mn_setting from; /* what the other numbers are */
  uint32_t turns_nprobe, turns_ef, turns_gamma, turns_candidates;
} dial;

/* In so many parts of 1 is gamma turned. */
#define GAMMA_STEPS 256u

static mn_setting turned(const dial *d, uint32_t value) {
  mn_setting setting = d->from;
  if (d->turns_nprobe)
    setting.nprobe = value;
  if (d->turns_ef)
    setting.ef = value;
  if (d->turns_gamma)
    setting.gamma = (float)value / (float)GAMMA_STEPS;
  if (d->turns_candidates)
    setting.candidates = value;
  return setting;
}

static mn_status turn(tuner *t, const dial *d, uint32_t value, int *reached) {
  const mn_setting setting = turned(d, value);
  return try(t, &setting, reached);
}

/* The smallest from `failed` + 1 on, where `value` is known to reach. */
static mn_status bisect(tuner *t, const dial *d, uint32_t failed,
                        uint32_t value) {
  mn_status status = MN_OK;
  while (value - failed > 1 && status == MN_OK && !t->cut) {
    const uint32_t middle = failed + (value - failed) / 2;
    int reached;
    status = turn(t, d, middle, &reached);
    if (reached)
      value = middle;
    else
      failed = middle;
  }
  return status;
}

/* The smallest from `from` to `to`, if there is one. */
static mn_status find(tuner *t, const dial *d, uint32_t from, uint32_t to) {
  uint32_t failed = from - 1, value = from;
  int reached = 0;
  mn_status status = turn(t, d, value, &reached);
  while (!reached && value < to && status == MN_OK && !t->cut) {
    failed = value;
    value = value < to - value ? 2 * value : to;
    status = turn(t, d, value, &reached);
  }
  return reached && status == MN_OK ? bisect(t, d, failed, value) : status;
}

/* --- All ------------------------------------------------------------------ */

/* The lists to probe, then what to refine. Where all lists are not enough, more
 * is refined, and then fewer lists may do. */
static mn_status choose_nprobe(tuner *t, int turns_candidates,
                               uint32_t ef_max) {
  const uint32_t nlist = t->trial.index->options.nlist;
  dial lists = {.from = t->trial.asked, .turns_nprobe = 1};
  mn_status status = find(t, &lists, 1, nlist);
  if (status != MN_OK || t->cut || !turns_candidates)
    return status;
  if (!t->reached) {
    dial refined = {.from = lists.from, .turns_candidates = 1};
    const uint32_t more = lists.from.candidates + 1;
    refined.from.nprobe = nlist;
    if (more <= ef_max)
      status = find(t, &refined, more, ef_max);
    if (status != MN_OK || t->cut || !t->reached)
      return status;
    lists.from = t->chosen;
    status = bisect(t, &lists, 0, nlist);
  }
  if (status != MN_OK || t->cut)
    return status;
  const dial candidates = {.from = t->chosen, .turns_candidates = 1};
  return bisect(t, &candidates, t->trial.query.k - 1, t->chosen.candidates);
}

/* Where a walk ends with gamma, keeping and refining as many as it may; then
 * the fewest to refine, and the smallest ef. */
static mn_status choose_gamma(tuner *t, int turns_candidates, uint32_t ef_max) {
  const uint32_t k = t->trial.query.k;
  dial gamma = {.from = mn_trial_widest(&t->trial, ef_max), .turns_gamma = 1};
  const uint32_t ef = gamma.from.ef;
  if (turns_candidates)
    gamma.from.candidates = ef;
  mn_status status = find(t, &gamma, 1, (uint32_t)MN_GAMMA_MAX * GAMMA_STEPS);
  if (status == MN_OK && t->reached && !t->cut && turns_candidates) {
    const dial candidates = {.from = t->chosen, .turns_candidates = 1};
    status = find(t, &candidates, k, ef);
  }
  if (status == MN_OK && t->reached && !t->cut) {
    const dial least = {.from = t->chosen, .turns_ef = 1};
    status = find(t, &least, t->chosen.candidates, ef);
  }
  return status;
}

static mn_status choose_ef(tuner *t, int turns_candidates, uint32_t ef_max) {
  const uint32_t k = t->trial.query.k;
  const dial both = {.from = t->trial.asked,
                     .turns_ef = 1,
                     .turns_candidates = (uint32_t)turns_candidates};
  const uint32_t from = turns_candidates ? k : both.from.candidates;
  const mn_status status = find(t, &both, from, ef_max > from ? ef_max : from);
  if (status != MN_OK || !turns_candidates || !t->reached || t->cut)
    return status;
  const dial candidates = {.from = t->chosen, .turns_candidates = 1};
  return bisect(t, &candidates, k - 1, t->chosen.candidates);
}

static mn_status choose(tuner *t, uint32_t ef_max) {
  const mn_trial *trial = &t->trial;
  const mn_query *query = &trial->query;
  const int turns_candidates = trial->refines && query->refine_k == 0.0f;
  if (mn_is_ivf(&trial->index->options) && query->nprobe == 0)
    return choose_nprobe(t, turns_candidates, ef_max);
  if (trial->turns_gamma)
    return choose_gamma(t, turns_candidates, ef_max);
  if (trial->turns_ef)
    return choose_ef(t, turns_candidates, ef_max);
  int reached;
  if (!turns_candidates)
    return try(t, &trial->asked, &reached);
  const dial candidates = {.from = trial->asked, .turns_candidates = 1};
  return find(t, &candidates, query->k, mn_trial_most(trial, ef_max));
}

static uint32_t ef_max_of(const mn_tuning *tuning) {
  const uint32_t ef_max = tuning->ef_max == 0 ? MN_TUNE_EF_MAX : tuning->ef_max;
  const uint32_t k =
      tuning->sampling.query == NULL ? 0 : tuning->sampling.query->k;
  return ef_max > k ? ef_max : k;
}

static mn_status plan(const mn_index *index, const mn_tuning *tuning,
                      tuner *t) {
  if (tuning == NULL || !(tuning->recall > 0.0f && tuning->recall <= 1.0f) ||
      tuning->ef_max > MN_EF_MAX || tuning->store > 1)
    return MN_ERROR_ARGUMENT;
  mn_zero(t, sizeof *t);
  t->target = tuning->recall;
  t->budget = tuning->budget;
  return mn_trial_plan(index, &tuning->sampling, ef_max_of(tuning), &t->trial);
}

mn_status mn_plan_tune(const mn_index *index, const mn_tuning *tuning,
                       size_t *scratch_bytes) {
  tuner t;
  mn_arena measuring = mn_arena_measuring();
  if (scratch_bytes == NULL)
    return MN_ERROR_ARGUMENT;
  const mn_status status = plan(index, tuning, &t);
  if (status != MN_OK)
    return status;
  if (!mn_trial_allocate(&t.trial, &measuring))
    return MN_ERROR_TOO_LARGE;
  *scratch_bytes = measuring.used;
  return MN_OK;
}

static void report(const tuner *t, mn_tuned *tuned) {
  const mn_trial *trial = &t->trial;
  const int has_graph = trial->index->options.structure == MN_HNSW;
  mn_zero(tuned, sizeof *tuned);
  mn_move(&tuned->recall, &t->recall, sizeof t->recall);
  tuned->reached = t->reached;
  tuned->cut = t->cut;
  tuned->runs = t->runs;
  tuned->spent = trial->spent;
  if (t->runs > 0 && has_graph) {
    tuned->ef = t->chosen.ef;
    tuned->gamma = t->chosen.gamma;
  }
  if (t->runs > 0)
    tuned->nprobe = t->chosen.nprobe;
  if (t->runs > 0 && trial->refines)
    tuned->refine_k = mn_refine_k_of(t->chosen.candidates, trial->query.k);
}

mn_status mn_index_set_tuned(mn_index *index, uint32_t ef, float gamma,
                             uint32_t nprobe, float refine_k) {
  if (index == NULL || ef > MN_EF_MAX || nprobe > MN_NLIST_MAX ||
      !mn_gamma_holds(&index->options, gamma) ||
      !(refine_k == 0.0f || (refine_k >= 1.0f && refine_k <= (float)MN_EF_MAX)))
    return MN_ERROR_ARGUMENT;
  if (!index->writable)
    return MN_ERROR_READ_ONLY;
  mn_index_unseal(index);
  index->state->tuned_ef = ef;
  index->state->tuned_gamma = gamma;
  index->state->tuned_nprobe = nprobe;
  index->state->tuned_refine_k = refine_k;
  return MN_OK;
}

mn_status mn_index_tune(mn_index *index, const mn_tuning *tuning,
                        mn_tuned *tuned, mn_arena *scratch) {
  if (tuned == NULL || scratch == NULL)
    return MN_ERROR_ARGUMENT;
  tuner t;
  mn_status status = plan(index, tuning, &t);
  if (status == MN_OK && tuning->store && !index->writable)
    status = MN_ERROR_READ_ONLY;
  if (status != MN_OK)
    return status;
  const size_t mark = mn_arena_mark(scratch);
  if (!mn_trial_allocate(&t.trial, scratch))
    status = MN_ERROR_ARENA;
  if (status == MN_OK)
    status = mn_trial_begin(&t.trial, t.budget);
  t.cut = t.trial.count == 0;
  if (status == MN_OK && !t.cut)
    status = choose(&t, ef_max_of(tuning));
  mn_arena_rewind(scratch, mark);
  if (status != MN_OK)
    return status;
  report(&t, tuned);
  tuned->stored = tuning->store && tuned->reached;
  return tuned->stored ? mn_index_set_tuned(index, tuned->ef, tuned->gamma,
                                            tuned->nprobe, tuned->refine_k)
                       : MN_OK;
}

#endif
