/* SPDX-License-Identifier: Apache-2.0 */
/* What the heap holds (glibc), for libraries that do not say what they take. */
#ifndef BENCH_HEAP_H
#define BENCH_HEAP_H

#include <malloc.h>

static inline size_t bench_heap_bytes(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

#endif
