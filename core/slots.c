/* SPDX-License-Identifier: Apache-2.0 */
#include "slots.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "key_map.h"
#include "structure/ivf.h"
#include "structure/pending.h"

void mn_slot_set_live(mn_index *index, uint32_t slot, int is_live) {
  uint32_t *word = &index->live[slot / 32];
  const uint32_t bit = 1u << slot % 32;
  *word = is_live ? *word | bit : *word & ~bit;
}

/* --- In ------------------------------------------------------------------- */

int mn_slot_take(mn_index *index, uint32_t *taken) {
  mn_state *state = index->state;
  const int is_new = state->free == 0;
  const uint32_t slot = is_new ? state->count : state->free_first - 1;
  *taken = MN_NO_SLOT;
  if (slot >= (is_new ? index->capacity : state->count) ||
      mn_slot_is_live(index, slot) ||
      (!is_new && index->keys[slot] > state->count))
    return 0; /* damage */
  *taken = slot;
  if (is_new) {
    state->count++;
    return 1;
  }
  state->free_first = (uint32_t)index->keys[slot];
  state->free--;
  return 1;
}

mn_status mn_slot_encode(mn_index *index, uint32_t slot, const float *row,
                         const mn_vector_room *room, uint32_t *list) {
  mn_code_places places = mn_places_of(index, slot);
  uint32_t clipped = 0, error = 0;
  places.list = mn_is_ivf(&index->options) ? list : NULL;
  const mn_status status =
      mn_vector_encode(index, row, room, &places, &clipped, &error);
  if (status != MN_OK)
    return status;
  index->state->clipped += clipped;
  index->state->error += error;
  index->state->added++;
  return MN_OK;
}

int mn_slot_settle(mn_index *index, uint64_t key, uint32_t slot,
                   uint32_t list) {
  index->keys[slot] = key;
  if (!mn_key_map_put(index, key, slot))
    return 0;
  mn_slot_set_live(index, slot, 1);
  if (index->options.structure == MN_HNSW) {
    mn_pending_append(index, slot);
    return 1;
  }
  index->state->linked++;
  if (mn_is_ivf(&index->options))
    mn_ivf_put(index, slot, list);
  return 1;
}

mn_status mn_slot_store(mn_index *index, uint64_t key, const float *row,
                        const mn_vector_room *room, uint32_t *taken) {
  if (!mn_slot_take(index, taken))
    return MN_ERROR_CORRUPT;
  const uint32_t slot = *taken;
  uint32_t list = 0;
  const mn_status status = mn_slot_encode(index, slot, row, room, &list);
  if (status != MN_OK)
    return status;
  return mn_slot_settle(index, key, slot, list) ? MN_OK
                                                : MN_ERROR_DUPLICATE_KEY;
}

/* --- Out ------------------------------------------------------------------ */

/* There is a vector more than are dead or free, and so it stays within bounds
 * what a damaged block takes for one that waits, or for a twin. */
static int leave_graph(mn_index *index, uint32_t slot) {
  mn_state *state = index->state;
  const mn_leaving was = mn_graph_leave(index, slot);
  if (was == MN_PASSED_STILL) {
    index->keys[slot] = mn_era_mark(state->era);
    state->linked += state->linked == state->dead;
    state->dead++;
    return 0;
  }
  if (was == MN_WAITED ? mn_index_pending(index) == 0
                       : state->linked > state->dead)
    state->linked--;
  return 1;
}

int mn_slot_leave(mn_index *index, uint32_t slot) {
  mn_slot_set_live(index, slot, 0);
  if (index->options.structure == MN_HNSW)
    return leave_graph(index, slot);
  if (mn_is_ivf(&index->options))
    mn_ivf_take(index, slot);
  index->state->linked--;
  return 1;
}

void mn_slot_delete(mn_index *index, uint32_t slot) {
  mn_key_map_remove(index, index->keys[slot]);
  if (mn_slot_leave(index, slot))
    mn_slot_free(index, slot);
  if (mn_is_graph(&index->options))
    mn_graph_settle(index);
}

static void clear(void *array, size_t each, uint32_t slot) {
  if (array != NULL)
    mn_zero((uint8_t *)array + slot * each, each);
}

static void clear_codes(mn_index *index, uint32_t slot) {
  clear(index->codes, index->codec.code_bytes, slot);
  clear(index->rests, index->codec.rest_bytes, slot);
  clear(index->fine_codes, index->fine.code_bytes, slot);
  clear(index->fine_rests, index->fine.rest_bytes, slot);
}

void mn_slot_free(mn_index *index, uint32_t slot) {
  mn_state *state = index->state;
  clear_codes(index, slot);
  index->keys[slot] = state->free_first;
  state->free_first = slot + 1;
  state->free++;
}

void mn_slot_bury(mn_index *index, uint32_t slot) {
  mn_state *state = index->state;
  if (state->dead == 0)
    return; /* damage: there are more than the state says */
  if (index->links != NULL)
    mn_zero(mn_graph_list(index, slot),
            (1 + mn_links_max(index->options.m)) * sizeof(uint32_t));
  state->dying -= state->dying > 0;
  state->dead--;
  state->linked--;
  mn_slot_free(index, slot);
}

void mn_slot_give_back(mn_index *index, uint32_t slot, uint32_t count) {
  if (slot == MN_NO_SLOT)
    return;
  if (slot < count) {
    mn_slot_free(index, slot);
    return;
  }
  clear_codes(index, slot);
  index->keys[slot] = 0;
  index->state->count = slot;
}
