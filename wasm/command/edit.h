/* SPDX-License-Identifier: Apache-2.0 */
/* An index from a file that is changed and written to a file: all of it, or
 * nothing. */
#ifndef MINNOW_COMMAND_EDIT_H
#define MINNOW_COMMAND_EDIT_H

#include "index_file.h"
#include "index_memory.h"

typedef struct edit {
  const char *path, *output;
  bool is_json;
  index_file file;     /* its bytes are changed, until the index grows */
  index_memory memory; /* the index as it becomes */
  mn_info was;         /* what the index was */
} edit;

/* Opens the index at `path`, unless it is damaged or cannot be changed. */
exit_code edit_begin(edit *e);

/* Unless `code` says that a change failed: repairs the graph, links what waits
 * by so many threads, drops spare room, and writes it to `output`. */
exit_code edit_write(edit *e, exit_code code, uint32_t threads_count);
void edit_free(edit *e);

/* Repairs a graph to its end, where vectors were deleted from it. */
exit_code edit_repair(index_memory *of);

#endif
