/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faiss (Debian's libfaiss-dev), HNSW over flat float32: see peer.h. SPEC is
 * "M,EF", M links and ef_construction. native.mjs links it as Debian compiles
 * it and, with faiss_avx2.cpp, as fast as it can be. Bytes are what the heap
 * grew by. Each search clears a byte per vector to remember what it saw, since
 * queries are asked one by one.
 */
#include "heap.h"
#include "peer.h"

#include <faiss/IndexHNSW.h>

#include <memory>
#include <omp.h>

namespace {
std::unique_ptr<faiss::IndexHNSWFlat> graph;
const float *queries;
} // namespace

static bench_built peer_build(const bench_set *set, const char *spec) {
  int m = 0, ef_construction = 0;
  if (sscanf(spec, "%d,%d", &m, &ef_construction) != 2)
    bench_fail("SPEC is M,EF");
  omp_set_num_threads(1);
  float *rows = bench_unit_rows(set, set->base, set->n);
  queries = bench_unit_rows(set, set->query, set->queries);
  size_t before = bench_heap_bytes();
  faiss::MetricType metric =
      set->metric == BENCH_L2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT;
  graph.reset(new faiss::IndexHNSWFlat((int)set->dimensions, m, metric));
  graph->hnsw.efConstruction = ef_construction;
  graph->add(set->n, rows);
  bench_built built = {bench_heap_bytes() - before, 0, 0};
  free(rows);
  return built;
}

static uint32_t peer_search(const bench_set *, uint32_t q, uint32_t ef,
                            uint32_t rows[BENCH_K], bench_counts *counts) {
  faiss::Index::idx_t labels[BENCH_K];
  float distances[BENCH_K];
  graph->hnsw.efSearch = (int)ef;
  faiss::hnsw_stats.reset();
  graph->search(1, queries + (size_t)q * graph->d, BENCH_K, distances, labels);
  if (counts)
    counts->distances += faiss::hnsw_stats.n3;
  uint32_t found = 0;
  for (; found < BENCH_K && labels[found] >= 0; found++)
    rows[found] = (uint32_t)labels[found];
  return found;
}
