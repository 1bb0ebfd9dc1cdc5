/* SPDX-License-Identifier: Apache-2.0 */
#include "order.h"
#include "../bytes.h"

/* Halving smaller sets does not move them to other cache lines or pages. */
#define LEAF 16u
/* Of a set, so many are looked at to find one that is far. */
#define LOOKED_AT 64u
/* Halving to LEAF from 2^31 on. */
#define DEPTH 32u

int mn_orderer_allocate(const mn_options *options, mn_orderer *o,
                        mn_arena *scratch) {
  mn_codec codec;
  mn_codec_first(options, &codec);
  o->vector = mn_arena_allocate(scratch, sizeof(float) * codec.dimensions);
  o->scratch = mn_arena_allocate(
      scratch, (size_t)mn_codec_measure(&codec).scratch_bytes);
  o->query = mn_arena_allocate(scratch, mn_slot_query_bytes(&codec));
  o->distances =
      mn_arena_allocate(scratch, MN_SCAN_BATCH * sizeof *o->distances);
  o->slots = mn_arena_allocate(scratch, MN_SCAN_BATCH * sizeof *o->slots);
  return o->vector != NULL && o->scratch != NULL && o->query != NULL &&
         o->distances != NULL && o->slots != NULL;
}

static mn_target target_at(const mn_index *index, uint32_t slot,
                           mn_orderer *o) {
  mn_target target = mn_codes_of(index, mn_codec_first_planes(&index->codec));
  target.query =
      mn_prepare_slot(&target, slot, 0, o->vector, o->scratch, o->query);
  return target;
}

/* The farthest from `slot` of LOOKED_AT items spread over the set. */
static uint32_t far_from(const mn_index *index, uint32_t slot,
                         const mn_candidate *items, uint32_t count,
                         mn_orderer *o) {
  const uint32_t some = count < LOOKED_AT ? count : LOOKED_AT;
  const uint32_t step = count / some, rest = count % some;
  for (uint32_t i = 0; i < some; i++) /* i count / some, within 32 bits */
    o->slots[i] = items[i * step + i * rest / some].slot;
  const mn_target target = target_at(index, slot, o);
  mn_distances(&target, o->slots, some, o->distances);
  uint32_t far = 0;
  for (uint32_t i = 1; i < some; i++)
    if (o->distances[i] > o->distances[far])
      far = i;
  return o->slots[far];
}

/* Adds `sign` times the distance from `slot` to every item's. */
static void add_distances(const mn_index *index, uint32_t slot, float sign,
                          mn_candidate *items, uint32_t count, mn_orderer *o) {
  const mn_target target = target_at(index, slot, o);
  while (count > 0) {
    const uint32_t some = count < MN_SCAN_BATCH ? count : MN_SCAN_BATCH;
    for (uint32_t i = 0; i < some; i++)
      o->slots[i] = items[i].slot;
    mn_distances(&target, o->slots, some, o->distances);
    for (uint32_t i = 0; i < some; i++)
      items[i].distance += sign * o->distances[i];
    items += some;
    count -= some;
  }
}

static void halve(const mn_index *index, mn_candidate *items, uint32_t count,
                  mn_orderer *o) {
  const uint32_t a = far_from(index, items[0].slot, items, count, o);
  const uint32_t b = far_from(index, a, items, count, o);
  for (uint32_t i = 0; i < count; i++)
    items[i].distance = 0.0f;
  add_distances(index, a, 1.0f, items, count, o);
  add_distances(index, b, -1.0f, items, count, o);
  mn_candidates_select(index->keys, items, count, count / 2);
}

/* Lets an item that comes too early in a heap of `count`, the last in order
 * first, sink. */
static void sink(const uint64_t *keys, mn_candidate *items, uint32_t at,
                 uint32_t count) {
  for (;;) {
    uint32_t last = at;
    for (uint32_t child = 2 * at + 1; child <= 2 * at + 2; child++)
      if (child < count && mn_candidate_before(keys, items[last], items[child]))
        last = child;
    if (last == at)
      return;
    const mn_candidate swapped = items[at];
    items[at] = items[last];
    items[last] = swapped;
    at = last;
  }
}

/* So that the order does not depend on where the vectors stood: heapsort
 * (Williams, CACM 1964). */
static void sort_by_key(const uint64_t *keys, mn_candidate *items,
                        uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    items[i].distance = 0.0f;
  for (uint32_t i = count / 2; i-- > 0;)
    sink(keys, items, i, count);
  for (uint32_t end = count; end-- > 1;) {
    const mn_candidate swapped = items[0];
    items[0] = items[end];
    items[end] = swapped;
    sink(keys, items, 0, end);
  }
}

void mn_order(const mn_index *index, mn_candidate *items, uint32_t count,
              mn_orderer *o) {
  sort_by_key(index->keys, items, count);
  /* The second halves that are still to come, innermost last. */
  uint32_t starts[DEPTH], ends[DEPTH], waiting = 0;
  uint32_t from = 0, to = count;
  for (;;) {
    if (to - from > LEAF) {
      halve(index, items + from, to - from, o);
      const uint32_t middle = from + (to - from) / 2;
      MN_ASSERT(waiting < DEPTH);
      starts[waiting] = middle;
      ends[waiting++] = to;
      to = middle;
    } else if (waiting > 0) {
      from = starts[--waiting];
      to = ends[waiting];
    } else
      return;
  }
}
