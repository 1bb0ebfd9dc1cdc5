/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from a file of their own: text, an unsigned integer to a line. */
#ifndef MINNOW_COMMAND_KEY_FILE_H
#define MINNOW_COMMAND_KEY_FILE_H

#include "reader.h"

typedef struct key_file {
  reader reader;
  uint64_t line; /* read so far */
} key_file;

exit_code key_file_open(key_file *from, const char *path);
void key_file_close(key_file *from);

/* Reads the next line's key, or sets *end. */
exit_code key_file_next(key_file *from, uint64_t *key, bool *end);

#endif
