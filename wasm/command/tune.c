/* SPDX-License-Identifier: Apache-2.0 */
/* minnow tune: what searches need to reach a recall. */
#include "commands.h"
#include "measure.h"
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct tuning {
  measure of;
  const char *output;
  bool sets; /* what is given, unmeasured */
  mn_tuning how;
  mn_tuned found;
} tuning;

static exit_code read_options(tuning *t, int words_count, char **words) {
  const char *recall = NULL, *ef_max = NULL, *budget = NULL;
  const argument arguments[] = {
      MEASURE_ARGUMENTS(&t->of),
      PRECISION_ARGUMENTS(&t->of.words),
      {"-o", "OUT", &t->output, NULL, false},
      {"--recall", "R", &recall, NULL, false},
      {"--ef-max", "N", &ef_max, NULL, false},
      {"--budget", "N", &budget, NULL, false},
      {"--set", "", NULL, &t->sets, false},
  };
  uint64_t most = 0;
  t->how.recall = 0.95f;
  exit_code code =
      arguments_read("tune", arguments, sizeof arguments / sizeof arguments[0],
                     words_count, words);
  if (code == EXIT_OK)
    code = arguments_real("--recall", recall, 0.001f, 1, &t->how.recall);
  if (code == EXIT_OK)
    code = arguments_number("--ef-max", ef_max, 1, MN_EF_MAX, &most);
  if (code == EXIT_OK)
    code = arguments_number("--budget", budget, 1, UINT64_MAX, &t->how.budget);
  if (code == EXIT_OK && t->sets && !t->output)
    return report(EXIT_USAGE, "--set", "give -o: where is it to be written?");
  if (code == EXIT_OK && t->output)
    code = output_file_check(t->output);
  t->how.ef_max = (uint32_t)most;
  t->how.store = t->output != NULL;
  return code;
}

static exit_code run(tuning *t) {
  index_memory *into = &t->of.memory;
  size_t bytes;
  t->how.sampling = t->of.sampling;
  mn_status status = mn_plan_tune(&into->index, &t->how, &bytes);
  if (status != MN_OK)
    return measure_refused(&t->of, status);
  const exit_code code = index_memory_scratch(into, bytes);
  if (code != EXIT_OK)
    return code;
  progress_begin("tuning for");
  progress_update(0, 0, mn_index_info(&into->index).count);
  status =
      mn_index_tune(&into->index, &t->how, &t->found, &into->scratch.arena);
  progress_clear();
  return status == MN_OK ? EXIT_OK : measure_refused(&t->of, status);
}

/* Stores what is given, or, where nothing is, that there is nothing. */
static exit_code set(tuning *t) {
  const mn_query *query = &t->of.query;
  const mn_status status =
      mn_index_set_tuned(&t->of.memory.index, query->ef, query->gamma,
                         query->nprobe, query->refine_k);
  t->found = (mn_tuned){.ef = query->ef,
                        .gamma = query->gamma,
                        .nprobe = query->nprobe,
                        .refine_k = query->refine_k,
                        .reached = 1,
                        .stored = 1};
  return status == MN_OK ? EXIT_OK : measure_refused(&t->of, status);
}

static exit_code write(tuning *t) {
  output_file to;
  if (!t->found.stored)
    return EXIT_OK;
  const exit_code code = output_file_begin(&to, t->output);
  return code == EXIT_OK
             ? output_file_end(&to, index_memory_write(&t->of.memory, &to))
             : code;
}

static const char *truth(uint32_t value) {
  return value ? "true" : "false";
}

static void print(const tuning *t) {
  const mn_tuned *found = &t->found;
  if (t->of.is_json) {
    printf("{\"ef\":%u,\"gamma\":%.9g,\"nprobe\":%u,\"refineK\":%.9g",
           found->ef, (double)found->gamma, found->nprobe,
           (double)found->refine_k);
    if (t->sets) {
      printf(",\"stored\":true}\n");
      return;
    }
    printf(",\"recall\":");
    measure_print_json(&found->recall);
    printf(",\"reached\":%s,\"cut\":%s,\"stored\":%s,\"runs\":%u,"
           "\"spent\":%" PRIu64 "}\n",
           truth(found->reached), truth(found->cut), truth(found->stored),
           found->runs, found->spent);
    return;
  }
  printf("%s\n", t->of.path);
  if (found->ef > 0)
    printf("  ef                %u\n", found->ef);
  if (found->gamma > 0)
    printf("  gamma             %.9g\n", (double)found->gamma);
  if (found->nprobe > 0)
    printf("  nprobe            %u\n", found->nprobe);
  if (found->refine_k > 0)
    printf("  refine_k          %.4g\n", (double)found->refine_k);
  if (found->ef == 0 && !(found->gamma > 0) && found->nprobe == 0 &&
      found->refine_k == 0)
    printf(t->sets ? "  not tuned         the defaults hold\n"
                   : "  nothing to tune   a scan compares all\n");
  if (!t->sets) {
    measure_print(&t->of, &found->recall);
    printf("  tried             %u settings, %" PRIu64 " distances%s\n",
           found->runs, found->spent, found->cut ? ", cut by --budget" : "");
  }
  if (found->stored)
    printf("  written to        %s\n", t->output);
}

static exit_code end(const tuning *t) {
  print(t);
  const exit_code code = output_end(EXIT_OK);
  if (code != EXIT_OK || t->found.reached)
    return code;
  return report(EXIT_INPUT, "--recall",
                "%g was not reached: %.4f is the best that was seen%s",
                (double)t->how.recall, (double)t->found.recall.recall,
                t->output ? "; nothing was written" : "");
}

exit_code command_tune(int words_count, char **words) {
  tuning t = {.output = NULL};
  exit_code code = read_options(&t, words_count, words);
  if (code == EXIT_OK)
    code = measure_begin(&t.of);
  if (code == EXIT_OK && t.output)
    code = index_file_verify(&t.of.file);
  if (code == EXIT_OK)
    code = t.sets ? set(&t) : run(&t);
  if (code == EXIT_OK)
    code = write(&t);
  if (code == EXIT_OK)
    code = end(&t);
  measure_free(&t.of);
  return code;
}
