/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"
#include "bytes.h"

mn_arena mn_arena_over(void *memory, size_t bytes) {
  size_t skip = (size_t)(0u - (uintptr_t)memory) & (MN_ALIGNMENT - 1);
  if (memory == NULL || bytes < skip)
    skip = bytes = 0;
  return (mn_arena){(uint8_t *)memory + skip, bytes - skip, 0, 0};
}

mn_arena mn_arena_measuring(void) {
  /* Not NULL, which would mean "does not fit". */
  return (mn_arena){(uint8_t *)(uintptr_t)MN_ALIGNMENT,
                    SIZE_MAX & ~(size_t)(MN_ALIGNMENT - 1), 0, 0};
}

void *mn_arena_allocate(mn_arena *arena, size_t bytes) {
  size_t free = arena->capacity - arena->used;
  if (bytes > free)
    return NULL;
  size_t rounded = (bytes + (MN_ALIGNMENT - 1)) & ~(size_t)(MN_ALIGNMENT - 1);
  /* `bytes` may round up past the end, or past SIZE_MAX to 0. */
  if (rounded < bytes || rounded > free)
    return NULL;
  /* As an integer, since a measuring arena has no memory to point into. */
  void *result = (void *)((uintptr_t)arena->base + arena->used);
  arena->used += rounded;
  if (arena->peak < arena->used)
    arena->peak = arena->used;
  return result;
}

size_t mn_arena_mark(const mn_arena *arena) {
  return arena->used;
}

void mn_arena_rewind(mn_arena *arena, size_t mark) {
  if (mark < arena->used)
    arena->used = mark;
}
