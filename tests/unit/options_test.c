/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of the options and which go together; the names of statuses. */
#include "fixture.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Seen through mn_plan, and mn_options_format and mn_index_create agree. */
static mn_status complete(mn_options o) {
  static _Alignas(64) uint8_t memory[1 << 16];
  mn_arena arena = mn_arena_over(memory, sizeof memory);
  mn_index index;
  mn_sizes sizes;
  char text[MN_SPEC_BYTES];
  const mn_query query = {.k = 1};
  const mn_status status = mn_plan(&o, 1, &query, &sizes);
  CHECK_STATUS(mn_options_format(&o, text), status);
  if (status != MN_OK || sizes.block_bytes <= sizeof memory)
    CHECK_STATUS(mn_index_create(&index, &o, 1, &arena), status);
  return status;
}

/* Which options count, of the fields that are not given: `valid`. */
#define TRY(status, ...)                                                       \
  CHECK_STATUS(complete((mn_options){.dimensions = 24, __VA_ARGS__}), status)
#define FITS(...)    TRY(MN_OK, __VA_ARGS__)
#define REFUSED(...) TRY(MN_ERROR_ARGUMENT, __VA_ARGS__)

static void test_ranges(void) {
  const mn_options valid = {.dimensions = 8, .metric = MN_L2};
  mn_options o = valid;
  CHECK_OK(complete(o));
#define TRY_FIELD(field, value, status)                                        \
  (o = valid, o.field = (value), CHECK_STATUS(complete(o), status))
  TRY_FIELD(dimensions, 0, MN_ERROR_ARGUMENT);
  TRY_FIELD(dimensions, MN_DIMENSIONS_MAX, MN_OK);
  TRY_FIELD(dimensions, MN_DIMENSIONS_MAX + 1, MN_ERROR_ARGUMENT);
  TRY_FIELD(metric, (mn_metric)0, MN_ERROR_ARGUMENT);
  TRY_FIELD(metric, MN_JACCARD, MN_OK);
  TRY_FIELD(metric, (mn_metric)6, MN_ERROR_ARGUMENT);
  TRY_FIELD(structure, MN_IVF, MN_OK);
  TRY_FIELD(structure, (mn_structure)4, MN_ERROR_ARGUMENT);
  TRY_FIELD(nlist, 1, MN_ERROR_ARGUMENT);
  TRY_FIELD(transform, (mn_transform)5, MN_ERROR_ARGUMENT);
  TRY_FIELD(encoding, MN_SQ4, MN_OK);
  TRY_FIELD(encoding, (mn_encoding)10, MN_ERROR_ARGUMENT);
  TRY_FIELD(encoding, (mn_encoding)16, MN_ERROR_ARGUMENT);
  TRY_FIELD(encoding, MN_BITS8, MN_OK);
  TRY_FIELD(encoding, (mn_encoding)25, MN_ERROR_ARGUMENT);
  TRY_FIELD(refine, (mn_encoding)10, MN_ERROR_ARGUMENT);
  TRY_FIELD(m, MN_M_MIN, MN_OK);
  TRY_FIELD(m, MN_M_MIN - 1, MN_ERROR_ARGUMENT);
  TRY_FIELD(m, MN_M_MAX, MN_OK);
  TRY_FIELD(m, MN_M_MAX + 1, MN_ERROR_ARGUMENT);
  TRY_FIELD(ef_construction, 15, MN_ERROR_ARGUMENT);
  TRY_FIELD(ef_construction, 16, MN_OK);
  TRY_FIELD(ef_construction, MN_EF_MAX, MN_OK);
  TRY_FIELD(ef_construction, MN_EF_MAX + 1, MN_ERROR_ARGUMENT);
  TRY_FIELD(seed, UINT64_MAX, MN_OK);
#undef TRY_FIELD
}

/* Binary metrics and sign belong together, and nothing better refines them. */
static void test_binary(void) {
  for (mn_metric metric = MN_HAMMING; metric <= MN_JACCARD; metric++) {
    FITS(.metric = metric);
    FITS(.metric = metric, .encoding = MN_SIGN);
    FITS(.metric = metric, .transform = MN_FIRST, .kept_dimensions = 24);
    REFUSED(.metric = metric, .encoding = MN_F32);
    REFUSED(.metric = metric, .encoding = MN_BITS1);
    REFUSED(.metric = metric, .refine = MN_F32);
    REFUSED(.metric = metric, .transform = MN_HADAMARD);
    REFUSED(.metric = metric, .transform = MN_PCA, .kept_dimensions = 8);
    REFUSED(.metric = metric, .transform = MN_OPQ);
  }
  for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++)
    REFUSED(.metric = metric, .encoding = MN_SIGN);
}

