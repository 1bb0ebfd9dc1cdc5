/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the kernels for many rows.
 */
#ifndef MN_TESTS_KERNELS_ROWS_H
#define MN_TESTS_KERNELS_ROWS_H

#include "check.h"
#include "operands.h"
#include "rooms.h"

#define LOOKUP_MAX 5000u /* bytes of a row; 64 times that fit into a room */
#define U8_MAX     300u  /* codes of a byte; 512 times that do */

_Static_assert(64 * LOOKUP_MAX <= ROOM_BYTES, "the tables fit");
_Static_assert(MN_LOOKUP_ROWS *(LOOKUP_MAX + 5) + 2 * SHIFTS <= ROOM_BYTES,
               "the rows fit");
_Static_assert(512 * U8_MAX + SHIFTS <= ROOM_BYTES, "the tables fit");

/* Tables of lookup_u4: any, the largest, and such that all sums of low bytes
 * or all of high bytes are as large as can be. */
typedef enum { ANY, LARGEST, LOW, HIGH, FILLINGS } filling;

static void fill_tables(uint8_t *tables, filling with, uint32_t bytes) {
  for (uint32_t i = 0; i < 64 * bytes; i++) {
    int is_high = i % 32 >= 16;
    uint32_t most = is_high ? 15 : 255;
    tables[i] = (uint8_t)(with == ANY ? random_below(most + 1)
                          : with == LARGEST || is_high == (with == HIGH) ? most
                                                                         : 0);
  }
}

/* What kernels.h says of T and of the sum. */
static uint32_t look_up(const uint8_t *tables, const uint8_t *row,
                        uint32_t bytes) {
  uint32_t sum = 0;
  for (uint32_t t = 0; t < 2 * bytes; t++) {
    uint32_t code = t % 2 == 0 ? row[t / 2] % 16 : row[t / 2] / 16;
    sum += tables[32 * t + code] + 256u * tables[32 * t + 16 + code];
  }
  return sum;
}

/* All tables on rows that lie `stride` bytes from one to the next (0: all the
 * same), in any order, the first or the last of them against an edge. */
static void check_rows(filling with, uint32_t bytes, uint32_t stride,
                       uint32_t turn, int at_end) {
  static uint8_t tables_source[64 * LOOKUP_MAX];
  static uint8_t rows_source[MN_LOOKUP_ROWS * (LOOKUP_MAX + 5)];
  uint32_t all = (MN_LOOKUP_ROWS - 1) * stride + bytes;
  fill_tables(tables_source, with, bytes);
  for (uint32_t i = 0; i < all; i++)
    rows_source[i] = (uint8_t)random_u32();
  /* The room's edges are aligned, and 64 divides the tables' size. */
  const uint8_t *tables =
      place(rooms[turn], at_end, 0, tables_source, 64 * (size_t)bytes);
  const uint8_t *rows = place(rooms[1 - turn], at_end, 0, rows_source, all);

  const uint8_t *pointers[MN_LOOKUP_ROWS];
  uint32_t expected[MN_LOOKUP_ROWS];
  uint32_t step = 2 * random_below(16) + 1, first = random_below(32);
  for (uint32_t r = 0; r < MN_LOOKUP_ROWS; r++) {
    pointers[r] = rows + (first + r * step) % MN_LOOKUP_ROWS * stride;
    expected[r] = look_up(tables, pointers[r], bytes);
  }
  const mn_kernels *table;
  for (uint32_t i = 0; (table = table_at(i)) != NULL; i++) {
    uint32_t sums[MN_LOOKUP_ROWS + 2];
    memset(sums, 0x5a, sizeof sums);
    table->lookup_u4(tables, pointers, bytes, sums + 1);
    for (uint32_t r = 0; r < MN_LOOKUP_ROWS; r++)
      CHECK(sums[1 + r] == expected[r],
            "lookup_u4 of %s, %u bytes, stride %u, fill %d, row %u at the %s: "
            "%08x, not %08x",
            table->name, bytes, stride, (int)with, r, at_end ? "end" : "begin",
            sums[1 + r], expected[r]);
    CHECK(sums[0] == 0x5a5a5a5a && sums[MN_LOOKUP_ROWS + 1] == 0x5a5a5a5a,
          "lookup_u4 of %s, %u bytes: writes outside the sums", table->name,
          bytes);
  }
}

static void check_lookup_u4(uint32_t bytes) {
  for (filling with = 0; with < FILLINGS; with++)
    for (uint32_t turn = 0; turn < TURNS; turn++)
      for (int at_end = 0; at_end < 2; at_end++) {
        check_rows(with, bytes, 0, turn, at_end);
        for (uint32_t more = 0; more < 5; more++)
          check_rows(with, bytes, bytes + more, turn, at_end);
      }
}

static void check_lookup_u8(uint32_t n) {
  static uint16_t tables_source[256 * U8_MAX];
  static uint8_t codes_source[U8_MAX];
  for (uint32_t kind = 0; kind < 2; kind++) {
    for (uint32_t i = 0; i < 256 * n; i++)
      tables_source[i] = (uint16_t)(kind ? 0xffff : random_u32());
    uint32_t expected = 0;
    for (uint32_t i = 0; i < n; i++) {
      codes_source[i] = (uint8_t)random_u32();
      expected += tables_source[256 * i + codes_source[i]];
    }
    for (uint32_t at = 0; at < 2 * TURNS * SHIFTS; at++) {
      int at_end = at / SHIFTS % 2;
      uint32_t turn = at / SHIFTS / 2, shift = at % SHIFTS;
      const void *tables =
          place(rooms[turn], at_end, shift, tables_source, 512 * (size_t)n);
      const void *codes =
          place(rooms[1 - turn], at_end, shift * 5 % SHIFTS, codes_source, n);
      const mn_kernels *table;
      for (uint32_t i = 0; (table = table_at(i)) != NULL; i++) {
        uint32_t got = table->lookup_u8(tables, codes, n);
        CHECK(got == expected, "lookup_u8 of %s, n %u: %08x, not %08x",
              table->name, n, got, expected);
      }
    }
  }
}

