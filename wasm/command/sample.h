/* SPDX-License-Identifier: Apache-2.0 */
/* A random sample of rows that go by once, for training: each row has the same
 * chance, and the same rows give the same sample. */
#ifndef MINNOW_COMMAND_SAMPLE_H
#define MINNOW_COMMAND_SAMPLE_H

#include "report.h"

typedef struct sample {
  float *vectors; /* room * dimensions */
  uint32_t count, room, dimensions;
  uint64_t seen, seed;
} sample;

exit_code sample_create(sample *into, uint32_t room, uint32_t dimensions,
                        uint64_t seed);
void sample_free(sample *of);
void sample_take(sample *into, const float *row);

#endif
