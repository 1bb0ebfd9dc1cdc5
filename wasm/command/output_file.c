/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "output_file.h"

#include "interrupt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static exit_code cannot_write(const char *path) {
  return report(EXIT_OUTPUT, path, "cannot be written: %s", strerror(errno));
}

exit_code output_file_check(const char *path) {
  return strcmp(path, "-") != 0
             ? EXIT_OK
             : report(EXIT_USAGE, "-o",
                      "an index goes to a file; give its name");
}

exit_code output_file_begin(output_file *file, const char *path) {
  *file = (output_file){.path = path};
  struct stat about;
  if (stat(path, &about) == 0 && !S_ISREG(about.st_mode))
    return report(EXIT_OUTPUT, path,
                  "not a file; give the name of a file to be written");
  size_t bytes = strlen(path) + sizeof ".tmp";
  file->temporary = malloc(bytes);
  if (!file->temporary)
    return report_memory("a file name", bytes);
  snprintf(file->temporary, bytes, "%s.tmp", path);
  interrupt_removes(file->temporary);
  file->to = fopen(file->temporary, "wb");
  if (file->to)
    return EXIT_OK;
  exit_code code = cannot_write(file->temporary);
  interrupt_removes(NULL);
  free(file->temporary);
  return code;
}

exit_code output_file_write(output_file *file, const void *bytes,
                            size_t count) {
  return fwrite(bytes, 1, count, file->to) == count
             ? EXIT_OK
             : cannot_write(file->temporary);
}

exit_code output_file_print(output_file *file, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int count = vfprintf(file->to, format, arguments);
  va_end(arguments);
  return count >= 0 ? EXIT_OK : cannot_write(file->temporary);
}

exit_code output_file_end(output_file *file, exit_code code) {
  if (code == EXIT_OK &&
      (fflush(file->to) != 0 || fsync(fileno(file->to)) != 0))
    code = cannot_write(file->temporary);
  if (fclose(file->to) != 0 && code == EXIT_OK)
    code = cannot_write(file->temporary);
  if (code == EXIT_OK && rename(file->temporary, file->path) != 0)
    code = cannot_write(file->path);
  if (code != EXIT_OK)
    remove(file->temporary);
  interrupt_removes(NULL);
  free(file->temporary);
  return code;
}
