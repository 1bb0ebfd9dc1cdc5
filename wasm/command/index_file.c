/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "index_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Opening -------------------------------------------------------------- */

static exit_code read_all(index_file *file, FILE *from) {
  struct stat about;
  if (fstat(fileno(from), &about) != 0)
    return report(EXIT_INDEX, file->path, "cannot be read: %s",
                  strerror(errno));
  if (!S_ISREG(about.st_mode))
    return report(EXIT_INDEX, file->path,
                  "not a file; give an index that "
                  "`minnow build` wrote");
  uint64_t bytes = (uint64_t)about.st_size;
  file->bytes_count = (size_t)bytes;
  /* malloc(0) may be NULL, which would look like a failure. */
  file->bytes =
      file->bytes_count == bytes ? malloc(file->bytes_count + 1) : NULL;
  if (!file->bytes)
    return report_memory(file->path, bytes);
  if (fread(file->bytes, 1, file->bytes_count, from) < file->bytes_count)
    return report(EXIT_INDEX, file->path, "cannot be read: %s",
                  ferror(from) ? strerror(errno) : "it shrank meanwhile");
  return EXIT_OK;
}

exit_code index_file_open(index_file *file, const char *path,
                          mn_status *status) {
  *file = (index_file){.path = path};
  mn_status opened = MN_OK;
  FILE *from = fopen(path, "rb");
  if (!from)
    return report(EXIT_INDEX, path, "cannot be opened: %s", strerror(errno));
  exit_code code = read_all(file, from);
  fclose(from);
  if (code == EXIT_OK) {
    opened = mn_index_open(&file->index, file->bytes, file->bytes_count);
    if (opened != MN_OK)
      code = report_index(path, opened);
  }
  if (status)
    *status = opened;
  if (code != EXIT_OK)
    index_file_close(file);
  return code;
}

void index_file_close(index_file *file) {
  free(file->bytes);
  file->bytes = NULL;
}

/* --- Saving --------------------------------------------------------------- */

static exit_code cannot_write(const char *path) {
  return report(EXIT_OUTPUT, path, "cannot be written: %s", strerror(errno));
}

static char *temporary_name(const char *path) {
  size_t bytes = strlen(path) + sizeof ".tmp";
  char *name = malloc(bytes);
  if (name)
    snprintf(name, bytes, "%s.tmp", path);
  return name;
}

exit_code index_file_probe(const char *path) {
  struct stat about;
  if (stat(path, &about) == 0 && !S_ISREG(about.st_mode))
    return report(EXIT_OUTPUT, path,
                  "not a file; give the name of a file to be written");
  char *temporary = temporary_name(path);
  if (!temporary)
    return report_memory("a file name", strlen(path));
  FILE *to = fopen(temporary, "wb");
  exit_code code = to ? EXIT_OK : cannot_write(temporary);
  if (to) {
    fclose(to);
    remove(temporary);
  }
  free(temporary);
  return code;
}

/* Bytes that the disk has, or errno. */
static bool write_all(const char *path, const mn_index *index) {
  FILE *to = fopen(path, "wb");
  if (!to)
    return false;
  bool is_written =
      fwrite(index->block, 1, index->block_bytes, to) == index->block_bytes &&
      fflush(to) == 0 && fsync(fileno(to)) == 0;
  int why = errno;
  bool is_closed = fclose(to) == 0;
  if (!is_written)
    errno = why;
  return is_written && is_closed;
}

exit_code index_file_save(const char *path, const mn_index *index) {
  char *temporary = temporary_name(path);
  if (!temporary)
    return report_memory("a file name", strlen(path));
  exit_code code = EXIT_OK;
  if (!write_all(temporary, index))
    code = cannot_write(temporary);
  else if (rename(temporary, path) != 0)
    code = cannot_write(path);
  if (code != EXIT_OK)
    remove(temporary);
  free(temporary);
  return code;
}
