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
  mn_codec codec;
  mn_codec_first(options, &codec);
  const size_t query_bytes = (size_t)mn_round_up(mn_slot_query_bytes(&codec));
  linker->query_bytes = query_bytes;
  linker->found = mn_pool_allocate(keys, options->ef_construction, scratch);
  linker->list = mn_pool_allocate(keys, (uint32_t)most + 1, scratch);
  linker->vector = mn_arena_allocate(scratch, sizeof(float) * codec.dimensions);
  linker->scratch = mn_arena_allocate(
      scratch, (size_t)mn_codec_measure(&codec).scratch_bytes);
  linker->own_query = mn_arena_allocate(scratch, query_bytes);
  linker->query = mn_arena_allocate(scratch, query_bytes);
  linker->chosen = mn_arena_allocate(scratch, most * sizeof *linker->chosen);
  linker->queries = mn_arena_allocate(scratch, most * query_bytes);
  return mn_walk_allocate(options, capacity, &linker->walk, scratch) &&
         linker->found.items != NULL && linker->list.items != NULL &&
         linker->vector != NULL && linker->scratch != NULL &&
         linker->own_query != NULL && linker->query != NULL &&
         linker->chosen != NULL && linker->queries != NULL;
}

/* What linking compares: codes with codes, by the planes that a walk reads. */
static mn_target link_target(const mn_index *index) {
  return mn_codes_of(index, mn_codec_first_planes(&index->codec));
}

static float distance_to(const mn_target *target, uint32_t slot) {
  float distance;
  mn_distances(target, &slot, 1, &distance);
  return distance;
}

/* Whether a candidate is nearer to the vector itself than to any link chosen
 * before. */
static int is_apart(const mn_index *index, const mn_linker *linker,
                    uint32_t chosen_count, mn_candidate candidate) {
  const uint32_t slot = mn_candidate_slot(candidate);
  mn_target target = link_target(index);
  for (uint32_t c = 0; c < chosen_count; c++) {
    target.query = index->codec.ops->code_is_query
                       ? mn_code_at(index, linker->chosen[c])
                       : linker->queries + c * linker->query_bytes;
    if (distance_to(&target, slot) < candidate.distance)
      return 0;
  }
  return 1;
}

/* Which of the candidates, nearest first, become links (Algorithm 4), up to
 * `most`. Into linker->chosen; their number. */
static uint32_t choose(const mn_index *index, mn_linker *linker,
                       const mn_pool *candidates, uint32_t most) {
  const mn_target target = link_target(index);
  uint32_t count = 0;
  for (uint32_t i = 0; i < candidates->size && count < most; i++) {
    if (!is_apart(index, linker, count, candidates->items[i]))
      continue;
    const uint32_t slot = mn_candidate_slot(candidates->items[i]);
    linker->chosen[count] = slot;
    mn_prepare_slot(&target, slot, 1, linker->vector, linker->scratch,
                    linker->queries + count * linker->query_bytes);
    count++;
  }
  return count;
}

/* --- Lists ---------------------------------------------------------------- */

/* The number of links that are not a twin's; only the last can be one. Read
 * from the block and so bounded. */
static uint32_t plain_links(const uint32_t *list, uint32_t most) {
  const uint32_t length = list[0] <= most ? list[0] : most;
  return length > 0 && (list[length] & MN_TWIN) != 0 ? length - 1 : length;
}

static void write_list(uint32_t *list, const uint32_t *slots, uint32_t count,
                       uint32_t most) {
  list[0] = count;
  mn_move(list + 1, slots, count * sizeof *slots);
  mn_zero(list + 1 + count, (most - count) * sizeof *slots);
}

/* Puts a link behind the plain ones; a twin's stays last. There is room. */
static void append_link(uint32_t *list, uint32_t plain, uint32_t slot) {
  if (list[0] > plain)
    list[plain + 2] = list[plain + 1];
  list[plain + 1] = slot;
  list[0]++;
}

/* --- Linking -------------------------------------------------------------- */

/* Adds a link from `from` to `slot`; a full list is chosen anew. 1 where the
 * link is in the list afterwards. */
static int link_back(const mn_index *index, mn_linker *linker, uint32_t from,
                     uint32_t slot, uint32_t level) {
  const uint32_t most = mn_links_max(index->options.m, level);
  uint32_t *list = mn_graph_list(index, from, level);
  const uint32_t plain = plain_links(list, most);
  if (list[0] < most) {
    append_link(list, plain, slot);
    return 1;
  }
  mn_pool *pool = &linker->list;
  mn_target target = link_target(index);
  target.query = mn_prepare_slot(&target, from, 1, linker->vector,
                                 linker->scratch, linker->query);
  pool->size = 0;
  for (uint32_t i = 0; i <= plain; i++) {
    mn_candidate other = {0.0f, i == 0 ? slot : list[i]};
    if (other.slot > slot)
      continue; /* damage: only earlier slots are linked */
    other.distance = distance_to(&target, other.slot);
    mn_pool_add(pool, other);
  }
  const uint32_t twin = plain < most ? list[most] : 0;
  const uint32_t count =
      choose(index, linker, pool, twin == 0 ? most : most - 1);
  write_list(list, linker->chosen, count, most);
  if (twin != 0)
    list[++list[0]] = twin;
  for (uint32_t c = 0; c < count; c++)
    if (linker->chosen[c] == slot)
      return 1;
  return 0;
}

