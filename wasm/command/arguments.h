/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a command line against a table of options. */
#ifndef MINNOW_COMMAND_ARGUMENTS_H
#define MINNOW_COMMAND_ARGUMENTS_H

#include "report.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct argument {
  const char *name;   /* "--metric"; "INDEX" without dashes is positional */
  const char *takes;  /* what its value is, for messages; "" for none */
  const char **value; /* an option with a value, or a positional */
  bool *flag;         /* an option without one */
  bool required;
} argument;

/* Fills in what `words` give; values that are not given are left alone. Takes
 * `--name value`, `--name=value` and `-n value`; `--` ends the options; `-` is
 * positional. Every argument may be given once. */
exit_code arguments_read(const char *command, const argument *arguments,
                         size_t count, int words_count, char **words);

/* An unsigned decimal integer from `least` to `most`. `text` NULL leaves
 * `*number` alone. */
exit_code arguments_number(const char *name, const char *text, uint64_t least,
                           uint64_t most, uint64_t *number);

/* A number of bytes from 1: an integer (hexadecimal behind 0x) and perhaps a
 * unit, KB, MB or GB (1000, 1000^2, 1000^3 bytes) or KiB, MiB or GiB (1024, …).
 * `text` NULL leaves `*bytes` alone. */
exit_code arguments_bytes(const char *name, const char *text, uint64_t *bytes);

/* A byte, decimal or hexadecimal behind 0x. `text` NULL leaves `*byte` alone.
 */
exit_code arguments_byte(const char *name, const char *text, uint8_t *byte);

/* A decimal number from `least` to `most`. `text` NULL leaves `*number` alone.
 */
exit_code arguments_real(const char *name, const char *text, float least,
                         float most, float *number);

#endif
