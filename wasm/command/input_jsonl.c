/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON lines: each an object with the vector in `embedding`, an array of
 * numbers, and maybe its key in `key` or `id`, an unsigned integer; `key` has
 * precedence. Other fields are skipped, blank lines too. A field's name is
 * recognised as it is usually written, without escapes.
 */
#include "input.h"
#include "json.h"

#include <float.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct jsonl {
  json scan;
  uint64_t line;       /* of the next byte, from 1 */
  uint64_t line_start; /* position of its first byte */
  bool is_row_read;    /* the first one, which `begin` needs */
  bool has_embedding, has_key, has_id;
  uint64_t key, id;
  uint32_t count; /* numbers in `row` */
  float row[MN_DIMENSIONS_MAX];
} jsonl;

/* --- Messages ------------------------------------------------------------- */

static exit_code malformed(const input *in, const char *what) {
  const jsonl *state = in->state;
  char where[INPUT_PLACE_BYTES];
  snprintf(where, sizeof where, "line %" PRIu64 ", byte %" PRIu64, state->line,
           in->reader.position - state->line_start + 1);
  return input_malformed(in, where, "%s", what);
}

static exit_code unexpected(input *in, const char *expected) {
  int found = reader_peek(&in->reader);
  char what[160];
  if (found == READER_END)
    snprintf(what, sizeof what, "expected %s, found the end", expected);
  else if (found == '\n')
    snprintf(what, sizeof what, "expected %s, found the line's end", expected);
  else if (found > 0x20 && found < 0x7f)
    snprintf(what, sizeof what, "expected %s, found `%c`", expected, found);
  else
    snprintf(what, sizeof what, "expected %s, found byte 0x%02x", expected,
             (unsigned)found);
  return malformed(in, what);
}

static exit_code line_wrong(const input *in, const char *what) {
  char where[INPUT_PLACE_BYTES];
  input_describe(in, in->rows, in->place, where);
  return input_malformed(in, where, "%s", what);
}

/* --- Fields --------------------------------------------------------------- */

/* strtof rounds correctly, which reading a double first would not. */
static exit_code read_component(input *in) {
  jsonl *state = in->state;
  char number[JSON_NUMBER_BYTES];
  if (!json_number(&state->scan, number))
    return unexpected(in, state->scan.expected);
  float value = strtof(number, NULL);
  if (value > FLT_MAX || value < -FLT_MAX)
    return malformed(in, "a number before this is beyond a 32-bit float's "
                         "3.4e38; scale the vectors");
  if (state->count == MN_DIMENSIONS_MAX)
    return malformed(in, "more than 65535 numbers in `embedding`");
  state->row[state->count++] = value;
  return EXIT_OK;
}

static exit_code read_embedding(input *in) {
  jsonl *state = in->state;
  if (state->has_embedding)
    return malformed(in, "a second `embedding` in one line; give one");
  state->has_embedding = true;
  state->count = 0;
  if (!json_accept(&state->scan, '['))
    return unexpected(in, "an array of numbers");
  do {
    exit_code code = read_component(in);
    if (code != EXIT_OK)
      return code;
  } while (json_accept(&state->scan, ','));
  if (!json_accept(&state->scan, ']'))
    return unexpected(in, "`,` or `]`");
  return EXIT_OK;
}

static exit_code read_key(input *in, bool *has, uint64_t *key) {
  jsonl *state = in->state;
  static const char expected[] = "a key, an integer from 0 to "
                                 "18446744073709551615 (or give --keys FILE)";
  char number[JSON_NUMBER_BYTES];
  if (*has)
    return malformed(in, "a second key of the same name; give one");
  *has = true;
  int c = json_peek(&state->scan);
  if (c < '0' || c > '9' || !json_number(&state->scan, number))
    return unexpected(in, expected);
  *key = 0;
  for (const char *at = number; *at; at++) {
    uint64_t digit = (uint64_t)*at - '0';
    if (digit > 9 || *key > (UINT64_MAX - digit) / 10)
      return malformed(in, "the number before this is not a key, an integer "
                           "from 0 to 18446744073709551615 (or give --keys "
                           "FILE)");
    *key = *key * 10 + digit;
  }
  return EXIT_OK;
}

