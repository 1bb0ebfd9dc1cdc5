/* SPDX-License-Identifier: Apache-2.0 */
/* minnow audit: how good an index is. */
#include "commands.h"
#include "measure.h"
#include "progress.h"

#include <stdio.h>

static exit_code read_options(measure *m, int words_count, char **words) {
  const argument arguments[] = {MEASURE_ARGUMENTS(m),
                                PRECISION_ARGUMENTS(&m->words)};
  return arguments_read("audit", arguments,
                        sizeof arguments / sizeof arguments[0], words_count,
                        words);
}

static exit_code look(measure *m, mn_audit *seen) {
  const mn_index *index = &m->memory.index;
  size_t bytes;
  if (mn_index_info(index).count == 0)
    m->sampling = (mn_sampling){.query = NULL};
  mn_status status = mn_plan_audit(index, &m->sampling, &bytes);
  if (status != MN_OK)
    return measure_refused(m, status);
  const exit_code code = index_memory_scratch(&m->memory, bytes);
  if (code != EXIT_OK)
    return code;
  progress_begin("looking at");
  progress_update(0, 0, mn_index_info(index).count);
  status = mn_index_audit(index, &m->sampling, seen, &m->memory.scratch.arena);
  progress_clear();
  return status == MN_OK ? EXIT_OK : measure_refused(m, status);
}

/* Names as in the npm package's audit(). */
static void print_json(const measure *m, const mn_audit *seen) {
  fputs("{\"recall\":", stdout);
  if (m->sampling.query)
    measure_print_json(&seen->recall);
  else
    fputs("null", stdout);
  printf(",\"vectors\":%u,\"deadShare\":%.9g,\"duplicates\":%u,\"groups\":%u,"
         "\"largest\":%u,\"linked\":%u,\"pending\":%u,\"unreachable\":%u,"
         "\"links\":%.9g,\"linkBits\":%.9g,\"lists\":%u,\"emptyLists\":%u,"
         "\"largestList\":%u}\n",
         seen->vectors, (double)seen->dead_share, seen->duplicates,
         seen->groups, seen->largest, seen->linked, seen->pending,
         seen->unreachable, (double)seen->links, (double)seen->link_bits,
         seen->lists, seen->empty_lists, seen->largest_list);
}

static void print_table(const measure *m, const mn_audit *seen) {
  printf("%s\n", m->path);
  if (m->sampling.query)
    measure_print(m, &seen->recall);
  printf("  vectors           %u\n", seen->vectors);
  printf("  deleted           %.2f %% of the slots\n",
         100 * (double)seen->dead_share);
  printf("  duplicates        %u of the vectors, in %u groups of up to %u\n",
         seen->duplicates, seen->groups, seen->largest);
  if (m->file.index.options.structure == MN_HNSW) {
    printf("  in the graph      %u, and %u wait\n", seen->linked,
           seen->pending);
    printf("  out of reach      %u\n", seen->unreachable);
    printf("  links             %.2f a vector, of %.2f bits\n",
           (double)seen->links, (double)seen->link_bits);
  }
  if (seen->lists > 0)
    printf("  lists             %u, %u of them empty, the largest of %u\n",
           seen->lists, seen->empty_lists, seen->largest_list);
}

exit_code command_audit(int words_count, char **words) {
  measure m = {.path = NULL};
  mn_audit seen;
  exit_code code = read_options(&m, words_count, words);
  if (code == EXIT_OK)
    code = measure_begin(&m);
  if (code == EXIT_OK)
    code = look(&m, &seen);
  if (code == EXIT_OK && m.is_json)
    print_json(&m, &seen);
  else if (code == EXIT_OK)
    print_table(&m, &seen);
  measure_free(&m);
  return code == EXIT_OK ? output_end(EXIT_OK) : code;
}
