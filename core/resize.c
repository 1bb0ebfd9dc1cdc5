/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the capacity: every part of a block moves to its new place, within
 * the block's own memory or into a new block. */
#include "block.h"
#include "bytes.h"
#include "key_map.h"
#include "options.h"
#include "slots.h"
#include "structure/pending.h"

#ifndef MN_ONLY_SEARCH

/* A run of bytes that keeps its beginning. */
typedef struct part {
  uint64_t from; /* offset in the old block */
  uint64_t to;   /* in the new one */
  uint64_t
      kept; /* bytes to copy; what follows up to the next part is cleared */
} part;

/* The core's sections, the host's as a whole, and the end. */
#define PARTS_MAX (MN_CORE_SECTIONS + 2)

typedef struct shape {
  mn_layout layout;
  uint32_t capacity;
} shape;

static uint64_t smaller(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

static uint32_t list_parts(const mn_index *index, const shape *was,
                           const shape *is, part *parts) {
  uint32_t count = 0;
  for (unsigned i = 0; i < MN_CORE_SECTIONS; i++) {
    const uint64_t kept = smaller(was->layout.bytes[i], is->layout.bytes[i]);
    /* The key map is made anew: its size decides where a key lies. */
    parts[count++] = (part){was->layout.offset[i], is->layout.offset[i],
                            i == MN_AT_KEY_MAP ? 0 : kept};
  }
  const uint64_t host_bytes = index->block_bytes - was->layout.end;
  parts[count++] = (part){was->layout.end, is->layout.end, host_bytes};
  parts[count] = (part){0, is->layout.end + host_bytes, 0};
  return count;
}

static void move_part(const part *p, const uint8_t *from, uint8_t *to) {
  mn_move(to + p->to, from + p->from, (size_t)p->kept);
  mn_zero(to + p->to + p->kept, (size_t)(p[1].to - p->to - p->kept));
}

/* Within one block a part may lie where another goes: when growing the last
 * moves first, when shrinking the first. */
static void move_parts(const part *parts, uint32_t count, const uint8_t *from,
                       uint8_t *to, int growing) {
  for (uint32_t i = 0; i < count; i++)
    move_part(&parts[growing ? count - 1 - i : i], from, to);
}

static void write_header(uint8_t *block, const mn_header *was,
                         const mn_options *options, const shape *to) {
  mn_section_entry hosts[MN_HOST_SECTIONS_MAX];
  const uint32_t host_count = mn_header_hosts(was, hosts);
  const uint32_t flags = was->flags & (MN_FLAG_AUTO | MN_FLAG_UNNAMED);
  mn_header *header = (void *)block;
  mn_header_write(header, options, flags, to->capacity, NULL, &to->layout);
  mn_header_add_hosts(header, hosts, host_count);
}

/* After MN_AUTO changed its mind: every vector waits for the graph; or what the
 * graph passed through is free. */
static void restart_graph(mn_index *index) {
  mn_state *state = index->state;
  const int is_graph = index->options.structure == MN_HNSW;
  state->entries = state->stride = 0;
  state->pending_first = state->pending_last = 0;
  state->sweep = state->cursor = state->era = state->dying = 0;
  for (uint32_t slot = 0; !is_graph && slot < state->count; slot++)
    if (mn_slot_is_dead(index, slot))
      mn_slot_bury(index, slot);
  state->linked = is_graph ? 0 : state->count - state->free;
  if (is_graph)
    mn_pending_fill(index);
}

mn_status mn_index_resize(mn_index *index, uint32_t capacity, mn_arena *arena) {
  if (index == NULL || arena == NULL || capacity == 0 ||
      capacity > MN_CAPACITY_MAX)
    return MN_ERROR_ARGUMENT;
  if (index->is_packed)
    return MN_ERROR_READ_ONLY;
  if (capacity < index->state->count)
    return MN_ERROR_CAPACITY;
  const mn_structure structure_was = index->options.structure;
  mn_options options = index->options;
  if (index->is_auto)
    options.structure = MN_AUTO;
  int is_auto;
  mn_status status =
      mn_options_complete(&options, capacity, &options, &is_auto);
  shape was, is;
  was.capacity = index->capacity;
  is.capacity = capacity;
  if (status == MN_OK)
    status = mn_layout_of(&index->options, was.capacity, NULL, &was.layout);
  if (status == MN_OK)
    status = mn_layout_of(&options, capacity, NULL, &is.layout);
  if (status != MN_OK)
    return status;
  part parts[PARTS_MAX];
  const uint32_t count = list_parts(index, &was, &is, parts);
  MN_ASSERT(count < PARTS_MAX);
  if (parts[count].to > MN_BLOCK_BYTES_MAX)
    return MN_ERROR_TOO_LARGE;
  const size_t bytes_was = index->block_bytes;
  const size_t bytes_is = (size_t)parts[count].to;

  const int in_place = mn_index_is_last(index, arena);
  if (in_place && !index->writable)
    return MN_ERROR_READ_ONLY;
  uint8_t *block = index->block;
  if (!in_place)
    block = mn_arena_allocate(arena, bytes_is);
  else if (bytes_is > bytes_was &&
           mn_arena_allocate(arena, bytes_is - bytes_was) == NULL)
    block = NULL;
  if (block == NULL)
    return MN_ERROR_ARENA;

  const mn_header *header = mn_index_header(index);
  move_parts(parts, count, index->block, block, capacity > was.capacity);
  write_header(block, header, &options, &is);
  if (in_place && bytes_is < bytes_was)
    mn_arena_rewind(arena, arena->used - (bytes_was - bytes_is));
  mn_index_point(index, block, 1, &is.layout, index->codec.kernels);
  if (structure_was != index->options.structure)
    restart_graph(index);
  mn_key_map_fill(index);
  return MN_OK;
}

#endif
