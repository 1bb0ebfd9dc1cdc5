/* SPDX-License-Identifier: Apache-2.0 */
#include "repair.h"
#include "../bytes.h"
#include "../slots.h"
#include "hnsw.h"
#include "neighbours.h"

/* --- Scratch -------------------------------------------------------------- */

int mn_repairer_allocate(const mn_options *options, uint32_t capacity,
                         const uint64_t *keys, mn_repairer *r,
                         mn_arena *scratch) {
  const size_t most = mn_links_max(options->m);
  r->distance_count = 0;
  r->gathered =
      mn_arena_allocate(scratch, most * (1 + most) * sizeof *r->gathered);
  return r->gathered != NULL &&
         mn_chooser_allocate(options, &r->chooser, scratch) &&
         mn_proposer_allocate(options, capacity, keys, &r->proposer, scratch) &&
         mn_committer_allocate(options, keys, &r->committer, scratch);
}

/* --- Who is who ----------------------------------------------------------- */

/* Passed by walks: a first one, alive or dead. */
static int is_passed(const mn_index *index, uint32_t slot) {
  return slot < index->state->count && !mn_slot_is_free(index, slot) &&
         (mn_graph_list(index, slot)[0] & MN_TWIN) == 0;
}

/* --- First pass ----------------------------------------------------------- */

/* Gathers the vectors of a list that may be linked to and were not gathered
 * yet. */
static uint32_t gather(const mn_index *index, const uint32_t *list,
                       mn_repairer *r, uint32_t count) {
  const uint32_t plain = mn_plain_links(list, mn_links_max(index->options.m));
  for (uint32_t i = 1; i <= plain; i++)
    if (mn_graph_takes(index, list[i]) &&
        mn_walk_visit(&r->proposer.walk, list[i]))
      r->gathered[count++] = list[i];
  return count;
}

/* The live links of a slot, their number in `*kept`, then those of all its
 * links, dead or alive; their number. Nothing is left marked. What live ones
 * lead to is not in FreshDiskANN; it makes lists as good as new. */
static uint32_t gather_around(const mn_index *index, uint32_t slot,
                              mn_repairer *r, uint32_t *kept) {
  const uint32_t *list = mn_graph_list(index, slot);
  const uint32_t plain = mn_plain_links(list, mn_links_max(index->options.m));
  mn_walk *walk = &r->proposer.walk;
  mn_walk_visit(walk, slot);
  uint32_t count = *kept = gather(index, list, r, 0);
  for (uint32_t i = 1; i <= plain; i++)
    if (list[i] < index->state->count) /* or it is damage */
      count = gather(index, mn_graph_list(index, list[i]), r, count);
  walk->visited[slot / 32] = 0;
  for (uint32_t i = 0; i < count; i++)
    walk->visited[r->gathered[i] / 32] = 0;
  return count;
}

/* Puts the nearest of `count` slots into the pool and, in their order, back. */
static uint32_t rank(const mn_target *target, uint32_t *slots, uint32_t count,
                     mn_repairer *r) {
  mn_walk *walk = &r->proposer.walk;
  mn_pool *pool = &r->proposer.found;
  pool->size = 0;
  for (uint32_t at = 0; at < count; at += MN_ENTRIES) {
    const uint32_t left = count - at;
    const uint32_t some = left < MN_ENTRIES ? left : MN_ENTRIES;
    mn_distances(target, slots + at, some, walk->distances);
    r->distance_count += some;
    for (uint32_t i = 0; i < some; i++)
      if (walk->distances[i] <= mn_pool_bound(pool))
        mn_pool_add(pool, (mn_candidate){walk->distances[i], slots[at + i]});
  }
  for (uint32_t i = 0; i < pool->size; i++)
    slots[i] = mn_candidate_slot(pool->items[i]);
  return pool->size;
}

