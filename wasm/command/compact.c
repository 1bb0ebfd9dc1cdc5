/* SPDX-License-Identifier: Apache-2.0 */
/* minnow repair and compact: an index without what deleted vectors left. */
#include "arguments.h"
#include "commands.h"
#include "edit.h"

#include <inttypes.h>
#include <stdio.h>

static exit_code begin(edit *e, const char *command, int words_count,
                       char **words) {
  const argument arguments[] = {
      {"INDEX", "", &e->path, NULL, true},
      {"-o", "OUT", &e->output, NULL, true},
      {"--json", "", NULL, &e->is_json, false},
  };
  const exit_code code =
      arguments_read(command, arguments, sizeof arguments / sizeof arguments[0],
                     words_count, words);
  return code == EXIT_OK ? edit_begin(e) : code;
}

/* Packing renumbers the vectors by where they lie, and leaves out all that is
 * no vector. */
static exit_code renumber(edit *e) {
  index_memory packed = {.block = {.bytes = NULL}};
  exit_code code = edit_repair(&e->memory);
  if (code != EXIT_OK || e->was.count == 0)
    return code;
  code = index_memory_pack(&packed, &e->memory.index, e->path);
  if (code == EXIT_OK) {
    edit_free(e); /* so that two blocks are the most that there are at a time */
    code = index_memory_thaw(&e->memory, &packed.index, e->was.count, e->path);
  }
  index_memory_free(&packed);
  return code;
}

static exit_code summarise(const edit *e) {
  const mn_info info = mn_index_info(&e->memory.index);
  if (e->is_json)
    printf("{\"repaired\":%u,\"count\":%u,\"slots\":%u,\"blockBytes\":%" PRIu64
           "}\n",
           e->was.dead, info.count, info.slots, info.block_bytes);
  else
    printf("%s: %u vectors in %u slots (%u repaired), %" PRIu64
           " bytes (%" PRIu64 " before)\n",
           e->output, info.count, info.slots, e->was.dead, info.block_bytes,
           e->was.block_bytes);
  return output_end(EXIT_OK);
}

/* Writes what the change made, unless `code` says that it failed. */
static exit_code end(edit *e, exit_code code) {
  code = edit_write(e, code, 1);
  if (code == EXIT_OK)
    code = summarise(e);
  edit_free(e);
  return code;
}

exit_code command_repair(int words_count, char **words) {
  edit e = {.path = NULL};
  return end(&e, begin(&e, "repair", words_count, words));
}

exit_code command_compact(int words_count, char **words) {
  edit e = {.path = NULL};
  const exit_code code = begin(&e, "compact", words_count, words);
  return end(&e, code == EXIT_OK ? renumber(&e) : code);
}
