/* SPDX-License-Identifier: Apache-2.0 */
/* An index on disk: its block, and nothing else. */
#ifndef MINNOW_COMMAND_INDEX_FILE_H
#define MINNOW_COMMAND_INDEX_FILE_H

#include "report.h"

#include <stdbool.h>

typedef struct index_file {
  const char *path;
  mn_index index;
  void *bytes;
  size_t bytes_count; /* of the file; the block may be shorter */
} index_file;

/* Reads the file and opens it. A block that cannot be opened gives
 * EXIT_INDEX, and `*status` says why; `status` may be NULL. */
exit_code index_file_open(index_file *file, const char *path,
                          mn_status *status);

/* Refuses a damaged index, EXIT_INDEX: of what is written from it, new
 * checksums would hide the damage. */
exit_code index_file_verify(const index_file *file);
void index_file_close(index_file *file);

#endif
