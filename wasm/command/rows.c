/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "refusal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

exit_code rows_check_names(const char *from, const char *keys, const char *to) {
  if (strcmp(to, from) == 0)
    return report(EXIT_USAGE, "-o", "%s is the input; give another name", to);
  if (keys && strcmp(keys, "-") == 0 && strcmp(from, "-") == 0)
    return report(EXIT_USAGE, "--keys",
                  "standard input cannot be both vectors and keys; give a "
                  "file for one");
  return EXIT_OK;
}

/* More room, or none changed. */
static exit_code reserve(rows *batch, uint32_t room, uint32_t dimensions) {
  uint64_t bytes = (uint64_t)room * dimensions * sizeof(float);
  size_t bytes_64 = room * sizeof(uint64_t);
  bool fits = bytes <= SIZE_MAX && bytes_64 / sizeof(uint64_t) == room;
  float *vectors = fits ? realloc(batch->vectors, (size_t)bytes) : NULL;
  if (vectors)
    batch->vectors = vectors;
  uint64_t *keys = vectors ? realloc(batch->keys, bytes_64) : NULL;
  if (keys)
    batch->keys = keys;
  uint64_t *places = keys ? realloc(batch->places, bytes_64) : NULL;
  if (!places)
    return report_memory("rows", bytes);
  batch->places = places;
  batch->room = room;
  return EXIT_OK;
}

exit_code rows_create(rows *batch, uint32_t room, uint32_t dimensions) {
  *batch = (rows){.room = 0};
  exit_code code = reserve(batch, room, dimensions);
  if (code != EXIT_OK)
    rows_free(batch);
  return code;
}

void rows_free(rows *batch) {
  free(batch->vectors);
  free(batch->keys);
  free(batch->places);
  *batch = (rows){.room = 0};
}

/* Rows without keys are numbered; a mixture would let numbers and keys meet. */
static exit_code check_keys(rows *batch, const input *in) {
  if (in->rows == 1)
    batch->have_keys = in->has_key;
  if (in->has_key == batch->have_keys)
    return EXIT_OK;
  char where[INPUT_PLACE_BYTES];
  input_describe(in, in->rows - 1, in->place, where);
  return report(EXIT_INPUT, in->reader.name,
                "%s: has %s key, but the rows before have %s; give all rows a "
                "key, or none",
                where, in->has_key ? "a" : "no", in->has_key ? "none" : "one");
}

static exit_code read_key(rows *batch, input *in, key_file *keys) {
  bool end;
  if (!keys)
    return check_keys(batch, in);
  batch->have_keys = true;
  exit_code code = key_file_next(keys, &in->key, &end);
  if (code == EXIT_OK && end)
    return report(EXIT_INPUT, keys->reader.name,
                  "ends after %" PRIu64 " keys, but %s has more rows; give a "
                  "key for every row",
                  keys->line, in->reader.name);
  return code;
}

static exit_code check_keys_end(const input *in, key_file *keys) {
  uint64_t key;
  bool end;
  exit_code code = key_file_next(keys, &key, &end);
  if (code == EXIT_OK && !end)
    return report(EXIT_INPUT, keys->reader.name,
                  "line %" PRIu64 ": a key too many: %s has %" PRIu64 " rows",
                  keys->line, in->reader.name, in->rows);
  return code;
}

void rows_clear(rows *batch, const input *in) {
  batch->count = 0;
  batch->first = in->rows;
}

exit_code rows_read(rows *batch, input *in, key_file *keys, bool *end) {
  *end = false;
  while (batch->count < batch->room) {
    uint32_t at = batch->count;
    exit_code code =
        input_next(in, batch->vectors + (size_t)at * in->dimensions, end);
    if (code == EXIT_OK && *end)
      return keys ? check_keys_end(in, keys) : EXIT_OK;
    if (code == EXIT_OK)
      code = read_key(batch, in, keys);
    if (code != EXIT_OK)
      return code;
    batch->keys[at] = in->key;
    batch->places[at] = in->place;
    batch->count++;
  }
  return EXIT_OK;
}

exit_code rows_read_all(rows *batch, input *in, key_file *keys) {
  for (;;) {
    bool end;
    exit_code code = rows_read(batch, in, keys, &end);
    if (code != EXIT_OK || end)
      return code;
    /* Half as many again; past 2^31 rows the input ends by itself. */
    code = reserve(batch, batch->room + batch->room / 2 + 1, in->dimensions);
    if (code != EXIT_OK)
      return code;
  }
}

exit_code rows_refused(const rows *batch, const input *in, uint32_t row,
                       mn_status status) {
  const float *vector = batch->vectors + (size_t)row * in->dimensions;
  return refusal_report(in, batch->first + row, batch->places[row], vector,
                        batch->keys[row], status);
}
