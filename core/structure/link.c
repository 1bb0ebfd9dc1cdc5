/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linking vectors into the graph, a batch at a time: each of them finds its
 * links in the graph as it was before the batch and among the batch's vectors
 * before it, then all are entered in order. So the first half can run on any
 * number of threads, and gives the same (ParlayANN, arXiv 2305.04359, section
 * 3; Malkov and Yashunin, arXiv 1603.09320, Algorithms 1 and 4).
 */
#include "../bytes.h"
#include "../encoding/codec.h"
#include "hnsw.h"
#include "neighbours.h"
#include "pending.h"

_Static_assert(MN_LINK_BATCH <= MN_ENTRIES, "a walk's room holds a batch");

/* --- Proposing ------------------------------------------------------------ */

int mn_proposer_allocate(const mn_options *options, uint32_t capacity,
                         const uint64_t *keys, mn_proposer *proposer,
                         mn_arena *scratch) {
  mn_codec codec;
  mn_codec_first(options, &codec);
  proposer->found = mn_pool_allocate(keys, options->ef_construction, scratch);
  proposer->query = mn_arena_allocate(scratch, mn_slot_query_bytes(&codec));
  proposer->walk.ending = MN_NO_ENDING;
  return mn_walk_allocate(options, capacity, &proposer->walk, scratch) &&
         proposer->found.items != NULL && proposer->query != NULL;
}

/* What a batch's vector found: the vector to which it is equal, or MN_TWIN; the
 * number of its links; and m places for them. */
enum { PROPOSED_EQUAL, PROPOSED_COUNT, PROPOSED_LINKS };

static size_t proposal_words(const mn_options *options) {
  return PROPOSED_LINKS + options->m;
}

size_t mn_proposals_bytes(const mn_options *options) {
  return MN_LINK_BATCH * proposal_words(options) * sizeof(uint32_t);
}

int mn_graph_batch(const mn_index *index, uint32_t *batch) {
  return mn_index_pending(index) >= MN_LINK_BATCH &&
         mn_pending_some(index, MN_LINK_BATCH, batch) == MN_LINK_BATCH;
}

/* The place in the batch of a slot that is among its first `count`; `count`
 * where it is not. */
static uint32_t place_in(const uint32_t *batch, uint32_t count, uint32_t slot) {
  uint32_t place = 0;
  while (place < count && batch[place] != slot)
    place++;
  return place;
}

/* Adds the batch's first `count` vectors, which no walk finds yet. */
static void add_batch(const mn_target *target, const uint32_t *batch,
                      uint32_t count, mn_walk *walk, mn_pool *pool) {
  mn_distances(target, batch, count, walk->distances);
  for (uint32_t i = 0; i < count; i++)
    if (walk->distances[i] < mn_pool_bound(pool))
      mn_pool_add(pool, (mn_candidate){walk->distances[i], batch[i]});
}

/* A vector equal to `slot` among the candidates, or MN_TWIN: the one in the
 * graph, or else the earliest of the batch. */
static uint32_t find_equal(const mn_index *index, const mn_target *target,
                           const mn_pool *candidates, const uint32_t *batch,
                           uint32_t nth) {
  const uint32_t slot = batch[nth];
  float self;
  mn_distances(target, &slot, 1, &self);
  uint32_t equal = MN_TWIN, earliest = nth;
  for (uint32_t i = 0; i < candidates->size; i++) {
    const uint32_t other = mn_candidate_slot(candidates->items[i]);
    if (candidates->items[i].distance != self ||
        !mn_codes_equal(index, slot, other))
      continue;
    const uint32_t place = place_in(batch, nth, other);
    if (place == nth)
      return other;
    if (place < earliest) {
      earliest = place;
      equal = other;
    }
  }
  return equal;
}

void mn_graph_propose(const mn_index *index, const uint32_t *batch,
                      uint32_t nth, uint32_t *proposals, mn_chooser *chooser,
                      mn_proposer *proposer) {
  const uint32_t slot = batch[nth];
  uint32_t *proposal = proposals + nth * proposal_words(&index->options);
  mn_target target = mn_link_target(index);
  target.query = mn_prepare_slot(&target, slot, 0, chooser->vector,
                                 chooser->scratch, proposer->query);
  mn_walk_begin(index, &proposer->walk, UINT64_MAX);
  mn_graph_walk(index, &target, &proposer->walk, &proposer->found);
  if (mn_index_has_holes(index))
    mn_walk_drop_dead(index, &proposer->found);
  add_batch(&target, batch, nth, &proposer->walk, &proposer->found);
  proposal[PROPOSED_EQUAL] =
      find_equal(index, &target, &proposer->found, batch, nth);
  proposal[PROPOSED_COUNT] = 0;
  if (proposal[PROPOSED_EQUAL] != MN_TWIN)
    return;
  const uint32_t count =
      mn_links_choose(index, chooser, &proposer->found, index->options.m);
  proposal[PROPOSED_COUNT] = count;
  mn_move(proposal + PROPOSED_LINKS, chooser->chosen,
          count * sizeof *chooser->chosen);
}

