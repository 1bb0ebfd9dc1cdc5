/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the sums by columns.
 */
#ifndef MN_TESTS_KERNELS_COLUMNS_H
#define MN_TESTS_KERNELS_COLUMNS_H

#include "check.h"
#include "operands.h"
#include "rooms.h"

#define COUNT_MAX   512u   /* columns */
#define COLUMNS_MAX 65536u /* numbers */
#define X_MAX       256u   /* components */

_Static_assert(4 * COLUMNS_MAX + SHIFTS <= ROOM_BYTES, "the columns fit");

/* Column k, as kernels.h says. volatile: every operation is rounded. */
static float define_column(int is_l2, const float *x, const float *columns,
                           uint32_t n, uint32_t count, uint32_t k) {
  volatile float sum = 0, a, b, term;
  for (uint32_t j = 0; j < n; j++) {
    a = x[j];
    b = columns[(size_t)j * count + k];
    if (is_l2) {
      a = a - b;
      b = a;
    }
    term = a * b;
    sum = sum + term;
  }
  return sum;
}

static void fill_columns(float *to, value_class kind, int is_x, uint32_t n) {
  if (kind == TIES) /* between columns: few values, so few distances */
    for (uint32_t i = 0; i < n; i++)
      to[i] = (float)random_below(3) - 1;
  else
    fill(to, DOT_F32, is_x, kind, n);
}

static void check_out(const mn_kernels *table, int is_l2, const float *x,
                      const float *columns, uint32_t n, uint32_t count,
                      uint32_t shift, const float *expected) {
  enum { EDGE = 16 };
  static uint8_t memory[4 * COUNT_MAX + 2 * EDGE + SHIFTS];
  size_t bytes = 4 * (size_t)count;
  uint8_t *out = memory + EDGE + shift;
  memset(memory, 0x5a, sizeof memory);
  if (is_l2)
    table->l2_columns(x, columns, n, count, (float *)(void *)out);
  else
    table->dot_columns(x, columns, n, count, (float *)(void *)out);
  for (uint32_t k = 0; k < count; k++) {
    uint32_t got;
    memcpy(&got, out + 4 * (size_t)k, 4);
    CHECK(same_float(got, to_bits(expected[k])),
          "%s_columns of %s, n %u, column %u of %u: %08x, not %08x",
          is_l2 ? "l2" : "dot", table->name, n, k, count, got,
          to_bits(expected[k]));
  }
  uint32_t outside = 0;
  for (uint32_t i = 0; i < EDGE; i++)
    outside |= (out[(int32_t)i - EDGE] ^ 0x5au) | (out[bytes + i] ^ 0x5au);
  CHECK(outside == 0, "%s_columns of %s, n %u, %u columns: writes outside",
        is_l2 ? "l2" : "dot", table->name, n, count);
}

static void check_columns(value_class kind, uint32_t n, uint32_t count) {
  static float x_source[X_MAX], columns_source[COLUMNS_MAX];
  static float expected[2][COUNT_MAX];
  fill_columns(x_source, kind, 1, n);
  fill_columns(columns_source, kind, 0, n * count);
  uint32_t nearest = 0;
  float least = __builtin_inff();
  for (uint32_t k = 0; k < count; k++) {
    for (int is_l2 = 0; is_l2 < 2; is_l2++)
      expected[is_l2][k] =
          define_column(is_l2, x_source, columns_source, n, count, k);
    if (expected[1][k] < least) {
      least = expected[1][k];
      nearest = k;
    }
  }
  for (uint32_t at = 0; at < 2 * TURNS; at++) {
    uint32_t turn = at / 2, shift = random_below(SHIFTS);
    const float *x = place(rooms[1 - turn], at % 2, random_below(2) ? shift : 0,
                           x_source, 4 * (size_t)n);
    const float *columns =
        place(rooms[turn], at % 2, random_below(2) ? shift : 0, columns_source,
              4 * (size_t)n * count);
    const mn_kernels *table;
    for (uint32_t i = 0; (table = table_at(i)) != NULL; i++) {
      for (int is_l2 = 0; is_l2 < 2; is_l2++)
        check_out(table, is_l2, x, columns, n, count, shift, expected[is_l2]);
      float distance = -1;
      uint32_t got = table->nearest_column(x, columns, n, count, &distance);
      CHECK(got == nearest && to_bits(distance) == to_bits(least),
            "nearest_column of %s, %s, n %u: %u of %u at %08x, not %u at %08x",
            table->name, class_names[kind], n, got, count, to_bits(distance),
            nearest, to_bits(least));
    }
  }
}

static void check_all_columns(int few) {
  static const uint32_t counts[] = {80, 127, 128, 255, 256, 257, COUNT_MAX};
  for (value_class kind = 0; kind < CLASSES; kind++) {
    for (uint32_t n = 0; n <= 9; n++)
      for (uint32_t count = 0; count <= 70; count += few ? 3 : 1)
        check_columns(kind, n, count);
    for (uint32_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
      check_columns(kind, 4, counts[i]);
      check_columns(kind, 16, counts[i]);
    }
    check_columns(kind, X_MAX, 33);
  }
}

#endif
