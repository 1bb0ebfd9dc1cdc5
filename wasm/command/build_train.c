/* SPDX-License-Identifier: Apache-2.0 */
/* What `minnow build` has to know of the rows before it adds them: how many
 * there are, where that decides the spec, and a sample to train on. */
#include "build.h"
#include "options.h"
#include "progress.h"
#include "refusal.h"

#include <string.h>

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

/* --- Reading the rows beforehand ------------------------------------------ */

static bool is_file(const build *b) {
  return b->in.reader.size > 0 && strcmp(b->input, "-") != 0;
}

/* Reads a file to its end, and begins again. */
static exit_code read_file(build *b, bool samples, uint64_t *count) {
  float *row = b->batch.vectors;
  progress_begin(samples ? "sampling" : "counting");
  for (;;) {
    bool end;
    exit_code code = input_next(&b->in, row, &end);
    if (code == EXIT_OK && !end && samples)
      code = take(b, b->in.rows - 1, b->in.place, row);
    if (code != EXIT_OK)
      return code;
    if (end)
      break;
    progress_update(b->in.reader.position, b->in.reader.size, b->in.rows);
  }
  progress_clear();
  *count = b->in.rows;
  input_close(&b->in);
  b->wish.dimensions = b->in.dimensions;
  return input_open(&b->in, b->input, &b->wish);
}

/* What can be read but once is held, all of it. */
static exit_code hold_rows(build *b, uint64_t *count) {
  exit_code code =
      rows_read_all(&b->batch, &b->in, b->keys_path ? &b->keys : NULL);
  *count = b->batch.count;
  return code;
}

exit_code build_count(build *b, uint64_t *count) {
  *count = b->in.rows_expected;
  if (*count > 0)
    return EXIT_OK;
  return is_file(b) ? read_file(b, false, count) : hold_rows(b, count);
}

/* --- Training ------------------------------------------------------------- */

static exit_code sample_batch(build *b) {
  exit_code code = EXIT_OK;
  for (uint32_t i = 0; i < b->batch.count && code == EXIT_OK; i++)
    code = take(b, i, b->batch.places[i],
                b->batch.vectors + (size_t)i * b->in.dimensions);
  return code;
}

static exit_code train_on(build *b, const mn_vectors *vectors) {
  mn_training training;
  exit_code code =
      options_training(&b->memory.index.options, vectors->count, &training);
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

exit_code build_train(build *b) {
  if (mn_index_info(&b->memory.index).trained)
    return EXIT_OK;
  mn_training training;
  exit_code code = options_training(&b->memory.index.options, 0, &training);
  if (code != EXIT_OK)
    return code;
  if (b->train > 0 && b->train < training.least)
    return report(EXIT_USAGE, "--train",
                  "this --spec needs at least %u rows to train on",
                  training.least);
  uint32_t room = b->train > 0 ? (uint32_t)b->train : training.enough;
  uint64_t given = b->in.rows_expected;
  if (!is_file(b))
    code = hold_rows(b, &given);
  if (code != EXIT_OK)
    return code;
  if (given > 0 && given < room)
    room = (uint32_t)given;
  sample *s = &b->trained_on;
  code = sample_create(s, room, b->in.dimensions, b->options.seed);
  if (code == EXIT_OK)
    code = is_file(b) ? read_file(b, true, &given) : sample_batch(b);
  if (code == EXIT_OK)
    code = train_on(b, &(mn_vectors){s->vectors, s->count, s->dimensions});
  sample_free(s);
  return code;
}
