/* SPDX-License-Identifier: Apache-2.0 */
#include "neighbours.h"
#include "../bytes.h"

/* --- Scratch -------------------------------------------------------------- */

int mn_chooser_allocate(const mn_options *options, mn_chooser *chooser,
                        mn_arena *scratch) {
  const size_t most = mn_links_max(options->m);
  const size_t list = most + 1, found = options->ef_construction;
  const size_t candidates = found > list ? found : list;
  mn_codec codec;
  mn_codec_first(options, &codec);
  chooser->vector =
      mn_arena_allocate(scratch, sizeof(float) * codec.dimensions);
  chooser->scratch = mn_arena_allocate(
      scratch, (size_t)mn_codec_measure(&codec).scratch_bytes);
  chooser->chosen = mn_arena_allocate(scratch, most * sizeof *chooser->chosen);
  chooser->query = mn_arena_allocate(scratch, mn_slot_query_bytes(&codec));
  chooser->slots =
      mn_arena_allocate(scratch, candidates * sizeof *chooser->slots);
  chooser->distances =
      mn_arena_allocate(scratch, candidates * sizeof *chooser->distances);
  chooser->distance_count = 0;
  return chooser->vector != NULL && chooser->scratch != NULL &&
         chooser->chosen != NULL && chooser->query != NULL &&
         chooser->slots != NULL && chooser->distances != NULL;
}

int mn_committer_allocate(const mn_options *options, const uint64_t *keys,
                          mn_committer *committer, mn_arena *scratch) {
  mn_codec codec;
  mn_codec_first(options, &codec);
  committer->list =
      mn_pool_allocate(keys, mn_links_max(options->m) + 1, scratch);
  committer->query = mn_arena_allocate(scratch, mn_slot_query_bytes(&codec));
  return committer->list.items != NULL && committer->query != NULL;
}

/* --- Choosing ------------------------------------------------------------- */

uint32_t mn_keep_apart(const mn_target *target, uint32_t link,
                       const mn_candidate *from, uint32_t count,
                       mn_chooser *chooser, mn_candidate *items) {
  for (uint32_t i = 0; i < count; i++)
    chooser->slots[i] = mn_candidate_slot(from[i]);
  mn_target to = *target;
  to.query = mn_prepare_slot(target, link, 1, chooser->vector, chooser->scratch,
                             chooser->query);
  mn_distances(&to, chooser->slots, count, chooser->distances);
  chooser->distance_count += count;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count; i++) {
    const int is_apart = !(chooser->distances[i] < from[i].distance);
    items[kept] = from[i];
    kept += (uint32_t)is_apart;
  }
  return kept;
}

uint32_t mn_links_choose(const mn_index *index, mn_chooser *chooser,
                         mn_pool *candidates, uint32_t most) {
  const mn_target target = mn_link_target(index);
  uint32_t count = 0, left = candidates->size;
  while (left > 0 && count < most) {
    const uint32_t link = mn_candidate_slot(candidates->items[0]);
    chooser->chosen[count++] = link;
    if (count < most)
      left = mn_keep_apart(&target, link, candidates->items + 1, left - 1,
                           chooser, candidates->items);
  }
  return count;
}

/* --- Lists ---------------------------------------------------------------- */

void mn_list_write(uint32_t *list, const uint32_t *slots, uint32_t count,
                   uint32_t most) {
  list[0] = count;
  mn_move(list + 1, slots, count * sizeof *slots);
  mn_zero(list + 1 + count, (most - count) * sizeof *slots);
}

int mn_list_has(const uint32_t *list, uint32_t slot) {
  for (uint32_t i = 1; i <= list[0]; i++)
    if (list[i] == slot)
      return 1;
  return 0;
}

void mn_list_append(uint32_t *list, uint32_t plain, uint32_t slot) {
  if (list[0] > plain)
    list[plain + 2] = list[plain + 1];
  list[plain + 1] = slot;
  list[0]++;
}

int mn_link_back(const mn_index *index, mn_chooser *chooser,
                 mn_committer *committer, uint32_t from, uint32_t slot) {
  const uint32_t most = mn_links_max(index->options.m);
  uint32_t *list = mn_graph_list(index, from);
  const uint32_t plain = mn_plain_links(list, most);
  if (list[0] < most) {
    mn_list_append(list, plain, slot);
    return 1;
  }
  mn_pool *pool = &committer->list;
  mn_target target = mn_link_target(index);
  target.query = mn_prepare_slot(&target, from, 1, chooser->vector,
                                 chooser->scratch, committer->query);
  uint32_t others = 0;
  chooser->slots[others++] = slot;
  for (uint32_t i = 1; i <= plain; i++)
    if (mn_graph_takes(index, list[i])) /* not dead, and no damage */
      chooser->slots[others++] = list[i];
  mn_distances(&target, chooser->slots, others, chooser->distances);
  chooser->distance_count += others;
  mn_pool_fill(pool, chooser->distances, chooser->slots, others);
  const uint32_t twin = plain < most ? list[most] : 0;
  const uint32_t count =
      mn_links_choose(index, chooser, pool, twin == 0 ? most : most - 1);
  mn_list_write(list, chooser->chosen, count, most);
  if (twin != 0)
    list[++list[0]] = twin;
  for (uint32_t c = 0; c < count; c++)
    if (chooser->chosen[c] == slot)
      return 1;
  return 0;
}

void mn_link_force(const mn_index *index, uint32_t slot) {
  const uint32_t most = mn_links_max(index->options.m);
  uint32_t *own = mn_graph_list(index, slot);
  if (own[1] >= index->state->count)
    return; /* damage */
  uint32_t *nearest = mn_graph_list(index, own[1]);
  const uint32_t last = mn_plain_links(nearest, most);
  if (last == 0)
    return; /* damage: a list that kept nothing is not full */
  const uint32_t moved = nearest[last];
  nearest[last] = slot;
  if (own[0] < most && mn_graph_takes(index, moved) && !mn_list_has(own, moved))
    mn_list_append(own, mn_plain_links(own, most), moved);
}
