/* SPDX-License-Identifier: Apache-2.0 */
/* Finding candidates by the encoding: by scanning slots, or by walking the
 * graph. */
#ifndef MN_STRUCTURE_H
#define MN_STRUCTURE_H

#include "../encoding/codec.h"
#include "../search/filter.h"
#include "../search/pool.h"

/* The encoding's codes as target of a query that is still to be prepared. */
static inline mn_target mn_codes_of(const mn_index *index, uint32_t planes) {
  return (mn_target){.codec = &index->codec,
                     .codes = index->codes,
                     .rests = index->rests,
                     .planes = planes};
}

/* Whether two slots have the same code. */
int mn_codes_equal(const mn_index *index, uint32_t a, uint32_t b);

/* --- Scan ----------------------------------------------------------------- */

/* Slots compared at a time. */
#define MN_SCAN_BATCH MN_CODEC_BATCH

/* Distances that finding candidates took, and how many it may take. */
typedef struct mn_spending {
  uint64_t spent, most;
  uint32_t is_cut; /* 1: more were wanted */
} mn_spending;

/* Spends as many of `count` distances as may be: their number. */
static inline uint32_t mn_afford(mn_spending *spending, uint32_t count) {
  const uint64_t left = spending->most - spending->spent;
  const uint32_t some = count < left ? count : (uint32_t)left;
  spending->spent += some;
  spending->is_cut |= some < count;
  return some;
}

/* Slots that are compared together. */
typedef struct mn_batch {
  uint32_t slots[MN_SCAN_BATCH];
  uint32_t count;
} mn_batch;

/* The best of a batch, which is empty then, join the pool, as far as the budget
 * goes; 0 where it ends. */
int mn_compare(const mn_target *target, mn_batch *batch, mn_pool *pool,
               mn_spending *spending);

/* Puts the best of all vectors, those that `filter` lets through (NULL: all),
 * into the pool. */
void mn_scan(const mn_index *index, const mn_target *target,
             const mn_filter *filter, mn_pool *pool, mn_spending *spending);

/* Fills the pool, of an even capacity, with the best half as many of all
 * vectors, as far as the codec's `sift` can tell them apart, in no order. */
void mn_sift(const mn_index *index, const mn_target *target, mn_pool *pool);

/* --- Graph (HNSW) --------------------------------------------------------- */

static inline int mn_is_graph(const mn_options *options) {
  return MN_HAS_GRAPH && options->structure == MN_HNSW;
}

static inline int mn_is_ivf(const mn_options *options) {
  return MN_HAS_IVF && options->structure == MN_IVF;
}

/* Where a walk ends before it has walked from all that it keeps: at the first
 * candidate farther than `reach` times the one at place `rank` (from 1), but
 * not before it has walked from `least`. Adaptive beam search (Al-Jazzazi et
 * al., arXiv 2505.15636, Algorithm 2). */
typedef struct mn_ending {
  float reach;
  uint32_t rank, least;
} mn_ending;

#define MN_NO_ENDING ((mn_ending){0.0f, 0, UINT32_MAX})

/* Scratch of one walk, and what it counts. */
typedef struct mn_walk {
  uint32_t *visited;    /* a bit per slot */
  uint32_t *links;      /* two lists, decoded */
  uint32_t *slots;      /* and without what was visited */
  float *distances;     /* to those */
  mn_candidate *nearer; /* of them, those that the pool may take */
  mn_spending spending;
  uint32_t hops;
  uint32_t hidden; /* a slot that the walk takes for visited; MN_TWIN: none */
  mn_ending ending;
} mn_walk;

/* 1 the first time that it is asked for a slot. */
static inline uint32_t mn_walk_visit(mn_walk *walk, uint32_t slot) {
  const uint32_t bit = 1u << slot % 32;
  uint32_t *word = &walk->visited[slot / 32];
  const uint32_t is_new = (*word & bit) == 0;
  *word |= bit;
  return is_new;
}

/* 0 where memory is short; so are the other allocations here. */
int mn_walk_allocate(const mn_options *options, uint32_t capacity,
                     mn_walk *walk, mn_arena *scratch);

/* Fills the pool with the best that a walk of up to `most` distances finds,
 * keeping as many candidates as the pool holds, k or more; then with the twins
 * of the k best. */
void mn_graph_search(const mn_index *index, const mn_target *target, uint32_t k,
                     uint64_t most, mn_walk *walk, mn_pool *pool);

/* The same for the vectors that wait to be linked, after a walk: what that came
 * to, which in a damaged block it may, is left out. */
void mn_scan_pending(const mn_index *index, const mn_target *target,
                     const mn_filter *filter, mn_walk *walk, mn_pool *pool,
                     mn_spending *spending);

/* --- Graph, filtered ------------------------------------------------------ */

