/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the capacity: every part of a block moves to its new place, within
 * the block's own memory or into a new block. */
#include "block.h"
#include "bytes.h"
#include "key_map.h"
#include "options.h"
#include "structure/graph.h"

/* A run of bytes that keeps its beginning. */
typedef struct part {
  uint64_t from; /* offset in the old block */
  uint64_t to;   /* in the new one */
  uint64_t
      kept; /* bytes to copy; what follows up to the next part is cleared */
} part;

/* The core's sections with one part for each upper level, the host's sections
 * as a whole, and the end. M is at least 4, so there are at most 15 levels. */
#define PARTS_MAX (MN_CORE_SECTIONS + 15 + 2)

typedef struct shape {
  mn_layout layout;
  uint32_t capacity;
} shape;

static uint64_t smaller(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

/* The lists of an upper level keep their place within it, but the levels lie
 * one behind the other and so move apart. */
static uint32_t list_levels(uint32_t m, const shape *was, const shape *is,
                            part *parts) {
  const uint64_t list_bytes = (1 + mn_links_max(m, 1)) * sizeof(uint32_t);
  uint64_t from = was->layout.offset[MN_AT_UPPER];
  uint64_t to = is->layout.offset[MN_AT_UPPER];
  const int was_there = was->layout.bytes[MN_AT_UPPER] > 0;
  const uint32_t top_was = was_there ? mn_graph_top(m, was->capacity) : 0;
  const uint32_t top_is = mn_graph_top(m, is->capacity);
  for (uint32_t level = 1; level <= top_is; level++) {
    const uint64_t bytes_was =
        level > top_was ? 0
                        : mn_graph_lists(m, was->capacity, level) * list_bytes;
    const uint64_t bytes_is =
        mn_graph_lists(m, is->capacity, level) * list_bytes;
    parts[level - 1] = (part){from, to, smaller(bytes_was, bytes_is)};
    from += bytes_was;
    to += bytes_is;
  }
  return top_is;
}

static uint32_t list_parts(const mn_index *index, const shape *was,
                           const shape *is, part *parts) {
  uint32_t count = 0;
  for (unsigned i = 0; i < MN_AT_UPPER; i++) {
    const uint64_t kept = smaller(was->layout.bytes[i], is->layout.bytes[i]);
    /* The key map is made anew: its size decides where a key lies. */
    parts[count++] = (part){was->layout.offset[i], is->layout.offset[i],
                            i == MN_AT_KEY_MAP ? 0 : kept};
  }
  if (is->layout.bytes[MN_AT_UPPER] > 0)
    count += list_levels(index->options.m, was, is, parts + count);
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

/* The table of the new block: the host's entries stand behind the core's,
 * moved by the same distance as the sections. */
static void write_header(uint8_t *block, const mn_header *was,
                         const mn_options *options, const shape *from,
                         const shape *to) {
  mn_section_entry host[MN_HOST_SECTIONS_MAX];
  const uint32_t core = mn_layout_table(&from->layout, NULL);
  const uint32_t host_count = was->section_count - core;
  const uint64_t host_bytes = was->block_bytes - from->layout.end;
  mn_move(host, was->table + core, host_count * sizeof *host);
  const int is_auto = (was->flags & MN_FLAG_AUTO) != 0;
  mn_header *header = (void *)block;
  mn_header_write(header, options, is_auto, to->capacity, &to->layout);
  for (uint32_t i = 0; i < host_count; i++) {
    host[i].offset += to->layout.end - from->layout.end;
    host[i].checksum = 0;
    header->table[header->section_count++] = host[i];
  }
  header->block_bytes += host_bytes;
  mn_header_finish(header);
}

static void rebuild_key_map(mn_index *index) {
  for (uint32_t slot = 0; slot < index->state->count; slot++)
    mn_key_map_put(index, index->keys[slot], slot);
}

/* After MN_AUTO changed its mind. */
static void restart_graph(mn_index *index) {
  mn_state *state = index->state;
  state->entry = state->top_level = 0;
  state->linked = index->options.structure == MN_FLAT ? state->count : 0;
}

mn_status mn_index_resize(mn_index *index, uint32_t capacity, mn_arena *arena) {
  if (index == NULL || arena == NULL || capacity == 0 ||
      capacity > MN_CAPACITY_MAX)
    return MN_ERROR_ARGUMENT;
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
    status = mn_layout_of(&index->options, was.capacity, &was.layout);
  if (status == MN_OK)
    status = mn_layout_of(&options, capacity, &is.layout);
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
  write_header(block, header, &options, &was, &is);
  if (in_place && bytes_is < bytes_was)
    mn_arena_rewind(arena, arena->used - (bytes_was - bytes_is));
  mn_index_point(index, block, 1, &is.layout, index->codec.kernels);
  if (structure_was != index->options.structure)
    restart_graph(index);
  rebuild_key_map(index);
  return MN_OK;
}
