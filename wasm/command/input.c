/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const input_format *const formats[] = {&input_npy, &input_fvecs,
                                              &input_f32, &input_jsonl};
#define FORMATS_COUNT (sizeof formats / sizeof formats[0])

static exit_code choose_format(input *in, const char *path, const char *name) {
  const char *dot = strrchr(path, '.');
  const char *wanted = name ? name : dot ? dot + 1 : "";
  for (size_t i = 0; i < FORMATS_COUNT; i++)
    if (strcmp(formats[i]->name, wanted) == 0)
      in->format = formats[i];
  if (in->format)
    return EXIT_OK;
  if (name)
    return report(EXIT_USAGE, "--format",
                  "`%s` is not a format; give npy, fvecs, f32 or jsonl", name);
  return report(EXIT_USAGE, strcmp(path, "-") == 0 ? "standard input" : path,
                "the name does not tell the format; add --format npy, fvecs, "
                "f32 or jsonl");
}

static exit_code too_many(const input *in) {
  return input_malformed(in, "", "more than %u rows; split the input",
                         MN_CAPACITY_MAX);
}

exit_code input_open(input *in, const char *path, const input_wish *wish) {
  *in = (input){.dimensions = wish->dimensions,
                .dimensions_from = wish->dimensions_from,
                .wants_keys = wish->keys,
                .takes_bits = wish->bits};
  exit_code code = choose_format(in, path, wish->format);
  if (code == EXIT_OK)
    code = reader_open(&in->reader, path);
  if (code != EXIT_OK)
    return code;
  if (reader_peek(&in->reader) == READER_END)
    code = input_malformed(in, "", "empty; a .%s file with vectors is expected",
                           in->format->name);
  if (code == EXIT_OK)
    code = in->format->begin(in);
  if (code == EXIT_OK && in->rows_expected > MN_CAPACITY_MAX)
    code = too_many(in);
  if (code != EXIT_OK)
    input_close(in);
  return code;
}

void input_close(input *in) {
  reader_close(&in->reader);
  free(in->state);
  in->state = NULL;
}

exit_code input_next(input *in, float *row, bool *end) {
  *end = false;
  in->has_key = false;
  exit_code code = in->format->next(in, row, end);
  if (code == EXIT_OK && in->reader.failed)
    return EXIT_INPUT;
  if (code != EXIT_OK || *end)
    return code;
  if (in->rows == MN_CAPACITY_MAX)
    return too_many(in);
  in->rows++;
  return EXIT_OK;
}

void input_describe(const input *in, uint64_t row, uint64_t place,
                    char text[INPUT_PLACE_BYTES]) {
  const char *format = in->format == &input_jsonl
                           ? "line %" PRIu64 " (row %" PRIu64 ")"
                           : "byte %" PRIu64 " (row %" PRIu64 ")";
  snprintf(text, INPUT_PLACE_BYTES, format, place, row);
}

exit_code input_set_dimensions(input *in, uint64_t found) {
  if (found == 0 || found > MN_DIMENSIONS_MAX)
    return input_malformed(in, "",
                           "%" PRIu64 " dimensions; 1 to %u are "
                           "possible",
                           found, MN_DIMENSIONS_MAX);
  if (in->dimensions != 0 && in->dimensions != found)
    return input_malformed(in, "",
                           "rows of %" PRIu64 " numbers, but %s says %u; give "
                           "vectors of the same model",
                           found, in->dimensions_from, in->dimensions);
  in->dimensions = (uint32_t)found;
  return EXIT_OK;
}

exit_code input_read_row(input *in, void *row, size_t bytes, bool *end) {
  in->place = in->reader.position;
  size_t got = reader_read(&in->reader, row, bytes);
  *end = got == 0;
  if (got == 0 || got == bytes)
    return EXIT_OK;
  char where[INPUT_PLACE_BYTES];
  input_describe(in, in->rows, in->place, where);
  return input_malformed(in, where,
                         "ends after %zu of the row's %zu bytes; the file was "
                         "cut short, or its rows do not have %u numbers",
                         got, bytes, in->dimensions);
}

exit_code input_malformed(const input *in, const char *where,
                          const char *format, ...) {
  if (in->reader.failed)
    return EXIT_INPUT;
  char what[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  return report(EXIT_INPUT, in->reader.name, "%s%s%s", where,
                where[0] ? ": " : "", what);
}
