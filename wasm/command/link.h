/* SPDX-License-Identifier: Apache-2.0 */
/* Linking all of an index's vectors into its graph, by threads. */
#ifndef MINNOW_COMMAND_LINK_H
#define MINNOW_COMMAND_LINK_H

#include "index_memory.h"

/* --threads: 1 to MN_LINK_BATCH; by default as many as there are processors. */
exit_code link_read_threads(const char *text, uint64_t *count);

/* The same bytes for any number of threads, from 1. */
exit_code link_vectors(index_memory *of, uint32_t threads_count);

#endif
