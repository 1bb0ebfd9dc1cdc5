/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the capacity, host sections, and both together. */
#include "fixture.h"

#define D     7u
#define NAME  MN_SECTION('d', 'o', 'c', 's')
#define OTHER MN_SECTION('m', 'o', 'd', 'l')

static void check_section(const fixture *f, uint32_t name, const char *text) {
  const void *data = NULL;
  size_t bytes = 0;
  CHECK_OK(mn_index_section(&f->index, name, &data, &bytes));
  CHECK_EQUAL(bytes, strlen(text));
  CHECK(data && !memcmp(data, text, strlen(text)));
  CHECK((uintptr_t)data % 8 == 0);
}

static mn_status attach(fixture *f, uint32_t name, const char *text) {
  return mn_index_attach(&f->index, name, text, strlen(text), &f->arena);
}

static void check_rows(fixture *f, const float *rows, uint32_t count) {
  float row[D];
  for (uint32_t i = 0; i < count; i++) {
    memset(row, 0, sizeof row);
    CHECK_OK(fixture_reconstruct(f, i, row));
    CHECK(!memcmp(row, rows + i * D, sizeof row));
  }
  CHECK_OK(mn_index_verify(&f->index));
}

static uint64_t block_hash(const fixture *f) {
  return hash_of(f->index.block, f->index.block_bytes);
}

/* Up and down in place, sections and vectors come along; and any way from one
 * capacity to another ends in the same bytes. */
static void test_up_and_down(const char *spec) {
  fixture f = fixture_create(spec, MN_L2, D, 1);
  float *rows = fixture_rows("uniform", 0, 200, D);
  fixture_train(&f, rows, 200);
  uint8_t *block = f.index.block;
  CHECK_OK(attach(&f, NAME, "first"));
  CHECK_OK(attach(&f, OTHER, "second section"));
  for (uint32_t n = 0; n < 200; n++) {
    if (n == f.index.capacity)
      CHECK_OK(mn_index_resize(&f.index, n + n / 2 + 1, &f.arena));
    CHECK(f.index.block == block);
    CHECK_OK(fixture_add(&f, NULL, rows + n * D, 1));
  }
  check_section(&f, NAME, "first");
  check_section(&f, OTHER, "second section");
  check_rows(&f, rows, 200);
  CHECK_REFUSED(&f, mn_index_resize(&f.index, 199, &f.arena),
                MN_ERROR_CAPACITY);
  CHECK_OK(mn_index_resize(&f.index, 200, &f.arena));
  uint64_t tight = block_hash(&f);
  CHECK_OK(mn_index_resize(&f.index, 5000, &f.arena));
  CHECK_EQUAL(f.arena.used, f.index.block_bytes);
  check_rows(&f, rows, 200);
  check_section(&f, OTHER, "second section");
  CHECK_OK(mn_index_resize(&f.index, 201, &f.arena));
  CHECK_OK(mn_index_resize(&f.index, 200, &f.arena));
  CHECK_EQUAL(block_hash(&f), tight);
  CHECK_EQUAL(f.arena.used, f.index.block_bytes);

  fixture once = fixture_create(spec, MN_L2, D, 200);
  fixture_train(&once, rows, 200);
  CHECK_OK(fixture_add(&once, NULL, rows, 200));
  CHECK_OK(attach(&once, NAME, "first"));
  CHECK_OK(attach(&once, OTHER, "second section"));
  CHECK_EQUAL(block_hash(&once), tight);
  CHECK_EQUAL(once.index.block_bytes, f.index.block_bytes);
  fixture_free(&once);
  fixture_free(&f);
  free(rows);
}

