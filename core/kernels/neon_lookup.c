/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NEON: lookups by 4 bits.
 */
#include "kernels.h"
#if defined(MN_HAS_NEON)

#include "neon.h"

/* Sixteen bytes of 16 rows make a square of bytes, which is transposed so that
 * a register has one byte of every row: the same table serves all of it. The
 * transposition is four rounds of taking registers i and i + 8 and interleaving
 * their bytes. */
typedef struct {
  uint8x16_t v[16];
} square;

MN_INLINE square interleave(square s) {
  square to;
  for (uint32_t i = 0; i < 8; i++) {
    to.v[2 * i] = vzip1q_u8(s.v[i], s.v[i + 8]);
    to.v[2 * i + 1] = vzip2q_u8(s.v[i], s.v[i + 8]);
  }
  return to;
}

MN_INLINE square transpose(square s) {
  return interleave(interleave(interleave(interleave(s))));
}

/* Sums of bytes in words: `all` counts an upper byte 256 times, which is taken
 * off in the end, so it may wrap around. */
typedef struct {
  uint16x8_t all, upper;
} byte_sums;

typedef struct {
  byte_sums low, high; /* bytes of the tables */
} row_sums;

MN_INLINE byte_sums add_bytes(byte_sums sums, uint8x16_t bytes) {
  uint16x8_t words = vreinterpretq_u16_u8(bytes);
  sums.all = vaddq_u16(sums.all, words);
  sums.upper = vsraq_n_u16(sums.upper, words, 8);
  return sums;
}

MN_INLINE uint8x16_t look_up(const uint8_t *table, uint8x16_t codes) {
  return vqtbl1q_u8(vld1q_u8(table), codes);
}

/* What `columns` (1 to 16) bytes of every row add. High bytes are below 16, so
 * those of eight columns fit into one. */
MN_INLINE row_sums add_columns(row_sums sums, square s, const uint8_t *tables,
                               uint32_t columns) {
  const uint8x16_t mask = vdupq_n_u8(15);
  uint8x16_t high = vdupq_n_u8(0);
  for (uint32_t i = 0; i < columns; i++, tables += 64) {
    uint8x16_t even = vandq_u8(s.v[i], mask), odd = vshrq_n_u8(s.v[i], 4);
    sums.low = add_bytes(sums.low, look_up(tables, even));
    sums.low = add_bytes(sums.low, look_up(tables + 32, odd));
    high = vaddq_u8(high, look_up(tables + 16, even));
    high = vaddq_u8(high, look_up(tables + 48, odd));
    if (i == 7 || i + 1 == columns) {
      sums.high = add_bytes(sums.high, high);
      high = vdupq_n_u8(0);
    }
  }
  return sums;
}

/* Sixteen rows, the 16 bytes from `at` on; and what is left of them, less than
 * 16. */
MN_INLINE row_sums add_square(row_sums sums, const uint8_t *tables,
                              const uint8_t *const *rows, uint32_t at) {
  square s;
  for (uint32_t r = 0; r < 16; r++)
    s.v[r] = vld1q_u8(rows[r] + at);
  return add_columns(sums, transpose(s), tables + 64 * (size_t)at, 16);
}

static __attribute__((noinline)) void add_rest(row_sums *sums,
                                               const uint8_t *tables,
                                               const uint8_t *const *rows,
                                               uint32_t at, uint32_t columns) {
  square s;
  for (uint32_t r = 0; r < 16; r++)
    s.v[r] = mn_load_part(rows[r] + at, columns);
  *sums = add_columns(*sums, transpose(s), tables + 64 * (size_t)at, columns);
}

/* Words of the rows 0 to 7 and 8 to 15. */
MN_INLINE uint16x8x2_t split(byte_sums sums) {
  uint16x8_t lower = vsubq_u16(sums.all, vshlq_n_u16(sums.upper, 8));
  return vzipq_u16(lower, sums.upper);
}

/* Four rows: low + 256 high, added. */
MN_INLINE void store_sums(uint32_t *sums, uint16x4_t low, uint16x4_t high) {
  uint32x4_t more = vaddw_u16(vshll_n_u16(high, 8), low);
  vst1q_u32(sums, vaddq_u32(vld1q_u32(sums), more));
}

MN_INLINE void flush(row_sums from, uint32_t *sums) {
  uint16x8x2_t low = split(from.low), high = split(from.high);
  for (uint32_t i = 0; i < 2; i++, sums += 8) {
    store_sums(sums, vget_low_u16(low.val[i]), vget_low_u16(high.val[i]));
    store_sums(sums + 4, vget_high_u16(low.val[i]), vget_high_u16(high.val[i]));
  }
}

/* Sixteen rows. */
static void look_up_rows(const uint8_t *tables, const uint8_t *const *rows,
                         uint32_t bytes, uint32_t *sums) {
  const byte_sums none = {vdupq_n_u16(0), vdupq_n_u16(0)};
  for (uint32_t r = 0; r < 16; r += 4)
    vst1q_u32(sums + r, vdupq_n_u32(0));
  for (uint32_t at = 0; at < bytes;) {
    row_sums part = {none, none};
    /* 128 times two low bytes are below 2^16, a word's limit. */
    uint32_t end = bytes - at > 128 ? at + 128 : bytes;
    for (; at + 16 <= end; at += 16)
      part = add_square(part, tables, rows, at);
    if (at < end)
      add_rest(&part, tables, rows, at, end - at);
    flush(part, sums);
    at = end;
  }
}

void mn_lookup_u4_neon(const uint8_t *tables, const uint8_t *const *rows,
                       uint32_t bytes, uint32_t *sums) {
  look_up_rows(tables, rows, bytes, sums);
  look_up_rows(tables, rows + 16, bytes, sums + 16);
}

#endif
