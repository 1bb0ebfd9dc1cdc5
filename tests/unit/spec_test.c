/* SPDX-License-Identifier: Apache-2.0 */
/* Spec strings: every word, what it sets, how it is written back; and every
 * way to get one wrong, with the offset of the word. */
#include "fixture.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef struct spec_case {
  const char *spec, *formatted;
  mn_options set; /* what the spec sets; of an encoding also what it implies */
} spec_case;

static const spec_case good[] = {
    {"auto", "auto,f32", {0}},
    {"flat", "flat,f32", {.structure = MN_FLAT}},
    {"hnsw", "hnsw16,f32", {.structure = MN_HNSW}},
    {"hnsw4", "hnsw4,f32", {.structure = MN_HNSW, .m = 4}},
    {"hnsw64", "hnsw64,f32", {.structure = MN_HNSW, .m = 64}},
    {"ivf", "ivf,f32", {.structure = MN_IVF}},
    {"ivf1", "ivf1,f32", {.structure = MN_IVF, .nlist = 1}},
    {"ivf65536,sq8",
     "ivf65536,sq8",
     {.structure = MN_IVF, .nlist = 65536, .encoding = MN_SQ8}},
    {"f32", "auto,f32", {.encoding = MN_F32}},
    {"f16", "auto,f16", {.encoding = MN_F16}},
    {"bf16", "auto,bf16", {.encoding = MN_BF16}},
    {"sq8", "auto,sq8", {.encoding = MN_SQ8}},
    {"auto,sq6", "auto,sq6", {.encoding = MN_SQ6}},
    {"hnsw48,sq4",
     "hnsw48,sq4",
     {.structure = MN_HNSW, .m = 48, .encoding = MN_SQ4}},
    {"bits1", "auto,bits1", {.encoding = MN_BITS1}},
    {"bits2", "auto,bits2", {.encoding = MN_BITS2}},
    {"bits3", "auto,bits3", {.encoding = MN_BITS3}},
    {"bits4", "auto,bits4", {.encoding = MN_BITS4}},
    {"bits5", "auto,bits5", {.encoding = MN_BITS5}},
    {"bits6", "auto,bits6", {.encoding = MN_BITS6}},
    {"bits7", "auto,bits7", {.encoding = MN_BITS7}},
    {"bits8", "auto,bits8", {.encoding = MN_BITS8}},
    {"pq1x4", "auto,pq1x4", {.encoding = MN_PQ, .pq_m = 1, .pq_bits = 4}},
    {"pq12x8", "auto,pq12x8", {.encoding = MN_PQ, .pq_m = 12, .pq_bits = 8}},
    {"pq4x8+c",
     "auto,pq4x8+c",
     {.encoding = MN_PQ, .pq_m = 4, .pq_bits = 8, .pq_correction = 1}},
    {"prq6x1x1",
     "auto,prq6x1x1",
     {.encoding = MN_PRQ, .pq_m = 6, .pq_bits = 1, .pq_nrq = 1}},
    {"prq24x12x16+c",
     "auto,prq24x12x16+c",
     {.encoding = MN_PRQ,
      .pq_m = 24,
      .pq_bits = 12,
      .pq_nrq = 16,
      .pq_correction = 1}},
    {"hadamard", "auto,hadamard,f32", {.transform = MN_HADAMARD}},
    {"first1",
     "auto,first1,f32",
     {.transform = MN_FIRST, .kept_dimensions = 1}},
    {"pca24", "auto,pca24,f32", {.transform = MN_PCA, .kept_dimensions = 24}},
    {"opq,pq3x4",
     "auto,opq,pq3x4",
     {.transform = MN_OPQ, .encoding = MN_PQ, .pq_m = 3, .pq_bits = 4}},
    {"refine=f32", "auto,f32,refine=f32", {.refine = MN_F32}},
    {"refine=f16", "auto,f32,refine=f16", {.refine = MN_F16}},
    {"refine=bf16", "auto,f32,refine=bf16", {.refine = MN_BF16}},
    {"refine=sq8", "auto,f32,refine=sq8", {.refine = MN_SQ8}},
    {"refine=sq6", "auto,f32,refine=sq6", {.refine = MN_SQ6}},
    {"refine=sq4", "auto,f32,refine=sq4", {.refine = MN_SQ4}},
    {"refine=bits1", "auto,f32,refine=bits1", {.refine = MN_BITS1}},
    {"refine=bits8", "auto,f32,refine=bits8", {.refine = MN_BITS8}},
    {"flat,pca12,bits4,refine=sq6",
     "flat,pca12,bits4,refine=sq6",
     {.structure = MN_FLAT,
      .transform = MN_PCA,
      .kept_dimensions = 12,
      .encoding = MN_BITS4,
      .refine = MN_SQ6}},
    {"hnsw32,opq,prq8x8x2+c,refine=bits8",
     "hnsw32,opq,prq8x8x2+c,refine=bits8",
     {.structure = MN_HNSW,
      .m = 32,
      .transform = MN_OPQ,
      .encoding = MN_PRQ,
      .pq_m = 8,
      .pq_bits = 8,
      .pq_nrq = 2,
      .pq_correction = 1,
      .refine = MN_BITS8}},
};

