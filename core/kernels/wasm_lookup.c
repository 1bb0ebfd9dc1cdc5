/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebAssembly SIMD128: lookups by 4 bits.
 */
#if defined(__wasm_simd128__)

#include "wasm.h"

/* Sixteen bytes of 16 rows make a square of bytes, which is transposed so that
 * a register has one byte of every row: the same table serves all of it. The
 * transposition is four rounds of taking registers i and i + 8 and interleaving
 * their bytes. Two rounds at a time are done on four registers; in between, the
 * square lies in memory. */
typedef v128_t square[16];

MN_INLINE v128_t interleave_low(v128_t a, v128_t b) {
  return wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6,
                            22, 7, 23);
}

MN_INLINE v128_t interleave_high(v128_t a, v128_t b) {
  return wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
                            14, 30, 15, 31);
}

MN_INLINE void interleave(v128_t v[4]) {
  v128_t a = interleave_low(v[0], v[2]), b = interleave_high(v[0], v[2]);
  v128_t c = interleave_low(v[1], v[3]), d = interleave_high(v[1], v[3]);
  v[0] = interleave_low(a, c);
  v[1] = interleave_high(a, c);
  v[2] = interleave_low(b, d);
  v[3] = interleave_high(b, d);
}

/* The first two rounds, on the bytes from `at` on. */
static void load_square(square to, const uint8_t *const *rows, uint32_t at) {
  for (uint32_t i = 0; i < 4; i++, rows++, to += 4) {
    v128_t v[4];
    for (uint32_t j = 0; j < 4; j++)
      v[j] = wasm_v128_load(rows[4 * j] + at);
    interleave(v);
    for (uint32_t j = 0; j < 4; j++)
      to[j] = v[j];
  }
}

/* The same on what is left of the rows, less than 16 bytes: the last 16 bytes
 * of a row, or its first eight and last eight, hold them; they are moved to the
 * front. */