/* The block is not the last thing in the arena: a new one, the old unharmed. */
static void test_elsewhere(void) {
  fixture f = fixture_filled("hnsw4,f32", MN_L2, D, "uniform", 30);
  CHECK_OK(attach(&f, NAME, "docs"));
  CHECK_OK(mn_index_seal(&f.index));
  fixture old = f;
  uint8_t *wall = mn_arena_allocate(&f.arena, 1);
  *wall = 42;
  uint64_t before = block_hash(&old);
  CHECK_REFUSED(&f, attach(&f, NAME, "more"), MN_ERROR_ARGUMENT);
  CHECK_OK(mn_index_resize(&f.index, 60, &f.arena));
  CHECK(f.index.block == wall + 64);
  CHECK_EQUAL(*wall, 42);
  CHECK_EQUAL(block_hash(&old), before);
  CHECK_EQUAL(mn_index_info(&old.index).sealed, 1);
  CHECK_EQUAL(mn_index_info(&f.index).sealed, 0);
  CHECK_EQUAL(f.index.capacity, 60);
  check_section(&f, NAME, "docs");
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_OK(mn_index_verify(&old.index));
  fixture_free(&f);
}

/* --- Host sections -------------------------------------------------------- */

static void test_attach(void) {
  fixture f = fixture_filled("flat,f32", MN_L2, D, "uniform", 10);
  const void *data = &f;
  size_t bytes = 99;
  uint64_t bare = block_hash(&f);
  CHECK_STATUS(mn_index_section(&f.index, NAME, &data, &bytes),
               MN_ERROR_SECTION);
  CHECK(data == &f && bytes == 99);
  CHECK_OK(attach(&f, NAME, "one"));
  check_section(&f, NAME, "one");
  CHECK_OK(attach(&f, OTHER, "two"));
  char large[1000];
  memset(large, 'x', sizeof large - 1);
  large[sizeof large - 1] = 0;
  CHECK_OK(attach(&f, NAME, large));
  check_section(&f, NAME, large);
  check_section(&f, OTHER, "two");
  CHECK_OK(attach(&f, NAME, "small again"));
  check_section(&f, NAME, "small again");
  check_section(&f, OTHER, "two");
  CHECK_EQUAL(f.arena.used, f.index.block_bytes);
  CHECK_OK(mn_index_seal(&f.index));
  CHECK_OK(mn_index_attach(&f.index, NAME, NULL, 0, &f.arena));
  CHECK_EQUAL(mn_index_info(&f.index).sealed, 0);
  CHECK_STATUS(mn_index_section(&f.index, NAME, &data, &bytes),
               MN_ERROR_SECTION);
  check_section(&f, OTHER, "two");
  CHECK_OK(mn_index_attach(&f.index, OTHER, "", 0, &f.arena));
  CHECK_EQUAL(block_hash(&f), bare);
  CHECK_REFUSED(&f, mn_index_attach(&f.index, OTHER, NULL, 0, &f.arena),
                MN_ERROR_SECTION);
  fixture_free(&f);
}

static void test_attach_refused(void) {
  fixture f = fixture_filled("flat,f32", MN_L2, D, "uniform", 10);
  static const uint32_t reserved[] = {MN_SECTION('S', 'T', 'A', 'T'),
                                      MN_SECTION('C', 'O', 'D', 'E'),
                                      MN_SECTION('Z', 'z', 'z', 'z'),
                                      MN_SECTION('1', 'a', 'a', 'a'),
                                      MN_SECTION('`', 'a', 'a', 'a'),
                                      MN_SECTION('{', 'a', 'a', 'a'),
                                      0};
  for (unsigned i = 0; i < sizeof reserved / sizeof *reserved; i++)
    CHECK_REFUSED(&f, attach(&f, reserved[i], "text"), MN_ERROR_SECTION);
  CHECK_REFUSED(&f, mn_index_attach(&f.index, NAME, NULL, 5, &f.arena),
                MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_attach(&f.index, NAME, "text", 4, NULL),
                MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f, mn_index_attach(&f.index, NAME, f.index.block, 4, &f.arena),
                MN_ERROR_ARGUMENT);
  CHECK_REFUSED(&f,
                mn_index_attach(&f.index, NAME,
                                f.index.block + f.index.block_bytes - 1, 4,
                                &f.arena),
                MN_ERROR_ARGUMENT);
  mn_arena full = f.arena;
  f.arena.capacity = f.arena.used + 63;
  CHECK_REFUSED(&f, attach(&f, NAME, "text"), MN_ERROR_ARENA);
  f.arena.capacity = f.arena.used + 64;
  CHECK_OK(attach(&f, NAME, "text"));
  CHECK_EQUAL(f.arena.used, f.arena.capacity);
  f.arena.capacity = full.capacity;
  for (char c = 'b'; c < 'b' + (char)MN_HOST_SECTIONS_MAX - 1; c++)
    CHECK_OK(attach(&f, MN_SECTION(c, 'x', 'x', 'x'), "text"));
  CHECK_REFUSED(&f, attach(&f, MN_SECTION('z', 'x', 'x', 'x'), "text"),
                MN_ERROR_SECTION);
  CHECK_OK(attach(&f, NAME, "replaced"));
  check_section(&f, NAME, "replaced");
  CHECK_OK(mn_index_verify(&f.index));
  fixture_free(&f);
}

