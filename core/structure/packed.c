/* SPDX-License-Identifier: Apache-2.0 */
#include "packed.h"
#include "../block.h"
#include "../bytes.h"

#define GROUP   16u /* slots for which the links before are stored */
#define LOW_MAX 31u
/* So that eight bytes can be read from any bit of a list on. */
#define SPARE 8u

/* --- Shape ---------------------------------------------------------------- */

/* Bits of a list's string beyond one for each link. */
static uint64_t high_most(uint32_t capacity, uint32_t low_bits) {
  return ((uint64_t)(capacity - 1) >> low_bits) + 1;
}

static uint64_t bits_of(const mn_packed_links *packed, uint32_t capacity) {
  return packed->links * (1 + packed->low_bits) +
         capacity * high_most(capacity, packed->low_bits);
}

mn_packed_links mn_packed_shape(uint32_t capacity, uint64_t links) {
  mn_packed_links best = {links, LOW_MAX};
  for (uint32_t low_bits = LOW_MAX; low_bits-- > 0;) {
    const mn_packed_links other = {links, low_bits};
    if (bits_of(&other, capacity) < bits_of(&best, capacity))
      best = other;
  }
  return best;
}

static uint64_t counts_at(uint32_t capacity) {
  return ((uint64_t)capacity + GROUP - 1) / GROUP * sizeof(uint32_t);
}

static uint64_t lists_at(uint32_t capacity) {
  return (counts_at(capacity) + capacity + 7) / 8 * 8;
}

uint64_t mn_packed_bytes(const mn_packed_links *packed, uint32_t capacity) {
  return lists_at(capacity) + (bits_of(packed, capacity) + 7) / 8 + SPARE;
}

/* --- Where a list is ------------------------------------------------------ */

typedef struct place {
  uint64_t before;   /* links of the lists before it */
  uint64_t string;   /* its bit among those of all lists */
  uint64_t lows;     /* and that where the low bits begin */
  uint64_t end;      /* of all lists */
  const uint8_t *at; /* their first byte */
  uint32_t count;
  uint32_t low_bits;
} place;

/* The sum of the first `count` (below 8) of eight bytes. */
static uint32_t sum_bytes(uint64_t bytes, uint32_t count) {
  bytes &= (1ull << 8 * count) - 1;
  const uint64_t pairs =
      (bytes & 0x00ff00ff00ff00ff) + (bytes >> 8 & 0x00ff00ff00ff00ff);
  return (uint32_t)(pairs * 0x0001000100010001 >> 48);
}

static uint64_t load_u64(const uint8_t *p) {
  uint64_t value;
  __builtin_memcpy(&value, p, sizeof value);
  return value;
}

uint32_t mn_packed_count(const mn_index *index, uint32_t slot) {
  return index->links[counts_at(index->capacity) + slot];
}

/* Links in the lists of the group's slots before this one. Behind the counts
 * more of the section follows, so that eight bytes can be read. */
static uint32_t sum_before(const uint8_t *counts, uint32_t slot) {
  const uint8_t *group = counts + slot / GROUP * GROUP;
  const uint32_t in_group = slot % GROUP;
  return in_group < 8 ? sum_bytes(load_u64(group), in_group)
                      : sum_bytes(load_u64(group), 7) + group[7] +
                            sum_bytes(load_u64(group + 8), in_group - 8);
}

static place place_of(const mn_index *index, uint32_t slot) {
  const uint32_t capacity = index->capacity;
  const mn_packed_links packed = mn_header_packed(mn_index_header(index));
  const uint8_t *counts = index->links + counts_at(capacity);
  const uint64_t before =
      (uint64_t)mn_load_u32(index->links + slot / GROUP * sizeof(uint32_t)) +
      sum_before(counts, slot);
  const uint64_t high = high_most(capacity, packed.low_bits);
  place p = {.before = before,
             .string = before * (1 + packed.low_bits) + slot * high,
             .end = bits_of(&packed, capacity),
             .at = index->links + lists_at(capacity),
             .count = counts[slot],
             .low_bits = packed.low_bits};
  p.lows = p.string + p.count + high;
  return p;
}

/* --- Read ----------------------------------------------------------------- */

/* At least 57 bits from `bit` on. */
static uint64_t window(const uint8_t *at, uint64_t bit) {
  return load_u64(at + (bit >> 3)) >> (bit & 7);
}

