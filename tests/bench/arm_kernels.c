/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls every kernel once for each number of dimensions, between two calls of
 * mn_mark, at which a plugin of QEMU's notes how many instructions have run
 * (qemu_marks.c; arm.mjs starts both). The same call of a function that does
 * nothing is marked too, so that what a call takes can be taken off.
 *
 * Prints a line for each pair of marks: table, kernel, dimensions, rows.
 */
#include "kernels/kernels.h"

#include <stdio.h>

enum { LARGEST = 768, ROWS = MN_LOOKUP_ROWS };

/* Does nothing, whatever it is called as. */
void mn_empty(void);
__asm__(".text\n"
        ".balign 4\n"
        ".global mn_empty\n"
#if defined(__aarch64__)
        "mn_empty: ret\n"
#else
        ".thumb_func\n"
        "mn_empty: bx lr\n"
#endif
        ".type mn_empty, %function\n");

void mn_mark(void);
__attribute__((noinline)) void mn_mark(void) {
  __asm__ volatile("" ::: "memory");
}

static _Alignas(64) uint8_t query[2 * LARGEST * sizeof(float)];
static _Alignas(64) uint8_t rows[ROWS * LARGEST * sizeof(float)];
static uint32_t slots[ROWS], sums[ROWS];
static const uint8_t *addresses[ROWS];
static volatile uint32_t sink;
static volatile float float_sink;

typedef void call(const mn_kernels *table, uint32_t d);

#define ROWS_CALL(kernel, bits)                                                \
  static void call_##kernel(const mn_kernels *table, uint32_t d) {             \
    const mn_rows b = {rows, d * (bits) / 8, slots, ROWS};                     \
    mn_mark();                                                                 \
    table->kernel((const int8_t *)query, &b, d, (int32_t *)sums);              \
    mn_mark();                                                                 \
  }

#define PAIR_CALL(kernel, a_type, b_type, to)                                  \
  static void call_##kernel(const mn_kernels *table, uint32_t d) {             \
    mn_mark();                                                                 \
    to = table->kernel((const a_type *)(const void *)query,                    \
                       (const b_type *)(const void *)rows, d);                 \
    mn_mark();                                                                 \
  }

ROWS_CALL(dot_i8_u1, 1)
ROWS_CALL(dot_i8_u2, 2)
ROWS_CALL(dot_i8_u4, 4)
#define sink_of_int *(volatile int32_t *)&sink
PAIR_CALL(dot_i16_i8, int16_t, int8_t, sink_of_int)
PAIR_CALL(dot_i16_u4, int16_t, uint8_t, sink_of_int)
PAIR_CALL(dot_f32, float, float, float_sink)
PAIR_CALL(l2_f32, float, float, float_sink)
PAIR_CALL(dot_f16, float, uint16_t, float_sink)

static void call_count_xor_rows(const mn_kernels *table, uint32_t d) {
  mn_mark();
  table->count_xor_rows(query, rows, d / 8, d / 8, ROWS, sums);
  mn_mark();
}

/* Groups of four dimensions of a bit each, or codes of 4 bits for two. */
static void call_lookup_u4(const mn_kernels *table, uint32_t d) {
  for (uint32_t r = 0; r < ROWS; r++)
    addresses[r] = rows + r * (d / 8);
  mn_mark();
  table->lookup_u4(query, addresses, d / 8, sums);
  mn_mark();
}

static const struct {
  const char *name;
  call *call;
  uint32_t rows;
  int is_float;
} kernels[] = {
    {"dot_i8_u1", call_dot_i8_u1, ROWS, 0},
    {"dot_i8_u2", call_dot_i8_u2, ROWS, 0},
    {"dot_i8_u4", call_dot_i8_u4, ROWS, 0},
    {"dot_i16_i8", call_dot_i16_i8, 1, 0},
    {"dot_i16_u4", call_dot_i16_u4, 1, 0},
    {"count_xor_rows", call_count_xor_rows, ROWS, 0},
    {"lookup_u4", call_lookup_u4, ROWS, 0},
    {"dot_f32", call_dot_f32, 1, 1},
    {"l2_f32", call_l2_f32, 1, 1},
    {"dot_f16", call_dot_f16, 1, 1},
};

/* Any bytes as integers; ordinary numbers as floats, of which a pair of bytes
 * is an ordinary half too. Tables' high bytes are below 16. */
static void fill(uint8_t *to, size_t bytes, int is_float) {
  uint32_t state = 1;
  for (size_t i = 0; i < bytes; i++) {
    state = state * 1664525u + 1013904223u;
    const uint8_t any = (uint8_t)(state >> 24);
    to[i] = !is_float ? any & 15 : i % 2 == 1 ? 0x3c : any;
  }
}

static const mn_kernels empty = {
#define EMPTY(kernel, returns, ...) .kernel = (returns(*)(__VA_ARGS__))mn_empty
    EMPTY(dot_i8_u1, void, const int8_t *, const mn_rows *, uint32_t,
          int32_t *),
    EMPTY(dot_i8_u2, void, const int8_t *, const mn_rows *, uint32_t,
          int32_t *),
    EMPTY(dot_i8_u4, void, const int8_t *, const mn_rows *, uint32_t,
          int32_t *),
    EMPTY(dot_i16_i8, int32_t, const int16_t *, const int8_t *, uint32_t),
    EMPTY(dot_i16_u4, int32_t, const int16_t *, const uint8_t *, uint32_t),
    EMPTY(count_xor_rows, void, const uint8_t *, const uint8_t *, size_t,
          uint32_t, uint32_t, uint32_t *),
    EMPTY(lookup_u4, void, const uint8_t *, const uint8_t *const *, uint32_t,
          uint32_t *),
    EMPTY(dot_f32, float, const float *, const float *, uint32_t),
    EMPTY(l2_f32, float, const float *, const float *, uint32_t),
    EMPTY(dot_f16, float, const float *, const uint16_t *, uint32_t),
};

static void call_all(const char *name, const mn_kernels *table) {
  static const uint32_t dimensions[] = {64, 128, 384, LARGEST};
  for (size_t k = 0; k < sizeof kernels / sizeof kernels[0]; k++) {
    fill(query, sizeof query, kernels[k].is_float);
    fill(rows, sizeof rows, kernels[k].is_float);
    for (size_t i = 0; i < sizeof dimensions / sizeof dimensions[0]; i++) {
      kernels[k].call(table, dimensions[i]);
      printf("%s %s %u %u\n", name, kernels[k].name, (unsigned)dimensions[i],
             (unsigned)kernels[k].rows);
    }
  }
}

int main(void) {
  const mn_kernels *table;
  for (uint32_t r = 0; r < ROWS; r++)
    slots[r] = r;
  call_all("empty", &empty);
  for (uint32_t i = 0; (table = mn_kernels_at(i)) != NULL; i++)
    call_all(table->name, table);
  return 0;
}
