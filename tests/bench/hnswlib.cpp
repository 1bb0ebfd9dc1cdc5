/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hnswlib (Debian's libhnswlib-dev), float32: see peer.h. SPEC is "M,EF", M
 * links and ef_construction. Its distance functions are chosen when compiling
 * (SSE, or AVX under -mavx2), so native.mjs compiles this file more than once.
 * Bytes are what the heap grew by.
 */
#include "heap.h"
#include "peer.h"

#include <hnswlib/hnswlib.h>

#include <memory>

namespace {
std::unique_ptr<hnswlib::SpaceInterface<float>> space;
std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph;
const float *queries;
hnswlib::DISTFUNC<float> distance_of;
uint64_t distances;

float counted(const void *a, const void *b, const void *dimensions) {
  distances++;
  return distance_of(a, b, dimensions);
}
} // namespace

static bench_built peer_build(const bench_set *set, const char *spec) {
  unsigned m = 0, ef_construction = 0;
  if (sscanf(spec, "%u,%u", &m, &ef_construction) != 2)
    bench_fail("SPEC is M,EF");
  float *rows = bench_unit_rows(set, set->base, set->n);
  queries = bench_unit_rows(set, set->query, set->queries);
  size_t before = bench_heap_bytes();
  if (set->metric == BENCH_L2)
    space.reset(new hnswlib::L2Space(set->dimensions));
  else
    space.reset(new hnswlib::InnerProductSpace(set->dimensions));
  graph.reset(new hnswlib::HierarchicalNSW<float>(space.get(), set->n, m,
                                                  ef_construction));
  for (uint32_t i = 0; i < set->n; i++)
    graph->addPoint(rows + (size_t)i * set->dimensions, i);
  distance_of = graph->fstdistfunc_;
  bench_built built = {bench_heap_bytes() - before, 0, 0};
  free(rows);
  return built;
}

static uint32_t peer_search(const bench_set *set, uint32_t q, uint32_t ef,
                            uint32_t rows[BENCH_K], bench_counts *counts) {
  graph->setEf(ef);
  long hops = graph->metric_hops;
  if (counts) {
    distances = 0;
    graph->fstdistfunc_ = counted;
  }
  auto hits = graph->searchKnn(queries + (size_t)q * set->dimensions, BENCH_K);
  if (counts) {
    counts->distances += distances;
    counts->hops += (uint64_t)(graph->metric_hops - hops);
    graph->fstdistfunc_ = distance_of;
  }
  uint32_t found = 0;
  for (; !hits.empty(); hits.pop())
    rows[found++] = (uint32_t)hits.top().second;
  return found;
}
