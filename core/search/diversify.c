/* SPDX-License-Identifier: Apache-2.0 */
/* Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998), with minus
 * the distance as similarity. */
#include "../block.h"
#include "../bytes.h"
#include "../structure/structure.h"
#include "search.h"

typedef struct chooser {
  float *vector; /* while a hit's code becomes a query */
  void *scratch;
  void *query;
  uint32_t *slots;  /* of the hits */
  float *distances; /* to the latest that was chosen */
  float *nearest;   /* and to the nearest of all that were */
} chooser;

/* By what hits are compared with one another: the best that is stored. */
static mn_codec best_codec(const mn_options *options) {
  mn_codec codec;
  if (options->refine != 0)
    mn_codec_fine(options, &codec);
  else
    mn_codec_first(options, &codec);
  return codec;
}

static int allocate(const mn_options *options, uint32_t count, chooser *c,
                    mn_arena *scratch) {
  const mn_codec codec = best_codec(options);
  c->vector = mn_arena_allocate(scratch, sizeof(float) * codec.dimensions);
  c->scratch = mn_arena_allocate(
      scratch, (size_t)mn_codec_measure(&codec).scratch_bytes);
  c->query = mn_arena_allocate(scratch, mn_slot_query_bytes(&codec));
  c->slots = mn_arena_allocate(scratch, sizeof *c->slots * count);
  c->distances = mn_arena_allocate(scratch, sizeof *c->distances * count);
  c->nearest = mn_arena_allocate(scratch, sizeof *c->nearest * count);
  return c->vector != NULL && c->scratch != NULL && c->query != NULL &&
         c->slots != NULL && c->distances != NULL && c->nearest != NULL;
}

mn_status mn_diversify_measure(const mn_options *options, uint32_t count,
                               mn_arena *measuring) {
  chooser c;
  return allocate(options, count, &c, measuring) ? MN_OK : MN_ERROR_TOO_LARGE;
}

static mn_target target_of(const mn_index *index) {
  if (index->fine.ops == NULL)
    return mn_codes_of(index, mn_codec_planes(index->options.encoding));
  return (mn_target){.codec = &index->fine,
                     .codes = index->fine_codes,
                     .rests = index->fine_rests,
                     .planes = mn_codec_planes(index->fine.encoding)};
}

/* Of the hits from `from` on, the one to take next: relevant, and far from
 * those that were taken. The first of equals. */
static uint32_t choose(const chooser *c, const mn_hit *hits, uint32_t from,
                       uint32_t count, float lambda) {
  uint32_t best = from;
  float least = 0;
  for (uint32_t i = from; i < count; i++) {
    const float relevance = lambda * hits[i].distance;
    const float novelty = from == 0 ? 0 : (1.0f - lambda) * c->nearest[i];
    const float cost = relevance - novelty;
    if (i == from || cost < least) {
      least = cost;
      best = i;
    }
  }
  return best;
}

/* Moves the hit at `at` to `to`, those between one place on. */
static void bring_forward(chooser *c, mn_hit *hits, uint32_t at, uint32_t to) {
  const mn_hit hit = hits[at];
  const uint32_t slot = c->slots[at];
  const float nearest = c->nearest[at];
  mn_move(hits + to + 1, hits + to, (at - to) * sizeof *hits);
  mn_move(c->slots + to + 1, c->slots + to, (at - to) * sizeof *c->slots);
  mn_move(c->nearest + to + 1, c->nearest + to, (at - to) * sizeof(float));
  hits[to] = hit;
  c->slots[to] = slot;
  c->nearest[to] = nearest;
}

/* Compares the hit that was taken to place `taken` with those behind it. */
static void compare(const mn_target *all, chooser *c, uint32_t taken,
                    uint32_t count) {
  mn_target target = *all;
  const uint32_t left = count - taken - 1;
  target.query = mn_prepare_slot(all, c->slots[taken], left < MN_CODEC_BATCH,
                                 c->vector, c->scratch, c->query);
  mn_distances(&target, c->slots + taken + 1, left, c->distances);
  for (uint32_t i = 0; i < left; i++) {
    float *nearest = &c->nearest[taken + 1 + i];
    if (taken == 0 || c->distances[i] < *nearest)
      *nearest = c->distances[i];
  }
}

/* The hits' slots; UNKNOWN_KEY where one is not of this index. */
static mn_status find_slots(const mn_index *index, const mn_hit *hits,
                            uint32_t count, uint32_t *slots) {
  for (uint32_t i = 0; i < count; i++) {
    slots[i] = hits[i].slot;
    if (slots[i] >= index->state->count || !mn_slot_is_live(index, slots[i]) ||
        index->keys[slots[i]] != hits[i].key)
      return MN_ERROR_UNKNOWN_KEY;
  }
  return MN_OK;
}

mn_status mn_index_diversify(const mn_index *index, mn_hit *hits,
                             uint32_t count, uint32_t k, float lambda,
                             mn_arena *scratch) {
  if (index == NULL || scratch == NULL || (hits == NULL && count > 0) ||
      count > MN_EF_MAX || k > count || !(lambda >= 0.0f && lambda <= 1.0f))
    return MN_ERROR_ARGUMENT;
  const size_t mark = mn_arena_mark(scratch);
  chooser c;
  mn_status status = MN_ERROR_ARENA;
  if (allocate(&index->options, count, &c, scratch))
    status = find_slots(index, hits, count, c.slots);
  if (status == MN_OK) {
    const mn_target target = target_of(index);
    for (uint32_t taken = 0; taken < k; taken++) {
      const uint32_t at = choose(&c, hits, taken, count, lambda);
      bring_forward(&c, hits, at, taken);
      compare(&target, &c, taken, count);
    }
  }
  mn_arena_rewind(scratch, mark);
  return status;
}
