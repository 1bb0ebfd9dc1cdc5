/* SPDX-License-Identifier: Apache-2.0 */
/* Which sections a block has, where they lie and how long they are, from the
 * sizes that minnow.h states. */
#include "../../core/block.h"
#include "fixture.h"

#define CAPACITY 40u
#define D        21u /* 3 bytes to a bit plane */

static uint32_t rounded(uint32_t bits) {
  return (bits + 7) / 8;
}

/* --- Bytes of a code ------------------------------------------------------ */

/* What minnow.h says of each encoding, for D dimensions. */
static const struct {
  const char *encoding;
  uint32_t l2, ip, cosine;
} code_cases[] = {
    {"f32", 84, 84, 84},     {"f16", 42, 42, 42},
    {"bf16", 42, 42, 42},    {"sq8", 25, 21, 21},
    {"sq6", 21, 17, 17}, /* 11 + 6 */
    {"sq4", 15, 11, 11},     {"bits1", 7, 11, 7},
    {"bits2", 14, 18, 14},   {"bits3", 17, 21, 17},
    {"bits4", 19, 23, 19},   {"bits5", 22, 26, 22},
    {"bits6", 25, 29, 25},   {"bits7", 28, 32, 28},
    {"bits8", 31, 35, 31},   {"pq3x4", 2, 2, 2}, /* 12 bits */
    {"pq7x8", 7, 7, 7},      {"pq3x4+c", 6, 6, 6},
    {"pq7x8+c", 11, 11, 11}, {"prq3x5x2", 8, 4, 8},       /* 30 bits */
    {"prq3x5x2+c", 8, 8, 8}, {"prq7x11x3+c", 33, 33, 33}, /* 231 bits */
};

#define CODE_CASES ((unsigned)(sizeof code_cases / sizeof *code_cases))

static void test_code_bytes(void) {
  const mn_query query = {.k = 1};
  for (unsigned i = 0; i < CODE_CASES; i++)
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
      mn_options o = fixture_options(code_cases[i].encoding, metric, D);
      mn_sizes sizes;
      CHECK_OK(mn_plan(&o, 1, &query, &sizes));
      const uint32_t bytes = metric == MN_L2   ? code_cases[i].l2
                             : metric == MN_IP ? code_cases[i].ip
                                               : code_cases[i].cosine;
      CHECK_EQUAL(sizes.code_bytes, bytes);
      CHECK_EQUAL(sizes.refine_bytes, 0);
      /* The same as refine, of the vector before the transform. */
      if (o.encoding == MN_PQ || o.encoding == MN_PRQ)
        continue;
      o.refine = o.encoding;
      o.encoding = MN_F32;
      o.transform = MN_FIRST;
      o.kept_dimensions = 2;
      CHECK_OK(mn_plan(&o, 1, &query, &sizes));
      CHECK_EQUAL(sizes.code_bytes, 8);
      CHECK_EQUAL(sizes.refine_bytes, bytes);
    }
  for (uint32_t d = 1; d <= 17; d++) {
    mn_options o = fixture_options("sign", MN_HAMMING, d);
    mn_sizes sizes;
    CHECK_OK(mn_plan(&o, 1, &query, &sizes));
    CHECK_EQUAL(sizes.code_bytes, rounded(d));
  }
}

/* --- Sections ------------------------------------------------------------- */

/* Bytes for each vector, and of the model's three parts; 0: not there. */
typedef struct layout_case {
  const char *spec;
  mn_metric metric;
  uint32_t code, rest, fine, fine_rest;
  uint32_t parts[3];
} layout_case;

static const layout_case cases[] = {
    {"flat,f32", MN_L2, 84, 0, 0, 0, {0, 0, 0}},
    {"hnsw4,sq8", MN_L2, 25, 0, 0, 0, {0, 168, 0}},
    {"flat,bits1", MN_COSINE, 7, 0, 0, 0, {0, 84, 0}},
    {"hnsw4,bits4", MN_L2, 19, 0, 0, 0, {0, 84, 0}},
    {"flat,bits8", MN_IP, 23, 12, 0, 0, {0, 84, 0}},
    {"flat,f16,refine=f32", MN_IP, 42, 0, 84, 0, {0, 0, 0}},
    {"hnsw5,sq4,refine=bits6", MN_IP, 11, 0, 23, 6, {0, 168, 84}},
    {"flat,bits2,refine=bits3", MN_L2, 7, 7, 7, 10, {0, 84, 84}},
    {"hnsw4,first9,bits4,refine=sq6", MN_L2, 13, 0, 21, 0, {0, 36, 168}},
    {"flat,hadamard,bf16", MN_L2, 42, 0, 0, 0, {0, 0, 0}},
    {"flat,pca9,bits2,refine=sq8", MN_COSINE, 6, 6, 21, 0, {768, 36, 168}},
    {"flat,opq,pq3x4,refine=f16", MN_L2, 2, 0, 42, 0, {1792, 1344, 0}},
    {"flat,prq3x5x2+c", MN_IP, 8, 0, 0, 0, {0, 84 + 2 * 32 * 84, 0}},
};

