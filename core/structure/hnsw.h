/* SPDX-License-Identifier: Apache-2.0 */
/* The two walks of HNSW, shared by search and linking. */
#ifndef MN_HNSW_H
#define MN_HNSW_H

#include "structure.h"

/* From the entry, greedily on each level above `to_level`: where to begin on
 * `to_level`. */
mn_candidate mn_graph_descend(const mn_index *index, const mn_target *target,
                              uint32_t to_level, mn_walk *walk);

/* Fills the pool on one level from `start`, without twins. */
void mn_graph_search_level(const mn_index *index, const mn_target *target,
                           mn_candidate start, uint32_t level, mn_walk *walk,
                           mn_pool *pool);

#endif
