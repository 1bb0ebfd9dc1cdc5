/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the links of a graph lie, and which vectors have links on which level.
 *
 * HNSW draws each vector's level at random, with a share of M^-l on level l
 * and up. Here the draw is stratified: of every M consecutive slots of a level
 * one, chosen by a hash of the seed, is on the next level as well. The shares
 * are the same, and level, list position and the exact bytes of all lists
 * follow from slot number and capacity, so none of them is stored.
 */
#ifndef MN_GRAPH_H
#define MN_GRAPH_H

#include "../minnow.h"

/* Equal vectors, those with the same code, are twins. The graph knows only the
 * first of them; the others hang on it in a chain on level 0: the last link of
 * its list leads to the latest twin and has this bit set, a twin's list leads
 * back to the first and then, with the bit set, on to the twin before it. */
#define MN_TWIN 0x80000000u

/* Links of one list: on level 0, and above. A list is its length, then as many
 * links: slot numbers. */
static inline uint32_t mn_links_max(uint32_t m, uint32_t level) {
  return level == 0 ? 2 * m : m;
}

/* The highest level that an index of `capacity` vectors can have. */
uint32_t mn_graph_top(uint32_t m, uint32_t capacity);

/* The level of a slot, at most mn_graph_top(m, slot + 1). */
uint32_t mn_graph_level(const mn_options *options, uint32_t slot);

/* Lists kept for `level`. */
uint32_t mn_graph_lists(uint32_t m, uint32_t capacity, uint32_t level);

/* The slot to which a list of `level` belongs, if it is on that level and below
 * the capacity: of those that share the list no other can be. */
uint64_t mn_graph_owner(const mn_options *options, uint32_t list,
                        uint32_t level);

/* Bytes of section LINK and of section UPPR. */
uint64_t mn_graph_link_bytes(uint32_t m, uint32_t capacity);
uint64_t mn_graph_upper_bytes(uint32_t m, uint32_t capacity);

/* One of the lists of `level`. */
uint32_t *mn_graph_list_number(const mn_index *index, uint32_t number,
                               uint32_t level);

/* The list of `slot` on `level`. In bounds for any slot below the capacity and
 * any level up to mn_graph_top, whether the slot is on that level or not. */
uint32_t *mn_graph_list(const mn_index *index, uint32_t slot, uint32_t level);

#endif
