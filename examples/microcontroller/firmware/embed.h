/* SPDX-License-Identifier: Apache-2.0 */
/* A text's vector: the sum of its words' vectors, which are those of an index
 * under the words' numbers. host/meaning.mjs made them such that this is all
 * there is to do. */
#ifndef EMBED_H
#define EMBED_H

#include "../../../core/minnow.h"
#include "texts.h"

typedef struct vocabulary {
  const texts *words; /* in ascending order */
  mn_index vectors;   /* by word number */
} vocabulary;

/* Writes the vector, and how many of the words were known. `word_vector` is
 * room for one. Errors: those of mn_index_reconstruct. */
mn_status embed(const vocabulary *vocabulary, const char *text, float *vector,
                float *word_vector, uint32_t *known, mn_arena *scratch);

#endif
