/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The links of a graph, whether live or packed, and where a walk begins.
 *
 * HNSW keeps ever sparser graphs above the one of all vectors, to find a start
 * for the walk. The nearest of some 64 vectors spread over the index is as good
 * a start (core/DESIGN.md has the figures), and takes 256 bytes.
 */
#ifndef MN_GRAPH_H
#define MN_GRAPH_H

#include "../block.h"

/* Equal vectors, those with the same code, are twins. The graph knows only the
 * first of them; the others hang on it in a chain: the last link of its list
 * leads to the latest twin and has this bit set; a twin's list leads back to
 * what it hangs on, the first or the twin that came after it, and then, with
 * the bit set, on to the twin that came before it. The length of a twin's list
 * has the bit set too. In a packed block twins follow their first one, in the
 * order of the chain, and have no links. */
#define MN_TWIN 0x80000000u

/* First word of the list of a vector that is not linked yet: pending.h. */
#define MN_WAITS MN_TWIN

/* Entries that an index can have. */
#define MN_ENTRIES 64u

/* Links of one list. A live list is its length, then as many links: slot
 * numbers. */
static inline uint32_t mn_links_max(uint32_t m) {
  return 2 * m;
}

/* Bytes of section LINK where it is live. */
uint64_t mn_graph_link_bytes(uint32_t m, uint32_t capacity);

/* The list of a slot, in a live block. */
static inline uint32_t *mn_graph_list(const mn_index *index, uint32_t slot) {
  const size_t words = 1 + mn_links_max(index->options.m);
  return (uint32_t *)(void *)index->links + slot * words;
}

/* Whether the vector of a live list waits to be linked. */
static inline int mn_list_waits(const uint32_t *list) {
  return list[0] == MN_WAITS;
}

/* Whether the vector of a live list is a twin. */
static inline int mn_list_is_twin(const uint32_t *list) {
  return (list[0] & MN_TWIN) != 0 && !mn_list_waits(list);
}

/* Whether a slot may be linked to: a vector of a live graph, not deleted. */
static inline int mn_graph_takes(const mn_index *index, uint32_t slot) {
  return slot < index->state->count && mn_slot_is_live(index, slot) &&
         (mn_graph_list(index, slot)[0] & MN_TWIN) == 0;
}

/* The number of a live list's links that are not to a twin; only the last can
 * be. 0 where it is a twin's list. Lists come from the block and are not
 * trusted: `most` bounds it. */
static inline uint32_t mn_plain_links(const uint32_t *list, uint32_t most) {
  const uint32_t length = list[0] <= most         ? list[0]
                          : mn_list_is_twin(list) ? 0
                                                  : most;
  return length > 0 && (list[length] & MN_TWIN) != 0 ? length - 1 : length;
}

/* The links of a slot but for that to a twin: where they stand, in the block
 * or, decoded, in `room` (mn_links_max). Gives their number. They may be
 * anything and must be checked before they are followed. */
uint32_t mn_graph_links(const mn_index *index, uint32_t slot, uint32_t *room,
                        const uint32_t **links);

/* Asks for the memory where they stand. */
void mn_graph_fetch(const mn_index *index, uint32_t slot);

/* The twin that hangs on a slot, checked to be in use; MN_TWIN where there is
 * none. */
uint32_t mn_graph_twin(const mn_index *index, uint32_t slot);

/* Whether a slot in use is in the graph, its vector deleted or not. */
int mn_graph_has(const mn_index *index, uint32_t slot);

/* Whether a slot is in the graph, no twin, and none hangs on it. */
int mn_graph_is_single(const mn_index *index, uint32_t slot);

/* Keeps a damaged graph openable after a change: there are entries where
 * vectors are linked, and none where nothing is. A sound graph has them so. */
void mn_graph_settle(mn_index *index);

/* Whether the number of entries and their stride can be those of as many linked
 * vectors. */
int mn_graph_begins(const mn_index *index);

/* Bytes of links. */
uint64_t mn_graph_bytes(const mn_index *index);

/* Takes the slot that was just linked, and is no twin, among the entries where
 * its number says so. */
void mn_graph_enter(mn_index *index, uint32_t slot);

/* Lets go the entries that die. Where few are left the stride is halved, until
 * there are enough or every vector of the graph is one. */
void mn_graph_renew_entries(mn_index *index);

#endif
