/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hnswlib through deletes and replacements: see changed.h. SPEC is
 * M,EF_CONSTRUCTION. What is deleted is marked. Debian's 0.6.2 cannot yet give
 * a marked slot to another label, so a label stays with its slot and its vector
 * is updated: the same work that later versions do to replace.
 */
#define _POSIX_C_SOURCE 200809L
#include "changed.h"
#include "hnswlib_graph.h"

#include <vector>

static const bench_set *all;
static const float *vectors;
static const char *spec, *kept;
static std::unique_ptr<hnswlib::SpaceInterface<float>> space;
static std::unique_ptr<hnswlib_graph> graph;
static std::vector<uint32_t> row_of, label_of; /* by label; by row */

static void changed_prepare(const bench_set *set, const float *rows,
                            const char *name, const char *file) {
  all = set;
  vectors = rows;
  spec = name;
  kept = file;
  space = hnswlib_space(set);
  row_of.resize(set->n);
  label_of.resize(set->n);
}

static void add(uint32_t row, uint32_t label) {
  row_of[label] = row;
  label_of[row] = label;
  graph->addPoint(vectors + (size_t)row * all->dimensions, label);
}

static void changed_build(const bench_change *c) {
  graph.reset();
  if (!memchr(c->is_in, 0, all->n)) {
    graph = hnswlib_of_all(all, space.get(), spec, vectors, kept);
    for (uint32_t row = 0; row < all->n; row++)
      row_of[row] = label_of[row] = row;
    return;
  }
  graph = hnswlib_create(space.get(), spec, all->n);
  for (uint32_t row = 0, label = 0; row < all->n; row++)
    if (c->is_in[row])
      add(row, label++);
}

static void changed_delete(const bench_change *c, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    graph->markDelete(label_of[c->gone[i]]);
}

static void changed_replace(const bench_change *c, uint32_t count) {
  changed_delete(c, count);
  for (uint32_t i = 0; i < count; i++)
    add(c->come[i], label_of[c->gone[i]]);
}

static uint32_t changed_search(const float *query, uint32_t rows[BENCH_K],
                               uint64_t *distances) {
  uint32_t count = hnswlib_search(graph.get(), query, rows, distances);
  for (uint32_t i = 0; i < count; i++)
    rows[i] = row_of[rows[i]];
  return count;
}
