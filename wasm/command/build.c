/* SPDX-License-Identifier: Apache-2.0 */
/* minnow build: rows in, an index file out. */
#include "build.h"

#include "arguments.h"
#include "commands.h"
#include "link.h"
#include "options.h"
#include "progress.h"

#include <inttypes.h>
#include <string.h>

/* Rows to a batch: some milliseconds. */
#define BATCH_ROWS 256u
/* Capacity to begin with where the number of rows is not known. */
#define FIRST_CAPACITY 1024u

/* --- Command line --------------------------------------------------------- */

/* `auto` by itself: all is chosen by what the rows turn out to be. */
static exit_code read_spec(const char *spec, const char *budget, build *b) {
  b->is_auto = strcmp(spec, "auto") == 0;
  if ((budget || b->is_paged) && !b->is_auto)
    return report(EXIT_USAGE, budget ? "--budget" : "--paged",
                  "goes with --spec auto; %s leaves nothing to choose", spec);
  exit_code code = arguments_bytes("--budget", budget, &b->budget);
  return code == EXIT_OK ? options_read_spec(spec, &b->options) : code;
}

static exit_code read_options(build *b, int words_count, char **words) {
  const char *metric = NULL, *spec = "auto", *budget = NULL, *dimensions = NULL,
             *seed = NULL, *ef_construction = NULL, *train = NULL,
             *threads_count = NULL;
  const argument arguments[] = {
      {"INPUT", "", &b->input, NULL, true},
      {"-o", "INDEX", &b->output, NULL, true},
      {"--metric", METRICS, &metric, NULL, true},
      {"--spec", "SPEC", &spec, NULL, false},
      {"--budget", "BYTES", &budget, NULL, false},
      {"--paged", "", NULL, &b->is_paged, false},
      {"--pack", "", NULL, &b->packs, false},
      {"--threads", "N", &threads_count, NULL, false},
      {"--train", "N", &train, NULL, false},
      {"--dimensions", "D", &dimensions, NULL, false},
      {"--seed", "N", &seed, NULL, false},
      {"--ef-construction", "N", &ef_construction, NULL, false},
      {"--keys", "FILE", &b->keys_path, NULL, false},
      {"--format", "FORMAT", &b->format, NULL, false},
  };
  exit_code code =
      arguments_read("build", arguments, sizeof arguments / sizeof arguments[0],
                     words_count, words);
  uint64_t wide_dimensions = 0, ef = 0;
  if (code == EXIT_OK)
    code = options_read_metric(metric, &b->options);
  if (code == EXIT_OK)
    code = read_spec(spec, budget, b);
  if (code == EXIT_OK)
    code = arguments_number("--dimensions", dimensions, 1, MN_DIMENSIONS_MAX,
                            &wide_dimensions);
  if (code == EXIT_OK)
    code = arguments_number("--seed", seed, 0, UINT64_MAX, &b->options.seed);
  if (code == EXIT_OK)
    code = arguments_number("--ef-construction", ef_construction, 1, MN_EF_MAX,
                            &ef);
  if (code == EXIT_OK)
    code = arguments_number("--train", train, 1, MN_CAPACITY_MAX, &b->train);
  if (code == EXIT_OK)
    code = link_read_threads(threads_count, &b->threads);
  if (code == EXIT_OK)
    code = output_file_check(b->output);
  if (code != EXIT_OK)
    return code;
  b->options.dimensions = (uint32_t)wide_dimensions;
  b->options.ef_construction = (uint32_t)ef;
  code = rows_check_names(b->input, b->keys_path, b->output);
  return code == EXIT_OK ? options_check(&b->options) : code;
}

/* --- Rows into the index -------------------------------------------------- */

static exit_code append(build *b) {
  const rows *batch = &b->batch;
  mn_index *index = &b->memory.index;
  exit_code code = index_memory_reserve(&b->memory, batch->count);
  mn_sizes sizes;
  if (code == EXIT_OK)
    code = index_memory_plan(&b->memory, index->capacity, &sizes);
  if (code == EXIT_OK)
    code = index_memory_scratch(&b->memory, sizes.append_scratch_bytes);
  if (code != EXIT_OK)
    return code;
  mn_vectors vectors = {batch->vectors, batch->count, b->in.dimensions};
  uint32_t bad_row = UINT32_MAX;
  mn_status status =
      mn_index_append(index, batch->have_keys ? batch->keys : NULL, &vectors,
                      &bad_row, &b->memory.scratch.arena);
  if (status == MN_OK)
    return EXIT_OK;
  return bad_row < batch->count ? rows_refused(batch, &b->in, bad_row, status)
                                : report_status("adding", status);
}

