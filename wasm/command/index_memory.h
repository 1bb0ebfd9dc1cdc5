/* SPDX-License-Identifier: Apache-2.0 */
/* An index in memory from malloc that grows as rows come in, is packed or
 * thawed, and is written; and scratch. */
#ifndef MINNOW_COMMAND_INDEX_MEMORY_H
#define MINNOW_COMMAND_INDEX_MEMORY_H

#include "index_file.h"
#include "output_file.h"

/* Bytes from malloc under an arena. */
typedef struct memory {
  void *bytes;
  mn_arena arena;
} memory;

/* An empty arena of `bytes` bytes; `what` is for the message. */
exit_code memory_take(memory *into, size_t bytes, const char *what);
void memory_free(memory *of);

typedef struct index_memory {
  mn_options options; /* as asked for: auto stays auto */
  mn_index index;
  memory block, scratch;
} index_memory;

exit_code index_memory_create(index_memory *into, const mn_options *options,
                              uint64_t capacity);

/* The index of a file, to be changed: in the file's memory, until it grows. */
exit_code index_memory_open(index_memory *into, index_file *file);

/* Whether it is a collection of the npm package, whose documents go by slot. */
bool index_memory_is_collection(const mn_index *index);

/* Makes the capacity exactly `capacity`, by way of a second block. */
exit_code index_memory_resize(index_memory *into, uint64_t capacity);

/* Makes room for `more` vectors, and for half as many again as there are, so
 * that growing row by row copies each vector a bounded number of times. */
exit_code index_memory_reserve(index_memory *into, uint32_t more);

/* What operations take at the index's capacity. */
exit_code index_memory_plan(const index_memory *of, uint64_t capacity,
                            mn_sizes *sizes);

/* A packed copy of a live and repaired index, and a live copy of a packed one
 * with room for `capacity` vectors. `path` is where that came from, for
 * messages. */
exit_code index_memory_pack(index_memory *into, const mn_index *live,
                            const char *path);
exit_code index_memory_thaw(index_memory *into, const mn_index *packed,
                            uint64_t capacity, const char *path);

exit_code index_memory_seal(index_memory *of);

/* Seals the index and writes it. */
exit_code index_memory_write(index_memory *of, output_file *to);

/* Makes the scratch at least `bytes` large. */
exit_code index_memory_scratch(index_memory *into, size_t bytes);

void index_memory_free(index_memory *of);

#endif