static uint32_t distance_of(const uint8_t *a, const uint8_t *b,
                            uint32_t bytes) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < 8 * bytes; i++)
    sum += (a[i / 8] ^ b[i / 8]) >> i % 8 & 1u;
  return sum;
}

/* Rows `gap` bytes apart. */
static void check_count_rows(uint32_t bytes, uint32_t gap, uint32_t count) {
  enum { MANY = 70, BYTES_MAX = 300 };
  static uint8_t rows_source[MANY * (BYTES_MAX + 8)];
  uint8_t a_source[BYTES_MAX];
  uint32_t expected[MANY], stride = bytes + gap;
  uint32_t all = count > 0 ? (count - 1) * stride + bytes : 0;
  for (uint32_t i = 0; i < bytes; i++)
    a_source[i] = (uint8_t)random_u32();
  for (uint32_t i = 0; i < all; i++)
    rows_source[i] = (uint8_t)random_u32();
  for (uint32_t r = 0; r < count; r++)
    expected[r] = distance_of(a_source, rows_source + r * stride, bytes);
  for (uint32_t at = 0; at < 2 * TURNS; at++) {
    const uint8_t *a = place(rooms[at / 2], at % 2, 0, a_source, bytes);
    const uint8_t *rows = place(rooms[1 - at / 2], at % 2, 0, rows_source, all);
    const mn_kernels *table;
    for (uint32_t i = 0; (table = table_at(i)) != NULL; i++) {
      uint32_t got[MANY + 2];
      memset(got, 0x5a, sizeof got);
      table->count_xor_rows(a, rows, stride, bytes, count, got + 1);
      CHECK(memcmp(got + 1, expected, count * sizeof *got) == 0 &&
                got[0] == 0x5a5a5a5a && got[count + 1] == 0x5a5a5a5a,
            "count_xor_rows of %s, %u rows of %u bytes, %u apart", table->name,
            count, bytes, stride);
    }
  }
}

/* Rows `gap` bytes apart, in any order; the first or the last against an edge.
 * One row alone is checked with the other operands. */
static void check_dot_rows(op which, uint32_t n, uint32_t gap, uint32_t count) {
  enum { MANY = 40, BYTES_MAX = 160 };
  static uint8_t rows_source[MANY * (BYTES_MAX + 8)];
  int8_t a_source[1024 + 32];
  uint32_t slots[MANY], bytes = (uint32_t)bytes_of(ops[which].b, n);
  uint32_t stride = bytes + gap;
  const uint32_t all = count > 0 ? (count - 1) * stride + bytes : 0;
  const size_t a_bytes = bytes_of(ops[which].a, n);
  fill(a_source, which, 1, ORDINARY, n);
  for (uint32_t i = 0; i < all; i++)
    rows_source[i] = (uint8_t)random_u32();
  for (uint32_t i = 0; i < count; i++)
    slots[i] = random_below(count);
  for (uint32_t at = 0; at < 2 * TURNS; at++) {
    const void *a = place(rooms[at / 2], at % 2, 0, a_source, a_bytes);
    const mn_rows b = {place(rooms[1 - at / 2], at % 2, 0, rows_source, all),
                       stride, slots, count};
    const mn_kernels *table;
    for (uint32_t i = 0; (table = table_at(i)) != NULL; i++) {
      int32_t got[MANY + 2];
      memset(got, 0x5a, sizeof got);
      dot_rows_of(table, which)(a, &b, n, got + 1);
      for (uint32_t r = 0; r < count; r++) {
        const uint32_t expected =
            run_row(&mn_kernels_c, which, a, b.at + slots[r] * stride, n);
        CHECK((uint32_t)got[1 + r] == expected,
              "%s of %s, n %u, row %u of %u, %u bytes apart: %08x, not %08x",
              ops[which].name, table->name, n, r, count, stride,
              (uint32_t)got[1 + r], expected);
      }
      CHECK(got[0] == 0x5a5a5a5a && got[count + 1] == 0x5a5a5a5a,
            "%s of %s, n %u, %u rows: writes outside the sums", ops[which].name,
            table->name, n, count);
    }
  }
}

static void check_rows_kernels(int few) {
  for (op which = DOT_I8_U4; which <= DOT_I8_U1; which++)
    for (uint32_t n = 1; n <= (few ? 140 : 300); n++)
      for (uint32_t count = 0; count <= 9; count += few ? 3 : 1)
        check_dot_rows(which, n, random_below(8), count);
  check_dot_rows(DOT_I8_U4, 100, 8, 40);
  static const uint32_t large[] = {127, 128, 129, 200,  256,  257,       300,
                                   511, 512, 784, 1024, 4097, LOOKUP_MAX};
  for (uint32_t bytes = 0; bytes <= (few ? 33 : 100); bytes++)
    check_lookup_u4(bytes);
  for (uint32_t i = 0; i < (few ? 3 : sizeof large / sizeof large[0]); i++)
    check_lookup_u4(large[i]);
  for (uint32_t n = 0; n <= 40; n++)
    check_lookup_u8(n);
  check_lookup_u8(U8_MAX);
  for (uint32_t bytes = 0; bytes <= (few ? 70 : 140); bytes++)
    for (uint32_t count = 0; count <= (few ? 3 : 18); count++)
      check_count_rows(bytes, random_below(8), count);
  for (uint32_t count = 0; count <= 70; count++)
    check_count_rows(300, 4, count);
}

#endif
