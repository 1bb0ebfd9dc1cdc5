/* SPDX-License-Identifier: Apache-2.0 */
/* A batch of rows on their way from an input into an index. */
#ifndef MINNOW_COMMAND_ROWS_H
#define MINNOW_COMMAND_ROWS_H

#include "input.h"
#include "key_file.h"

typedef struct rows {
  float *vectors;   /* room * dimensions */
  uint64_t *keys;   /* room */
  uint64_t *places; /* room: the input's, for messages */
  uint32_t count, room;
  uint64_t first; /* number of the first row */
  bool have_keys; /* every row has a key of its own; else none has */
} rows;

/* Whether rows may come from a file of this name, their keys from `keys` (NULL:
 * they bring them), and the index go to `to`. */
exit_code rows_check_names(const char *from, const char *keys, const char *to);

exit_code rows_create(rows *batch, uint32_t room, uint32_t dimensions);
void rows_free(rows *batch);

/* Empties the batch, whose next row is the input's next. */
void rows_clear(rows *batch, const input *in);

/* Reads until the batch is full, or the input ends and sets *end. Keys are
 * `keys`', where that is not NULL, or the input's. */
exit_code rows_read(rows *batch, input *in, key_file *keys, bool *end);

/* Reads all that is left, making room for it. */
exit_code rows_read_all(rows *batch, input *in, key_file *keys);

/* Reports that the index refused row `row` of the batch. */
exit_code rows_refused(const rows *batch, const input *in, uint32_t row,
                       mn_status status);

#endif
