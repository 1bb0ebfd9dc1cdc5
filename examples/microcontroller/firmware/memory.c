/* SPDX-License-Identifier: Apache-2.0 */
/* What a compiler may call without being told. Compiled with
 * -fno-tree-loop-distribute-patterns, or a loop here would call itself. */
#include <stddef.h>

void *memset(void *to, int value, size_t bytes) {
  unsigned char *at = to;
  while (bytes-- > 0)
    *at++ = (unsigned char)value;
  return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
  unsigned char *at = to;
  const unsigned char *source = from;
  while (bytes-- > 0)
    *at++ = *source++;
  return to;
}
