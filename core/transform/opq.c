/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opq: a rotation under which product quantization loses less (Ge, He, Ke and
 * Sun, "Optimized Product Quantization", TPAMI 2014, section 3.1,
 * non-parametric). Two steps take turns: with the rotation R fixed, codebooks
 * are trained on the rows R x; with the codes fixed, y standing for R x, the R
 * that minimises the sum of |R x - y|^2 is the orthogonal polar factor of the
 * sum of y x'.
 */
#include "../bytes.h"
#include "../encoding/pq.h"
#include "../kernels/kernels.h"
#include "axes.h"
#include "polar.h"

/* Turns of both steps, and iterations of k-means in the first turn and in each
 * other. */
#define TURNS            12u
#define ITERATIONS_FIRST 10u
#define ITERATIONS_NEXT  3u
/* Of the last rotation in the matrix that gives the next, relative to its
 * largest possible: the sample says little about directions in which it hardly
 * extends, and nothing about those in which it does not. There the rotation
 * stays, and the polar iteration ends soon. */
#define KEPT 1e-3f

typedef struct opq_work {
  mn_codec codec; /* with a model in scratch */
  float *rotated; /* the rows */
  float *matrix;  /* the sum of y x' */
  float *turned;  /* and two more of its size */
  float *products;
  float *x_columns; /* of a block of rows, and of what codes make of them */
  float *y_columns;
  uint8_t *code;
  void *scratch; /* of the codec */
} opq_work;

static int allocate(const mn_map *map, const mn_codec *codec, uint32_t count,
                    opq_work *w, mn_arena *scratch) {
  const uint64_t d = map->from;
  const mn_codec_sizes sizes = mn_codec_measure(codec);
  mn_move(&w->codec, codec, sizeof w->codec);
  w->codec.model = (void *)mn_floats(scratch, sizes.model_bytes / 4);
  w->rotated = mn_floats(scratch, count * d);
  w->matrix = mn_floats(scratch, d * d);
  w->turned = mn_floats(scratch, d * d);
  w->products = mn_floats(scratch, d * d);
  w->x_columns = mn_floats(scratch, d * MN_ROWS_BLOCK);
  w->y_columns = mn_floats(scratch, d * MN_ROWS_BLOCK);
  w->code = mn_arena_allocate(scratch, sizes.code_bytes);
  w->scratch = mn_arena_allocate(scratch, (size_t)sizes.scratch_bytes);
  return w->codec.model != NULL && w->rotated != NULL && w->matrix != NULL &&
         w->turned != NULL && w->products != NULL && w->x_columns != NULL &&
         w->y_columns != NULL && w->code != NULL && w->scratch != NULL;
}

static void rotate(const mn_map *map, const float *rows, uint32_t count,
                   float *rotated) {
  const size_t d = map->from;
  for (uint32_t i = 0; i < count; i++)
    mn_axes_apply(map, rows + i * d, rotated + i * d);
}

/* Each rotated row becomes what its code stands for. */
static mn_status quantize(opq_work *w, uint32_t count) {
  const mn_codec *codec = &w->codec;
  mn_status status = MN_OK;
  for (uint32_t i = 0; i < count && status == MN_OK; i++) {
    float *row = w->rotated + (size_t)i * codec->dimensions;
    uint32_t clipped = 0;
    status =
        codec->ops->encode(codec, row, w->code, NULL, &clipped, w->scratch);
    codec->ops->decode(codec, w->code, NULL, row, w->scratch);
  }
  return status;
}

/* The sum of y x' over the rows, divided so that it neither overflows nor
 * vanishes, and a little of the rotation that there is. */
static void correlate(const mn_map *map, const float *rows, uint32_t count,
                      float divisor, opq_work *w) {
  const mn_kernels *kernels = map->kernels;
  const uint32_t d = map->from;
  mn_zero(w->matrix, sizeof(float) * d * d);
  for (uint32_t begin = 0; begin < count; begin += MN_ROWS_BLOCK) {
    const uint32_t n =
        mn_turn_rows(rows, begin, count, d, divisor, w->x_columns);
    (void)mn_turn_rows(w->rotated, begin, count, d, divisor, w->y_columns);
    for (uint32_t i = 0; i < d; i++)
      for (uint32_t j = 0; j < d; j++)
        w->matrix[(size_t)i * d + j] +=
            kernels->dot_f32(w->y_columns + (size_t)i * MN_ROWS_BLOCK,
                             w->x_columns + (size_t)j * MN_ROWS_BLOCK, n);
  }
  /* The trace of the rows' moments is what the matrix would have along the
   * rotation if codes lost nothing. */
  float trace = 0.0f;
  for (uint32_t i = 0; i < count; i++) {
    const float *row = rows + (size_t)i * d;
    trace += kernels->dot_f32(row, row, d) / divisor / divisor;
  }
  trace = trace > 0.0f ? trace : 1.0f; /* no data: the rotation stays */
  const float *axes = mn_axis(map, 0);
  for (size_t i = 0; i < (size_t)d * d; i++)
    w->matrix[i] = (w->matrix[i] + KEPT * trace * axes[i]) / (float)count;
}

static mn_status train(mn_map *map, const mn_codec *codec, const float *rows,
                       uint32_t count, mn_arena *scratch) {
  opq_work w;
  if (!allocate(map, codec, count, &w, scratch))
    return MN_ERROR_ARENA;
  if (rows == NULL)
    return mn_pq_train(&w.codec, NULL, count, 1, 0, scratch);
  const uint32_t d = map->from;
  mn_zero(mn_axis(map, 0), sizeof(float) * d * d);
  for (uint32_t i = 0; i < d; i++)
    mn_axis(map, i)[i] = 1.0f;
  const float divisor = mn_rows_divisor(rows, count, d);
  mn_status status = MN_OK;
  for (uint32_t t = 0; t < TURNS && status == MN_OK; t++) {
    const size_t mark = mn_arena_mark(scratch);
    rotate(map, rows, count, w.rotated);
    status = mn_pq_train(&w.codec, w.rotated, count,
                         t == 0 ? ITERATIONS_FIRST : ITERATIONS_NEXT, t > 0,
                         scratch);
    mn_arena_rewind(scratch, mark);
    if (status == MN_OK) {
      rotate(map, rows, count, w.rotated); /* training may overwrite rows */
      status = quantize(&w, count);
    }
    if (status != MN_OK)
      break;
    correlate(map, rows, count, divisor, &w);
    mn_polar(map->kernels, w.matrix, d, w.turned, w.products);
    mn_move(mn_axis(map, 0), w.matrix, sizeof(float) * d * d);
  }
  return status;
}

static void sample(const mn_map *map, uint32_t *least, uint32_t *enough) {
  (void)map; /* the codebooks want more */
  *least = *enough = 1;
}

const mn_transform_ops mn_transform_opq = {
    .name = "opq",
    .model_bytes = mn_axes_bytes,
    .sample = sample,
    .train = train,
    .apply = mn_axes_apply,
    .invert = mn_axes_invert,
    .model_is_sound = mn_axes_are_sound,
};
