/* SPDX-License-Identifier: Apache-2.0 */
/* What recall is measured with, for `minnow tune` and `minnow audit`. */
#ifndef MINNOW_COMMAND_MEASURE_H
#define MINNOW_COMMAND_MEASURE_H

#include "arguments.h"
#include "index_memory.h"
#include "precision.h"
#include "rows.h"

typedef struct measure {
  const char *path, *queries, *format;
  bool is_json;
  const char *k, *sample; /* as given */
  precision_words words;
  mn_query query;
  mn_vectors vectors; /* of the queries */
  mn_sampling sampling;
  index_file file;
  index_memory memory;
  rows rows;
} measure;

/* The arguments that both commands take, for their tables. */
#define MEASURE_ARGUMENTS(m)                                                   \
  {"INDEX", "", &(m)->path, NULL, true}, {"-k", "K", &(m)->k, NULL, false},    \
      {"--queries", "FILE", &(m)->queries, NULL, false},                       \
      {"--format", "FORMAT", &(m)->format, NULL, false},                       \
      {"--sample", "N", &(m)->sample, NULL, false}, {                          \
    "--json", "", NULL, &(m)->is_json, false                                   \
  }

/* Opens the index, and reads the queries. */
exit_code measure_begin(measure *m);
void measure_free(measure *m);

/* Reports what the library refused to measure with. */
exit_code measure_refused(const measure *m, mn_status status);

void measure_print(const measure *m, const mn_recall *recall);
/* {"queries":…,"k":…,…} */
void measure_print_json(const mn_recall *recall);

#endif
