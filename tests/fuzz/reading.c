/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"
#include "conditions.h"
#include "require.h"

#include <stdlib.h>
#include <string.h>

#define K_MAX 300u

/* --- Choices -------------------------------------------------------------- */

static uint32_t random_state;

uint32_t draw(void) {
  random_state = random_state * 1664525u + 1013904223u;
  return random_state >> 8;
}

void seed_from(const uint8_t *data, size_t size) {
  random_state = (uint32_t)size;
  for (size_t i = 0; i < size; i += 61)
    random_state = random_state * 31 + data[i];
}

void fill(float *row, uint32_t dimensions) {
  static const float rare[] = {0, -0.0f, 1, 1e18f, -1e-18f, 1e-40f, 70000};
  for (uint32_t j = 0; j < dimensions; j++)
    row[j] = draw() % 16 ? (float)draw() * 0x1p-23f - 1 : rare[draw() % 7];
}

/* What vectors and queries may be refused for. */
static int is_refusal(mn_status status) {
  return status == MN_ERROR_ZERO_VECTOR || status == MN_ERROR_NOT_FINITE ||
         status == MN_ERROR_RANGE;
}

/* --- Searching ------------------------------------------------------------ */

static void check_hits(const mn_index *index, const mn_hit *hits,
                       uint32_t found, const conditions *c, int is_valid) {
  const mn_info info = mn_index_info(index);
  uint8_t *seen = calloc(info.slots + 1, 1);
  for (uint32_t i = 0; i < found; i++) {
    const uint32_t slot = hits[i].slot;
    REQUIRE(slot < info.slots && !seen[slot]);
    REQUIRE(!is_valid || is_live(index, slot));
    REQUIRE(index->keys[slot] == hits[i].key);
    /* Where keys repeat, which they do in damage only, the map knows one. */
    REQUIRE(!is_valid || conditions_hold(c, hits[i].key, slot));
    REQUIRE(!c->bits || c->bits[slot / 32] >> slot % 32 & 1);
    seen[slot] = 1;
    if (is_valid && i > 0)
      REQUIRE(hits[i - 1].distance < hits[i].distance ||
              (hits[i - 1].distance == hits[i].distance &&
               hits[i - 1].key < hits[i].key));
  }
  free(seen);
}

/* Brings any vector; now and then it fails. */
static mn_status fetch(void *context, uint64_t key, uint32_t slot,
                       float *vector) {
  const mn_index *index = context;
  REQUIRE(slot < mn_index_info(index).slots && index->keys[slot] == key);
  fill(vector, index->options.dimensions);
  return draw() % 500 ? MN_OK : (mn_status)77;
}

static mn_query make_query(const mn_index *index, const float *row) {
  static const uint32_t ks[] = {1, 7, K_MAX}, efs[] = {0, 1, 100};
  static const uint32_t planes[] = {0, 0, 1, 2, 4, 8, 5, 3};
  static const float refine_ks[] = {0, 1, 2.5f, 1e9f};
  static const float gammas[] = {0, 0.01f, 0.2f, 16};
  return (mn_query){.vector = row,
                    .dimensions = index->options.dimensions,
                    .k = ks[draw() % 3],
                    .ef = efs[draw() % 3],
                    .gamma = gammas[draw() % 4],
                    .nprobe = draw() % 2 ? draw() % 5 : 0,
                    .planes = planes[draw() % 8],
                    .refine_planes = draw() % 3 ? 0 : planes[draw() % 8],
                    .refine_k = refine_ks[draw() % 4],
                    .fetch = draw() % 4 ? NULL : fetch,
                    .fetch_context = (void *)(uintptr_t)index};
}

/* Only of these does it depend on the index whether they are in range. */
static int may_be_refused(const mn_query *query) {
  return query->planes > 0 || query->refine_planes > 0 ||
         query->fetch != NULL || query->gamma > 0;
}

