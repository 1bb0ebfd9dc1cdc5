/* SPDX-License-Identifier: Apache-2.0 */
#include "graph.h"
#include "../bytes.h"
#include "../slots.h"

uint64_t mn_graph_link_bytes(uint32_t m, uint32_t capacity) {
  return (uint64_t)capacity * (1 + mn_links_max(m)) * sizeof(uint32_t);
}

uint32_t mn_graph_links(const mn_index *index, uint32_t slot, uint32_t *room,
                        const uint32_t **links) {
  const uint32_t most = mn_links_max(index->options.m);
  if (!index->is_packed) {
    const uint32_t *list = mn_graph_list(index, slot);
    *links = list + 1;
    return mn_plain_links(list, most);
  }
  *links = room;
  return mn_packed_read(index, slot, most, room);
}

void mn_graph_fetch(const mn_index *index, uint32_t slot) {
  if (index->is_packed)
    mn_packed_fetch(index, slot);
  else
    mn_fetch_bytes(mn_graph_list(index, slot),
                   (1 + mn_links_max(index->options.m)) * sizeof(uint32_t));
}

int mn_codes_equal(const mn_index *index, uint32_t a, uint32_t b) {
  const size_t code = index->codec.code_bytes, rest = index->codec.rest_bytes;
  return mn_equal(index->codes + a * code, index->codes + b * code, code) &&
         (rest == 0 ||
          mn_equal(index->rests + a * rest, index->rests + b * rest, rest));
}

uint32_t mn_graph_twin(const mn_index *index, uint32_t slot) {
  const mn_state *state = index->state;
  if (index->is_packed)
    return slot + 1 < state->linked && mn_packed_count(index, slot + 1) == 0
               ? slot + 1
               : MN_TWIN;
  const uint32_t most = mn_links_max(index->options.m);
  const uint32_t *list = mn_graph_list(index, slot);
  const uint32_t said = list[0] & ~MN_TWIN;
  const uint32_t length = said <= most ? said : most;
  const uint32_t last = length > 0 ? list[length] : 0;
  const uint32_t twin = last & ~MN_TWIN;
  return last != twin && twin < state->count ? twin : MN_TWIN;
}

int mn_graph_has(const mn_index *index, uint32_t slot) {
  if (index->is_packed)
    return slot < index->state->linked;
  return mn_slot_is_live(index, slot)
             ? !mn_list_waits(mn_graph_list(index, slot))
             : mn_slot_is_dead(index, slot);
}

int mn_graph_is_single(const mn_index *index, uint32_t slot) {
  const int is_twin = index->is_packed
                          ? mn_packed_count(index, slot) == 0
                          : mn_list_is_twin(mn_graph_list(index, slot));
  return mn_graph_has(index, slot) && !is_twin &&
         mn_graph_twin(index, slot) == MN_TWIN;
}

int mn_graph_begins(const mn_index *index) {
  const mn_state *state = index->state;
  const uint32_t stride = state->stride;
  if (state->entries == 0)
    return stride == 0 && (index->options.structure != MN_HNSW ||
                           state->linked == state->dead);
  return index->options.structure == MN_HNSW && state->linked > 0 &&
         state->entries <= MN_ENTRIES && stride > 0 &&
         (stride & (stride - 1)) == 0;
}

uint64_t mn_graph_bytes(const mn_index *index) {
  if (index->options.structure != MN_HNSW)
    return 0;
  if (!index->is_packed)
    return mn_graph_link_bytes(index->options.m, index->capacity);
  const mn_packed_links packed = mn_header_packed(mn_index_header(index));
  return mn_packed_bytes(&packed, index->capacity);
}

/* Every stride-th slot is an entry; when they become too many, every second one
 * goes and the stride doubles. */
void mn_graph_enter(mn_index *index, uint32_t slot) {
  mn_state *state = index->state;
  uint32_t *entries = index->entries;
  if (state->stride == 0)
    state->stride = 1;
  if (slot % state->stride != 0)
    return;
  if (state->entries == MN_ENTRIES) {
    for (uint32_t i = 0; i < MN_ENTRIES / 2; i++)
      entries[i] = entries[2 * i];
    mn_zero(entries + MN_ENTRIES / 2, MN_ENTRIES / 2 * sizeof *entries);
    state->entries = MN_ENTRIES / 2;
    state->stride *= 2;
    if (slot % state->stride != 0)
      return;
  }
  entries[state->entries++] = slot;
}

/* Whether a walk may begin at a slot of a live graph for some time. */
static int may_enter(const mn_index *index, uint32_t slot) {
  const uint32_t *list = mn_graph_list(index, slot);
  return (list[0] & MN_TWIN) == 0 && !mn_slot_is_free(index, slot) &&
         !mn_slot_is_dying(index, slot);
}

void mn_graph_renew_entries(mn_index *index) {
  mn_state *state = index->state;
  uint32_t *entries = index->entries;
  uint32_t count = 0;
  for (uint32_t i = 0; i < state->entries; i++)
    if (entries[i] < state->count && may_enter(index, entries[i]))
      entries[count++] = entries[i];
  /* At a stride of 1, too: a twin that took the first one's place is none yet.
   */
  for (int more = count < MN_ENTRIES / 2; more;
       more = more && count < MN_ENTRIES / 2) {
    more = state->stride > 1;
    state->stride = more ? state->stride / 2 : 1;
    count = 0;
    for (uint32_t slot = 0; slot < state->count && count < MN_ENTRIES;
         slot += state->stride)
      if (may_enter(index, slot))
        entries[count++] = slot;
  }
  mn_zero(entries + count, (MN_ENTRIES - count) * sizeof *entries);
  state->entries = count;
  if (count == 0)
    state->stride = 0;
}

void mn_graph_settle(mn_index *index) {
  mn_state *state = index->state;
  if (state->linked == 0 && state->entries > 0) {
    mn_zero(index->entries, MN_ENTRIES * sizeof *index->entries);
    state->entries = state->stride = 0;
  } else if (state->linked > state->dead && state->entries == 0) {
    state->entries = state->stride = 1;
    index->entries[0] = 0;
  }
}
