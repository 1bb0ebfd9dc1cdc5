/* SPDX-License-Identifier: Apache-2.0 */
/* The walk, shared by search and linking. */
#ifndef MN_HNSW_H
#define MN_HNSW_H

#include "structure.h"

/* Fills the pool from the nearest entry on, without twins. */
void mn_graph_walk(const mn_index *index, const mn_target *target,
                   mn_walk *walk, mn_pool *pool);

#endif
