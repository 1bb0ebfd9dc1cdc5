/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other blocks made from the one that the module holds: packed, thawed, or with
 * what is best for their number instead of `auto`. They are made behind it, so
 * that it is there until they are.
 */
#include "block.h"
#include "bytes.h"
#include "module.h"

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

/* Chooses for `count` vectors (0: not known yet), a budget (0: none), and how
 * the block will be read: `report.spec`, trained on `report.value` vectors at
 * least, `report.bytes` at best. */
int32_t EXPORT(choose)(uint32_t count, uint32_t budget_low,
                       uint32_t budget_high, uint32_t is_paged) {
  mn_training training;
  chosen = index_.options; /* seed and ef_construction stay */
  int32_t status = mn_options_choose(
      &chosen, count, (uint64_t)budget_high << 32 | budget_low, is_paged);
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

/* The vectors that an index begins with: those that were stored and stay, and
 * the first that are added, all as a block of `auto` keeps them, so that it
 * does not matter which was which. */
struct beginning {
  uint32_t held, count;
  uint32_t bad_row; /* where status is not MN_OK, counted from the first */
  uint32_t *stay;   /* a bit by slot */
  uint64_t *keys;
  float *rows;
};

static uint32_t words(void) {
  return (index_.capacity + 31) / 32;
}

static uint64_t beginning_bytes(uint32_t count, const mn_sizes *sizes) {
  return round_up((uint64_t)words() * 4) +
         round_up((uint64_t)count * sizeof(uint64_t)) +
         round_up((uint64_t)count * 4 * index_.options.dimensions) +
         round_up((uint64_t)count * sizes->code_bytes);
}

/* Finds those that stay: all but those that rows replace. */
static void find_held(struct beginning *all, const uint64_t *keys,
                      uint32_t replacing) {
  all->stay = mn_arena_allocate(&arena, words() * 4);
  all->held = mn_index_vectors(&index_);
  mn_move(all->stay, index_.live, words() * 4);
  for (uint32_t i = 0, slot; i < replacing; i++) {
    if (mn_index_find(&index_, keys[i], &slot))
      continue;
    const uint32_t bit = 1u << slot % 32;
    all->held -= (all->stay[slot / 32] & bit) != 0;
    all->stay[slot / 32] &= ~bit;
  }
}

static int32_t begin_held(struct beginning *all) {
  const size_t d = index_.options.dimensions;
  int32_t status = MN_OK;
  for (uint32_t slot = 0, i = 0; i < all->held && !status; slot++) {
    if (!(all->stay[slot / 32] >> slot % 32 & 1))
      continue;
    all->keys[i] = index_.keys[slot];
    status = mn_index_decode(
        &index_, index_.codes + (size_t)slot * index_.codec.code_bytes, 1,
        all->rows + d * i++, &arena);
  }
  return status;
}

/* `keys` may be NULL, as for mn_index_append. */
static int32_t begin(struct beginning *all, const mn_vectors *added,
                     const uint64_t *keys) {
  const uint32_t d = index_.options.dimensions, held = all->held;
  all->keys = mn_arena_allocate(&arena, all->count * sizeof *keys);
  all->rows = mn_arena_allocate(&arena, (size_t)all->count * d * 4);
  const mn_vectors head = {added->data, all->count - held, added->dimensions};
  uint8_t *codes =
      mn_arena_allocate(&arena, head.count * (size_t)index_.codec.code_bytes);
  int32_t status =
      mn_index_encode(&index_, &head, codes, &all->bad_row, &arena);
  if (status) {
    all->bad_row += held;
    return status;
  }
  for (uint32_t i = held; i < all->count; i++)
    all->keys[i] = keys ? keys[i - held] : index_.state->added + (i - held);
  status =
      mn_index_decode(&index_, codes, head.count, all->rows + held * d, &arena);
  return status ? status : begin_held(all);
}

/* Vectors without keys are numbered on from all that ever were, and so is the
 * sum over those that tells what encoding lost. */
static void number_on(mn_index *index) {
  mn_state *state = index->state;
  const uint64_t before = index_.state->added, held = mn_index_vectors(&index_);
  if (before <= held)
    return;
  state->error += state->error / state->added * (before - held);
  state->added += before - held;
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

/* Makes room for an index of what `choose` found last, with `capacity`, trained
 * on `at` vectors, and what that takes. */
static int32_t turn_room(uint32_t at, uint32_t capacity) {
  mn_sizes now, then;
  mn_training training;
  int32_t status = plan(index_.capacity, &any_query, &now);
  if (!status)
    status = mn_plan(&chosen, capacity, &any_query, &then);
  if (!status)
    status = mn_plan_training(&chosen, at, &training);
  if (status)
    return status;
  /* Host sections come on top of what mn_plan says of a block. */
  const uint64_t host = index_.block_bytes - now.block_bytes;
  uint64_t scratch = training.scratch_bytes;
  scratch += now.vector_scratch_bytes + then.add_scratch_bytes;
  return make_room(beginning_bytes(at, &now) + then.block_bytes + host +
                   scratch);
}

/* Trains the new index and gives it its vectors: those that it begins with,
 * then the rest of the rows. */
static int32_t fill(mn_index *index, struct beginning *all,
                    const mn_vectors *added, const uint64_t *keys) {
  const uint32_t head = all->count - all->held;
  const mn_vectors first = {all->rows, all->count, added->dimensions};
  int32_t status = index->state->trained
                       ? MN_OK
                       : (int32_t)mn_index_train(index, &first, &arena);
  if (!status)
    status = mn_index_append(index, all->keys, &first, &all->bad_row, &arena);
  if (status)
    return status;
  number_on(index);
  if (head == added->count)
    return MN_OK;
  const mn_vectors rest = {added->data + (size_t)head * added->dimensions,
                           added->count - head, added->dimensions};
  status = mn_index_append(index, keys ? keys + head : NULL, &rest,
                           &all->bad_row, &arena);
  all->bad_row += all->count;
  return status;
}

/* Puts another block in the place of the one that the module holds. */
static int32_t adopt(const mn_index *index) {
  mn_move(arena.base, index->block, index->block_bytes);
  mn_arena_rewind(&arena, 0);
  mn_arena_allocate(&arena, index->block_bytes);
  block_end = arena.used;
  return mn_index_open_writable(&index_, arena.base, block_end);
}

/* Makes of the block what `choose` found last, trained on the first `at`
 * vectors (more than stay, and no more than with those that are added), and
 * adds the rest. Arguments and failure as for `store`; nothing has changed
 * then. */
int32_t EXPORT(turn)(uint32_t how, const float *data, uint32_t count,
                     uint32_t dimensions, const uint64_t *keys, uint32_t at,
                     uint32_t capacity) {
  struct beginning all = {.count = at};
  const mn_vectors added = {data, count, dimensions};
  mn_index index;
  int32_t status = turn_room(at, capacity);
  if (status)
    return status;
  find_held(&all, keys, how == HOW_ADD ? 0 : count);
  status = begin(&all, &added, keys);
  if (!status)
    status = mn_index_create(&index, &chosen, capacity, &arena);
  if (!status)
    status = fill(&index, &all, &added, keys);
  if (!status)
    status = add_host_sections(&index);
  if (!status)
    return adopt(&index);
  /* a row that is held, or training, is no added row's fault */
  report.value = all.bad_row > all.held ? all.bad_row - all.held : 0;
  unstage();
  return status;
}
