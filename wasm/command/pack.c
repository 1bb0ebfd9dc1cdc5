/* SPDX-License-Identifier: Apache-2.0 */
/* minnow pack and thaw: an index to search only, and one to add to again. */
#include "arguments.h"
#include "commands.h"
#include "edit.h"
#include "index_file.h"
#include "index_memory.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct conversion {
  const char *path, *output;
  index_file file;
  index_memory memory;
  output_file to;
} conversion;

static exit_code begin(conversion *c) {
  exit_code code = output_file_check(c->output);
  return code == EXIT_OK ? index_file_open(&c->file, c->path, NULL) : code;
}

/* Writes what was made, unless `code` says that nothing was. */
static exit_code end(conversion *c, exit_code code) {
  if (code == EXIT_OK)
    code = output_file_begin(&c->to, c->output);
  if (code == EXIT_OK)
    code = output_file_end(&c->to, index_memory_write(&c->memory, &c->to));
  if (code == EXIT_OK) {
    const mn_info info = mn_index_info(&c->memory.index);
    printf("%s: %u vectors, room for %u, %s, %" PRIu64 " bytes (%zu before)\n",
           c->output, info.count, info.capacity,
           info.packed ? "packed" : "live", info.block_bytes,
           c->file.index.block_bytes);
    code = output_end(code);
  }
  index_memory_free(&c->memory);
  index_file_close(&c->file);
  return code;
}

/* What is deleted must be gone before it is packed. */
static exit_code repair(conversion *c) {
  index_memory live;
  exit_code code = index_memory_open(&live, &c->file);
  if (code == EXIT_OK)
    code = edit_repair(&live);
  memory_free(&live.scratch);
  return code;
}

exit_code command_pack(int words_count, char **words) {
  conversion c = {.path = NULL};
  const argument arguments[] = {
      {"INDEX", "", &c.path, NULL, true},
      {"-o", "OUT", &c.output, NULL, true},
  };
  exit_code code = arguments_read("pack", arguments, 2, words_count, words);
  if (code == EXIT_OK)
    code = begin(&c);
  if (code == EXIT_OK && mn_index_info(&c.file.index).dead > 0)
    code = repair(&c);
  return code == EXIT_OK
             ? end(&c, index_memory_pack(&c.memory, &c.file.index, c.path))
             : code;
}

exit_code command_thaw(int words_count, char **words) {
  conversion c = {.path = NULL};
  const char *capacity = NULL;
  const argument arguments[] = {
      {"INDEX", "", &c.path, NULL, true},
      {"-o", "OUT", &c.output, NULL, true},
      {"--capacity", "N", &capacity, NULL, false},
  };
  exit_code code = arguments_read("thaw", arguments, 3, words_count, words);
  uint64_t room = 0;
  if (code == EXIT_OK)
    code = arguments_number("--capacity", capacity, 1, MN_CAPACITY_MAX, &room);
  if (code == EXIT_OK)
    code = begin(&c);
  if (code != EXIT_OK)
    return code;
  if (room == 0)
    room = mn_index_info(&c.file.index).count;
  return end(&c, index_memory_thaw(&c.memory, &c.file.index, room, c.path));
}
