/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hnswlib on filters: see filtered.h. SPEC is M,EF_CONSTRUCTION.
 *
 * Debian's 0.6.2 has no filter functor yet. Marks of deletion, which it has,
 * act as one: what is marked is walked through and is no result. Marking is not
 * part of the time.
 */
#define _POSIX_C_SOURCE 200809L
#include "filtered.h"
#include "hnswlib_graph.h"

static std::unique_ptr<hnswlib::SpaceInterface<float>> space;
static std::unique_ptr<hnswlib_graph> graph;

static void filtered_build(const bench_set *set, const char *spec,
                           const char *file) {
  float *rows = bench_unit_rows(set, set->base, set->n);
  space = hnswlib_space(set);
  graph = hnswlib_of_all(set, space.get(), spec, rows, file);
  free(rows);
}

static void filtered_by(const bench_set *set, const bench_selections *s) {
  for (uint32_t row = 0; row < set->n; row++) {
    bool lets_through = s->bits[row / 32] >> row % 32 & 1;
    hnswlib::tableint at = graph->label_lookup_[row];
    if (graph->isMarkedDeleted(at) == lets_through) {
      if (lets_through)
        graph->unmarkDelete(row);
      else
        graph->markDelete(row);
    }
  }
}

static uint32_t filtered_search(const float *query, uint32_t rows[BENCH_K],
                                uint64_t *distances) {
  return hnswlib_search(graph.get(), query, rows, distances);
}
