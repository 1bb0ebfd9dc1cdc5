/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels as a list, and random operands for them.
 */
#ifndef MN_TESTS_KERNELS_OPERANDS_H
#define MN_TESTS_KERNELS_OPERANDS_H

#include "../../core/kernels/kernels.h"

#include <string.h>

/* --- Bits and random numbers ---------------------------------------------- */

static float from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint32_t to_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static int is_nan(uint32_t bits) {
  return (bits & 0x7fffffff) > 0x7f800000;
}

/* Which NaN an operation gives is the machine's choice. */
static int same_float(uint32_t x, uint32_t y) {
  return x == y || (is_nan(x) && is_nan(y));
}

static uint64_t random_state;

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint32_t random_u32(void) {
  uint64_t z = random_state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (uint32_t)((z ^ z >> 31) >> 32);
}

static uint32_t random_below(uint32_t bound) {
  return (uint32_t)((uint64_t)random_u32() * bound >> 32);
}

/* --- Kernels and their operands ------------------------------------------- */

/* U8 and below are packed, the first element in the lowest bits of a byte.
 * Behind those of I8_PADDED there are zeros up to a multiple of 32. */
typedef enum { F32, F16, BF16, I16, I8, I8_PADDED, U8, U4, U2, U1 } number;

static const uint32_t number_bits[] = {32, 16, 16, 16, 8, 8, 8, 4, 2, 1};
static const uint32_t fraction_bits[] = {23, 10, 7};
static const uint32_t exponent_bits[] = {8, 5, 8};

static size_t bytes_of(number type, uint32_t n) {
  if (type == I8_PADDED)
    return ((size_t)n + 31) / 32 * 32;
  return ((size_t)n * number_bits[type] + 7) / 8;
}

typedef enum {
  DOT_F32,
  L2_F32,
  DOT_F16,
  L2_F16,
  DOT_BF16,
  L2_BF16,
  DOT_I16_I8,
  DOT_I16_U4,
  DOT_I16_U2,
  DOT_I8_U4,
  DOT_I8_U2,
  DOT_I8_U1,
  COUNT_XOR,
  COUNT_AND
} op;

#define OPS 14

static const struct {
  const char *name;
  number a, b;
} ops[OPS] = {
    {"dot_f32", F32, F32},        {"l2_f32", F32, F32},
    {"dot_f16", F32, F16},        {"l2_f16", F32, F16},
    {"dot_bf16", F32, BF16},      {"l2_bf16", F32, BF16},
    {"dot_i16_i8", I16, I8},      {"dot_i16_u4", I16, U4},
    {"dot_i16_u2", I16, U2},      {"dot_i8_u4", I8_PADDED, U4},
    {"dot_i8_u2", I8_PADDED, U2}, {"dot_i8_u1", I8, U1},
    {"count_xor", U8, U8},        {"count_and", U8, U8},
};

static int is_float(op which) {
  return which < DOT_I16_I8;
}

typedef void dot_rows(const int8_t *a, const mn_rows *b, uint32_t n,
                      int32_t *sums);

static dot_rows *dot_rows_of(const mn_kernels *table, op which) {
  return which == DOT_I8_U4   ? table->dot_i8_u4
         : which == DOT_I8_U2 ? table->dot_i8_u2
                              : table->dot_i8_u1;
}

/* With one row. */
static uint32_t run_row(const mn_kernels *table, op which, const void *a,
                        const void *b, uint32_t n) {
  const uint32_t slot = 0;
  const mn_rows row = {b, 0, &slot, 1};
  int32_t sum;
  dot_rows_of(table, which)(a, &row, n, &sum);
  return (uint32_t)sum;
}

/* The result's bits. */
static uint32_t run(const mn_kernels *table, op which, const void *a,
                    const void *b, uint32_t n) {
  switch (which) {
  case DOT_F32:
    return to_bits(table->dot_f32(a, b, n));
  case L2_F32:
    return to_bits(table->l2_f32(a, b, n));
  case DOT_F16:
    return to_bits(table->dot_f16(a, b, n));
  case L2_F16:
    return to_bits(table->l2_f16(a, b, n));
  case DOT_BF16:
    return to_bits(table->dot_bf16(a, b, n));
  case L2_BF16:
    return to_bits(table->l2_bf16(a, b, n));
  case DOT_I16_I8:
    return (uint32_t)table->dot_i16_i8(a, b, n);
  case DOT_I16_U4:
    return (uint32_t)table->dot_i16_u4(a, b, n);
  case DOT_I16_U2:
    return (uint32_t)table->dot_i16_u2(a, b, n);
  case DOT_I8_U4:
  case DOT_I8_U2:
  case DOT_I8_U1:
    return run_row(table, which, a, b, n);
  case COUNT_XOR:
    return table->count_xor(a, b, n);
  default:
    return table->count_and(a, b, n);
  }
}