/* Scratch on top of a walk's. */
typedef struct mn_hunt {
  mn_pool queue;     /* candidates that were not walked from yet */
  uint32_t *picked;  /* of a list, the vectors that may be hits */
  uint32_t *between; /* and those that only lead on */
} mn_hunt;

/* How a walk for the matches of a filter goes. */
typedef struct mn_hunting {
  const mn_filter *filter;
  uint32_t k;       /* candidates that are wanted */
  uint32_t enough;  /* it ends when so many matches are nearer than all that is
                       left to walk from, */
  uint32_t hops;    /* and it has made so many hops, or the pool is full of
                       nearer ones */
  uint64_t useful;  /* and gives up after so many distances */
  uint64_t most;    /* which it may not compute at all: it is cut */
  uint32_t two_hop; /* 1: what does not match is not compared, but leads on */
} mn_hunting;

/* All but the queue. */
int mn_hunt_allocate(const mn_options *options, mn_hunt *hunt,
                     mn_arena *scratch);

/* Fills the pool with the best matches that a walk finds, and with the twins of
 * the k best. 0 where it gave up. */
int mn_graph_hunt(const mn_index *index, const mn_target *target,
                  const mn_hunting *how, mn_walk *walk, mn_hunt *hunt,
                  mn_pool *matches);

/* A walk without filter; then the pool keeps what matches, and gets the twins
 * of the k best. */
void mn_graph_post_filter(const mn_index *index, const mn_target *target,
                          const mn_filter *filter, uint32_t k, uint64_t most,
                          mn_walk *walk, mn_pool *pool);

/* --- Linking -------------------------------------------------------------- */

/* Scratch of choosing links. */
typedef struct mn_chooser {
  float *vector;    /* while a query is prepared */
  void *scratch;    /* the codec's */
  uint32_t *chosen; /* a list's most */
  uint8_t *query;   /* the latest of them */
  uint32_t *slots;  /* of candidates: ef_construction, or a list and one */
  float *distances; /* to those */
  uint64_t distance_count;
} mn_chooser;

/* Finding a vector's links in the graph as it is. */
typedef struct mn_proposer {
  mn_walk walk;
  mn_pool found;  /* ef_construction */
  uint8_t *query; /* the vector */
} mn_proposer;

/* Writing them, and the links back. */
typedef struct mn_committer {
  mn_pool list;   /* one more than a list's most */
  uint8_t *query; /* a neighbour whose list is chosen anew */
} mn_committer;

int mn_chooser_allocate(const mn_options *options, mn_chooser *chooser,
                        mn_arena *scratch);
int mn_proposer_allocate(const mn_options *options, uint32_t capacity,
                         const uint64_t *keys, mn_proposer *proposer,
                         mn_arena *scratch);
int mn_committer_allocate(const mn_options *options, const uint64_t *keys,
                          mn_committer *committer, mn_arena *scratch);

/* Bytes of the proposals of one batch. */
size_t mn_proposals_bytes(const mn_options *options);

/* The slots of the next MN_LINK_BATCH vectors. 0 where there are not so many.
 */
int mn_graph_batch(const mn_index *index, uint32_t *batch);

/* Notes the links of vector `nth` of the batch. The index is only read. */
void mn_graph_propose(const mn_index *index, const uint32_t *batch,
                      uint32_t nth, uint32_t *proposals, mn_chooser *chooser,
                      mn_proposer *proposer);

/* Enters the batch that was proposed for. */
void mn_graph_commit(mn_index *index, const uint32_t *batch,
                     const uint32_t *proposals, mn_chooser *chooser,
                     mn_committer *committer);

/* Scratch of both, for a host that links by itself. */
typedef struct mn_linker {
  uint32_t *proposals;
  mn_chooser chooser;
  mn_proposer proposer;
  mn_committer committer;
} mn_linker;

int mn_linker_allocate(const mn_options *options, uint32_t capacity,
                       const uint64_t *keys, mn_linker *linker,
                       mn_arena *scratch);

/* Links the next batch. 0 where there is none. The block was unsealed. */
int mn_link_batch(mn_index *index, mn_linker *linker);

/* --- Leaving -------------------------------------------------------------- */

/* What a vector was. */
typedef enum mn_leaving {
  MN_WAITED,      /* for being linked */
  MN_WAS_TWIN,    /* of another; as before, nothing leads to its slot now */
  MN_PASSED_STILL /* the graph still passes through it: it is dead */
} mn_leaving;

/* Takes a vector out of the graph, or of those that wait for it. O(M). */
mn_leaving mn_graph_leave(mn_index *index, uint32_t slot);

/* --- Verify --------------------------------------------------------------- */

/* Whether lists, chains and entries are what FORMAT.md says, in a block whose
 * slots were found so. */
int mn_graph_holds(const mn_index *index);

#endif
