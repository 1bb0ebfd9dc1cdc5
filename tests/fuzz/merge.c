/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes merging: any bytes that open are merged with a sound index of another
 * make, or of the same, each into the other. Nothing leaves its memory, the
 * plan is what is taken, and what is refused changes nothing but the seal.
 * Where the bytes verify, the result verifies too, and has the vectors of both.
 */
#include "reading.h"
#include "require.h"

#include <stdlib.h>
#include <string.h>

#define MORE_BYTES ((size_t)1 << 20)
#define ROWS       24u

/* --- The other index ------------------------------------------------------ */

/* Options that go with dimensions and metric of the first; now and then all of
 * the first's, so that codes may be copied. */
static mn_options draw_options(const mn_index *index) {
  static const char *const specs[] = {
      "flat,f32",   "hnsw4,f16",  "hnsw6,sq8",           "ivf3,f32",
      "flat,bits2", "ivf2,bits4", "hnsw4,sq4,refine=f16"};
  mn_options o = {.dimensions = index->options.dimensions,
                  .metric = index->options.metric,
                  .ef_construction = 16,
                  .seed = draw() % 2 ? index->options.seed : 5};
  const int is_binary = o.metric >= MN_HAMMING;
  const char *spec = is_binary ? draw() % 2 ? "hnsw4" : "ivf2"
                               : specs[draw() % (sizeof specs / sizeof *specs)];
  if (draw() % 4 == 0)
    return index->options;
  REQUIRE(mn_options_parse(&o, spec, strlen(spec), NULL) == MN_OK);
  return o;
}

/* Its model, or one of its own. 0 where neither can be had. */
static int learn(mn_index *other, const mn_index *index, const float *rows,
                 mn_arena *arena) {
  const void *model;
  size_t bytes;
  const mn_vectors sample = {rows, ROWS, other->options.dimensions};
  if (mn_index_info(other).trained)
    return 1;
  if (draw() % 2 &&
      mn_index_section(index, MN_SECTION('M', 'O', 'D', 'L'), &model, &bytes) ==
          MN_OK &&
      mn_index_set_model(other, model, bytes) == MN_OK)
    return 1;
  return mn_index_train(other, &sample, arena) == MN_OK;
}

/* Keys that the first may have, too. 0 where there is no such index. */
static int make_other(mn_index *other, const mn_index *index, mn_arena *arena) {
  const mn_options options = draw_options(index);
  const uint32_t d = options.dimensions, count = draw() % (ROWS + 1);
  const mn_query query = {.k = 1};
  mn_sizes sizes;
  if (mn_plan(&options, ROWS + 200, &query, &sizes) != MN_OK ||
      sizes.block_bytes > MORE_BYTES / 2 ||
      mn_index_create(other, &options, ROWS + draw() % 200, arena) != MN_OK)
    return 0;
  float *rows = malloc((size_t)ROWS * d * sizeof *rows);
  uint64_t keys[ROWS];
  fill(rows, ROWS * d);
  const uint64_t first = draw() % 300;
  for (uint32_t i = 0; i < ROWS; i++)
    keys[i] = first + i;
  const mn_vectors vectors = {rows, count, d};
  const int is_made = learn(other, index, rows, arena) &&
                      mn_index_add(other, keys, &vectors, NULL, arena) == MN_OK;
  if (is_made && count > 2 && draw() % 2)
    REQUIRE(mn_index_delete(other, keys, draw() % (count - 1), NULL) == MN_OK);
  free(rows);
  return is_made;
}

/* --- Merging -------------------------------------------------------------- */

static uint32_t sum_of(const mn_index *index) {
  uint32_t sum = 0;
  for (size_t i = 0; i < index->block_bytes; i++)
    sum = sum * 31 + index->block[i];
  return sum;
}

/* All that is refused is before the first vector. */
static void merge(mn_index *into, const mn_index *from, mn_arena *arena,
                  int is_valid) {
  const mn_merge_policy policy = (mn_merge_policy)(draw() % 3);
  const uint32_t a = mn_index_info(into).count, b = mn_index_info(from).count;
  mn_merging plan, done;
  mn_status status = mn_plan_merge(into, from, policy, &plan);
  if (status != MN_OK) {
    REQUIRE(!is_valid || status == MN_ERROR_READ_ONLY ||
            status == MN_ERROR_UNTRAINED || status == MN_ERROR_TOO_LARGE);
    return;
  }
  REQUIRE(!is_valid || plan.added + plan.conflicts == b);
  if (draw() % 2 && plan.capacity > into->capacity && plan.capacity < 1000)
    (void)mn_index_resize(into, plan.capacity, arena);
  if (arena->capacity - arena->used < plan.scratch_bytes)
    return;
  const uint32_t before = sum_of(into);
  arena->peak = arena->used;
  status = mn_index_merge(into, from, policy, &done, arena);
  REQUIRE(arena->used == into->block_bytes);
  if (!is_valid) {
    (void)mn_index_verify(into);
    return;
  }
  REQUIRE(mn_index_verify(into) == MN_OK);
  if (status != MN_OK) {
    REQUIRE(done.merged == 0 && sum_of(into) == before);
    return;
  }
  REQUIRE(arena->peak - arena->used == plan.scratch_bytes);
  REQUIRE(mn_index_info(into).count == a + plan.added);
  REQUIRE(policy != MN_MERGE_REFUSE || plan.conflicts == 0);
}

/* In one call, or in steps of which the first ones may be given up. */
static void merge_in_steps(mn_index *into, const mn_index *from,
                           mn_arena *arena, int is_valid) {
  mn_merging m;
  mn_status status =
      mn_plan_merge(into, from, (mn_merge_policy)(draw() % 3), &m);
  const uint32_t steps = draw() % 20;
  for (uint32_t i = 0; i < steps && status == MN_OK && m.left > 0; i++)
    status = mn_index_merge_step(into, from, &m, 1 + draw() % 40, arena);
  REQUIRE(arena->used == into->block_bytes);
  REQUIRE(mn_index_verify(into) == MN_OK || !is_valid);
}

static void merge_somehow(mn_index *into, const mn_index *from, mn_arena *arena,
                          mn_arena *scratch, int is_valid) {
  if (draw() % 4)
    merge(into, from, arena, is_valid);
  else
    merge_in_steps(into, from, arena, is_valid);
  read_index(into, scratch, is_valid);
}

/* --- Target --------------------------------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum { FIRST, OTHER, SCRATCH, ARENAS };
  static uint8_t *memory[ARENAS];
  mn_arena arenas[ARENAS];
  mn_index index, other;
  for (int i = 0; i < ARENAS; i++) {
    if (memory[i] == NULL)
      memory[i] = malloc(8 * MORE_BYTES);
    arenas[i] = mn_arena_over(memory[i], 8 * MORE_BYTES);
  }
  seed_from(data, size);
  if (size > MORE_BYTES || mn_index_open(&index, data, size) != MN_OK)
    return 0;
  const size_t bytes = index.block_bytes;
  uint8_t *block = mn_arena_allocate(&arenas[FIRST], bytes);
  memcpy(block, data, bytes);
  REQUIRE(mn_index_open_writable(&index, block, bytes) == MN_OK);
  const int is_valid = mn_index_verify(&index) == MN_OK;
  if (!make_other(&other, &index, &arenas[OTHER]))
    return 0;
  if (draw() % 2)
    merge_somehow(&index, &other, &arenas[FIRST], &arenas[SCRATCH], is_valid);
  else
    merge_somehow(&other, &index, &arenas[OTHER], &arenas[SCRATCH], is_valid);
  return 0;
}
