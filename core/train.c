/* SPDX-License-Identifier: Apache-2.0 */
/* Training: the transform first, then the encoding on what the transform makes
 * of the sample, then refine. Planning runs the same allocations without a
 * sample. */
#include "arena.h"
#include "block.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "options.h"
#include "structure/ivf.h"
#include "transform/transform.h"

#ifndef MN_NO_TRAIN

typedef struct trainer {
  mn_options options;
  mn_map map;
  mn_codec codec, fine;
  uint8_t *centroids;
} trainer;

static float *allocate_rows(uint32_t count, uint32_t dimensions,
                            mn_arena *scratch) {
  const uint64_t bytes = (uint64_t)count * dimensions * sizeof(float);
  return bytes > MN_BLOCK_BYTES_MAX ? NULL
                                    : mn_arena_allocate(scratch, (size_t)bytes);
}

static mn_status take_rows(const trainer *t, const mn_vectors *sample,
                           float *rows) {
  const size_t d = sample->dimensions;
  mn_status status = MN_OK;
  for (uint32_t i = 0; i < sample->count && status == MN_OK; i++)
    status =
        mn_vector_take(t->codec.kernels, t->codec.metric, sample->data + i * d,
                       sample->dimensions, rows + i * d);
  return status;
}

static mn_status map_rows(const trainer *t, const float *rows, uint32_t count,
                          float *mapped) {
  mn_status status = MN_OK;
  for (uint32_t i = 0; i < count && status == MN_OK; i++)
    status =
        mn_map_apply(&t->map, t->codec.metric, rows + (size_t)i * t->map.from,
                     mapped + (size_t)i * t->map.to);
  return status;
}

/* `sample` is NULL for a plan. */
static mn_status train_map(trainer *t, const mn_vectors *sample,
                           const float *rows, uint32_t count,
                           mn_arena *scratch) {
  if (t->map.ops == NULL || t->map.ops->train == NULL)
    return MN_OK;
  const size_t mark = mn_arena_mark(scratch);
  const mn_status status = t->map.ops->train(
      &t->map, &t->codec, sample == NULL ? NULL : rows, count, scratch);
  mn_arena_rewind(scratch, mark);
  return status;
}

static mn_status train_codec(mn_codec *codec, const mn_vectors *sample,
                             float *rows, uint32_t count, mn_arena *scratch) {
  if (codec->ops == NULL || codec->ops->train == NULL)
    return MN_OK;
  const size_t mark = mn_arena_mark(scratch);
  const mn_status status =
      codec->ops->train(codec, sample == NULL ? NULL : rows, count, scratch);
  mn_arena_rewind(scratch, mark);
  return status;
}

/* Its rows may be overwritten, with signs for signs: no encoding that is
 * trained minds. */
static mn_status train_lists(const trainer *t, const mn_vectors *sample,
                             float *rows, uint32_t count, mn_arena *scratch) {
  if (!mn_is_ivf(&t->options))
    return MN_OK;
  const size_t mark = mn_arena_mark(scratch);
  const mn_status status =
      mn_ivf_train(&t->options, t->codec.kernels, sample == NULL ? NULL : rows,
                   count, t->codec.dimensions, t->centroids, scratch);
  mn_arena_rewind(scratch, mark);
  return status;
}

static mn_status train(trainer *t, const mn_vectors *sample, uint32_t count,
                       mn_arena *scratch) {
  float *rows = allocate_rows(count, t->map.from, scratch);
  float *mapped = rows;
  if (t->map.ops != NULL)
    mapped = allocate_rows(count, t->map.to, scratch);
  if (rows == NULL || mapped == NULL)
    return MN_ERROR_ARENA;
  mn_status status = MN_OK;
  if (sample != NULL)
    status = take_rows(t, sample, rows);
  if (status == MN_OK)
    status = train_map(t, sample, rows, count, scratch);
  if (status == MN_OK && sample != NULL && t->map.ops != NULL)
    status = map_rows(t, rows, count, mapped);
  if (status == MN_OK)
    status = train_lists(t, sample, mapped, count, scratch);
  if (status == MN_OK)
    status = train_codec(&t->codec, sample, mapped, count, scratch);
  /* The encoding may have overwritten them. */
  if (status == MN_OK && sample != NULL && t->fine.ops != NULL)
    status = take_rows(t, sample, rows);
  if (status == MN_OK)
    status = train_codec(&t->fine, sample, rows, count, scratch);
  return status;
}

/* --- Needs ---------------------------------------------------------------- */

static uint32_t larger(uint32_t a, uint32_t b) {
  return a > b ? a : b;
}

