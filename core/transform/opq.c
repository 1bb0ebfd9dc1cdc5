/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opq: a rotation under which product quantization loses less (Ge, He, Ke and
 * Sun, "Optimized Product Quantization", TPAMI 2014). Two steps take turns
 * (section 3.1, non-parametric): with the rotation R fixed, codebooks improve
 * on the rows R x; with the codes fixed, y standing for R x, the R that
 * minimises the sum of |R x - y|^2 is the orthogonal polar factor of the sum of
 * y x'.
 *
 * Where that ends depends on where it begins. No rotation is one place to begin
 * at, the other the rotation that would be best if the data were normally
 * distributed (section 3.2): principal axes, shared out among the subspaces so
 * that each has about the same product of variances. Whichever loses less goes
 * on. Embeddings prefer the second by far, pixels the first: sentences with
 * pq64x8 lose .0830 unrotated, .0666 after 12 turns from there, .0463 from
 * principal axes without any turn; MNIST with pq49x8 .0336, .0309 and .0384.
 *
 * Codebooks do not mind where the mean is, so rows are centred, and the
 * rotation need not keep it in its place.
 */
#include <float.h>

#include "../bytes.h"
#include "../encoding/pq.h"
#include "../kernels/kernels.h"
#include "axes.h"
#include "eigen.h"
#include "polar.h"

/* Turns at most, until one gains less than a share of GAIN_LEAST; and
 * iterations of k-means at the start and in each turn. */
#define TURNS            20u
#define GAIN_LEAST       0.01f
#define ITERATIONS_FIRST 5u
#define ITERATIONS_NEXT  2u
/* Of the last rotation in the matrix that gives the next, relative to its
 * largest possible: the sample says little about directions in which it hardly
 * extends, and nothing about those in which it does not. There the rotation
 * stays, and the polar iteration ends soon. */
#define KEPT 1e-4f

typedef struct opq {
  mn_map *map;
  const float *rows;
  uint32_t count;
  float divisor;
  mn_codec codec;   /* without a correction, with a model in scratch */
  float *mean;      /* of the rows */
  float *vector;    /* the mean, rotated; or one row */
  float *rotated;   /* the rows, centred; then what their codes stand for */
  float *matrix;    /* the sum of y x', or of x x' */
  float *turned;    /* and two more of its size */
  float *products;  /* (of principal axes: variances, then work) */
  float *x_columns; /* of a block of rows, and of what codes make of them */
  float *y_columns;
  float *shares;    /* by subspace: the logarithm of its product of variances */
  uint32_t *filled; /* and its axes so far */
  uint8_t *code;
  void *scratch; /* of the codec */
} opq;

static int allocate(opq *o, mn_arena *scratch) {
  const uint64_t d = o->map->from, m = o->codec.pq_m;
  const mn_codec_sizes sizes = mn_codec_measure(&o->codec);
  o->codec.model = (void *)mn_floats(scratch, sizes.model_bytes / 4);
  o->mean = mn_floats(scratch, d);
  o->vector = mn_floats(scratch, d);
  o->rotated = mn_floats(scratch, o->count * d);
  o->matrix = mn_floats(scratch, d * d);
  o->turned = mn_floats(scratch, d * d);
  o->products = mn_floats(scratch, d * d);
  o->x_columns = mn_floats(scratch, d * MN_ROWS_BLOCK);
  o->y_columns = mn_floats(scratch, d * MN_ROWS_BLOCK);
  o->shares = mn_floats(scratch, m);
  o->filled = (void *)mn_floats(scratch, m);
  o->code = mn_arena_allocate(scratch, sizes.code_bytes);
  o->scratch = mn_arena_allocate(scratch, (size_t)sizes.scratch_bytes);
  return o->codec.model != NULL && o->mean != NULL && o->vector != NULL &&
         o->rotated != NULL && o->matrix != NULL && o->turned != NULL &&
         o->products != NULL && o->x_columns != NULL && o->y_columns != NULL &&
         o->shares != NULL && o->filled != NULL && o->code != NULL &&
         o->scratch != NULL;
}

