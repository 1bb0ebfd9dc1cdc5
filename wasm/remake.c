/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other blocks made from the one that the module holds: packed, thawed, or with
 * what is best for their number instead of `auto`. They are made behind it, so
 * that it is there until they are.
 */
#include "block.h"
#include "bytes.h"
#include "module.h"

/* What the host's sections take. */
static uint64_t host_bytes(void) {
  const mn_header *header = mn_index_header(&index_);
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < header->section_count; i++)
    if (mn_section_is_host(header->table[i].name))
      bytes += round_up(header->table[i].bytes);
  return bytes;
}

/* --- Pack and thaw -------------------------------------------------------- */

/* The result is the `report.bytes` bytes at `report.value`, until the next
 * `stage`. */
static int32_t made(int32_t status, const mn_index *index) {
  if (!status) {
    report.value = (uint32_t)(uintptr_t)index->block;
    report.bytes = index->block_bytes;
  }
  return status;
}

int32_t EXPORT(pack)(void) {
  mn_packing packing;
  mn_index packed;
  unstage();
  int32_t status = mn_plan_pack(&index_, &packing);
  if (!status)
    status = make_room((uint64_t)packing.block_bytes + packing.scratch_bytes);
  if (!status)
    status = mn_index_pack(&index_, &packed, &arena);
  return made(status, &packed);
}

int32_t EXPORT(thaw)(uint32_t capacity) {
  size_t bytes;
  mn_index live;
  unstage();
  int32_t status = mn_plan_thaw(&index_, capacity, &bytes);
  if (!status)
    status = make_room(bytes);
  if (!status)
    status = mn_index_thaw(&index_, capacity, &live, &arena);
  return made(status, &live);
}

/* --- What auto becomes ---------------------------------------------------- */

static mn_options chosen;

/* Chooses for `count` vectors (0: not known yet) and a budget (0: none):
 * `report.spec`, trained on `report.value` vectors at least, `report.bytes` at
 * best. */
int32_t EXPORT(choose)(uint32_t count, uint32_t budget_low,
                       uint32_t budget_high) {
  mn_training training;
  chosen = index_.options; /* seed and ef_construction stay */
  int32_t status = mn_options_choose(&chosen, count,
                                     (uint64_t)budget_high << 32 | budget_low);
  if (!status)
    status = mn_options_format(&chosen, report.spec);
  if (!status)
    status = mn_plan_training(&chosen, 1, &training);
  if (!status) {
    report.value = training.least;
    report.bytes = training.enough;
  }
  return status;
}

/* The vectors that an index begins with: those that were stored and the first
 * that are added, all as a block of `auto` keeps them, so that it does not
 * matter which was which. */
struct beginning {
  uint32_t held, count;
  uint32_t bad_row; /* where status is not MN_OK, counted from the first */
  uint64_t *keys;
  float *rows;
};

static uint64_t beginning_bytes(uint32_t count, const mn_sizes *sizes) {
  return round_up((uint64_t)count * sizeof(uint64_t)) +
         round_up((uint64_t)count * 4 * index_.options.dimensions) +
         round_up((uint64_t)count * sizes->code_bytes);
}

/* `keys` may be NULL, as for mn_index_append. */
static int32_t begin(struct beginning *all, const mn_vectors *added,
                     const uint64_t *keys) {
  const uint32_t d = index_.options.dimensions, held = all->held;
  const void *old_keys, *old_codes;
  size_t bytes;
  all->keys = mn_arena_allocate(&arena, all->count * sizeof *keys);
  all->rows = mn_arena_allocate(&arena, (size_t)all->count * d * 4);
  const mn_vectors head = {added->data, all->count - held, added->dimensions};
  uint8_t *codes = mn_arena_allocate(
      &arena, head.count * (size_t)mn_index_info(&index_).code_bytes);
  int32_t status =
      mn_index_encode(&index_, &head, codes, &all->bad_row, &arena);
  if (status) {
    all->bad_row += held;
    return status;
  }
  mn_index_section(&index_, MN_SECTION('K', 'E', 'Y', 'S'), &old_keys, &bytes);
  mn_index_section(&index_, MN_SECTION('C', 'O', 'D', 'E'), &old_codes, &bytes);
  mn_move(all->keys, old_keys, held * sizeof *keys);
  for (uint32_t i = held; i < all->count; i++)
    all->keys[i] = keys ? keys[i - held] : i;
  status =
      mn_index_decode(&index_, codes, head.count, all->rows + held * d, &arena);
  if (!status && held > 0)
    status = mn_index_decode(&index_, old_codes, held, all->rows, &arena);
  return status;
}

/* Gives a new block what the old one has beside vectors. */
static int32_t add_host_sections(mn_index *index) {
  const mn_header *header = mn_index_header(&index_);
  int32_t status = MN_OK;
  for (uint32_t i = 0; i < header->section_count && !status; i++) {
    const mn_section_entry *entry = &header->table[i];
    if (mn_section_is_host(entry->name))
      status = mn_index_attach(index, entry->name, index_.block + entry->offset,
                               (size_t)entry->bytes, &arena);
  }
  return status;
}

/* Makes of the block what `choose` found last, trained on the first `at`
 * vectors (more than it holds, and no more than with those that are added), and
 * adds the rest. Arguments and failure as for `append`; nothing has changed
 * then. */
int32_t EXPORT(turn)(const float *data, uint32_t count, uint32_t dimensions,
                     const uint64_t *keys, uint32_t at, uint32_t capacity) {
  struct beginning all = {.held = mn_index_info(&index_).count, .count = at};
  const mn_vectors added = {data, count, dimensions};
  const uint32_t head = at - all.held;
  mn_sizes now, then;
  mn_training training;
  int32_t status = plan(index_.capacity, &any_query, &now);
  if (!status)
    status = mn_plan(&chosen, capacity, &any_query, &then);
  if (!status)
    status = mn_plan_training(&chosen, at, &training);
  if (status)
    return status;
  uint64_t scratch = training.scratch_bytes;
  scratch += now.vector_scratch_bytes + then.add_scratch_bytes;
  status = make_room(beginning_bytes(at, &now) + then.block_bytes +
                     host_bytes() + scratch);

  mn_index index;
  if (!status)
    status = begin(&all, &added, keys);
  if (!status)
    status = mn_index_create(&index, &chosen, capacity, &arena);
  const mn_vectors first = {all.rows, at, dimensions};
  if (!status && training.least > 0)
    status = mn_index_train(&index, &first, &arena);
  if (!status)
    status = mn_index_append(&index, all.keys, &first, &all.bad_row, &arena);
  if (!status && head < count) {
    const mn_vectors rest = {data + (size_t)head * dimensions, count - head,
                             dimensions};
    status = mn_index_append(&index, keys ? keys + head : NULL, &rest,
                             &all.bad_row, &arena);
    all.bad_row += at;
  }
  if (!status)
    status = add_host_sections(&index);
  if (status) {
    /* a row that is held, or training, is no added row's fault */
    report.value = all.bad_row > all.held ? all.bad_row - all.held : 0;
    unstage();
    return status;
  }
  mn_move(arena.base, index.block, index.block_bytes);
  mn_arena_rewind(&arena, 0);
  mn_arena_allocate(&arena, index.block_bytes);
  block_end = arena.used;
  return mn_index_open_writable(&index_, arena.base, block_end);
}
