/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

typedef struct spec_case {
  const char *spec;
  uint32_t structure, m, encoding;
  const char *formatted;
} spec_case;

static const spec_case good[] = {
    {"auto", MN_AUTO, 0, 0, "auto,f32"},
    {"flat", MN_FLAT, 0, 0, "flat,f32"},
    {"hnsw", MN_HNSW, 0, 0, "hnsw16,f32"},
    {"hnsw4", MN_HNSW, 4, 0, "hnsw4,f32"},
    {"hnsw64", MN_HNSW, 64, 0, "hnsw64,f32"},
    {"f32", MN_AUTO, 0, MN_F32, "auto,f32"},
    {"f16", MN_AUTO, 0, MN_F16, "auto,f16"},
    {"bf16", MN_AUTO, 0, MN_BF16, "auto,bf16"},
    {"sq8", MN_AUTO, 0, MN_SQ8, "auto,sq8"},
    {"auto,sq8", MN_AUTO, 0, MN_SQ8, "auto,sq8"},
    {"flat,bf16", MN_FLAT, 0, MN_BF16, "flat,bf16"},
    {"hnsw,f16", MN_HNSW, 0, MN_F16, "hnsw16,f16"},
    {"hnsw48,sq8", MN_HNSW, 48, MN_SQ8, "hnsw48,sq8"},
};

static const struct {
  const char *spec;
  size_t at;
} bad[] = {
    {"", 0},
    {",", 0},
    {",f32", 0},
    {"hnsw,", 5},
    {"hnsw3", 0},
    {"hnsw65", 0},
    {"hnsw-4", 0},
    {"flat16", 0},
    {"auto16", 0},
    {"HNSW", 0},
    {"hnsw16 ,f32", 0},
    {"hnsw16, f32", 7},
    {"f32,hnsw", 4},
    {"f32,f32", 4},
    {"flat,flat", 5},
    {"flat,f32,", 9},
    {"flat,f32,f16", 9},
    {"flat,f3", 5},
    {"flat,f322", 5},
    {"flatf32", 0},
    {"sq4", 0},
    {"hnsw4294967300", 0},
    {"hnsw99999999999999999999", 0},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const mn_options before = {.dimensions = 5,
                                  .metric = MN_IP,
                                  .structure = MN_FLAT,
                                  .encoding = MN_F16,
                                  .m = 9,
                                  .ef_construction = 100,
                                  .seed = 77};

static void test_parse(void) {
  for (size_t i = 0; i < COUNT(good); i++) {
    const char *spec = good[i].spec;
    mn_options o = before;
    size_t at = 99;
    CHECK_OK(mn_options_parse(&o, spec, strlen(spec), &at));
    CHECK_EQUAL(o.structure, good[i].structure);
    CHECK_EQUAL(o.m, good[i].m);
    CHECK_EQUAL(o.encoding, good[i].encoding);
    CHECK_EQUAL(at, 99);
    CHECK(o.dimensions == 5 && o.metric == MN_IP && o.ef_construction == 100 &&
          o.seed == 77);
    char text[MN_SPEC_BYTES];
    CHECK_OK(mn_options_format(&o, text));
    CHECK(!strcmp(text, good[i].formatted));
    mn_options again = o;
    CHECK_OK(mn_options_parse(&again, text, strlen(text), NULL));
    CHECK_OK(mn_options_format(&again, text));
    CHECK(!strcmp(text, good[i].formatted));
  }
}

/* `bytes` ends the spec, not a NUL; a NUL inside is an unknown word. */
static void test_length(void) {
  mn_options o = before;
  CHECK_OK(mn_options_parse(&o, "flat,f16", 4, NULL));
  CHECK_EQUAL(o.encoding, 0);
  CHECK_STATUS(mn_options_parse(&o, "flat\0f16", 8, NULL), MN_ERROR_SPEC);
  CHECK_STATUS(mn_options_parse(&o, "flat", 5, NULL), MN_ERROR_SPEC);
}

static void test_refused(void) {
  for (size_t i = 0; i < COUNT(bad); i++) {
    mn_options o = before;
    size_t at = 99;
    const char *spec = bad[i].spec;
    CHECK_STATUS(mn_options_parse(&o, spec, strlen(spec), &at), MN_ERROR_SPEC);
    CHECK_EQUAL(at, bad[i].at);
    CHECK(!memcmp(&o, &before, sizeof o));
  }
  mn_options o = before;
  char text[MN_SPEC_BYTES] = "kept";
  CHECK_STATUS(mn_options_parse(NULL, "flat", 4, NULL), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_options_parse(&o, NULL, 4, NULL), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_options_format(NULL, text), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_options_format(&o, NULL), MN_ERROR_ARGUMENT);
  o.encoding = (mn_encoding)5;
  CHECK_STATUS(mn_options_format(&o, text), MN_ERROR_ARGUMENT);
  CHECK(!strcmp(text, "kept"));
}

/* Ranges of the options, seen through mn_plan. */
static mn_status plan_of(mn_options o) {
  mn_sizes sizes;
  return mn_plan(&o, 100, 10, 0, &sizes);
}

static void test_ranges(void) {
  const mn_options valid = {.dimensions = 8, .metric = MN_L2};
  mn_options o = valid;
  CHECK_OK(plan_of(o));
#define TRY_FIELD(field, value, status)                                        \
  (o = valid, o.field = (value), CHECK_STATUS(plan_of(o), status))
  TRY_FIELD(dimensions, 0, MN_ERROR_ARGUMENT);
  TRY_FIELD(dimensions, MN_DIMENSIONS_MAX, MN_OK);
  TRY_FIELD(dimensions, MN_DIMENSIONS_MAX + 1, MN_ERROR_ARGUMENT);
  TRY_FIELD(metric, (mn_metric)0, MN_ERROR_ARGUMENT);
  TRY_FIELD(metric, MN_COSINE, MN_OK);
  TRY_FIELD(metric, (mn_metric)4, MN_ERROR_ARGUMENT);
  TRY_FIELD(structure, (mn_structure)3, MN_ERROR_ARGUMENT);
  TRY_FIELD(encoding, MN_SQ8, MN_OK);
  TRY_FIELD(encoding, (mn_encoding)5, MN_ERROR_ARGUMENT);
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

static void test_names(void) {
  static const char *const names[] = {
      "ok",          "argument",   "spec",          "dimensions",  "not-finite",
      "zero-vector", "range",      "duplicate-key", "unknown-key", "capacity",
      "arena",       "read-only",  "untrained",     "trained",     "sample",
      "alignment",   "not-minnow", "version",       "truncated",   "corrupt",
      "too-large",   "section"};
  for (size_t i = 0; i < COUNT(names); i++)
    CHECK(!strcmp(mn_status_name((mn_status) - (int)i), names[i]));
  CHECK(!strcmp(mn_status_name((mn_status)1), "unknown"));
  CHECK(!strcmp(mn_status_name((mn_status)-22), "unknown"));
}

int main(void) {
  test_parse();
  test_length();
  test_refused();
  test_ranges();
  test_names();
  return test_report();
}
