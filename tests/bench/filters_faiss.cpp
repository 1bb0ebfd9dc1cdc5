/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faiss's IVFFlat on filters: see filtered.h. SPEC is a recall: nprobe is the
 * least that reaches it without a filter. (Of Debian's 1.7.3, IndexHNSW refuses
 * an IDSelector: "search params not supported for this index".)
 */
#define _POSIX_C_SOURCE 200809L
#include "filtered.h"

#include "faiss_ivf.h"

static std::unique_ptr<faiss::IndexIVF> ivf;
static const uint32_t *filter;

static void filtered_build(const bench_set *set, const char *spec,
                           const char *) {
  float *rows = bench_unit_rows(set, set->base, set->n);
  double *truth = bench_truth(set);
  ivf = faiss_ivf(set, "flat", rows);
  ivf->add(set->n, rows);
  faiss_tune(set, ivf.get(), truth, strtod(spec, NULL));
  printf("{\"nlist\":%zu,\"nprobe\":%zu}\n", ivf->nlist, ivf->nprobe);
  free(truth);
  free(rows);
}

static void filtered_by(const bench_set *, const bench_selections *s) {
  filter = s->bits;
}

static uint32_t filtered_search(const float *query, uint32_t rows[BENCH_K],
                                uint64_t *distances) {
  return faiss_search(ivf.get(), query, filter, rows, distances);
}