/* --- Twins ---------------------------------------------------------------- */

/* Finds another place for a link that `first` gives up: the nearest of its
 * neighbours that has room leads there from now on. */
static void hand_over(const mn_index *index, uint32_t first, uint32_t moved) {
  const uint32_t most = mn_links_max(index->options.m);
  const uint32_t *list = mn_graph_list(index, first);
  if (!mn_graph_takes(index, moved))
    return;
  for (uint32_t i = 1; i <= mn_plain_links(list, most); i++) {
    if (!mn_graph_takes(index, list[i]) || list[i] == moved)
      continue;
    uint32_t *other = mn_graph_list(index, list[i]);
    const uint32_t plain = mn_plain_links(other, most);
    for (uint32_t o = 1; o <= plain; o++)
      if (other[o] == moved)
        return;
    if (other[0] < most) {
      mn_list_append(other, plain, moved);
      return;
    }
  }
}

/* Hangs `slot` in as the latest twin of `first`. In a list full of plain links
 * the last of them gives way. */
static void link_twin(const mn_index *index, uint32_t first, uint32_t slot) {
  const uint32_t most = mn_links_max(index->options.m);
  uint32_t *list = mn_graph_list(index, first);
  const uint32_t plain = mn_plain_links(list, most);
  if (plain == most) {
    hand_over(index, first, list[most]);
    list[0] = most - 1;
  }
  const uint32_t at = plain < most ? plain + 1 : most;
  const uint32_t earlier = mn_graph_twin(index, first);
  const uint32_t links[2] = {first, list[at]};
  uint32_t *own = mn_graph_list(index, slot);
  mn_list_write(own, links, at <= list[0] ? 2 : 1, most);
  own[0] |= MN_TWIN;
  if (earlier != MN_TWIN)
    mn_graph_list(index, earlier)[1] = slot;
  list[at] = slot | MN_TWIN;
  list[0] = at;
}

/* --- Committing ----------------------------------------------------------- */

/* A batch that is being entered. */
typedef struct batch {
  const uint32_t *slots;
  const uint32_t *proposals;
  size_t words; /* of one */
} batch;

static const uint32_t *proposal_of(const batch *b, uint32_t place) {
  return b->proposals + place * b->words;
}

/* The vector that stands for `slot` in the graph: a batch's vectors did not
 * know yet which of them are twins. */
static uint32_t first_of(const batch *b, uint32_t slot) {
  uint32_t before = MN_LINK_BATCH;
  for (;;) {
    const uint32_t place = place_in(b->slots, before, slot);
    if (place == before)
      return slot;
    const uint32_t equal = proposal_of(b, place)[PROPOSED_EQUAL];
    if (equal == MN_TWIN)
      return slot;
    slot = equal;
    before = place; /* it is equal to an earlier one */
  }
}

/* Writes the list of the vector at a place; its length. */
static uint32_t write_own(const mn_index *index, const batch *b,
                          uint32_t place) {
  const uint32_t m = index->options.m;
  const uint32_t *proposal = proposal_of(b, place);
  uint32_t *own = mn_graph_list(index, b->slots[place]);
  mn_list_write(own, NULL, 0, mn_links_max(m));
  for (uint32_t i = 0; i < proposal[PROPOSED_COUNT] && i < m; i++) {
    const uint32_t link = first_of(b, proposal[PROPOSED_LINKS + i]);
    if (link != b->slots[place] && mn_graph_takes(index, link) &&
        !mn_list_has(own, link))
      own[++own[0]] = link;
  }
  return own[0];
}

static void commit_one(mn_index *index, const batch *b, uint32_t place,
                       mn_chooser *chooser, mn_committer *committer) {
  const uint32_t slot = b->slots[place];
  const uint32_t first = first_of(b, slot);
  if (first != slot && mn_graph_takes(index, first)) {
    link_twin(index, first, slot);
    return;
  }
  const uint32_t count = write_own(index, b, place);
  const uint32_t *own = mn_graph_list(index, slot);
  int kept = 0;
  for (uint32_t i = 1; i <= count; i++)
    kept |= mn_link_back(index, chooser, committer, own[i], slot);
  if (!kept && count > 0)
    mn_link_force(index, slot);
  mn_graph_enter(index, slot);
}

void mn_graph_commit(mn_index *index, const uint32_t *slots,
                     const uint32_t *proposals, mn_chooser *chooser,
                     mn_committer *committer) {
  const batch b = {slots, proposals, proposal_words(&index->options)};
  for (uint32_t place = 0; place < MN_LINK_BATCH; place++) {
    mn_pending_remove(index, slots[place]);
    commit_one(index, &b, place, chooser, committer);
    index->state->linked++;
  }
  mn_graph_settle(index);
}
