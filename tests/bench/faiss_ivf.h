/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faiss's inverted files (Debian's libfaiss-dev): 4 times the root of n lists,
 * as Minnow has by default, by 10 rounds of k-means over all rows. Debian's
 * BLAS is the reference one, so it is not used: distances of k-means are those
 * of faiss_avx2.cpp too, which are many times faster.
 */
#ifndef BENCH_FAISS_IVF_H
#define BENCH_FAISS_IVF_H

#include "peer_rows.h"
#include "recall.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexScalarQuantizer.h>
#include <faiss/utils/distances.h>

#include <climits>
#include <memory>
#include <omp.h>

static inline faiss::MetricType faiss_metric(const bench_set *set) {
  return set->metric == BENCH_L2 ? faiss::METRIC_L2
                                 : faiss::METRIC_INNER_PRODUCT;
}

/* Trained on the rows given, without any. `encoding` is "flat" or "sq8". */
static inline std::unique_ptr<faiss::IndexIVF>
faiss_ivf(const bench_set *set, const char *encoding, const float *rows) {
  omp_set_num_threads(1);
  faiss::distance_compute_blas_threshold = INT_MAX;
  const faiss::MetricType metric = faiss_metric(set);
  const size_t nlist = (size_t)(4 * sqrt((double)set->n)), d = set->dimensions;
  faiss::Index *quantizer = metric == faiss::METRIC_L2
                                ? (faiss::Index *)new faiss::IndexFlatL2(d)
                                : new faiss::IndexFlatIP(d);
  std::unique_ptr<faiss::IndexIVF> ivf;
  if (strcmp(encoding, "sq8") == 0)
    ivf.reset(new faiss::IndexIVFScalarQuantizer(
        quantizer, d, nlist, faiss::ScalarQuantizer::QT_8bit, metric));
  else if (strcmp(encoding, "flat") == 0)
    ivf.reset(new faiss::IndexIVFFlat(quantizer, d, nlist, metric));
  else
    bench_fail("the encoding is flat or sq8");
  ivf->own_fields = true;
  ivf->cp.niter = 10;
  ivf->cp.spherical = set->metric == BENCH_COSINE;
  ivf->train(set->n, rows);
  return ivf;
}

/* Lets through the rows of a filter, and counts them. */
struct faiss_counted : faiss::IDSelector {
  const uint32_t *bits; /* by row; NULL: any */
  mutable uint64_t passed;

  bool is_member(idx_t row) const override {
    bool passes = !bits || (bits[row / 32] >> row % 32 & 1);
    passed += passes;
    return passes;
  }
};

/* The rows found, and how many; `distances`, to centroids and to vectors that
 * pass the filter, is added to. */
static inline uint32_t faiss_search(const faiss::IndexIVF *ivf,
                                    const float *query, const uint32_t *bits,
                                    uint32_t rows[BENCH_K],
                                    uint64_t *distances) {
  faiss::Index::idx_t labels[BENCH_K];
  float nearest[BENCH_K];
  faiss_counted selector;
  selector.bits = bits;
  selector.passed = 0;
  faiss::SearchParametersIVF how;
  how.nprobe = ivf->nprobe;
  how.sel = &selector;
  ivf->search(1, query, BENCH_K, nearest, labels, &how);
  *distances += ivf->nlist + selector.passed;
  uint32_t found = 0;
  for (; found < BENCH_K && labels[found] >= 0; found++)
    rows[found] = (uint32_t)labels[found];
  return found;
}

/* Sets nprobe to the least with at least this recall of the set's queries. */
static inline void faiss_tune(const bench_set *set, faiss::IndexIVF *ivf,
                              const double *truth, double recall) {
  float *queries = bench_unit_rows(set, set->query, set->queries);
  size_t low = 0, high = ivf->nlist;
  while (high - low > 1) {
    ivf->nprobe = (low + high) / 2;
    uint64_t hits = 0, distances = 0;
    for (uint32_t q = 0; q < set->queries; q++) {
      uint32_t rows[BENCH_K];
      uint32_t found = faiss_search(ivf, queries + (size_t)q * set->dimensions,
                                    NULL, rows, &distances);
      hits += bench_hits(set, truth, q, rows, found);
    }
    if ((double)hits < recall * BENCH_K * set->queries)
      low = ivf->nprobe;
    else
      high = ivf->nprobe;
  }
  ivf->nprobe = high;
  free(queries);
}

#endif
