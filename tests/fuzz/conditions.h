/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions of a search, at random, and a naive model of them. */
#ifndef CONDITIONS_H
#define CONDITIONS_H

#include "../../core/minnow.h"

typedef struct conditions {
  uint32_t *bits; /* memory of exactly its size; NULL: no filter */
  mn_key_range ranges[3];
  uint64_t without[4];
  uint32_t range_count, without_count, modulus; /* 0: no such condition */
} conditions;

/* Conditions for an index of so many slots; free(bits) lets go of them. */
conditions conditions_draw(const mn_index *index, uint32_t slots);

/* Puts them into a query, and whatever else decides how matches are found. */
void conditions_ask(const conditions *c, const mn_index *index,
                    mn_query *query);

/* Whether there is a vector at a slot in use, by the block's bits. */
int is_live(const mn_index *index, uint32_t slot);

/* Whether they let a vector through, and how many of all slots. */
int conditions_hold(const conditions *c, uint64_t key, uint32_t slot);
uint32_t conditions_count(const conditions *c, const mn_index *index,
                          uint32_t slots);

#endif