/* Whether a place is one within the section; else it is damage. */
static int is_within(const place *p) {
  return p->lows + (uint64_t)p->count * p->low_bits <= p->end;
}

void mn_packed_fetch(const mn_index *index, uint32_t slot) {
  const place p = place_of(index, slot);
  const uint64_t end = p.lows + (uint64_t)p.count * p.low_bits;
  if (is_within(&p))
    mn_fetch_bytes(p.at + (p.string >> 3),
                   (size_t)((end >> 3) - (p.string >> 3) + 1));
}

/* Puts the low bits of `count` links behind their high parts. A window has
 * those of a few. */
static void add_lows(const place *p, uint32_t *links, uint32_t count) {
  const uint32_t low_bits = p->low_bits, mask = (1u << low_bits) - 1;
  const uint32_t together = low_bits > 1 ? 57 / low_bits : 57;
  uint64_t low = p->lows;
  for (uint32_t i = 0; i < count; low += together * low_bits) {
    const uint32_t left = count - i;
    const uint32_t end = i + (left < together ? left : together);
    uint64_t lows = window(p->at, low);
    for (; i < end; i++, lows >>= low_bits)
      links[i] = links[i] << low_bits | ((uint32_t)lows & mask);
  }
}

uint32_t mn_packed_read(const mn_index *index, uint32_t slot, uint32_t most,
                        uint32_t *links) {
  const place p = place_of(index, slot);
  if (p.count > most || !is_within(&p))
    return 0;
  uint32_t count = 0;
  for (uint64_t bit = p.string; count < p.count && bit < p.lows; bit += 56) {
    const uint32_t before = (uint32_t)(bit - p.string);
    uint64_t ones = window(p.at, bit) & ((1ull << 56) - 1);
    for (; ones != 0 && count < p.count; ones &= ones - 1, count++)
      links[count] = before + (uint32_t)__builtin_ctzll(ones) - count;
  }
  add_lows(&p, links, count);
  return count;
}

/* --- Write ---------------------------------------------------------------- */

static void put_bits(uint8_t *at, uint64_t bit, uint64_t bits) {
  uint64_t word = load_u64(at + (bit >> 3)) | bits << (bit & 7);
  __builtin_memcpy(at + (bit >> 3), &word, sizeof word);
}

void mn_packed_write(const mn_index *index, uint32_t slot,
                     const uint32_t *links, uint32_t count) {
  uint8_t *counts = index->links + counts_at(index->capacity);
  counts[slot] = (uint8_t)count;
  const place p = place_of(index, slot);
  const uint32_t next = (uint32_t)p.before + count;
  if ((slot + 1) % GROUP == 0 && slot + 1 < index->capacity)
    __builtin_memcpy(index->links + (slot + 1) / GROUP * sizeof next, &next,
                     sizeof next);
  uint8_t *at = index->links + lists_at(index->capacity);
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t high = links[i] >> p.low_bits;
    put_bits(at, p.string + high + i, 1);
    put_bits(at, p.lows + (uint64_t)i * p.low_bits,
             links[i] & ((1ull << p.low_bits) - 1));
  }
}

/* --- Verify --------------------------------------------------------------- */

/* Ones among the bits from `bit` up to `to`. */
static uint32_t count_ones(const uint8_t *at, uint64_t bit, uint64_t to) {
  uint32_t ones = 0;
  for (; bit < to; bit++)
    ones += at[bit >> 3] >> (bit & 7) & 1;
  return ones;
}

int mn_packed_holds(const mn_index *index) {
  const uint32_t capacity = index->capacity;
  const mn_packed_links packed = mn_header_packed(mn_index_header(index));
  uint64_t links = 0;
  for (uint32_t slot = 0; slot < capacity; slot++) {
    if (slot % GROUP == 0 &&
        mn_load_u32(index->links + slot / GROUP * sizeof(uint32_t)) != links)
      return 0;
    links += mn_packed_count(index, slot);
    const place p = place_of(index, slot);
    if (p.lows > p.end || count_ones(p.at, p.string, p.lows) != p.count)
      return 0;
  }
  const uint64_t counts_end = counts_at(capacity) + capacity;
  const uint64_t bits = bits_of(&packed, capacity);
  const uint8_t *end = index->links + lists_at(capacity) + bits / 8;
  return links == packed.links &&
         mn_is_zero(index->links + counts_end,
                    lists_at(capacity) - counts_end) &&
         *end >> bits % 8 == 0 && mn_is_zero(end + 1, SPARE - (bits % 8 == 0));
}
