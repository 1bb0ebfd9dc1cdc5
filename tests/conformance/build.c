/* SPDX-License-Identifier: Apache-2.0 */
/* Building an index in the ways of the column `how`. */
#include "case.h"

#include <stdlib.h>

/* --- Building ------------------------------------------------------------- */

static mn_status add(runner *r, uint32_t first, uint32_t count) {
  mn_vectors vectors = case_view(r, first, count);
  return mn_index_add(&r->index, r->keys ? r->keys + first : NULL, &vectors,
                      NULL, &r->arena);
}

/* Batches of 1, 2, 3, … rows, into an index that doubles when it is full. */
static mn_status build_growing(runner *r, uint32_t n) {
  for (uint32_t first = 0, batch = 1; first < n; batch++) {
    uint32_t count = batch < n - first ? batch : n - first;
    while (r->index.capacity < first + count)
      TRY(mn_index_resize(&r->index, 2 * r->index.capacity, &r->arena));
    TRY(add(r, first, count));
    first += count;
  }
  return MN_OK;
}

static mn_status build_in_steps(runner *r, uint32_t n) {
  mn_vectors vectors = case_view(r, 0, n);
  TRY(mn_index_append(&r->index, r->keys, &vectors, NULL, &r->arena));
  for (uint32_t left = 1; left;)
    TRY(mn_index_link(&r->index, 7, &left, &r->arena));
  return MN_OK;
}

/* As threads do it: the vectors of a batch proposed for by two handles, in an
 * order of no meaning. */
static mn_status build_in_halves(runner *r, uint32_t n) {
  const mn_vectors vectors = case_view(r, 0, n);
  const mn_query query = {.k = 1};
  mn_sizes sizes;
  uint32_t count;
  TRY(mn_index_append(&r->index, r->keys, &vectors, NULL, &r->arena));
  TRY(mn_plan(&r->index.options, r->index.capacity, &query, &sizes));
  const size_t mark = mn_arena_mark(&r->arena);
  void *proposals = mn_arena_allocate(&r->arena, sizes.proposals_bytes);
  mn_index handles[] = {r->index, r->index};
  while ((count = mn_index_batch(&r->index)) > 0) {
    for (uint32_t i = 0; i < count; i++) {
      const uint32_t nth = i * 27 % count; /* odd, and count a power of 2 */
      TRY(mn_index_propose(&handles[i / 3 % 2], nth, nth + 1, proposals,
                           &r->arena));
    }
    TRY(mn_index_commit(&r->index, proposals, &r->arena));
  }
  mn_arena_rewind(&r->arena, mark);
  return MN_OK;
}

/* Half of the rows, close, open elsewhere, the other half. */
static mn_status build_reopened(runner *r, uint32_t n) {
  TRY(mn_index_resize(&r->index, n / 2, &r->arena));
  TRY(add(r, 0, n / 2));
  TRY(mn_index_seal(&r->index));
  size_t bytes = r->index.block_bytes;
  uint8_t *copy = malloc(bytes);
  if (!copy)
    return MN_ERROR_ARENA;
  memcpy(copy, r->index.block, bytes);
  mn_arena_rewind(&r->arena, 0);
  uint8_t *block = mn_arena_allocate(&r->arena, bytes);
  memcpy(block, copy, bytes);
  free(copy);
  TRY(mn_index_open_writable(&r->index, block, bytes));
  mn_index_use_features(&r->index, r->features);
  TRY(mn_index_resize(&r->index, n, &r->arena));
  return add(r, n / 2, n - n / 2);
}

/* Packed, and packed again from what it is thawed to, or left so. The live
 * block stays below. */
static mn_status pack(runner *r, const char *how) {
  if (!strcmp(how, "pack") || !strcmp(how, "thaw") || !strcmp(how, "repack"))
    TRY(mn_index_pack(&r->index, &r->index, &r->arena));
  if (!strcmp(how, "thaw") || !strcmp(how, "repack"))
    TRY(mn_index_thaw(&r->index, r->index.capacity, &r->index, &r->arena));
  if (!strcmp(how, "repack"))
    TRY(mn_index_pack(&r->index, &r->index, &r->arena));
  return MN_OK;
}

mn_status case_build(runner *r, const test_case *c, gen_hash *answers) {
  int grows = !strcmp(c->how, "grow") || !c->n;
  TRY(mn_index_create(&r->index, &c->options, grows ? 1 : c->n, &r->arena));
  mn_index_use_features(&r->index, r->features);
  if (c->train) {
    mn_vectors sample = case_view(r, 0, c->train);
    TRY(mn_index_train(&r->index, &sample, &r->arena));
  }
  if (!strcmp(c->how, "grow"))
    TRY(build_growing(r, c->n));
  else if (!strcmp(c->how, "steps"))
    TRY(build_in_steps(r, c->n));
  else if (!strcmp(c->how, "threads"))
    TRY(build_in_halves(r, c->n));
  else if (!strcmp(c->how, "reopen"))
    TRY(build_reopened(r, c->n));
  else if (c->n)
    TRY(add(r, 0, c->n));
  if (!strcmp(c->how, "attach")) {
    TRY(mn_index_attach(&r->index, MN_SECTION('t', 'e', 's', 't'), "minnow", 6,
                        &r->arena));
    TRY(mn_index_attach(&r->index, MN_SECTION('a', 'B', '_', '9'), c->name, 1,
                        &r->arena));
  }
  TRY(case_change(r, c, answers));
  const uint32_t slots = mn_index_info(&r->index).slots;
  TRY(mn_index_resize(&r->index, slots ? slots : 1, &r->arena));
  TRY(pack(r, c->how));
  return mn_index_seal(&r->index);
}
