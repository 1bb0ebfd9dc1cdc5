/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares every kernel that this machine can run with the reference, bit for
 * bit, and the reference with the words of kernels.h spelled out once more.
 *
 *     kernels_check [SEED] [--time] [--few]
 *
 * Operands lie against the edge of readable memory, so that reading a byte too
 * many ends the program. --few leaves out most of the longer vectors, for
 * machines that are emulated.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, clock_gettime */

#include "../../core/kernels/kernels.h"
#include "../../hosted/minnow_cpu.h"
#include "check.h"
#include "columns.h"
#include "operands.h"
#include "rooms.h"
#include "rows.h"
#if !defined(MN_ON_BOARD) /* no clock there */
#include "times.h"
#endif

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_MAX 65535u

_Static_assert(4 * N_MAX + SHIFTS <= ROOM_BYTES, "an operand fits, shifted");

/* A kernel that is not in this list is checked by nobody. */
#define KERNELS_BYTES (sizeof(mn_kernels) - offsetof(mn_kernels, dot_f32))
#define OTHERS        6 /* in rows.h and columns.h */
_Static_assert(KERNELS_BYTES == (OPS + OTHERS) * sizeof(void (*)(void)),
               "as many kernels as the checks know");

/* --- The definition, in the plainest words -------------------------------- */

/* A 16-bit float's value from its fields; NaN where it has none. */
static float widen(number type, uint32_t half) {
  uint32_t fraction_count = fraction_bits[type];
  uint32_t exponent_max = (1u << exponent_bits[type]) - 1;
  uint32_t exponent = half >> fraction_count & exponent_max;
  uint32_t fraction = half & ((1u << fraction_count) - 1);
  float sign = half & 0x8000 ? -1.0f : 1.0f;
  if (exponent == exponent_max)
    return from_bits((half & 0x8000) << 16 |
                     (fraction ? 0x7fc00000 : 0x7f800000));
  double value = fraction;
  if (exponent > 0)
    value += 1u << fraction_count;
  int32_t power = (int32_t)(exponent > 0 ? exponent : 1) -
                  (int32_t)(exponent_max / 2 + fraction_count);
  for (; power > 0; power--)
    value *= 2;
  for (; power < 0; power++)
    value /= 2;
  return sign * (float)value;
}

static float element(number type, const void *vector, uint32_t i) {
  if (type == F32)
    return ((const float *)vector)[i];
  return widen(type, ((const uint16_t *)vector)[i]);
}

static int64_t integer(number type, const void *vector, uint32_t i) {
  if (type == I16)
    return ((const int16_t *)vector)[i];
  if (type == I8 || type == I8_PADDED)
    return ((const int8_t *)vector)[i];
  uint32_t at = i * number_bits[type];
  return ((const uint8_t *)vector)[at / 8] >> at % 8 &
         ((1 << number_bits[type]) - 1);
}

static uint32_t define_integer(op which, const void *a, const void *b,
                               uint32_t n) {
  int64_t sum = 0;
  for (uint32_t i = 0; i < n; i++) {
    int64_t x = integer(ops[which].a, a, i), y = integer(ops[which].b, b, i);
    if (which != COUNT_XOR && which != COUNT_AND)
      sum += x * y;
    else
      for (int64_t bits = which == COUNT_XOR ? x ^ y : x & y; bits; bits /= 2)
        sum += bits % 2;
  }
  return (uint32_t)sum;
}

static uint32_t define(op which, const void *a, const void *b, uint32_t n) {
  if (!is_float(which))
    return define_integer(which, a, b, n);
  /* volatile: every operation is rounded, nothing is fused or reordered. */
  volatile float lanes[16] = {0}, x, y, term;
  for (uint32_t i = 0; i < n || i % 16 != 0; i++) {
    x = i < n ? element(ops[which].a, a, i) : 0;
    y = i < n ? element(ops[which].b, b, i) : 0;
    if (which == L2_F32 || which == L2_F16 || which == L2_BF16) {
      x = x - y;
      y = x;
    }
    term = x * y;
    lanes[i % 16] = lanes[i % 16] + term;
  }
  for (uint32_t step = 8; step > 0; step /= 2)
    for (uint32_t j = 0; j < step; j++)
      lanes[j] = lanes[j] + lanes[j + step];
  return to_bits(lanes[0]);
}

/* --- Checks --------------------------------------------------------------- */

static uint32_t source_a[N_MAX], source_b[N_MAX]; /* room for any number */

/* One kernel of every table on one pair of vectors, in many places. */
static void check_vectors(op which, value_class kind, uint32_t n) {
  fill(source_a, which, 1, kind, n);
  fill(source_b, which, 0, kind, n);
  uint32_t expected = run(&mn_kernels_c, which, source_a, source_b, n);
  uint32_t defined = define(which, source_a, source_b, n);
  CHECK(same_result(which, defined, expected),
        "%s of the reference, %s, n %u: %08x, defined as %08x", ops[which].name,
        class_names[kind], n, expected, defined);

  size_t bytes_a = bytes_of(ops[which].a, n);
  size_t bytes_b = bytes_of(ops[which].b, n);
  for (uint32_t turn = 0; turn < TURNS; turn++) {
    for (uint32_t at = 0; at < 2 * SHIFTS; at++) {
      /* Shift 0 goes with 0; the others meet every other in some call. */
      uint32_t shift_a = at / 2;
      uint32_t shift_b = shift_a == 0 ? 0 : (shift_a * 5 + n + kind) % SHIFTS;
      const void *a = place(rooms[turn], at % 2, shift_a, source_a, bytes_a);
      const void *b =
          place(rooms[1 - turn], at % 2, shift_b, source_b, bytes_b);
      const mn_kernels *table;
      for (uint32_t i = 0; (table = table_at(i)) != NULL; i++) {
        uint32_t got = run(table, which, a, b, n);
        CHECK(same_result(which, got, expected),
              "%s of %s, %s, n %u, %u and %u bytes from the %s: %08x, "
              "reference %08x",
              ops[which].name, table->name, class_names[kind], n, shift_a,
              shift_b, at % 2 ? "end" : "begin", got, expected);
      }
    }
  }
}

