/* SPDX-License-Identifier: Apache-2.0 */
/* Looking an index over: what searches find, and what stands in its way. */
#include "arena.h"
#include "block.h"
#include "bytes.h"
#include "key_map.h"
#include "recall.h"
#include "structure/graph.h"
#include "structure/ivf.h"
#include "structure/structure.h"

#ifndef MN_ONLY_SEARCH

typedef struct auditor {
  mn_trial trial; /* with a query only */
  int has_trial;
  uint32_t *seen;  /* a bit by slot */
  uint32_t *queue; /* slots, or buckets of slot + 1 */
  uint32_t *sizes; /* by slot: vectors of the group that it is the first of */
  uint32_t *links; /* a list, decoded */
} auditor;

/* Buckets of the table of different codes. */
static uint32_t buckets_of(uint32_t count) {
  return (uint32_t)mn_key_map_buckets(count);
}

static int allocate(const mn_index *index, auditor *a, mn_arena *scratch) {
  const size_t count = index->state->count;
  const size_t most =
      index->options.structure == MN_HNSW ? mn_links_max(index->options.m) : 0;
  a->seen = mn_arena_allocate(scratch, (count + 31) / 32 * sizeof *a->seen);
  a->queue = mn_arena_allocate(scratch, buckets_of(index->state->count) *
                                            sizeof *a->queue);
  a->sizes = mn_arena_allocate(scratch, count * sizeof *a->sizes);
  a->links = mn_arena_allocate(scratch, most * sizeof *a->links);
  return a->seen != NULL && a->queue != NULL && a->sizes != NULL &&
         a->links != NULL &&
         (!a->has_trial || mn_trial_allocate(&a->trial, scratch));
}

/* --- Reach ---------------------------------------------------------------- */

/* Puts a slot into the queue the first time that it is met. */
static void meet(const mn_index *index, auditor *a, uint32_t slot,
                 uint32_t *end) {
  if (slot >= index->state->count || !mn_graph_has(index, slot) ||
      (a->seen[slot / 32] >> slot % 32 & 1) != 0)
    return;
  a->seen[slot / 32] |= 1u << slot % 32;
  a->queue[(*end)++] = slot;
}

/* Breadth first from all entries, through deleted vectors too. */
static void walk_all(const mn_index *index, auditor *a) {
  uint32_t end = 0;
  for (uint32_t i = 0; i < index->state->entries; i++)
    meet(index, a, index->entries[i], &end);
  for (uint32_t at = 0; at < end; at++) {
    const uint32_t slot = a->queue[at];
    const uint32_t *list;
    const uint32_t count = mn_graph_links(index, slot, a->links, &list);
    for (uint32_t i = 0; i < count; i++)
      meet(index, a, list[i], &end);
    meet(index, a, mn_graph_twin(index, slot), &end);
  }
}

static void look_at_graph(const mn_index *index, auditor *a, mn_audit *audit) {
  const uint32_t count = index->state->count;
  uint64_t links = 0;
  mn_zero(a->seen, ((size_t)count + 31) / 32 * sizeof *a->seen);
  walk_all(index, a);
  for (uint32_t slot = 0; slot < count; slot++) {
    if (!mn_graph_has(index, slot))
      continue;
    const uint32_t *list;
    links += mn_graph_links(index, slot, a->links, &list);
    audit->unreachable += mn_slot_is_live(index, slot) &&
                          (a->seen[slot / 32] >> slot % 32 & 1) == 0;
  }
  if (links > 0) {
    audit->links = mn_float_from_u64(links) / (float)index->state->linked;
    audit->link_bits = 8.0f * mn_float_from_u64(mn_graph_bytes(index)) /
                       mn_float_from_u64(links);
  }
}

/* --- Duplicates ----------------------------------------------------------- */

static uint32_t hash_code(const mn_index *index, uint32_t slot) {
  const size_t code = index->codec.code_bytes, rest = index->codec.rest_bytes;
  mn_xxh32 hash;
  mn_xxh32_begin(&hash);
  mn_xxh32_add(&hash, index->codes + slot * code, code);
  if (rest > 0)
    mn_xxh32_add(&hash, index->rests + slot * rest, rest);
  return mn_xxh32_end(&hash);
}

/* The first slot with the same code, which is the slot itself if there was none
 * before: a hash table with linear probing. */
