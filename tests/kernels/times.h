/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times of the kernels, on operands that lie in a cache.
 */
#ifndef MN_TESTS_KERNELS_TIMES_H
#define MN_TESTS_KERNELS_TIMES_H

#include "check.h"
#include "operands.h"
#include "rooms.h"

#include <time.h>

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

static volatile uint32_t sink; /* keeps the calls alive */

/* Nanoseconds of one call: one `a` against `count` vectors, the best of some
 * rounds. */
static double time_op(const mn_kernels *table, op which, uint32_t n,
                      uint32_t count) {
  size_t stride = bytes_of(ops[which].b, n);
  double best = 1e30;
  for (uint32_t round = 0; round < 7; round++) {
    uint32_t calls = 0, bits = 0;
    double start = now_ns(), ns;
    do {
      for (uint32_t i = 0; i < count; i++)
        bits ^=
            run(table, which, rooms[1].begin, rooms[0].begin + i * stride, n);
      calls += count;
    } while ((ns = now_ns() - start) < 1e6);
    sink = bits;
    if (ns / calls < best)
      best = ns / calls;
  }
  return best;
}

static void print_times(void) {
  static const uint32_t sizes[] = {100, 384, 512, 784, 1536};
  printf("\nOne query against 128 KiB of vectors; GB/s of vectors read.\n");
  printf("%6s %-10s %-6s %9s %7s %7s\n", "n", "kernel", "table", "ns", "GB/s",
         "ratio");
  for (uint32_t size = 0; size < sizeof sizes / sizeof sizes[0]; size++)
    for (op which = 0; which < OPS; which++) {
      uint32_t n = sizes[size], bytes = (uint32_t)bytes_of(ops[which].b, n);
      uint32_t count = 131072 / bytes;
      fill(rooms[1].begin, which, 1, ORDINARY, n);
      fill(rooms[0].begin, which, 0, ORDINARY, n * count);
      double reference = time_op(&mn_kernels_c, which, n, count);
      const mn_kernels *table;
      for (uint32_t i = 0; (table = table_at(i)) != NULL; i++) {
        double ns = i == 0 ? reference : time_op(table, which, n, count);
        printf("%6u %-10s %-6s %9.1f %7.2f %7.2f\n", n, ops[which].name,
               table->name, ns, bytes / ns, reference / ns);
      }
    }
  putchar('\n');
}

#endif
