/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include "input.h"
#include "options.h"

#include <stdio.h>

#define FIRST_ROWS 256u
#define DEFAULT_K  10u

static exit_code read_numbers(measure *m) {
  uint64_t k = DEFAULT_K, sample = MN_SAMPLE_DEFAULT;
  exit_code code = arguments_number("-k", m->k, 1, MN_EF_MAX - 1, &k);
  if (code == EXIT_OK)
    code = arguments_number("--sample", m->sample, 1, MN_CAPACITY_MAX, &sample);
  if (code == EXIT_OK)
    code = precision_read(&m->words, &m->query);
  if (code == EXIT_OK && m->sample && m->queries)
    return report(EXIT_USAGE, "--sample",
                  "is of vectors of the index, --queries of others; give one");
  m->query.k = (uint32_t)k;
  m->sampling = (mn_sampling){.query = &m->query, .sample = (uint32_t)sample};
  return code;
}

static exit_code read_queries(measure *m) {
  const mn_options *options = &m->file.index.options;
  const input_wish wish = {.format = m->format,
                           .dimensions = options->dimensions,
                           .dimensions_from = "the index",
                           .bits = metric_is_binary(options->metric)};
  input in = {.rows = 0};
  exit_code code = input_open(&in, m->queries, &wish);
  if (code == EXIT_OK)
    code = rows_create(&m->rows, FIRST_ROWS, options->dimensions);
  if (code == EXIT_OK)
    code = rows_read_all(&m->rows, &in, NULL);
  input_close(&in);
  m->vectors =
      (mn_vectors){m->rows.vectors, m->rows.count, options->dimensions};
  m->sampling.queries = &m->vectors;
  return code;
}

exit_code measure_begin(measure *m) {
  exit_code code = read_numbers(m);
  if (code == EXIT_OK)
    code = index_file_open(&m->file, m->path, NULL);
  if (code == EXIT_OK)
    code = index_memory_open(&m->memory, &m->file);
  if (code == EXIT_OK)
    code = precision_check(&m->query, &m->file);
  return code == EXIT_OK && m->queries ? read_queries(m) : code;
}

void measure_free(measure *m) {
  rows_free(&m->rows);
  index_memory_free(&m->memory);
  index_file_close(&m->file);
}

exit_code measure_refused(const measure *m, mn_status status) {
  if (m->queries &&
      (status == MN_ERROR_NOT_FINITE || status == MN_ERROR_ZERO_VECTOR))
    return report(
        EXIT_INPUT, m->queries,
        "a row cannot be searched for: %s; `minnow search` says which",
        mn_status_name(status));
  return status == MN_ERROR_SAMPLE
             ? report(EXIT_USAGE, m->path,
                      "without a vector, there is nothing to be found")
             : report_index(m->path, status);
}

void measure_print(const measure *m, const mn_recall *recall) {
  printf("  recall@%-10u %.4f (%.4f to %.4f, 95 %% sure)\n", recall->k,
         (double)recall->recall, (double)recall->low, (double)recall->high);
  printf("  queries           %u %s\n", recall->queries,
         m->queries ? "given" : "vectors of the index");
  printf("  distances         %.1f a query\n", (double)recall->distances);
  if (recall->refined > 0)
    printf("  refined           %.1f a query\n", (double)recall->refined);
}

void measure_print_json(const mn_recall *recall) {
  printf("{\"queries\":%u,\"k\":%u,\"recall\":%.9g,\"low\":%.9g,"
         "\"high\":%.9g,\"distances\":%.9g,\"refined\":%.9g}",
         recall->queries, recall->k, (double)recall->recall,
         (double)recall->low, (double)recall->high, (double)recall->distances,
         (double)recall->refined);
}
