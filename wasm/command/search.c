/* SPDX-License-Identifier: Apache-2.0 */
/* minnow search: the nearest to each query. */
#include "arguments.h"
#include "commands.h"
#include "index_file.h"
#include "index_memory.h"
#include "input.h"
#include "options.h"
#include "refusal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct search {
  const char *path, *queries, *format;
  bool is_json;
  mn_query query;
  index_file file;
  input in;
  memory scratch;
  float *vector;
  mn_hit *hits;
} search;

static exit_code read_options(search *s, int words_count, char **words) {
  const char *k = NULL, *ef = NULL, *planes = NULL, *refine_planes = NULL,
             *refine_k = NULL;
  const argument arguments[] = {
      {"INDEX", "", &s->path, NULL, true},
      {"QUERIES", "", &s->queries, NULL, true},
      {"-k", "K", &k, NULL, true},
      {"--ef", "N", &ef, NULL, false},
      {"--planes", "P", &planes, NULL, false},
      {"--refine-planes", "P", &refine_planes, NULL, false},
      {"--refine-k", "X", &refine_k, NULL, false},
      {"--json", "", NULL, &s->is_json, false},
      {"--format", "FORMAT", &s->format, NULL, false},
  };
  uint64_t numbers[4] = {0};
  exit_code code = arguments_read("search", arguments,
                                  sizeof arguments / sizeof arguments[0],
                                  words_count, words);
  if (code == EXIT_OK)
    code = arguments_number("-k", k, 1, MN_EF_MAX, &numbers[0]);
  if (code == EXIT_OK)
    code = arguments_number("--ef", ef, 1, MN_EF_MAX, &numbers[1]);
  if (code == EXIT_OK)
    code = arguments_number("--planes", planes, 1, 8, &numbers[2]);
  if (code == EXIT_OK)
    code =
        arguments_number("--refine-planes", refine_planes, 1, 8, &numbers[3]);
  if (code == EXIT_OK)
    code = arguments_factor("--refine-k", refine_k, (float)MN_EF_MAX,
                            &s->query.refine_k);
  s->query.k = (uint32_t)numbers[0];
  s->query.ef = (uint32_t)numbers[1];
  s->query.planes = (uint32_t)numbers[2];
  s->query.refine_planes = (uint32_t)numbers[3];
  return code;
}

/* --- Printing ------------------------------------------------------------- */

/* 9 digits tell every float from its neighbours. */
static void print_json(uint64_t query, const mn_hit *hits, uint32_t count) {
  printf("{\"query\":%" PRIu64 ",\"keys\":[", query);
  for (uint32_t i = 0; i < count; i++)
    printf("%s%" PRIu64, i ? "," : "", hits[i].key);
  fputs("],\"distances\":[", stdout);
  for (uint32_t i = 0; i < count; i++)
    printf("%s%.9g", i ? "," : "", (double)hits[i].distance);
  fputs("]}\n", stdout);
}

static void print_table(uint64_t query, const mn_hit *hits, uint32_t count,
                        const mn_stats *stats) {
  printf("query %" PRIu64 ": %u nearest%s, %" PRIu64 " distances computed",
         query, count, stats->exact ? " (exact)" : "", stats->distances);
  if (stats->planes > 0)
    printf(" by %u plane%s", stats->planes, stats->planes > 1 ? "s" : "");
  if (stats->refined > 0)
    printf(", %u refined", stats->refined);
  printf(", %" PRIu64 " bytes read\n", stats->bytes);
  printf("%6s  %20s  %s\n", "rank", "key", "distance");
  for (uint32_t i = 0; i < count; i++)
    printf("%6u  %20" PRIu64 "  %.9g\n", i + 1, hits[i].key,
           (double)hits[i].distance);
}

/* --- Searching ------------------------------------------------------------ */

static exit_code search_row(search *s) {
  mn_stats stats;
  uint32_t count;
  s->query.vector = s->vector;
  s->query.dimensions = s->in.dimensions;
  s->query.stats = &stats;
  mn_status status = mn_index_search(&s->file.index, &s->query, s->hits, &count,
                                     &s->scratch.arena);
  uint64_t row = s->in.rows - 1;
  if (status == MN_ERROR_CORRUPT)
    return report_index(s->path, status);
  if (status != MN_OK)
    return refusal_report(&s->in, row, s->in.place, s->vector, 0, status);
  if (s->is_json)
    print_json(row, s->hits, count);
  else
    print_table(row, s->hits, count, &stats);
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

/* The planes that an index has are known only now. */
static exit_code report_planes(const search *s) {
  char spec[MN_SPEC_BYTES];
  mn_options_format(&s->file.index.options, spec);
  return report(EXIT_USAGE, "--planes",
                "%s is %s; bits1 to bits8 take 1, 2, 4 or all of their bits, "
                "and with --planes and no refine encoding --refine-planes "
                "takes more of them",
                s->path, spec);
}

static exit_code prepare(search *s) {
  const mn_index *index = &s->file.index;
  mn_sizes sizes;
  const mn_status status = mn_plan_search(index, &s->query, &sizes);
  if (status == MN_ERROR_ARGUMENT)
    return report_planes(s);
  if (status != MN_OK)
    return report_index(s->path, status);
  size_t row_bytes = s->in.dimensions * sizeof(float);
  size_t hits_bytes = s->query.k * sizeof(mn_hit);
  s->vector = malloc(row_bytes);
  s->hits = malloc(hits_bytes);
  if (!s->vector || !s->hits)
    return report_memory("hits", row_bytes + hits_bytes);
  return memory_take(&s->scratch, sizes.search_scratch_bytes, "scratch");
}

exit_code command_search(int words_count, char **words) {
  search s = {.path = NULL};
  exit_code code = read_options(&s, words_count, words);
  if (code == EXIT_OK)
    code = index_file_open(&s.file, s.path, NULL);
  if (code != EXIT_OK)
    return code;
  const mn_options *options = &s.file.index.options;
  const input_wish wish = {.format = s.format,
                           .dimensions = options->dimensions,
                           .dimensions_from = "the index",
                           .bits = metric_is_binary(options->metric)};
  code = input_open(&s.in, s.queries, &wish);
  if (code == EXIT_OK)
    code = prepare(&s);
  if (code == EXIT_OK)
    code = search_rows(&s);
  free(s.vector);
  free(s.hits);
  memory_free(&s.scratch);
  input_close(&s.in);
  index_file_close(&s.file);
  return code;
}