/* --- The two steps -------------------------------------------------------- */

static void rotate(opq *o) {
  const size_t d = o->map->from;
  mn_axes_apply(o->map, o->mean, o->vector);
  for (uint32_t i = 0; i < o->count; i++) {
    float *row = o->rotated + i * d;
    mn_axes_apply(o->map, o->rows + i * d, row);
    for (uint32_t j = 0; j < d; j++)
      row[j] -= o->vector[j];
  }
}

/* Codebooks for the rows as the map now turns them. Each rotated row becomes
 * what its code stands for, and `*error` what that loses of all of them. */
static mn_status fit(opq *o, int again, float *error, mn_arena *scratch) {
  const mn_codec *codec = &o->codec;
  const uint32_t d = codec->dimensions;
  const size_t mark = mn_arena_mark(scratch);
  rotate(o);
  mn_status status =
      mn_pq_train(&o->codec, o->rotated, o->count,
                  again ? ITERATIONS_NEXT : ITERATIONS_FIRST, again, scratch);
  mn_arena_rewind(scratch, mark);
  *error = 0.0f;
  for (uint32_t i = 0; i < o->count && status == MN_OK; i++) {
    float *row = o->rotated + (size_t)i * d;
    uint32_t clipped = 0;
    mn_move(o->vector, row, d * sizeof *row);
    status = codec->ops->encode(codec, o->vector, o->code, NULL, &clipped,
                                o->scratch);
    codec->ops->decode(codec, o->code, NULL, o->vector, o->scratch);
    *error +=
        o->map->kernels->l2_f32(row, o->vector, d) / o->divisor / o->divisor;
    mn_move(row, o->vector, d * sizeof *row);
  }
  return status;
}

/* The sum of y x' over the rows, and a little of the rotation that there is. As
 * those of y are centred, it does not matter that those of x are not. */
static void correlate(opq *o) {
  const mn_kernels *kernels = o->map->kernels;
  const uint32_t d = o->map->from;
  mn_zero(o->matrix, sizeof(float) * d * d);
  for (uint32_t begin = 0; begin < o->count; begin += MN_ROWS_BLOCK) {
    const uint32_t n =
        mn_turn_rows(o->rows, begin, o->count, d, o->divisor, o->x_columns);
    (void)mn_turn_rows(o->rotated, begin, o->count, d, o->divisor,
                       o->y_columns);
    for (uint32_t i = 0; i < d; i++)
      for (uint32_t j = 0; j < d; j++)
        o->matrix[(size_t)i * d + j] +=
            kernels->dot_f32(o->y_columns + (size_t)i * MN_ROWS_BLOCK,
                             o->x_columns + (size_t)j * MN_ROWS_BLOCK, n);
  }
  float trace = 0.0f;
  for (uint32_t i = 0; i < d; i++)
    trace += kernels->dot_f32(o->matrix + (size_t)i * d, mn_axis(o->map, i), d);
  const float *axes = mn_axis(o->map, 0);
  for (size_t i = 0; i < (size_t)d * d; i++)
    o->matrix[i] = (o->matrix[i] + KEPT * trace * axes[i]) / (float)o->count;
}

/* --- Where to begin ------------------------------------------------------- */

static void find_mean(opq *o) {
  const uint32_t d = o->map->from;
  mn_zero(o->mean, d * sizeof(float));
  for (uint32_t i = 0; i < o->count; i++)
    for (uint32_t j = 0; j < d; j++)
      o->mean[j] += o->rows[(size_t)i * d + j];
  for (uint32_t j = 0; j < d; j++)
    o->mean[j] /= (float)o->count;
}

