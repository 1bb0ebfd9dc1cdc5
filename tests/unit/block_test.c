/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, sealing and verifying blocks: where they lie, and what is refused.
 */
#define _DEFAULT_SOURCE
#include "../../core/block.h"
#include "../../core/structure/graph.h"
#include "fixture.h"

#ifndef __wasi__
#include <sys/mman.h>
#endif

#define D 5u
#define N 100u /* of which a graph links 64 */

static fixture sealed(const char *spec) {
  fixture f = fixture_filled(spec, MN_L2, D, "uniform", N);
  CHECK_OK(mn_index_seal(&f.index));
  return f;
}

/* The same, packed, into the same fixture. */
static fixture packed(const char *spec) {
  fixture f = fixture_filled(spec, MN_L2, D, "uniform", N);
  CHECK_OK(mn_index_pack(&f.index, &f.index, &f.arena));
  CHECK_OK(mn_index_seal(&f.index));
  return f;
}

/* Hash of the hits for a few queries. */
static uint64_t answers(const mn_index *index) {
  static _Alignas(64) uint8_t memory[1 << 16];
  mn_arena arena = mn_arena_over(memory, sizeof memory);
  gen_hash hash = gen_hash_start();
  float *queries = fixture_rows("uniform", N, 4, D);
  for (uint32_t i = 0; i < 4; i++) {
    mn_hit hits[7];
    uint32_t found = 0;
    mn_query q = {.vector = queries + i * D, .dimensions = D, .k = 7};
    CHECK_OK(mn_index_search(index, &q, hits, &found, &arena));
    CHECK_EQUAL(found, 7);
    for (uint32_t j = 0; j < found; j++) {
      gen_hash_long(&hash, hits[j].key);
      gen_hash_float(&hash, hits[j].distance);
    }
  }
  free(queries);
  return gen_hash_end(hash);
}

/* --- Where a block lies --------------------------------------------------- */

static void test_alignment(fixture f) {
  size_t bytes = f.index.block_bytes;
  uint64_t expected = answers(&f.index);
  uint8_t *memory = aligned_alloc(64, bytes + 128);
  for (uint32_t skip = 0; skip < 72; skip++) {
    mn_index index;
    memset(&index, 0xee, sizeof index);
    memcpy(memory + skip, f.index.block, bytes);
    mn_status status = mn_index_open(&index, memory + skip, bytes);
    if (skip % MN_OPEN_ALIGNMENT) {
      CHECK_STATUS(status, MN_ERROR_ALIGNMENT);
      CHECK(index.writable == 0xee && index.capacity == 0xeeeeeeee);
      continue;
    }
    CHECK_OK(status);
    CHECK_EQUAL(answers(&index), expected);
    CHECK_OK(mn_index_verify(&index));
  }
  free(memory);
  fixture_free(&f);
}

/* Pages that cannot be written to: any write would end the program. */
static void test_read_only(const char *spec) {
#ifndef __wasi__
  fixture f = sealed(spec);
  size_t bytes = f.index.block_bytes;
  void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(pages != MAP_FAILED);
  memcpy(pages, f.index.block, bytes);
  CHECK(mprotect(pages, bytes, PROT_READ) == 0);
  fixture r = f;
  CHECK_OK(mn_index_open(&r.index, pages, bytes));
  CHECK_EQUAL(answers(&r.index), answers(&f.index));
  CHECK_OK(mn_index_verify(&r.index));
  CHECK_EQUAL(r.index.writable, 0);
  float row[D] = {1, 2, 3, 4, 5};
  mn_vectors vectors = {row, 1, D};
  uint32_t left, slot;
  CHECK_OK(mn_index_find(&r.index, 7, &slot));
  CHECK_OK(mn_index_reconstruct(&r.index, 7, row, D, &f.arena));
  r.arena = f.arena;
  CHECK_REFUSED(&r, mn_index_add(&r.index, NULL, &vectors, NULL, &r.arena),
                MN_ERROR_READ_ONLY);
  CHECK_REFUSED(&r, mn_index_append(&r.index, NULL, &vectors, NULL, &r.arena),
                MN_ERROR_READ_ONLY);
  CHECK_REFUSED(&r, mn_index_link(&r.index, 1, &left, &r.arena),
                MN_ERROR_READ_ONLY);
  CHECK_REFUSED(&r, mn_index_train(&r.index, &vectors, &r.arena),
                MN_ERROR_READ_ONLY);
  CHECK_REFUSED(&r, mn_index_seal(&r.index), MN_ERROR_READ_ONLY);
  /* Elsewhere it may grow: that is how a stored index goes on. */
  CHECK_OK(mn_index_resize(&r.index, N + 1, &r.arena));
  CHECK_EQUAL(r.index.writable, 1);
  CHECK_OK(mn_index_add(&r.index, NULL, &vectors, NULL, &r.arena));
  CHECK_EQUAL(mn_index_info(&r.index).count, N + 1);
  munmap(pages, bytes);
  fixture_free(&f);
#else
  (void)spec;
#endif
}

