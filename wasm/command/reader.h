/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a file or of standard input, one after the other, counted. */
#ifndef MINNOW_COMMAND_READER_H
#define MINNOW_COMMAND_READER_H

#include "report.h"

#include <stdbool.h>
#include <stdio.h>

#define READER_BUFFER_BYTES 65536u
#define READER_END          (-1)

typedef struct reader {
  const char *name; /* for messages */
  FILE *file;
  uint64_t size;     /* bytes in all; 0: not known, as of a pipe */
  uint64_t position; /* bytes taken so far */
  bool failed;       /* reading failed, which was reported; the end follows */
  uint8_t *buffer;
  size_t at, end; /* what of the buffer is still to be taken */
} reader;

/* Opens `path`; "-" is standard input. */
exit_code reader_open(reader *in, const char *path);
void reader_close(reader *in);

/* Fills the empty buffer; false at the end. */
bool reader_fill(reader *in);

/* The next byte, or READER_END, without taking it. */
static inline int reader_peek(reader *in) {
  if (in->at == in->end && !reader_fill(in))
    return READER_END;
  return in->buffer[in->at];
}

/* Takes the byte that was peeked at, which was not the end. */
static inline void reader_skip(reader *in) {
  in->at++;
  in->position++;
}

/* Takes `count` bytes; fewer only at the end. Returns how many. */
size_t reader_read(reader *in, void *bytes, size_t count);

#endif