static void set_identity(const opq *o) {
  const uint32_t d = o->map->from;
  mn_zero(mn_axis(o->map, 0), sizeof(float) * d * d);
  for (uint32_t i = 0; i < d; i++)
    mn_axis(o->map, i)[i] = 1.0f;
}

/* The subspace with room whose product of variances is smallest. */
static uint32_t weakest(const opq *o, uint32_t width) {
  uint32_t best = 0;
  for (uint32_t s = 1; s < o->codec.pq_m; s++)
    if (o->filled[best] == width ||
        (o->filled[s] < width && o->shares[s] < o->shares[best]))
      best = s;
  return best;
}

/* From the strongest axis to the weakest, each to the subspace that has least.
 * Bits of a float grow about as its logarithm; the smallest variance counts
 * for 1, so that each axis adds something. */
static void set_principal_axes(opq *o) {
  const uint32_t d = o->map->from, width = d / o->codec.pq_m;
  float *variances = o->products;
  mn_eigen(o->map->kernels, o->matrix, d, variances, o->products + d);
  const float least = variances[mn_strongest(variances, d)] * 0x1p-24f;
  mn_zero(o->shares, o->codec.pq_m * sizeof(float));
  mn_zero(o->filled, o->codec.pq_m * sizeof(uint32_t));
  for (uint32_t i = 0; i < d; i++) {
    const uint32_t axis = mn_strongest(variances, d);
    const uint32_t s = weakest(o, width);
    const float ratio = variances[axis] > least ? variances[axis] / least : 1;
    mn_move(mn_axis(o->map, s * width + o->filled[s]),
            o->matrix + (size_t)axis * d, d * sizeof(float));
    o->filled[s]++;
    o->shares[s] += (float)(mn_bits_of(ratio) - mn_bits_of(0.5f));
    variances[axis] = -FLT_MAX; /* taken */
  }
}

static mn_status begin(opq *o, float *error, mn_arena *scratch) {
  const uint32_t d = o->map->from;
  float unrotated = 0.0f;
  find_mean(o);
  set_identity(o);
  rotate(o);
  mn_sum_moments(o->map->kernels, o->rotated, o->count, d, o->x_columns,
                 o->matrix);
  mn_status status = fit(o, 0, &unrotated, scratch);
  if (status != MN_OK)
    return status;
  set_principal_axes(o);
  status = fit(o, 0, error, scratch);
  if (status != MN_OK || *error < unrotated)
    return status;
  set_identity(o);
  return fit(o, 0, error, scratch);
}

/* --- Training ------------------------------------------------------------- */

static mn_status train(mn_map *map, const mn_codec *codec, const float *rows,
                       uint32_t count, mn_arena *scratch) {
  opq o;
  mn_zero(&o, sizeof o); /* not `= {0}`: no call of memset */
  o.map = map;
  o.rows = rows;
  o.count = count;
  mn_move(&o.codec, codec, sizeof o.codec);
  o.codec.metric = MN_L2;
  o.codec.pq_correction = 0;
  if (!allocate(&o, scratch))
    return MN_ERROR_ARENA;
  if (rows == NULL)
    return mn_pq_train(&o.codec, NULL, count, 1, 0, scratch);
  o.divisor = mn_rows_divisor(rows, count, map->from);
  float error;
  mn_status status = begin(&o, &error, scratch);
  for (uint32_t t = 0; t < TURNS && status == MN_OK; t++) {
    correlate(&o);
    if (!mn_polar(map->kernels, o.matrix, map->from, o.turned, o.products))
      break;
    mn_move(mn_axis(map, 0), o.matrix, sizeof(float) * map->from * map->from);
    const float before = error;
    status = fit(&o, 1, &error, scratch);
    if (!(error < (1.0f - GAIN_LEAST) * before))
      break;
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
    .train = MN_IF_TRAIN(train),
    .apply = mn_axes_apply,
    .invert = MN_IF_DECODE(mn_axes_invert),
    .model_is_sound = MN_IF_CHANGE(mn_axes_are_sound),
};