static int same_result(op which, uint32_t x, uint32_t y) {
  return is_float(which) ? same_float(x, y) : x == y;
}

/* --- Values --------------------------------------------------------------- */

typedef enum {
  ORDINARY,  /* around 1; integers: any */
  ZEROS,     /* of both signs; integers: all the lowest */
  SUBNORMAL, /* integers: all the highest */
  WIDE,      /* exponents far apart, but no sum overflows; integers:
                lowest by highest */
  TIES,      /* products that lie halfway between two floats; integers:
                signs alternate */
  OVERFLOW,  /* any finite bits: products and sums overflow; so do those of
                integers, which wrap around */
  INFINITE,  /* some infinities among ordinary numbers */
} value_class;

#define CLASSES 7

static const char *const class_names[CLASSES] = {
    "ordinary", "zeros", "subnormal", "wide", "ties", "overflow", "infinite"};

/* A float of the given type from its three fields; fraction is cut to fit. */
static uint32_t compose(number type, uint32_t exponent, uint32_t fraction) {
  uint32_t sign = random_u32() & 1;
  uint32_t count = fraction_bits[type];
  return sign << (count + exponent_bits[type]) | exponent << count |
         (fraction & ((1u << count) - 1));
}

static uint32_t random_float(number type, value_class kind, int is_a,
                             number partner) {
  uint32_t max = (1u << exponent_bits[type]) - 1, bias = max / 2;
  uint32_t fraction = random_u32();
  switch (kind) {
  case ZEROS:
    return compose(type, 0, 0);
  case SUBNORMAL:
    return compose(type, 0, fraction);
  case WIDE: /* up to 2^50 * 2^50 * 2^16 */
    return compose(type,
                   type == F16 ? 1 + random_below(max - 1)
                               : bias - 50 + random_below(100),
                   fraction);
  case TIES: {
    /* Odd integers whose bits are 25 together, so that the product has 24 or
     * 25: in the latter case the last bit, a 1, is half a unit. */
    uint32_t bits = fraction_bits[partner] / 2 + 1;
    if (partner != F32)
      bits = fraction_bits[partner] + 1;
    if (is_a)
      bits = 25 - bits;
    uint32_t tail = fraction_bits[type] - (bits - 1);
    return compose(type, bias + bits - 1, (fraction | 1) << tail);
  }
  case OVERFLOW:
    return compose(type, random_below(max), fraction);
  case INFINITE:
    if (random_below(64) == 0)
      return compose(type, max, 0);
    break;
  default:
    break;
  }
  return compose(type, bias - random_below(8), fraction);
}

/* An integer from -limit - 1 to limit. */
static int32_t random_integer(value_class kind, int is_a, uint32_t i,
                              int32_t limit) {
  switch (kind) {
  case ZEROS:
    return -limit - 1;
  case SUBNORMAL:
    return limit;
  case WIDE:
    return is_a ? -limit - 1 : limit;
  case TIES:
    return i % 2 == 0 ? -limit - 1 : limit;
  default:
    return (int32_t)random_below(2 * (uint32_t)limit + 2) - limit - 1;
  }
}

/* A byte of packed elements. */
static uint32_t random_byte(value_class kind, uint32_t i) {
  switch (kind) {
  case ZEROS:
    return 0;
  case SUBNORMAL:
  case WIDE:
    return 0xff;
  case TIES:
    return i % 2 == 0 ? 0x5a : 0xc3;
  default:
    return random_u32() & 0xff;
  }
}

/* int16 operands are as large as the sum of n products with int8 allows. */
static int32_t i16_limit(value_class kind, uint32_t n) {
  uint32_t limit = ((1u << 24) - 1) / (n > 0 ? n : 1);
  return limit > 32768 || kind == OVERFLOW ? 32767 : (int32_t)limit - 1;
}

/* Bits behind the last element are any. */
static void fill(void *vector, op which, int is_a, value_class kind,
                 uint32_t n) {
  number type = is_a ? ops[which].a : ops[which].b;
  if (type >= U8) {
    for (uint32_t i = 0; i < bytes_of(type, n); i++)
      ((uint8_t *)vector)[i] = (uint8_t)random_byte(kind, i);
    return;
  }
  if (type == I8_PADDED)
    memset(vector, 0, bytes_of(type, n));
  for (uint32_t i = 0; i < n; i++) {
    if (type == I8 || type == I8_PADDED) {
      ((int8_t *)vector)[i] = (int8_t)random_integer(kind, is_a, i, 127);
      continue;
    }
    if (type == I16) {
      ((int16_t *)vector)[i] =
          (int16_t)random_integer(kind, is_a, i, i16_limit(kind, n));
      continue;
    }
    uint32_t bits = random_float(type, kind, is_a, ops[which].b);
    if (type == F32)
      ((uint32_t *)vector)[i] = bits;
    else
      ((uint16_t *)vector)[i] = (uint16_t)bits;
  }
}

#endif
