/* SPDX-License-Identifier: Apache-2.0 */
/* Codes with rests, refine codes and models: what resizing keeps of them, what
 * a refused add leaves of them, and what verifying finds in them. */
#include "fixture.h"

#include <math.h>

#define D 11u
#define N 120u

static const char *const specs[] = {
    "flat,bits4",
    "hnsw4,bits8",
    "flat,bits2,refine=bits5",
    "hnsw5,first9,sq6,refine=bits3",
    "flat,pca6,bits3,refine=f32",
    "hnsw4,hadamard,sq4,refine=f16",
    "flat,pq11x4+c,refine=sq8",
    "hnsw4,prq11x3x2,refine=bf16",
    "flat,opq,pq11x4",
    "auto,bits6,refine=sq4",
};

#define SPECS ((unsigned)(sizeof specs / sizeof *specs))

#define SECTION(name) MN_SECTION(name[0], name[1], name[2], name[3])

static uint64_t block_hash(const fixture *f) {
  return hash_of(f->index.block, f->index.block_bytes);
}

/* An index for `capacity` vectors that has learnt from N rows. */
static fixture trained(const char *spec, mn_metric metric, uint32_t capacity,
                       const float *rows) {
  fixture f = fixture_create(spec, metric, D, capacity);
  fixture_train(&f, rows, N);
  return f;
}

/* --- Resizing ------------------------------------------------------------- */

/* Whatever the way up and down, in place or elsewhere, the same bytes. */
static void test_resize(const char *spec, mn_metric metric) {
  float *rows = fixture_rows("clustered", 0, N, D);
  fixture once = trained(spec, metric, N, rows);
  CHECK_OK(fixture_add(&once, NULL, rows, N));
  const uint64_t expected = block_hash(&once);
  fixture f = trained(spec, metric, 1, rows);
  void *memory = malloc(1 << 20);
  for (uint32_t n = 0; n < N; n++) {
    if (n == f.index.capacity) {
      mn_index copy = f.index;
      mn_arena other = mn_arena_over(memory, 1 << 20);
      CHECK_OK(mn_index_resize(&copy, n + n / 3 + 1, &other));
      CHECK_OK(mn_index_resize(&f.index, n + n / 3 + 1, &f.arena));
      CHECK_EQUAL(hash_of(copy.block, copy.block_bytes), block_hash(&f));
    }
    CHECK_OK(fixture_add(&f, NULL, rows + n * D, 1));
  }
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_OK(mn_index_resize(&f.index, 4 * N + 1, &f.arena));
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_OK(mn_index_resize(&f.index, N, &f.arena));
  CHECK_EQUAL(block_hash(&f), expected);
  free(memory);
  free(rows);
  fixture_free(&f);
  fixture_free(&once);
}

/* Auto becomes a graph and back; codes, rests and refine codes stay. */
static void test_auto(void) {
  fixture f =
      fixture_filled("auto,bits4,refine=bits6", MN_COSINE, D, "clustered", N);
  float *queries = fixture_rows("clustered", N, 20, D);
  const uint64_t flat = block_hash(&f);
  uint32_t left = 1, same = 0;
  mn_hit exact[20][10], hits[10];
  uint32_t found;
  for (uint32_t q = 0; q < 20; q++)
    CHECK_OK(
        fixture_search(&f, queries + q * D, 10, 0, exact[q], &found, NULL));
  CHECK_OK(mn_index_resize(&f.index, MN_AUTO_HNSW_CAPACITY, &f.arena));
  CHECK(f.index.options.structure == MN_HNSW &&
        mn_index_info(&f.index).linked == 0);
  CHECK_OK(mn_index_verify(&f.index));
  CHECK_OK(mn_index_link(&f.index, UINT32_MAX, &left, &f.arena));
  CHECK_EQUAL(left, 0);
  CHECK_OK(mn_index_verify(&f.index));
  for (uint32_t q = 0; q < 20; q++) {
    CHECK_OK(fixture_search(&f, queries + q * D, 10, N, hits, &found, NULL));
    for (uint32_t h = 0; h < 10; h++)
      same += hits[h].key == exact[q][h].key &&
              !memcmp(&hits[h].distance, &exact[q][h].distance, 4);
  }
  CHECK_EQUAL(same, 200);
  CHECK_OK(mn_index_resize(&f.index, N, &f.arena));
  CHECK_EQUAL(block_hash(&f), flat);
  free(queries);
  fixture_free(&f);
}

