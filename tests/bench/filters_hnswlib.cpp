/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hnswlib on the filters of selections.h:
 *
 *     filters-hnswlib PREFIX N QUERIES DIMENSIONS METRIC M,EF_CONSTRUCTION
 *
 * Debian's 0.6.2 has no filter functor yet. Marks of deletion, which it has,
 * act as one: what is marked is walked through and is no result. Marking takes
 * time that a functor would not, so only distances are counted. A line of JSON
 * for each kind of filter and share, at the ef that Minnow has by default.
 */
#define _POSIX_C_SOURCE 200809L
#include "peer_rows.h"
#include "selections.h"

#include <hnswlib/hnswlib.h>

#include <memory>

namespace {
uint64_t distances;
hnswlib::DISTFUNC<float> distance_of;

float counted(const void *a, const void *b, const void *dimensions) {
  distances++;
  return distance_of(a, b, dimensions);
}

typedef hnswlib::HierarchicalNSW<float> graph_type;

void mark(graph_type &graph, const bench_set &set, const bench_selections &s) {
  for (uint32_t row = 0; row < set.n; row++) {
    bool lets_through = s.bits[row / 32] >> row % 32 & 1;
    hnswlib::tableint at = graph.label_lookup_[row];
    if (graph.isMarkedDeleted(at) == lets_through) {
      if (lets_through)
        graph.unmarkDelete(row);
      else
        graph.markDelete(row);
    }
  }
}

void measure(graph_type &graph, const bench_set &set, bench_selections &s,
             const float *queries, bench_kind kind, double share) {
  uint64_t hits = 0, wanted = 0, short_of_k = 0;
  distances = 0;
  for (uint32_t q = 0; q < s.queries; q++) {
    bench_select(&set, &s, kind, share, q);
    mark(graph, set, s);
    graph.fstdistfunc_ = counted;
    size_t at = (size_t)(bench_asked(&set, &s, q) - set.query);
    auto found = graph.searchKnn(queries + at, BENCH_K);
    graph.fstdistfunc_ = distance_of;
    uint32_t rows[BENCH_K], count = 0;
    for (; !found.empty(); found.pop())
      rows[count++] = (uint32_t)found.top().second;
    hits += bench_selected(&set, &s, q, rows, count);
    wanted += s.wanted;
    short_of_k += count < s.wanted;
  }
  printf("{\"kind\":\"%s\",\"share\":%g,\"recall\":%.4f,\"distances\":%.1f,"
         "\"short\":%llu}\n",
         bench_kind_names[kind], share,
         wanted > 0 ? (double)hits / (double)wanted : 1.0,
         (double)distances / s.queries, (unsigned long long)short_of_k);
  fflush(stdout);
}
} // namespace

int main(int argc, char **argv) {
  bench_set set = bench_open(argc, argv);
  unsigned m = 0, ef_construction = 0;
  if (sscanf(argv[6], "%u,%u", &m, &ef_construction) != 2)
    bench_fail("expected M,EF_CONSTRUCTION");
  float *rows = bench_unit_rows(&set, set.base, set.n);
  float *queries = bench_unit_rows(&set, set.query, set.queries);
  std::unique_ptr<hnswlib::SpaceInterface<float>> space;
  if (set.metric == BENCH_L2)
    space.reset(new hnswlib::L2Space(set.dimensions));
  else
    space.reset(new hnswlib::InnerProductSpace(set.dimensions));
  graph_type graph(space.get(), set.n, m, ef_construction);
  for (uint32_t i = 0; i < set.n; i++)
    graph.addPoint(rows + (size_t)i * set.dimensions, i);
  graph.setEf(128);
  distance_of = graph.fstdistfunc_;
  bench_selections s = bench_select_from(&set);
  for (int kind = BENCH_RANDOM; kind < BENCH_KINDS; kind++)
    for (uint32_t i = 0; i < BENCH_SHARES; i++)
      measure(graph, set, s, queries, (bench_kind)kind, bench_shares[i]);
  return 0;
}
