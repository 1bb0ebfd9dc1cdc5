/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inverted lists (IVF; Jegou et al., TPAMI 2011, section IV): every vector is
 * in the list of the centroid that it is nearest to, and a search scans the
 * lists whose centroids are nearest to the query.
 *
 * In a live block a list is a chain through its slots, linked both ways, so
 * that a vector leaves it without a search; in a packed one it is a range of
 * slots.
 */
#ifndef MN_IVF_H
#define MN_IVF_H

#include "../vector.h"
#include "balance.h"
#include "structure.h"

/* --- Centroids ------------------------------------------------------------ */

/* Lists, and how many of them a search looks into, where nobody says. */
uint32_t mn_ivf_default_nlist(uint32_t capacity);
uint32_t mn_ivf_default_nprobe(uint32_t nlist);

/* Bytes of the model, for vectors of so many dimensions; 0 without lists. */
uint64_t mn_ivf_model_bytes(const mn_options *options, uint32_t dimensions);

mn_centroids mn_ivf_centroids(const mn_options *options, uint32_t dimensions,
                              uint8_t *model);

mn_centroids mn_ivf_centroids_of(const mn_index *index);

/* Whether the model could come from accepted vectors: no distance to it then
 * overflows. */
int mn_ivf_model_is_sound(const mn_options *options,
                          const struct mn_kernels *kernels, uint32_t dimensions,
                          uint8_t *model);

/* Vectors that training needs and what is enough. */
void mn_ivf_sample(const mn_options *options, uint32_t *least,
                   uint32_t *enough);

/* Fills the model from `count` rows, at least as many as there are lists, which
 * it may overwrite. NOT_FINITE where what was found is not sound; ARENA where
 * scratch is short (a measuring arena has rows NULL). */
mn_status mn_ivf_train(const mn_options *options,
                       const struct mn_kernels *kernels, float *rows,
                       uint32_t count, uint32_t dimensions, uint8_t *model,
                       mn_arena *scratch);

/* A vector, taken and mapped, as centroids see it, in `work`. */
const float *mn_ivf_see(const mn_index *index, const float *vector,
                        float *work);

/* The list that a vector, taken and mapped, belongs to. `work` has room for as
 * many dimensions. */
uint32_t mn_ivf_list_of(const mn_index *index, const float *vector,
                        float *work);

/* --- Lists ---------------------------------------------------------------- */

/* Bytes of section LIST; 0 without lists. */
uint64_t mn_ivf_list_bytes(uint32_t nlist, uint32_t capacity, int is_packed);

/* What live lists know of a slot. Slots are written as slot + 1, so that 0 is
 * none. */
typedef struct mn_list_node {
  uint32_t next;
  uint32_t back; /* the one before, or MN_LIST_FIRST and the list's number */
} mn_list_node;

#define MN_LIST_FIRST 0x80000000u

/* The first of a live list, or MN_NO_SLOT where it is empty; and the next one
 * behind a slot. Checked to be below state->count. */
uint32_t mn_ivf_first(const mn_index *index, uint32_t list);
uint32_t mn_ivf_next(const mn_index *index, uint32_t slot);

/* Puts a slot that is in no list to the front of one, and takes one out. */
void mn_ivf_put(mn_index *index, uint32_t slot, uint32_t list);
void mn_ivf_take(mn_index *index, uint32_t slot);

/* The slots of a packed list: from `*from` to `*to` - 1, within the block. */
void mn_ivf_range(const mn_index *index, uint32_t list, uint32_t *from,
                  uint32_t *to);

/* Whether every vector is in one list, and nothing else is. */
int mn_ivf_lists_hold(const mn_index *index);

/* --- Search --------------------------------------------------------------- */

/* Scratch of a search: the lists that are left, the nearest one first, as a
 * heap. */
typedef struct mn_prober {
  mn_candidate *lists;
  uint32_t left;
} mn_prober;

int mn_prober_allocate(const mn_options *options, mn_prober *prober,
                       mn_arena *scratch);

/* Lists that a query wants to be scanned. */
static inline uint32_t mn_ivf_nprobe(const mn_query *query, uint32_t nlist) {
  return query->nprobe > 0 ? query->nprobe : mn_ivf_default_nprobe(nlist);
}

/* Compares the query, mapped in room->mapped, with the centroids: with all,
 * unless that were more than half of what its budget lets it compare. */
void mn_ivf_begin(const mn_index *index, const mn_query *query,
                  const mn_vector_room *room, mn_prober *prober);

/* Puts the best of the nearest lists into the pool. Goes on to further lists
 * while it holds fewer than k; and, where a filter lets only some vectors
 * through, until as many were compared as are in the first lists. How many were
 * scanned. */
uint32_t mn_ivf_search(const mn_index *index, const mn_query *query,
                       const mn_target *target, const mn_filter *filter,
                       mn_prober *prober, mn_pool *pool, mn_spending *spending);

#endif
