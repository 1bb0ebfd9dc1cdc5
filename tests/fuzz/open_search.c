/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes opening: any bytes are opened, searched and changed. Whatever they
 * are, nothing leaves its memory (AddressSanitizer), and a search yields up to
 * k distinct hits that are in the block and writes nothing. In a block that
 * verifies they are min(k, vectors) and in order, and it goes on verifying
 * whatever is done with it. Live blocks are packed and packed ones thawed, in
 * exactly the bytes that were planned.
 */
#include "reading.h"
#include "require.h"

#include <stdlib.h>
#include <string.h>

#define SCRATCH_BYTES ((size_t)8 << 20)
#define MORE_BYTES    ((size_t)1 << 20)

/* --- Changing ------------------------------------------------------------- */

/* Keys that are there, mostly. */
static uint64_t draw_key(const mn_index *index) {
  const uint32_t slots = mn_index_info(index).slots;
  return slots > 0 && draw() % 8 ? index->keys[draw() % slots] : draw() % 64;
}

static void remove_some(mn_index *index) {
  uint64_t keys[4];
  uint32_t bad;
  const uint32_t count = draw() % 5;
  for (uint32_t i = 0; i < count; i++)
    keys[i] = draw_key(index);
  mn_index_delete(index, keys, count, &bad);
}

static void replace_some(mn_index *index, mn_arena *arena) {
  const uint32_t dimensions = index->options.dimensions;
  const uint32_t count = draw() % 4;
  float *rows = malloc((size_t)(count + 1) * dimensions * sizeof *rows);
  uint64_t keys[4];
  uint32_t bad;
  fill(rows, count * dimensions);
  for (uint32_t i = 0; i < count; i++)
    keys[i] = draw_key(index);
  const mn_vectors vectors = {rows, count, dimensions};
  if (draw() % 2)
    mn_index_update(index, keys, &vectors, &bad, arena);
  else
    mn_index_upsert(index, keys, &vectors, &bad, arena);
  free(rows);
}

/* A step or, which must end, all. */
static void repair(mn_index *index, mn_arena *arena) {
  uint32_t left = UINT32_MAX;
  const uint32_t limit = draw() % 2 ? draw() % 60 : UINT32_MAX;
  const mn_status status = mn_index_repair(index, limit, &left, arena);
  REQUIRE(status == MN_OK || status == MN_ERROR_READ_ONLY ||
          status == MN_ERROR_ARENA);
}

static mn_status add(mn_index *index, mn_arena *arena) {
  const uint32_t dimensions = index->options.dimensions;
  const uint32_t count = draw() % 4;
  float *rows = malloc((size_t)(count + 1) * dimensions * sizeof *rows);
  uint64_t keys[4];
  uint32_t left, bad;
  fill(rows, count * dimensions);
  for (uint32_t i = 0; i < count; i++)
    keys[i] = draw() % 64;
  const mn_vectors vectors = {rows, count, dimensions};
  const uint64_t *given = draw() % 2 ? keys : NULL;
  mn_status status;
  if (draw() % 2) {
    status = mn_index_add(index, given, &vectors, &bad, arena);
  } else {
    status = mn_index_append(index, given, &vectors, &bad, arena);
    if (status == MN_OK)
      status = mn_index_link(index, draw() % 8, &left, arena);
  }
  free(rows);
  return status;
}

/* On as many rows as it wants, or too few; not where that would take long. */
static void train(mn_index *index, mn_arena *arena) {
  const uint32_t dimensions = index->options.dimensions;
  mn_training training;
  if (mn_plan_training(&index->options, 1, &training) != MN_OK ||
      training.least > 32)
    return;
  const uint32_t count = draw() % (training.least + 3);
  float *rows = malloc((size_t)(count + 1) * dimensions * sizeof *rows);
  fill(rows, count * dimensions);
  const mn_vectors sample = {rows, count, dimensions};
  const mn_status status = mn_index_train(index, &sample, arena);
  REQUIRE(status != MN_OK || count >= training.least);
  free(rows);
}

/* Numbers that may be a model; half of the time small ones, which are. */
static void set_model(mn_index *index) {
  const void *data;
  size_t bytes;
  if (mn_index_section(index, MN_SECTION('M', 'O', 'D', 'L'), &data, &bytes) !=
      MN_OK)
    return;
  float *model = malloc(bytes);
  const float scale = draw() % 2 ? 0.01f : 1;
  fill(model, (uint32_t)(bytes / sizeof *model));
  for (size_t i = 0; i < bytes / sizeof *model; i++)
    model[i] *= scale;
  mn_index_set_model(index, model, bytes);
  free(model);
}

static void attach(mn_index *index, mn_arena *arena) {
  static const uint8_t data[200];
  const uint32_t name = MN_SECTION('a' + draw() % 3, 'x', 'x', 'x');
  mn_index_attach(index, name, data, draw() % sizeof data, arena);
}

