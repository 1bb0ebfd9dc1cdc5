/* SPDX-License-Identifier: Apache-2.0 */
#include "pending.h"
#include "../bytes.h"

enum { AFTER = 1, BEFORE = 2, WORDS = 3 };

/* The slot that a word of a chain names. */
static uint32_t named(const mn_index *index, uint32_t word) {
  return word > 0 && word <= index->state->count &&
                 mn_list_waits(mn_graph_list(index, word - 1))
             ? word - 1
             : MN_NO_SLOT;
}

uint32_t mn_pending_first(const mn_index *index) {
  const mn_state *state = index->state;
  if (mn_index_pending(index) == 0)
    return MN_NO_SLOT;
  return index->is_packed ? state->linked : named(index, state->pending_first);
}

uint32_t mn_pending_next(const mn_index *index, uint32_t slot) {
  if (index->is_packed)
    return slot + 1 < index->state->count ? slot + 1 : MN_NO_SLOT;
  return named(index, mn_graph_list(index, slot)[AFTER]);
}

uint32_t mn_pending_some(const mn_index *index, uint32_t most,
                         uint32_t *slots) {
  uint32_t count = 0;
  for (uint32_t slot = mn_pending_first(index);
       slot != MN_NO_SLOT && count < most; slot = mn_pending_next(index, slot))
    slots[count++] = slot;
  return count;
}

void mn_pending_append(mn_index *index, uint32_t slot) {
  mn_state *state = index->state;
  const uint32_t last = named(index, state->pending_last);
  uint32_t *list = mn_graph_list(index, slot);
  list[0] = MN_WAITS;
  list[AFTER] = 0;
  list[BEFORE] = last == MN_NO_SLOT ? 0 : last + 1;
  if (last == MN_NO_SLOT)
    state->pending_first = slot + 1;
  else
    mn_graph_list(index, last)[AFTER] = slot + 1;
  state->pending_last = slot + 1;
}

void mn_pending_remove(mn_index *index, uint32_t slot) {
  mn_state *state = index->state;
  uint32_t *list = mn_graph_list(index, slot);
  const uint32_t after = list[AFTER], before = list[BEFORE];
  const uint32_t next = named(index, after), previous = named(index, before);
  if (state->pending_first == slot + 1)
    state->pending_first = after <= state->count ? after : 0;
  if (state->pending_last == slot + 1)
    state->pending_last = before <= state->count ? before : 0;
  if (next != MN_NO_SLOT)
    mn_graph_list(index, next)[BEFORE] = before;
  if (previous != MN_NO_SLOT)
    mn_graph_list(index, previous)[AFTER] = after;
  mn_zero(list, WORDS * sizeof *list);
}

void mn_pending_fill(mn_index *index) {
  for (uint32_t slot = 0; slot < index->state->count; slot++)
    if (mn_slot_is_live(index, slot))
      mn_pending_append(index, slot);
}
