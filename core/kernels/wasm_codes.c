/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebAssembly SIMD128: sums of integers and of bits.
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
        n < 8 ? mn_load_end((const uint8_t *)a, 2 * n) : wasm_v128_load(a);
    s0 = wasm_i32x4_add(s0, wasm_i32x4_dot_i16x8(low, words.first));
    if (n > 8) {
      v128_t high = mn_load_end((const uint8_t *)(a + 8), 2 * n - 16);
      s1 = wasm_i32x4_add(s1, wasm_i32x4_dot_i16x8(high, words.last));
    }
  }
  return add_lanes(wasm_i32x4_add(s0, s1));
}

MN_INLINE sixteen sixteen_i8(const uint8_t *b) {
  return (sixteen){wasm_i16x8_load8x8(b), wasm_i16x8_load8x8(b + 8)};
}

MN_INLINE sixteen few_i8(const uint8_t *b, uint32_t count) {
  v128_t bytes = mn_load_end(b, count);
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
      wasm_u16x8_extend_low_u8x16(mn_load_end(b, (count + 1) / 2)));
}

/* The lowest four bytes have four elements each. A word gets the byte with its
 * element; a product moves that element to bits 6 and 7, whatever lies above.
 */
MN_INLINE sixteen unpack_u2(v128_t bytes) {
  const v128_t mask = wasm_i16x8_const_splat(3);
  v128_t scale = wasm_i16x8_const(64, 16, 4, 1, 64, 16, 4, 1);
  MN_SETTLE(scale); /* LLVM would rather shift every lane by itself */
  v128_t first = wasm_i8x16_shuffle(bytes, bytes, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1,
                                    1, 1, 1, 1, 1, 1);
  v128_t last = wasm_i8x16_shuffle(bytes, bytes, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3,
                                   3, 3, 3, 3, 3, 3);
  first = wasm_u16x8_shr(wasm_i16x8_mul(first, scale), 6);
  last = wasm_u16x8_shr(wasm_i16x8_mul(last, scale), 6);
  return (sixteen){wasm_v128_and(first, mask), wasm_v128_and(last, mask)};
}

MN_INLINE sixteen sixteen_u2(const uint8_t *b) {
  return unpack_u2(wasm_v128_load32_zero(b));
}

MN_INLINE sixteen few_u2(const uint8_t *b, uint32_t count) {
  return unpack_u2(mn_load_end(b, (count + 3) / 4));
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

/* --- Products of int8, widened -------------------------------------------- */

typedef sixteen unpack(v128_t packed);

/* The last `bytes` (1 to 8) bytes of b, which has 8 or more where `is_long`. */
MN_INLINE v128_t load_last(const uint8_t *b, uint32_t bytes, int is_long) {
  if (!is_long)
    return mn_load_end(b, bytes);
  const uint64_t last = ((const mn_unaligned_u64 *)(b + bytes - 8))->value;
  return wasm_u64x2_make(last >> (64 - 8 * bytes), 0);
}

MN_INLINE v128_t add_eight(v128_t sums, const int8_t *a, v128_t words) {
  v128_t products = wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(a), words);
  return wasm_i32x4_add(sums, products);
}

MN_INLINE int32_t dot_i8(unpack *words_of, uint32_t bits, const int8_t *a,
                         const uint8_t *b, uint32_t n) {
  const int is_long = n * bits > 56;
  v128_t s0 = wasm_i32x4_const_splat(0), s1 = s0;
  for (; n >= 16; n -= 16, a += 16, b += 2 * bits) {
    MN_KEEP(a, b);
    sixteen words = words_of(bits == 4 ? wasm_v128_load64_zero(b)
                                       : wasm_v128_load32_zero(b));
    s0 = add_eight(s0, a, words.first);
    s1 = add_eight(s1, a + 8, words.last);
  }
  if (n > 0) {
    sixteen words = words_of(load_last(b, (n * bits + 7) / 8, is_long));
    s0 = add_eight(s0, a, words.first);
    s1 = add_eight(s1, a + 8, words.last);
  }
  return add_lanes(wasm_i32x4_add(s0, s1));
}

