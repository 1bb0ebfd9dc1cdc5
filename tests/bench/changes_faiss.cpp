/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faiss's IVFFlat through deletes and replacements: see changed.h. SPEC is the
 * recall of all rows that nprobe is chosen for. It is trained once, on all
 * rows. (HNSW cannot delete: "remove_ids not implemented for this type of
 * index".)
 */
#define _POSIX_C_SOURCE 200809L
#include "changed.h"
#include "faiss_ivf.h"

#include <vector>

static const bench_set *all;
static const float *vectors; /* of all rows */
static std::unique_ptr<faiss::IndexIVF> ivf;

static void add(const uint32_t *rows, uint32_t count) {
  std::vector<float> some;
  for (uint32_t i = 0; i < count; i++) {
    const float *vector = vectors + (size_t)rows[i] * all->dimensions;
    some.insert(some.end(), vector, vector + all->dimensions);
  }
  const std::vector<faiss::Index::idx_t> ids(rows, rows + count);
  ivf->add_with_ids(count, some.data(), ids.data());
}

static void changed_prepare(const bench_set *set, const float *rows,
                            const char *spec, const char *) {
  all = set;
  vectors = rows;
  double *truth = bench_truth(set);
  ivf = faiss_ivf(set, "flat", rows);
  ivf->add(set->n, rows);
  faiss_tune(set, ivf.get(), truth, strtod(spec, NULL));
  free(truth);
}

static void changed_build(const bench_change *c) {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < all->n; row++)
    if (c->is_in[row])
      rows.push_back(row);
  ivf->reset();
  add(rows.data(), (uint32_t)rows.size());
}

static void changed_delete(const bench_change *c, uint32_t count) {
  const std::vector<faiss::Index::idx_t> ids(c->gone, c->gone + count);
  ivf->remove_ids(faiss::IDSelectorBatch(count, ids.data()));
}

static void changed_replace(const bench_change *c, uint32_t count) {
  changed_delete(c, count);
  add(c->come, count);
}

static uint32_t changed_search(const float *query, uint32_t rows[BENCH_K],
                               uint64_t *distances) {
  return faiss_search(ivf.get(), query, NULL, rows, distances);
}
