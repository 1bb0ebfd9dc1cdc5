/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

exit_code sample_create(sample *into, uint32_t room, uint32_t dimensions,
                        uint64_t seed) {
  *into = (sample){.room = room, .dimensions = dimensions, .seed = seed};
  uint64_t bytes = (uint64_t)room * dimensions * sizeof(float);
  into->vectors = bytes <= SIZE_MAX ? malloc((size_t)bytes) : NULL;
  return into->vectors ? EXIT_OK : report_memory("a sample to train on", bytes);
}

void sample_free(sample *of) {
  free(of->vectors);
  of->vectors = NULL;
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014), of a counter. */
static uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/* Reservoir sampling (Vitter, TOMS 1985, Algorithm R). */
void sample_take(sample *into, const float *row) {
  uint64_t at = into->seen++;
  if (at < into->room)
    into->count++;
  else
    at = mix(mix(into->seed) + at) % into->seen;
  if (at < into->room)
    memcpy(into->vectors + (size_t)at * into->dimensions, row,
           into->dimensions * sizeof(float));
}
