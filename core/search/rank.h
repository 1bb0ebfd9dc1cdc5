/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RANK_H
#define MN_RANK_H

#include "../minnow.h"

/* The exact distance of a query as taken to a vector as the caller keeps it,
 * which is checked and, under cosine, normalised in `work` (which may be
 * `vector`). Not for binary metrics. */
mn_status mn_rank_one(const mn_index *index, const float *query,
                      const float *vector, float *work, float *distance);

#endif
