/* SPDX-License-Identifier: Apache-2.0 */
/* Lists in the code of Elias and Fano: written and read again, at every edge,
 * and read from bytes that nobody wrote. */
#include "../../core/block.h"
#include "../../core/structure/packed.h"
#include "fixture.h"

#define MOST (2 * MN_M_MAX)

/* A handle on nothing but a header and a section LINK, which ends where its
 * memory does. */
typedef struct bench {
  mn_header header;
  mn_index index;
  mn_packed_links packed;
  size_t bytes;
} bench;

static void begin(bench *b, uint32_t capacity, mn_packed_links packed) {
  memset(b, 0, sizeof *b);
  b->header.capacity = capacity;
  b->header.links = packed.links;
  b->header.low_bits = (uint16_t)packed.low_bits;
  b->packed = packed;
  b->bytes = (size_t)mn_packed_bytes(&packed, capacity);
  b->index = (mn_index){.block = (uint8_t *)&b->header,
                        .capacity = capacity,
                        .is_packed = 1,
                        .links = calloc(b->bytes, 1)};
}

static void end(bench *b) {
  free(b->index.links);
}

/* --- Round trip ----------------------------------------------------------- */

/* The links of a slot: `count` of them, spread over all slots or at one end. */
static void make_list(uint32_t capacity, uint32_t slot, uint32_t count,
                      uint32_t seed, uint32_t *links) {
  uint32_t at = 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t left = count - i, room = capacity - at - left;
    uint32_t skip = 0;
    if (seed % 3 == 1)
      skip = room / left ? gen_draw(seed, slot, i) % (room / left + 1) : 0;
    else if (seed % 3 == 2)
      skip = i == 0 ? room : 0; /* the last ones */
    links[i] = at + skip;
    at = links[i] + 1;
  }
}

static uint32_t draw_count(uint32_t capacity, uint32_t seed, uint32_t slot,
                           uint32_t most) {
  const uint32_t u = gen_draw(seed, slot, 0xfffffff0u);
  const uint32_t count = u % 8 == 0   ? 0
                         : u % 8 == 1 ? most
                                      : u / 8 % (most + 1);
  return count < capacity ? count : capacity;
}

static void test_round_trip(uint32_t capacity, uint32_t most, uint32_t seed,
                            int low_bits) {
  uint32_t links[MOST], read[MOST];
  uint64_t all = 0;
  for (uint32_t slot = 0; slot < capacity; slot++)
    all += draw_count(capacity, seed, slot, most);
  mn_packed_links packed = mn_packed_shape(capacity, all);
  CHECK(packed.links == all && packed.low_bits <= 31);
  if (low_bits >= 0)
    packed.low_bits = (uint32_t)low_bits;
  bench b;
  begin(&b, capacity, packed);
  for (uint32_t slot = 0; slot < capacity; slot++) {
    const uint32_t count = draw_count(capacity, seed, slot, most);
    make_list(capacity, slot, count, seed, links);
    mn_packed_write(&b.index, slot, links, count);
  }
  uint32_t wrong = 0;
  for (uint32_t slot = 0; slot < capacity; slot++) {
    const uint32_t count = draw_count(capacity, seed, slot, most);
    make_list(capacity, slot, count, seed, links);
    memset(read, 0xa5, sizeof read);
    wrong += mn_packed_count(&b.index, slot) != count;
    wrong += mn_packed_read(&b.index, slot, most, read) != count;
    wrong += memcmp(read, links, count * sizeof *links) != 0;
  }
  if (wrong)
    printf("capacity %u, lists up to %u, seed %u, low bits %u\n", capacity,
           most, seed, packed.low_bits);
  CHECK_EQUAL(wrong, 0);
  CHECK(mn_packed_holds(&b.index));
  end(&b);
}

static void test_round_trips(void) {
  static const uint32_t capacities[] = {1,  2,   3,   7,   8,   9,   15,
                                        16, 17,  31,  32,  33,  63,  64,
                                        65, 127, 128, 129, 500, 4097};
  for (unsigned c = 0; c < sizeof capacities / sizeof *capacities; c++)
    for (uint32_t seed = 0; seed < 6; seed++)
      for (uint32_t most = 8; most <= MOST; most *= 4) {
        test_round_trip(capacities[c], most, seed, -1);
        for (int low_bits = 0; low_bits <= 31; low_bits += 31)
          if (low_bits > 0 || capacities[c] < 1000)
            test_round_trip(capacities[c], most, seed, low_bits);
      }
}

/* --- Shape ---------------------------------------------------------------- */

/* Bits of the lists, as packed.h says; no other number of low bits has fewer.
 */
static uint64_t bits_of(uint32_t capacity, uint64_t links, uint32_t low_bits) {
  return links * (1 + low_bits) +
         capacity * (((uint64_t)(capacity - 1) >> low_bits) + 1);
}

