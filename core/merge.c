/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging: the vectors of one index go into another. What could be refused is
 * found before anything changes: keys and room when the merge is planned, and,
 * where vectors must be encoded again, by encoding each of them twice, first
 * into scratch.
 */
#include "arena.h"
#include "block.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "key_map.h"
#include "slots.h"
#include "structure/graph.h"
#include "structure/ivf.h"
#include "structure/structure.h"
#include "transform/transform.h"

#ifndef MN_ONLY_SEARCH

/* --- Codes ---------------------------------------------------------------- */

/* Whether two codecs make the same codes, and read them alike. */
static int makes_same(const mn_codec *a, const mn_codec *b) {
  const uint64_t bytes = mn_codec_measure(a).model_bytes;
  if (a->ops != b->ops || a->encoding != b->encoding ||
      a->dimensions != b->dimensions || a->metric != b->metric ||
      a->pq_m != b->pq_m || a->pq_bits != b->pq_bits ||
      a->pq_nrq != b->pq_nrq || a->pq_correction != b->pq_correction)
    return 0;
  /* Only bits turn vectors by the seed. */
  if (mn_codec_planes(a->encoding) > 0 && a->seed != b->seed)
    return 0;
  return a->ops == NULL || mn_equal(a->model, b->model, (size_t)bytes);
}

static int maps_same(const mn_index *a, const mn_index *b) {
  const mn_map of_a = mn_map_of_index(a), of_b = mn_map_of_index(b);
  if (of_a.ops != of_b.ops)
    return 0;
  if (of_a.ops == NULL)
    return 1;
  const uint64_t bytes = of_a.ops->model_bytes == NULL
                             ? 0
                             : of_a.ops->model_bytes(of_a.from, of_a.to);
  return of_a.to == of_b.to &&
         (a->options.transform != MN_HADAMARD || of_a.seed == of_b.seed) &&
         mn_equal(of_a.model, of_b.model, (size_t)bytes);
}

/* Whether codes can be taken as they are. */
static int copies(const mn_index *into, const mn_index *from) {
  return maps_same(into, from) && makes_same(&into->codec, &from->codec) &&
         (into->fine.ops == NULL || makes_same(&into->fine, &from->fine));
}

/* --- Plan ----------------------------------------------------------------- */

/* Scratch of encoding vectors again, or of finding their lists; none where
 * codes are copied, and there are no lists. */
typedef struct merger {
  int is_copy;
  mn_vector_room decoded; /* of `from` */
  mn_vector_room encoded; /* of `into` */
  float *vector;
  mn_code_places places; /* of a vector that is only checked */
} merger;

static int allocate(const mn_index *into, const mn_index *from, merger *w,
                    mn_arena *scratch) {
  w->is_copy = copies(into, from);
  if (w->is_copy && !mn_is_ivf(&into->options))
    return 1;
  w->vector =
      mn_arena_allocate(scratch, sizeof(float) * into->options.dimensions);
  return w->vector != NULL &&
         mn_vector_room_allocate(&from->options, &w->decoded, scratch) &&
         mn_vector_room_allocate(&into->options, &w->encoded, scratch) &&
         mn_code_places_allocate(&into->options, &w->places, scratch);
}

static int is_vector(const mn_index *index, uint32_t slot) {
  return !mn_index_has_holes(index) || mn_slot_is_live(index, slot);
}

/* Whether deleting a vector leaves its slot for others at once. */
static int leaves_slot(const mn_index *index, uint32_t slot) {
  return index->options.structure != MN_HNSW ||
         mn_list_waits(mn_graph_list(index, slot));
}

/* Counts what goes in, and the slots that it takes. CORRUPT where a key of
 * `from` does not lead to its vector. */
static mn_status count(const mn_index *into, const mn_index *from,
                       mn_merging *m, uint32_t *slots) {
  *slots = 0;
  for (uint32_t slot = 0; slot < from->state->count; slot++) {
    if (!is_vector(from, slot))
      continue;
    const uint64_t key = from->keys[slot];
    if (mn_key_map_find(from, key) != slot)
      return MN_ERROR_CORRUPT;
    const uint32_t other = mn_key_map_find(into, key);
    if (other == MN_NO_SLOT) {
      m->added++;
      ++*slots;
      continue;
    }
    if (m->conflicts++ == 0)
      m->first_conflict = key;
    if (m->policy == MN_MERGE_TAKE)
      *slots += !leaves_slot(into, other);
  }
  m->replaced = m->policy == MN_MERGE_TAKE ? m->conflicts : 0;
  return MN_OK;
}

/* What both must satisfy, whatever is in them. */
static mn_status check(const mn_index *into, const mn_index *from) {
  if (into == NULL || from == NULL || into->block == from->block ||
      into->options.metric != from->options.metric)
    return MN_ERROR_ARGUMENT;
  if (into->options.dimensions != from->options.dimensions)
    return MN_ERROR_DIMENSIONS;
  if (!mn_index_is_live(into))
    return MN_ERROR_READ_ONLY;
  return into->state->trained ? MN_OK : MN_ERROR_UNTRAINED;
}

