/* SPDX-License-Identifier: Apache-2.0 */
/* minnow build: rows in, an index file out. */
#include "arguments.h"
#include "commands.h"
#include "index_memory.h"
#include "input.h"
#include "key_file.h"
#include "options.h"
#include "output_file.h"
#include "progress.h"
#include "refusal.h"
#include "rows.h"
#include "sample.h"

#include <inttypes.h>
#include <string.h>

/* Rows to a batch, and vectors to a step of linking: some milliseconds. */
#define BATCH_ROWS 256u
#define LINK_STEP  32u
/* Capacity to begin with where the number of rows is not known. */
#define FIRST_CAPACITY 1024u

typedef struct build {
  const char *input, *output, *format, *keys_path;
  uint64_t train; /* rows to train on at most; 0: as many as help */
  mn_options options;
  input_wish wish;
  input in;
  key_file keys;
  rows batch;
  sample trained_on;
  index_memory memory;
  output_file file;
} build;

/* --- Command line --------------------------------------------------------- */

static exit_code check_names(const build *b) {
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
  return EXIT_OK;
}

static exit_code read_options(build *b, int words_count, char **words) {
  const char *metric = NULL, *spec = "auto", *dimensions = NULL, *seed = NULL,
             *ef_construction = NULL, *train = NULL;
  const argument arguments[] = {
      {"INPUT", "", &b->input, NULL, true},
      {"-o", "INDEX", &b->output, NULL, true},
      {"--metric", METRICS, &metric, NULL, true},
      {"--spec", "SPEC", &spec, NULL, false},
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
    code = options_read_spec(spec, &b->options);
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
  if (code != EXIT_OK)
    return code;
  b->options.dimensions = (uint32_t)wide_dimensions;
  b->options.ef_construction = (uint32_t)ef;
  code = check_names(b);
  return code == EXIT_OK ? options_check(&b->options) : code;
}

/* --- Training ------------------------------------------------------------- */

/* Takes a row into the sample, unless no index takes it at all: training would
 * not say which row that is. */
static exit_code take(build *b, uint64_t row, uint64_t place,
                      const float *vector) {
  mn_status status = refusal_of(vector, b->in.dimensions, b->options.metric);
  if (status != MN_OK)
    return refusal_report(&b->in, row, place, vector, 0, status);
  sample_take(&b->trained_on, vector);
  return EXIT_OK;
}

/* The sample of a file, which is then read again from its beginning. */
static exit_code sample_file(build *b) {
  float *row = b->batch.vectors;
  progress_begin("sampling");
  for (;;) {
    bool end;
    exit_code code = input_next(&b->in, row, &end);
    if (code == EXIT_OK && !end)
      code = take(b, b->in.rows - 1, b->in.place, row);
    if (code != EXIT_OK)
      return code;
    if (end)
      break;
    progress_update(b->in.reader.position, b->in.reader.size, b->in.rows);
  }
  progress_clear();
  input_close(&b->in);
  b->wish.dimensions = b->in.dimensions;
  return input_open(&b->in, b->input, &b->wish);
}

/* The sample of what can be read but once, all of which is held. */
static exit_code sample_batch(build *b) {
  exit_code code = EXIT_OK;
  for (uint32_t i = 0; i < b->batch.count && code == EXIT_OK; i++)
    code = take(b, i, b->batch.places[i],
                b->batch.vectors + (size_t)i * b->in.dimensions);
  return code;
}

static exit_code train_on(build *b, const mn_vectors *vectors) {
  mn_training training;
  exit_code code = options_training(&b->options, vectors->count, &training);
  if (code != EXIT_OK)
    return code;
  if (vectors->count < training.least)
    return report(EXIT_INPUT, b->in.reader.name,
                  "%u rows, and this --spec needs at least %u to train on; "
                  "give more, or a spec with fewer bits",
                  vectors->count, training.least);
  code = index_memory_scratch(&b->memory, training.scratch_bytes);
  if (code != EXIT_OK)
    return code;
  progress_begin("training on");
  progress_update(0, 0, vectors->count);
  mn_status status =
      mn_index_train(&b->memory.index, vectors, &b->memory.scratch.arena);
  progress_clear();
  if (status == MN_ERROR_NOT_FINITE)
    return report(EXIT_INPUT, b->in.reader.name,
                  "numbers so large that distances overflow; scale the "
                  "vectors");
  if (status == MN_ERROR_ZERO_VECTOR)
    return report(EXIT_INPUT, b->in.reader.name,
                  "a row of which the transform leaves nothing, so cosine is "
                  "undefined; give another --spec, or --metric l2 or ip");
  return status == MN_OK ? EXIT_OK : report_status("training", status);
}

static exit_code train(build *b) {
  mn_training training;
  exit_code code = options_training(&b->options, 0, &training);
  if (code != EXIT_OK)
    return code;
  if (b->train > 0 && b->train < training.least)
    return report(EXIT_USAGE, "--train",
                  "this --spec needs at least %u rows to train on",
                  training.least);
  uint32_t room = b->train > 0 ? (uint32_t)b->train : training.enough;
  uint64_t given = b->in.rows_expected;
  bool is_file = b->in.reader.size > 0 && strcmp(b->input, "-") != 0;
  if (!is_file) {
    code = rows_read_all(&b->batch, &b->in, b->keys_path ? &b->keys : NULL);
    if (code != EXIT_OK)
      return code;
    given = b->batch.count;
  }
  if (given > 0 && given < room)
    room = (uint32_t)given;
  sample *s = &b->trained_on;
  code = sample_create(s, room, b->in.dimensions, b->options.seed);
  if (code == EXIT_OK)
    code = is_file ? sample_file(b) : sample_batch(b);
  if (code == EXIT_OK)
    code = train_on(b, &(mn_vectors){s->vectors, s->count, s->dimensions});
  sample_free(s);
  return code;
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
  exit_code code = options_check(&b->options);
  if (code == EXIT_OK)
    code = index_memory_create(&b->memory, &b->options,
                               expected ? expected : FIRST_CAPACITY);
  if (code != EXIT_OK)
    return code;
  uint32_t room =
      expected && expected < BATCH_ROWS ? (uint32_t)expected : BATCH_ROWS;
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
            "minnow: %s: %" PRIu64 " vectors lie beyond the range of the %u "
            "that were trained on and were clamped to it; if that is many, "
            "give a larger --train\n",
            b->in.reader.name, info.clipped, b->trained_on.count);
  return output_end(EXIT_OK);
}

static exit_code make_index(build *b) {
  exit_code code = prepare(b);
  if (code == EXIT_OK && !mn_index_info(&b->memory.index).trained)
    code = train(b);
  if (code == EXIT_OK)
    code = read_rows(b);
  if (code == EXIT_OK)
    code = index_memory_resize(&b->memory, b->in.rows);
  if (code == EXIT_OK)
    code = link_rows(b);
  if (code != EXIT_OK)
    return code;
  const mn_index *index = &b->memory.index;
  mn_status status = mn_index_seal(&b->memory.index);
  return status == MN_OK
             ? output_file_write(&b->file, index->block, index->block_bytes)
             : report_status("sealing", status);
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
