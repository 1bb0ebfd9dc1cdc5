/* SPDX-License-Identifier: Apache-2.0 */
/* hnswlib's graph of a set's rows, and a count of the distances that searches
 * of it compute. */
#ifndef BENCH_HNSWLIB_GRAPH_H
#define BENCH_HNSWLIB_GRAPH_H

#include "peer_rows.h"

#include <hnswlib/hnswlib.h>

#include <memory>
#include <string>

enum { HNSWLIB_EF = 128 }; /* what Minnow has by default */

typedef hnswlib::HierarchicalNSW<float> hnswlib_graph;

static uint64_t hnswlib_distances;
static hnswlib::DISTFUNC<float> hnswlib_distance;

static float hnswlib_counted(const void *a, const void *b, const void *d) {
  hnswlib_distances++;
  return hnswlib_distance(a, b, d);
}

static std::unique_ptr<hnswlib::SpaceInterface<float>>
hnswlib_space(const bench_set *set) {
  std::unique_ptr<hnswlib::SpaceInterface<float>> space;
  if (set->metric == BENCH_L2)
    space.reset(new hnswlib::L2Space(set->dimensions));
  else
    space.reset(new hnswlib::InnerProductSpace(set->dimensions));
  return space;
}

/* An empty one. SPEC is M,EF_CONSTRUCTION. */
static std::unique_ptr<hnswlib_graph>
hnswlib_create(hnswlib::SpaceInterface<float> *space, const char *spec,
               size_t capacity) {
  unsigned m = 0, ef_construction = 0;
  if (sscanf(spec, "%u,%u", &m, &ef_construction) != 2)
    bench_fail("SPEC is M,EF_CONSTRUCTION");
  std::unique_ptr<hnswlib_graph> graph(
      new hnswlib_graph(space, capacity, m, ef_construction));
  graph->setEf(HNSWLIB_EF);
  return graph;
}

/* One of all rows, labelled by number; from `file` if it is there, else built
 * and, unless `file` is NULL, kept in it. */
static std::unique_ptr<hnswlib_graph>
hnswlib_of_all(const bench_set *set, hnswlib::SpaceInterface<float> *space,
               const char *spec, const float *rows, const char *file) {
  FILE *kept = file ? fopen(file, "rb") : NULL;
  if (kept) {
    fclose(kept);
    std::unique_ptr<hnswlib_graph> graph(new hnswlib_graph(space, file));
    if (graph->cur_element_count != set->n)
      bench_fail("a kept graph is of other rows");
    graph->setEf(HNSWLIB_EF);
    return graph;
  }
  std::unique_ptr<hnswlib_graph> graph = hnswlib_create(space, spec, set->n);
  for (uint32_t i = 0; i < set->n; i++)
    graph->addPoint(rows + (size_t)i * set->dimensions, i);
  if (file) {
    const std::string part = std::string(file) + ".part";
    graph->saveIndex(part);
    rename(part.c_str(), file);
  }
  return graph;
}

/* The labels found, and how many; `distances` is added to. */
static uint32_t hnswlib_search(hnswlib_graph *graph, const float *query,
                               uint32_t labels[BENCH_K], uint64_t *distances) {
  hnswlib_distance = graph->fstdistfunc_;
  hnswlib_distances = 0;
  graph->fstdistfunc_ = hnswlib_counted;
  auto found = graph->searchKnn(query, BENCH_K);
  graph->fstdistfunc_ = hnswlib_distance;
  *distances += hnswlib_distances;
  uint32_t count = 0;
  for (; !found.empty(); found.pop())
    labels[count++] = (uint32_t)found.top().second;
  return count;
}

#endif
