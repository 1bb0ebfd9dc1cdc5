/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An order of vectors in which near ones lie near one another: the set is
 * halved by which of two far vectors is nearer, and each half again. Two far
 * vectors do as well as two centroids (2-means), need no arithmetic but
 * distances between codes, and so serve every encoding.
 */
#ifndef MN_ORDER_H
#define MN_ORDER_H

#include "structure.h"

typedef struct mn_orderer {
  float *vector; /* while a query is prepared */
  void *scratch; /* the codec's */
  uint8_t *query;
  float *distances; /* of one batch */
  uint32_t *slots;
} mn_orderer;

/* 0 where memory is short. */
int mn_orderer_allocate(const mn_options *options, mn_orderer *orderer,
                        mn_arena *scratch);

/* Puts the items, whose slots are set, into that order, which depends on the
 * vectors and their keys alone. O(n log n) distances. */
void mn_order(const mn_index *index, mn_candidate *items, uint32_t count,
              mn_orderer *orderer);

#endif
