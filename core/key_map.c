/* SPDX-License-Identifier: Apache-2.0 */
#include "key_map.h"
#include "block.h"
#include "bytes.h"

/* Where probing for a key begins. Fibonacci hashing: consecutive keys, which
 * are the usual ones, fall far apart and evenly. */
static uint64_t first_bucket(uint64_t key, uint64_t buckets) {
  uint64_t hash = (key ^ key >> 32) * 0x9E3779B97F4A7C15u;
  return (hash >> 32) * buckets >> 32;
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
    mn_key_map_put(index, index->keys[slot], slot);
}

void mn_key_map_undo(mn_index *index, uint64_t key) {
  /* Later puts may have probed past this bucket; they are undone already. */
  const uint64_t bucket = probe(index, key);
  MN_ASSERT(bucket != NO_BUCKET);
  index->key_map[bucket] = 0;
}