/* --- Refused adds --------------------------------------------------------- */

/* The last row of a batch is refused: of those before it nothing is left, in
 * any section. */
static void test_take_back(const char *spec, mn_metric metric) {
  float *rows = fixture_rows("uniform", 0, N, D);
  fixture f = trained(spec, metric, N, rows);
  CHECK_OK(fixture_add(&f, NULL, rows, 30));
  const mn_vectors more = {rows + 30 * D, 20, D};
  uint64_t keys[20];
  uint32_t bad = 77;
  for (uint32_t i = 0; i < 20; i++)
    keys[i] = 1000 + i;
  keys[19] = 1000;
  CHECK_REFUSED(&f, mn_index_add(&f.index, keys, &more, &bad, &f.arena),
                MN_ERROR_DUPLICATE_KEY);
  CHECK_EQUAL(bad, 19);
  rows[49 * D + 2] = NAN;
  CHECK_REFUSED(&f, mn_index_append(&f.index, NULL, &more, &bad, &f.arena),
                MN_ERROR_NOT_FINITE);
  /* The encoding takes it, refine does not. */
  rows[49 * D + 2] = 70000;
  if (f.options.refine == MN_F16 && metric != MN_COSINE)
    CHECK_REFUSED(&f, mn_index_append(&f.index, NULL, &more, &bad, &f.arena),
                  MN_ERROR_RANGE);
  CHECK_OK(mn_index_verify(&f.index));
  free(rows);
  fixture_free(&f);
}

/* --- Verifying ------------------------------------------------------------ */

/* Bytes that must be 0: room for vectors to come, and filling. */
static void test_room(const char *spec, mn_metric metric) {
  static const char *const arrays[] = {"CODE", "REST", "FINE", "FRST"};
  fixture f = fixture_filled(spec, metric, D, "uniform", N);
  CHECK_OK(mn_index_resize(&f.index, N + 30, &f.arena));
  uint32_t seen = 0;
  for (unsigned a = 0; a < 4; a++) {
    const void *data;
    size_t bytes;
    if (mn_index_section(&f.index, SECTION(arrays[a]), &data, &bytes) != MN_OK)
      continue;
    uint8_t *at = fixture_section(&f, SECTION(arrays[a]), &bytes);
    const size_t each = bytes / (N + 30), padded = (bytes + 63) / 64 * 64;
    CHECK_EQUAL(each * (N + 30), bytes);
    for (size_t i = each * N; i < padded; i += i < each * (N + 2) ? 1 : 13) {
      at[i] ^= 0x40;
      CHECK_STATUS(mn_index_verify(&f.index), MN_ERROR_CORRUPT);
      at[i] ^= 0x40;
    }
    seen++;
  }
  CHECK(seen >= 1);
  CHECK_OK(mn_index_verify(&f.index));
  fixture_free(&f);
}