MN_INLINE sixteen widen_u4(v128_t packed) {
  return unpack_u4(wasm_u16x8_extend_low_u8x16(packed));
}

void mn_dot_i8_u4_wasm(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums) {
  for (uint32_t i = 0; i < b->count; i++)
    sums[i] = dot_i8(widen_u4, 4, a, mn_row(b, i), n);
}

void mn_dot_i8_u2_wasm(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums) {
  for (uint32_t i = 0; i < b->count; i++)
    sums[i] = dot_i8(unpack_u2, 2, a, mn_row(b, i), n);
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

MN_INLINE int32_t dot_u1(const int8_t *a, const uint8_t *b, uint32_t n) {
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
    v128_t bytes = mn_load_end(b, (some + 7) / 8);
    bytes = wasm_i8x16_shuffle(bytes, bytes, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1,
                               1, 1, 1, 1);
    v128_t weights =
        some < 16 ? mn_load_end((const uint8_t *)a, some) : wasm_v128_load(a);
    four =
        add_words(four, add_weights(wasm_i16x8_const_splat(0), weights, bytes));
  }
  return add_lanes(four);
}

void mn_dot_i8_u1_wasm(const int8_t *a, const mn_rows *b, uint32_t n,
                       int32_t *sums) {
  for (uint32_t i = 0; i < b->count; i++)
    sums[i] = dot_u1(a, mn_row(b, i), n);
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
MN_INLINE uint32_t count_eight(combine *with, const uint8_t *a,
                               const uint8_t *b) {
  uint64_t bits = with(((const mn_unaligned_u64 *)a)->value,
                       ((const mn_unaligned_u64 *)b)->value);
  return (uint32_t)__builtin_popcountll(bits);
}

MN_INLINE uint32_t count_all(combine *with, const uint8_t *a, const uint8_t *b,
                             uint32_t bytes) {
  uint32_t sum = 0;
  for (; bytes >= 32; bytes -= 32, a += 32, b += 32)
    sum += count_eight(with, a, b) + count_eight(with, a + 8, b + 8) +
           count_eight(with, a + 16, b + 16) +
           count_eight(with, a + 24, b + 24);
  for (; bytes >= 8; bytes -= 8, a += 8, b += 8)
    sum += count_eight(with, a, b);
  if (bytes > 0)
    sum += (uint32_t)__builtin_popcountll(
        with(mn_load_partial(a, bytes), mn_load_partial(b, bytes)));
  return sum;
}

uint32_t mn_count_xor_wasm(const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  return count_all(exclusive_or, a, b, bytes);
}

uint32_t mn_count_and_wasm(const uint8_t *a, const uint8_t *b, uint32_t bytes) {
  return count_all(both, a, b, bytes);
}

/* 512 bits, so that the vector stays in registers. */
static void count_xor_rows_64(const uint8_t *a, const uint8_t *rows,
                              size_t stride, uint32_t count, uint32_t *counts) {
  uint64_t words[8];
  for (uint32_t w = 0; w < 8; w++)
    words[w] = ((const mn_unaligned_u64 *)(a + 8 * w))->value;
  for (uint32_t r = 0; r < count; r++, rows += stride) {
    uint64_t sum = 0;
    for (uint32_t w = 0; w < 8; w++)
      sum += (uint64_t)__builtin_popcountll(
          words[w] ^ ((const mn_unaligned_u64 *)(rows + 8 * w))->value);
    counts[r] = (uint32_t)sum;
  }
}

void mn_count_xor_rows_wasm(const uint8_t *a, const uint8_t *rows,
                            size_t stride, uint32_t bytes, uint32_t count,
                            uint32_t *counts) {
  if (bytes == 64) {
    count_xor_rows_64(a, rows, stride, count, counts);
    return;
  }
  for (uint32_t r = 0; r < count; r++)
    counts[r] = count_all(exclusive_or, a, rows + r * stride, bytes);
}

#endif
