/* SPDX-License-Identifier: Apache-2.0 */
/* Creating a block, and opening one that may be anything. */
#include "block.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "kernels/kernels.h"
#include "options.h"
#include "search/refine.h"
#include "structure/graph.h"

/* --- Create --------------------------------------------------------------- */

mn_status mn_index_create(mn_index *index, const mn_options *options,
                          uint32_t capacity, mn_arena *arena) {
  mn_options o;
  int is_auto;
  mn_status status = mn_options_complete(options, capacity, &o, &is_auto);
  if (status != MN_OK)
    return status;
  if (index == NULL || arena == NULL)
    return MN_ERROR_ARGUMENT;
  mn_layout layout;
  status = mn_layout_of(&o, capacity, NULL, &layout);
  if (status != MN_OK)
    return status;
  uint8_t *block = mn_arena_allocate(arena, (size_t)layout.end);
  if (block == NULL)
    return MN_ERROR_ARENA;
  mn_zero(block, (size_t)layout.end);
  const int is_named =
      options->encoding != 0 || options->transform != 0 || options->refine != 0;
  const uint32_t flags = !is_auto    ? 0
                         : !is_named ? MN_FLAG_AUTO | MN_FLAG_UNNAMED
                                     : MN_FLAG_AUTO;
  mn_header_write((mn_header *)(void *)block, &o, flags, capacity, NULL,
                  &layout);
  mn_index_point(index, block, 1, &layout,
                 mn_kernels_select(mn_cpu_features()));
  index->state->trained = layout.bytes[MN_AT_MODEL] == 0;
  return MN_OK;
}

/* --- Open ----------------------------------------------------------------- */

/* The options must be complete and, under MN_AUTO, what it decides. */
static mn_status check_options(const mn_header *header, mn_layout *layout) {
  const mn_options written = mn_header_options(header);
  if (written.structure == MN_AUTO || written.encoding == 0 || written.m == 0 ||
      written.ef_construction == 0)
    return MN_ERROR_CORRUPT;
  const int is_default =
      (written.encoding == MN_F32 || written.encoding == MN_SIGN) &&
      written.transform == MN_NO_TRANSFORM && written.refine == 0;
  if ((header->flags & MN_FLAG_UNNAMED) != 0 &&
      ((header->flags & MN_FLAG_AUTO) == 0 || !is_default))
    return MN_ERROR_CORRUPT;
  mn_options asked = written, o;
  if ((header->flags & MN_FLAG_AUTO) != 0)
    asked.structure = MN_AUTO;
  int is_auto;
  const mn_status status =
      mn_options_complete(&asked, header->capacity, &o, &is_auto);
  if (status == MN_ERROR_UNSUPPORTED)
    return status;
  if (status != MN_OK || o.structure != written.structure)
    return MN_ERROR_CORRUPT;
  const int is_packed = (header->flags & MN_FLAG_PACKED) != 0;
  if (is_packed && asked.structure == MN_AUTO)
    return MN_ERROR_CORRUPT; /* there is nothing left to decide */
  const mn_packed_links packed = mn_header_packed(header);
  if (is_packed && o.structure == MN_HNSW
          ? packed.links > UINT32_MAX || packed.low_bits > 31
          : packed.links != 0 || packed.low_bits != 0)
    return MN_ERROR_CORRUPT;
  /* A block that is there cannot be too large. */
  return mn_layout_of(&o, header->capacity, is_packed ? &packed : NULL,
                      layout) == MN_OK
             ? MN_OK
             : MN_ERROR_CORRUPT;
}

/* The core's entries must be what the options lead to; the host's must follow
 * one another to the end of the block; the rest of the table must be 0. */
static mn_status check_table(const mn_header *header, const mn_layout *layout) {
  mn_section_entry core[MN_CORE_SECTIONS];
  const uint32_t core_count = mn_layout_table(layout, core);
  const int is_sealed = (header->flags & MN_FLAG_SEALED) != 0;
  uint64_t at = layout->end;
  if (header->section_count < core_count ||
      header->section_count > core_count + MN_HOST_SECTIONS_MAX ||
      at > header->block_bytes)
    return MN_ERROR_CORRUPT;
  for (uint32_t i = 0; i < header->section_count; i++) {
    const mn_section_entry *entry = &header->table[i];
    if (entry->version != 1 || entry->zero != 0 ||
        (!is_sealed && entry->checksum != 0))
      return MN_ERROR_CORRUPT;
    if (i < core_count) {
      if (entry->name != core[i].name || entry->offset != core[i].offset ||
          entry->bytes != core[i].bytes)
        return MN_ERROR_CORRUPT;
      continue;
    }
    if (!mn_section_is_host(entry->name) || entry->offset != at ||
        entry->bytes == 0 || entry->bytes > header->block_bytes - at)
      return MN_ERROR_CORRUPT;
    at += mn_round_up(entry->bytes);
    if (at > header->block_bytes)
      return MN_ERROR_CORRUPT;
  }
  const mn_section_entry *unused = &header->table[header->section_count];
  if (at != header->block_bytes ||
      !mn_is_zero(unused,
                  (MN_TABLE_ENTRIES - header->section_count) * sizeof *unused))
    return MN_ERROR_CORRUPT;
  return MN_OK;
}

