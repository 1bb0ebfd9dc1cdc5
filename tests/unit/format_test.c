/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of format 1.0 are opened by this library, which writes 1.1: they give
 * the answers that they gave, and go on as blocks of 1.1. */
#include "fixture.h"
#include "format_1_0.h"

typedef struct old_block {
  const format_row *rows;
  uint32_t row_count, bytes;
  const char *spec;
  mn_metric metric;
  uint32_t dimensions, count;
  uint32_t seed;
  const char *data;
  int has_given_keys;
  uint32_t k;
  uint64_t answers; /* of the library that wrote it: conformance/README.md */
} old_block;

#define ROWS(rows) rows, sizeof(rows) / sizeof *(rows)

static const old_block blocks[] = {
    {ROWS(hnsw_1_0), HNSW_1_0_BYTES, "hnsw4,sq8", MN_L2, 5, 7, 3, "uniform", 1,
     4, 0xf9b605869705beb7},
    {ROWS(auto_1_0), AUTO_1_0_BYTES, "auto,f16", MN_COSINE, 3, 4, 0xffffffff,
     "half", 0, 9, 0x1ca79197f8a94192},
};

#define QUERIES 3u

/* Writes the block to the beginning of an arena of its own. */
static fixture lay_out(const old_block *old) {
  fixture f = {.memory = malloc(FIXTURE_BYTES)};
  f.arena = mn_arena_over(f.memory, FIXTURE_BYTES);
  uint8_t *block = mn_arena_allocate(&f.arena, old->bytes);
  memset(block, 0, old->bytes);
  for (uint32_t i = 0; i < old->row_count; i++)
    memcpy(block + old->rows[i].at, old->rows[i].words, 16);
  CHECK_OK(mn_index_open_writable(&f.index, block, old->bytes));
  f.options = f.index.options;
  return f;
}

/* The hash of the hits of the first searches and of all vectors. */
static uint64_t answers(fixture *f, const old_block *old) {
  gen_hash hash = gen_hash_start();
  const uint32_t d = old->dimensions;
  float *queries = malloc(QUERIES * d * sizeof *queries), row[8];
  gen_rows(queries, old->data, old->seed, old->count, QUERIES, d);
  for (uint32_t i = 0; i < QUERIES; i++) {
    mn_hit hits[9];
    uint32_t found = 0;
    mn_stats stats;
    CHECK_OK(
        fixture_search(f, queries + i * d, old->k, 0, hits, &found, &stats));
    gen_hash_word(&hash, found);
    for (uint32_t h = 0; h < found; h++) {
      gen_hash_long(&hash, hits[h].key);
      gen_hash_float(&hash, hits[h].distance);
      gen_hash_word(&hash, hits[h].slot);
    }
    gen_hash_long(&hash, stats.distances);
    gen_hash_word(&hash, stats.hops);
    gen_hash_word(&hash, stats.exact);
    CHECK(stats.refined == 0 && stats.planes == 0);
  }
  for (uint32_t i = 0; i < old->count; i++) {
    CHECK_OK(fixture_reconstruct(f, f->index.keys[i], row));
    for (uint32_t j = 0; j < d; j++)
      gen_hash_float(&hash, row[j]);
  }
  free(queries);
  return gen_hash_end(hash);
}

static void test_opens(const old_block *old) {
  fixture f = lay_out(old);
  const mn_info info = mn_index_info(&f.index);
  char text[MN_SPEC_BYTES];
  CHECK(info.format_major == 1 && info.format_minor == 0 && info.sealed);
  CHECK(info.options.metric == old->metric && info.count == old->count &&
        info.options.dimensions == old->dimensions && info.trained &&
        (uint32_t)info.options.seed == old->seed);
  CHECK(info.options.transform == MN_NO_TRANSFORM && info.options.refine == 0);
  if (info.is_auto)
    f.options.structure = MN_AUTO;
  CHECK_OK(mn_options_format(&f.options, text));
  CHECK(!strcmp(text, old->spec));
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_EQUAL(answers(&f, old), old->answers);
  mn_index_use_features(&f.index, 0);
  CHECK_EQUAL(answers(&f, old), old->answers);
  if (old->has_given_keys) {
    const void *data = NULL;
    size_t bytes = 0;
    CHECK_EQUAL(f.index.keys[3], gen_key(3));
    CHECK_OK(mn_index_section(&f.index, MN_SECTION('t', 'e', 's', 't'), &data,
                              &bytes));
    CHECK(bytes == 6 && !memcmp(data, "minnow", 6));
  }
  fixture_free(&f);
}

/* The first change makes it 1.1, whose STAT has a sum of errors. */
static void test_goes_on(const old_block *old) {
  fixture f = lay_out(old), resized = lay_out(old);
  float row[8];
  gen_rows(row, "uniform", 1, 0, 1, old->dimensions);
  const uint64_t key = 12345;
  CHECK_OK(fixture_add(&f, &key, row, 1));
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_EQUAL(mn_index_info(&f.index).format_minor, MN_FORMAT_MINOR);
  CHECK_OK(mn_index_resize(&resized.index, 500, &resized.arena));
  CHECK_EQUAL(mn_index_info(&resized.index).format_minor, MN_FORMAT_MINOR);
  CHECK_EQUAL(answers(&resized, old), old->answers);
  CHECK_OK(fixture_add(&resized, &key, row, 1));
  CHECK_OK(mn_index_resize(&f.index, 500, &f.arena));
  CHECK_EQUAL(hash_of(f.index.block, f.index.block_bytes),
              hash_of(resized.index.block, resized.index.block_bytes));
  fixture_free(&resized);
  fixture_free(&f);
}

int main(void) {
  for (unsigned i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    test_opens(&blocks[i]);
    test_goes_on(&blocks[i]);
  }
  return test_report();
}