static const struct {
  const char *spec;
  size_t at;
} bad[] = {
    {"", 0},
    {",", 0},
    {",f32", 0},
    {"flat,,f32", 5},
    {"f33", 0},
    {"HNSW", 0},
    {"flatf32", 0},
    {"flat,f322", 5},
    {"flat,f3", 5},
    {"flat,f32,", 9},
    /* structures */
    {"hnsw,", 5},
    {"hnsw3", 0},
    {"hnsw65", 0},
    {"hnsw04", 0},
    {"hnsw-4", 0},
    {"hnsw16x", 0},
    {"flat16", 0},
    {"auto16", 0},
    {"ivf0", 0},
    {"ivf016", 0},
    {"ivf65537", 0},
    {"ivf16x", 0},
    {"ivf,", 4},
    {"hnsw16 ,f32", 0},
    {"hnsw16, f32", 7},
    {"hnsw4294967300", 0},
    {"hnsw99999999999999999999", 0},
    /* transforms */
    {"flat,hadamard8", 5},
    {"first", 0},
    {"first0", 0},
    {"first08", 0},
    {"first65536", 0},
    {"pca", 0},
    {"pca4294967297", 0},
    {"pca8x8", 0},
    {"opq8", 0},
    /* encodings */
    {"sq5", 0},
    {"sq", 0},
    {"sign1", 0},
    {"bits", 0},
    {"bits0", 0},
    {"bits9", 0},
    {"bits01", 0},
    {"bits12", 0},
    {"flat,pq", 5},
    {"pq8", 0},
    {"pq8x", 0},
    {"pqx8", 0},
    {"pq0x8", 0},
    {"pq65536x8", 0},
    {"pq8x5", 0},
    {"pq8x12", 0},
    {"pq8x8x2", 0},
    {"pq8x8+", 0},
    {"pq8x8+d", 0},
    {"pq8x8+c+c", 0},
    {"pq8X8", 0},
    {"prq8x8", 0},
    {"prq8x8x0", 0},
    {"prq8x8x17", 0},
    {"prq8x13x2", 0},
    {"prq8x0x2", 0},
    {"prq8x8x2x2", 0},
    {"prq8x8x2+", 0},
    /* refine */
    {"refine", 0},
    {"refine=", 0},
    {"refine=f", 0},
    {"refine=sign", 0},
    {"refine=pq8x8", 0},
    {"refine=prq8x8x2", 0},
    {"refine=hadamard", 0},
    {"refine=f32x", 0},
    {"flat,sq8,refine=bits9", 9},
    /* order, and one of each kind */
    {"f32,hnsw", 4},
    {"f32,f32", 4},
    {"flat,flat", 5},
    {"flat,f32,f16", 9},
    {"f32,hadamard", 4},
    {"hadamard,pca8", 9},
    {"hadamard,hnsw", 9},
    {"refine=sq8,f32", 11},
    {"flat,refine=sq8,refine=sq8", 16},
};

static const mn_options before = {.dimensions = 24,
                                  .metric = MN_IP,
                                  .structure = MN_FLAT,
                                  .transform = MN_PCA,
                                  .kept_dimensions = 3,
                                  .encoding = MN_PRQ,
                                  .pq_m = 3,
                                  .pq_bits = 5,
                                  .pq_nrq = 7,
                                  .pq_correction = 1,
                                  .refine = MN_F16,
                                  .m = 9,
                                  .ef_construction = 100,
                                  .seed = 77};

static mn_options copy_of(const mn_options *options) {
  mn_options copy;
  memcpy(&copy, options, sizeof copy);
  return copy;
}

/* --- Reading and writing -------------------------------------------------- */

