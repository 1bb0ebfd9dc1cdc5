/* SPDX-License-Identifier: Apache-2.0 */
/* Levels and the places of lists, which follow from slot, M and seed. */
#include "../../core/structure/graph.h"
#include "fixture.h"

#define CAPACITY 5000u

/* One slot in M of each level is on the next; at most one to a list. */
static void test_levels(uint32_t m, uint64_t seed) {
  const mn_options options = {.m = m, .seed = seed};
  uint32_t top = mn_graph_top(m, CAPACITY), on_level[8] = {0};
  static uint8_t taken[CAPACITY];
  for (uint32_t level = 1; level <= top; level++) {
    uint32_t group = 1;
    for (uint32_t l = 0; l < level; l++)
      group *= m;
    memset(taken, 0, sizeof taken);
    for (uint32_t slot = 0; slot < CAPACITY; slot++) {
      if (mn_graph_level(&options, slot) < level)
        continue;
      on_level[level]++;
      CHECK(!taken[slot / group]);
      CHECK(slot + 1 >= group);
      taken[slot / group] = 1;
    }
    CHECK_EQUAL(mn_graph_lists(m, CAPACITY, level),
                (CAPACITY + group - 1) / group);
    /* All groups have one, but for the first and an incomplete last. */
    CHECK(on_level[level] + 2 >= CAPACITY / group);
    CHECK(on_level[level] <= CAPACITY / group + 1);
  }
  for (uint32_t slot = 0; slot < CAPACITY; slot++)
    CHECK(mn_graph_level(&options, slot) <= mn_graph_top(m, slot + 1));
}

static void test_top(void) {
  CHECK_EQUAL(mn_graph_top(4, 1), 0);
  CHECK_EQUAL(mn_graph_top(4, 3), 0);
  CHECK_EQUAL(mn_graph_top(4, 4), 1);
  CHECK_EQUAL(mn_graph_top(4, 63), 2);
  CHECK_EQUAL(mn_graph_top(4, 64), 3);
  CHECK_EQUAL(mn_graph_top(4, MN_CAPACITY_MAX), 15);
  CHECK_EQUAL(mn_graph_top(64, MN_CAPACITY_MAX), 5);
}

/* The seed decides who is on a level, all 64 bits of it. */
static void test_seed(void) {
  uint32_t low = 0, high = 0;
  for (uint32_t slot = 0; slot < CAPACITY; slot++) {
    const mn_options a = {.m = 8}, b = {.m = 8, .seed = 1},
                     c = {.m = 8, .seed = 1ull << 32};
    low += mn_graph_level(&a, slot) != mn_graph_level(&b, slot);
    high += mn_graph_level(&a, slot) != mn_graph_level(&c, slot);
  }
  CHECK(low > CAPACITY / 8 && high > CAPACITY / 8);
}

/* No two lists share a byte, and together they fill both sections. */
static void test_places(const char *spec) {
  enum { SMALL = 300 };
  fixture f = fixture_create(spec, MN_L2, 1, SMALL);
  const uint32_t m = f.options.m;
  const size_t upper = (size_t)mn_graph_upper_bytes(m, SMALL);
  size_t seen = 0;
  uint8_t *used = calloc(upper + 1, 1);
  uint32_t group = 1;
  for (uint32_t slot = 0; slot < SMALL; slot++)
    CHECK(mn_graph_list(&f.index, slot, 0) ==
          f.index.links + slot * (1 + 2 * m));
  CHECK_EQUAL(mn_graph_link_bytes(m, SMALL), SMALL * 4 * (1 + 2 * m));
  for (uint32_t level = 1; level <= mn_graph_top(m, SMALL); level++) {
    group *= m;
    for (uint32_t slot = 0; slot < SMALL; slot++) {
      uint32_t *list = mn_graph_list(&f.index, slot, level);
      size_t at = (size_t)(list - f.index.upper) * 4, bytes = 4 * (1 + m);
      CHECK(list == mn_graph_list(&f.index, slot / group * group, level));
      CHECK(at + bytes <= upper);
      if (slot % group)
        continue;
      for (size_t i = at; i < at + bytes && i < upper; i++)
        seen += used[i]++ == 0;
    }
  }
  CHECK_EQUAL(seen, upper);
  free(used);
  fixture_free(&f);
}

int main(void) {
  static const uint32_t ms[] = {4, 5, 16, 64};
  for (unsigned i = 0; i < 4; i++)
    for (uint64_t seed = 0; seed < 3; seed++)
      test_levels(ms[i], seed << (31 * seed));
  test_top();
  test_seed();
  test_places("hnsw4");
  test_places("hnsw5");
  test_places("hnsw16");
  return test_report();
}