static uint32_t padded(uint32_t bytes) {
  return (bytes + 63) / 64 * 64;
}

/* The next section of the table is this one; 0 bytes: it is left out. */
static void expect(const mn_header *header, uint32_t *at, uint64_t *offset,
                   const char *name, uint64_t bytes) {
  const mn_section_entry *entry = &header->table[*at];
  if (bytes == 0)
    return;
  CHECK(!memcmp(&entry->name, name, 4));
  CHECK_EQUAL(entry->version, 1);
  CHECK_EQUAL(entry->offset, *offset);
  CHECK_EQUAL(entry->bytes, bytes);
  *offset += (bytes + 63) / 64 * 64;
  ++*at;
}

static void test_sections(const layout_case *c) {
  fixture f = fixture_create(c->spec, c->metric, D, CAPACITY);
  const mn_header *header = (const void *)f.index.block;
  uint32_t at = 0, end = 0;
  uint64_t offset = 896;
  expect(header, &at, &offset, "STAT", 128);
  expect(header, &at, &offset, "LIVE", 8); /* 40 bits */
  expect(header, &at, &offset, "KEYS", 8 * CAPACITY);
  expect(header, &at, &offset, "KMAP", 4 * (CAPACITY + CAPACITY / 2 + 1));
  expect(header, &at, &offset, "CODE", c->code * CAPACITY);
  expect(header, &at, &offset, "REST", c->rest * CAPACITY);
  expect(header, &at, &offset, "FINE", c->fine * CAPACITY);
  expect(header, &at, &offset, "FRST", c->fine_rest * CAPACITY);
  for (unsigned i = 0; i < 3; i++)
    if (c->parts[i] > 0)
      end = padded(end) + c->parts[i];
  expect(header, &at, &offset, "MODL", end);
  if (f.index.options.structure == MN_HNSW) {
    const uint32_t m = f.index.options.m;
    expect(header, &at, &offset, "LINK", 4 * (1 + 2 * m) * CAPACITY);
    expect(header, &at, &offset, "ENTR", 256);
  }
  CHECK_EQUAL(header->section_count, at);
  CHECK_EQUAL(header->block_bytes, offset);
  CHECK_EQUAL(f.index.block_bytes, offset);

  /* The handle's pointers lead into them. */
  size_t bytes;
  const mn_index *index = &f.index;
  CHECK(index->codes == fixture_section(&f, MN_SECTION('C', 'O', 'D', 'E'), //
                                        &bytes));
  CHECK((index->rests != NULL) == (c->rest > 0));
  CHECK((index->fine_codes != NULL) == (c->fine > 0));
  CHECK((index->fine_rests != NULL) == (c->fine_rest > 0));
  uint8_t *part[3] = {index->model, index->codec.model, index->fine.model};
  end = 0;
  for (unsigned i = 0; i < 3; i++) {
    CHECK((part[i] != NULL) == (c->parts[i] > 0));
    if (part[i] == NULL)
      continue;
    const uint8_t *model =
        fixture_section(&f, MN_SECTION('M', 'O', 'D', 'L'), &bytes);
    CHECK(part[i] == model + padded(end));
    end = padded(end) + c->parts[i];
  }
  fixture_free(&f);
}

/* --- Header --------------------------------------------------------------- */

