/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of candidates against sorting everything that was offered. */
#include "../../core/search/pool.h"
#include "fixture.h"

#define OFFERED 500u

static const uint64_t *keys_of_slots;

static int nearer(const void *a, const void *b) {
  const mn_candidate *x = a, *y = b;
  if (x->distance != y->distance)
    return x->distance < y->distance ? -1 : 1;
  return keys_of_slots[x->slot] < keys_of_slots[y->slot] ? -1 : 1;
}

/* `values` different distances: few make many ties. */
static void test_pool(uint32_t capacity, uint32_t values, uint32_t seed) {
  static _Alignas(64) uint8_t memory[8192];
  mn_arena arena = mn_arena_over(memory, sizeof memory);
  mn_candidate offered[OFFERED];
  uint64_t keys[OFFERED];
  keys_of_slots = keys;
  mn_pool pool = mn_pool_allocate(keys, capacity, &arena);
  CHECK(pool.items != NULL && pool.size == 0 && pool.capacity == capacity);
  CHECK_EQUAL(arena.used, (capacity * sizeof(mn_candidate) + 63) / 64 * 64);
  for (uint32_t i = 0; i < OFFERED; i++) {
    keys[i] = gen_key(i);
    float distance = (float)(gen_draw(seed, i, 0) % values) - 3;
    offered[i] = (mn_candidate){distance, i};
  }
  for (uint32_t i = 0; i < OFFERED; i++) {
    uint32_t at = mn_pool_add(&pool, offered[i]);
    CHECK_EQUAL(pool.size, i + 1 < capacity ? i + 1 : capacity);
    CHECK(at <= capacity);
    if (at < pool.size)
      CHECK(pool.items[at].slot == i);
  }
  qsort(offered, OFFERED, sizeof *offered, nearer);
  for (uint32_t i = 0; i < pool.size; i++)
    CHECK(pool.items[i].slot == offered[i].slot &&
          pool.items[i].distance == offered[i].distance);
}

/* All at once gives what one after the other does. */
static void test_fill(uint32_t count, uint32_t values, uint32_t seed) {
  static _Alignas(64) uint8_t memory[2 * 64 * sizeof(mn_candidate)];
  mn_arena arena = mn_arena_over(memory, sizeof memory);
  uint64_t keys[64];
  float distances[64];
  uint32_t slots[64];
  mn_pool one = mn_pool_allocate(keys, 64, &arena);
  mn_pool all = mn_pool_allocate(keys, 64, &arena);
  for (uint32_t i = 0; i < count; i++) {
    keys[i] = gen_key(i);
    slots[i] = count - 1 - i;
    distances[i] = (float)(gen_draw(seed, i, 0) % values) - (float)(values / 2);
    if (distances[i] == 0 && i % 2 == 0)
      distances[i] = -0.0f;
  }
  for (uint32_t i = 0; i < count; i++)
    mn_pool_add(&one, (mn_candidate){distances[i], slots[i]});
  mn_pool_fill(&all, distances, slots, count);
  CHECK_EQUAL(all.size, count);
  for (uint32_t i = 0; i < count; i++)
    CHECK(all.items[i].slot == one.items[i].slot &&
          all.items[i].distance == one.items[i].distance);
}

/* A candidate that is walked already keeps its mark and its place. */
static void test_walked(void) {
  static _Alignas(64) uint8_t memory[64];
  static const uint64_t keys[] = {5, 4, 3};
  mn_arena arena = mn_arena_over(memory, sizeof memory);
  mn_pool pool = mn_pool_allocate(keys, 8, &arena);
  CHECK_EQUAL(mn_pool_add(&pool, (mn_candidate){1, 0 | MN_WALKED}), 0);
  CHECK_EQUAL(mn_pool_add(&pool, (mn_candidate){1, 2}), 0);
  CHECK_EQUAL(mn_pool_add(&pool, (mn_candidate){1, 1}), 1);
  CHECK_EQUAL(mn_candidate_slot(pool.items[2]), 0);
  CHECK(pool.items[2].slot == MN_WALKED);
  mn_arena full = mn_arena_over(memory, 63);
  CHECK(mn_pool_allocate(keys, 1, &full).items == NULL);
}

int main(void) {
  for (uint32_t capacity = 1; capacity <= 600; capacity += capacity / 3 + 1)
    for (uint32_t values = 1; values <= 1000; values *= 10)
      test_pool(capacity, values, capacity + values);
  for (uint32_t count = 0; count <= 64; count++)
    for (uint32_t values = 1; values <= 1000; values *= 10)
      test_fill(count, values, count + values);
  test_walked();
  return test_report();
}
