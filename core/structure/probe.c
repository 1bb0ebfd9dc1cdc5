/* SPDX-License-Identifier: Apache-2.0 */
/* Searching an inverted file: list by list, the nearest centroid first. */
#include "../block.h"
#include "../kernels/kernels.h"
#include "ivf.h"

/* --- Which lists ---------------------------------------------------------- */

int mn_prober_allocate(const mn_options *o, mn_prober *prober,
                       mn_arena *scratch) {
  prober->lists =
      mn_arena_allocate(scratch, (size_t)o->nlist * sizeof *prober->lists);
  return prober->lists != NULL;
}

static int comes_before(mn_candidate a, mn_candidate b) {
  return a.distance < b.distance ||
         (a.distance == b.distance && a.slot < b.slot);
}

/* Lets what stands at `at` sink to its place in the heap. */
static void sink(mn_prober *prober, uint32_t at) {
  mn_candidate *lists = prober->lists;
  for (;;) {
    uint32_t first = at;
    for (uint32_t child = 2 * at + 1; child <= 2 * at + 2; child++)
      if (child < prober->left && comes_before(lists[child], lists[first]))
        first = child;
    if (first == at)
      return;
    const mn_candidate swapped = lists[at];
    lists[at] = lists[first];
    lists[first] = swapped;
    at = first;
  }
}

void mn_ivf_begin(const mn_index *index, const mn_query *query,
                  const mn_vector_room *room, mn_prober *prober) {
  const mn_centroids found = mn_ivf_centroids_of(index);
  const mn_kernels *kernels = index->codec.kernels;
  const float *vector = mn_ivf_see(index, room->mapped, room->work);
  /* An inner product with a centroid is the mean of those with its vectors. */
  const int by_product = index->options.metric == MN_IP;
  prober->left = found.count;
  if (query->budget > 0 && query->budget / 2 < found.count)
    prober->left = (uint32_t)(query->budget / 2);
  for (uint32_t k = 0; k < prober->left; k++) {
    const float distance =
        by_product ? -kernels->dot_f32(vector, mn_centroid_row(&found, k),
                                       found.dimensions)
                   : mn_centroid_distance(kernels, &found, k, vector);
    prober->lists[k] = (mn_candidate){distance, k};
  }
  for (uint32_t at = prober->left / 2; at-- > 0;)
    sink(prober, at);
}

/* The nearest list that is left, which is taken out. */
static uint32_t pop(mn_prober *prober) {
  const uint32_t list = prober->lists[0].slot;
  prober->lists[0] = prober->lists[--prober->left];
  sink(prober, 0);
  return list;
}

/* --- What is in them ------------------------------------------------------ */

typedef struct scan {
  const mn_target *target;
  const mn_filter *filter;
  mn_pool *pool;
  mn_spending *spending;
  uint64_t met; /* vectors, whether the filter lets them through or not */
  mn_batch batch;
} scan;

/* 0 where the budget ends. */
static int meet(scan *s, uint32_t slot) {
  s->met++;
  if (s->filter != NULL && !mn_lets_through(s->filter, slot))
    return 1;
  s->batch.slots[s->batch.count++] = slot;
  return s->batch.count < MN_SCAN_BATCH ||
         mn_compare(s->target, &s->batch, s->pool, s->spending);
}

static int scan_range(const mn_index *index, uint32_t list, scan *s) {
  uint32_t from, to;
  mn_ivf_range(index, list, &from, &to);
  for (; from < to; from++)
    if (!meet(s, from))
      return 0;
  return 1;
}

static int scan_chain(const mn_index *index, uint32_t list, scan *s) {
  for (uint32_t slot = mn_ivf_first(index, list); slot != MN_NO_SLOT;
       slot = mn_ivf_next(index, slot))
    if (mn_slot_is_live(index, slot) && !meet(s, slot))
      return 0;
  return 1;
}

uint32_t mn_ivf_search(const mn_index *index, const mn_query *query,
                       const mn_target *target, const mn_filter *filter,
                       mn_prober *prober, mn_pool *pool,
                       mn_spending *spending) {
  const uint32_t nprobe = mn_ivf_nprobe(query, index->options.nlist);
  const uint64_t before = spending->spent;
  uint64_t wanted = 0;
  uint32_t probed = 0;
  scan s; /* not `= {…}`: no call of memset */
  s.target = target;
  s.filter = filter;
  s.pool = pool;
  s.spending = spending;
  s.met = s.batch.count = 0;
  /* Ranges that overlap, which is damage, would give a vector twice. */
  int goes_on = !index->is_packed || mn_ivf_lists_hold(index);
  while (goes_on && prober->left > 0 &&
         (probed < nprobe || spending->spent - before < wanted ||
          pool->size < query->k)) {
    const uint32_t list = pop(prober);
    goes_on = (index->is_packed ? scan_range(index, list, &s)
                                : scan_chain(index, list, &s)) &&
              mn_compare(target, &s.batch, pool, spending);
    if (++probed == nprobe)
      wanted = s.met;
  }
  return probed;
}
