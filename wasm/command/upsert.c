/* SPDX-License-Identifier: Apache-2.0 */
/* minnow upsert and update: an index with others in the place of some of its
 * vectors, and with more. */
#include "arguments.h"
#include "commands.h"
#include "edit.h"
#include "options.h"
#include "rows.h"

#include <inttypes.h>
#include <stdio.h>

#define FIRST_ROWS 256u

typedef struct upsertion {
  const char *command;
  mn_status (*put)(mn_index *index, const uint64_t *keys,
                   const mn_vectors *vectors, uint32_t *bad_row,
                   mn_arena *scratch);
  edit edit;
  const char *input, *format, *keys_path;
  input in;
  key_file keys;
  rows rows; /* all of them, so that a key that is there twice is noticed */
} upsertion;

static exit_code read_options(upsertion *u, int words_count, char **words) {
  const argument arguments[] = {
      {"INDEX", "", &u->edit.path, NULL, true},
      {"INPUT", "", &u->input, NULL, true},
      {"-o", "OUT", &u->edit.output, NULL, true},
      {"--keys", "FILE", &u->keys_path, NULL, false},
      {"--format", "FORMAT", &u->format, NULL, false},
      {"--json", "", NULL, &u->edit.is_json, false},
  };
  exit_code code = arguments_read(u->command, arguments,
                                  sizeof arguments / sizeof arguments[0],
                                  words_count, words);
  if (code == EXIT_OK)
    code = rows_check_names(u->input, u->keys_path, u->edit.output);
  return code == EXIT_OK && u->keys_path ? key_file_open(&u->keys, u->keys_path)
                                         : code;
}

static exit_code read_rows(upsertion *u) {
  const mn_options *options = &u->edit.memory.index.options;
  const input_wish wish = {.format = u->format,
                           .dimensions = options->dimensions,
                           .dimensions_from = "the index",
                           .keys = !u->keys_path,
                           .bits = metric_is_binary(options->metric)};
  exit_code code = input_open(&u->in, u->input, &wish);
  if (code == EXIT_OK)
    code = rows_create(&u->rows, FIRST_ROWS, options->dimensions);
  if (code == EXIT_OK)
    code = rows_read_all(&u->rows, &u->in, u->keys_path ? &u->keys : NULL);
  if (code == EXIT_OK && !u->rows.have_keys)
    return report(EXIT_INPUT, u->in.reader.name,
                  "its rows have no keys, so it is open which vectors they "
                  "are; give --keys");
  return code;
}

static exit_code put_rows(upsertion *u) {
  index_memory *into = &u->edit.memory;
  exit_code code = read_rows(u);
  mn_sizes sizes;
  if (code == EXIT_OK)
    code = index_memory_reserve(into, u->rows.count);
  if (code == EXIT_OK)
    code = index_memory_plan(into, into->index.capacity, &sizes);
  if (code == EXIT_OK)
    code = index_memory_scratch(into, sizes.update_scratch_bytes);
  if (code != EXIT_OK)
    return code;
  const mn_vectors vectors = {u->rows.vectors, u->rows.count, u->in.dimensions};
  uint32_t bad_row = UINT32_MAX;
  const mn_status status = u->put(&into->index, u->rows.keys, &vectors,
                                  &bad_row, &into->scratch.arena);
  if (status == MN_OK)
    return EXIT_OK;
  return bad_row < u->rows.count
             ? rows_refused(&u->rows, &u->in, bad_row, status)
             : report_index(u->edit.path, status);
}

static exit_code summarise(const upsertion *u) {
  const mn_info info = mn_index_info(&u->edit.memory.index);
  const uint32_t added = info.count - u->edit.was.count;
  const uint32_t replaced = u->rows.count - added;
  if (u->edit.is_json)
    printf("{\"added\":%u,\"replaced\":%u,\"count\":%u,\"blockBytes\":%" PRIu64
           "}\n",
           added, replaced, info.count, info.block_bytes);
  else
    printf("%s: %u vectors (%u added, %u replaced), %" PRIu64 " bytes\n",
           u->edit.output, info.count, added, replaced, info.block_bytes);
  return output_end(EXIT_OK);
}

static exit_code run(upsertion u, int words_count, char **words) {
  exit_code code = read_options(&u, words_count, words);
  if (code == EXIT_OK)
    code = edit_begin(&u.edit);
  if (code == EXIT_OK)
    code = edit_write(&u.edit, put_rows(&u), 1);
  if (code == EXIT_OK)
    code = summarise(&u);
  edit_free(&u.edit);
  rows_free(&u.rows);
  input_close(&u.in);
  key_file_close(&u.keys);
  return code;
}

exit_code command_upsert(int words_count, char **words) {
  const upsertion u = {.command = "upsert", .put = mn_index_upsert};
  return run(u, words_count, words);
}

exit_code command_update(int words_count, char **words) {
  const upsertion u = {.command = "update", .put = mn_index_update};
  return run(u, words_count, words);
}
