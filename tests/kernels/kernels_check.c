/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares every kernel that this machine can run with the reference, bit for
 * bit, and the reference with the words of kernels.h spelled out once more.
 *
 *     kernels_check [SEED] [--time]
 *
 * Operands lie against the edge of readable memory, so that reading a byte too
 * many ends the program: between two unreadable pages, or, in WebAssembly, at
 * the end of linear memory.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, clock_gettime */

#include "../../core/kernels/kernels.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if !defined(__wasm__)
#include <sys/mman.h>
#endif

#define N_MAX  65535u
#define SHIFTS 16u /* distances from the edge: every alignment, every edge */

static uint64_t passed, failed;

static uint32_t cpu; /* mn_cpu_features(): slow under a hypervisor */

static int can_run(const mn_kernels *table) {
  return (table->features & ~cpu) == 0;
}

/* Counts a comparison, and describes the first few that fail. */
#define CHECK(ok, ...)                                                         \
  do {                                                                         \
    if (ok) {                                                                  \
      passed++;                                                                \
    } else if (failed++ < 20) {                                                \
      printf("FAILED: " __VA_ARGS__);                                          \
      putchar('\n');                                                           \
    }                                                                          \
  } while (0)

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

typedef enum { F32, F16, BF16, I16, I8 } number;

static const uint32_t number_bytes[] = {4, 2, 2, 2, 1};
static const uint32_t fraction_bits[] = {23, 10, 7, 0, 0};
static const uint32_t exponent_bits[] = {8, 5, 8, 0, 0};

typedef enum {
  DOT_F32,
  L2_F32,
  DOT_F16,
  L2_F16,
  DOT_BF16,
  L2_BF16,
  DOT_I16_I8
} op;

#define OPS 7

static const struct {
  const char *name;
  number a, b;
} ops[OPS] = {
    {"dot_f32", F32, F32},   {"l2_f32", F32, F32},    {"dot_f16", F32, F16},
    {"l2_f16", F32, F16},    {"dot_bf16", F32, BF16}, {"l2_bf16", F32, BF16},
    {"dot_i16_i8", I16, I8},
};

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
  default:
    return (uint32_t)table->dot_i16_i8(a, b, n);
  }
}

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

static uint32_t define(op which, const void *a, const void *b, uint32_t n) {
  if (which == DOT_I16_I8) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
      sum += (int64_t)((const int16_t *)a)[i] * ((const int8_t *)b)[i];
    return (uint32_t)sum;
  }
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

/* --- Values --------------------------------------------------------------- */

