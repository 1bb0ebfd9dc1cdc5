/* SPDX-License-Identifier: Apache-2.0 */
/* minnow.h in a C++ program, minnow.c linked to it: one search. */
#include "minnow.h"

#include <cstdio>

alignas(MN_ALIGNMENT) static unsigned char memory[4096];

int main() {
  const float rows[] = {1, 0, 0, 1, 5, 5};
  mn_options options = {};
  options.dimensions = 2;
  options.metric = MN_L2;
  mn_arena arena = mn_arena_over(memory, sizeof memory);
  mn_index index;
  mn_vectors vectors = {rows, 3, 2};
  if (mn_index_create(&index, &options, 3, &arena) != MN_OK ||
      mn_index_add(&index, nullptr, &vectors, nullptr, &arena) != MN_OK)
    return 1;
  const float vector[] = {1, 0.5f};
  mn_query query = {};
  query.vector = vector;
  query.dimensions = 2;
  query.k = 2;
  mn_hit hits[2];
  uint32_t found = 0;
  if (mn_index_search(&index, &query, hits, &found, &arena) != MN_OK)
    return 1;
  for (uint32_t i = 0; i < found; i++)
    std::printf("%u at %g\n", (unsigned)hits[i].key, (double)hits[i].distance);
}
