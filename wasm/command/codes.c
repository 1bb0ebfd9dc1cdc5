/* SPDX-License-Identifier: Apache-2.0 */
/* minnow encode and decode: an index as a codec for vectors kept elsewhere. */
#include "arguments.h"
#include "commands.h"
#include "index_file.h"
#include "index_memory.h"
#include "input.h"
#include "options.h"
#include "output_file.h"
#include "refusal.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct codes {
  const char *path, *input, *output, *format;
  index_file file;
  memory scratch;
  size_t code_bytes;
  uint8_t *code;
  float *vector;
  output_file to;
} codes;

/* Opens the index, makes room for a vector and its code, begins the output. */
static exit_code begin(codes *c) {
  exit_code code = index_file_open(&c->file, c->path, NULL);
  if (code != EXIT_OK)
    return code;
  const mn_index *index = &c->file.index;
  const mn_query any_query = {.k = 1};
  mn_sizes sizes;
  mn_status status = mn_plan(&index->options, 1, &any_query, &sizes);
  if (status != MN_OK)
    return report_index(c->path, status);
  if (!mn_index_info(index).trained)
    return report(EXIT_INDEX, c->path,
                  "not trained, so it has no codes; build it of vectors");
  c->code_bytes = sizes.code_bytes;
  c->code = malloc(c->code_bytes);
  c->vector = malloc(index->options.dimensions * sizeof(float));
  if (!c->code || !c->vector)
    return report_memory("a vector", sizes.code_bytes);
  code = memory_take(&c->scratch, sizes.vector_scratch_bytes, "scratch");
  return code == EXIT_OK ? output_file_begin(&c->to, c->output) : code;
}

static exit_code end(codes *c, exit_code code, uint64_t count,
                     const char *what) {
  free(c->code);
  free(c->vector);
  memory_free(&c->scratch);
  index_file_close(&c->file);
  if (code == EXIT_OK)
    printf("%s: %" PRIu64 " %s\n", c->output, count, what);
  return code == EXIT_OK ? output_end(code) : code;
}

/* --- Encode --------------------------------------------------------------- */

static exit_code encode_rows(codes *c, input *in) {
  for (;;) {
    bool is_end;
    exit_code code = input_next(in, c->vector, &is_end);
    if (code != EXIT_OK || is_end)
      return code;
    const mn_vectors vector = {c->vector, 1, in->dimensions};
    mn_status status = mn_index_encode(&c->file.index, &vector, c->code, NULL,
                                       &c->scratch.arena);
    if (status != MN_OK)
      return refusal_report(in, in->rows - 1, in->place, c->vector, 0, status);
    code = output_file_write(&c->to, c->code, c->code_bytes);
    if (code != EXIT_OK)
      return code;
  }
}

exit_code command_encode(int words_count, char **words) {
  codes c = {.path = NULL};
  const argument arguments[] = {
      {"INDEX", "", &c.path, NULL, true},
      {"VECTORS", "", &c.input, NULL, true},
      {"-o", "CODES", &c.output, NULL, true},
      {"--format", "FORMAT", &c.format, NULL, false},
  };
  exit_code code = arguments_read("encode", arguments, 4, words_count, words);
  if (code != EXIT_OK)
    return code;
  input in = {.rows = 0};
  code = begin(&c);
  if (code == EXIT_OK) {
    const mn_options *options = &c.file.index.options;
    const input_wish wish = {.format = c.format,
                             .dimensions = options->dimensions,
                             .dimensions_from = "the index",
                             .bits = metric_is_binary(options->metric)};
    code = input_open(&in, c.input, &wish);
    if (code == EXIT_OK) {
      code = encode_rows(&c, &in);
      input_close(&in);
    }
    code = output_file_end(&c.to, code);
  }
  return end(&c, code, in.rows, "codes");
}

/* --- Decode --------------------------------------------------------------- */

static exit_code decode_codes(codes *c, reader *in, uint64_t *count) {
  const size_t floats = c->file.index.options.dimensions;
  for (;; ++*count) {
    size_t got = reader_read(in, c->code, c->code_bytes);
    if (in->failed)
      return EXIT_INPUT;
    if (got == 0)
      return EXIT_OK;
    if (got < c->code_bytes)
      return report(EXIT_INPUT, in->name,
                    "byte %" PRIu64 ": ends after %zu of a code's %zu bytes; "
                    "give what `minnow encode` wrote with this index",
                    in->position - got, got, c->code_bytes);
    mn_status status = mn_index_decode(&c->file.index, c->code, 1, c->vector,
                                       &c->scratch.arena);
    if (status != MN_OK)
      return report_index(c->path, status);
    exit_code code =
        output_file_write(&c->to, c->vector, floats * sizeof(float));
    if (code != EXIT_OK)
      return code;
  }
}

exit_code command_decode(int words_count, char **words) {
  codes c = {.path = NULL};
  const argument arguments[] = {
      {"INDEX", "", &c.path, NULL, true},
      {"CODES", "", &c.input, NULL, true},
      {"-o", "VECTORS", &c.output, NULL, true},
  };
  exit_code code = arguments_read("decode", arguments, 3, words_count, words);
  if (code != EXIT_OK)
    return code;
  uint64_t count = 0;
  code = begin(&c);
  if (code == EXIT_OK) {
    reader in;
    code = reader_open(&in, c.input);
    if (code == EXIT_OK) {
      code = decode_codes(&c, &in, &count);
      reader_close(&in);
    }
    code = output_file_end(&c.to, code);
  }
  return end(&c, code, count, "vectors");
}