static exit_code read_rows(build *b) {
  key_file *keys_file = b->keys_path ? &b->keys : NULL;
  progress_begin("reading");
  bool end = false;
  while (!end) {
    exit_code code = rows_read(&b->batch, &b->in, keys_file, &end);
    if (code == EXIT_OK && b->batch.count > 0)
      code = append(b);
    if (code != EXIT_OK)
      return code;
    rows_clear(&b->batch, &b->in);
    progress_update(b->in.reader.position, b->in.reader.size, b->in.rows);
  }
  progress_clear();
  return EXIT_OK;
}

/* --- The whole ------------------------------------------------------------ */

/* Whether the number of lists is that of the rows to decide. */
static bool counts_lists(const mn_options *options) {
  return options->structure == MN_IVF && options->nlist == 0;
}

/* Memory for rows and index, now that the input's dimensions are known. */
static exit_code prepare(build *b) {
  b->options.dimensions = b->in.dimensions;
  uint64_t expected = b->in.rows_expected;
  const uint32_t room =
      expected && expected < BATCH_ROWS ? (uint32_t)expected : BATCH_ROWS;
  exit_code code = rows_create(&b->batch, room, b->in.dimensions);
  const bool needs_count = b->is_auto || counts_lists(&b->options);
  if (code == EXIT_OK && needs_count)
    code = build_count(b, &expected);
  if (code == EXIT_OK && b->is_auto)
    code = options_choose(&b->options, expected, b->budget, b->is_paged);
  if (code == EXIT_OK)
    code = options_check(&b->options);
  return code == EXIT_OK
             ? index_memory_create(&b->memory, &b->options,
                                   expected ? expected : FIRST_CAPACITY)
             : code;
}

static exit_code pack(build *b) {
  index_memory packed = {.scratch = {.bytes = NULL}};
  exit_code code = index_memory_pack(&packed, &b->memory.index, b->output);
  index_memory_free(&b->memory);
  b->memory = packed;
  return code;
}

static exit_code summarise(const build *b) {
  const mn_index *index = &b->memory.index;
  mn_info info = mn_index_info(index);
  char spec[MN_SPEC_BYTES];
  mn_options_format(&info.options, spec);
  printf("%s: %u vectors of %u dimensions, %s, %s%s, %" PRIu64 " bytes\n",
         b->output, info.count, info.options.dimensions,
         metric_name(info.options.metric), spec, info.packed ? ", packed" : "",
         info.block_bytes);
  if (info.clipped > 0)
    fprintf(stderr,
            "minnow: %s: %" PRIu64 " vectors lie beyond the range of the %u "
            "that were trained on and were clamped to it; if that is many, "
            "give a larger --train\n",
            b->in.reader.name, info.clipped, b->trained_on.count);
  return output_end(EXIT_OK);
}

static exit_code make_index(build *b) {
  exit_code code = prepare(b);
  if (code == EXIT_OK)
    code = build_train(b);
  if (code == EXIT_OK)
    code = read_rows(b);
  if (code == EXIT_OK)
    code = index_memory_resize(&b->memory, b->in.rows);
  if (code == EXIT_OK)
    code = link_vectors(&b->memory, (uint32_t)b->threads);
  if (code == EXIT_OK && b->packs)
    code = pack(b);
  return code == EXIT_OK ? index_memory_write(&b->memory, &b->file) : code;
}

exit_code command_build(int words_count, char **words) {
  build b = {.input = NULL};
  exit_code code = read_options(&b, words_count, words);
  if (code == EXIT_OK && b.keys_path)
    code = key_file_open(&b.keys, b.keys_path);
  if (code != EXIT_OK)
    return code;
  b.wish = (input_wish){.format = b.format,
                        .dimensions = b.options.dimensions,
                        .dimensions_from = "--dimensions",
                        .keys = !b.keys_path,
                        .bits = metric_is_binary(b.options.metric)};
  code = input_open(&b.in, b.input, &b.wish);
  if (code == EXIT_OK)
    code = output_file_begin(&b.file, b.output);
  if (code == EXIT_OK)
    code = output_file_end(&b.file, make_index(&b));
  if (code == EXIT_OK)
    code = summarise(&b);
  index_memory_free(&b.memory);
  rows_free(&b.batch);
  input_close(&b.in);
  key_file_close(&b.keys);
  return code;
}
