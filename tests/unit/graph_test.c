/* SPDX-License-Identifier: Apache-2.0 */
/* Lists, twins and entries as they stand in a block, live and packed. */
#include "../../core/block.h"
#include "../../core/structure/graph.h"
#include "fixture.h"

#define D 3u

/* --- Lists ---------------------------------------------------------------- */

/* No two lists share a byte, and together they fill the section. */
static void test_places(const char *spec, uint32_t m) {
  enum { CAPACITY = 70 };
  fixture f = fixture_create(spec, MN_L2, D, CAPACITY);
  size_t bytes;
  const uint8_t *section =
      fixture_section(&f, MN_SECTION('L', 'I', 'N', 'K'), &bytes);
  CHECK_EQUAL(mn_links_max(m), 2 * m);
  CHECK_EQUAL(mn_graph_link_bytes(m, CAPACITY), bytes);
  CHECK_EQUAL(mn_graph_bytes(&f.index), bytes);
  for (uint32_t slot = 0; slot < CAPACITY; slot++)
    CHECK((const uint8_t *)mn_graph_list(&f.index, slot) ==
          section + slot * 4 * (1 + 2 * m));
  CHECK_EQUAL(bytes, CAPACITY * 4 * (1 + 2 * m));
  CHECK_EQUAL(mn_graph_link_bytes(64, MN_CAPACITY_MAX), 0x7fffffffull * 516);
  fixture_free(&f);
}

/* A list's length is not trusted. */
static void test_plain(void) {
  uint32_t list[9] = {3, 10, 11, 12};
  CHECK_EQUAL(mn_plain_links(list, 8), 3);
  CHECK(!mn_list_is_twin(list));
  list[3] |= MN_TWIN;
  CHECK_EQUAL(mn_plain_links(list, 8), 2);
  list[0] = 8;
  CHECK_EQUAL(mn_plain_links(list, 8), 8);
  list[0] = 9;
  CHECK_EQUAL(mn_plain_links(list, 8), 8);
  list[0] = 0;
  CHECK_EQUAL(mn_plain_links(list, 8), 0);
  list[0] = MN_TWIN | 1;
  CHECK(mn_list_is_twin(list));
}

/* --- Twins ---------------------------------------------------------------- */

/* The chain that hangs on each vector, as many as are equal. */
static void check_chains(const mn_index *index, uint32_t equal) {
  uint32_t firsts = 0, room[128];
  const uint32_t *links;
  for (uint32_t slot = 0; slot < index->state->linked; slot++) {
    const uint32_t count = mn_graph_links(index, slot, room, &links);
    uint32_t length = 1, twin = slot;
    const int is_twin = index->is_packed
                            ? count == 0
                            : mn_list_is_twin(mn_graph_list(index, slot));
    for (uint32_t i = 0; i < count; i++)
      CHECK(links[i] < index->state->linked);
    if (is_twin)
      continue;
    CHECK(count > 0);
    firsts++;
    while ((twin = mn_graph_twin(index, twin)) != MN_TWIN && length <= equal) {
      const float *code = (const void *)(index->codes + slot * 4 * D);
      CHECK(!memcmp(code, index->codes + twin * 4 * D, 4 * D));
      length++;
    }
    CHECK_EQUAL(length, equal);
  }
  CHECK_EQUAL(firsts * equal, index->state->linked);
}

static void test_twins(void) {
  enum { N = 128, DIFFERENT = 16 };
  fixture f = fixture_create("hnsw4,f32", MN_L2, D, N);
  float *rows = fixture_rows("uniform", 0, N, D);
  for (uint32_t i = DIFFERENT; i < N; i++)
    memcpy(rows + i * D, rows + i % DIFFERENT * D, D * sizeof *rows);
  CHECK_OK(fixture_add(&f, NULL, rows, N));
  check_chains(&f.index, N / DIFFERENT);
  mn_index packed, live;
  CHECK_OK(mn_index_pack(&f.index, &packed, &f.arena));
  check_chains(&packed, N / DIFFERENT);
  CHECK_OK(mn_index_thaw(&packed, N, &live, &f.arena));
  check_chains(&live, N / DIFFERENT);
  /* A mark that leads nowhere leads nowhere. */
  uint32_t *list = mn_graph_list(&f.index, 0);
  list[list[0]] = MN_TWIN | N;
  CHECK_EQUAL(mn_graph_twin(&f.index, 0), MN_TWIN);
  list[0] = 0xffffffff;
  CHECK_EQUAL(mn_graph_twin(&f.index, 0), MN_TWIN);
  free(rows);
  fixture_free(&f);
}