static uint32_t first_equal(const mn_index *index, auditor *a, uint32_t slot) {
  const uint32_t buckets = buckets_of(index->state->count);
  uint32_t bucket =
      (uint32_t)((uint64_t)hash_code(index, slot) * buckets >> 32);
  for (; a->queue[bucket] != 0; bucket = bucket + 1 < buckets ? bucket + 1 : 0)
    if (mn_codes_equal(index, a->queue[bucket] - 1, slot))
      return a->queue[bucket] - 1;
  a->queue[bucket] = slot + 1;
  return slot;
}

static void look_at_codes(const mn_index *index, auditor *a, mn_audit *audit) {
  const uint32_t count = index->state->count;
  mn_zero(a->queue, buckets_of(count) * sizeof *a->queue);
  mn_zero(a->sizes, count * sizeof *a->sizes);
  for (uint32_t slot = 0; slot < count; slot++) {
    if (!mn_slot_is_live(index, slot))
      continue;
    const uint32_t first = first_equal(index, a, slot);
    const uint32_t size = ++a->sizes[first];
    audit->duplicates += first != slot;
    audit->groups += size == 2;
    if (size > 1 && size > audit->largest)
      audit->largest = size;
  }
}

/* --- Lists ---------------------------------------------------------------- */

/* Vectors of a list, no more than there are in a damaged one. */
static uint32_t list_size(const mn_index *index, uint32_t list) {
  const uint32_t all = mn_index_vectors(index);
  uint32_t size = 0, slot, to;
  if (index->is_packed) {
    mn_ivf_range(index, list, &slot, &to);
    return to - slot;
  }
  for (slot = mn_ivf_first(index, list); slot != MN_NO_SLOT && size < all;
       slot = mn_ivf_next(index, slot))
    size++;
  return size;
}

static void look_at_lists(const mn_index *index, mn_audit *audit) {
  audit->lists = index->options.nlist;
  for (uint32_t list = 0; list < audit->lists; list++) {
    const uint32_t size = list_size(index, list);
    audit->empty_lists += size == 0;
    if (size > audit->largest_list)
      audit->largest_list = size;
  }
}

/* --- All ------------------------------------------------------------------ */

static mn_status plan(const mn_index *index, const mn_sampling *sampling,
                      auditor *a) {
  if (index == NULL || sampling == NULL)
    return MN_ERROR_ARGUMENT;
  mn_zero(a, sizeof *a);
  a->has_trial = sampling->query != NULL;
  return a->has_trial ? mn_trial_plan(index, sampling, 0, &a->trial) : MN_OK;
}

mn_status mn_plan_audit(const mn_index *index, const mn_sampling *sampling,
                        size_t *scratch_bytes) {
  auditor a;
  mn_arena measuring = mn_arena_measuring();
  if (scratch_bytes == NULL)
    return MN_ERROR_ARGUMENT;
  const mn_status status = plan(index, sampling, &a);
  if (status != MN_OK)
    return status;
  if (!allocate(index, &a, &measuring))
    return MN_ERROR_TOO_LARGE;
  *scratch_bytes = measuring.used;
  return MN_OK;
}

static mn_status measure(auditor *a, mn_recall *recall) {
  uint32_t cut;
  const mn_status status = mn_trial_begin(&a->trial, 0);
  return status == MN_OK
             ? mn_trial_run(&a->trial, &a->trial.asked, 0, recall, &cut)
             : status;
}

mn_status mn_index_audit(const mn_index *index, const mn_sampling *sampling,
                         mn_audit *audit, mn_arena *scratch) {
  if (audit == NULL || scratch == NULL)
    return MN_ERROR_ARGUMENT;
  auditor a;
  mn_audit made;
  mn_zero(&made, sizeof made);
  mn_status status = plan(index, sampling, &a);
  if (status != MN_OK)
    return status;
  const size_t mark = mn_arena_mark(scratch);
  if (!allocate(index, &a, scratch))
    status = MN_ERROR_ARENA;
  if (status == MN_OK && a.has_trial)
    status = measure(&a, &made.recall);
  if (status == MN_OK) {
    const mn_state *state = index->state;
    made.vectors = mn_index_vectors(index);
    made.linked = state->linked - state->dead;
    made.pending = mn_index_pending(index);
    if (state->dead > 0)
      made.dead_share =
          (float)state->dead / (float)(state->count - state->free);
    look_at_codes(index, &a, &made);
    if (index->options.structure == MN_HNSW)
      look_at_graph(index, &a, &made);
    if (mn_is_ivf(&index->options))
      look_at_lists(index, &made);
    mn_move(audit, &made, sizeof made);
  }
  mn_arena_rewind(scratch, mark);
  return status;
}

#endif
