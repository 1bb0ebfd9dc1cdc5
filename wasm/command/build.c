/* SPDX-License-Identifier: Apache-2.0 */
/* minnow build: rows in, an index file out. */
#include "arguments.h"
#include "commands.h"
#include "index_file.h"
#include "index_memory.h"
#include "input.h"
#include "key_file.h"
#include "progress.h"
#include "refusal.h"
#include "rows.h"

#include <inttypes.h>
#include <string.h>

/* Rows that training sees, as --help says. */
#define TRAIN_ROWS 16384u
/* Rows to a batch, and vectors to a step of linking: some milliseconds. */
#define BATCH_ROWS 256u
#define LINK_STEP  32u
/* Capacity to begin with where the number of rows is not known. */
#define FIRST_CAPACITY 1024u

typedef struct build {
  const char *input, *output, *format, *keys_path;
  mn_options options;
  input in;
  key_file keys;
  rows batch;
  index_memory memory;
} build;

/* --- Command line --------------------------------------------------------- */

static exit_code read_metric(const char *name, mn_metric *metric) {
  for (mn_metric m = MN_L2; m <= MN_COSINE; m++)
    if (strcmp(name, metric_name(m)) == 0) {
      *metric = m;
      return EXIT_OK;
    }
  return report(EXIT_USAGE, "--metric",
                "`%s` is not a metric; give l2, ip or cosine", name);
}

static exit_code read_spec(const char *spec, mn_options *options) {
  size_t at = 0;
  mn_status status = mn_options_parse(options, spec, strlen(spec), &at);
  if (status == MN_OK)
    return EXIT_OK;
  return report(EXIT_USAGE, "--spec",
                "not understood from the mark on; give "
                "[auto|flat|hnsw[M]][,f32|f16|bf16|sq8], M from %u to %u\n"
                "  %s\n"
                "  %*s^",
                MN_M_MIN, MN_M_MAX, spec, (int)at, "");
}

/* What no option alone shows: ef_construction must be M at least. */
static exit_code check_options(const mn_options *options) {
  mn_options any = *options;
  any.dimensions = 1;
  mn_sizes sizes;
  if (mn_plan(&any, 1, 1, 0, &sizes) == MN_OK)
    return EXIT_OK;
  return report(EXIT_USAGE, "--ef-construction",
                "%u is less than the graph's M (in --spec; default 16); give "
                "M or more",
                options->ef_construction);
}

static exit_code read_options(build *b, int words_count, char **words) {
  const char *metric = NULL, *spec = "auto", *dimensions = NULL, *seed = NULL,
             *ef_construction = NULL;
  const argument arguments[] = {
      {"INPUT", "", &b->input, NULL, true},
      {"-o", "INDEX", &b->output, NULL, true},
      {"--metric", "l2|ip|cosine", &metric, NULL, true},
      {"--spec", "SPEC", &spec, NULL, false},
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
    code = read_metric(metric, &b->options.metric);
  if (code == EXIT_OK)
    code = read_spec(spec, &b->options);
  if (code == EXIT_OK)
    code = arguments_number("--dimensions", dimensions, 1, MN_DIMENSIONS_MAX,
                            &wide_dimensions);
  if (code == EXIT_OK)
    code = arguments_number("--seed", seed, 0, UINT64_MAX, &b->options.seed);
  if (code == EXIT_OK)
    code = arguments_number("--ef-construction", ef_construction, 1, MN_EF_MAX,
                            &ef);
  if (code != EXIT_OK)
    return code;
  b->options.dimensions = (uint32_t)wide_dimensions;
  b->options.ef_construction = (uint32_t)ef;
  if (strcmp(b->output, "-") == 0)
    return report(EXIT_USAGE, "-o", "an index goes to a file; give its name");
  if (strcmp(b->output, b->input) == 0)
    return report(EXIT_USAGE, "-o", "%s is the input; give another name",
                  b->output);
  if (b->keys_path && strcmp(b->keys_path, "-") == 0 &&
      strcmp(b->input, "-") == 0)
    return report(EXIT_USAGE, "--keys",
                  "standard input cannot be both vectors and keys; give a "
                  "file for one");
  return check_options(&b->options);
}

/* --- Rows into the index -------------------------------------------------- */

static exit_code train(build *b) {
  mn_vectors sample = {b->batch.vectors, b->batch.count, b->in.dimensions};
  mn_sizes sizes;
  mn_index *index = &b->memory.index;
  exit_code code = index_memory_plan(&b->memory, index->capacity, &sizes);
  if (code == EXIT_OK)
    code = index_memory_scratch(&b->memory, sizes.train_scratch_bytes);
  if (code != EXIT_OK)
    return code;
  mn_status status = mn_index_train(index, &sample, &b->memory.scratch.arena);
  if (status == MN_OK)
    return EXIT_OK;
  uint32_t row = refusal_find(sample.data, sample.count, sample.dimensions,
                              b->options.metric);
  return row < sample.count ? rows_refused(&b->batch, &b->in, row, status)
                            : report_status("training", status);
}

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
  mn_index *index = &b->memory.index;
  key_file *keys_file = b->keys_path ? &b->keys : NULL;
  progress_begin("reading");
  bool end = false;
  while (!end) {
    exit_code code = rows_read(&b->batch, &b->in, keys_file, &end);
    if (code == EXIT_OK && !mn_index_info(index).trained)
      code = train(b);
    if (code == EXIT_OK && b->batch.count > 0)
      code = append(b);
    if (code != EXIT_OK)
      return code;
    progress_update(b->in.reader.position, b->in.reader.size, b->in.rows);
  }
  progress_clear();
  return EXIT_OK;
}