/* --- MN_AUTO -------------------------------------------------------------- */

static void test_auto(void) {
  fixture f = fixture_filled("auto,f32", MN_L2, 3, "uniform", 500);
  uint32_t left = 77;
  CHECK(f.index.is_auto && f.index.options.structure == MN_FLAT);
  CHECK_EQUAL(mn_index_info(&f.index).linked, 500);
  uint64_t flat = block_hash(&f);
  CHECK_OK(mn_index_resize(&f.index, MN_AUTO_HNSW_CAPACITY - 1, &f.arena));
  CHECK_EQUAL(f.index.options.structure, MN_FLAT);
  CHECK_OK(mn_index_resize(&f.index, MN_AUTO_HNSW_CAPACITY, &f.arena));
  CHECK(f.index.is_auto && f.index.options.structure == MN_HNSW);
  CHECK_EQUAL(mn_index_info(&f.index).linked, 0);
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_OK(mn_index_link(&f.index, 100, &left, &f.arena));
  CHECK_EQUAL(left, 5 * MN_LINK_BATCH); /* of 500, 128 are linked */
  CHECK_OK(mn_index_link(&f.index, UINT32_MAX, &left, &f.arena));
  CHECK_EQUAL(left, 0);
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_OK(mn_index_resize(&f.index, 500, &f.arena));
  CHECK_EQUAL(f.index.options.structure, MN_FLAT);
  CHECK_EQUAL(block_hash(&f), flat);
  fixture_free(&f);
}

/* In place or into a new block, a step of one at a time: the same bytes, also
 * where rounding hides the growth of one section or of all. */
static void test_every_capacity(void) {
  enum { MOST = 400 };
  for (uint32_t n = 16; n < MOST; n++) {
    fixture f = fixture_create("hnsw4,f32", MN_L2, 1, n);
    float *rows = fixture_rows("uniform", 0, n, 1);
    CHECK_OK(fixture_add(&f, NULL, rows, n));
    mn_index copy = f.index;
    void *memory = malloc(1 << 20);
    mn_arena other = mn_arena_over(memory, 1 << 20);
    CHECK_OK(mn_index_resize(&copy, n + 1, &other));
    CHECK_OK(mn_index_resize(&f.index, n + 1, &f.arena));
    CHECK_EQUAL(copy.block_bytes, f.index.block_bytes);
    CHECK(memcmp(copy.block, f.index.block, copy.block_bytes) == 0);
    CHECK_OK(mn_index_verify(&f.index));
    free(memory);
    free(rows);
    fixture_free(&f);
  }
}

int main(void) {
  test_every_capacity();
  test_up_and_down("flat,f32");
  test_up_and_down("hnsw4,f32");
  test_up_and_down("hnsw16,f32");
  test_up_and_down("ivf4,f32");
  test_elsewhere();
  test_attach();
  test_attach_refused();
  test_auto();
  return test_report();
}
