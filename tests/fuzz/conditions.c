/* SPDX-License-Identifier: Apache-2.0 */
#include "conditions.h"
#include "reading.h"

#include <stdlib.h>

/* Mostly a key of the index. */
static uint64_t draw_key(const mn_index *index, uint32_t slots) {
  return slots > 0 && draw() % 8 ? index->keys[draw() % slots]
                                 : (uint64_t)draw() << draw() % 41;
}

conditions conditions_draw(const mn_index *index, uint32_t slots) {
  conditions c = {.bits = NULL};
  if (draw() % 2) {
    const uint32_t words = (slots + 31) / 32;
    const uint32_t kind = draw() % 4;
    c.bits = malloc(words * sizeof *c.bits + !words);
    for (uint32_t i = 0; i < words; i++) {
      c.bits[i] = draw() ^ draw() << 16;
      for (uint32_t n = 0; n < 2 * kind; n++)
        c.bits[i] &= draw() ^ draw() << 16;
    }
  }
  c.range_count = draw() % 3 ? 0 : 1 + draw() % 3;
  for (uint32_t i = 0; i < c.range_count; i++) {
    c.ranges[i].from = draw_key(index, slots);
    c.ranges[i].to =
        draw() % 2 ? draw_key(index, slots) : c.ranges[i].from + draw() % 200;
  }
  c.without_count = draw() % 3 ? 0 : 1 + draw() % 4;
  for (uint32_t i = 0; i < c.without_count; i++)
    c.without[i] = draw_key(index, slots);
  c.modulus = draw() % 3 ? 0 : 1 + draw() % 5;
  return c;
}

static int match(void *context, uint64_t key, uint32_t slot) {
  (void)slot;
  return key % *(const uint32_t *)context == 0;
}

void conditions_ask(const conditions *c, const mn_index *index,
                    mn_query *query) {
  query->filter = c->bits;
  query->ranges = c->ranges;
  query->range_count = c->range_count;
  query->without = c->without;
  query->without_count = c->without_count;
  query->match = c->modulus > 0 ? match : NULL;
  query->match_context = (void *)(uintptr_t)&c->modulus;
  const uint32_t plans =
      index->options.structure == MN_IVF ? MN_PLAN_PROBE + 1 : MN_PLAN_PROBE;
  query->plan = (mn_plan_kind)(draw() % plans);
  query->budget = draw() % 4 ? 0 : 1 + draw() % 300;
}

int conditions_hold(const conditions *c, uint64_t key, uint32_t slot) {
  int is_in = c->range_count == 0;
  for (uint32_t i = 0; i < c->range_count; i++)
    is_in |= key >= c->ranges[i].from && key <= c->ranges[i].to;
  for (uint32_t i = 0; i < c->without_count; i++)
    is_in &= key != c->without[i];
  return is_in && (!c->bits || (c->bits[slot / 32] >> slot % 32 & 1)) &&
         (c->modulus == 0 || key % c->modulus == 0);
}

int is_live(const mn_index *index, uint32_t slot) {
  return index->live == NULL || (index->live[slot / 32] >> slot % 32 & 1);
}

uint32_t conditions_count(const conditions *c, const mn_index *index,
                          uint32_t slots) {
  uint32_t count = 0;
  for (uint32_t slot = 0; slot < slots; slot++)
    count +=
        is_live(index, slot) && conditions_hold(c, index->keys[slot], slot);
  return count;
}