static void needs(const trainer *t, uint32_t *least, uint32_t *enough) {
  const mn_codec_sizes codec = mn_codec_measure(&t->codec);
  const mn_codec_sizes fine = mn_codec_measure(&t->fine);
  uint32_t map_least = 0, map_enough = 0;
  if (t->map.ops != NULL && t->map.ops->sample != NULL)
    t->map.ops->sample(&t->map, &map_least, &map_enough);
  mn_ivf_sample(&t->options, least, enough);
  *least = larger(larger(*least, map_least), larger(codec.least, fine.least));
  *enough =
      larger(larger(*enough, map_enough), larger(codec.enough, fine.enough));
}

mn_status mn_plan_training(const mn_options *options, uint32_t count,
                           mn_training *training) {
  mn_options o;
  int is_auto;
  const mn_status status = mn_options_complete(options, 1, &o, &is_auto);
  if (status != MN_OK)
    return status;
  if (training == NULL || (o.structure == MN_IVF && options->nlist == 0))
    return MN_ERROR_ARGUMENT;
  trainer t;
  t.options = o;
  t.map = mn_map_of(&o);
  mn_codec_first(&o, &t.codec);
  mn_codec_fine(&o, &t.fine);
  uint32_t least, enough;
  needs(&t, &least, &enough);
  mn_arena measuring = mn_arena_measuring();
  if (least > 0 && train(&t, NULL, count, &measuring) != MN_OK)
    return MN_ERROR_TOO_LARGE;
  training->least = least;
  training->enough = enough;
  training->scratch_bytes = measuring.peak;
  return MN_OK;
}

#endif

/* --- Train ---------------------------------------------------------------- */

static mn_section_entry *model_entry(const mn_index *index) {
  return mn_header_find(mn_index_header(index), MN_SECTION('M', 'O', 'D', 'L'));
}

static mn_status check(const mn_index *index, const void *source) {
  if (index == NULL || source == NULL)
    return MN_ERROR_ARGUMENT;
  if (!index->writable)
    return MN_ERROR_READ_ONLY;
  return index->state->trained ? MN_ERROR_TRAINED : MN_OK;
}

/* Ends training: what was learnt holds, or is forgotten. */
static mn_status finish(mn_index *index, mn_status status) {
  if (status != MN_OK) {
    const mn_section_entry *entry = model_entry(index);
    mn_zero(index->block + entry->offset, (size_t)entry->bytes);
    return status;
  }
  mn_index_unseal(index);
  index->state->trained = 1;
  return MN_OK;
}

#ifndef MN_NO_TRAIN
static void train_index(const mn_index *index, trainer *t) {
  t->options = index->options;
  t->centroids = index->centroids;
  t->map = mn_map_of_index(index);
  mn_move(&t->codec, &index->codec, sizeof t->codec);
  mn_move(&t->fine, &index->fine, sizeof t->fine);
}

mn_status mn_index_train(mn_index *index, const mn_vectors *sample,
                         mn_arena *scratch) {
  if (index == NULL || sample == NULL || scratch == NULL ||
      (sample->data == NULL && sample->count > 0))
    return MN_ERROR_ARGUMENT;
  if (index->writable && sample->dimensions != index->options.dimensions)
    return MN_ERROR_DIMENSIONS;
  const mn_status status = check(index, sample);
  if (status != MN_OK)
    return status;
  trainer t;
  train_index(index, &t);
  uint32_t least, enough;
  needs(&t, &least, &enough);
  if (sample->count < least)
    return MN_ERROR_SAMPLE;
  const size_t mark = mn_arena_mark(scratch);
  const mn_status found = train(&t, sample, sample->count, scratch);
  mn_arena_rewind(scratch, mark);
  return finish(index, found);
}

#endif

int mn_model_is_sound(const mn_index *index) {
  const mn_map map = mn_map_of_index(index);
  const mn_codec_ops *codec = index->codec.ops, *fine = index->fine.ops;
  return (map.ops == NULL || map.ops->model_is_sound == NULL ||
          map.ops->model_is_sound(&map)) &&
         (codec->model_is_sound == NULL ||
          codec->model_is_sound(&index->codec)) &&
         (fine == NULL || fine->model_is_sound == NULL ||
          fine->model_is_sound(&index->fine)) &&
         (!mn_is_ivf(&index->options) ||
          mn_ivf_model_is_sound(&index->options, index->codec.kernels,
                                index->codec.dimensions, index->centroids));
}

mn_status mn_index_set_model(mn_index *index, const void *model, size_t bytes) {
  const mn_status status = check(index, model);
  if (status != MN_OK)
    return status;
  const mn_section_entry *entry = model_entry(index);
  if (bytes != entry->bytes)
    return MN_ERROR_ARGUMENT;
  mn_move(index->block + entry->offset, model, bytes);
  return finish(index, mn_model_is_sound(index) ? MN_OK : MN_ERROR_NOT_FINITE);
}