/* A stored number that makes sums overflow, without a checksum to tell. */
static void check_number(const char *spec, mn_metric metric, const char *name,
                         uint32_t at, float value) {
  fixture f = fixture_filled(spec, metric, D, "uniform", N);
  float *rows = fixture_rows("uniform", 0, 1, D);
  size_t bytes;
  uint8_t *section = fixture_section(&f, SECTION(name), &bytes), kept[4];
  const size_t each = bytes / N, place = each * 77 + at;
  CHECK_OK(mn_index_verify(&f.index));
  memcpy(kept, section + place, 4);
  memcpy(section + place, &value, 4);
  const mn_status status = mn_index_verify(&f.index);
  CHECK_STATUS(status, MN_ERROR_CORRUPT);
  if (status != MN_ERROR_CORRUPT)
    printf("%s, metric %d: %g in %s\n", spec, metric, (double)value, name);
  /* A search goes on, to some answer. */
  mn_hit hits[10];
  uint32_t found = 0;
  CHECK_OK(fixture_search(&f, rows, 10, 0, hits, &found, NULL));
  CHECK_EQUAL(found, 10);
  memcpy(section + place, kept, 4);
  CHECK_OK(mn_index_verify(&f.index));
  free(rows);
  fixture_free(&f);
}

static void test_numbers(void) {
  static const float bad[] = {NAN, INFINITY, -INFINITY, 0x1p127f};
  for (unsigned b = 0; b < 4; b++) {
    check_number("flat,f32", MN_IP, "CODE", 12, bad[b]);
    check_number("hnsw4,bits1,refine=f32", MN_COSINE, "FINE", 40, bad[b]);
    check_number("flat,sq6", MN_L2, "CODE", 6 + 3, bad[b]);
    check_number("flat,bits3,refine=sq4", MN_L2, "FINE", 6, bad[b]);
    check_number("flat,bits1", MN_IP, "CODE", 4, bad[b]);
    check_number("hnsw4,bits4", MN_IP, "CODE", 4, bad[b]);
    check_number("flat,pq11x4+c", MN_L2, "CODE", 6, bad[b]);
    check_number("hnsw4,prq11x3x2+c", MN_IP, "CODE", 9, bad[b]);
    check_number("flat,prq11x3x2", MN_L2, "CODE", 9, bad[b]);
    check_number("flat,prq11x3x2", MN_COSINE, "CODE", 9, bad[b]);
  }
  /* |r| of bits, as 8 bits of exponent and 12 of fraction: the largest. */
  const uint32_t head = 0xfffff800;
  float norm;
  memcpy(&norm, &head, 4);
  check_number("flat,bits1", MN_L2, "CODE", 0, norm);
  check_number("hnsw4,bits8", MN_COSINE, "CODE", 0, norm);
  check_number("flat,f16,refine=bits2", MN_IP, "FINE", 0, norm);
}

/* Sealed, every bit of a section counts. */
static void test_sealed(const char *spec, mn_metric metric) {
  static const char *const sections[] = {"STAT", "CODE", "REST",
                                         "FINE", "FRST", "MODL"};
  fixture f = fixture_filled(spec, metric, D, "uniform", N);
  CHECK_OK(mn_index_seal(&f.index));
  for (unsigned s = 0; s < 6; s++) {
    const void *data;
    size_t bytes;
    if (mn_index_section(&f.index, SECTION(sections[s]), &data, &bytes) !=
        MN_OK)
      continue;
    uint8_t *at = fixture_section(&f, SECTION(sections[s]), &bytes);
    for (size_t i = 0; i < bytes; i += bytes / 60 + 1) {
      at[i] ^= (uint8_t)(1u << i % 8);
      CHECK_STATUS(mn_index_verify(&f.index), MN_ERROR_CORRUPT);
      at[i] ^= (uint8_t)(1u << i % 8);
    }
  }
  CHECK_OK(mn_index_verify(&f.index));
  fixture_free(&f);
}

int main(void) {
  for (unsigned s = 0; s < SPECS; s++)
    for (mn_metric metric = MN_L2; metric <= MN_COSINE; metric++) {
      test_resize(specs[s], metric);
      test_take_back(specs[s], metric);
      test_room(specs[s], metric);
      test_sealed(specs[s], metric);
    }
  for (mn_metric metric = MN_HAMMING; metric <= MN_JACCARD; metric++) {
    test_resize("hnsw4,sign", metric);
    test_take_back("flat,first9,sign", metric);
    test_room("flat,sign", metric);
  }
  test_auto();
  test_numbers();
  return test_report();
}
