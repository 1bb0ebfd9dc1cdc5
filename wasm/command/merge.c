/* SPDX-License-Identifier: Apache-2.0 */
/* minnow merge: the vectors of two indexes in one. */
#include "arguments.h"
#include "commands.h"
#include "edit.h"
#include "link.h"
#include "options.h"
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Slots to a step: some milliseconds. */
#define MERGE_STEP 1024u

typedef struct merger {
  edit edit;
  const char *other_path;
  uint64_t threads;
  mn_merge_policy policy;
  index_file other;
  mn_merging merging;
} merger;

static exit_code read_policy(const char *name, mn_merge_policy *policy) {
  static const char *const names[] = {"refuse", "keep", "take"};
  for (unsigned i = 0; i < 3; i++)
    if (strcmp(name, names[i]) == 0) {
      *policy = (mn_merge_policy)i;
      return EXIT_OK;
    }
  return report(EXIT_USAGE, "--on-conflict",
                "`%s` is none of refuse, keep and take", name);
}

static exit_code read_options(merger *u, int words_count, char **words) {
  const char *policy = "refuse", *threads_count = NULL;
  const argument arguments[] = {
      {"INDEX", "", &u->edit.path, NULL, true},
      {"OTHER", "", &u->other_path, NULL, true},
      {"-o", "OUT", &u->edit.output, NULL, true},
      {"--on-conflict", "refuse|keep|take", &policy, NULL, false},
      {"--threads", "N", &threads_count, NULL, false},
      {"--json", "", NULL, &u->edit.is_json, false},
  };
  exit_code code =
      arguments_read("merge", arguments, sizeof arguments / sizeof arguments[0],
                     words_count, words);
  if (code == EXIT_OK)
    code = read_policy(policy, &u->policy);
  return code == EXIT_OK ? link_read_threads(threads_count, &u->threads) : code;
}

static exit_code check_alike(const merger *u) {
  const mn_options *a = &u->edit.memory.index.options;
  const mn_options *b = &u->other.index.options;
  if (a->metric != b->metric)
    return report(EXIT_USAGE, u->other_path,
                  "its metric is %s, that of %s is %s; only like can be merged",
                  metric_name(b->metric), u->edit.path, metric_name(a->metric));
  if (a->dimensions != b->dimensions)
    return report(EXIT_USAGE, u->other_path,
                  "its vectors have %u dimensions, those of %s %u; only like "
                  "can be merged",
                  b->dimensions, u->edit.path, a->dimensions);
  return EXIT_OK;
}

static exit_code plan(merger *u) {
  const mn_status status = mn_plan_merge(&u->edit.memory.index, &u->other.index,
                                         u->policy, &u->merging);
  if (status != MN_OK)
    return report_index(
        status == MN_ERROR_CORRUPT ? u->other_path : u->edit.path, status);
  if (u->merging.conflicts > 0 && u->policy == MN_MERGE_REFUSE)
    return report(EXIT_INPUT, u->other_path,
                  "%u of its keys are in %s too, %" PRIu64
                  " the first; give --on-conflict keep or take",
                  u->merging.conflicts, u->edit.path,
                  u->merging.first_conflict);
  return EXIT_OK;
}

static exit_code merge_steps(merger *u) {
  index_memory *into = &u->edit.memory;
  const uint32_t total = u->merging.left;
  progress_begin("merging");
  while (u->merging.left > 0) {
    const mn_status status =
        mn_index_merge_step(&into->index, &u->other.index, &u->merging,
                            MERGE_STEP, &into->scratch.arena);
    if (status == MN_ERROR_RANGE || status == MN_ERROR_NOT_FINITE ||
        status == MN_ERROR_ZERO_VECTOR)
      return report(EXIT_INPUT, u->other_path,
                    "has a vector that %s cannot keep: %s", u->edit.path,
                    mn_status_name(status));
    if (status != MN_OK)
      return report_index(u->other_path, status);
    progress_update(total - u->merging.left, total, u->merging.merged);
  }
  progress_clear();
  return EXIT_OK;
}

static exit_code merge(merger *u) {
  index_memory *into = &u->edit.memory;
  exit_code code = index_file_open(&u->other, u->other_path, NULL);
  if (code == EXIT_OK)
    code = index_file_verify(&u->other);
  if (code == EXIT_OK && index_memory_is_collection(&u->other.index))
    code = report(EXIT_USAGE, u->other_path,
                  "a collection, whose documents would be lost; use the npm "
                  "package");
  if (code == EXIT_OK)
    code = check_alike(u);
  if (code == EXIT_OK)
    code = plan(u);
  if (code == EXIT_OK && u->merging.capacity > into->index.capacity)
    code = index_memory_resize(into, u->merging.capacity);
  if (code == EXIT_OK)
    code = plan(u); /* `auto` may be another structure now */
  if (code == EXIT_OK)
    code = index_memory_scratch(into, u->merging.step_scratch_bytes);
  return code == EXIT_OK ? merge_steps(u) : code;
}

static exit_code summarise(const merger *u) {
  const mn_info info = mn_index_info(&u->edit.memory.index);
  const mn_merging *m = &u->merging;
  if (u->edit.is_json)
    printf("{\"added\":%u,\"conflicts\":%u,\"replaced\":%u,\"recoded\":%u,"
           "\"count\":%u,\"blockBytes\":%" PRIu64 "}\n",
           m->added, m->conflicts, m->replaced, m->recoded, info.count,
           info.block_bytes);
  else
    printf("%s: %u vectors (%u added, %u replaced, %u encoded again), %" PRIu64
           " bytes\n",
           u->edit.output, info.count, m->added, m->replaced, m->recoded,
           info.block_bytes);
  return output_end(EXIT_OK);
}

exit_code command_merge(int words_count, char **words) {
  merger u = {.other_path = NULL};
  exit_code code = read_options(&u, words_count, words);
  if (code == EXIT_OK)
    code = edit_begin(&u.edit);
  if (code == EXIT_OK)
    code = edit_write(&u.edit, merge(&u), (uint32_t)u.threads);
  if (code == EXIT_OK)
    code = summarise(&u);
  edit_free(&u.edit);
  index_file_close(&u.other);
  return code;
}
