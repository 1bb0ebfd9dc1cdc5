/* SPDX-License-Identifier: Apache-2.0 */
/* Moving bytes, and XXH32 in pieces of every size. */
#include "../../core/bytes.h"
#include "fixture.h"

#define ROOM 200u

static void fill(uint8_t *bytes, uint32_t seed) {
  for (uint32_t i = 0; i < ROOM; i++)
    bytes[i] = (uint8_t)gen_draw(seed, i, 0);
}

/* Every way in which two runs can overlap. */
static void test_move(void) {
  uint8_t moved[ROOM], expected[ROOM];
  for (uint32_t from = 0; from < 70; from += 3)
    for (uint32_t to = 0; to < 70; to++)
      for (uint32_t bytes = 0; bytes < 130; bytes += 1 + bytes / 9) {
        fill(moved, from + to);
        fill(expected, from + to);
        mn_move(moved + to, moved + from, bytes);
        memmove(expected + to, expected + from, bytes);
        CHECK(!memcmp(moved, expected, ROOM));
      }
}

static void test_zero(void) {
  uint8_t cleared[ROOM], expected[ROOM];
  for (uint32_t at = 0; at < 20; at++)
    for (uint32_t bytes = 0; bytes < 130; bytes++) {
      fill(cleared, at);
      fill(expected, at);
      mn_zero(cleared + at, bytes);
      memset(expected + at, 0, bytes);
      CHECK(!memcmp(cleared, expected, ROOM));
    }
}

static uint32_t xxh32(const void *data, size_t bytes, size_t piece) {
  const uint8_t *p = data;
  mn_xxh32 hash;
  mn_xxh32_begin(&hash);
  for (size_t at = 0; at < bytes; at += piece)
    mn_xxh32_add(&hash, p + at, piece < bytes - at ? piece : bytes - at);
  return mn_xxh32_end(&hash);
}

/* Published values. */
static void test_xxh32(void) {
  static const char text[] = "Nobody inspects the spammish repetition";
  uint8_t bytes[ROOM];
  CHECK_EQUAL(xxh32("", 0, 1), 0x02cc5d05);
  CHECK_EQUAL(xxh32("a", 1, 1), 0x550d7456);
  CHECK_EQUAL(xxh32("abc", 3, 3), 0x32d153ff);
  CHECK_EQUAL(xxh32(text, sizeof text - 1, 100), 0xe2293b2f);
  fill(bytes, 1);
  for (size_t length = 0; length < ROOM; length++)
    for (size_t piece = 1; piece <= 40; piece += 1 + piece / 5)
      CHECK_EQUAL(xxh32(bytes, length, piece), xxh32(bytes, length, ROOM));
}

int main(void) {
  test_move();
  test_zero();
  test_xxh32();
  return test_report();
}
