/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which slots may be hits: all that a query asks for, as one test. What is
 * known by slot (the bitset, deleted vectors, excluded keys) is 32 slots to a
 * word, so that a scan passes over those without a match at once and matches
 * can be counted; what is known by key is asked slot by slot.
 */
#ifndef MN_FILTER_H
#define MN_FILTER_H

#include "../minnow.h"

typedef struct mn_filter {
  const uint32_t *bits;    /* NULL, or the bits that must be 1 */
  const uint32_t *live;    /* the same */
  const uint32_t *without; /* NULL, or the bits that must be 0 */
  uint32_t asks_keys;      /* 1: there are ranges or a predicate */
  const uint64_t *keys;    /* by slot */
  const mn_key_range *ranges;
  uint32_t range_count;                                     /* 0: any key */
  int (*match)(void *context, uint64_t key, uint32_t slot); /* NULL: any */
  void *match_context;
} mn_filter;

/* Words of a bit per slot. */
static inline uint32_t mn_filter_words(uint32_t slots) {
  return slots / 32 + (slots % 32 != 0);
}

/* Whether what the query asks for can be: ARGUMENT where a list is missing. */
mn_status mn_filter_check(const mn_query *query);

/* Words of scratch that the query's filter takes in an index of `capacity`. */
size_t mn_filter_scratch(const mn_query *query, uint32_t capacity);

/* The test that the query and the index make; `scratch` as said above. 0 where
 * every slot passes, and so there is no filter. */
int mn_filter_of(const mn_index *index, const mn_query *query,
                 uint32_t *scratch, mn_filter *filter);

/* Slots from 32 `word` on that pass what is known by slot. Past the last slot
 * bits mean nothing. */
static inline uint32_t mn_filter_word(const mn_filter *filter, uint32_t word) {
  uint32_t passing = UINT32_MAX;
  if (filter->bits != NULL)
    passing &= filter->bits[word];
  if (filter->live != NULL)
    passing &= filter->live[word];
  if (filter->without != NULL)
    passing &= ~filter->without[word];
  return passing;
}

/* Whether it asks for nothing but that vectors are there. */
static inline int mn_filter_is_plain(const mn_filter *filter) {
  return filter->bits == NULL && filter->without == NULL && !filter->asks_keys;
}

/* Whether ranges and predicate let the key of a slot through. */
int mn_filter_key(const mn_filter *filter, uint32_t slot);

/* Whether the slot, one that is in use, may be a hit. */
static inline int mn_lets_through(const mn_filter *filter, uint32_t slot) {
  return (mn_filter_word(filter, slot / 32) >> slot % 32 & 1) != 0 &&
         (!filter->asks_keys || mn_filter_key(filter, slot));
}

/* How many of the first `slots` pass what is known by slot. O(slots / 32). */
uint32_t mn_filter_count(const mn_filter *filter, uint32_t slots);

#endif
