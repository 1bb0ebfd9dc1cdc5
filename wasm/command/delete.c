/* SPDX-License-Identifier: Apache-2.0 */
/* minnow delete: an index without some of its vectors. */
#include "arguments.h"
#include "commands.h"
#include "edit.h"
#include "key_file.h"
#include "key_ranges.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct deletion {
  edit edit;
  const char *keys_path;
  key_ranges where;
  key_list keys;
} deletion;

static exit_code read_options(deletion *d, int words_count, char **words) {
  const char *where = NULL;
  const argument arguments[] = {
      {"INDEX", "", &d->edit.path, NULL, true},
      {"-o", "OUT", &d->edit.output, NULL, true},
      {"--keys", "FILE", &d->keys_path, NULL, false},
      {"--where-keys", "KEYS", &where, NULL, false},
      {"--json", "", NULL, &d->edit.is_json, false},
  };
  exit_code code = arguments_read("delete", arguments,
                                  sizeof arguments / sizeof arguments[0],
                                  words_count, words);
  if (code == EXIT_OK && !d->keys_path == !where)
    return report(
        EXIT_USAGE, "delete",
        "give --keys or --where-keys, one of them; see `minnow delete "
        "--help`");
  return code == EXIT_OK ? key_ranges_read(&d->where, "--where-keys", where)
                         : code;
}

static exit_code read_keys(deletion *d) {
  key_file from;
  bool end = false;
  uint64_t key;
  exit_code code = key_file_open(&from, d->keys_path);
  if (code != EXIT_OK)
    return code;
  while (code == EXIT_OK && !end) {
    code = key_file_next(&from, &key, &end);
    if (code == EXIT_OK && !end)
      code = key_list_add(&d->keys, key);
  }
  key_file_close(&from);
  return code;
}

/* Keys come from the index, or line by line from a file. */
static exit_code refused(const deletion *d, uint32_t row, mn_status status) {
  if (!d->keys_path || row >= d->keys.count)
    return report_index(d->edit.path, status);
  return report(EXIT_INPUT, d->keys_path,
                status == MN_ERROR_DUPLICATE_KEY
                    ? "line %u: the key %" PRIu64 " is there twice"
                    : "line %u: there is no key %" PRIu64 " in the index",
                row + 1, d->keys.keys[row]);
}

static exit_code delete_keys(deletion *d) {
  mn_index *index = &d->edit.memory.index;
  exit_code code =
      d->keys_path ? read_keys(d) : key_list_match(&d->keys, index, &d->where);
  if (code != EXIT_OK || d->keys.count == 0)
    return code;
  uint32_t row = UINT32_MAX;
  const mn_status status =
      mn_index_delete(index, d->keys.keys, d->keys.count, &row);
  return status == MN_OK ? EXIT_OK : refused(d, row, status);
}

static exit_code summarise(const deletion *d) {
  const mn_info info = mn_index_info(&d->edit.memory.index);
  if (d->edit.is_json)
    printf("{\"deleted\":%u,\"count\":%u,\"blockBytes\":%" PRIu64 "}\n",
           d->keys.count, info.count, info.block_bytes);
  else
    printf("%s: %u vectors (%u deleted), %" PRIu64 " bytes\n", d->edit.output,
           info.count, d->keys.count, info.block_bytes);
  return output_end(EXIT_OK);
}

exit_code command_delete(int words_count, char **words) {
  deletion d = {.keys_path = NULL};
  exit_code code = read_options(&d, words_count, words);
  if (code == EXIT_OK)
    code = edit_begin(&d.edit);
  if (code == EXIT_OK)
    code = edit_write(&d.edit, delete_keys(&d), 1);
  if (code == EXIT_OK)
    code = summarise(&d);
  edit_free(&d.edit);
  key_ranges_free(&d.where);
  key_list_free(&d.keys);
  return code;
}
