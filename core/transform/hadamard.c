/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hadamard: a random rotation made of sign flips and fast Walsh-Hadamard
 * transforms (Ailon and Chazelle, STOC 2006, section 2: the part of their
 * transform that spreads a vector's energy over all components).
 *
 * Let m be the largest power of two up to d. Where m = d, one flip and one
 * transform spread each component evenly. Else m components are transformed at
 * a time, in five steps: the first m, the last m, the lower with the upper
 * half, the first m, the last m. The step in the middle is there for d just
 * below a power of two, whose windows hardly overlap: without it 3 % of a
 * component's energy would cross from one end of 127 to the other. With it any
 * input component's share in any output component is, in expectation over the
 * signs, within .88 and 1.13 of the even share, for every d.
 */
#include "../bytes.h"
#include "../root.h"
#include "transform.h"

/* --- Signs ---------------------------------------------------------------- */

/* 64 random bits for each seed, step and group of 64 components: SplitMix64,
 * entered at any place in its sequence. */
static uint64_t random_bits(uint64_t seed, uint32_t step, uint32_t group) {
  const uint64_t place = (uint64_t)step << 32 | (group + 1);
  return mn_mix64(seed + place * UINT64_C(0x9E3779B97F4A7C15));
}

/* Multiplies `count` components from `begin` on by scale or -scale. */
static void flip(uint64_t seed, uint32_t step, float scale, float *vector,
                 uint32_t begin, uint32_t count) {
  const float factors[2] = {scale, -scale};
  uint64_t bits = random_bits(seed, step, begin / 64) >> begin % 64;
  for (uint32_t i = begin; i < begin + count; i++, bits >>= 1) {
    if (i % 64 == 0)
      bits = random_bits(seed, step, i / 64);
    vector[i] *= factors[bits & 1];
  }
}

/* --- Steps and their inverses --------------------------------------------- */

/* a + b and a - b, for n pairs. */
static void butterflies(float *restrict a, float *restrict b, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    const float sum = a[i] + b[i], difference = a[i] - b[i];
    a[i] = sum;
    b[i] = difference;
  }
}

/* Unscaled: twice gives m times the input. m is a power of two. */
static void walsh_hadamard(float *x, uint32_t m) {
  for (uint32_t half = m / 2; half >= 4; half /= 2)
    for (uint32_t i = 0; i < m; i += 2 * half)
      butterflies(x + i, x + i + half, half);
  /* Runs of 2 and 1 are too short for a loop each. */
  for (uint32_t i = 0; i + 4 <= m; i += 4) {
    const float a = x[i] + x[i + 2], b = x[i + 1] + x[i + 3];
    const float c = x[i] - x[i + 2], d = x[i + 1] - x[i + 3];
    x[i] = a + b, x[i + 1] = a - b, x[i + 2] = c + d, x[i + 3] = c - d;
  }
  if (m == 2)
    butterflies(x, x + 1, 1);
}

static void spread(uint64_t seed, uint32_t step, float *vector, uint32_t begin,
                   uint32_t m) {
  flip(seed, step, 1.0f / mn_root((float)m), vector, begin, m);
  walsh_hadamard(vector + begin, m);
}

static void gather(uint64_t seed, uint32_t step, float *vector, uint32_t begin,
                   uint32_t m) {
  walsh_hadamard(vector + begin, m);
  flip(seed, step, 1.0f / mn_root((float)m), vector, begin, m);
}

/* The component in the middle of an odd number has no partner and stays. */
static const float root_half = 0.70710678f;

static void join(uint64_t seed, uint32_t step, float *vector, uint32_t d) {
  const uint32_t pairs = d / 2, upper = d - pairs;
  flip(seed, step, root_half, vector, 0, pairs);
  flip(seed, step, root_half, vector, upper, pairs);
  butterflies(vector, vector + upper, pairs);
}

static void part(uint64_t seed, uint32_t step, float *vector, uint32_t d) {
  const uint32_t pairs = d / 2, upper = d - pairs;
  butterflies(vector, vector + upper, pairs);
  flip(seed, step, root_half, vector, 0, pairs);
  flip(seed, step, root_half, vector, upper, pairs);
}

/* --- Rotation ------------------------------------------------------------- */

static uint32_t largest_power(uint32_t d) {
  return 1u << (31 - __builtin_clz(d));
}

void mn_rotate(uint64_t seed, float *vector, uint32_t dimensions) {
  const uint32_t m = largest_power(dimensions), rest = dimensions - m;
  spread(seed, 0, vector, 0, m);
  if (rest == 0)
    return;
  spread(seed, 1, vector, rest, m);
  join(seed, 2, vector, dimensions);
  spread(seed, 3, vector, 0, m);
  spread(seed, 4, vector, rest, m);
}

void mn_rotate_back(uint64_t seed, float *vector, uint32_t dimensions) {
  const uint32_t m = largest_power(dimensions), rest = dimensions - m;
  if (rest > 0) {
    gather(seed, 4, vector, rest, m);
    gather(seed, 3, vector, 0, m);
    part(seed, 2, vector, dimensions);
    gather(seed, 1, vector, rest, m);
  }
  gather(seed, 0, vector, 0, m);
}

/* --- Table entry ---------------------------------------------------------- */

static void apply(const mn_map *map, const float *vector, float *mapped) {
  mn_move(mapped, vector, sizeof(float) * map->from);
  mn_rotate(map->seed, mapped, map->from);
}

static void invert(const mn_map *map, const float *mapped, float *vector) {
  mn_move(vector, mapped, sizeof(float) * map->from);
  mn_rotate_back(map->seed, vector, map->from);
}

const mn_transform_ops mn_transform_hadamard = {
    .name = "hadamard",
    .apply = apply,
    .invert = MN_IF_DECODE(invert),
};