static void test_transforms(void) {
  for (mn_transform t = MN_FIRST; t <= MN_PCA; t++) {
    FITS(.metric = MN_L2, .transform = t, .kept_dimensions = 1);
    FITS(.metric = MN_L2, .transform = t, .kept_dimensions = 24);
    REFUSED(.metric = MN_L2, .transform = t, .kept_dimensions = 0);
    REFUSED(.metric = MN_L2, .transform = t, .kept_dimensions = 25);
  }
  REFUSED(.metric = MN_L2, .kept_dimensions = 24);
  FITS(.metric = MN_L2, .transform = MN_HADAMARD);
  REFUSED(.metric = MN_L2, .transform = MN_HADAMARD, .kept_dimensions = 24);
  /* opq learns for codebooks, so there must be some. */
  FITS(.metric = MN_L2, .transform = MN_OPQ, .encoding = MN_PQ, .pq_m = 4);
  FITS(.metric = MN_L2, .transform = MN_OPQ, .encoding = MN_PRQ, .pq_m = 4);
  REFUSED(.metric = MN_L2, .transform = MN_OPQ);
  REFUSED(.metric = MN_L2, .transform = MN_OPQ, .encoding = MN_BITS4);
  REFUSED(.metric = MN_L2, .transform = MN_OPQ, .encoding = MN_PQ, .pq_m = 4,
          .kept_dimensions = 24);
}

static void test_pq(void) {
  for (uint32_t m = 0; m <= 25; m++) {
    const mn_status status = m > 0 && 24 % m == 0 ? MN_OK : MN_ERROR_ARGUMENT;
    TRY(status, .metric = MN_IP, .encoding = MN_PQ, .pq_m = m);
    TRY(status, .metric = MN_IP, .encoding = MN_PRQ, .pq_m = m);
  }
  /* Subspaces are of what the transform leaves. */
  FITS(.metric = MN_IP, .transform = MN_PCA, .kept_dimensions = 10,
       .encoding = MN_PQ, .pq_m = 5);
  REFUSED(.metric = MN_IP, .transform = MN_PCA, .kept_dimensions = 10,
          .encoding = MN_PQ, .pq_m = 4);
  for (uint32_t bits = 0; bits <= 13; bits++) {
    TRY(bits == 0 || bits == 4 || bits == 8 ? MN_OK : MN_ERROR_ARGUMENT,
        .metric = MN_IP, .encoding = MN_PQ, .pq_m = 3, .pq_bits = bits);
    TRY(bits <= 12 ? MN_OK : MN_ERROR_ARGUMENT, .metric = MN_IP,
        .encoding = MN_PRQ, .pq_m = 3, .pq_bits = bits);
  }
  for (uint32_t nrq = 0; nrq <= 17; nrq++) {
    TRY(nrq <= 1 ? MN_OK : MN_ERROR_ARGUMENT, .metric = MN_L2,
        .encoding = MN_PQ, .pq_m = 3, .pq_nrq = nrq);
    TRY(nrq <= 16 ? MN_OK : MN_ERROR_ARGUMENT, .metric = MN_L2,
        .encoding = MN_PRQ, .pq_m = 3, .pq_nrq = nrq);
  }
  FITS(.metric = MN_L2, .encoding = MN_PQ, .pq_m = 3, .pq_correction = 1);
  REFUSED(.metric = MN_L2, .encoding = MN_PQ, .pq_m = 3, .pq_correction = 2);
  /* 65,535 table entries of 16 bits are what a sum holds. */
  mn_options o = {.dimensions = 65535,
                  .metric = MN_L2,
                  .encoding = MN_PRQ,
                  .pq_m = 21845,
                  .pq_nrq = 3};
  CHECK_OK(complete(o));
  o.pq_nrq = 4;
  CHECK_STATUS(complete(o), MN_ERROR_ARGUMENT);
  /* For other encodings these mean nothing, and must not be given. */
  for (unsigned e = MN_F32; e <= MN_BITS8; e++) {
    const mn_encoding encoding = (mn_encoding)e;
    if (encoding == MN_PQ || encoding == MN_PRQ)
      continue;
    REFUSED(.metric = MN_L2, .encoding = encoding, .pq_m = 4);
    REFUSED(.metric = MN_L2, .encoding = encoding, .pq_bits = 8);
    REFUSED(.metric = MN_L2, .encoding = encoding, .pq_nrq = 1);
    REFUSED(.metric = MN_L2, .encoding = encoding, .pq_correction = 1);
  }
}

static void test_refine(void) {
  for (unsigned e = MN_F32; e <= MN_BITS8; e++) {
    const mn_encoding refine = (mn_encoding)e;
    const int known = e <= MN_SQ4 || e >= MN_BITS1;
    TRY(known ? MN_OK : MN_ERROR_ARGUMENT, .metric = MN_COSINE,
        .encoding = MN_BITS1, .refine = refine);
    TRY(known ? MN_OK : MN_ERROR_ARGUMENT, .metric = MN_L2, .pq_m = 4,
        .encoding = MN_PQ, .refine = refine);
  }
}

static void test_names(void) {
  static const char *const names[] = {
      "ok",          "argument",   "spec",          "dimensions",  "not-finite",
      "zero-vector", "range",      "duplicate-key", "unknown-key", "capacity",
      "arena",       "read-only",  "untrained",     "trained",     "sample",
      "alignment",   "not-minnow", "version",       "truncated",   "corrupt",
      "too-large",   "section",    "unsupported"};
  for (size_t i = 0; i < COUNT(names); i++)
    CHECK(!strcmp(mn_status_name((mn_status) - (int)i), names[i]));
  CHECK(!strcmp(mn_status_name((mn_status)1), "unknown"));
  CHECK(!strcmp(mn_status_name((mn_status)-23), "unknown"));
}

int main(void) {
  test_ranges();
  test_binary();
  test_transforms();
  test_pq();
  test_refine();
  test_names();
  return test_report();
}