static int measure_links(const mn_index *index, mn_arena *scratch) {
  mn_linker linker;
  return index->options.structure != MN_HNSW ||
         mn_linker_allocate(&index->options, index->capacity, index->keys,
                            &linker, scratch);
}

static uint32_t left_of(const mn_merging *m, const mn_index *from) {
  const uint32_t all = from->state->count;
  return (m->recoded > 0 ? all - m->checked : 0) + (all - m->merged);
}

mn_status mn_plan_merge(const mn_index *into, const mn_index *from,
                        mn_merge_policy policy, mn_merging *merging) {
  mn_status status = check(into, from);
  if (status == MN_OK && (merging == NULL || (uint32_t)policy > MN_MERGE_TAKE))
    status = MN_ERROR_ARGUMENT;
  if (status != MN_OK)
    return status;
  mn_merging m;
  merger w;
  uint32_t slots;
  mn_arena step = mn_arena_measuring(), link = mn_arena_measuring();
  mn_zero(&m, sizeof m);
  m.policy = policy;
  status = count(into, from, &m, &slots);
  if (status != MN_OK)
    return status;
  if (!allocate(into, from, &w, &step) || !measure_links(into, &link))
    return MN_ERROR_TOO_LARGE;
  const mn_state *state = into->state;
  const uint64_t room = (uint64_t)state->count - state->free + slots;
  m.recoded = w.is_copy ? 0 : m.added + m.replaced;
  m.capacity = room < state->count ? state->count
               : room < UINT32_MAX ? (uint32_t)room
                                   : UINT32_MAX;
  m.left = left_of(&m, from);
  m.step_scratch_bytes = step.used;
  m.scratch_bytes = step.used > link.used ? step.used : link.used;
  mn_move(merging, &m, sizeof m);
  return MN_OK;
}

/* --- One vector ----------------------------------------------------------- */

/* What was lost of a vector of `from`, on average, in the units of the state:
 * of a single one it is not known any more, and of what a refine encoding lost
 * nothing is, which is little. */
static uint32_t mean_error(const mn_index *from, int is_copy) {
  if (!is_copy && from->fine.ops != NULL)
    return 0;
  const float mean = mn_float_from_u64(from->state->error) /
                     mn_float_from_u64(from->state->added);
  return mean < 0x1p31f ? (uint32_t)mean : UINT32_C(1) << 31;
}

/* The clipped ones of `from` are counted evenly: so many up to its nth. */
static uint64_t clipped_up_to(const mn_index *from, uint32_t nth) {
  const float share = mn_float_from_u64(from->state->clipped) /
                      mn_float_from_u64(from->state->added);
  return (uint64_t)(uint32_t)((float)nth * (share < 1.0f ? share : 1.0f) +
                              0.5f);
}

static mn_status encode(const mn_index *into, const mn_index *from,
                        uint32_t slot, const merger *w,
                        const mn_code_places *places, uint32_t *clipped,
                        uint32_t *error) {
  mn_vector_stored(from, slot, &w->decoded, w->vector);
  return mn_vector_encode(into, w->vector, &w->encoded, places, clipped, error);
}

/* The list of a vector of which there is only the code. */
static uint32_t list_of(const mn_index *into, const mn_code_places *at,
                        const mn_vector_room *room) {
  into->codec.ops->decode(&into->codec, at->code, at->rest, room->mapped,
                          room->scratch);
  return mn_ivf_list_of(into, room->mapped, room->work);
}

/* The codes of a vector that are in scratch go to its slot. */
static void put_codes(mn_index *into, uint32_t to, const mn_code_places *at) {
  const mn_code_places places = mn_places_of(into, to);
  mn_move(places.code, at->code, into->codec.code_bytes);
  if (places.rest != NULL)
    mn_move(places.rest, at->rest, into->codec.rest_bytes);
  if (places.fine_code != NULL)
    mn_move(places.fine_code, at->fine_code, into->fine.code_bytes);
  if (places.fine_rest != NULL)
    mn_move(places.fine_rest, at->fine_rest, into->fine.rest_bytes);
}

/* The `nth` vector that goes in is in: what it counts for. */
static void count_in(mn_index *into, const mn_index *from, uint32_t nth,
                     uint32_t mean, uint32_t clipped, uint32_t error) {
  mn_state *state = into->state;
  const uint32_t whole = UINT32_C(1) << 31;
  state->error += error < whole - mean ? error + mean : whole;
  state->clipped +=
      clipped + clipped_up_to(from, nth + 1) - clipped_up_to(from, nth);
  state->added++;
}

/* Room and keys were checked: what fails now is damage, or an index that was
 * changed meanwhile. But for damage, nothing has changed then. */
