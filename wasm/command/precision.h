/* SPDX-License-Identifier: Apache-2.0 */
/* How exactly a search looks: options that several commands take. */
#ifndef MINNOW_COMMAND_PRECISION_H
#define MINNOW_COMMAND_PRECISION_H

#include "index_file.h"

/* As given; NULL where they are not. */
typedef struct precision_words {
  const char *ef, *gamma, *nprobe, *planes, *refine_planes, *refine_k;
} precision_words;

/* For a table of arguments. */
#define PRECISION_ARGUMENTS(words)                                             \
  {"--ef", "N", &(words)->ef, NULL, false},                                    \
      {"--gamma", "X", &(words)->gamma, NULL, false},                          \
      {"--nprobe", "N", &(words)->nprobe, NULL, false},                        \
      {"--planes", "P", &(words)->planes, NULL, false},                        \
      {"--refine-planes", "P", &(words)->refine_planes, NULL, false}, {        \
    "--refine-k", "X", &(words)->refine_k, NULL, false                         \
  }

/* Puts them into the query. */
exit_code precision_read(const precision_words *words, mn_query *query);

/* Whether the index has what the query, whose k is set, asks for. */
exit_code precision_check(const mn_query *query, const index_file *file);

#endif
