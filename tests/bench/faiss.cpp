/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faiss (Debian's libfaiss-dev): see peer.h. SPEC is "M,EF", M links and
 * ef_construction of HNSW over flat float32; or "ivf,flat" or "ivf,sq8", an
 * inverted file (faiss_ivf.h), of which ef is nprobe. native.mjs links it as
 * Debian compiles it and, with faiss_avx2.cpp, as fast as it can be. Bytes are
 * what the heap grew by. Each search of HNSW clears a byte per vector to
 * remember what it saw, since queries are asked one by one.
 */
#include "faiss_ivf.h"
#include "heap.h"
#include "peer.h"

#include <faiss/IndexHNSW.h>

namespace {
std::unique_ptr<faiss::IndexHNSWFlat> graph; /* one of these */
std::unique_ptr<faiss::IndexIVF> lists;
const float *queries;
} // namespace

static void build_graph(const bench_set *set, const char *spec,
                        const float *rows) {
  int m = 0, ef_construction = 0;
  if (sscanf(spec, "%d,%d", &m, &ef_construction) != 2)
    bench_fail("SPEC is M,EF");
  graph.reset(
      new faiss::IndexHNSWFlat((int)set->dimensions, m, faiss_metric(set)));
  graph->hnsw.efConstruction = ef_construction;
  graph->add(set->n, rows);
}

static bench_built peer_build(const bench_set *set, const char *spec) {
  omp_set_num_threads(1);
  float *rows = bench_unit_rows(set, set->base, set->n);
  queries = bench_unit_rows(set, set->query, set->queries);
  size_t before = bench_heap_bytes();
  if (strncmp(spec, "ivf,", 4) == 0) {
    lists = faiss_ivf(set, spec + 4, rows);
    lists->add(set->n, rows);
  } else {
    build_graph(set, spec, rows);
  }
  bench_built built = {bench_heap_bytes() - before, 0, 0};
  free(rows);
  return built;
}

static uint32_t peer_search(const bench_set *set, uint32_t q, uint32_t ef,
                            uint32_t rows[BENCH_K], bench_counts *counts) {
  faiss::Index::idx_t labels[BENCH_K];
  float distances[BENCH_K];
  const float *query = queries + (size_t)q * set->dimensions;
  if (lists) {
    lists->nprobe = ef < lists->nlist ? ef : lists->nlist;
    faiss::indexIVF_stats.reset();
    lists->search(1, query, BENCH_K, distances, labels);
  } else {
    graph->hnsw.efSearch = (int)ef;
    faiss::hnsw_stats.reset();
    graph->search(1, query, BENCH_K, distances, labels);
  }
  if (counts)
    counts->distances += lists ? lists->nlist + faiss::indexIVF_stats.ndis
                               : faiss::hnsw_stats.n3;
  uint32_t found = 0;
  for (; found < BENCH_K && labels[found] >= 0; found++)
    rows[found] = (uint32_t)labels[found];
  return found;
}