/* Options come back from a header as they went in. */
static void test_header(void) {
  static const char *const specs[] = {
      "hnsw64,first65535,prq4369x12x15+c,refine=bits8",
      "flat,pca1,bits7,refine=f16", "hnsw4,opq,pq65535x4+c",
      "flat,prq65535x1x1"};
  for (unsigned s = 0; s < sizeof specs / sizeof *specs; s++) {
    mn_options o = fixture_options(specs[s], MN_IP, 65535);
    mn_layout layout = {.end = 0};
    mn_header header;
    o.ef_construction = 65535;
    o.seed = 0x123456789abcdef0;
    o.m = o.m > 0 ? o.m : 16;
    const mn_packed_links links = {0x123456789a, 31};
    mn_header_write(&header, &o, MN_FLAG_AUTO, CAPACITY, s % 2 ? &links : NULL,
                    &layout);
    const mn_options back = mn_header_options(&header);
    CHECK(back.dimensions == o.dimensions && back.metric == o.metric &&
          back.structure == o.structure && back.transform == o.transform &&
          back.kept_dimensions == o.kept_dimensions &&
          back.encoding == o.encoding && back.pq_m == o.pq_m &&
          back.pq_bits == o.pq_bits && back.pq_nrq == o.pq_nrq &&
          back.pq_correction == o.pq_correction && back.refine == o.refine &&
          back.m == o.m && back.ef_construction == o.ef_construction &&
          back.seed == o.seed);
    CHECK_EQUAL(header.flags,
                s % 2 ? MN_FLAG_AUTO | MN_FLAG_PACKED : MN_FLAG_AUTO);
    const mn_packed_links read = mn_header_packed(&header);
    CHECK_EQUAL(read.links, s % 2 ? links.links : 0);
    CHECK_EQUAL(read.low_bits, s % 2 ? links.low_bits : 0);
    CHECK_EQUAL(header.format_major, 3);
    CHECK_EQUAL(header.format_minor, 0);
  }
}

/* A block knows whether anything but `auto` was named, resized or not; one that
 * claims it wrongly is not opened. */
static void test_unnamed(void) {
  static const struct {
    const char *spec;
    uint32_t is_auto;
  } named[] = {
      {"auto", 2},          {"auto,f32", 1},         {"flat", 0},
      {"auto,hadamard", 1}, {"auto,refine=bf16", 1}, {"auto,bits4", 1}};
  for (unsigned i = 0; i < sizeof named / sizeof *named; i++) {
    fixture f = fixture_create(named[i].spec, MN_L2, 8, 10);
    CHECK_EQUAL(mn_index_info(&f.index).is_auto, named[i].is_auto);
    CHECK_OK(mn_index_resize(&f.index, 5000, &f.arena));
    CHECK_EQUAL(mn_index_info(&f.index).is_auto, named[i].is_auto);
    mn_header *header = (mn_header *)(void *)f.index.block;
    header->flags ^= MN_FLAG_UNNAMED;
    mn_header_finish(header);
    mn_index index;
    CHECK_STATUS(mn_index_open(&index, f.index.block, f.index.block_bytes),
                 i < 2 ? MN_OK : MN_ERROR_CORRUPT);
    fixture_free(&f);
  }
}

/* A header of other options over the same bytes is no block: sections follow
 * from the options. */
static void test_options_of_others(void) {
  fixture f = fixture_create("flat,pca9,bits2,refine=sq8", MN_L2, D, CAPACITY);
  mn_header *header = (void *)f.index.block;
  mn_index index;
#define TRY_FIELD(field, value)                                                \
  do {                                                                         \
    const mn_header kept = *header;                                            \
    header->field = (value);                                                   \
    mn_header_finish(header);                                                  \
    CHECK_STATUS(mn_index_open(&index, f.index.block, f.index.block_bytes),    \
                 MN_ERROR_CORRUPT);                                            \
    memcpy(header, &kept, sizeof kept);                                        \
    CHECK_OK(mn_index_open(&index, f.index.block, f.index.block_bytes));       \
  } while (0)
  TRY_FIELD(encoding, MN_BITS3);
  TRY_FIELD(encoding, 0);
  TRY_FIELD(encoding, 200);
  TRY_FIELD(refine, 0);
  TRY_FIELD(refine, MN_SQ6);
  TRY_FIELD(refine, MN_SIGN);
  TRY_FIELD(transform, MN_NO_TRANSFORM);
  TRY_FIELD(transform, MN_FIRST);
  TRY_FIELD(transform, MN_OPQ);
  TRY_FIELD(transform, 9);
  TRY_FIELD(kept_dimensions, 0);
  TRY_FIELD(kept_dimensions, 17);
  TRY_FIELD(kept_dimensions, 22);
  TRY_FIELD(pq_m, 1);
  TRY_FIELD(pq_bits, 8);
  TRY_FIELD(pq_nrq, 1);
  TRY_FIELD(pq_nrq, 0x80);
  TRY_FIELD(metric, MN_HAMMING);
  TRY_FIELD(zero[0], 1);
  TRY_FIELD(zero[51], 1);
  TRY_FIELD(nlist, 1);
  TRY_FIELD(flags, MN_FLAG_PACKED);
  TRY_FIELD(flags, 8);
  TRY_FIELD(low_bits, 1);
  TRY_FIELD(links, 1);
  TRY_FIELD(capacity, CAPACITY + 1);
#undef TRY_FIELD
  fixture_free(&f);
}

int main(void) {
  test_code_bytes();
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
    test_sections(&cases[i]);
  test_header();
  test_unnamed();
  test_options_of_others();
  return test_report();
}
