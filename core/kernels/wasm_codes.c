/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebAssembly SIMD128: integers, bits and lookups.
 */
#if defined(__wasm_simd128__)

#include "wasm.h"

MN_INLINE int32_t add_lanes(v128_t four) {
  v128_t two = wasm_i32x4_add(four, wasm_i32x4_shuffle(four, four, 2, 3, 2, 3));
  return wasm_i32x4_extract_lane(two, 0) + wasm_i32x4_extract_lane(two, 1);
}

/* --- Products of int16, added in pairs to int32 --------------------------- */

/* Elements of b as int16: eight from b on and the eight after them, in this
 * order; and the first `count` (1 to 15) of these, then anything. */
typedef struct {
  v128_t first, last;
} sixteen;

typedef sixteen read_sixteen(const uint8_t *b);
typedef sixteen read_few(const uint8_t *b, uint32_t count);

/* `bits`: of an element of b. */
MN_INLINE int32_t dot(read_sixteen *read, read_few *read_end, uint32_t bits,
                      const int16_t *a, const void *vector_b, uint32_t n) {
  const uint8_t *b = vector_b;
  v128_t s0 = wasm_i32x4_const_splat(0), s1 = s0;
  for (; n >= 16; n -= 16, a += 16, b += 2 * bits) {
    MN_KEEP(a, b);
    sixteen words = read(b);
    s0 = wasm_i32x4_add(s0,
                        wasm_i32x4_dot_i16x8(wasm_v128_load(a), words.first));
    s1 = wasm_i32x4_add(
        s1, wasm_i32x4_dot_i16x8(wasm_v128_load(a + 8), words.last));
  }
  if (n > 0) {
    sixteen words = read_end(b, n);
    v128_t low =
        n < 8 ? mn_load_part((const uint8_t *)a, 2 * n) : wasm_v128_load(a);
    s0 = wasm_i32x4_add(s0, wasm_i32x4_dot_i16x8(low, words.first));
    if (n > 8) {
      v128_t high = mn_load_part((const uint8_t *)(a + 8), 2 * n - 16);
      s1 = wasm_i32x4_add(s1, wasm_i32x4_dot_i16x8(high, words.last));
    }
  }
  return add_lanes(wasm_i32x4_add(s0, s1));
}

MN_INLINE sixteen sixteen_i8(const uint8_t *b) {
  return (sixteen){wasm_i16x8_load8x8(b), wasm_i16x8_load8x8(b + 8)};
}

MN_INLINE sixteen few_i8(const uint8_t *b, uint32_t count) {
  v128_t bytes = mn_load_part(b, count);
  return (sixteen){wasm_i16x8_extend_low_i8x16(bytes),
                   wasm_i16x8_extend_high_i8x16(bytes)};
}

/* A word has a byte with two elements. */
MN_INLINE sixteen unpack_u4(v128_t words) {
  v128_t even = wasm_v128_and(words, wasm_i16x8_const_splat(15));
  v128_t odd = wasm_u16x8_shr(words, 4);
  return (sixteen){wasm_i16x8_shuffle(even, odd, 0, 8, 1, 9, 2, 10, 3, 11),
                   wasm_i16x8_shuffle(even, odd, 4, 12, 5, 13, 6, 14, 7, 15)};
}

MN_INLINE sixteen sixteen_u4(const uint8_t *b) {
  return unpack_u4(wasm_u16x8_load8x8(b));
}

MN_INLINE sixteen few_u4(const uint8_t *b, uint32_t count) {
  return unpack_u4(
      wasm_u16x8_extend_low_u8x16(mn_load_part(b, (count + 1) / 2)));
}

/* The lowest four bytes have four elements each. A product moves an element to
 * the highest bits of its byte. */
MN_INLINE v128_t take_down(v128_t words) {
  const v128_t scale = wasm_i16x8_const(64, 16, 4, 1, 64, 16, 4, 1);
  words = wasm_u16x8_shr(wasm_i16x8_mul(words, scale), 6);
  return wasm_v128_and(words, wasm_i16x8_const_splat(3));
}

MN_INLINE sixteen unpack_u2(v128_t bytes) {
  const v128_t zero = wasm_i8x16_const_splat(0);
  return (sixteen){
      take_down(wasm_i8x16_shuffle(bytes, zero, 0, 16, 0, 16, 0, 16, 0, 16, 1,
                                   16, 1, 16, 1, 16, 1, 16)),
      take_down(wasm_i8x16_shuffle(bytes, zero, 2, 16, 2, 16, 2, 16, 2, 16, 3,
                                   16, 3, 16, 3, 16, 3, 16))};
}

MN_INLINE sixteen sixteen_u2(const uint8_t *b) {
  return unpack_u2(wasm_v128_load32_zero(b));
}

