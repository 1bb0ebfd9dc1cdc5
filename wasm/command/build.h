/* SPDX-License-Identifier: Apache-2.0 */
/* What `minnow build` is at, for its two files. */
#ifndef MINNOW_COMMAND_BUILD_H
#define MINNOW_COMMAND_BUILD_H

#include "index_memory.h"
#include "input.h"
#include "key_file.h"
#include "rows.h"
#include "sample.h"

typedef struct build {
  const char *input, *output, *format, *keys_path;
  bool is_auto;  /* the spec is still to be chosen */
  bool is_paged; /* how it will be read, for that choice */
  bool packs;
  uint64_t budget; /* bytes of the packed index; 0: no bound */
  uint64_t train;  /* rows to train on at most; 0: as many as help */
  uint64_t threads;
  mn_options options;
  input_wish wish;
  input in;
  key_file keys;
  rows batch;
  sample trained_on;
  index_memory memory;
  output_file file;
} build;

/* How many rows there are: as the input says, or by reading it beforehand. */
exit_code build_count(build *b, uint64_t *count);

/* Trains the index on a sample of the rows, if it needs that. */
exit_code build_train(build *b);

#endif
