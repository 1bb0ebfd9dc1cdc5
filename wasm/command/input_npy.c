/* SPDX-License-Identifier: Apache-2.0 */
/* .npy, versions 1 to 3: what NumPy's `save` writes. */
#include "input.h"
#include "npy_header.h"

#include "kernels/kernels.h" /* mn_f16_to_f32 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Version 2 has room for more; a header that this takes part in describes
 * columns, not vectors. */
#define HEADER_BYTES_MAX 65535u

typedef struct npy {
  uint64_t rows;
  char type;           /* f: floats; u, i: packed bits */
  size_t number_bytes; /* of a float */
  size_t row_bytes;
  uint8_t row[]; /* as in the file */
} npy;

/* Reads magic, version and the header's text into `text`. */
static exit_code read_header_text(input *in, char text[HEADER_BYTES_MAX],
                                  size_t *bytes) {
  uint8_t start[12] = {0};
  if (reader_read(&in->reader, start, 8) < 8 ||
      memcmp(start, "\x93NUMPY", 6) != 0)
    return input_malformed(in, "byte 0",
                           "not an .npy file: \\x93NUMPY and a version are "
                           "expected");
  if (start[6] < 1 || start[6] > 3)
    return input_malformed(in, "byte 6",
                           "version %u.%u; versions 1 to 3 can be read",
                           start[6], start[7]);
  size_t length_bytes = start[6] == 1 ? 2 : 4;
  size_t got = reader_read(&in->reader, start + 8, length_bytes);
  *bytes = (size_t)start[8] | (size_t)start[9] << 8 | (size_t)start[10] << 16 |
           (size_t)start[11] << 24;
  if (got == length_bytes && *bytes > HEADER_BYTES_MAX)
    return input_malformed(in, "byte 8",
                           "a header of %zu bytes; at most %u are expected",
                           *bytes, HEADER_BYTES_MAX);
  if (got < length_bytes || reader_read(&in->reader, text, *bytes) < *bytes)
    return input_malformed(in, "header",
                           "ends too early; the file was cut "
                           "short");
  return EXIT_OK;
}

static exit_code read_header(input *in, npy_header *header) {
  char *text = malloc(HEADER_BYTES_MAX);
  if (!text)
    return report_memory("reading", HEADER_BYTES_MAX);
  size_t bytes = 0;
  exit_code code = read_header_text(in, text, &bytes);
  size_t at = 0;
  const char *expected = NULL;
  if (code == EXIT_OK &&
      !npy_header_parse(header, text, bytes, &at, &expected)) {
    char where[INPUT_PLACE_BYTES];
    snprintf(where, sizeof where, "header, byte %" PRIu64,
             in->reader.position - bytes + at);
    code = input_malformed(in, where, "%s is expected", expected);
  }
  free(text);
  return code;
}

static exit_code check_type(input *in, const char *type) {
  if (strcmp(type, "<f4") == 0 || strcmp(type, "<f2") == 0 ||
      strcmp(type, "<f8") == 0)
    return EXIT_OK;
  bool is_bits = strcmp(type, "|u1") == 0 || strcmp(type, "|i1") == 0;
  if (is_bits && in->takes_bits)
    return EXIT_OK;
  return input_malformed(
      in, "header",
      "numbers of type '%s'; save '<f4', '<f2' or '<f8', "
      "as by .astype('<f4')%s",
      type, is_bits ? " (packed bits are for hamming and jaccard)" : "");
}

/* Of packed bits, 8 to a byte; those that fill up the last byte are left out
 * where the dimensions are known. */
static uint64_t dimensions_of(const input *in, const npy_header *header) {
  uint64_t columns = header->shape[1];
  if (header->type[0] != '|' || columns > MN_DIMENSIONS_MAX)
    return columns;
  return columns == (in->dimensions + 7) / 8 ? in->dimensions : columns * 8;
}

static exit_code check_header(input *in, npy_header *header) {
  exit_code code = check_type(in, header->type);
  if (code != EXIT_OK)
    return code;
  /* A single vector, but only where somebody said how long a vector is: else
   * it may as well be a list of labels. */
  uint64_t numbers =
      header->type[0] == '|' ? (in->dimensions + 7) / 8 : in->dimensions;
  if (header->axes == 1 && numbers > 0 && header->shape[0] == numbers) {
    header->shape[1] = header->shape[0];
    header->shape[0] = 1;
    header->axes = 2;
  }
  if (header->axes != 2)
    return input_malformed(in, "header",
                           "an array of %u axes; 2 are expected: rows and "
                           "dimensions%s",
                           header->axes,
                           header->axes == 1 ? " (or one row of as many "
                                               "numbers as --dimensions says)"
                                             : "");
  if (header->is_fortran)
    return input_malformed(in, "header",
                           "columns after columns (fortran_order); save rows, "
                           "as by numpy.ascontiguousarray");
  if (header->shape[0] == 0)
    return input_malformed(in, "header", "no rows; at least 1 is expected");
  return input_set_dimensions(in, dimensions_of(in, header));
}

static exit_code begin(input *in) {
  npy_header header;
  exit_code code = read_header(in, &header);
  if (code == EXIT_OK)
    code = check_header(in, &header);
  if (code != EXIT_OK)
    return code;
  size_t number_bytes = (size_t)(header.type[2] - '0');
  size_t row_bytes = (size_t)header.shape[1] * number_bytes;
  npy *state = malloc(sizeof *state + row_bytes);
  if (!state)
    return report_memory("reading", row_bytes);
  *state = (npy){.rows = header.shape[0],
                 .type = header.type[1],
                 .number_bytes = number_bytes,
                 .row_bytes = row_bytes};
  in->state = state;
  /* The header may claim anything; the file's size cannot. */
  in->rows_expected = in->reader.size / row_bytes;
  if (in->rows_expected > state->rows)
    in->rows_expected = state->rows;
  return EXIT_OK;
}

/* Rounds to nearest even; beyond float's range this gives an infinity, which
 * the index refuses. */
static void convert(float *row, const npy *state, uint32_t count) {
  if (state->type != 'f') {
    mn_unpack_bits(state->row, count, state->type == 'i', row);
    return;
  }
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t *from = state->row + i * state->number_bytes;
    if (state->number_bytes == sizeof(uint16_t)) {
      uint16_t half;
      memcpy(&half, from, sizeof half);
      row[i] = mn_f16_to_f32(half);
    } else {
      double wide;
      memcpy(&wide, from, sizeof wide);
      row[i] = (float)wide;
    }
  }
}

static exit_code next(input *in, float *row, bool *end) {
  npy *state = in->state;
  if (in->rows == state->rows) {
    *end = true;
    if (reader_peek(&in->reader) == READER_END)
      return EXIT_OK;
    char where[INPUT_PLACE_BYTES];
    snprintf(where, sizeof where, "byte %" PRIu64, in->reader.position);
    return input_malformed(in, where,
                           "more bytes than the header's %" PRIu64 " rows; "
                           "the end is expected",
                           state->rows);
  }
  bool is_float = state->number_bytes == sizeof(float);
  exit_code code = input_read_row(in, is_float ? (void *)row : state->row,
                                  state->row_bytes, end);
  if (code != EXIT_OK)
    return code;
  if (*end)
    return input_malformed(in, "",
                           "ends after %" PRIu64 " of the header's %" PRIu64
                           " rows; the file was cut short",
                           in->rows, state->rows);
  if (!is_float)
    convert(row, state, in->dimensions);
  return EXIT_OK;
}

const input_format input_npy = {"npy", begin, next};