static void change(mn_index *index, mn_arena *arena, mn_arena *scratch,
                   int is_valid) {
  const mn_info info = mn_index_info(index);
  for (unsigned steps = draw() % 6; steps > 0; steps--) {
    if (!mn_index_info(index).trained && draw() % 2) {
      if (draw() % 4)
        train(index, arena);
      else
        set_model(index);
    }
    switch (draw() % 8) {
    case 0:
      mn_index_resize(index, info.slots + draw() % 40, arena);
      break;
    case 1:
      attach(index, arena);
      break;
    case 2:
      mn_index_seal(index);
      break;
    case 3:
      remove_some(index);
      break;
    case 4:
      replace_some(index, arena);
      break;
    case 5:
      repair(index, arena);
      break;
    default:
      add(index, arena);
    }
    REQUIRE(arena->used == index->block_bytes);
    read_index(index, scratch, is_valid);
    if (is_valid)
      REQUIRE(mn_index_verify(index) == MN_OK);
    else
      (void)mn_index_verify(index);
  }
  /* What is made of a damaged block may be refused. */
  mn_index again;
  const mn_status status =
      mn_index_open(&again, index->block, index->block_bytes);
  REQUIRE(status == MN_OK || !is_valid);
}

/* --- Packing -------------------------------------------------------------- */

/* A packed copy. Where links contradict one another it may be damaged, too. */
static void pack(const mn_index *index, mn_arena *scratch, int is_valid) {
  mn_packing plan;
  mn_index packed, live;
  if (mn_plan_pack(index, &plan) != MN_OK) {
    const mn_info info = mn_index_info(index);
    REQUIRE(index->is_packed || info.count == 0 || info.dead > 0 || !is_valid);
    return;
  }
  const size_t bytes = plan.block_bytes + plan.scratch_bytes;
  uint8_t *memory = aligned_alloc(MN_ALIGNMENT, bytes);
  mn_arena arena = mn_arena_over(memory, bytes);
  REQUIRE(mn_index_pack(index, &packed, &arena) == MN_OK);
  REQUIRE(arena.used == packed.block_bytes && arena.peak == bytes);
  read_index(&packed, scratch, is_valid);
  const int packed_is_valid = mn_index_verify(&packed) == MN_OK;
  const size_t mark = mn_arena_mark(scratch);
  if (mn_index_thaw(&packed, packed.capacity, &live, scratch) == MN_OK)
    REQUIRE(mn_index_verify(&live) == MN_OK || !packed_is_valid);
  mn_arena_rewind(scratch, mark);
  free(memory);
}

/* A live copy, which goes on. */
static void thaw(const mn_index *packed, mn_arena *scratch, int is_valid) {
  const mn_info info = mn_index_info(packed);
  const mn_query query = {.k = 1};
  const uint32_t capacity = info.count + draw() % 40;
  mn_sizes sizes;
  mn_index live;
  if (mn_plan(&info.options, capacity, &query, &sizes) != MN_OK ||
      sizes.block_bytes > MORE_BYTES)
    return;
  uint8_t *memory = aligned_alloc(MN_ALIGNMENT, MORE_BYTES);
  mn_arena arena = mn_arena_over(memory, MORE_BYTES);
  if (mn_index_thaw(packed, capacity, &live, &arena) == MN_OK) {
    REQUIRE(arena.used == live.block_bytes);
    REQUIRE(!is_valid || mn_index_verify(&live) == MN_OK);
    change(&live, &arena, scratch, is_valid);
    pack(&live, scratch, is_valid);
  }
  free(memory);
}

/* --- Target --------------------------------------------------------------- */

/* In a copy of exactly its size, so that a byte too many is seen. */
static int read_only(const uint8_t *data, size_t size, mn_arena *scratch,
                     int *is_valid) {
  uint8_t *block = malloc(size + !size);
  memcpy(block, data, size);
  mn_index index, before;
  memset(&index, 0xa5, sizeof index);
  memcpy(&before, &index, sizeof index);
  const mn_status status = mn_index_open(&index, block, size);
  if (status != MN_OK) {
    REQUIRE(!memcmp(&index, &before, sizeof index));
    free(block);
    return 0;
  }
  *is_valid = mn_index_verify(&index) == MN_OK;
  read_index(&index, scratch, *is_valid);
  mn_index_use_features(&index, draw() % 2 ? MN_CPU_AVX2 : 0);
  read_index(&index, scratch, *is_valid);
  REQUIRE(mn_index_seal(&index) == MN_ERROR_READ_ONLY);
  REQUIRE(!memcmp(block, data, size));
  free(block);
  return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t *memory, *scratch_memory;
  int is_valid;
  if (!memory) {
    memory = malloc(MORE_BYTES);
    scratch_memory = malloc(SCRATCH_BYTES);
  }
  mn_arena scratch = mn_arena_over(scratch_memory, SCRATCH_BYTES);
  seed_from(data, size);
  if (!read_only(data, size, &scratch, &is_valid))
    return 0;
  mn_index index;
  mn_arena arena = mn_arena_over(memory, MORE_BYTES);
  const size_t rounded = size & ~(size_t)(MN_ALIGNMENT - 1);
  uint8_t *block = mn_arena_allocate(&arena, rounded);
  if (!block || mn_index_open(&index, data, size) != MN_OK)
    return 0;
  const size_t bytes = index.block_bytes;
  mn_arena_rewind(&arena, 0);
  mn_arena_allocate(&arena, bytes);
  memcpy(block, data, bytes);
  REQUIRE(mn_index_open_writable(&index, block, bytes) == MN_OK);
  change(&index, &arena, &scratch, is_valid);
  if (index.is_packed)
    thaw(&index, &scratch, is_valid);
  else
    pack(&index, &scratch, is_valid);
  return 0;
}