static void search(const mn_index *index, const float *row, const conditions *c,
                   mn_arena *scratch, int is_valid) {
  static mn_hit hits[K_MAX];
  const uint32_t count = mn_index_info(index).slots;
  uint32_t found = K_MAX + 1;
  mn_stats stats;
  mn_sizes sizes;
  mn_query query = make_query(index, row);
  conditions_ask(c, index, &query);
  query.stats = &stats;
  const size_t peak = scratch->peak;
  scratch->peak = 0;
  const mn_status status =
      mn_index_search(index, &query, hits, &found, scratch);
  const mn_status planned = mn_plan_search(index, &query, &sizes);
  REQUIRE(scratch->used == 0);
  REQUIRE((planned == MN_OK) == (status != MN_ERROR_ARGUMENT));
  REQUIRE(status == MN_OK || is_refusal(status) || status == MN_ERROR_ARENA ||
          (status == MN_ERROR_ARGUMENT && may_be_refused(&query)) ||
          (status == (mn_status)77 && query.fetch != NULL));
  if (planned == MN_OK && status != MN_ERROR_ARENA)
    REQUIRE(scratch->peak == sizes.search_scratch_bytes);
  scratch->peak = scratch->peak > peak ? scratch->peak : peak;
  if (status != MN_OK)
    return;
  const uint32_t passing = conditions_count(c, index, count);
  const uint32_t wanted = query.k < passing ? query.k : passing;
  REQUIRE(found <= query.k && (!is_valid || found <= wanted));
  REQUIRE(!is_valid || stats.cut || found == wanted);
  REQUIRE(query.budget == 0 ? !stats.cut : stats.distances <= query.budget);
  REQUIRE(stats.plan != MN_PLAN_AUTO && stats.reason != 0);
  REQUIRE(!stats.exact || !is_valid || stats.matches == passing);
  check_hits(index, hits, found, c, is_valid);
  if (found > 0 && draw() % 4 == 0) {
    float *rows = malloc((size_t)found * query.dimensions * sizeof *rows);
    fill(rows, found * query.dimensions);
    const mn_vectors vectors = {rows, found, query.dimensions};
    if (mn_index_rank(index, row, &vectors, hits, scratch) == MN_OK)
      check_hits(index, hits, found, c, is_valid);
    REQUIRE(scratch->used == 0);
    free(rows);
  }
  if (found > 0 &&
      mn_index_diversify(index, hits, found, draw() % (found + 1),
                         (float)(draw() % 5) / 4, scratch) == MN_OK)
    check_hits(index, hits, found, c, 0);
}

/* The searches that are made of others. */
static void search_more(const mn_index *index, const float *row,
                        const conditions *c, mn_arena *scratch, int is_valid) {
  static mn_hit hits[2 * K_MAX];
  const uint32_t count = mn_index_info(index).slots;
  const mn_vectors rows = {row, 1, index->options.dimensions};
  uint32_t found;
  mn_query query = make_query(index, row);
  conditions_ask(c, index, &query);
  if (mn_index_search_many(index, &rows, &query, hits, &found, scratch) ==
      MN_OK)
    check_hits(index, hits, found, c, is_valid);
  const float radius = (float)draw() * 0x1p-20f;
  if (mn_index_within(index, &query, radius, hits, &found, scratch) == MN_OK) {
    check_hits(index, hits, found, c, is_valid);
    for (uint32_t i = 0; i < found; i++)
      REQUIRE(hits[i].distance <= radius);
  }
  const uint64_t key = count > 0 ? index->keys[draw() % count] : draw();
  if (mn_index_search_like(index, key, &query, hits, &found, scratch) ==
      MN_OK) {
    check_hits(index, hits, found, c, is_valid);
    for (uint32_t i = 0; i < found; i++)
      REQUIRE(!is_valid || hits[i].key != key);
  }
  REQUIRE(scratch->used == 0);
}

static void search_some(const mn_index *index, float *row, mn_arena *scratch,
                        int is_valid) {
  const uint32_t count = mn_index_info(index).slots;
  const conditions none = {.bits = NULL};
  for (unsigned i = 0; i < 3; i++)
    search(index, row, &none, scratch, is_valid);
  for (unsigned i = 0; i < 3; i++) {
    const conditions some = conditions_draw(index, count);
    search(index, row, &some, scratch, is_valid);
    search_more(index, row, &some, scratch, is_valid);
    free(some.bits);
  }
}

