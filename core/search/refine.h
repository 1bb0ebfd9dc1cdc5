/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a search reads: candidates are found by the encoding, or by its first
 * bit planes, and the best of them may be ranked again by something better.
 *
 * A scan by one plane of which candidates are refined anyway begins with a
 * sieve: the plane against the signs of the query, which takes a third of the
 * instructions. The signs alone find fewer of the nearest among the first 100,
 * but of the 10 nearest .999 (sentences, 20,000 of 512 dimensions) to 1.000
 * (pixels) are among the first 400, and only these meet the whole query.
 */
#ifndef MN_REFINE_H
#define MN_REFINE_H

#include "../structure/structure.h"
#include "../vector.h"

typedef enum mn_refiner {
  MN_BY_NOTHING,
  MN_BY_PLANES, /* more of the same code */
  MN_BY_FINE,   /* the refine encoding */
  MN_BY_FETCH   /* vectors that the caller brings */
} mn_refiner;

typedef struct mn_stages {
  uint32_t sieve;         /* vectors that a first scan by the query's signs
                             leaves; 0: there is none */
  uint32_t planes;        /* by which candidates are found; 0: not bits */
  uint32_t refine_planes; /* under MN_BY_PLANES */
  mn_refiner refiner;
  uint32_t candidates; /* that are wanted: k, or what is to be refined */
} mn_stages;

/* Whether a walk can end by this gamma; 0: nothing is said. */
int mn_gamma_holds(const mn_options *options, float gamma);

/* ARGUMENT where the query asks for planes that cannot be read, or for a
 * refine_k, k or ef out of range. `options` are complete. */
mn_status mn_stages_of(const mn_options *options, const mn_query *query,
                       mn_stages *stages);

/* Bytes of a query as the refiner wants it. */
size_t mn_refine_query_bytes(const mn_options *options,
                             const mn_stages *stages);

/* Ranks the first `count` of `from` again, into `to`. */
void mn_rank_again(const mn_target *target, const mn_pool *from, uint32_t count,
                   mn_pool *to, mn_stats *stats);

/* Ranks the candidates of `from` again, into `to`. `room` holds the query as
 * taken; `prepared` is the query as candidates were found by it, `query` room
 * for another. What `fetch` returns is passed on. */
mn_status mn_refine(const mn_index *index, const mn_query *asked,
                    const mn_stages *stages, const mn_vector_room *room,
                    const void *prepared, void *query, const mn_pool *from,
                    mn_pool *to, mn_stats *stats);

#endif