/* The sums are over no more vectors than there ever were. */
static int sums_hold(const mn_state *state) {
  const uint64_t whole = state->error >> 31;
  const int is_more = (state->error & ((1u << 31) - 1)) != 0;
  return whole < state->added || (whole == state->added && !is_more);
}

/* Slots are in the graph, free, or wait to be linked; chains begin within. */
static int slots_hold(const mn_index *index) {
  const mn_state *s = index->state;
  if (s->count > index->capacity || s->linked > s->count ||
      s->free > s->count - s->linked || s->dead > s->linked ||
      s->added < mn_index_vectors(index) || s->free_first > s->count ||
      s->pending_first > s->count || s->pending_last > s->count)
    return 0;
  return !index->is_packed ||
         (s->count == index->capacity && !mn_index_has_holes(index) &&
          s->free_first == 0 && s->pending_first == 0 && s->pending_last == 0);
}

/* Only a graph has vectors that wait or that are passed through. */
static int repair_holds(const mn_index *index) {
  const mn_state *s = index->state;
  if (s->sweep > 2 || s->era > 1 || s->cursor > s->count ||
      (s->sweep == 0 && (s->cursor != 0 || s->dying != 0)) ||
      s->dying > s->dead)
    return 0;
  if (index->options.structure == MN_HNSW)
    return !index->is_packed || s->sweep == 0;
  return mn_index_pending(index) == 0 && s->dead == 0 && s->sweep == 0 &&
         s->era == 0 && s->pending_first == 0 && s->pending_last == 0;
}

static int tuned_holds(const mn_options *options, const mn_state *state) {
  return state->tuned_ef <= MN_EF_MAX && state->tuned_nprobe <= MN_NLIST_MAX &&
         mn_gamma_holds(options, state->tuned_gamma) &&
         (state->tuned_refine_k == 0.0f ||
          (state->tuned_refine_k >= 1.0f &&
           state->tuned_refine_k <= (float)MN_EF_MAX));
}

static mn_status check_state(const mn_index *index, int has_model) {
  const mn_state *state = index->state;
  const int is_trained = state->trained == 1;
  return state->trained <= 1 && (is_trained || has_model) &&
                 (is_trained || state->count == 0) && slots_hold(index) &&
                 sums_hold(state) && repair_holds(index) &&
                 tuned_holds(&index->options, state) &&
                 mn_is_zero(state->zero, sizeof state->zero) &&
                 mn_graph_begins(index)
             ? MN_OK
             : MN_ERROR_CORRUPT;
}

static mn_status open_block(mn_index *index, uint8_t *block, size_t bytes,
                            int writable) {
  if (index == NULL || block == NULL)
    return MN_ERROR_ARGUMENT;
  if ((uintptr_t)block % MN_OPEN_ALIGNMENT != 0)
    return MN_ERROR_ALIGNMENT;
  const mn_header *header = (const void *)block;
  mn_status status = mn_header_check(header, bytes);
  if (status != MN_OK)
    return status;
  mn_layout layout;
  status = check_options(header, &layout);
  if (status == MN_OK)
    status = check_table(header, &layout);
  if (status != MN_OK)
    return status;
  mn_index opened;
  mn_index_point(&opened, block, writable, &layout,
                 mn_kernels_select(mn_cpu_features()));
  status = check_state(&opened, layout.bytes[MN_AT_MODEL] > 0);
  if (status == MN_OK && !MN_HAS_FILTERS && mn_index_has_holes(&opened))
    status = MN_ERROR_UNSUPPORTED;
  if (status == MN_OK)
    mn_move(index, &opened, sizeof opened); /* not `=`: no call of memcpy */
  return status;
}

mn_status mn_index_open(mn_index *index, const void *block, size_t bytes) {
  return open_block(index, (uint8_t *)(uintptr_t)block, bytes, 0);
}

mn_status mn_index_open_writable(mn_index *index, void *block, size_t bytes) {
  return open_block(index, block, bytes, 1);
}
