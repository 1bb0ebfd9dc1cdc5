/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots: where vectors go and what they leave. Those that were left are used
 * again, the latest first, before new ones; they form a chain through KEYS: the
 * low half of such a key is the next slot plus 1, or 0. The key of a dead
 * vector's slot has in its high half the era in which it died, plus 1.
 */
#ifndef MN_SLOTS_H
#define MN_SLOTS_H

#include "block.h"
#include "vector.h"

/* What a call with vectors must satisfy before any vector is looked at. */
mn_status mn_rows_check(const mn_index *index, const mn_vectors *vectors,
                        const mn_arena *scratch);

static inline const float *mn_row_at(const mn_vectors *vectors, uint32_t row) {
  return vectors->data + (size_t)row * vectors->dimensions;
}

/* Vectors that still go in. */
static inline uint32_t mn_slots_left(const mn_index *index) {
  return index->capacity - index->state->count + index->state->free;
}

/* Takes from `measuring` what mn_index_update and mn_index_upsert take. 0 where
 * memory is short. */
int mn_update_measure(const mn_options *options, uint32_t capacity,
                      mn_arena *measuring);

/* Whether a slot in use is dead, or free; the mark of an era. */
static inline int mn_slot_is_dead(const mn_index *index, uint32_t slot) {
  return !mn_slot_is_live(index, slot) && index->keys[slot] >> 32 != 0;
}

static inline int mn_slot_is_free(const mn_index *index, uint32_t slot) {
  return !mn_slot_is_live(index, slot) && index->keys[slot] >> 32 == 0;
}

static inline uint64_t mn_era_mark(uint32_t era) {
  return (uint64_t)(era + 1) << 32;
}

/* Whether a slot in use was dead when the sweep that is on began: it ends with
 * the sweep. */
static inline int mn_slot_is_dying(const mn_index *index, uint32_t slot) {
  return mn_slot_is_dead(index, slot) &&
         index->keys[slot] != mn_era_mark(index->state->era);
}

/* Takes the next slot: the latest that was freed, or else a new one. There is
 * one. 0 and MN_NO_SLOT where the chain of free ones is damaged. */
int mn_slot_take(mn_index *index, uint32_t *slot);

/* Stores a vector in the next slot, enters its key and lets it wait to be
 * linked. There is room. On failure (CORRUPT: the chain of free slots is
 * damaged) `*slot` may have been taken and written, or is MN_NO_SLOT; it is
 * given back by the caller. */
mn_status mn_slot_store(mn_index *index, uint64_t key, const float *row,
                        const mn_vector_room *room, uint32_t *slot);

/* Encodes a vector into a slot, and counts it; ivf: `*list` is the number of
 * its list. */
mn_status mn_slot_encode(mn_index *index, uint32_t slot, const float *row,
                         const mn_vector_room *room, uint32_t *list);

/* Enters the key of a slot that was taken and has its codes, and lets it wait
 * to be linked; ivf: puts it into a list. 0 where the key is there already. */
int mn_slot_settle(mn_index *index, uint64_t key, uint32_t slot, uint32_t list);

void mn_slot_set_live(mn_index *index, uint32_t slot, int is_live);

/* Takes a vector, whose key is out of the map, from where it is found; 1 where
 * its slot can be given back, 0 where it is dead from now on. */
int mn_slot_leave(mn_index *index, uint32_t slot);

/* Deletes the vector at a slot. There must be one by the state's numbers, too:
 * mn_index_vectors is not 0. */
void mn_slot_delete(mn_index *index, uint32_t slot);

/* Clears a slot that nothing leads to and puts it before the others that are
 * free. */
void mn_slot_free(mn_index *index, uint32_t slot);

/* Frees the slot of a dead vector, to which nothing leads any more. */
void mn_slot_bury(mn_index *index, uint32_t slot);

/* Undoes taking a slot, the latest first, where before all of that `count` were
 * in use; MN_NO_SLOT is none. */
void mn_slot_give_back(mn_index *index, uint32_t slot, uint32_t count);

#endif
