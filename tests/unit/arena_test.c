/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static _Alignas(64) uint8_t memory[4096];

static int aligned(const void *p) {
  return (uintptr_t)p % MN_ALIGNMENT == 0;
}

static void test_over(void) {
  for (size_t skip = 0; skip <= 64; skip++) {
    mn_arena arena = mn_arena_over(memory + skip, 1000);
    size_t lost = (64 - skip % 64) % 64;
    CHECK(arena.base == memory + skip + lost);
    CHECK_EQUAL(arena.capacity, 1000 - lost);
    CHECK_EQUAL(arena.used, 0);
    CHECK_EQUAL(arena.peak, 0);
  }
  mn_arena tiny = mn_arena_over(memory + 1, 62);
  CHECK_EQUAL(tiny.capacity, 0);
  CHECK(mn_arena_allocate(&tiny, 1) == NULL);
  mn_arena none = mn_arena_over(NULL, 0);
  CHECK(mn_arena_allocate(&none, 1) == NULL);
}

static void test_allocate(void) {
  mn_arena arena = mn_arena_over(memory, 256);
  uint8_t *a = mn_arena_allocate(&arena, 1);
  uint8_t *b = mn_arena_allocate(&arena, 64);
  uint8_t *c = mn_arena_allocate(&arena, 65);
  CHECK(a == memory && b == memory + 64 && c == memory + 128);
  CHECK(aligned(a) && aligned(b) && aligned(c));
  CHECK_EQUAL(arena.used, 256);
  CHECK_EQUAL(arena.peak, 256);
  CHECK(mn_arena_allocate(&arena, 1) == NULL);
  CHECK_EQUAL(arena.used, 256);
}

/* Bytes are rounded up before they are compared with what is left. */
static void test_full(void) {
  mn_arena arena = mn_arena_over(memory, 127);
  CHECK(mn_arena_allocate(&arena, 65) == NULL);
  CHECK(mn_arena_allocate(&arena, 64) == memory);
  CHECK(mn_arena_allocate(&arena, 1) == NULL);
  CHECK(mn_arena_allocate(&arena, SIZE_MAX) == NULL);
  CHECK(mn_arena_allocate(&arena, SIZE_MAX - 63) == NULL);
  CHECK(mn_arena_allocate(&arena, SIZE_MAX - 64) == NULL);
  CHECK_EQUAL(arena.used, 64);
  CHECK_EQUAL(arena.peak, 64);
}

static void test_rewind(void) {
  mn_arena arena = mn_arena_over(memory, sizeof memory);
  mn_arena_allocate(&arena, 100);
  size_t mark = mn_arena_mark(&arena);
  mn_arena_allocate(&arena, 1000);
  mn_arena_rewind(&arena, mark);
  CHECK_EQUAL(arena.used, 128);
  CHECK_EQUAL(arena.peak, 128 + 1024);
  CHECK(mn_arena_allocate(&arena, 1) == memory + 128);
  mn_arena_rewind(&arena, 4096); /* beyond used: ignored */
  CHECK_EQUAL(arena.used, 192);
  mn_arena copy = arena;
  mn_arena_allocate(&copy, 64);
  CHECK_EQUAL(arena.used, 192);
  mn_arena_rewind(&arena, 0);
  CHECK_EQUAL(arena.used, 0);
}

int main(void) {
  test_over();
  test_allocate();
  test_full();
  test_rewind();
  return test_report();
}
