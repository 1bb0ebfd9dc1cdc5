/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deleting from the graph takes O(M): the vector stays where it is, and walks
 * pass through it until repair has led past it everything that leads to it
 * (repair.c). A twin leaves its chain; where the first one of a chain goes, the
 * latest twin takes its place.
 */
#include "../bytes.h"
#include "../slots.h"
#include "graph.h"
#include "pending.h"
#include "structure.h"

/* Lets what hangs on `slot` lead on to `next`, and that back to it; MN_TWIN is
 * none. */
static void hang(const mn_index *index, uint32_t slot, uint32_t next) {
  uint32_t *list = mn_graph_list(index, slot);
  const uint32_t most = mn_links_max(index->options.m);
  const uint32_t length = list[0] & ~MN_TWIN;
  if (length == 0 || length > most || (list[length] & MN_TWIN) == 0)
    return; /* damage: nothing hung there */
  if (next == MN_TWIN) {
    list[length] = 0;
    list[0]--;
    return;
  }
  list[length] = next | MN_TWIN;
  mn_graph_list(index, next)[1] = slot;
}

static void leave_chain(const mn_index *index, uint32_t slot) {
  const size_t words = 1 + mn_links_max(index->options.m);
  uint32_t *list = mn_graph_list(index, slot);
  const uint32_t before = list[1];
  if (before < index->state->count && mn_graph_twin(index, before) == slot)
    hang(index, before, mn_graph_twin(index, slot));
  mn_zero(list, words * sizeof *list);
}

/* Takes the links to slots that are about to be freed out of a list. */
static void drop_dying(const mn_index *index, uint32_t *list) {
  const uint32_t most = mn_links_max(index->options.m);
  const uint32_t plain = mn_plain_links(list, most), length = list[0];
  uint32_t kept = 0;
  for (uint32_t i = 1; i <= length && i <= most; i++)
    if (i > plain || list[i] >= index->state->count ||
        !mn_slot_is_dying(index, list[i]))
      list[++kept] = list[i];
  mn_zero(list + 1 + kept, (most - kept) * sizeof *list);
  list[0] = kept;
}

/* The latest twin of `slot` becomes the first one: it takes over the links. The
 * old one, whose list leads to the new one in place of the chain, loses nothing
 * that a walk needs. */
static void promote(const mn_index *index, uint32_t slot, uint32_t twin) {
  uint32_t *list = mn_graph_list(index, slot);
  uint32_t *own = mn_graph_list(index, twin);
  const uint32_t next = mn_graph_twin(index, twin);
  if (!mn_list_is_twin(own) || twin == slot ||
      list[0] > mn_links_max(index->options.m))
    return; /* damage */
  mn_move(own, list, (1 + mn_links_max(index->options.m)) * sizeof *own);
  hang(index, twin, next);
  /* A sweep may have passed its slot, but not yet the one whose list it was. */
  if (index->state->sweep == 1)
    drop_dying(index, own);
  list[list[0]] = twin;
}

mn_leaving mn_graph_leave(mn_index *index, uint32_t slot) {
  const uint32_t *list = mn_graph_list(index, slot);
  if (mn_list_waits(list)) {
    mn_pending_remove(index, slot);
    return MN_WAITED;
  }
  if (mn_list_is_twin(list)) {
    leave_chain(index, slot);
    return MN_WAS_TWIN;
  }
  const uint32_t twin = mn_graph_twin(index, slot);
  if (twin != MN_TWIN)
    promote(index, slot, twin);
  return MN_PASSED_STILL;
}