MN_INLINE sixteen few_u2(const uint8_t *b, uint32_t count) {
  return unpack_u2(mn_load_part(b, (count + 3) / 4));
}

int32_t mn_dot_i16_i8_wasm(const int16_t *a, const int8_t *b, uint32_t n) {
  return dot(sixteen_i8, few_i8, 8, a, b, n);
}

int32_t mn_dot_i16_u4_wasm(const int16_t *a, const uint8_t *b, uint32_t n) {
  return dot(sixteen_u4, few_u4, 4, a, b, n);
}

int32_t mn_dot_i16_u2_wasm(const int16_t *a, const uint8_t *b, uint32_t n) {
  return dot(sixteen_u2, few_u2, 2, a, b, n);
}

/* --- Bits ----------------------------------------------------------------- */

/* Those of 16 weights whose bit is set, of two bytes that the lanes 0 to 7 and
 * 8 to 15 of `bytes` repeat; added in pairs to eight words. */
MN_INLINE v128_t add_weights(v128_t words, v128_t weights, v128_t bytes) {
  const v128_t bit = wasm_i8x16_const(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8,
                                      16, 32, 64, -128);
  v128_t set = wasm_i8x16_eq(wasm_v128_and(bytes, bit), bit);
  weights = wasm_v128_and(weights, set);
  return wasm_i16x8_add(words, wasm_i16x8_extadd_pairwise_i8x16(weights));
}

MN_INLINE v128_t add_words(v128_t sums, v128_t words) {
  return wasm_i32x4_add(sums, wasm_i32x4_extadd_pairwise_i16x8(words));
}

int32_t mn_dot_i8_u1_wasm(const int8_t *a, const uint8_t *b, uint32_t n) {
  v128_t four = wasm_i32x4_const_splat(0);
  while (n >= 32) {
    v128_t words = wasm_i16x8_const_splat(0);
    /* A pair is -256 at least, so 128 of them fit into a word. */
    uint32_t left = n > 64 * 32 ? n - 64 * 32 : 0;
    for (; n >= left + 32; n -= 32, a += 32, b += 4) {
      MN_KEEP(a, b);
      v128_t bytes = wasm_v128_load32_zero(b);
      words = add_weights(words, wasm_v128_load(a),
                          wasm_i8x16_shuffle(bytes, bytes, 0, 0, 0, 0, 0, 0, 0,
                                             0, 1, 1, 1, 1, 1, 1, 1, 1));
      words = add_weights(words, wasm_v128_load(a + 16),
                          wasm_i8x16_shuffle(bytes, bytes, 2, 2, 2, 2, 2, 2, 2,
                                             2, 3, 3, 3, 3, 3, 3, 3, 3));
    }
    four = add_words(four, words);
  }
  for (uint32_t some; n > 0; n -= some, a += some, b += 2) {
    some = n < 16 ? n : 16;
    v128_t bytes = mn_load_part(b, (some + 7) / 8);
    bytes = wasm_i8x16_shuffle(bytes, bytes, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1,
                               1, 1, 1, 1);
    v128_t weights =
        some < 16 ? mn_load_part((const uint8_t *)a, some) : wasm_v128_load(a);
    four =
        add_words(four, add_weights(wasm_i16x8_const_splat(0), weights, bytes));
  }
  return add_lanes(four);
}

typedef uint64_t combine(uint64_t a, uint64_t b);

MN_INLINE uint64_t exclusive_or(uint64_t a, uint64_t b) {
  return a ^ b;
}

MN_INLINE uint64_t both(uint64_t a, uint64_t b) {
  return a & b;
}

/* i64.popcnt is one instruction on x86-64 and a few on ARM; V8 makes some ten
 * of i8x16.popcnt on x86-64 below AVX-512. */
MN_INLINE uint32_t differ(const uint8_t *a, const uint8_t *b) {
  return (uint32_t)__builtin_popcountll(((const mn_unaligned_u64 *)a)->value ^
                                        ((const mn_unaligned_u64 *)b)->value);
}

MN_INLINE uint32_t count_words(const uint8_t *a, const uint8_t *b,
                               uint32_t bytes) {
  uint32_t sum = 0;
  for (; bytes >= 32; bytes -= 32, a += 32, b += 32)
    sum += differ(a, b) + differ(a + 8, b + 8) + differ(a + 16, b + 16) +
           differ(a + 24, b + 24);
  for (; bytes >= 8; bytes -= 8, a += 8, b += 8)
    sum += differ(a, b);
  if (bytes > 0)
    sum += (uint32_t)__builtin_popcountll(mn_load_partial(a, bytes) ^
                                          mn_load_partial(b, bytes));
  return sum;
}

