/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measuring recall@k of an index: queries, what the right answers are as near
 * as, and searches that are judged by it. Shared by tuning and auditing.
 *
 * Of the exact answer only the distance of its last vector is kept: a hit is
 * right that is no farther, by the very same function. So it does not matter
 * which of several equally near vectors a search found.
 */
#ifndef MN_RECALL_H
#define MN_RECALL_H

#include "block.h"
#include "encoding/codec.h"
#include "search/pool.h"
#include "vector.h"

/* What a search is tried with. */
typedef struct mn_setting {
  uint32_t nprobe; /* ivf */
  uint32_t ef;     /* graph, and the next: as a query says them */
  float gamma;
  uint32_t candidates; /* that are refined, else k */
} mn_setting;

typedef struct mn_trial {
  const mn_index *index;
  mn_query query;       /* as asked, with the index's defaults filled in */
  mn_setting asked;     /* what that amounts to */
  uint32_t refines;     /* 1: candidates are refined */
  uint32_t turns_ef;    /* 1: tuning chooses ef, */
  uint32_t turns_gamma; /* and gamma */
  mn_fetch fetch;       /* NULL: vectors are compared as the block has them */
  void *fetch_context;
  uint32_t own;        /* 1: the queries are vectors of the index */
  uint32_t count;      /* queries */
  uint32_t wanted;     /* of the answer to each */
  size_t search_bytes; /* scratch of the largest search */
  const float *rows;   /* the queries */
  float *own_rows;     /* room for those of the index */
  mn_pool sample;      /* and which these are */
  float *bounds;       /* by query: the distance of the last right answer */
  uint32_t *found;     /* by query: right answers in the latest run */
  mn_vector_room room; /* for one vector */
  void *prepared;      /* a query, for the best that the block has */
  mn_pool right;       /* the exact answers to some queries, one by one */
  float *taken;        /* as many queries */
  mn_hit *hits;        /* of a search */
  uint32_t *slots;
  float *distances;
  void *memory;   /* search_bytes */
  uint64_t spent; /* distances so far */
} mn_trial;

/* What is asked, with all that tuning turns at the most, but for what is
 * refined. */
mn_setting mn_trial_widest(const mn_trial *trial, uint32_t ef_max);

/* Candidates that tuning refines at the most: no more than a graph keeps. */
uint32_t mn_trial_most(const mn_trial *trial, uint32_t ef_max);

/* Reads what is asked: everything but what is allocated. Errors: ARGUMENT,
 * DIMENSIONS, SAMPLE (nothing can be asked for). The largest search is that
 * with up to `ef_max` candidates; 0: the one that is asked for. */
mn_status mn_trial_plan(const mn_index *index, const mn_sampling *sampling,
                        uint32_t ef_max, mn_trial *trial);

/* Takes from a scratch; 0 where it is short. */
int mn_trial_allocate(mn_trial *trial, mn_arena *scratch);

/* Queries that are answered exactly while every vector is fetched once. */
#define MN_FETCH_GROUP 16u

/* Draws the queries and finds what is right. With a budget (0: none) there are
 * fewer of them where finding that would take more than half of it. Errors:
 * what a query is refused for, and what `fetch` returns. */
mn_status mn_trial_begin(mn_trial *trial, uint64_t budget);

/* Searches for all queries. With a budget it stops when so many distances were
 * spent in all: `*cut` becomes 1 and `recall` is not written. */
mn_status mn_trial_run(mn_trial *trial, const mn_setting *setting,
                       uint64_t budget, mn_recall *recall, uint32_t *cut);

/* --- Parts ---------------------------------------------------------------- */

static inline const float *mn_trial_row(const mn_trial *trial, uint32_t query) {
  return trial->rows + (size_t)query * trial->index->options.dimensions;
}

/* Whether a slot can be an answer to a query. */
static inline int mn_trial_can_answer(const mn_trial *trial, uint32_t query,
                                      uint32_t slot) {
  return mn_slot_is_live(trial->index, slot) &&
         (!trial->own || trial->sample.items[query].slot != slot);
}

/* The best that the block has of its vectors, as target of a query. */
mn_status mn_trial_prepare(mn_trial *trial, uint32_t query, mn_target *target);

/* A query as exact distances want it; and one, to a vector that was fetched
 * into the room. */
mn_status mn_trial_take(mn_trial *trial, uint32_t query, float *taken);
mn_status mn_trial_distance(mn_trial *trial, const float *taken,
                            float *distance);

/* Wilson's score interval of 95 % (JASA 22, 1927, p. 209) for a share that was
 * seen in `trials` independent trials. */
void mn_wilson(float share, float trials, float *low, float *high);

/* The refine_k by which `candidates` of k are refined. */
float mn_refine_k_of(uint32_t candidates, uint32_t k);

#endif