typedef enum {
  ORDINARY,  /* around 1; integers: any */
  ZEROS,     /* of both signs; integers: all the lowest */
  SUBNORMAL, /* integers: all the highest */
  WIDE,      /* exponents far apart, but no sum overflows; integers:
                lowest by highest */
  TIES,      /* products that lie halfway between two floats; integers:
                signs alternate */
  OVERFLOW,  /* any finite bits: products and sums overflow */
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

static uint32_t random_float(number type, value_class class, int is_a,
                             number partner) {
  uint32_t max = (1u << exponent_bits[type]) - 1, bias = max / 2;
  uint32_t fraction = random_u32();
  switch (class) {
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
static int32_t random_integer(value_class class, int is_a, uint32_t i,
                              int32_t limit) {
  switch (class) {
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

/* int16 operands are as large as the sum of n products with int8 allows. */
static int32_t i16_limit(uint32_t n) {
  uint32_t limit = ((1u << 24) - 1) / (n > 0 ? n : 1);
  return limit > 32768 ? 32767 : (int32_t)limit - 1;
}

static void fill(void *vector, op which, int is_a, value_class class,
                 uint32_t n) {
  number type = is_a ? ops[which].a : ops[which].b;
  for (uint32_t i = 0; i < n; i++) {
    if (type == I8) {
      ((int8_t *)vector)[i] = (int8_t)random_integer(class, is_a, i, 127);
      continue;
    }
    if (type == I16) {
      ((int16_t *)vector)[i] =
          (int16_t)random_integer(class, is_a, i, i16_limit(n));
      continue;
    }
    uint32_t bits = random_float(type, class, is_a, ops[which].b);
    if (type == F32)
      ((uint32_t *)vector)[i] = bits;
    else
      ((uint16_t *)vector)[i] = (uint16_t)bits;
  }
}

/* --- Rooms: memory whose edges cannot be crossed ---------------------------
 */

#define GUARD_BYTES 65536u /* a multiple of every page size */
#define ROOM_BYTES  (5u * GUARD_BYTES)

_Static_assert(4 * N_MAX + SHIFTS <= ROOM_BYTES, "an operand fits, shifted");

typedef struct {
  uint8_t *begin, *end;
} room;

static room rooms[2];

#if defined(__wasm__)

/* Only one room can end where memory ends, so the operands take turns. */
#define TURNS 2

static void make_rooms(void) {
  static uint8_t other[ROOM_BYTES];
  rooms[1] = (room){other, other + ROOM_BYTES};
  size_t page = __builtin_wasm_memory_grow(0, ROOM_BYTES / 65536);
  if (page == SIZE_MAX) {
    printf("no memory\n");
    exit(1);
  }
  uint8_t *begin = (uint8_t *)(page * 65536);
  rooms[0] = (room){begin, begin + ROOM_BYTES};
}

static void check_rooms(void) {
  CHECK(__builtin_wasm_memory_size(0) * 65536 == (size_t)rooms[0].end,
        "memory has grown past the room meanwhile");
}

#else

#define TURNS 1

static void make_rooms(void) {
  for (int i = 0; i < 2; i++) {
    uint8_t *all = mmap(NULL, ROOM_BYTES + 2 * GUARD_BYTES, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED ||
        mprotect(all + GUARD_BYTES, ROOM_BYTES, PROT_READ | PROT_WRITE) != 0) {
      perror("mmap");
      exit(1);
    }
    rooms[i] = (room){all + GUARD_BYTES, all + GUARD_BYTES + ROOM_BYTES};
  }
}

static void check_rooms(void) {
}

#endif

/* A copy of `bytes` bytes that lies `shift` bytes from an edge of the room. */
static const void *place(room in, int at_end, uint32_t shift, const void *data,
                         size_t bytes) {
  uint8_t *p = at_end ? in.end - shift - bytes : in.begin + shift;
  memcpy(p, data, bytes);
  return p;
}

/* --- Checks --------------------------------------------------------------- */

static uint32_t source_a[N_MAX], source_b[N_MAX]; /* room for any number */

/* One kernel of every table on one pair of vectors, in many places. */
static void check_vectors(op which, value_class class, uint32_t n) {
  fill(source_a, which, 1, class, n);
  fill(source_b, which, 0, class, n);
  uint32_t expected = run(&mn_kernels_c, which, source_a, source_b, n);
  uint32_t defined = define(which, source_a, source_b, n);
  CHECK(which == DOT_I16_I8 ? defined == expected
                            : same_float(defined, expected),
        "%s of the reference, %s, n %u: %08x, defined as %08x", ops[which].name,
        class_names[class], n, expected, defined);

  size_t bytes_a = (size_t)n * number_bytes[ops[which].a];
  size_t bytes_b = (size_t)n * number_bytes[ops[which].b];
  for (uint32_t turn = 0; turn < TURNS; turn++) {
    for (uint32_t at = 0; at < 2 * SHIFTS; at++) {
      /* Shift 0 goes with 0; the others meet every other in some call. */
      uint32_t shift_a = at / 2;
      uint32_t shift_b = shift_a == 0 ? 0 : (shift_a * 5 + n + class) % SHIFTS;
      const void *a = place(rooms[turn], at % 2, shift_a, source_a, bytes_a);
      const void *b =
          place(rooms[1 - turn], at % 2, shift_b, source_b, bytes_b);
      const mn_kernels *table;
      for (uint32_t i = 0; (table = mn_kernels_at(i)) != NULL; i++) {
        if (!can_run(table))
          continue;
        uint32_t got = run(table, which, a, b, n);
        CHECK(which == DOT_I16_I8 ? got == expected : same_float(got, expected),
              "%s of %s, %s, n %u, %u and %u bytes from the %s: %08x, "
              "reference %08x",
              ops[which].name, table->name, class_names[class], n, shift_a,
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
    for (uint32_t i = 0; (table = mn_kernels_at(i)) != NULL; i++) {
      if (!can_run(table))
        continue;
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

/* The last table that the features allow, whichever they are. */
static void check_select(uint32_t features) {
  const mn_kernels *best = NULL, *table;
  for (uint32_t i = 0; (table = mn_kernels_at(i)) != NULL; i++)
    if ((table->features & ~features) == 0)
      best = table;
  CHECK(mn_kernels_select(features) == best, "mn_kernels_select(%08x)",
        features);
}

static void check_all(void) {
  static const uint32_t large[] = {384, 768, 1536, N_MAX};
  for (op which = 0; which < OPS; which++)
    for (value_class class = 0; class < CLASSES; class ++) {
      for (uint32_t n = 0; n <= 257; n++)
        check_vectors(which, class, n);
      for (uint32_t i = 0; i < sizeof large / sizeof large[0]; i++)
        check_vectors(which, class, large[i]);
    }
  check_widening(F16, DOT_F16, L2_F16);
  check_widening(BF16, DOT_BF16, L2_BF16);
  check_select(0);
  check_select(MN_CPU_ALL);
  for (uint32_t features = cpu; features; features &= features - 1)
    check_select(features);
  CHECK(mn_kernels_at(0) == &mn_kernels_c, "the reference is not the first");
  check_rooms();
}

/* --- Times ---------------------------------------------------------------- */

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

static volatile uint32_t sink; /* keeps the calls alive */

/* Nanoseconds of one call: one `a` against `count` vectors, the best of some
 * rounds. */
static double time_op(const mn_kernels *table, op which, uint32_t n,
                      uint32_t count) {
  size_t stride = (size_t)n * number_bytes[ops[which].b];
  double best = 1e30;
  for (uint32_t round = 0; round < 7; round++) {
    uint32_t calls = 0, bits = 0;
    double start = now_ns(), ns;
    do {
      for (uint32_t i = 0; i < count; i++)
        bits ^= run(table, which, source_a, rooms[0].begin + i * stride, n);
      calls += count;
    } while ((ns = now_ns() - start) < 1e6);
    sink = bits;
    if (ns / calls < best)
      best = ns / calls;
  }
  return best;
}

static void print_times(void) {
  static const uint32_t sizes[] = {100, 384, 512, 784, 1536};
  printf("\nOne query against 128 KiB of vectors; GB/s of vectors read.\n");
  printf("%6s %-10s %-6s %9s %7s %7s\n", "n", "kernel", "table", "ns", "GB/s",
         "ratio");
  for (uint32_t size = 0; size < sizeof sizes / sizeof sizes[0]; size++)
    for (op which = 0; which < OPS; which++) {
      uint32_t n = sizes[size], bytes = n * number_bytes[ops[which].b];
      uint32_t count = 131072 / bytes;
      fill(source_a, which, 1, ORDINARY, n);
      fill(rooms[0].begin, which, 0, ORDINARY, n * count);
      double reference = time_op(&mn_kernels_c, which, n, count);
      const mn_kernels *table;
      for (uint32_t i = 0; (table = mn_kernels_at(i)) != NULL; i++) {
        if (!can_run(table))
          continue;
        double ns = i == 0 ? reference : time_op(table, which, n, count);
        printf("%6u %-10s %-6s %9.1f %7.2f %7.2f\n", n, ops[which].name,
               table->name, ns, bytes / ns, reference / ns);
      }
    }
  putchar('\n');
}

int main(int argc, char **argv) {
  int timing = 0;
  cpu = mn_cpu_features();
  random_state = (uint64_t)time(NULL);
  for (int i = 1; i < argc; i++) {
    char *end;
    if (strcmp(argv[i], "--time") == 0) {
      timing = 1;
      continue;
    }
    random_state = strtoull(argv[i], &end, 0);
    if (end == argv[i] || *end != '\0') {
      fprintf(stderr, "usage: kernels_check [SEED] [--time]\n");
      return 2;
    }
  }
  printf("seed %" PRIu64 "\n", random_state);
  const mn_kernels *table;
  for (uint32_t i = 0; (table = mn_kernels_at(i)) != NULL; i++)
    printf("%s%s\n", table->name,
           can_run(table) ? "" : ": not on this machine");
  make_rooms();
  check_all();
  if (timing)
    print_times();
  printf("%" PRIu64 " passed, %" PRIu64 " failed\n", passed, failed);
  return failed > 0 || passed == 0;
}
