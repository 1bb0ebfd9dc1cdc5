/* SPDX-License-Identifier: Apache-2.0 */
/* A search in a block that lies in flash (block.S). README.md tells the rest;
 * tests/symbols compiles and links this for a Cortex-M4. */
#include "minnow.h"

extern const uint8_t minnow_block[];
extern const uint8_t minnow_block_end[];

/* What mn_plan says under search_scratch_bytes for the block, k and ef; it says
 * the same on a laptop, so this is settled before flashing. */
#ifndef SCRATCH_BYTES
#define SCRATCH_BYTES 16384
#endif
static _Alignas(MN_ALIGNMENT) uint8_t scratch[SCRATCH_BYTES];

/* The `k` keys nearest to `vector` into `hits`. The handle takes no time to
 * make and could as well be kept. */
mn_status firmware_search(const float *vector, uint32_t dimensions, uint32_t k,
                          mn_hit *hits, uint32_t *count) {
  mn_index index;
  mn_status status = mn_index_open(&index, minnow_block,
                                   (size_t)(minnow_block_end - minnow_block));
  if (status != MN_OK)
    return status;
  mn_arena arena = mn_arena_over(scratch, sizeof scratch);
  static mn_query query; /* static: 0, and without a call of memset */
  query.vector = vector;
  query.dimensions = dimensions;
  query.k = k;
  return mn_index_search(&index, &query, hits, count, &arena);
}