/* In place, a block opened read-only is neither resized nor added to. */
static void test_read_only_in_place(void) {
  fixture f = sealed("hnsw4,f32");
  uint32_t name = MN_SECTION('a', 'b', 'c', 'd');
  CHECK_OK(mn_index_open(&f.index, f.index.block, f.index.block_bytes));
  CHECK_REFUSED(&f, mn_index_attach(&f.index, name, "text", 4, &f.arena),
                MN_ERROR_READ_ONLY);
  CHECK_REFUSED(&f, mn_index_resize(&f.index, N + 1, &f.arena),
                MN_ERROR_READ_ONLY);
  fixture_free(&f);
}

static void test_copied_handle(void) {
  fixture f = sealed("hnsw4,sq8");
  mn_index copy = f.index;
  CHECK_EQUAL(answers(&copy), answers(&f.index));
  float row[D] = {0.5f, 0.5f, 0.5f, 0.5f, 0.5f};
  mn_vectors vectors = {row, 1, D};
  CHECK_OK(mn_index_resize(&f.index, N + 1, &f.arena));
  copy = f.index;
  CHECK_OK(mn_index_add(&copy, NULL, &vectors, NULL, &f.arena));
  CHECK_EQUAL(mn_index_info(&f.index).count, N + 1);
  CHECK_EQUAL(answers(&copy), answers(&f.index));
  fixture_free(&f);
}

/* --- What opening refuses ------------------------------------------------- */

static void test_truncated(void) {
  fixture f = sealed("hnsw4,f16");
  size_t bytes = f.index.block_bytes;
  mn_index index = f.index;
  for (size_t less = 0; less < bytes; less++) {
    mn_status status = mn_index_open(&index, f.index.block, less);
    if (less < 8)
      CHECK(status == MN_ERROR_TRUNCATED || status == MN_ERROR_NOT_MINNOW);
    else
      CHECK_STATUS(status, MN_ERROR_TRUNCATED);
  }
  CHECK_OK(mn_index_open(&index, f.index.block, bytes));
  CHECK_OK(mn_index_open(&index, f.index.block, bytes + 1000));
  CHECK_EQUAL(index.block_bytes, bytes);
  fixture_free(&f);
}

