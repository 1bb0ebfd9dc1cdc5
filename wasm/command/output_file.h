/* SPDX-License-Identifier: Apache-2.0 */
/* A file that appears whole or not at all: PATH.tmp, renamed at the end, and
 * removed when the program is interrupted (under WASI it stays). */
#ifndef MINNOW_COMMAND_OUTPUT_FILE_H
#define MINNOW_COMMAND_OUTPUT_FILE_H

#include "report.h"

#include <stdio.h>

typedef struct output_file {
  const char *path;
  char *temporary;
  FILE *to;
} output_file;

/* Whether an index may go to PATH, as far as its name tells. */
exit_code output_file_check(const char *path);

/* Begins writing, or finds out that PATH cannot be written. */
exit_code output_file_begin(output_file *file, const char *path);
exit_code output_file_write(output_file *file, const void *bytes, size_t count);
exit_code output_file_print(output_file *file, const char *format, ...)
    REPORT_FORMAT(2);

/* Ends it: with EXIT_OK the file is there, otherwise nothing is left. Returns
 * `code`, or EXIT_OUTPUT. */
exit_code output_file_end(output_file *file, exit_code code);

#endif
