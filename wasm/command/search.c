/* SPDX-License-Identifier: Apache-2.0 */
/* minnow search: the nearest to each query. */
#include "search.h"

#include "commands.h"
#include "options.h"
#include "precision.h"
#include "refusal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* --- Searching ------------------------------------------------------------ */

static mn_status find(search *s, uint32_t *count) {
  const mn_index *index = &s->file.index;
  mn_arena *scratch = &s->scratch.arena;
  mn_status status =
      s->is_like ? mn_index_search_like(index, s->like, &s->query, s->hits,
                                        count, scratch)
      : s->is_within
          ? mn_index_within(index, &s->query, s->radius, s->hits, count,
                            scratch)
          : mn_index_search(index, &s->query, s->hits, count, scratch);
  if (status != MN_OK || !s->is_diversified)
    return status;
  const uint32_t all = *count;
  *count = all < s->k ? all : s->k;
  return mn_index_diversify(index, s->hits, all, *count, s->lambda, scratch);
}

static exit_code search_row(search *s) {
  mn_stats stats;
  uint32_t count;
  s->query.vector = s->vector;
  s->query.dimensions = s->in.dimensions;
  s->query.stats = &stats;
  const mn_status status = find(s, &count);
  const uint64_t row = s->in.rows - 1;
  if (status == MN_ERROR_CORRUPT)
    return report_index(s->path, status);
  if (status != MN_OK)
    return refusal_report(&s->in, row, s->in.place, s->vector, 0, status);
  search_print(s, row, count, &stats);
  return EXIT_OK;
}

static exit_code search_rows(search *s) {
  for (;;) {
    bool end;
    exit_code code = input_next(&s->in, s->vector, &end);
    if (code == EXIT_OK && !end)
      code = search_row(s);
    if (code != EXIT_OK || end || ferror(stdout))
      return output_end(code);
  }
}

static exit_code search_like(search *s) {
  mn_stats stats;
  uint32_t count;
  s->query.stats = &stats;
  const mn_status status = find(s, &count);
  if (status == MN_ERROR_UNKNOWN_KEY)
    return report(EXIT_USAGE, "--like", "there is no key %" PRIu64 " in %s",
                  s->like, s->path);
  if (status != MN_OK)
    return report_index(s->path, status);
  search_print(s, s->like, count, &stats);
  return output_end(EXIT_OK);
}

/* --- The whole ------------------------------------------------------------ */

static exit_code open_queries(search *s) {
  const mn_options *options = &s->file.index.options;
  const input_wish wish = {.format = s->format,
                           .dimensions = options->dimensions,
                           .dimensions_from = "the index",
                           .bits = metric_is_binary(options->metric)};
  return input_open(&s->in, s->queries, &wish);
}

static exit_code check_plan(const search *s) {
  const int is_ivf = s->file.index.options.structure == MN_IVF;
  return s->query.plan == MN_PLAN_PROBE && !is_ivf
             ? report(EXIT_USAGE, "--plan", "%s has no lists to probe; ivf has",
                      s->path)
             : EXIT_OK;
}

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

static exit_code prepare(search *s) {
  const mn_index *index = &s->file.index;
  mn_sizes sizes;
  exit_code code = check_plan(s);
  if (code == EXIT_OK)
    code = precision_check(&s->query, &s->file);
  if (code == EXIT_OK)
    code = search_read_bits(s);
  if (code != EXIT_OK)
    return code;
  const mn_status status = mn_plan_search(index, &s->query, &sizes);
  if (status != MN_OK)
    return report_index(s->path, status);
  const size_t row_bytes = index->options.dimensions * sizeof(float);
  const size_t hits_bytes = s->query.k * sizeof(mn_hit);
  s->vector = malloc(row_bytes);
  s->hits = malloc(hits_bytes);
  if (!s->vector || !s->hits)
    return report_memory("hits", row_bytes + hits_bytes);
  const size_t bytes = s->is_like     ? sizes.like_scratch_bytes
                       : s->is_within ? sizes.within_scratch_bytes
                                      : sizes.search_scratch_bytes;
  return memory_take(&s->scratch, larger(bytes, sizes.diversify_scratch_bytes),
                     "scratch");
}

static void search_free(search *s) {
  free(s->bits);
  free(s->vector);
  free(s->hits);
  key_ranges_free(&s->where);
  key_list_free(&s->without);
  memory_free(&s->scratch);
  input_close(&s->in);
  index_file_close(&s->file);
}

exit_code command_search(int words_count, char **words) {
  search s = {.path = NULL};
  exit_code code = search_read_options(&s, words_count, words);
  if (code == EXIT_OK)
    code = index_file_open(&s.file, s.path, NULL);
  if (code == EXIT_OK && !s.is_like)
    code = open_queries(&s);
  if (code == EXIT_OK)
    code = prepare(&s);
  if (code == EXIT_OK)
    code = s.is_like ? search_like(&s) : search_rows(&s);
  search_free(&s);
  return code;
}
