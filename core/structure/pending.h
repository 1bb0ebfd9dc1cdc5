/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors that wait to be linked: in a live block a chain in the order of
 * adding, since slots that were freed are used again anywhere; in a packed one
 * the last slots. A waiting vector's list has no links but MN_WAITS in its
 * first word, then the slots that come after and before it in the chain, plus 1
 * each; 0 is none.
 */
#ifndef MN_PENDING_H
#define MN_PENDING_H

#include "graph.h"

/* The first slot that waits and the one after `slot`, or MN_NO_SLOT; in a live
 * block each checked to be one that waits. A damaged chain may run in circles:
 * take no more than mn_index_pending. */
uint32_t mn_pending_first(const mn_index *index);
uint32_t mn_pending_next(const mn_index *index, uint32_t slot);

/* Up to `most` of the first that wait, in order; their number. */
uint32_t mn_pending_some(const mn_index *index, uint32_t most, uint32_t *slots);

/* Lets a slot of a live graph, whose list is 0, wait behind the others. */
void mn_pending_append(mn_index *index, uint32_t slot);

/* Takes one out of the chain, and leaves its list 0. */
void mn_pending_remove(mn_index *index, uint32_t slot);

/* Lets every vector wait, in slot order, where no list has been written yet. */
void mn_pending_fill(mn_index *index);

#endif
