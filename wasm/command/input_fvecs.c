/* SPDX-License-Identifier: Apache-2.0 */
/* fvecs: each row is its length, an int32, and that many floats, all
 * little-endian (http://corpus-texmex.irisa.fr). */
#include "input.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct fvecs {
  bool is_length_read; /* the first row's, which `begin` needs */
} fvecs;

static exit_code read_length(input *in, uint32_t *length, bool *end) {
  in->place = in->reader.position;
  uint8_t bytes[4];
  size_t got = reader_read(&in->reader, bytes, sizeof bytes);
  *end = got == 0;
  *length = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
            (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
  if (got == 0 || got == sizeof bytes)
    return EXIT_OK;
  char where[INPUT_PLACE_BYTES];
  input_describe(in, in->rows, in->place, where);
  return input_malformed(in, where,
                         "ends within the row's length, an int32; the file "
                         "was cut short");
}

static exit_code begin(input *in) {
  fvecs *state = calloc(1, sizeof *state);
  if (!state)
    return report_memory("reading", sizeof *state);
  in->state = state;
  state->is_length_read = true;
  uint32_t length;
  bool end;
  exit_code code = read_length(in, &length, &end);
  if (code == EXIT_OK)
    code = input_set_dimensions(in, length);
  if (code == EXIT_OK)
    in->rows_expected = in->reader.size / ((length + 1ull) * sizeof(float));
  return code;
}

static exit_code next(input *in, float *row, bool *end) {
  fvecs *state = in->state;
  uint32_t length = in->dimensions;
  uint64_t place = 0;
  if (!state->is_length_read) {
    exit_code code = read_length(in, &length, end);
    if (code != EXIT_OK || *end)
      return code;
    place = in->place;
  }
  state->is_length_read = false;
  char where[INPUT_PLACE_BYTES];
  input_describe(in, in->rows, place, where);
  if (length != in->dimensions)
    return input_malformed(in, where,
                           "says it has %" PRIu32 " numbers, but the rows "
                           "before have %u",
                           length, in->dimensions);
  exit_code code = input_read_row(in, row, length * sizeof(float), end);
  in->place = place;
  if (code == EXIT_OK && *end)
    return input_malformed(in, where,
                           "ends after the row's length; the file was cut "
                           "short");
  return code;
}

const input_format input_fvecs = {"fvecs", begin, next};
