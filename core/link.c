/* SPDX-License-Identifier: Apache-2.0 */
/* Linking what was appended, whole or in halves. */
#include "block.h"
#include "bytes.h"
#include "structure/structure.h"

#ifndef MN_ONLY_SEARCH

/* The next batch; 0 where there is none, or only damage. */
static int next_batch(const mn_index *index, uint32_t *batch) {
  return MN_HAS_GRAPH && !index->is_packed && mn_graph_batch(index, batch);
}

uint32_t mn_index_batch(const mn_index *index) {
  uint32_t batch[MN_LINK_BATCH];
  return index != NULL && next_batch(index, batch) ? MN_LINK_BATCH : 0;
}

mn_status mn_index_propose(const mn_index *index, uint32_t from, uint32_t to,
                           void *proposals, mn_arena *scratch) {
  uint32_t batch[MN_LINK_BATCH];
  if (index == NULL || proposals == NULL || scratch == NULL || from > to ||
      to > MN_LINK_BATCH || (to > 0 && !next_batch(index, batch)))
    return MN_ERROR_ARGUMENT;
  const size_t mark = mn_arena_mark(scratch);
  mn_chooser chooser;
  mn_proposer proposer;
  const int fits = mn_chooser_allocate(&index->options, &chooser, scratch) &&
                   mn_proposer_allocate(&index->options, index->capacity,
                                        index->keys, &proposer, scratch);
  for (uint32_t i = from; fits && i < to; i++)
    mn_graph_propose(index, batch, i, proposals, &chooser, &proposer);
  mn_arena_rewind(scratch, mark);
  return fits ? MN_OK : MN_ERROR_ARENA;
}

mn_status mn_index_commit(mn_index *index, const void *proposals,
                          mn_arena *scratch) {
  if (index == NULL || proposals == NULL || scratch == NULL)
    return MN_ERROR_ARGUMENT;
  if (!mn_index_is_live(index))
    return MN_ERROR_READ_ONLY;
  uint32_t batch[MN_LINK_BATCH];
  if (!next_batch(index, batch))
    return MN_ERROR_ARGUMENT;
  const size_t mark = mn_arena_mark(scratch);
  mn_chooser chooser;
  mn_committer committer;
  const int fits =
      mn_chooser_allocate(&index->options, &chooser, scratch) &&
      mn_committer_allocate(&index->options, index->keys, &committer, scratch);
  if (fits) {
    mn_index_unseal(index);
    mn_graph_commit(index, batch, proposals, &chooser, &committer);
  }
  mn_arena_rewind(scratch, mark);
  return fits ? MN_OK : MN_ERROR_ARENA;
}

#endif

/* --- Both halves ---------------------------------------------------------- */

int mn_linker_allocate(const mn_options *options, uint32_t capacity,
                       const uint64_t *keys, mn_linker *linker,
                       mn_arena *scratch) {
  linker->proposals = mn_arena_allocate(scratch, mn_proposals_bytes(options));
  return linker->proposals != NULL &&
         mn_chooser_allocate(options, &linker->chooser, scratch) &&
         mn_proposer_allocate(options, capacity, keys, &linker->proposer,
                              scratch) &&
         mn_committer_allocate(options, keys, &linker->committer, scratch);
}

#ifndef MN_ONLY_SEARCH

int mn_link_batch(mn_index *index, mn_linker *linker) {
  uint32_t batch[MN_LINK_BATCH];
  if (!next_batch(index, batch))
    return 0;
  for (uint32_t i = 0; i < MN_LINK_BATCH; i++)
    mn_graph_propose(index, batch, i, linker->proposals, &linker->chooser,
                     &linker->proposer);
  mn_graph_commit(index, batch, linker->proposals, &linker->chooser,
                  &linker->committer);
  return 1;
}

mn_status mn_index_link(mn_index *index, uint32_t limit, uint32_t *left,
                        mn_arena *scratch) {
  if (index == NULL || left == NULL || scratch == NULL)
    return MN_ERROR_ARGUMENT;
  if (!mn_index_is_live(index))
    return MN_ERROR_READ_ONLY;
  if (mn_index_batch(index) > 0 && limit > 0) {
    const size_t mark = mn_arena_mark(scratch);
    mn_linker linker;
    const int fits = mn_linker_allocate(&index->options, index->capacity,
                                        index->keys, &linker, scratch);
    if (fits)
      mn_index_unseal(index);
    for (uint32_t done = 0; fits && done < limit; done += MN_LINK_BATCH)
      if (!mn_link_batch(index, &linker))
        break;
    mn_arena_rewind(scratch, mark);
    if (!fits)
      return MN_ERROR_ARENA;
  }
  *left = mn_index_batch(index) > 0
              ? mn_index_pending(index) / MN_LINK_BATCH * MN_LINK_BATCH
              : 0;
  return MN_OK;
}

mn_status mn_index_add(mn_index *index, const uint64_t *keys,
                       const mn_vectors *vectors, uint32_t *bad_row,
                       mn_arena *scratch) {
  if (index == NULL || scratch == NULL)
    return MN_ERROR_ARGUMENT;
  /* Appending must not succeed where linking will not. */
  if (mn_is_graph(&index->options) && mn_index_is_live(index)) {
    const size_t mark = mn_arena_mark(scratch);
    mn_linker linker;
    const int fits = mn_linker_allocate(&index->options, index->capacity,
                                        index->keys, &linker, scratch);
    mn_arena_rewind(scratch, mark);
    if (!fits)
      return MN_ERROR_ARENA;
  }
  const mn_status status =
      mn_index_append(index, keys, vectors, bad_row, scratch);
  uint32_t left;
  return status == MN_OK ? mn_index_link(index, UINT32_MAX, &left, scratch)
                         : status;
}

#endif
