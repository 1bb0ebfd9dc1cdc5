/* SPDX-License-Identifier: Apache-2.0 */
/* The browser module's changes to vectors. On failure `report.value` is the row
 * at fault. */
#include "bytes.h"
#include "key_map.h"
#include "module.h"

/* --- Store ---------------------------------------------------------------- */

/* Adds rows, which then wait to be linked, or replaces vectors, which links.
 * Room is made for linking as well, so that what was stored can be linked. */
int32_t EXPORT(store)(uint32_t how, const float *data, uint32_t count,
                      uint32_t dimensions, const uint64_t *keys) {
  mn_sizes sizes;
  int32_t status = plan_now(&sizes);
  if (!status)
    status = make_room(how == HOW_ADD ? sizes.add_scratch_bytes
                                      : sizes.update_scratch_bytes);
  if (status)
    return status;
  const mn_vectors vectors = {data, count, dimensions};
  if (how == HOW_ADD)
    return mn_index_append(&index_, keys, &vectors, &report.value, &arena);
  return (how == HOW_UPDATE ? mn_index_update : mn_index_upsert)(
      &index_, keys, &vectors, &report.value, &arena);
}

/* Deletes, all or none. */
int32_t EXPORT(remove)(const uint64_t *keys, uint32_t count) {
  return mn_index_delete(&index_, keys, count, &report.value);
}

/* `report.value` is how many lists are left. */
int32_t EXPORT(repair)(uint32_t limit) {
  mn_sizes sizes;
  int32_t status = plan_now(&sizes);
  if (!status)
    status = make_room(sizes.repair_scratch_bytes);
  return status ? status
                : mn_index_repair(&index_, limit, &report.value, &arena);
}

/* --- Link ----------------------------------------------------------------- */

/* `report.value` is how many could still be linked: whole batches. */
int32_t EXPORT(link)(uint32_t limit) {
  mn_sizes sizes;
  int32_t status = plan_now(&sizes);
  if (!status)
    status = make_room(sizes.link_scratch_bytes);
  if (status)
    return status;
  return mn_index_link(&index_, limit, &report.value, &arena);
}

/* For threads that link a copy of the block (threads.c): `report.value` is the
 * bytes of a batch's proposals, `report.bytes` the scratch of one of them. */
int32_t EXPORT(thread_sizes)(void) {
  mn_sizes sizes;
  int32_t status = plan_now(&sizes);
  size_t propose = sizes.propose_scratch_bytes;
  size_t commit = sizes.commit_scratch_bytes;
  report.value = sizes.proposals_bytes;
  report.bytes = propose > commit ? propose : commit;
  return status;
}

/* --- Merge ---------------------------------------------------------------- */

/* Gives vectors other keys: those at their slots. */
static void rename_keys(mn_index *index, const uint64_t *keys) {
  for (uint32_t slot = 0; slot < index->state->count; slot++)
    if (mn_slot_is_live(index, slot))
      index->keys[slot] = keys[slot];
  mn_zero(index->key_map,
          (size_t)mn_key_map_buckets(index->capacity) * sizeof *index->key_map);
  mn_key_map_fill(index);
}

/* Takes over the vectors of the block whose `bytes` bytes were staged first of
 * all, under `keys` by slot (0: its own). `report.value` is the capacity that
 * this takes, `report.bytes` how many keys are in both. */
int32_t EXPORT(merge)(size_t bytes, uint32_t policy, const uint64_t *keys) {
  mn_index from;
  mn_merging merging;
  int32_t status = mn_index_open_writable(&from, arena.base + block_end, bytes);
  if (status)
    return status;
  if (keys)
    rename_keys(&from, keys);
  status = mn_plan_merge(&index_, &from, (mn_merge_policy)policy, &merging);
  if (!status)
    status = make_room(merging.scratch_bytes);
  if (!status)
    status = mn_index_merge(&index_, &from, (mn_merge_policy)policy, &merging,
                            &arena);
  report.value = merging.capacity;
  report.bytes = merging.conflicts;
  return status;
}