/* No list kept a link to `slot`. It takes the place of the last plain link in
 * its nearest neighbour's list and takes that link over, so that both stay
 * within reach. */
static void force_link(const mn_index *index, uint32_t slot) {
  const uint32_t most = mn_links_max(index->options.m, 0);
  uint32_t *own = mn_graph_list(index, slot, 0);
  uint32_t *nearest = mn_graph_list(index, own[1], 0);
  const uint32_t last = plain_links(nearest, most);
  if (last == 0)
    return; /* damage: a list that kept nothing is not full */
  const uint32_t moved = nearest[last];
  nearest[last] = slot;
  for (uint32_t i = 1; i <= own[0]; i++)
    if (own[i] == moved)
      return;
  own[++own[0]] = moved; /* at most m of the 2 m places are taken */
}

/* --- Twins ---------------------------------------------------------------- */

int mn_codes_equal(const mn_index *index, uint32_t a, uint32_t b) {
  const size_t code = index->codec.code_bytes, rest = index->codec.rest_bytes;
  return mn_equal(index->codes + a * code, index->codes + b * code, code) &&
         (rest == 0 ||
          mn_equal(index->rests + a * rest, index->rests + b * rest, rest));
}

/* The candidate that is equal to `slot`, or MN_TWIN where there is none. */
static uint32_t find_equal(const mn_index *index, const mn_target *target,
                           const mn_pool *candidates, uint32_t slot) {
  const float self = distance_to(target, slot);
  for (uint32_t i = 0; i < candidates->size; i++) {
    const uint32_t other = mn_candidate_slot(candidates->items[i]);
    if (candidates->items[i].distance == self &&
        mn_codes_equal(index, slot, other))
      return other;
  }
  return MN_TWIN;
}

/* Finds another place for a link that `first` gives up: the nearest of its
 * neighbours that has room leads there from now on. */
static void hand_over(const mn_index *index, uint32_t first, uint32_t moved) {
  const uint32_t most = mn_links_max(index->options.m, 0);
  const uint32_t linked = index->state->linked;
  const uint32_t *list = mn_graph_list(index, first, 0);
  for (uint32_t i = 1; i <= plain_links(list, most) && moved < linked; i++) {
    if (list[i] >= linked || list[i] == moved)
      continue;
    uint32_t *other = mn_graph_list(index, list[i], 0);
    const uint32_t plain = plain_links(other, most);
    for (uint32_t o = 1; o <= plain; o++)
      if (other[o] == moved)
        return;
    if (other[0] < most) {
      append_link(other, plain, moved);
      return;
    }
  }
}

/* Hangs `slot` in as the latest twin of `first`. In a list full of plain links
 * the last of them gives way. */
static void link_twin(const mn_index *index, uint32_t first, uint32_t slot) {
  const uint32_t most = mn_links_max(index->options.m, 0);
  uint32_t *list = mn_graph_list(index, first, 0);
  const uint32_t plain = plain_links(list, most);
  if (plain == most) {
    hand_over(index, first, list[most]);
    list[0] = most - 1;
  }
  const uint32_t at = plain < most ? plain + 1 : most;
  const uint32_t links[2] = {first, list[at]};
  write_list(mn_graph_list(index, slot, 0), links, at <= list[0] ? 2 : 1, most);
  list[at] = slot | MN_TWIN;
  list[0] = at;
}

/* --- One vector ----------------------------------------------------------- */

void mn_graph_link(mn_index *index, mn_linker *linker) {
  mn_state *state = index->state;
  const uint32_t slot = state->linked;
  const uint32_t level = mn_graph_level(&index->options, slot);
  mn_target target = link_target(index);
  target.query = mn_prepare_slot(&target, slot, 0, linker->vector,
                                 linker->scratch, linker->own_query);
  for (uint32_t l = 0; slot > 0 && l <= level && l <= state->top_level; l++) {
    const mn_candidate start =
        mn_graph_descend(index, &target, l, &linker->walk);
    mn_graph_search_level(index, &target, start, l, &linker->walk,
                          &linker->found);
    const uint32_t first =
        l > 0 ? MN_TWIN : find_equal(index, &target, &linker->found, slot);
    if (first != MN_TWIN) {
      link_twin(index, first, slot);
      state->linked++;
      return;
    }
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
  if (slot == 0 || level > state->top_level) {
    state->entry = slot;
    state->top_level = level;
  }
  state->linked++;
}