static mn_status merge_one(mn_index *into, const mn_index *from, uint32_t slot,
                           const mn_merging *m, const merger *w) {
  const uint64_t key = from->keys[slot];
  const uint32_t other = mn_key_map_find(into, key);
  const int is_there = other != MN_NO_SLOT, is_ivf = mn_is_ivf(&into->options);
  uint32_t to, clipped = 0, error = 0, list = 0;
  if (is_there && m->policy == MN_MERGE_KEEP)
    return MN_OK;
  if (is_there && (m->policy == MN_MERGE_REFUSE || mn_index_vectors(into) == 0))
    return MN_ERROR_DUPLICATE_KEY;
  if (mn_slots_left(into) == 0 && !(is_there && leaves_slot(into, other)))
    return MN_ERROR_CAPACITY;
  if (!w->is_copy) {
    mn_code_places places = w->places;
    places.list = is_ivf ? &list : NULL;
    const mn_status status =
        encode(into, from, slot, w, &places, &clipped, &error);
    if (status != MN_OK)
      return status;
  }
  mn_index_unseal(into);
  if (is_there)
    mn_slot_delete(into, other);
  if (!mn_slot_take(into, &to))
    return MN_ERROR_CORRUPT;
  if (w->is_copy) {
    const mn_code_places places = mn_places_of(into, to);
    mn_vector_copy(from, slot, into, to);
    list = is_ivf ? list_of(into, &places, &w->encoded) : 0;
  } else
    put_codes(into, to, &w->places);
  count_in(into, from, m->merged, mean_error(from, w->is_copy), clipped, error);
  return mn_slot_settle(into, key, to, list) ? MN_OK : MN_ERROR_CORRUPT;
}

/* Whether it can be encoded, if it is going to be. */
static mn_status check_one(const mn_index *into, const mn_index *from,
                           uint32_t slot, const mn_merging *m,
                           const merger *w) {
  uint32_t clipped;
  if (m->policy == MN_MERGE_KEEP &&
      mn_key_map_find(into, from->keys[slot]) != MN_NO_SLOT)
    return MN_OK;
  return encode(into, from, slot, w, &w->places, &clipped, NULL);
}

/* --- All ------------------------------------------------------------------ */

static mn_status step(mn_index *into, const mn_index *from, mn_merging *m,
                      uint32_t limit, const merger *w) {
  const uint32_t all = from->state->count;
  mn_status status = MN_OK;
  for (; limit > 0 && !w->is_copy && m->checked < all; limit--, m->checked++)
    if (is_vector(from, m->checked)) {
      status = check_one(into, from, m->checked, m, w);
      if (status != MN_OK)
        return status;
    }
  for (; limit > 0 && m->merged < all; limit--, m->merged++)
    if (is_vector(from, m->merged)) {
      status = merge_one(into, from, m->merged, m, w);
      if (status != MN_OK)
        return status;
    }
  return MN_OK;
}

mn_status mn_index_merge_step(mn_index *into, const mn_index *from,
                              mn_merging *m, uint32_t limit,
                              mn_arena *scratch) {
  mn_status status = check(into, from);
  if (status != MN_OK)
    return status;
  if (m == NULL || scratch == NULL || (uint32_t)m->policy > MN_MERGE_TAKE ||
      m->checked > from->state->count || m->merged > from->state->count)
    return MN_ERROR_ARGUMENT;
  if (m->policy == MN_MERGE_REFUSE && m->conflicts > 0)
    return MN_ERROR_DUPLICATE_KEY;
  if (m->capacity > into->capacity)
    return MN_ERROR_CAPACITY;
  const size_t mark = mn_arena_mark(scratch);
  merger w;
  status = allocate(into, from, &w, scratch) ? step(into, from, m, limit, &w)
                                             : MN_ERROR_ARENA;
  mn_arena_rewind(scratch, mark);
  m->left = left_of(m, from);
  return status;
}

mn_status mn_index_merge(mn_index *into, const mn_index *from,
                         mn_merge_policy policy, mn_merging *merging,
                         mn_arena *scratch) {
  if (scratch == NULL)
    return MN_ERROR_ARGUMENT;
  mn_merging m;
  mn_status status = mn_plan_merge(into, from, policy, &m);
  if (status != MN_OK)
    return status;
  /* Merging must not succeed where linking will not. */
  const size_t mark = mn_arena_mark(scratch);
  status = measure_links(into, scratch) ? MN_OK : MN_ERROR_ARENA;
  mn_arena_rewind(scratch, mark);
  if (status == MN_OK)
    status = mn_index_merge_step(into, from, &m, UINT32_MAX, scratch);
  uint32_t left = 0;
  while (status == MN_OK && m.left > 0) /* twice 2^31 slots and more */
    status = mn_index_merge_step(into, from, &m, UINT32_MAX, scratch);
  if (status == MN_OK)
    status = mn_index_link(into, UINT32_MAX, &left, scratch);
  if (merging != NULL)
    mn_move(merging, &m, sizeof m);
  return status;
}

#endif