static exit_code read_field(input *in) {
  jsonl *state = in->state;
  char name[16];
  if (!json_string(&state->scan, name, sizeof name))
    return unexpected(in, state->scan.expected);
  if (!json_accept(&state->scan, ':'))
    return unexpected(in, "`:`");
  if (strcmp(name, "embedding") == 0)
    return read_embedding(in);
  if (in->wants_keys && strcmp(name, "key") == 0)
    return read_key(in, &state->has_key, &state->key);
  if (in->wants_keys && strcmp(name, "id") == 0)
    return read_key(in, &state->has_id, &state->id);
  return json_skip(&state->scan) ? EXIT_OK
                                 : unexpected(in, state->scan.expected);
}

/* --- Lines ---------------------------------------------------------------- */

static void end_line(input *in) {
  jsonl *state = in->state;
  reader_skip(&in->reader);
  state->line++;
  state->line_start = in->reader.position;
}

static exit_code read_object(input *in) {
  jsonl *state = in->state;
  if (!json_accept(&state->scan, '{'))
    return unexpected(in, "an object, {\"embedding\": [...]},");
  if (!json_accept(&state->scan, '}')) {
    do {
      exit_code code = read_field(in);
      if (code != EXIT_OK)
        return code;
    } while (json_accept(&state->scan, ','));
    if (!json_accept(&state->scan, '}'))
      return unexpected(in, "`,` or `}`");
  }
  int c = json_peek(&state->scan);
  if (c != '\n' && c != READER_END)
    return unexpected(in, "the line's end");
  return EXIT_OK;
}

/* Reads the next line that is not blank into the state. */
static exit_code read_line(input *in, bool *end) {
  jsonl *state = in->state;
  while (json_peek(&state->scan) == '\n')
    end_line(in);
  *end = json_peek(&state->scan) == READER_END;
  if (*end)
    return EXIT_OK;
  state->has_embedding = state->has_key = state->has_id = false;
  in->place = state->line;
  exit_code code = read_object(in);
  if (code != EXIT_OK)
    return code;
  if (!state->has_embedding)
    return line_wrong(in, "no `embedding`; every line needs one, an array of "
                          "numbers");
  if (json_peek(&state->scan) == '\n')
    end_line(in);
  return EXIT_OK;
}

static exit_code begin(input *in) {
  jsonl *state = malloc(sizeof *state);
  if (!state)
    return report_memory("reading", sizeof *state);
  in->state = state;
  state->scan = (json){.in = &in->reader};
  state->line = 1;
  state->line_start = 0;
  bool end;
  exit_code code = read_line(in, &end);
  if (code != EXIT_OK)
    return code;
  if (end)
    return input_malformed(in, "", "only blank lines; objects are expected");
  state->is_row_read = true;
  return input_set_dimensions(in, state->count);
}

static exit_code next(input *in, float *row, bool *end) {
  jsonl *state = in->state;
  if (!state->is_row_read) {
    exit_code code = read_line(in, end);
    if (code != EXIT_OK || *end)
      return code;
  }
  state->is_row_read = false;
  if (state->count != in->dimensions) {
    char what[120];
    snprintf(what, sizeof what,
             "`embedding` has %u numbers, but the rows before have %u",
             state->count, in->dimensions);
    return line_wrong(in, what);
  }
  memcpy(row, state->row, in->dimensions * sizeof(float));
  in->has_key = state->has_key || state->has_id;
  in->key = state->has_key ? state->key : state->id;
  return EXIT_OK;
}

const input_format input_jsonl = {"jsonl", begin, next};
