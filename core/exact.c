/* SPDX-License-Identifier: Apache-2.0 */
/* The queries by which recall is measured, and the right answers to them. */
#include "block.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "recall.h"
#include "search/rank.h"
#include "structure/structure.h"

#ifndef MN_ONLY_SEARCH

/* --- Queries -------------------------------------------------------------- */

/* Those with the lowest hashes of their keys, so that it depends on nothing
 * else, least of all on slots. */
static void draw_sample(mn_trial *t) {
  const mn_index *index = t->index;
  t->sample.capacity = t->count;
  t->sample.size = 0;
  for (uint32_t slot = 0; slot < index->state->count; slot++) {
    if (!mn_slot_is_live(index, slot))
      continue;
    const uint64_t place = index->keys[slot] + 1;
    const uint64_t hash = mn_mix64(place * UINT64_C(0x9E3779B97F4A7C15));
    const float draw = (float)(uint32_t)(hash >> 40);
    if (draw <= mn_pool_bound(&t->sample))
      mn_pool_add(&t->sample, (mn_candidate){draw, slot});
  }
}

/* The vectors of the sample as queries; one that cannot be asked for, because
 * too little of it is left in its code, is dropped. */
static mn_status take_sample(mn_trial *t) {
  const size_t d = t->index->options.dimensions;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < t->sample.size; i++) {
    const uint32_t slot = t->sample.items[i].slot;
    float *row = t->own_rows + kept * d;
    if (t->fetch != NULL) {
      const mn_status status =
          t->fetch(t->fetch_context, t->index->keys[slot], slot, row);
      if (status != MN_OK)
        return status;
    } else
      mn_vector_stored(t->index, slot, &t->room, row);
    if (mn_vector_map(t->index, row, &t->room) == MN_OK)
      t->sample.items[kept++] = t->sample.items[i];
  }
  t->rows = t->own_rows;
  t->count = kept;
  return kept > 0 ? MN_OK : MN_ERROR_SAMPLE;
}

/* --- What is right -------------------------------------------------------- */

mn_status mn_trial_prepare(mn_trial *t, uint32_t query, mn_target *target) {
  const mn_index *index = t->index;
  const int is_fine = index->fine.ops != NULL;
  const mn_codec *codec = is_fine ? &index->fine : &index->codec;
  const mn_status status =
      mn_vector_map(index, mn_trial_row(t, query), &t->room);
  if (status == MN_OK)
    codec->ops->prepare(codec, is_fine ? t->room.vector : t->room.mapped,
                        t->prepared);
  *target = (mn_target){.codec = codec,
                        .codes = is_fine ? index->fine_codes : index->codes,
                        .rests = is_fine ? index->fine_rests : index->rests,
                        .planes = mn_codec_planes(codec->encoding),
                        .query = t->prepared};
  return status;
}

static float last_of(const mn_pool *pool) {
  return pool->size > 0 ? pool->items[pool->size - 1].distance
                        : -__builtin_inff();
}

static mn_status answer_by_codes(mn_trial *t, uint32_t query) {
  uint32_t slots[MN_SCAN_BATCH];
  float distances[MN_SCAN_BATCH];
  mn_target target;
  mn_pool *right = &t->right;
  const mn_status status = mn_trial_prepare(t, query, &target);
  if (status != MN_OK)
    return status;
  right->size = 0;
  right->capacity = t->wanted;
  const uint32_t end = t->index->state->count;
  for (uint32_t slot = 0; slot < end;) {
    uint32_t batch = 0;
    for (; slot < end && batch < MN_SCAN_BATCH; slot++)
      if (mn_trial_can_answer(t, query, slot))
        slots[batch++] = slot;
    mn_distances(&target, slots, batch, distances);
    t->spent += batch;
    for (uint32_t i = 0; i < batch; i++)
      if (distances[i] <= mn_pool_bound(right))
        mn_pool_add(right, (mn_candidate){distances[i], slots[i]});
  }
  t->bounds[query] = last_of(right);
  return MN_OK;
}

mn_status mn_trial_take(mn_trial *t, uint32_t query, float *taken) {
  return mn_vector_take(t->index->codec.kernels, t->index->options.metric,
                        mn_trial_row(t, query), t->index->options.dimensions,
                        taken);
}

mn_status mn_trial_distance(mn_trial *t, const float *taken, float *distance) {
  return mn_rank_one(t->index, taken, t->room.vector, t->room.work, distance);
}

/* Some queries at a time, so that each vector is fetched for all of them. */
static mn_status answer_by_fetch(mn_trial *t, uint32_t from, uint32_t group) {
  const mn_index *index = t->index;
  const size_t d = index->options.dimensions;
  mn_pool right[MN_FETCH_GROUP];
  mn_status status = MN_OK;
  for (uint32_t i = 0; i < group && status == MN_OK; i++) {
    right[i] = (mn_pool){.keys = index->keys,
                         .items = t->right.items + (size_t)i * t->wanted,
                         .capacity = t->wanted};
    status = mn_trial_take(t, from + i, t->taken + i * d);
  }
  const uint32_t end = index->state->count;
  for (uint32_t slot = 0; slot < end && status == MN_OK; slot++) {
    if (!mn_slot_is_live(index, slot))
      continue;
    status =
        t->fetch(t->fetch_context, index->keys[slot], slot, t->room.vector);
    for (uint32_t i = 0; i < group && status == MN_OK; i++) {
      float distance = 0.0f;
      if (!mn_trial_can_answer(t, from + i, slot))
        continue;
      status = mn_trial_distance(t, t->taken + i * d, &distance);
      t->spent++;
      if (status == MN_OK && distance <= mn_pool_bound(&right[i]))
        mn_pool_add(&right[i], (mn_candidate){distance, slot});
    }
  }
  for (uint32_t i = 0; i < group && status == MN_OK; i++)
    t->bounds[from + i] = last_of(&right[i]);
  return status;
}

mn_status mn_trial_begin(mn_trial *t, uint64_t budget) {
  const uint32_t vectors = mn_index_vectors(t->index);
  mn_status status = MN_OK;
  if (budget > 0) {
    const float affordable = mn_float_from_u64(budget / 2) / (float)vectors;
    if (affordable < (float)t->count)
      t->count = (uint32_t)affordable;
    if (t->count == 0)
      return MN_OK;
  }
  if (t->own) {
    draw_sample(t);
    status = take_sample(t);
  }
  for (uint32_t i = 0; i < t->count && status == MN_OK;) {
    const uint32_t group =
        t->count - i < MN_FETCH_GROUP ? t->count - i : MN_FETCH_GROUP;
    if (t->fetch != NULL) {
      status = answer_by_fetch(t, i, group);
      i += group;
    } else
      status = answer_by_codes(t, i++);
  }
  return status;
}

#endif