/* --- Vectors and codes ---------------------------------------------------- */

static void reconstruct(const mn_index *index, float *row, mn_arena *scratch,
                        int is_valid) {
  const mn_info info = mn_index_info(index);
  for (uint32_t slot = 0; slot < info.slots && slot < 5; slot++) {
    if (!is_live(index, slot))
      continue;
    const uint64_t key = index->keys[slot];
    uint32_t at;
    const mn_status status = mn_index_find(index, key, &at);
    REQUIRE(status == (is_valid ? MN_OK : status) && (!is_valid || at == slot));
    const mn_status found =
        mn_index_reconstruct(index, key, row, info.options.dimensions, scratch);
    REQUIRE(found == status ||
            (status == MN_OK && found == MN_ERROR_ARENA && !is_valid));
    REQUIRE(scratch->used == 0);
  }
}

/* Codes of vectors, and bytes that never were codes: in memory of exactly their
 * size. */
static void use_codes(const mn_index *index, float *row, mn_arena *scratch) {
  const mn_info info = mn_index_info(index);
  const uint32_t d = info.options.dimensions, bytes = info.code_bytes;
  const mn_vectors one = {row, 1, d};
  const size_t entries = (size_t)info.options.pq_m
                         << info.options.pq_bits % 16; /* 0 without pq */
  uint8_t *codes = malloc(2 * (size_t)bytes);
  float *table = malloc((entries + 1) * sizeof *table);
  float distance[2];
  mn_status status = mn_index_encode(index, &one, codes, NULL, scratch);
  REQUIRE(info.trained == (status != MN_ERROR_UNTRAINED));
  REQUIRE(status == MN_OK || status == MN_ERROR_UNTRAINED ||
          status == MN_ERROR_ARENA || is_refusal(status));
  if (status != MN_OK)
    memset(codes, 0, bytes);
  for (uint32_t i = 0; i < bytes; i++)
    codes[bytes + i] = (uint8_t)(draw() % 4 ? draw() : 0xff);
  status = mn_index_compare(index, row, d, codes, 2, distance, scratch);
  REQUIRE(info.trained == (status != MN_ERROR_UNTRAINED));
  status = mn_index_between(index, codes, codes + bytes, distance, scratch);
  REQUIRE(info.trained == (status != MN_ERROR_UNTRAINED));
  mn_index_between(index, codes + bytes, codes, distance, scratch);
  mn_index_distance_table(index, row, d, table, scratch);
  mn_index_decode(index, codes, 1, row, scratch);
  mn_index_decode(index, codes + bytes, 1, row, scratch);
  REQUIRE(scratch->used == 0);
  free(table);
  free(codes);
}

/* --- All ------------------------------------------------------------------ */

/* Sections, where there are any, lie in the block. */
static void check_sections(const mn_index *index) {
  static const uint32_t names[] = {
      MN_SECTION('S', 'T', 'A', 'T'), MN_SECTION('C', 'O', 'D', 'E'),
      MN_SECTION('F', 'R', 'S', 'T'), MN_SECTION('M', 'O', 'D', 'L'),
      MN_SECTION('L', 'I', 'N', 'K'), MN_SECTION('E', 'N', 'T', 'R'),
      MN_SECTION('L', 'I', 'S', 'T'), MN_SECTION('L', 'I', 'V', 'E'),
      MN_SECTION('t', 'e', 's', 't'), MN_SECTION('a', 'x', 'x', 'x'),
      MN_SECTION('b', 'x', 'x', 'x')};
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

void read_index(const mn_index *index, mn_arena *scratch, int is_valid) {
  const mn_info info = mn_index_info(index);
  float *row = malloc(info.options.dimensions * sizeof *row);
  fill(row, info.options.dimensions);
  search_some(index, row, scratch, is_valid);
  use_codes(index, row, scratch);
  reconstruct(index, row, scratch, is_valid);
  check_sections(index);
  REQUIRE(info.error >= 0 && info.error <= 1);
  free(row);
}
