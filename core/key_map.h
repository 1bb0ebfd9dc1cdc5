/* SPDX-License-Identifier: Apache-2.0 */
/* From key to slot: a hash table with linear probing, two thirds full at the
 * most, so at least one bucket is empty and every probe ends. A bucket holds
 * slot + 1, or 0. */
#ifndef MN_KEY_MAP_H
#define MN_KEY_MAP_H

#include "block.h"

static inline uint64_t mn_key_map_buckets(uint32_t capacity) {
  return (uint64_t)capacity + capacity / 2 + 1;
}

/* The slot of a key, or MN_NO_SLOT. */
uint32_t mn_key_map_find(const mn_index *index, uint64_t key);

/* Enters `key`, whose slot's key is written already. 0, and nothing changed,
 * where the key is there already. */
int mn_key_map_put(mn_index *index, uint64_t key, uint32_t slot);

/* Enters the keys of all vectors, in slot order, into a map that is 0. */
void mn_key_map_fill(mn_index *index);

/* Undoes the latest put that was not undone yet, and gives its slot; MN_NO_SLOT
 * where the key is not there. */
uint32_t mn_key_map_undo(mn_index *index, uint64_t key);

/* Takes a key out; what was put behind it since may move up. Its slot still has
 * the key. */
void mn_key_map_remove(mn_index *index, uint64_t key);

/* --- Sample --------------------------------------------------------------- */

/* The vectors whose keys have the lowest hashes: the same ones however slots
 * are numbered and whatever the capacity, and spread evenly over keys that
 * follow each other. */
typedef struct mn_key_sample {
  uint32_t at, last; /* buckets; or slots, `at` only */
  uint32_t most;     /* the largest hash */
  uint32_t by_slot;
} mn_key_sample;

/* Of an index with vectors, about `wanted` of them, or all where there are no
 * more. Going through it takes about that share of the map's buckets. */
mn_key_sample mn_key_map_sample(const mn_index *index, uint32_t wanted);

/* The slot of the next one; MN_NO_SLOT: that was all. */
uint32_t mn_key_map_next(const mn_index *index, mn_key_sample *sample);

#endif