static void test_parse(void) {
  for (size_t i = 0; i < COUNT(good); i++) {
    const char *spec = good[i].spec;
    const mn_options *set = &good[i].set;
    mn_options o = copy_of(&before);
    size_t at = 99;
    CHECK_OK(mn_options_parse(&o, spec, strlen(spec), &at));
    CHECK_EQUAL(at, 99);
    CHECK_EQUAL(o.structure, set->structure);
    CHECK_EQUAL(o.m, set->m);
    CHECK_EQUAL(o.transform, set->transform);
    CHECK_EQUAL(o.kept_dimensions, set->kept_dimensions);
    CHECK_EQUAL(o.encoding, set->encoding);
    CHECK_EQUAL(o.pq_m, set->pq_m);
    CHECK_EQUAL(o.pq_bits, set->pq_bits);
    CHECK_EQUAL(o.pq_nrq, set->pq_nrq);
    CHECK_EQUAL(o.pq_correction, set->pq_correction);
    CHECK_EQUAL(o.refine, set->refine);
    CHECK(o.dimensions == 24 && o.metric == MN_IP && o.ef_construction == 100 &&
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
  mn_options o = copy_of(&before);
  CHECK_OK(mn_options_parse(&o, "flat,f16", 4, NULL));
  CHECK_EQUAL(o.encoding, 0);
  CHECK_OK(mn_options_parse(&o, "pq12x8+c", 6, NULL));
  CHECK(o.pq_m == 12 && o.pq_bits == 8 && o.pq_correction == 0);
  CHECK_STATUS(mn_options_parse(&o, "flat\0f16", 8, NULL), MN_ERROR_SPEC);
  CHECK_STATUS(mn_options_parse(&o, "flat", 5, NULL), MN_ERROR_SPEC);
}

static void test_refused(void) {
  for (size_t i = 0; i < COUNT(bad); i++) {
    mn_options o = copy_of(&before);
    size_t at = 99;
    const char *spec = bad[i].spec;
    CHECK_STATUS(mn_options_parse(&o, spec, strlen(spec), &at), MN_ERROR_SPEC);
    CHECK_EQUAL(at, bad[i].at);
    if (at != bad[i].at)
      printf("that was \"%s\"\n", spec);
    CHECK(!memcmp(&o, &before, sizeof o));
  }
  mn_options o = copy_of(&before);
  char text[MN_SPEC_BYTES] = "kept";
  CHECK_STATUS(mn_options_parse(NULL, "flat", 4, NULL), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_options_parse(&o, NULL, 4, NULL), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_options_format(NULL, text), MN_ERROR_ARGUMENT);
  CHECK_STATUS(mn_options_format(&o, NULL), MN_ERROR_ARGUMENT);
  o.encoding = (mn_encoding)10;
  CHECK_STATUS(mn_options_format(&o, text), MN_ERROR_ARGUMENT);
  CHECK(!strcmp(text, "kept"));
}

/* What a spec may leave out, where options are made by hand. */
static void test_defaults(void) {
  static const struct {
    mn_options options;
    const char *formatted;
  } cases[] = {
      {{.dimensions = 8, .metric = MN_L2}, "auto,f32"},
      {{.dimensions = 8, .metric = MN_HAMMING}, "auto,sign"},
      {{.dimensions = 8, .metric = MN_JACCARD, .structure = MN_HNSW},
       "hnsw16,sign"},
      {{.dimensions = 8, .metric = MN_IP, .encoding = MN_PQ, .pq_m = 4},
       "auto,pq4x8"},
      {{.dimensions = 8, .metric = MN_IP, .encoding = MN_PRQ, .pq_m = 8},
       "auto,prq8x8x2"},
      /* The longest there is. */
      {{.dimensions = 65535,
        .metric = MN_L2,
        .structure = MN_HNSW,
        .m = 64,
        .transform = MN_FIRST,
        .kept_dimensions = 65535,
        .encoding = MN_PRQ,
        .pq_m = 65535,
        .pq_bits = 12,
        .pq_nrq = 1,
        .pq_correction = 1,
        .refine = MN_BITS8},
       "hnsw64,first65535,prq65535x12x1+c,refine=bits8"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char text[MN_SPEC_BYTES];
    CHECK_OK(mn_options_format(&cases[i].options, text));
    CHECK(!strcmp(text, cases[i].formatted));
  }
  const mn_options sign = {.dimensions = 8, .metric = MN_HAMMING};
  mn_options o = sign;
  CHECK_OK(mn_options_parse(&o, "flat,first4,sign", 16, NULL));
  CHECK(o.encoding == MN_SIGN && o.kept_dimensions == 4);
}

int main(void) {
  test_parse();
  test_length();
  test_refused();
  test_defaults();
  return test_report();
}
