/* SPDX-License-Identifier: Apache-2.0 */
/* All that can be asked of an index, at random. */
#ifndef READING_H
#define READING_H

#include "../../core/minnow.h"

/* The random choices of a run follow from its input. */
void seed_from(const uint8_t *data, size_t size);
uint32_t draw(void);

/* Numbers as a caller may give them, likely ones and rare ones. */
void fill(float *row, uint32_t dimensions);

/* Searches, reconstructs, encodes and decodes. What comes back is in the block,
 * and in order; in a block that verifies (`is_valid`), it is as much as was
 * asked for. Nothing is written but to `scratch`. */
void read_index(const mn_index *index, mn_arena *scratch, int is_valid);

#endif