static exit_code link_rows(build *b) {
  mn_index *index = &b->memory.index;
  mn_sizes sizes;
  exit_code code = index_memory_plan(&b->memory, index->capacity, &sizes);
  if (code == EXIT_OK)
    code = index_memory_scratch(&b->memory, sizes.link_scratch_bytes);
  if (code != EXIT_OK)
    return code;
  progress_begin("linking");
  uint32_t left = 0;
  do {
    mn_status status =
        mn_index_link(index, LINK_STEP, &left, &b->memory.scratch.arena);
    if (status != MN_OK)
      return report_status("linking", status);
    uint64_t linked = b->in.rows - left;
    progress_update(linked, b->in.rows, linked);
  } while (left > 0);
  progress_clear();
  return EXIT_OK;
}

/* --- The whole ------------------------------------------------------------ */

/* Memory for rows and index, now that the input's dimensions are known. */
static exit_code prepare(build *b) {
  b->options.dimensions = b->in.dimensions;
  uint64_t expected = b->in.rows_expected;
  exit_code code = index_memory_create(&b->memory, &b->options,
                                       expected ? expected : FIRST_CAPACITY);
  if (code != EXIT_OK)
    return code;
  bool is_trained = mn_index_info(&b->memory.index).trained;
  uint32_t room = is_trained ? BATCH_ROWS : TRAIN_ROWS;
  if (expected && expected < room)
    room = (uint32_t)expected;
  return rows_create(&b->batch, room, b->in.dimensions);
}

static exit_code summarise(const build *b) {
  const mn_index *index = &b->memory.index;
  mn_info info = mn_index_info(index);
  char spec[MN_SPEC_BYTES];
  mn_options_format(&info.options, spec);
  printf("%s: %u vectors of %u dimensions, %s, %s, %" PRIu64 " bytes\n",
         b->output, info.count, info.options.dimensions,
         metric_name(info.options.metric), spec, info.block_bytes);
  if (info.clipped > 0)
    fprintf(stderr,
            "minnow: %s: %" PRIu64 " vectors lie beyond the range of the first "
            "%u rows and were clamped to it; if that is many, shuffle the "
            "input\n",
            b->in.reader.name, info.clipped, TRAIN_ROWS);
  return output_end(EXIT_OK);
}

static exit_code make_index(build *b) {
  exit_code code = index_file_probe(b->output);
  if (code == EXIT_OK)
    code = prepare(b);
  if (code == EXIT_OK)
    code = read_rows(b);
  if (code == EXIT_OK)
    code = index_memory_resize(&b->memory, b->in.rows);
  if (code == EXIT_OK)
    code = link_rows(b);
  if (code != EXIT_OK)
    return code;
  mn_status status = mn_index_seal(&b->memory.index);
  if (status != MN_OK)
    return report_status("sealing", status);
  code = index_file_save(b->output, &b->memory.index);
  return code == EXIT_OK ? summarise(b) : code;
}

exit_code command_build(int words_count, char **words) {
  build b = {.input = NULL};
  exit_code code = read_options(&b, words_count, words);
  if (code == EXIT_OK && b.keys_path)
    code = key_file_open(&b.keys, b.keys_path);
  if (code != EXIT_OK)
    return code;
  code = input_open(&b.in, b.input, b.format, b.options.dimensions,
                    "--dimensions", !b.keys_path);
  if (code == EXIT_OK)
    code = make_index(&b);
  index_memory_free(&b.memory);
  rows_free(&b.batch);
  input_close(&b.in);
  key_file_close(&b.keys);
  return code;
}
