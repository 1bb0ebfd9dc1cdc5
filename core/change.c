/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deleting, updating, upserting and repairing. A call with keys is checked as a
 * whole, then carried out, which cannot fail. While keys are checked, a vector
 * that the call names is marked by its bit in LIVE, which is taken away: so the
 * same key twice in a call is seen, without memory.
 */
#include "bytes.h"
#include "encoding/codec.h"
#include "key_map.h"
#include "slots.h"
#include "structure/graph.h"
#include "structure/repair.h"

#ifndef MN_ONLY_SEARCH

/* --- Keys ----------------------------------------------------------------- */

/* The slot of a key, whether it is marked or not; 0 where there is none. */
static int look_up(const mn_index *index, uint64_t key, uint32_t *slot) {
  *slot = mn_key_map_find(index, key);
  return *slot != MN_NO_SLOT;
}

/* Marks the vectors of the keys, up to the first that is there twice or, where
 * they all must be there, is not; then takes the marks away. */
static mn_status check_known(mn_index *index, const uint64_t *keys,
                             uint32_t count, int must_be, uint32_t *bad_row) {
  mn_status status = MN_OK;
  uint32_t row = 0, slot;
  for (; row < count; row++) {
    if (!look_up(index, keys[row], &slot)) {
      if (!must_be)
        continue;
      status = MN_ERROR_UNKNOWN_KEY;
    } else if (!mn_slot_is_live(index, slot))
      status = MN_ERROR_DUPLICATE_KEY;
    if (status != MN_OK)
      break;
    mn_slot_set_live(index, slot, 0);
  }
  if (status != MN_OK && bad_row != NULL)
    *bad_row = row;
  while (row-- > 0)
    if (look_up(index, keys[row], &slot))
      mn_slot_set_live(index, slot, 1);
  return status;
}

/* The same for keys that are not there: each is entered with a slot that has no
 * vector. Those that find one so were there before, twice in the call. `*taken`
 * slots did that take. */
static mn_status check_new(mn_index *index, const uint64_t *keys,
                           uint32_t count, uint32_t *taken, uint32_t *bad_row) {
  const uint32_t used = index->state->count;
  mn_status status = MN_OK;
  uint32_t row = 0, slot;
  *taken = 0;
  for (; row < count; row++) {
    const int is_there = look_up(index, keys[row], &slot);
    if (is_there && mn_slot_is_live(index, slot))
      continue;
    status = is_there                      ? MN_ERROR_DUPLICATE_KEY
             : mn_slots_left(index) == 0   ? MN_ERROR_CAPACITY
             : !mn_slot_take(index, &slot) ? MN_ERROR_CORRUPT
                                           : MN_OK;
    if (status != MN_OK)
      break;
    index->keys[slot] = keys[row];
    if (!mn_key_map_put(index, keys[row], slot)) {
      mn_slot_give_back(index, slot, used);
      status = MN_ERROR_CORRUPT; /* the map leads to a slot not in use */
      break;
    }
    ++*taken;
  }
  if (status == MN_ERROR_DUPLICATE_KEY && bad_row != NULL)
    *bad_row = row;
  while (row-- > 0)
    if (look_up(index, keys[row], &slot) && !mn_slot_is_live(index, slot)) {
      mn_key_map_undo(index, keys[row]);
      mn_slot_give_back(index, slot, used);
    }
  return status;
}

/* --- Delete --------------------------------------------------------------- */

static void delete_key(mn_index *index, uint64_t key) {
  uint32_t slot;
  if (look_up(index, key, &slot) && mn_slot_is_live(index, slot) &&
      mn_index_vectors(index) > 0) /* or it is damage */
    mn_slot_delete(index, slot);
}

mn_status mn_index_delete(mn_index *index, const uint64_t *keys, uint32_t count,
                          uint32_t *bad_row) {
  if (index == NULL || (keys == NULL && count > 0))
    return MN_ERROR_ARGUMENT;
  if (!mn_index_is_live(index))
    return MN_ERROR_READ_ONLY;
  const mn_status status = check_known(index, keys, count, 1, bad_row);
  if (status != MN_OK)
    return status;
  if (count > 0)
    mn_index_unseal(index);
  for (uint32_t row = 0; row < count; row++)
    delete_key(index, keys[row]);
  return MN_OK;
}

#endif

/* --- Update --------------------------------------------------------------- */

/* Scratch of replacing vectors. */
typedef struct changer {
  mn_vector_room room;
  mn_code_places code; /* of a vector that is only checked */
  mn_linker linker;    /* hnsw */
} changer;

static int allocate(const mn_options *options, uint32_t capacity,
                    const uint64_t *keys, changer *c, mn_arena *scratch) {
  return mn_vector_room_allocate(options, &c->room, scratch) &&
         mn_code_places_allocate(options, &c->code, scratch) &&
         (!mn_is_graph(options) ||
          mn_linker_allocate(options, capacity, keys, &c->linker, scratch));
}

int mn_update_measure(const mn_options *options, uint32_t capacity,
                      mn_arena *measuring) {
  changer c;
  return allocate(options, capacity, NULL, &c, measuring);
}

