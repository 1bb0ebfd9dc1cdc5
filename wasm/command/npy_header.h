/* SPDX-License-Identifier: Apache-2.0 */
/* The text in an .npy file that says what its bytes are: a Python dictionary
 * such as {'descr': '<f4', 'fortran_order': False, 'shape': (1000, 384), }
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). */
#ifndef MINNOW_COMMAND_NPY_HEADER_H
#define MINNOW_COMMAND_NPY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct npy_header {
  char type[8]; /* "<f4" */
  bool is_fortran;
  uint64_t shape[2];
  uint32_t axes; /* as many as there are; shape holds the first two */
} npy_header;

/* Reads `bytes` bytes of text. On failure `*at` is the offset of what was not
 * understood and `*expected` says what should have been there. */
bool npy_header_parse(npy_header *header, const char *text, size_t bytes,
                      size_t *at, const char **expected);

#endif
