/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "reader.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

exit_code reader_open(reader *in, const char *path) {
  *in = (reader){.name = path};
  if (strcmp(path, "-") == 0) {
    in->name = "standard input";
    in->file = stdin;
  } else {
    in->file = fopen(path, "rb");
    if (!in->file)
      return report(EXIT_INPUT, path, "cannot be opened: %s", strerror(errno));
  }
  struct stat about;
  if (fstat(fileno(in->file), &about) == 0 && S_ISREG(about.st_mode))
    in->size = (uint64_t)about.st_size;
  in->buffer = malloc(READER_BUFFER_BYTES);
  if (!in->buffer) {
    reader_close(in);
    return report_memory("reading", READER_BUFFER_BYTES);
  }
  return EXIT_OK;
}

void reader_close(reader *in) {
  if (in->file && in->file != stdin)
    fclose(in->file);
  free(in->buffer);
  in->file = NULL;
  in->buffer = NULL;
}

/* Whether reading failed only because nothing is there yet, in which case it
 * waits: some programs leave a pipe in that mode to those they start. */
static bool is_awaited(FILE *file) {
  if (!ferror(file) || errno != EAGAIN)
    return false;
  clearerr(file);
  struct pollfd wait = {.fd = fileno(file), .events = POLLIN};
  return poll(&wait, 1, -1) >= 0;
}

bool reader_fill(reader *in) {
  if (in->failed)
    return false;
  in->at = 0;
  do
    in->end = fread(in->buffer, 1, READER_BUFFER_BYTES, in->file);
  while (in->end == 0 && is_awaited(in->file));
  if (in->end == 0 && ferror(in->file)) {
    in->failed = true;
    report(EXIT_INPUT, in->name, "cannot be read: %s", strerror(errno));
  }
  return in->end > 0;
}

size_t reader_read(reader *in, void *bytes, size_t count) {
  uint8_t *to = bytes;
  size_t done = 0;
  while (done < count && reader_peek(in) != READER_END) {
    size_t part = in->end - in->at;
    if (part > count - done)
      part = count - done;
    memcpy(to + done, in->buffer + in->at, part);
    in->at += part;
    in->position += part;
    done += part;
  }
  return done;
}