#ifndef MN_ONLY_SEARCH

/* The slots that the old vectors of these keys may not leave at once: of linked
 * ones, and of all where linking may come before their turn. */
static uint32_t count_staying(const mn_index *index, const uint64_t *keys,
                              uint32_t count) {
  uint32_t staying = 0, slot;
  const uint32_t pending = mn_index_pending(index);
  const int may_link =
      pending >= MN_LINK_BATCH || count >= MN_LINK_BATCH - pending;
  if (index->options.structure != MN_HNSW)
    return 0;
  for (uint32_t row = 0; row < count; row++)
    staying += look_up(index, keys[row], &slot) &&
               (may_link || !mn_list_waits(mn_graph_list(index, slot)));
  return staying;
}

static mn_status check_keys(mn_index *index, const uint64_t *keys,
                            uint32_t count, int must_be, uint32_t *bad_row) {
  uint32_t taken = 0;
  mn_status status = check_known(index, keys, count, must_be, bad_row);
  if (status == MN_OK && !must_be)
    status = check_new(index, keys, count, &taken, bad_row);
  if (status != MN_OK)
    return status;
  const uint32_t staying = count_staying(index, keys, count);
  return staying > mn_slots_left(index) - taken ? MN_ERROR_CAPACITY : MN_OK;
}

static mn_status check_vectors(const mn_index *index, const mn_vectors *vectors,
                               const changer *c, uint32_t *bad_row) {
  for (uint32_t row = 0; row < vectors->count; row++) {
    uint32_t clipped;
    const mn_status status = mn_vector_encode(
        index, mn_row_at(vectors, row), &c->room, &c->code, &clipped, NULL);
    if (status == MN_OK)
      continue;
    if (bad_row != NULL)
      *bad_row = row;
    return status;
  }
  return MN_OK;
}

/* Row by row, and linking whenever it can be: then the block is that of as many
 * calls with one row. */
static mn_status replace(mn_index *index, const uint64_t *keys,
                         const mn_vectors *vectors, changer *c) {
  mn_index_unseal(index);
  for (uint32_t row = 0; row < vectors->count; row++) {
    uint32_t slot;
    delete_key(index, keys[row]);
    const mn_status status = mn_slot_store(
        index, keys[row], mn_row_at(vectors, row), &c->room, &slot);
    if (status != MN_OK)
      return MN_ERROR_CORRUPT; /* all else was checked */
    if (mn_is_graph(&index->options))
      while (mn_link_batch(index, &c->linker))
        continue;
  }
  return MN_OK;
}

static mn_status change(mn_index *index, const uint64_t *keys,
                        const mn_vectors *vectors, int must_be,
                        uint32_t *bad_row, mn_arena *scratch) {
  mn_status status = mn_rows_check(index, vectors, scratch);
  if (status == MN_OK && keys == NULL && vectors->count > 0)
    status = MN_ERROR_ARGUMENT;
  if (status != MN_OK || vectors->count == 0)
    return status;
  const size_t mark = mn_arena_mark(scratch);
  changer c;
  status = allocate(&index->options, index->capacity, index->keys, &c, scratch)
               ? check_keys(index, keys, vectors->count, must_be, bad_row)
               : MN_ERROR_ARENA;
  if (status == MN_OK)
    status = check_vectors(index, vectors, &c, bad_row);
  if (status == MN_OK)
    status = replace(index, keys, vectors, &c);
  mn_arena_rewind(scratch, mark);
  return status;
}

mn_status mn_index_update(mn_index *index, const uint64_t *keys,
                          const mn_vectors *vectors, uint32_t *bad_row,
                          mn_arena *scratch) {
  return change(index, keys, vectors, 1, bad_row, scratch);
}

mn_status mn_index_upsert(mn_index *index, const uint64_t *keys,
                          const mn_vectors *vectors, uint32_t *bad_row,
                          mn_arena *scratch) {
  return change(index, keys, vectors, 0, bad_row, scratch);
}

/* --- Repair --------------------------------------------------------------- */

mn_status mn_index_repair(mn_index *index, uint32_t limit, uint32_t *left,
                          mn_arena *scratch) {
  if (index == NULL || left == NULL || scratch == NULL)
    return MN_ERROR_ARGUMENT;
  if (!mn_index_is_live(index))
    return MN_ERROR_READ_ONLY;
  if (limit > 0 && mn_graph_unrepaired(index) > 0) {
    const size_t mark = mn_arena_mark(scratch);
    mn_repairer repairer;
    const int fits = mn_repairer_allocate(&index->options, index->capacity,
                                          index->keys, &repairer, scratch);
    if (fits) {
      mn_index_unseal(index);
      mn_graph_repair(index, limit, &repairer);
    }
    mn_arena_rewind(scratch, mark);
    if (!fits)
      return MN_ERROR_ARENA;
  }
  const uint64_t remaining = mn_graph_unrepaired(index);
  *left = remaining < UINT32_MAX ? (uint32_t)remaining : UINT32_MAX;
  return MN_OK;
}

#endif
