/* SPDX-License-Identifier: Apache-2.0 */
/* The least work by which searches reach a recall. */
#include "arena.h"
#include "block.h"
#include "bytes.h"
#include "recall.h"
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
  uint32_t turns_nprobe, turns_ef, turns_candidates;
} dial;

static mn_setting turned(const dial *d, uint32_t value) {
  mn_setting setting = d->from;
  if (d->turns_nprobe)
    setting.nprobe = value;
  if (d->turns_ef)
    setting.ef = value;
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
  dial lists = {t->trial.asked, 1, 0, 0};
  mn_status status = find(t, &lists, 1, nlist);
  if (status != MN_OK || t->cut || !turns_candidates)
    return status;
  if (!t->reached) {
    dial refined = {lists.from, 0, 0, 1};
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
  const dial candidates = {t->chosen, 0, 0, 1};
  return bisect(t, &candidates, t->trial.query.k - 1, t->chosen.candidates);
}

static mn_status choose(tuner *t, uint32_t ef_max) {
  const mn_trial *trial = &t->trial;
  const mn_query *query = &trial->query;
  const uint32_t k = query->k;
  const int has_graph = trial->index->options.structure == MN_HNSW;
  const int turns_ef = has_graph && query->ef == 0;
  const int turns_candidates = trial->refines && query->refine_k == 0.0f;
  if (mn_is_ivf(&trial->index->options) && query->nprobe == 0)
    return choose_nprobe(t, turns_candidates, ef_max);
  const dial both = {trial->asked, 0, (uint32_t)turns_ef,
                     (uint32_t)turns_candidates};
  int reached;
  if (!turns_ef && !turns_candidates)
    return try(t, &both.from, &reached);
  if (!turns_ef)
    return find(t, &both, k, has_graph ? both.from.ef : ef_max);
  const uint32_t from = turns_candidates ? k : both.from.candidates;
  mn_status status = find(t, &both, from, ef_max > from ? ef_max : from);
  if (status == MN_OK && turns_candidates && t->reached && !t->cut) {
    const dial candidates = {t->chosen, 0, 0, 1};
    status = bisect(t, &candidates, k - 1, t->chosen.candidates);
  }
  return status;
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
  if (t->runs > 0 && has_graph)
    tuned->ef = t->chosen.ef;
  if (t->runs > 0)
    tuned->nprobe = t->chosen.nprobe;
  if (t->runs > 0 && trial->refines)
    tuned->refine_k = mn_refine_k_of(t->chosen.candidates, trial->query.k);
}

mn_status mn_index_set_tuned(mn_index *index, uint32_t ef, uint32_t nprobe,
                             float refine_k) {
  if (index == NULL || ef > MN_EF_MAX || nprobe > MN_NLIST_MAX ||
      !(refine_k == 0.0f || (refine_k >= 1.0f && refine_k <= (float)MN_EF_MAX)))
    return MN_ERROR_ARGUMENT;
  if (!index->writable)
    return MN_ERROR_READ_ONLY;
  mn_index_unseal(index);
  index->state->tuned_ef = ef;
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
  return tuned->stored ? mn_index_set_tuned(index, tuned->ef, tuned->nprobe,
                                            tuned->refine_k)
                       : MN_OK;
}

#endif
