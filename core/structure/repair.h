/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repair: leading lists past the dead (Singh et al., "FreshDiskANN", arXiv
 * 2105.09613, section 4.3, Algorithm 4), in two passes over the slots, together
 * a sweep. The first gives every list that leads to dead vectors others in
 * their place, chosen among those that they led to. The second frees the slots
 * of those that were dead when the sweep began, to which nothing leads by then,
 * and sees to it that every vector is led to.
 */
#ifndef MN_REPAIR_H
#define MN_REPAIR_H

#include "structure.h"

typedef struct mn_repairer {
  mn_chooser chooser;
  mn_proposer proposer;
  mn_committer committer;
  uint32_t *gathered;      /* a list, and the lists of all its links */
  uint64_t distance_count; /* but for those of choosing */
} mn_repairer;

int mn_repairer_allocate(const mn_options *options, uint32_t capacity,
                         const uint64_t *keys, mn_repairer *repairer,
                         mn_arena *scratch);

/* Distances that it took so far. */
static inline uint64_t mn_repair_distances(const mn_repairer *repairer) {
  return repairer->chooser.distance_count + repairer->distance_count;
}

/* Goes on for up to `limit` slots, from sweep to sweep while there are dead
 * ones. */
void mn_graph_repair(mn_index *index, uint32_t limit, mn_repairer *repairer);

/* Slots that are still to be gone over until all that are dead now are free. */
uint64_t mn_graph_unrepaired(const mn_index *index);

#endif
