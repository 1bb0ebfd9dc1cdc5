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

/* The best nanoseconds of `work` over some rounds, per call. */
#define TIME(best, calls, work)                                                \
  do {                                                                         \
    best = 1e30;                                                               \
    for (uint32_t round = 0; round < 7; round++) {                             \
      double start = now_ns(), ns;                                             \
      uint32_t count_ = 0;                                                     \
      do {                                                                     \
        work;                                                                  \
        count_ += (calls);                                                     \
      } while ((ns = now_ns() - start) < 1e6);                                 \
      if (ns / count_ < best)                                                  \
        best = ns / count_;                                                    \
    }                                                                          \
  } while (0)

/* One call: one `a` against `count` vectors. */
static double time_op(const mn_kernels *table, op which, uint32_t n,
                      uint32_t count) {
  size_t stride = bytes_of(ops[which].b, n);
  uint32_t bits = 0;
  double best;
  TIME(best, count, {
    for (uint32_t i = 0; i < count; i++)
      bits ^= run(table, which, rooms[1].begin, rooms[0].begin + i * stride, n);
    sink = bits;
  });
  return best;
}

/* One row: of 128 KiB, `bytes` each, looked up or counted. */
static double time_rows(const mn_kernels *table, int is_lookup,
                        uint32_t bytes) {
  uint32_t sums[MN_LOOKUP_ROWS], count = 131072 / bytes & ~(MN_LOOKUP_ROWS - 1);
  const uint8_t *rows[MN_LOOKUP_ROWS];
  double best;
  TIME(best, count, {
    for (uint32_t i = 0; i < count; i += MN_LOOKUP_ROWS) {
      const uint8_t *first = rooms[0].begin + (size_t)i * bytes;
      for (uint32_t r = 0; r < MN_LOOKUP_ROWS; r++)
        rows[r] = first + r * bytes;
      if (is_lookup)
        table->lookup_u4(rooms[1].begin, rows, bytes, sums);
      else
        table->count_xor_rows(rooms[1].begin, first, bytes, bytes,
                              MN_LOOKUP_ROWS, sums);
      sink = sums[0];
    }
  });
  return best;
}

/* One column of n numbers. */
static double time_columns(const mn_kernels *table, int is_nearest, uint32_t n,
                           uint32_t count) {
  static float out[256];
  float *x = (float *)(void *)rooms[1].begin;
  float *columns = (float *)(void *)rooms[0].begin;
  double best;
  fill(x, DOT_F32, 1, ORDINARY, n);
  fill(columns, DOT_F32, 0, ORDINARY, n * count);
  TIME(best, count, {
    if (is_nearest)
      sink = table->nearest_column(x, columns, n, count, out);
    else
      table->l2_columns(x, columns, n, count, out);
    sink = to_bits(out[0]);
  });
  return best;
}

static void print_many(void) {
  static const uint32_t sizes[] = {13, 64, 98};
  printf("\nRows of 128 KiB, 32 at a time: ns a row, GB/s of rows.\n");
  const mn_kernels *table;
  for (uint32_t size = 0; size < sizeof sizes / sizeof sizes[0]; size++)
    for (int is_lookup = 0; is_lookup < 2; is_lookup++)
      for (uint32_t i = 0; (table = table_at(i)) != NULL; i++) {
        double ns = time_rows(table, is_lookup, sizes[size]);
        printf("%6u %-14s %-6s %9.2f %7.2f\n", sizes[size],
               is_lookup ? "lookup_u4" : "count_xor_rows", table->name, ns,
               sizes[size] / ns);
      }
  printf("\nColumns of 8 numbers: ns a column.\n");
  for (uint32_t count = 16; count <= 256; count *= 16)
    for (int is_nearest = 0; is_nearest < 2; is_nearest++)
      for (uint32_t i = 0; (table = table_at(i)) != NULL; i++)
        printf("%6u %-14s %-6s %9.2f\n", count,
               is_nearest ? "nearest_column" : "l2_columns", table->name,
               time_columns(table, is_nearest, 8, count));
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
  print_many();
  putchar('\n');
}

#endif
