/* SPDX-License-Identifier: Apache-2.0 */
/* Minnow, natively: see peer.h. SPEC is as in index.h; so is what ef means. */
#define _POSIX_C_SOURCE 200809L
#include "index.h"
#include "peer.h"

static bench_index built;

static bench_built peer_build(const bench_set *set, const char *spec) {
  mn_query largest = bench_query_for(set, MN_HNSW, BENCH_EF_MAX);
  built = bench_build(set, spec, &largest);
  return (bench_built){built.index.block_bytes, built.build_scratch,
                       built.pack_cpu};
}

static uint32_t peer_search(const bench_set *set, uint32_t q, uint32_t ef,
                            uint32_t rows[BENCH_K], bench_counts *counts) {
  mn_stats stats;
  mn_hit hits[BENCH_K];
  uint32_t found;
  mn_query query = bench_query_for(set, built.index.options.structure, ef);
  query.vector = bench_query(set, q);
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