MN_INLINE uint32_t count(combine *with, const uint8_t *a, const uint8_t *b,
                         uint32_t bytes) {
  uint64_t sum = 0;
  for (; bytes >= 8; bytes -= 8, a += 8, b += 8)
    sum += (uint64_t)__builtin_popcountll(
        with(((const mn_unaligned_u64 *)a)->value,
             ((const mn_unaligned_u64 *)b)->value));
  if (bytes > 0)
    sum += (uint64_t)__builtin_popcountll(
        with(mn_load_partial(a, bytes), mn_load_partial(b, bytes)));
  return (uint32_t)sum;
}

uint32_t mn_count_xor_wasm(const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  return count(exclusive_or, a, b, bytes);
}

uint32_t mn_count_and_wasm(const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  return count(both, a, b, bytes);
}

void mn_count_xor_rows_wasm(const uint8_t *a, const uint8_t *rows,
                            size_t stride, uint32_t bytes, uint32_t count,
                            uint32_t *counts) {
  for (uint32_t r = 0; r < count; r++)
    counts[r] = count_words(a, rows + r * stride, bytes);
}

/* --- Lookups by 4 bits ---------------------------------------------------- */

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

MN_INLINE v128_t load_halves(const uint8_t *low, const uint8_t *high) {
  return wasm_v128_load64_lane(high, wasm_v128_load64_zero(low), 1);
}

/* The first two rounds, on the eight bytes from `low` and the eight from `high`
 * on; on the first `bytes` only where these are below 8. */
static void load_square(square to, const uint8_t *const *rows, uint32_t bytes,
                        uint32_t low, uint32_t high) {
#pragma clang loop unroll(disable)
  for (uint32_t i = 0; i < 4; i++, rows++, to += 4) {
    v128_t v[4];
    if (high == low + 8)
      for (uint32_t j = 0; j < 4; j++)
        v[j] = wasm_v128_load(rows[4 * j] + low);
    else if (bytes >= 8)
      for (uint32_t j = 0; j < 4; j++)
        v[j] = load_halves(rows[4 * j] + low, rows[4 * j] + high);
    else
#pragma clang loop unroll(disable)
      for (uint32_t j = 0; j < 4; j++)
        v[j] = mn_load_part(rows[4 * j], bytes);
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

/* The last two rounds for `fours` times four columns, and what they add. High
 * bytes are below 16, so that eight of them fit into a byte. */
static __attribute__((noinline)) void add_columns(row_sums *to,
                                                  const v128_t *from,
                                                  const uint8_t *tables,
                                                  uint32_t fours) {
  row_sums sums = *to;
  for (; fours > 0; fours--, from++, tables += 4 * 64) {
    MN_KEEP(from, tables);
    v128_t v[4] = {from[0], from[4], from[8], from[12]};
    v128_t high = wasm_i8x16_const_splat(0);
    interleave(v);
    add_column(&sums.low, &high, tables, v[0]);
    add_column(&sums.low, &high, tables + 64, v[1]);
    add_column(&sums.low, &high, tables + 128, v[2]);
    add_column(&sums.low, &high, tables + 192, v[3]);
    add_bytes(&sums.high, high);
  }
  *to = sums;
}

/* The same for four columns, the bytes from `first` on, of which only those
 * count that lie from `begin` to `end`: the others get tables of zeros. */
static void add_some(row_sums *to, const v128_t *from, const uint8_t *tables,
                     uint32_t first, uint32_t begin, uint32_t end) {
  v128_t four[16];
#pragma clang loop unroll(disable)
  for (uint32_t i = 0; i < 16; i++) {
    uint32_t at = first + i / 4;
    four[i] = at >= begin && at < end
                  ? wasm_v128_load(tables + 64 * at + i % 4 * 16)
                  : wasm_i32x4_const_splat(0);
  }
  add_columns(to, from, (const uint8_t *)four, 1);
}

/* What is left of the rows from `at` on, less than 16 bytes: reads that go back
 * behind `at`, or overlap, cover every length; what was read before does not
 * count again. */
static void add_rest(row_sums *to, square columns, const uint8_t *tables,
                     const uint8_t *const *rows, uint32_t at, uint32_t bytes) {
  uint32_t low = bytes >= 16 ? bytes - 16 : 0;
  uint32_t high = bytes >= 8 ? bytes - 8 : 8;
  load_square(columns, rows, bytes, low, high);
  for (uint32_t i = 0; i < 4; i++) {
    uint32_t first = i < 2 ? low + 4 * i : high + 4 * i - 8;
    uint32_t begin = i >= 2 && at < low + 8 ? low + 8 : at;
    if (first >= begin && first + 4 <= bytes)
      add_columns(to, columns + i, tables + 64 * first, 1);
    else if (first + 4 > begin && first < bytes)
      add_some(to, columns + i, tables, first, begin, bytes);
  }
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
      load_square(columns, rows, bytes, at, at + 8);
      add_columns(&part, columns, tables + 64 * at, 4);
    }
    if (at < end)
      add_rest(&part, columns, tables, rows, at, bytes);
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