static void test_shape(void) {
  static const struct {
    uint32_t capacity;
    uint64_t links;
  } cases[] = {{1, 0},
               {1, 1},
               {2, 4},
               {100, 3200},
               {100000, 0},
               {100000, 1},
               {100000, 3200000},
               {1000000, 32000000},
               {MN_CAPACITY_MAX, UINT32_MAX}};
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    const uint32_t n = cases[i].capacity;
    const mn_packed_links packed = mn_packed_shape(n, cases[i].links);
    const uint64_t bits = bits_of(n, cases[i].links, packed.low_bits);
    CHECK_EQUAL(packed.links, cases[i].links);
    for (uint32_t low_bits = 0; low_bits <= 31; low_bits++)
      CHECK(bits <= bits_of(n, cases[i].links, low_bits));
    const uint64_t groups = (n + 15ull) / 16 * 4;
    CHECK_EQUAL(mn_packed_bytes(&packed, n),
                (groups + n + 7) / 8 * 8 + (bits + 7) / 8 + 8);
  }
  /* 13.7 bits to a link among 100,000. */
  const mn_packed_links some = mn_packed_shape(100000, 3200000);
  CHECK(bits_of(100000, 3200000, some.low_bits) < 14 * 3200000);
}

/* --- Byte for byte -------------------------------------------------------- */

/* The lists {0, 1}, none, {1, 2} of 3 slots with one low bit: each takes its
 * links' 2 bits and as many as the highest part plus 1, 2. */
static void test_bytes(void) {
  bench b;
  begin(&b, 3, (mn_packed_links){.links = 4, .low_bits = 1});
  mn_packed_write(&b.index, 0, (const uint32_t[]){0, 1}, 2);
  mn_packed_write(&b.index, 1, NULL, 0);
  mn_packed_write(&b.index, 2, (const uint32_t[]){1, 2}, 2);
  /* String 1100, lows 0 1; string 00; string 1010, lows 1 0; the first bit
   * lowest. */
  static const uint8_t expected[] = {0,    0, 0, 0, 2, 0, 2, 0, 0x23,
                                     0x15, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK_EQUAL(b.bytes, sizeof expected);
  CHECK(!memcmp(b.index.links, expected, sizeof expected));
  end(&b);
}

/* --- Damage --------------------------------------------------------------- */

/* Random bytes, and those of one value: what is read stays in the section, and
 * in the room for it. */
static void test_garbage(uint32_t capacity, uint64_t links, uint32_t low_bits,
                         uint32_t seed) {
  bench b;
  begin(&b, capacity, (mn_packed_links){links, low_bits});
  for (uint32_t i = 0; i < 40; i++) {
    for (size_t at = 0; at < b.bytes; at++)
      b.index.links[at] = i < 4 ? (uint8_t)(0x55 * i)
                                : (uint8_t)gen_draw(seed, i, (uint32_t)at);
    if (i % 2) /* likely places */
      for (uint32_t slot = 0; slot < capacity; slot += 16) {
        const uint32_t before = gen_draw(seed, i, slot) % (uint32_t)(links + 2);
        memcpy(b.index.links + slot / 4, &before, 4);
      }
    for (uint32_t slot = 0; slot < capacity; slot++) {
      const uint32_t most = gen_draw(seed, slot, i) % MOST + 1;
      uint32_t *room = malloc(most * sizeof *room);
      const uint32_t count = mn_packed_read(&b.index, slot, most, room);
      CHECK(count <= most && count <= mn_packed_count(&b.index, slot));
      free(room);
    }
    (void)mn_packed_holds(&b.index);
  }
  end(&b);
}

/* Whatever bit is changed that is not a link's low one, `holds` says so. */
static void test_holds(void) {
  enum { CAPACITY = 35 };
  uint32_t links[MOST];
  bench b;
  begin(&b, CAPACITY, mn_packed_shape(CAPACITY, 5 * CAPACITY));
  for (uint32_t slot = 0; slot < CAPACITY; slot++) {
    make_list(CAPACITY, slot, 5, 1, links);
    mn_packed_write(&b.index, slot, links, 5);
  }
  CHECK(mn_packed_holds(&b.index));
  const uint64_t bits = bits_of(CAPACITY, 5 * CAPACITY, b.packed.low_bits);
  const size_t lists = 48; /* 3 groups of 4, 35 counts, 1 of filling */
  const size_t string = 6 + ((size_t)(CAPACITY - 1) >> b.packed.low_bits);
  for (size_t bit = 0; bit < 8 * b.bytes; bit++) {
    if (bit >= 8 * lists && bit < 8 * lists + bits &&
        (bit - 8 * lists) % (bits / CAPACITY) >= string)
      continue;
    b.index.links[bit / 8] ^= (uint8_t)(1u << bit % 8);
    CHECK(!mn_packed_holds(&b.index));
    b.index.links[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  b.header.links++;
  CHECK(!mn_packed_holds(&b.index));
  end(&b);
}

int main(void) {
  test_shape();
  test_bytes();
  test_round_trips();
  for (uint32_t capacity = 1; capacity < 100; capacity += capacity / 2 + 1)
    for (uint32_t low_bits = 0; low_bits <= 31; low_bits += 1 + low_bits / 2)
      for (uint64_t links = 0; links < 5000; links = links * 9 + 7)
        test_garbage(capacity, links, low_bits, capacity + low_bits);
  test_holds();
  return test_report();
}