/* Every bit of the header and its table, changed, is noticed on opening. */
static void test_header(void) {
  fixture f = sealed("hnsw4,f16");
  uint8_t *block = f.index.block;
  for (uint32_t bit = 0; bit < 8 * sizeof(mn_header); bit++) {
    mn_index index = {.capacity = 12345};
    block[bit / 8] ^= (uint8_t)(1u << bit % 8);
    mn_status status = mn_index_open(&index, block, f.index.block_bytes);
    if (bit < 64)
      CHECK_STATUS(status, MN_ERROR_NOT_MINNOW);
    else
      CHECK(status == MN_ERROR_CORRUPT || status == MN_ERROR_VERSION ||
            status == MN_ERROR_TRUNCATED);
    CHECK_EQUAL(index.capacity, 12345);
    block[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  /* Of another version, older or newer, whatever else it holds. */
  static const uint8_t versions[][2] = {{1, 0}, {2, 0}, {4, 0}, {3, 1}};
  for (unsigned i = 0; i < 4; i++) {
    mn_index index;
    block[8] = versions[i][0];
    block[10] = versions[i][1];
    mn_header_finish((mn_header *)(void *)block);
    CHECK_STATUS(mn_index_open(&index, block, f.index.block_bytes),
                 MN_ERROR_VERSION);
  }
  fixture_free(&f);
}

/* Every byte of the sections, changed, is noticed on verifying. */
static void test_contents(fixture f) {
  CHECK_OK(mn_index_attach(&f.index, MN_SECTION('h', 'o', 's', 't'), "abc", 3,
                           &f.arena));
  CHECK_OK(mn_index_seal(&f.index));
  uint8_t *block = f.index.block;
  const void *data;
  size_t bytes;
  for (size_t at = sizeof(mn_header); at < f.index.block_bytes; at++) {
    mn_index index;
    block[at] ^= 0x10;
    mn_status status = mn_index_open(&index, block, f.index.block_bytes);
    if (status == MN_OK)
      status = mn_index_verify(&index);
    CHECK_STATUS(status, MN_ERROR_CORRUPT);
    block[at] ^= 0x10;
  }
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_OK(mn_index_section(&f.index, MN_SECTION('h', 'o', 's', 't'), &data,
                            &bytes));
  CHECK(bytes == 3 && !memcmp(data, "abc", 3));
  fixture_free(&f);
}

/* Not sealed: contents are checked, though not by checksum. */
static void test_unsealed(void) {
  fixture f = fixture_filled("hnsw4,f32", MN_L2, D, "uniform", N);
  CHECK_EQUAL(mn_index_info(&f.index).sealed, 0);
  CHECK_OK(mn_index_verify(&f.index));
  static const float bad = 1.0f / 0.0f;
  uint32_t links;
  uint64_t key;
  memcpy(&key, f.index.keys, 8);
  f.index.keys[0] = 12345;
  CHECK_STATUS(mn_index_verify(&f.index), MN_ERROR_CORRUPT);
  memcpy(f.index.keys, &key, 8);
  uint32_t *list = mn_graph_list(&f.index, 5);
  links = list[1];
  list[1] = 64; /* not linked */
  CHECK_STATUS(mn_index_verify(&f.index), MN_ERROR_CORRUPT);
  list[1] = links;
  CHECK_OK(mn_index_verify(&f.index));
  memcpy(f.index.codes, &bad, 4);
  CHECK_STATUS(mn_index_verify(&f.index), MN_ERROR_CORRUPT);
  fixture_free(&f);
}

/* Flips each byte of a section's part, which holds nothing: it must be 0. */
static void check_is_nothing(fixture *f, uint32_t name, size_t from,
                             size_t to) {
  size_t bytes;
  uint8_t *section = fixture_section(f, name, &bytes);
  CHECK(from < to && to <= bytes);
  for (size_t at = from; at < to; at++) {
    section[at] ^= 1;
    CHECK_STATUS(mn_index_verify(&f->index), MN_ERROR_CORRUPT);
    section[at] ^= 1;
  }
  CHECK_OK(mn_index_verify(&f->index));
}

/* Adding takes room for granted that is 0, so verifying checks it. */
static void test_room(void) {
  enum { COUNT = 200, LINKED = 192, ENTRIES = 48 };
  fixture f = fixture_filled("hnsw4,f32", MN_L2, D, "uniform", COUNT);
  CHECK_OK(mn_index_resize(&f.index, 2 * COUNT, &f.arena));
  CHECK(f.index.state->linked == LINKED && f.index.state->entries == ENTRIES);
  check_is_nothing(&f, MN_SECTION('K', 'E', 'Y', 'S'), 8 * COUNT, 16 * COUNT);
  check_is_nothing(&f, MN_SECTION('C', 'O', 'D', 'E'), 4 * D * COUNT,
                   8 * D * COUNT);
  check_is_nothing(&f, MN_SECTION('L', 'I', 'N', 'K'), 36 * COUNT, 72 * COUNT);
  check_is_nothing(&f, MN_SECTION('E', 'N', 'T', 'R'), 4 * ENTRIES, 256);
  fixture_free(&f);
}

/* --- Graphs --------------------------------------------------------------- */

/* Every bit of the sections of a graph, changed, is noticed where the block is
 * sealed. Where it is not, some changes make another graph; then searches go on
 * giving as much as was asked for. */
static void test_graph_bits(fixture f) {
  static const uint32_t names[] = {MN_SECTION('S', 'T', 'A', 'T'),
                                   MN_SECTION('L', 'I', 'N', 'K'),
                                   MN_SECTION('E', 'N', 'T', 'R')};
  uint8_t *copy = malloc(f.index.block_bytes);
  mn_index open;
  uint32_t noticed = 0, others = 0;
  memcpy(copy, f.index.block, f.index.block_bytes);
  CHECK_OK(mn_index_open_writable(&open, copy, f.index.block_bytes));
  mn_index_unseal(&open);
  for (unsigned n = 0; n < 3; n++) {
    size_t bytes;
    uint8_t *section = fixture_section(&f, names[n], &bytes);
    uint8_t *other = copy + (section - f.index.block);
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
      const uint8_t mask = (uint8_t)(1u << bit % 8);
      mn_index index;
      section[bit / 8] ^= mask;
      if (mn_index_open(&index, f.index.block, f.index.block_bytes) == MN_OK)
        CHECK_STATUS(mn_index_verify(&index), MN_ERROR_CORRUPT);
      section[bit / 8] ^= mask;
      other[bit / 8] ^= mask;
      if (mn_index_open(&index, copy, f.index.block_bytes) != MN_OK ||
          mn_index_verify(&index) != MN_OK)
        noticed++;
      else if (bit % 64 == 0 && names[n] != MN_SECTION('S', 'T', 'A', 'T'))
        answers(&index);
      else
        others++;
      other[bit / 8] ^= mask;
    }
  }
  CHECK(noticed > others);
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_OK(mn_index_verify(&open));
  free(copy);
  fixture_free(&f);
}

/* A packed block has no capacity to decide by. */
static void test_packed_auto(void) {
  fixture f = packed("flat,f32");
  mn_header *header = (void *)f.index.block;
  mn_index index;
  CHECK_OK(mn_index_open(&index, f.index.block, f.index.block_bytes));
  header->flags |= MN_FLAG_AUTO;
  mn_header_finish(header);
  CHECK_STATUS(mn_index_open(&index, f.index.block, f.index.block_bytes),
               MN_ERROR_CORRUPT);
  fixture_free(&f);
}

/* An encoding that needs no training is never untrained. */
static void test_untrained(void) {
  fixture f = fixture_create("flat,f32", MN_L2, D, N);
  mn_index index;
  memset(f.index.block + sizeof(mn_header) + 16, 0, 4);
  CHECK_STATUS(mn_index_open(&index, f.index.block, f.index.block_bytes),
               MN_ERROR_CORRUPT);
  fixture_free(&f);
}

/* Sealing is noted, lasts until a change, and gives the same bytes again. */
static void test_seal(void) {
  fixture f = fixture_filled("hnsw4,sq8", MN_L2, D, "uniform", N);
  uint64_t open = hash_of(f.index.block, f.index.block_bytes);
  CHECK_OK(mn_index_seal(&f.index));
  CHECK_EQUAL(mn_index_info(&f.index).sealed, 1);
  uint64_t first = hash_of(f.index.block, f.index.block_bytes);
  CHECK(first != open);
  CHECK_OK(mn_index_seal(&f.index));
  CHECK_EQUAL(hash_of(f.index.block, f.index.block_bytes), first);
  mn_index writable;
  CHECK_OK(
      mn_index_open_writable(&writable, f.index.block, f.index.block_bytes));
  CHECK_EQUAL(writable.writable, 1);
  CHECK_EQUAL(hash_of(f.index.block, f.index.block_bytes), first);
  CHECK_OK(mn_index_resize(&f.index, N + 1, &f.arena));
  CHECK_EQUAL(mn_index_info(&f.index).sealed, 0);
  CHECK_OK(mn_index_resize(&f.index, N, &f.arena));
  CHECK_EQUAL(hash_of(f.index.block, f.index.block_bytes), open);
  fixture_free(&f);
}

/* A table whose sections would end at the block's end only modulo 2^64. */
static void test_wrapping_section(void) {
  fixture f = fixture_create("flat,f32", MN_L2, D, N);
  uint8_t *block = f.index.block;
  const uint64_t end = f.index.block_bytes, claimed = 960;
  const uint64_t entry[4] = {MN_SECTION('h', 'o', 's', 't') | 1ull << 32, end,
                             claimed - end, 0};
  uint32_t count;
  memcpy(&count, block + 28, 4);
  memcpy(block + 128 + 32 * count, entry, sizeof entry);
  count++;
  memcpy(block + 28, &count, 4);
  memcpy(block + 16, &claimed, 8);
  mn_header_finish((mn_header *)(void *)block);
  mn_index index;
  CHECK_STATUS(mn_index_open(&index, block, claimed), MN_ERROR_CORRUPT);
  fixture_free(&f);
}

int main(void) {
  test_wrapping_section();
  static const char *const specs[] = {
      "flat,f32",
      "flat,sq8",
      "hnsw4,bf16",
      "hnsw8,sq8",
      "flat,bits4",
      "hnsw4,first3,bits2,refine=bits3",
      "hnsw4,pq5x4+c,refine=sq6",
      "flat,pca3,prq3x2x2,refine=f16",
      "flat,opq,pq1x4",
  };
  for (unsigned s = 0; s < sizeof specs / sizeof *specs; s++) {
    test_alignment(sealed(specs[s]));
    test_alignment(packed(specs[s]));
    test_read_only(specs[s]);
    test_contents(sealed(specs[s]));
    test_contents(packed(specs[s]));
  }
  test_graph_bits(sealed("hnsw4,f32"));
  test_graph_bits(packed("hnsw4,f32"));
  test_read_only_in_place();
  test_copied_handle();
  test_truncated();
  test_header();
  test_unsealed();
  test_room();
  test_packed_auto();
  test_untrained();
  test_seal();
  return test_report();
}
