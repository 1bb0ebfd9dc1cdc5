/* SPDX-License-Identifier: Apache-2.0 */
#include "key_map.h"
#include "bytes.h"

/* Fibonacci hashing: consecutive keys, which are the usual ones, fall far apart
 * and evenly. */
static uint32_t hash_of(uint64_t key) {
  return (uint32_t)((key ^ key >> 32) * 0x9E3779B97F4A7C15u >> 32);
}

/* Where probing for a hash begins: later for larger ones. */
static uint64_t bucket_of(uint32_t hash, uint64_t buckets) {
  return (uint64_t)hash * buckets >> 32;
}

static uint64_t first_bucket(uint64_t key, uint64_t buckets) {
  return bucket_of(hash_of(key), buckets);
}

#define NO_BUCKET UINT64_MAX

/* The bucket that holds the key, or the empty one where it would go;
 * NO_BUCKET in a damaged table without empty buckets. */
static uint64_t probe(const mn_index *index, uint64_t key) {
  const uint64_t buckets = mn_key_map_buckets(index->capacity);
  uint64_t bucket = first_bucket(key, buckets);
  for (uint64_t tries = 0; tries < buckets; tries++) {
    uint32_t entry = index->key_map[bucket];
    /* An entry beyond the capacity is damage; it is stepped over. */
    if (entry == 0 ||
        (entry <= index->capacity && index->keys[entry - 1] == key))
      return bucket;
    if (++bucket == buckets)
      bucket = 0;
  }
  return NO_BUCKET;
}

uint32_t mn_key_map_find(const mn_index *index, uint64_t key) {
  uint64_t bucket = probe(index, key);
  if (bucket == NO_BUCKET)
    return MN_NO_SLOT;
  uint32_t entry = index->key_map[bucket];
  return entry == 0 || entry > index->state->count ? MN_NO_SLOT : entry - 1;
}

int mn_key_map_put(mn_index *index, uint64_t key, uint32_t slot) {
  uint64_t bucket = probe(index, key);
  if (bucket == NO_BUCKET || index->key_map[bucket] != 0)
    return 0;
  index->key_map[bucket] = slot + 1;
  return 1;
}

void mn_key_map_fill(mn_index *index) {
  for (uint32_t slot = 0; slot < index->state->count; slot++)
    if (mn_slot_is_live(index, slot))
      mn_key_map_put(index, index->keys[slot], slot);
}

uint32_t mn_key_map_undo(mn_index *index, uint64_t key) {
  /* Later puts may have probed past this bucket; they are undone already. */
  const uint64_t bucket = probe(index, key);
  const uint32_t entry = bucket == NO_BUCKET ? 0 : index->key_map[bucket];
  if (entry == 0)
    return MN_NO_SLOT;
  index->key_map[bucket] = 0;
  return entry - 1;
}

/* Whether an entry may move from bucket `at` up to `hole`: only where probing
 * for its key comes to the hole before it comes to `at`. */
static int may_move(const mn_index *index, uint64_t hole, uint64_t at,
                    uint64_t buckets) {
  const uint32_t entry = index->key_map[at];
  if (entry > index->capacity)
    return 0; /* damage */
  const uint64_t first = first_bucket(index->keys[entry - 1], buckets);
  const uint64_t probed = at >= first ? at - first : at + buckets - first;
  const uint64_t moved = at >= hole ? at - hole : at + buckets - hole;
  return probed >= moved;
}

/* Knuth, "The Art of Computer Programming", volume 3, section 6.4, Algorithm R:
 * no marks are left behind that later probing has to step over. */
void mn_key_map_remove(mn_index *index, uint64_t key) {
  const uint64_t buckets = mn_key_map_buckets(index->capacity);
  uint64_t hole = probe(index, key);
  if (hole == NO_BUCKET || index->key_map[hole] == 0)
    return;
  uint64_t at = hole;
  for (uint64_t tries = 1; tries < buckets; tries++) {
    if (++at == buckets)
      at = 0;
    if (index->key_map[at] == 0)
      break;
    if (!may_move(index, hole, at, buckets))
      continue;
    index->key_map[hole] = index->key_map[at];
    hole = at;
  }
  index->key_map[hole] = 0;
}

/* --- Sample --------------------------------------------------------------- */

/* A key that probing begins with in the first buckets lies in these, or in the
 * run of full ones behind them; or, where that run goes round, at the front. */
mn_key_sample mn_key_map_sample(const mn_index *index, uint32_t wanted) {
  const uint32_t vectors = mn_index_vectors(index);
  /* In floats: some processors need a library for 64-bit division. */
  const float share = (float)wanted / (float)vectors;
  mn_key_sample s;
  s.most = share < 1.0f ? (uint32_t)(share * 0x1p32f) : UINT32_MAX;
  s.at = 0;
  s.last = (uint32_t)bucket_of(s.most, mn_key_map_buckets(index->capacity));
  /* In a wide table it is less to look at every key. */
  s.by_slot = s.last >= index->state->count;
  return s;
}

uint32_t mn_key_map_next(const mn_index *index, mn_key_sample *s) {
  const uint32_t used = index->state->count;
  const uint32_t end =
      s->by_slot ? used : (uint32_t)mn_key_map_buckets(index->capacity);
  while (s->at < end) {
    const uint32_t entry = s->by_slot ? s->at + 1 : index->key_map[s->at];
    if (entry == 0 && s->at > s->last)
      break;
    s->at++;
    if (entry - 1 < used && mn_slot_is_live(index, entry - 1) &&
        hash_of(index->keys[entry - 1]) <= s->most)
      return entry - 1;
  }
  return MN_NO_SLOT;
}