/* Every 16-bit float, alone among zeros, in each lane and in the tail. */
static void check_widening(number type, op dot, op l2) {
  enum { N = 31 };
  float zeros[N] = {0}, one[N] = {0};
  uint16_t halves[N] = {0};
  for (uint32_t half = 0; half <= 0xffff; half++) {
    float value = widen(type, half);
    uint32_t got = to_bits(type == F16 ? mn_f16_to_f32((uint16_t)half)
                                       : mn_bf16_to_f32((uint16_t)half));
    CHECK(same_float(got, to_bits(value)), "widening %04x: %08x, not %08x",
          half, got, to_bits(value));

    uint32_t at = half % N;
    one[at] = 1;
    halves[at] = (uint16_t)half;
    volatile float product = value + 0.0f, square = value * value;
    const mn_kernels *table;
    for (uint32_t i = 0; (table = table_at(i)) != NULL; i++) {
      got = run(table, dot, one, halves, N);
      CHECK(same_float(got, to_bits(product)), "%s of %s, %04x at %u: %08x",
            ops[dot].name, table->name, half, at, got);
      got = run(table, l2, zeros, halves, N);
      CHECK(same_float(got, to_bits(square)), "%s of %s, %04x at %u: %08x",
            ops[l2].name, table->name, half, at, got);
    }
    one[at] = 0;
    halves[at] = 0;
  }
}

/* Every table has every kernel; the rest cannot be tried otherwise. */
static void check_complete(void) {
  const mn_kernels *table;
  for (uint32_t i = 0; (table = mn_kernels_at(i)) != NULL; i++)
    for (size_t at = 0; at < KERNELS_BYTES; at += sizeof(void (*)(void))) {
      void (*kernel)(void);
      memcpy(&kernel, (const char *)&table->dot_f32 + at, sizeof kernel);
      CHECK(kernel != NULL, "%s has no kernel %u", table->name,
            (unsigned)(at / sizeof kernel));
    }
}

/* The last table that the features allow, whichever they are. */
static void check_select(uint32_t features) {
  const mn_kernels *best = NULL, *table;
  for (uint32_t i = 0; (table = mn_kernels_at(i)) != NULL; i++)
    if ((table->features & ~features) == 0)
      best = table;
  CHECK(mn_kernels_select(features) == best, "mn_kernels_select(%08x)",
        features);
}

static void check_all(int few) {
  static const uint32_t large[] = {384, 768, 1536, N_MAX};
  static const uint32_t larger[] = {100, 128, 191, 257, 384};
  for (op which = 0; which < OPS; which++)
    for (value_class kind = 0; kind < CLASSES; kind++) {
      for (uint32_t n = 0; n <= (few ? 67 : 257); n++)
        check_vectors(which, kind, n);
      for (uint32_t i = 0; few && i < sizeof larger / sizeof *larger; i++)
        check_vectors(which, kind, larger[i]);
      for (uint32_t i = 0; !few && i < sizeof large / sizeof *large; i++)
        check_vectors(which, kind, large[i]);
    }
  check_rows_kernels(few);
  check_all_columns(few);
  check_widening(F16, DOT_F16, L2_F16);
  check_widening(BF16, DOT_BF16, L2_BF16);
  check_select(0);
  check_select(MN_CPU_ALL);
  for (uint32_t features = cpu; features; features &= features - 1)
    check_select(features);
  CHECK(mn_kernels_at(0) == &mn_kernels_c, "the reference is not the first");
  CHECK(rooms_are_tight(), "memory has grown past the room meanwhile");
}

int main(int argc, char **argv) {
  int timing = 0, few = 0;
  cpu = mn_host_cpu_features();
  random_state = (uint64_t)time(NULL);
  for (int i = 1; i < argc; i++) {
    char *end;
    if (strcmp(argv[i], "--time") == 0) {
      timing = 1;
      continue;
    }
    if (strcmp(argv[i], "--few") == 0) {
      few = 1;
      continue;
    }
    random_state = strtoull(argv[i], &end, 0);
    if (end == argv[i] || *end != '\0') {
      fprintf(stderr, "usage: kernels_check [SEED] [--time] [--few]\n");
      return 2;
    }
  }
  printf("seed %" PRIu64 "\n", random_state);
  const mn_kernels *table;
  for (uint32_t i = 0; (table = mn_kernels_at(i)) != NULL; i++)
    printf("%s%s\n", table->name,
           (table->features & ~cpu) == 0 ? "" : ": not on this machine");
  make_rooms();
  check_complete();
  if (failed == 0)
    check_all(few);
#if !defined(MN_ON_BOARD)
  if (timing)
    print_times();
#else
  (void)timing;
#endif
  printf("%" PRIu64 " passed, %" PRIu64 " failed\n", passed, failed);
  return failed > 0 || passed == 0;
}
