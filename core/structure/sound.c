/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a graph is what FORMAT.md says. Slots were found sound before. */
#include "../bytes.h"
#include "../slots.h"
#include "pending.h"
#include "structure.h"

/* Whether nothing leads to a dead vector any more: its slot is about to be
 * freed. */
static int is_passed_by(const mn_index *index, uint32_t slot) {
  return index->state->sweep == 2 && mn_slot_is_dying(index, slot);
}

/* In a packed block, in which only twins have no links. */
static int is_packed_twin(const mn_index *index, uint32_t slot) {
  return slot > 0 && slot < index->state->linked &&
         mn_packed_count(index, slot) == 0;
}

/* Whether lists may lead to a slot: a vector of the graph that is no twin, or a
 * dead one that a sweep has not led past everywhere. */
static int is_passed(const mn_index *index, uint32_t slot) {
  if (slot >= index->state->count)
    return 0;
  if (index->is_packed)
    return slot < index->state->linked && !is_packed_twin(index, slot);
  return mn_graph_takes(index, slot) ||
         (mn_slot_is_dead(index, slot) && !is_passed_by(index, slot));
}

/* Links lead to other vectors in the graph, each once, and to none of its
 * twins: those are told by what hangs them in. */
static int links_hold(const mn_index *index, const uint32_t *links,
                      uint32_t count, uint32_t slot) {
  for (uint32_t i = 0; i < count; i++) {
    if (links[i] == slot || !is_passed(index, links[i]))
      return 0;
    for (uint32_t j = 0; j < i; j++)
      if (links[j] == links[i])
        return 0;
  }
  return 1;
}

/* --- Live ----------------------------------------------------------------- */

/* What hangs on a vector is a twin of it that leads back. */
static int twin_holds(const mn_index *index, uint32_t slot, uint32_t twin) {
  if (twin >= index->state->count || !mn_slot_is_live(index, twin) ||
      !mn_slot_is_live(index, slot))
    return 0;
  const uint32_t *list = mn_graph_list(index, twin);
  return mn_list_is_twin(list) && list[1] == slot &&
         mn_codes_equal(index, twin, slot);
}

/* Links, then zeros. The link to a twin comes last; a twin's list leads back to
 * what it hangs on, and holds nothing else. */
static int list_holds(const mn_index *index, uint32_t slot) {
  const uint32_t most = mn_links_max(index->options.m);
  const uint32_t *list = mn_graph_list(index, slot);
  const uint32_t length = list[0] & ~MN_TWIN;
  if (length > most ||
      !mn_is_zero(list + 1 + length, (most - length) * sizeof *list))
    return 0;
  uint32_t plain = length;
  if (length > 0 && (list[length] & MN_TWIN) != 0) {
    if (!twin_holds(index, slot, list[length] & ~MN_TWIN))
      return 0;
    plain--;
  }
  if (!mn_list_is_twin(list))
    return links_hold(index, list + 1, plain, slot);
  return plain == 1 && list[1] < index->state->count &&
         mn_graph_twin(index, list[1]) == slot;
}

/* The length of the chain that hangs on a first one. */
static uint32_t count_twins(const mn_index *index, uint32_t slot) {
  uint32_t count = 0;
  for (uint32_t twin = mn_graph_twin(index, slot);
       twin != MN_TWIN && count < index->state->count; count++)
    twin = mn_graph_twin(index, twin);
  return count;
}

/* Every list; as many vectors in the graph as the state says; and all twins in
 * chains that begin at a first one. */
static int lists_hold(const mn_index *index) {
  const mn_state *state = index->state;
  const size_t words = 1 + mn_links_max(index->options.m);
  uint32_t linked = 0, twins = 0, chained = 0;
  for (uint32_t slot = 0; slot < index->capacity; slot++) {
    const uint32_t *list = mn_graph_list(index, slot);
    const int is_used = slot < state->count && !mn_slot_is_free(index, slot);
    if (!is_used && !mn_is_zero(list, words * sizeof *list))
      return 0;
    if (!is_used || mn_list_waits(list))
      continue;
    if (!is_passed_by(index, slot) && !list_holds(index, slot))
      return 0;
    linked++;
    if (mn_list_is_twin(list))
      twins++;
    else
      chained += count_twins(index, slot);
  }
  return linked == state->linked && twins == chained;
}

/* The chain leads through all that wait, forth and back. */
static int pending_holds(const mn_index *index) {
  const mn_state *state = index->state;
  const uint32_t most = mn_links_max(index->options.m);
  uint32_t before = 0, next = state->pending_first, count = 0;
  for (; next > 0 && count < mn_index_pending(index); count++) {
    if (next > state->count || !mn_slot_is_live(index, next - 1))
      return 0;
    const uint32_t *list = mn_graph_list(index, next - 1);
    if (!mn_list_waits(list) || list[2] != before ||
        !mn_is_zero(list + 3, (most - 2) * sizeof *list))
      return 0;
    before = next;
    next = list[1];
  }
  return next == 0 && before == state->pending_last &&
         count == mn_index_pending(index);
}

/* --- Packed --------------------------------------------------------------- */

/* Ascending, so each once; and a twin would take a place in a live list. */
static int packed_list_holds(const mn_index *index, uint32_t slot) {
  enum { MOST = 2 * MN_M_MAX };
  uint32_t links[MOST];
  const uint32_t linked = index->state->linked;
  const uint32_t most = mn_links_max(index->options.m);
  const uint32_t stored = mn_packed_count(index, slot);
  const uint32_t count = mn_packed_read(index, slot, most, links);
  if (stored != count || (slot >= linked && count > 0) ||
      (count == most && mn_graph_twin(index, slot) != MN_TWIN))
    return 0;
  if (count == 0)
    return slot >= linked ||
           (slot > 0 && mn_codes_equal(index, slot, slot - 1));
  for (uint32_t i = 0; i < count; i++)
    if (!is_passed(index, links[i]) || (links[i] == slot && count > 1) ||
        (i > 0 && links[i] <= links[i - 1]))
      return 0;
  return 1;
}

static int packed_holds(const mn_index *index) {
  for (uint32_t slot = 0; slot < index->capacity; slot++)
    if (!packed_list_holds(index, slot))
      return 0;
  return mn_packed_holds(index);
}

/* --- Both ----------------------------------------------------------------- */

static int entries_hold(const mn_index *index) {
  const uint32_t count = index->state->entries;
  return links_hold(index, index->entries, count, MN_NO_SLOT) &&
         mn_is_zero(index->entries + count,
                    (MN_ENTRIES - count) * sizeof *index->entries);
}

int mn_graph_holds(const mn_index *index) {
  return entries_hold(index) &&
         (index->is_packed ? packed_holds(index)
                           : lists_hold(index) && pending_holds(index));
}
