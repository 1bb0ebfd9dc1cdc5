/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes opening: any bytes are opened, searched and changed. Whatever they
 * are, nothing leaves its memory (AddressSanitizer), and a search yields up to
 * k distinct hits that are in the block and writes nothing. In a block that
 * verifies they are min(k, vectors) and in order, and it goes on verifying
 * whatever is done with it.
 */
#include "../../core/minnow.h"
#include "require.h"

#include <stdlib.h>
#include <string.h>

#define SCRATCH_BYTES ((size_t)8 << 20)
#define MORE_BYTES    ((size_t)1 << 20)
#define K_MAX         300u

static uint32_t random_state;

static uint32_t draw(void) {
  random_state = random_state * 1664525u + 1013904223u;
  return random_state >> 8;
}

/* The random choices of a run follow from its input. */
static void seed_from(const uint8_t *data, size_t size) {
  random_state = (uint32_t)size;
  for (size_t i = 0; i < size; i += 61)
    random_state = random_state * 31 + data[i];
}

static void fill(float *row, uint32_t dimensions) {
  static const float rare[] = {0, -0.0f, 1, 1e18f, -1e-18f, 1e-40f, 70000};
  for (uint32_t j = 0; j < dimensions; j++)
    row[j] = draw() % 16 ? (float)draw() * 0x1p-23f - 1 : rare[draw() % 7];
}

/* --- Reading -------------------------------------------------------------- */

static uint32_t filtered(const uint32_t *filter, uint32_t count) {
  uint32_t passing = 0;
  for (uint32_t i = 0; i < count; i++)
    passing += filter[i / 32] >> i % 32 & 1;
  return passing;
}

static void check_hits(const mn_index *index, const mn_hit *hits,
                       uint32_t found, const uint32_t *filter, int is_valid) {
  const mn_info info = mn_index_info(index);
  uint8_t *seen = calloc(info.count + 1, 1);
  for (uint32_t i = 0; i < found; i++) {
    const uint32_t slot = hits[i].slot;
    REQUIRE(slot < info.count && !seen[slot]);
    REQUIRE(index->keys[slot] == hits[i].key);
    REQUIRE(!filter || filter[slot / 32] >> slot % 32 & 1);
    seen[slot] = 1;
    if (is_valid && i > 0)
      REQUIRE(hits[i - 1].distance < hits[i].distance ||
              (hits[i - 1].distance == hits[i].distance &&
               hits[i - 1].key < hits[i].key));
  }
  free(seen);
}

/* Sections, where there are any, lie in the block. */
static void check_sections(const mn_index *index) {
  static const uint32_t names[] = {
      MN_SECTION('S', 'T', 'A', 'T'), MN_SECTION('C', 'O', 'D', 'E'),
      MN_SECTION('U', 'P', 'P', 'R'), MN_SECTION('t', 'e', 's', 't'),
      MN_SECTION('a', 'x', 'x', 'x'), MN_SECTION('b', 'x', 'x', 'x')};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    const void *data;
    size_t bytes;
    if (mn_index_section(index, names[i], &data, &bytes) != MN_OK)
      continue;
    const size_t at = (size_t)((const uint8_t *)data - index->block);
    REQUIRE(bytes > 0 && at < index->block_bytes &&
            bytes <= index->block_bytes - at);
  }
}

static void search(const mn_index *index, mn_arena *scratch, int is_valid) {
  static mn_hit hits[K_MAX];
  static const uint32_t ks[] = {1, 7, K_MAX}, efs[] = {0, 1, 100};
  const mn_info info = mn_index_info(index);
  const uint32_t dimensions = info.options.dimensions;
  float *row = malloc(dimensions * sizeof *row);
  uint32_t *filter = malloc((info.count / 32 + 1) * sizeof *filter);
  fill(row, dimensions);
  for (uint32_t i = 0; i <= info.count / 32; i++)
    filter[i] = draw() ^ draw() << 16;
  for (unsigned i = 0; i < 4; i++) {
    uint32_t found = K_MAX + 1;
    mn_stats stats;
    mn_query query = {.vector = row,
                      .dimensions = dimensions,
                      .k = ks[draw() % 3],
                      .ef = efs[draw() % 3],
                      .filter = i == 3 ? filter : NULL,
                      .stats = &stats};
    const mn_status status =
        mn_index_search(index, &query, hits, &found, scratch);
    const uint32_t passing = i == 3 ? filtered(filter, info.count) : info.count;
    REQUIRE(scratch->used == 0);
    REQUIRE(status == MN_OK || status == MN_ERROR_ZERO_VECTOR ||
            status == MN_ERROR_NOT_FINITE || status == MN_ERROR_ARENA);
    if (status != MN_OK)
      break;
    const uint32_t wanted = query.k < passing ? query.k : passing;
    REQUIRE(is_valid ? found == wanted : found <= wanted);
    check_hits(index, hits, found, query.filter, is_valid);
  }
  for (uint32_t slot = 0; slot < info.count && slot < 5; slot++) {
    const uint64_t key = index->keys[slot];
    uint32_t at;
    const mn_status status = mn_index_find(index, key, &at);
    REQUIRE(status == (is_valid ? MN_OK : status) && (!is_valid || at == slot));
    REQUIRE(mn_index_reconstruct(index, key, row, dimensions) == status);
  }
  check_sections(index);
  free(row);
  free(filter);
}

/* --- Changing ------------------------------------------------------------- */

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
  if (!mn_index_info(index).trained && count > 0)
    mn_index_train(index, &vectors, arena);
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

static void attach(mn_index *index, mn_arena *arena) {
  static const uint8_t data[200];
  const uint32_t name = MN_SECTION('a' + draw() % 3, 'x', 'x', 'x');
  mn_index_attach(index, name, data, draw() % sizeof data, arena);
}

static void change(mn_index *index, mn_arena *arena, mn_arena *scratch,
                   int is_valid) {
  const mn_info info = mn_index_info(index);
  for (unsigned steps = draw() % 6; steps > 0; steps--) {
    switch (draw() % 5) {
    case 0:
      mn_index_resize(index, info.count + draw() % 40, arena);
      break;
    case 1:
      attach(index, arena);
      break;
    case 2:
      mn_index_seal(index);
      break;
    default:
      add(index, arena);
    }
    REQUIRE(arena->used == index->block_bytes);
    search(index, scratch, is_valid);
    if (is_valid)
      REQUIRE(mn_index_verify(index) == MN_OK);
    else
      (void)mn_index_verify(index);
  }
  mn_index again;
  REQUIRE(mn_index_open(&again, index->block, index->block_bytes) == MN_OK);
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
  search(&index, scratch, *is_valid);
  mn_index_use_features(&index, 0);
  search(&index, scratch, *is_valid);
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
  return 0;
}