static int has_dead_link(const mn_index *index, const uint32_t *list) {
  const uint32_t plain = mn_plain_links(list, mn_links_max(index->options.m));
  for (uint32_t i = 1; i <= plain; i++)
    if (!mn_graph_takes(index, list[i]))
      return 1;
  return 0;
}

/* Writes the list of a slot: its `kept` live links, all of them; of `others`,
 * nearest first, those that Algorithm 4 chooses where it has these already;
 * and, where that makes fewer than M links, the nearest that it did not choose
 * (its keepPrunedConnections): without them lists grow shorter from sweep to
 * sweep. */
static void write_mended(const mn_index *index, uint32_t slot, uint32_t kept,
                         uint32_t count, uint32_t room, mn_repairer *r) {
  const uint32_t most = mn_links_max(index->options.m);
  uint32_t *list = mn_graph_list(index, slot);
  uint32_t *others = r->gathered + kept;
  mn_pool *pool = &r->proposer.found;
  mn_target target = mn_link_target(index);
  target.query = mn_prepare_slot(&target, slot, 1, r->chooser.vector,
                                 r->chooser.scratch, r->committer.query);
  const uint32_t ranked = rank(&target, others, count - kept, r);
  for (uint32_t i = 0; i < kept && pool->size > 0; i++)
    pool->size = mn_keep_apart(&target, r->gathered[i], pool->items, pool->size,
                               &r->chooser, pool->items);
  const uint32_t chosen =
      mn_links_choose(index, &r->chooser, pool, room - kept);
  mn_list_write(list, r->gathered, kept, most);
  for (uint32_t i = 0; i < chosen; i++)
    list[++list[0]] = r->chooser.chosen[i];
  for (uint32_t i = 0; i < ranked && list[0] < index->options.m; i++)
    if (!mn_list_has(list, others[i]))
      list[++list[0]] = others[i];
}

/* Links back to `slot` from those of its links, behind the first `kept`, whose
 * lists have room. */
static void link_back_where_room(const mn_index *index, uint32_t slot,
                                 uint32_t kept) {
  const uint32_t most = mn_links_max(index->options.m);
  const uint32_t *list = mn_graph_list(index, slot);
  for (uint32_t i = kept + 1; i <= mn_plain_links(list, most); i++) {
    uint32_t *other = mn_graph_list(index, list[i]);
    if (other[0] < most && !mn_list_has(other, slot))
      mn_list_append(other, mn_plain_links(other, most), slot);
  }
}

static void mend(const mn_index *index, uint32_t slot, mn_repairer *r) {
  const uint32_t most = mn_links_max(index->options.m);
  uint32_t *list = mn_graph_list(index, slot);
  if (!has_dead_link(index, list))
    return;
  const uint32_t plain = mn_plain_links(list, most);
  /* a list longer than there is room for is damage, and ends without a twin */
  const int has_twin = plain < list[0] && plain < most;
  const uint32_t twin = has_twin ? list[plain + 1] : 0;
  uint32_t kept;
  const uint32_t count = gather_around(index, slot, r, &kept);
  write_mended(index, slot, kept, count, twin == 0 ? most : most - 1, r);
  if (twin != 0)
    list[++list[0]] = twin;
  if (mn_slot_is_live(index, slot))
    link_back_where_room(index, slot, kept);
}

/* --- Second pass ---------------------------------------------------------- */

static int leads_to(const uint32_t *list, uint32_t slot, uint32_t most) {
  const uint32_t plain = mn_plain_links(list, most);
  for (uint32_t i = 1; i <= plain; i++)
    if (list[i] == slot)
      return 1;
  return 0;
}

static int is_led_to(const mn_index *index, uint32_t slot) {
  const uint32_t most = mn_links_max(index->options.m);
  const uint32_t *own = mn_graph_list(index, slot);
  const uint32_t plain = mn_plain_links(own, most);
  for (uint32_t i = 1; i <= plain; i++)
    if (own[i] < index->state->count &&
        leads_to(mn_graph_list(index, own[i]), slot, most))
      return 1;
  return 0;
}

