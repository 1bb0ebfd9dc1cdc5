/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which centroids a subvector is replaced by. With one codebook, the nearest
 * one. With more, taking the nearest one stage after the other is not the best;
 * the MN_PQ_BEAM best sums of each stage are kept and carried on (beam search:
 * Babenko and Lempitsky, CVPR 2014, section 3.2; Liu et al., arXiv 1509.05195,
 * section 3.3).
 */
#include "../kernels/kernels.h"
#include "pq.h"

/* Sentence embeddings, prq64x8x2: the relative squared error is .02405 with a
 * beam of 1, .02228 with 5, .02216 with 16, for 2 and 5 times the time of 1. */
#define MN_PQ_BEAM 5u

/* A sum that is carried on: which sum of the last stage, and which centroid. */
typedef struct step {
  float error;
  uint16_t parent, number;
} step;

/* What there is of the sums of one stage. */
typedef struct beam {
  float *rests;      /* what each sum leaves of x: MN_PQ_BEAM subvectors */
  uint16_t *numbers; /* MN_PQ_BEAM times pq_nrq */
} beam;

/* The scratch: the distances to a codebook, then two beams. */
static uint64_t beam_bytes(const mn_codec *codec) {
  return mn_round_up((uint64_t)MN_PQ_BEAM * mn_pq_width(codec) * 4) +
         mn_round_up((uint64_t)MN_PQ_BEAM * codec->pq_nrq * 2);
}

static uint64_t distances_bytes(const mn_codec *codec) {
  return mn_round_up((uint64_t)mn_pq_centroids(codec) * 4);
}

uint64_t mn_pq_beam_bytes(const mn_codec *codec) {
  return distances_bytes(codec) + 2 * beam_bytes(codec);
}

static beam beam_at(const mn_codec *codec, uint8_t *scratch, uint32_t which) {
  uint8_t *rests = scratch + distances_bytes(codec) + which * beam_bytes(codec);
  const uint64_t bytes = (uint64_t)MN_PQ_BEAM * mn_pq_width(codec) * 4;
  return (beam){(void *)rests, (void *)(rests + mn_round_up(bytes))};
}

/* Puts a step in its place among the `kept` best, behind its equals, and drops
 * the last one of too many. */
static uint32_t keep(step *steps, uint32_t kept, step fresh) {
  uint32_t i = kept < MN_PQ_BEAM ? kept++ : kept - 1;
  for (; i > 0 && steps[i - 1].error > fresh.error; i--)
    steps[i] = steps[i - 1];
  steps[i] = fresh;
  return kept;
}

/* The best steps from `parents` sums. Of the last stage's, only one is wanted.
 */
static uint32_t find_steps(const mn_codec *codec, const float *book,
                           const float *rests, uint32_t parents, int is_last,
                           float *distances, step *steps) {
  const uint32_t width = mn_pq_width(codec), count = mn_pq_centroids(codec);
  uint32_t kept = 0;
  for (uint32_t p = 0; p < parents; p++) {
    const float *rest = rests + (size_t)p * width;
    if (is_last) {
      float error;
      const uint32_t k =
          codec->kernels->nearest_column(rest, book, width, count, &error);
      if (kept == 0 || error < steps[0].error)
        steps[0] = (step){error, (uint16_t)p, (uint16_t)k};
      kept = 1;
      continue;
    }
    codec->kernels->l2_columns(rest, book, width, count, distances);
    for (uint32_t k = 0; k < count; k++)
      if (kept < MN_PQ_BEAM || distances[k] < steps[kept - 1].error)
        kept =
            keep(steps, kept, (step){distances[k], (uint16_t)p, (uint16_t)k});
  }
  return kept;
}

/* Takes a step: from a sum of `from` to sum i of `to`. */
static void take(const mn_codec *codec, const float *book, uint32_t stage,
                 const beam *from, step way, const beam *to, uint32_t i) {
  const uint32_t width = mn_pq_width(codec), nrq = codec->pq_nrq;
  const float *old = from->rests + (size_t)way.parent * width;
  float *rest = to->rests + (size_t)i * width;
  for (uint32_t j = 0; j < width; j++)
    rest[j] = old[j] - book[((size_t)j << codec->pq_bits) + way.number];
  uint16_t *numbers = to->numbers + i * nrq;
  mn_move(numbers, from->numbers + way.parent * nrq, stage * sizeof *numbers);
  numbers[stage] = way.number;
}

const uint16_t *mn_pq_beam(const mn_codec *codec, uint32_t subspace,
                           uint32_t stages, const float *x, void *scratch,
                           float *rest) {
  const size_t bytes = mn_pq_width(codec) * sizeof(float);
  beam from = beam_at(codec, scratch, 0), to = beam_at(codec, scratch, 1);
  uint32_t count = 1;
  mn_move(from.rests, x, bytes);
  for (uint32_t t = 0; t < stages; t++) {
    const float *book = mn_pq_book(codec, subspace * codec->pq_nrq + t);
    step steps[MN_PQ_BEAM];
    count = find_steps(codec, book, from.rests, count, t + 1 == stages, scratch,
                       steps);
    for (uint32_t i = 0; i < count; i++)
      take(codec, book, t, &from, steps[i], &to, i);
    const beam old = from;
    from = to;
    to = old;
  }
  if (rest != NULL)
    mn_move(rest, from.rests, bytes);
  return from.numbers;
}
