/* SPDX-License-Identifier: Apache-2.0 */
/* Linking vectors into the graph (Malkov and Yashunin, arXiv 1603.09320,
 * Algorithms 1 and 4). */
#include "../block.h"
#include "../bytes.h"
#include "../encoding/codec.h"
#include "graph.h"
#include "hnsw.h"
#include "structure.h"

int mn_linker_allocate(const mn_options *options, uint32_t capacity,
                       const uint64_t *keys, mn_linker *linker,
                       mn_arena *scratch) {
  const size_t most = mn_links_max(options->m, 0);
  const size_t query_bytes = (size_t)mn_round_up(mn_slot_query_bytes(options));
  linker->query_bytes = query_bytes;
  linker->found = mn_pool_allocate(keys, options->ef_construction, scratch);
  linker->list = mn_pool_allocate(keys, (uint32_t)most + 1, scratch);
  linker->vector =
      mn_arena_allocate(scratch, sizeof(float) * options->dimensions);
  linker->own_query = mn_arena_allocate(scratch, query_bytes);
  linker->query = mn_arena_allocate(scratch, query_bytes);
  linker->chosen = mn_arena_allocate(scratch, most * sizeof *linker->chosen);
  linker->queries = mn_arena_allocate(scratch, most * query_bytes);
  return mn_walk_allocate(options, capacity, &linker->walk, scratch) &&
         linker->found.items != NULL && linker->list.items != NULL &&
         linker->vector != NULL && linker->own_query != NULL &&
         linker->query != NULL && linker->chosen != NULL &&
         linker->queries != NULL;
}

/* Whether a candidate is nearer to the vector itself than to any link chosen
 * before. */
static int is_apart(const mn_index *index, const mn_linker *linker,
                    uint32_t chosen_count, mn_candidate candidate) {
  const uint32_t slot = mn_candidate_slot(candidate);
  for (uint32_t c = 0; c < chosen_count; c++) {
    const void *query = index->codec->code_is_query
                            ? mn_code_at(index, linker->chosen[c])
                            : linker->queries + c * linker->query_bytes;
    float between;
    mn_distances(index, query, &slot, 1, &between);
    if (between < candidate.distance)
      return 0;
  }
  return 1;
}

/* Which of the candidates, nearest first, become links (Algorithm 4), up to
 * `most`. Into linker->chosen; their number. */
static uint32_t choose(const mn_index *index, mn_linker *linker,
                       const mn_pool *candidates, uint32_t most) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < candidates->size && count < most; i++) {
    if (!is_apart(index, linker, count, candidates->items[i]))
      continue;
    const uint32_t slot = mn_candidate_slot(candidates->items[i]);
    linker->chosen[count] = slot;
    mn_prepare_slot(index, slot, linker->vector,
                    linker->queries + count * linker->query_bytes);
    count++;
  }
  return count;
}

static void write_list(uint32_t *list, const uint32_t *slots, uint32_t count,
                       uint32_t most) {
  list[0] = count;
  mn_move(list + 1, slots, count * sizeof *slots);
  mn_zero(list + 1 + count, (most - count) * sizeof *slots);
}

/* Adds a link from `from` to `slot`; a full list is chosen anew. 1 where the
 * link is in the list afterwards. */
static int link_back(const mn_index *index, mn_linker *linker, uint32_t from,
                     uint32_t slot, uint32_t level) {
  const uint32_t most = mn_links_max(index->options.m, level);
  uint32_t *list = mn_graph_list(index, from, level);
  const uint32_t length = list[0] <= most ? list[0] : most;
  if (length < most) {
    list[1 + length] = slot;
    list[0] = length + 1;
    return 1;
  }
  mn_pool *pool = &linker->list;
  const void *query =
      mn_prepare_slot(index, from, linker->vector, linker->query);
  pool->size = 0;
  for (uint32_t i = 0; i <= length; i++) {
    mn_candidate other = {0.0f, i == 0 ? slot : list[i]};
    if (other.slot > slot)
      continue; /* damage: only earlier slots are linked */
    mn_distances(index, query, &other.slot, 1, &other.distance);
    mn_pool_add(pool, other);
  }
  const uint32_t count = choose(index, linker, pool, most);
  write_list(list, linker->chosen, count, most);
  for (uint32_t c = 0; c < count; c++)
    if (linker->chosen[c] == slot)
      return 1;
  return 0;
}

/* No list kept a link to `slot`, as happens among many equal vectors. It takes
 * the last place in its nearest neighbour's list and links to the one that
 * stood there, so that both stay within reach. */
static void force_link(const mn_index *index, uint32_t slot) {
  uint32_t *own = mn_graph_list(index, slot, 0);
  uint32_t *nearest = mn_graph_list(index, own[1], 0);
  const uint32_t last = nearest[0], moved = nearest[last];
  if (last == 0)
    return; /* damage: a list that kept nothing is not full */
  nearest[last] = slot;
  for (uint32_t i = 1; i <= own[0]; i++)
    if (own[i] == moved)
      return;
  /* At most m of the 2 m places are taken. */
  own[++own[0]] = moved;
}

void mn_graph_link(mn_index *index, mn_linker *linker) {
  mn_state *state = index->state;
  const uint32_t slot = state->linked;
  const uint32_t level = mn_graph_level(&index->options, slot);
  if (slot == 0) {
    state->entry = slot;
    state->top_level = level;
    state->linked = 1;
    return;
  }
  const void *query =
      mn_prepare_slot(index, slot, linker->vector, linker->own_query);
  mn_candidate start = mn_graph_descend(index, query, level, &linker->walk);
  const uint32_t from = level < state->top_level ? level : state->top_level;
  for (uint32_t l = from + 1; l-- > 0;) {
    mn_graph_search_level(index, query, start, l, &linker->walk,
                          &linker->found);
    start = linker->found.items[0];
    start.slot = mn_candidate_slot(start);
    const uint32_t count =
        choose(index, linker, &linker->found, index->options.m);
    uint32_t *own = mn_graph_list(index, slot, l);
    write_list(own, linker->chosen, count, mn_links_max(index->options.m, l));
    int kept = 0;
    for (uint32_t i = 1; i <= count; i++)
      kept |= link_back(index, linker, own[i], slot, l);
    if (!kept && l == 0)
      force_link(index, slot);
  }
  if (level > state->top_level) {
    state->entry = slot;
    state->top_level = level;
  }
  state->linked++;
}