/* Looks for links as for a new vector. The walk leaves nothing marked. */
static void link_anew(const mn_index *index, uint32_t slot, mn_repairer *r) {
  const uint32_t most = mn_links_max(index->options.m);
  uint32_t *list = mn_graph_list(index, slot);
  const uint32_t twin = list[0] > 0 ? list[list[0]] : 0;
  mn_walk *walk = &r->proposer.walk;
  mn_pool *pool = &r->proposer.found;
  mn_target target = mn_link_target(index);
  target.query = mn_prepare_slot(&target, slot, 0, r->chooser.vector,
                                 r->chooser.scratch, r->proposer.query);
  walk->hidden = slot;
  mn_walk_begin(index, walk, UINT64_MAX);
  mn_graph_walk(index, &target, walk, pool);
  mn_walk_drop_dead(index, pool);
  r->distance_count += walk->spending.spent;
  walk->hidden = MN_TWIN;
  mn_walk_begin(index, walk, UINT64_MAX);
  const uint32_t count =
      mn_links_choose(index, &r->chooser, pool, index->options.m);
  mn_list_write(list, r->chooser.chosen, count, most);
  if (twin != 0)
    list[++list[0]] = twin;
}

static void hold(const mn_index *index, uint32_t slot, mn_repairer *r) {
  const uint32_t most = mn_links_max(index->options.m);
  uint32_t *own = mn_graph_list(index, slot);
  if (mn_plain_links(own, most) == 0)
    link_anew(index, slot, r);
  const uint32_t plain = mn_plain_links(own, most);
  if (plain == 0 || is_led_to(index, slot))
    return;
  int kept = 0;
  for (uint32_t i = 1; i <= plain && !kept; i++)
    if (mn_graph_takes(index, own[i]))
      kept = mn_link_back(index, &r->chooser, &r->committer, own[i], slot);
  if (!kept)
    mn_link_force(index, slot);
}

/* --- Sweeps --------------------------------------------------------------- */

static void begin(mn_state *state) {
  state->sweep = 1;
  state->cursor = 0;
  state->era = 1 - state->era;
  state->dying = state->dead;
}

static void end_pass(mn_index *index) {
  mn_state *state = index->state;
  state->cursor = 0;
  state->sweep = state->sweep == 1 ? 2 : 0;
  if (state->sweep == 2) {
    mn_graph_renew_entries(index);
    mn_graph_settle(index);
    return;
  }
  /* Those that are not there, in a damaged block, would never be freed, and
   * sweep would follow on sweep. */
  state->dead -= state->dying;
  state->linked -= state->dying;
  state->dying = 0;
  mn_graph_settle(index);
}

static void visit(mn_index *index, uint32_t slot, mn_repairer *r) {
  const int dies = mn_slot_is_dying(index, slot);
  if (index->state->sweep == 1) {
    if (!dies && is_passed(index, slot))
      mend(index, slot, r);
  } else if (dies)
    mn_slot_bury(index, slot);
  else if (mn_graph_takes(index, slot))
    hold(index, slot, r);
}

void mn_graph_repair(mn_index *index, uint32_t limit, mn_repairer *r) {
  mn_state *state = index->state;
  mn_walk_begin(index, &r->proposer.walk, UINT64_MAX);
  for (; limit > 0; limit--) {
    if (state->sweep == 0) {
      if (state->dead == 0)
        return;
      begin(state);
    }
    if (state->cursor < state->count) /* or it is damage */
      visit(index, state->cursor++, r);
    if (state->cursor >= state->count)
      end_pass(index);
  }
}

uint64_t mn_graph_unrepaired(const mn_index *index) {
  const mn_state *state = index->state;
  const uint64_t count = state->count;
  const uint64_t now = state->sweep == 0   ? 0
                       : state->sweep == 1 ? 2 * count - state->cursor
                                           : count - state->cursor;
  const int is_more = state->dead > (state->sweep == 0 ? 0 : state->dying);
  return now + (is_more ? 2 * count : 0);
}
