/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L /* fileno */
#include "index_file.h"
#include "minnow_cpu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
    else
      mn_index_use_features(&file->index, mn_host_cpu_features());
  }
  if (status)
    *status = opened;
  if (code != EXIT_OK)
    index_file_close(file);
  return code;
}

exit_code index_file_verify(const index_file *file) {
  const mn_status status = mn_index_verify(&file->index);
  return status == MN_OK ? EXIT_OK : report_index(file->path, status);
}

void index_file_close(index_file *file) {
  free(file->bytes);
  file->bytes = NULL;
}
