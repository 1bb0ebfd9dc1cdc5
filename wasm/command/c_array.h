/* SPDX-License-Identifier: Apache-2.0 */
/* An index as a constant array in C, for firmware: a source and its header. */
#ifndef MINNOW_COMMAND_C_ARRAY_H
#define MINNOW_COMMAND_C_ARRAY_H

#include "report.h"

#include <stdbool.h>

typedef struct c_array {
  const char *name;    /* of the array; NULL: none is asked for */
  const char *section; /* NULL: where the compiler puts constants */
} c_array;

/* Whether `name` can be a variable's in C and C++, `section` be written in an
 * attribute, and `path` be a source with a header beside it. */
exit_code c_array_check(const c_array *of, const char *path);

/* Writes a sealed index to `path` and the header that declares it. */
exit_code c_array_write(const c_array *of, const mn_index *index,
                        const char *path);

/* The header's name, to be freed: the source's, which was checked, with another
 * extension. */
exit_code c_array_header(const char *path, char **header);

#endif
