/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"
#include "selection.h"

/* --- Moving --------------------------------------------------------------- */

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

/* 32 bytes, all read before any is written, so that they may overlap. */
static void move_four_words(void *to, const void *from) {
  const word *s = from;
  word *d = to;
  const uint64_t a = s[0], b = s[1], c = s[2], e = s[3];
  d[0] = a, d[1] = b, d[2] = c, d[3] = e;
}

void mn_move(void *to, const void *from, size_t bytes) {
  uint8_t *d = to;
  const uint8_t *s = from;
  if (d == s)
    return;
  if ((uintptr_t)d < (uintptr_t)s) {
    for (; MN_IS_FAST && bytes >= 32; bytes -= 32, d += 32, s += 32)
      move_four_words(d, s);
    for (; bytes >= 8; bytes -= 8, d += 8, s += 8)
      *(word *)d = *(const word *)s;
    for (; bytes > 0; bytes--)
      *d++ = *s++;
  } else {
    for (; MN_IS_FAST && bytes >= 32; bytes -= 32)
      move_four_words(d + bytes - 32, s + bytes - 32);
    for (; bytes >= 8; bytes -= 8)
      *(word *)(d + bytes - 8) = *(const word *)(s + bytes - 8);
    for (; bytes > 0; bytes--)
      d[bytes - 1] = s[bytes - 1];
  }
}

void mn_zero(void *to, size_t bytes) {
  uint8_t *d = to;
  for (; bytes >= 8; bytes -= 8, d += 8)
    *(word *)d = 0;
  for (; bytes > 0; bytes--)
    *d++ = 0;
}

int mn_equal(const void *a, const void *b, size_t bytes) {
  const uint8_t *p = a, *q = b;
  for (; bytes >= 8; bytes -= 8, p += 8, q += 8)
    if (*(const word *)p != *(const word *)q)
      return 0;
  for (; bytes > 0; bytes--)
    if (*p++ != *q++)
      return 0;
  return 1;
}

int mn_is_zero(const void *from, uint64_t bytes) {
  const uint8_t *p = from;
  while (bytes > 0 && *p == 0)
    p++, bytes--;
  return bytes == 0;
}

/* --- XXH32 ---------------------------------------------------------------- */

#define PRIME_1 0x9E3779B1u
#define PRIME_2 0x85EBCA77u
#define PRIME_3 0xC2B2AE3Du
#define PRIME_4 0x27D4EB2Fu
#define PRIME_5 0x165667B1u

static uint32_t rotate(uint32_t x, unsigned bits) {
  return x << bits | x >> (32 - bits);
}

static void stripe(uint32_t lanes[4], const uint8_t *p) {
  for (unsigned i = 0; i < 4; i++)
    lanes[i] =
        rotate(lanes[i] + mn_load_u32(p + 4 * i) * PRIME_2, 13) * PRIME_1;
}

void mn_xxh32_begin(mn_xxh32 *hash) {
  hash->lanes[0] = PRIME_1 + PRIME_2;
  hash->lanes[1] = PRIME_2;
  hash->lanes[2] = 0;
  hash->lanes[3] = 0u - PRIME_1;
  hash->total = hash->large = hash->held = 0;
}

void mn_xxh32_add(mn_xxh32 *hash, const void *data, size_t bytes) {
  const uint8_t *p = data;
  hash->total += (uint32_t)bytes;
  while (bytes > 0 && (hash->held > 0 || bytes < 16)) {
    hash->block[hash->held++] = *p++;
    bytes--;
    if (hash->held == 16) {
      stripe(hash->lanes, hash->block);
      hash->large = 1;
      hash->held = 0;
    }
  }
  if (bytes >= 16)
    hash->large = 1;
  for (; bytes >= 16; bytes -= 16, p += 16)
    stripe(hash->lanes, p);
  for (; bytes > 0; bytes--)
    hash->block[hash->held++] = *p++;
}

uint32_t mn_xxh32_end(const mn_xxh32 *hash) {
  uint32_t h = PRIME_5;
  if (hash->large)
    h = rotate(hash->lanes[0], 1) + rotate(hash->lanes[1], 7) +
        rotate(hash->lanes[2], 12) + rotate(hash->lanes[3], 18);
  h += hash->total;
  uint32_t i = 0;
  for (; i + 4 <= hash->held; i += 4)
    h = rotate(h + mn_load_u32(hash->block + i) * PRIME_3, 17) * PRIME_4;
  for (; i < hash->held; i++)
    h = rotate(h + hash->block[i] * PRIME_5, 11) * PRIME_1;
  h = (h ^ h >> 15) * PRIME_2;
  h = (h ^ h >> 13) * PRIME_3;
  return h ^ h >> 16;
}
