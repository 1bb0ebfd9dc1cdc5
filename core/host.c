/* SPDX-License-Identifier: Apache-2.0 */
/* Sections that belong to the host: they lie behind the core's, one after the
 * other, and the block ends with the last. */
#include "block.h"
#include "bytes.h"

mn_status mn_index_section(const mn_index *index, uint32_t name,
                           const void **data, size_t *bytes) {
  if (index == NULL || data == NULL || bytes == NULL)
    return MN_ERROR_ARGUMENT;
  const mn_section_entry *entry = mn_header_find(mn_index_header(index), name);
  if (entry == NULL)
    return MN_ERROR_SECTION;
  *data = index->block + entry->offset;
  *bytes = (size_t)entry->bytes;
  return MN_OK;
}

/* Takes a section out: those behind it move up. */
static void cut(mn_header *header, mn_section_entry *entry) {
  uint8_t *block = (uint8_t *)header;
  const uint64_t bytes = mn_round_up(entry->bytes), at = entry->offset;
  mn_move(block + at, block + at + bytes,
          (size_t)(header->block_bytes - at - bytes));
  mn_section_entry *end = header->table + header->section_count;
  for (mn_section_entry *e = entry; e + 1 < end; e++) {
    *e = e[1];
    e->offset -= bytes;
  }
  mn_zero(&end[-1], sizeof end[-1]);
  header->section_count--;
  header->block_bytes -= bytes;
}

static void put(mn_header *header, uint32_t name, const void *data,
                size_t bytes) {
  uint8_t *to = (uint8_t *)header + header->block_bytes;
  const size_t rounded = (size_t)mn_round_up(bytes);
  mn_move(to, data, bytes);
  mn_zero(to + bytes, rounded - bytes);
  header->table[header->section_count++] =
      (mn_section_entry){.name = name,
                         .version = 1,
                         .offset = header->block_bytes,
                         .bytes = bytes};
  header->block_bytes += rounded;
}

static int overlaps(const mn_index *index, const void *data, size_t bytes) {
  const uintptr_t from = (uintptr_t)data, block = (uintptr_t)index->block;
  return bytes > 0 && from < block + index->block_bytes && block < from + bytes;
}

mn_status mn_index_attach(mn_index *index, uint32_t name, const void *data,
                          size_t bytes, mn_arena *arena) {
  if (index == NULL || arena == NULL || (data == NULL && bytes > 0) ||
      !mn_index_is_last(index, arena) || overlaps(index, data, bytes))
    return MN_ERROR_ARGUMENT;
  if (!index->writable)
    return MN_ERROR_READ_ONLY;
  mn_header *header = mn_index_header(index);
  mn_section_entry *old = mn_header_find(header, name);
  if (!mn_section_is_host(name) || (old == NULL && bytes == 0))
    return MN_ERROR_SECTION;
  uint32_t hosts = 0;
  for (uint32_t i = 0; i < header->section_count; i++)
    if (mn_section_is_host(header->table[i].name))
      hosts++;
  if (old == NULL && hosts == MN_HOST_SECTIONS_MAX)
    return MN_ERROR_SECTION;

  /* Room first: nothing has changed yet when there is none. */
  const size_t freed = old == NULL ? 0 : (size_t)mn_round_up(old->bytes);
  if (bytes > MN_BLOCK_BYTES_MAX)
    return MN_ERROR_ARENA;
  const size_t taken = (size_t)mn_round_up(bytes);
  if (taken > freed && mn_arena_allocate(arena, taken - freed) == NULL)
    return MN_ERROR_ARENA;
  mn_index_unseal(index);
  if (old != NULL)
    cut(header, old);
  if (bytes > 0)
    put(header, name, data, bytes);
  mn_header_finish(header);
  index->block_bytes = (size_t)header->block_bytes;
  if (taken < freed)
    mn_arena_rewind(arena, arena->used - (freed - taken));
  return MN_OK;
}
