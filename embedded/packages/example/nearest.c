/* SPDX-License-Identifier: Apache-2.0 */
#include "nearest.h"

/* The index, and what a search needs besides. Bytes are asked for with mn_plan;
 * an index made on a computer would be opened in flash instead. */
static _Alignas(MN_ALIGNMENT) uint8_t memory[4096];

mn_status nearest(mn_hit hits[2], uint32_t *found) {
  static const float rows[] = {1, 0, 0, 1, 5, 5};
  static const float vector[] = {1, 0.5f};
  const mn_options options = {.dimensions = 2, .metric = MN_L2};
  mn_arena arena = mn_arena_over(memory, sizeof memory);
  mn_index index;
  mn_status status = mn_index_create(&index, &options, 3, &arena);
  if (status == MN_OK)
    status =
        mn_index_add(&index, NULL, &(mn_vectors){rows, 3, 2}, NULL, &arena);
  if (status != MN_OK)
    return status;
  const mn_query query = {.vector = vector, .dimensions = 2, .k = 2};
  return mn_index_search(&index, &query, hits, found, &arena);
}
