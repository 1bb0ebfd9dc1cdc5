/* SPDX-License-Identifier: Apache-2.0 */
/* Minnow, natively: see peer.h. SPEC is an index's spec string. The number that
 * peer.h calls ef is the candidates that a graph keeps, all of which are
 * refined where the index refines; without a graph, those that are refined. */
#define _POSIX_C_SOURCE 200809L
#include "index.h"
#include "peer.h"

enum { CANDIDATES_MAX = 4096 };

static bench_index built;

static mn_query query_for(uint32_t candidates) {
  return (mn_query){
      .k = BENCH_K, .ef = candidates, .refine_k = (float)candidates / BENCH_K};
}

static bench_built peer_build(const bench_set *set, const char *spec) {
  mn_query largest = query_for(CANDIDATES_MAX);
  built = bench_build(set, spec, &largest);
  return (bench_built){built.index.block_bytes, built.build_scratch};
}

static uint32_t peer_search(const bench_set *set, uint32_t q, uint32_t ef,
                            uint32_t rows[BENCH_K], bench_counts *counts) {
  mn_stats stats;
  mn_hit hits[BENCH_K];
  uint32_t found;
  mn_query query = query_for(ef);
  query.vector = bench_query(set, q);
  query.dimensions = set->dimensions;
  query.stats = &stats;
  built.scratch.peak = 0;
  bench_check(
      mn_index_search(&built.index, &query, hits, &found, &built.scratch),
      "search");
  for (uint32_t i = 0; i < found; i++)
    rows[i] = (uint32_t)hits[i].key;
  if (counts) {
    counts->distances += stats.distances;
    counts->read += stats.bytes;
    counts->hops += stats.hops;
    if (counts->scratch < built.scratch.peak)
      counts->scratch = built.scratch.peak;
  }
  return found;
}