static void load_rest(square to, const uint8_t *const *rows, uint32_t at,
                      uint32_t bytes) {
  const uint32_t low = bytes >= 16 ? bytes - 16 : 0, high = bytes - 8;
  v128_t shift = wasm_i8x16_splat((int8_t)(at - low));
  if (bytes < 16)
    shift = wasm_i64x2_replace_lane(wasm_i8x16_splat((int8_t)(8 - high)), 0, 0);
  const v128_t order = wasm_i8x16_add(
      wasm_i8x16_const(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
      shift);
#pragma clang loop unroll(disable)
  for (uint32_t i = 0; i < 4; i++, rows++, to += 4) {
    v128_t v[4];
    if (bytes < 8)
      for (uint32_t j = 0; j < 4; j++)
        v[j] = mn_load_end(rows[4 * j], bytes);
    else
      for (uint32_t j = 0; j < 4; j++) {
        const uint8_t *row = rows[4 * j];
        v[j] = wasm_v128_load64_lane(row + high,
                                     wasm_v128_load64_zero(row + low), 1);
        v[j] = wasm_i8x16_swizzle(v[j], order);
      }
    interleave(v);
    for (uint32_t j = 0; j < 4; j++)
      to[j] = v[j];
  }
}

/* Sums of bytes in words: `all` counts an upper byte 256 times, which is taken
 * off in the end, so it may wrap around. */
typedef struct {
  v128_t all, upper;
} byte_sums;

typedef struct {
  byte_sums low, high; /* bytes of the tables */
} row_sums;

MN_INLINE void add_bytes(byte_sums *sums, v128_t bytes) {
  sums->all = wasm_i16x8_add(sums->all, bytes);
  sums->upper = wasm_i16x8_add(sums->upper, wasm_u16x8_shr(bytes, 8));
}

/* Codes are below 16, where all swizzles are the same. */
MN_INLINE v128_t look_up(const uint8_t *table, v128_t codes) {
#if defined(__wasm_relaxed_simd__)
  return wasm_i8x16_relaxed_swizzle(wasm_v128_load(table), codes);
#else
  return wasm_i8x16_swizzle(wasm_v128_load(table), codes);
#endif
}

/* What one byte of every row adds; the high bytes to `high`. */
MN_INLINE void add_column(byte_sums *low, v128_t *high, const uint8_t *tables,
                          v128_t bytes) {
  const v128_t mask = wasm_i8x16_const_splat(15);
  v128_t odd = wasm_v128_and(wasm_u16x8_shr(bytes, 4), mask);
  v128_t even = wasm_v128_and(bytes, mask);
  add_bytes(low, look_up(tables, even));
  *high = wasm_i8x16_add(*high, look_up(tables + 16, even));
  add_bytes(low, look_up(tables + 32, odd));
  *high = wasm_i8x16_add(*high, look_up(tables + 48, odd));
  MN_SETTLE(low->all);
  MN_SETTLE(low->upper);
  MN_SETTLE(*high);
}

/* The last two rounds for four columns, from `from` on, and what `columns` (1
 * to 4) of them add. High bytes are below 16, so eight of them fit into one. */
MN_INLINE void add_four(row_sums *sums, const v128_t *from,
                        const uint8_t *tables, uint32_t columns) {
  MN_KEEP(from, tables);
  v128_t v[4] = {from[0], from[4], from[8], from[12]};
  v128_t high = wasm_i8x16_const_splat(0);
  interleave(v);
  add_column(&sums->low, &high, tables, v[0]);
  if (columns > 1)
    add_column(&sums->low, &high, tables + 64, v[1]);
  if (columns > 2)
    add_column(&sums->low, &high, tables + 128, v[2]);
  if (columns > 3)
    add_column(&sums->low, &high, tables + 192, v[3]);
  add_bytes(&sums->high, high);
}

/* `columns`: 1 to 16. */
static __attribute__((noinline)) void add_columns(row_sums *to,
                                                  const v128_t *from,
                                                  const uint8_t *tables,
                                                  uint32_t columns) {
  row_sums sums = *to;
  for (; columns >= 4; columns -= 4, from++, tables += 4 * 64)
    add_four(&sums, from, tables, 4);
  if (columns > 0)
    add_four(&sums, from, tables, columns);
  *to = sums;
}

/* Words of the rows 0 to 7 and 8 to 15. */
MN_INLINE void split(const byte_sums *sums, v128_t words[2]) {
  v128_t lower = wasm_i16x8_sub(sums->all, wasm_i16x8_shl(sums->upper, 8));
  words[0] = wasm_i16x8_shuffle(lower, sums->upper, 0, 8, 1, 9, 2, 10, 3, 11);
  words[1] = wasm_i16x8_shuffle(lower, sums->upper, 4, 12, 5, 13, 6, 14, 7, 15);
}

/* Sums of four rows, of which a word each is given: low + 256 high. */
MN_INLINE void store_sums(uint32_t *sums, v128_t low_and_high) {
  const v128_t scale = wasm_i16x8_const(1, 256, 1, 256, 1, 256, 1, 256);
  v128_t more = wasm_i32x4_dot_i16x8(low_and_high, scale);
  wasm_v128_store(sums, wasm_i32x4_add(wasm_v128_load(sums), more));
}

static void flush(const row_sums *from, uint32_t *sums) {
  v128_t low[2], high[2];
  split(&from->low, low);
  split(&from->high, high);
  for (uint32_t i = 0; i < 2; i++, sums += 8) {
    store_sums(sums,
               wasm_i16x8_shuffle(low[i], high[i], 0, 8, 1, 9, 2, 10, 3, 11));
    store_sums(sums + 4,
               wasm_i16x8_shuffle(low[i], high[i], 4, 12, 5, 13, 6, 14, 7, 15));
  }
}

/* Sixteen rows. */
static void look_up_rows(const uint8_t *tables, const uint8_t *const *rows,
                         uint32_t bytes, uint32_t *sums) {
  const v128_t zero = wasm_i32x4_const_splat(0);
  square columns;
  for (uint32_t r = 0; r < 16; r += 4)
    wasm_v128_store(sums + r, zero);
  for (uint32_t at = 0; at < bytes;) {
    row_sums part = {{zero, zero}, {zero, zero}};
    /* 64 times two low bytes are below 2^15, the limit of store_sums. */
    uint32_t end = bytes - at > 64 ? at + 64 : bytes;
    for (; at + 16 <= end; at += 16) {
      load_square(columns, rows, at);
      add_columns(&part, columns, tables + 64 * at, 16);
    }
    if (at < end) {
      load_rest(columns, rows, at, bytes);
      add_columns(&part, columns, tables + 64 * at, end - at);
    }
    flush(&part, sums);
    at = end;
  }
}

void mn_lookup_u4_wasm(const uint8_t *tables, const uint8_t *const *rows,
                       uint32_t bytes, uint32_t *sums) {
  look_up_rows(tables, rows, bytes, sums);
  look_up_rows(tables, rows + 16, bytes, sums + 16);
}

#endif