/* --- Entries -------------------------------------------------------------- */

/* Slots that are entered, in order, and what must be the entries then. */
static void test_entries(void) {
  fixture f = fixture_create("hnsw4,f32", MN_L2, D, 1);
  mn_state *state = f.index.state;
  const uint32_t *entries = f.index.entries;
  CHECK(state->entries == 0 && state->stride == 0);
  CHECK(mn_graph_begins(&f.index));
  for (uint32_t slot = 0; slot < 5000; slot++) {
    mn_graph_enter(&f.index, slot);
    uint32_t stride = 1;
    while ((slot / stride) + 1 > MN_ENTRIES)
      stride *= 2;
    CHECK_EQUAL(state->stride, stride);
    CHECK_EQUAL(state->entries, slot / stride + 1);
    for (uint32_t i = 0; i < MN_ENTRIES; i++)
      CHECK_EQUAL(entries[i], i < state->entries ? i * stride : 0);
  }
  fixture_free(&f);
}

/* A twin is none: the slots that would be twins are left out. */
static void test_entries_without_twins(void) {
  enum { N = 640 };
  fixture f = fixture_create("hnsw4,f32", MN_L2, D, N);
  float *rows = fixture_rows("uniform", 0, N, D);
  for (uint32_t i = 1; i < N; i += 2)
    memcpy(rows + i * D, rows + (i - 1) * D, D * sizeof *rows);
  for (uint32_t i = 4; i < N; i += 16) /* of those that a stride meets, too */
    memcpy(rows + i * D, rows, D * sizeof *rows);
  CHECK_OK(fixture_add(&f, NULL, rows, N));
  CHECK_OK(mn_index_verify(&f.index));
  const mn_state *state = f.index.state;
  CHECK(state->entries > 16 && state->entries <= MN_ENTRIES);
  for (uint32_t i = 0; i < state->entries; i++) {
    CHECK(!mn_list_is_twin(mn_graph_list(&f.index, f.index.entries[i])));
    CHECK(i == 0 || f.index.entries[i - 1] < f.index.entries[i]);
  }
  mn_index packed;
  CHECK_OK(mn_index_pack(&f.index, &packed, &f.arena));
  CHECK_EQUAL(packed.state->entries, state->entries);
  CHECK_EQUAL(packed.state->stride, state->stride);
  for (uint32_t i = 0; i < state->entries; i++)
    CHECK_EQUAL(packed.keys[packed.entries[i]], f.index.entries[i]);
  free(rows);
  fixture_free(&f);
}

/* Whether number and stride can be: what opening asks. */
static void test_begins(void) {
  static const struct {
    uint32_t linked, entries, stride;
    int begins;
  } cases[] = {{0, 0, 0, 1},   {0, 1, 1, 0},    {0, 0, 1, 0},
               {64, 64, 1, 1}, {64, 0, 1, 0},   {64, 0, 0, 0},
               {64, 64, 0, 0}, {64, 65, 1, 0},  {64, 64, 3, 0},
               {64, 1, 2, 1},  {64, 1, ~0u, 0}, {64, 1, 1u << 31, 1}};
  fixture f = fixture_create("hnsw4,f32", MN_L2, D, 64);
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    f.index.state->linked = cases[i].linked;
    f.index.state->entries = cases[i].entries;
    f.index.state->stride = cases[i].stride;
    CHECK(mn_graph_begins(&f.index) == cases[i].begins);
  }
  fixture_free(&f);
  f = fixture_filled("flat,f32", MN_L2, D, "uniform", 10);
  CHECK(mn_graph_begins(&f.index));
  CHECK_EQUAL(mn_graph_bytes(&f.index), 0);
  f.index.state->stride = 1;
  CHECK(!mn_graph_begins(&f.index));
  fixture_free(&f);
}

int main(void) {
  test_places("hnsw4", 4);
  test_places("hnsw5", 5);
  test_places("hnsw64", 64);
  test_plain();
  test_twins();
  test_entries();
  test_entries_without_twins();
  test_begins();
  return test_report();
}
