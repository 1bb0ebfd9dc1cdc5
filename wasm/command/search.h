/* SPDX-License-Identifier: Apache-2.0 */
/* What `minnow search` is at, for its files. */
#ifndef MINNOW_COMMAND_SEARCH_H
#define MINNOW_COMMAND_SEARCH_H

#include "index_memory.h"
#include "input.h"
#include "key_ranges.h"

typedef struct search {
  const char *path, *queries, *format, *bits_path;
  bool is_json, explains;
  bool is_like;        /* by the vector of `like` instead of queries */
  bool is_within;      /* all within `radius`, at most k */
  bool is_diversified; /* k of the query's, with `lambda` */
  uint64_t like;
  float radius, lambda;
  uint32_t k;
  key_ranges where;
  key_list without;
  uint32_t *bits; /* a filter */
  mn_query query; /* but for its vector */
  index_file file;
  input in;
  memory scratch;
  float *vector;
  mn_hit *hits;
} search;

/* Plans by name, in the order of mn_plan_kind. */
#define SEARCH_PLANS 6u
extern const char *const search_plans[SEARCH_PLANS];

exit_code search_read_options(search *s, int words_count, char **words);

/* Reads --filter-bits, now that the index is open. */
exit_code search_read_bits(search *s);

/* Hits of query `number`, or of those like a key. */
void search_print(const search *s, uint64_t number, uint32_t count,
                  const mn_stats *stats);

#endif
