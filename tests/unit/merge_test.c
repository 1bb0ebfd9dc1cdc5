/* SPDX-License-Identifier: Apache-2.0 */
/* Merging: the same block as adding would give where codes are copied, the
 * right vector for each key, and nothing changed where it is refused. */
#include "fixture.h"

#include <math.h>

#define D 24u
#define N 500u /* of each index */

/* Rows `first` on of one kind, under keys `first_key` on. */
static fixture filled(const char *spec, uint32_t capacity, uint32_t first,
                      uint32_t count, uint64_t first_key) {
  fixture f = fixture_create(spec, MN_L2, D, capacity);
  float *sample = fixture_rows("uniform", 0, N, D);
  float *rows = fixture_rows("uniform", first, count, D);
  uint64_t *keys = malloc((size_t)count * sizeof *keys);
  for (uint32_t i = 0; i < count; i++)
    keys[i] = first_key + i;
  fixture_train(&f, sample, N);
  CHECK_OK(fixture_add(&f, keys, rows, count));
  free(keys);
  free(rows);
  free(sample);
  return f;
}

static uint64_t block_hash(const fixture *f) {
  return hash_of(f->index.block, f->index.block_bytes);
}

static uint64_t section_hash(const fixture *f, uint32_t name) {
  size_t bytes;
  const uint8_t *at = fixture_section(f, name, &bytes);
  return hash_of(at, bytes);
}

/* In just the scratch that is planned, and in no less. */
static mn_merging merged(fixture *into, const mn_index *from,
                         mn_merge_policy policy) {
  mn_merging plan, done;
  memset(&done, 0xff, sizeof done);
  CHECK_OK(mn_plan_merge(&into->index, from, policy, &plan));
  const size_t bytes = plan.scratch_bytes;
  void *memory = aligned_alloc(MN_ALIGNMENT, bytes + MN_ALIGNMENT);
  mn_arena scratch = mn_arena_over(memory, bytes);
  if (bytes > 0) {
    scratch.capacity -= MN_ALIGNMENT;
    CHECK_REFUSED(into,
                  mn_index_merge(&into->index, from, policy, &done, &scratch),
                  MN_ERROR_ARENA);
    scratch = mn_arena_over(memory, bytes);
  }
  CHECK_OK(mn_index_merge(&into->index, from, policy, &done, &scratch));
  CHECK_EQUAL(scratch.peak, bytes);
  CHECK_EQUAL(scratch.used, 0);
  CHECK(done.added == plan.added && done.conflicts == plan.conflicts &&
        done.replaced == plan.replaced && done.recoded == plan.recoded &&
        done.left == 0);
  CHECK_OK(mn_index_verify(&into->index));
  free(memory);
  return done;
}

/* How far what is stored under a key is from a row, relative and squared. */
static double error_of(fixture *f, uint64_t key, uint32_t row) {
  float stored[D], *expected = fixture_rows("uniform", row, 1, D);
  double sum = 0, norm2 = 0;
  CHECK_OK(fixture_reconstruct(f, key, stored));
  for (uint32_t i = 0; i < D; i++) {
    const double x = (double)expected[i], off = x - (double)stored[i];
    sum += off * off;
    norm2 += x * x;
  }
  free(expected);
  return sum / norm2;
}

/* --- Copied --------------------------------------------------------------- */

/* Where errors are 0 there is no difference to adding at all. */
static void test_same_as_adding(const char *spec) {
  fixture whole = filled(spec, 2 * N, 0, 2 * N, 0);
  fixture into = filled(spec, 2 * N, 0, N, 0);
  fixture from = filled(spec, N, N, N, N);
  const mn_merging m = merged(&into, &from.index, MN_MERGE_REFUSE);
  CHECK(m.added == N && m.conflicts == 0 && m.replaced == 0 && m.recoded == 0);
  CHECK_EQUAL(m.capacity, 2 * N);
  CHECK_EQUAL(mn_index_info(&into.index).count, 2 * N);
  CHECK_EQUAL(mn_index_info(&into.index).linked,
              mn_index_info(&whole.index).linked);
  const mn_info a = mn_index_info(&into.index), b = mn_index_info(&whole.index);
  CHECK(fabsf(a.error - b.error) <= 1e-6f * b.error && a.clipped == b.clipped);
  if (b.error == 0)
    CHECK_EQUAL(block_hash(&into), block_hash(&whole));
  CHECK_EQUAL(section_hash(&into, MN_SECTION('C', 'O', 'D', 'E')),
              section_hash(&whole, MN_SECTION('C', 'O', 'D', 'E')));
  CHECK_EQUAL(section_hash(&into, MN_SECTION('K', 'M', 'A', 'P')),
              section_hash(&whole, MN_SECTION('K', 'M', 'A', 'P')));
  if (a.options.structure == MN_HNSW)
    CHECK_EQUAL(section_hash(&into, MN_SECTION('L', 'I', 'N', 'K')),
                section_hash(&whole, MN_SECTION('L', 'I', 'N', 'K')));
  fixture_free(&from);
  fixture_free(&into);
  fixture_free(&whole);
}

/* Of all vectors, how many find themselves in the one nearest list. */
static uint32_t find_themselves(fixture *f) {
  float *rows = fixture_rows("uniform", 0, 2 * N, D);
  uint32_t same = 0;
  for (uint32_t i = 0; i < 2 * N; i++) {
    mn_hit hit;
    uint32_t found;
    const mn_query query = {
        .vector = rows + i * D, .dimensions = D, .k = 1, .nprobe = 1};
    CHECK_OK(mn_index_search(&f->index, &query, &hit, &found, &f->arena));
    same += found == 1 && hit.key == i;
  }
  free(rows);
  return same;
}

/* Vectors go to the lists where adding them would have put them. */
static void test_lists(const char *to, const char *of, uint32_t recoded) {
  fixture whole = filled(to, 2 * N, 0, 2 * N, 0);
  fixture into = filled(to, 2 * N, 0, N, 0);
  fixture from = filled(of, N, N, N, N);
  const mn_merging m = merged(&into, &from.index, MN_MERGE_REFUSE);
  CHECK(m.added == N && m.recoded == recoded);
  const uint32_t expected = find_themselves(&whole);
  const uint32_t same = find_themselves(&into);
  CHECK(same > N + N / 2 && same + 10 >= expected && same <= expected + 10);
  if (recoded == 0)
    CHECK_EQUAL(block_hash(&into), block_hash(&whole));
  fixture_free(&from);
  fixture_free(&into);
  fixture_free(&whole);
}

/* From a packed index, from one with holes, and into one with holes, whose
 * slots are used again. */
static void test_packed_and_holes(void) {
  fixture into = filled("hnsw8,bits8", N + 50, 0, N, 0);
  fixture from = filled("flat,bits8", 100, N, 100, N);
  mn_index packed;
  for (uint64_t key = N; key < N + 100; key += 4)
    CHECK_OK(mn_index_delete(&from.index, &key, 1, NULL));
  CHECK_OK(mn_index_pack(&from.index, &packed, &from.arena));
  for (uint64_t key = N - 30; key < N; key++) /* these wait: no tombstones */
    CHECK_OK(mn_index_delete(&into.index, &key, 1, NULL));
  const mn_merging m = merged(&into, &packed, MN_MERGE_REFUSE);
  CHECK(m.added == 75 && m.recoded == 0);
  CHECK_EQUAL(m.capacity, N - 30 + 75);
  CHECK_EQUAL(mn_index_info(&into.index).count, N - 30 + 75);
  for (uint64_t key = 0; key < N + 100; key++) {
    const int is_there = key < N - 30 || (key >= N && (key - N) % 4 != 0);
    uint32_t slot;
    CHECK_STATUS(mn_index_find(&into.index, key, &slot),
                 is_there ? MN_OK : MN_ERROR_UNKNOWN_KEY);
    if (is_there)
      CHECK(error_of(&into, key, (uint32_t)key) < 1e-3);
  }
  /* Straight from the live one with its holes there is nothing left to do. */
  const mn_merging again = merged(&into, &from.index, MN_MERGE_KEEP);
  CHECK(again.added == 0 && again.conflicts == 75 && again.replaced == 0);
  fixture_free(&from);
  fixture_free(&into);
}

/* --- Conflicts ------------------------------------------------------------ */

static void test_conflicts(const char *spec) {
  fixture into = filled(spec, 2 * N, 0, N, 0);
  fixture from = filled(spec, N, N, N, N - 20); /* 20 keys in both */
  mn_merging m;
  memset(&m, 0xff, sizeof m);
  CHECK_REFUSED(&into,
                mn_index_merge(&into.index, &from.index, MN_MERGE_REFUSE, &m,
                               &into.arena),
                MN_ERROR_DUPLICATE_KEY);
  CHECK(m.conflicts == 20 && m.first_conflict == N - 20 && m.merged == 0);
  m = merged(&into, &from.index, MN_MERGE_KEEP);
  CHECK(m.added == N - 20 && m.conflicts == 20 && m.replaced == 0);
  CHECK_EQUAL(mn_index_info(&into.index).count, 2 * N - 20);
  for (uint64_t key = 0; key < 2 * N - 20; key++)
    CHECK(error_of(&into, key, (uint32_t)key + (key < N ? 0 : 20)) < 1e-3);
  fixture_free(&into);

  into = filled(spec, 2 * N + 20, 0, N, 0);
  m = merged(&into, &from.index, MN_MERGE_TAKE);
  CHECK(m.added == N - 20 && m.conflicts == 20 && m.replaced == 20);
  CHECK_EQUAL(mn_index_info(&into.index).count, 2 * N - 20);
  for (uint64_t key = 0; key < 2 * N - 20; key++)
    CHECK(error_of(&into, key, (uint32_t)key + (key < N - 20 ? 0 : 20)) < 1e-3);
  fixture_free(&from);
  fixture_free(&into);
}

static void test_room(void) {
  fixture into = filled("hnsw8,f32", 2 * N - 1, 0, N, 0);
  fixture from = filled("flat,f32", N, N, N, N);
  mn_merging m;
  CHECK_REFUSED(&into,
                mn_index_merge(&into.index, &from.index, MN_MERGE_REFUSE, &m,
                               &into.arena),
                MN_ERROR_CAPACITY);
  CHECK_EQUAL(m.capacity, 2 * N);
  CHECK_OK(mn_index_resize(&into.index, m.capacity, &into.arena));
  m = merged(&into, &from.index, MN_MERGE_REFUSE);
  CHECK_EQUAL(mn_index_info(&into.index).count, 2 * N);
  /* A linked vector that is replaced is passed through until a repair, and so
   * takes another slot; where there are none of these, none is wanted. */
  CHECK_REFUSED(
      &into,
      mn_index_merge(&into.index, &from.index, MN_MERGE_TAKE, &m, &into.arena),
      MN_ERROR_CAPACITY);
  CHECK(m.capacity > 2 * N && m.replaced == N);
  CHECK_OK(mn_index_resize(&into.index, m.capacity, &into.arena));
  m = merged(&into, &from.index, MN_MERGE_TAKE);
  CHECK_EQUAL(mn_index_info(&into.index).count, 2 * N);
  fixture_free(&from);
  fixture_free(&into);
}

/* --- Recoded -------------------------------------------------------------- */

static void test_recoded(const char *to, const char *of, double most) {
  fixture into = filled(to, 2 * N, 0, N, 0);
  fixture from = filled(of, N, N, N, N);
  const float was = mn_index_info(&into.index).error;
  const float adds = mn_index_info(&from.index).error;
  const mn_merging m = merged(&into, &from.index, MN_MERGE_REFUSE);
  CHECK(m.added == N && m.recoded == N);
  double mean = 0, worst = 0;
  for (uint64_t key = 0; key < 2 * N; key++) {
    const double error = error_of(&into, key, (uint32_t)key);
    mean += error / (2 * N);
    worst = error > worst ? error : worst;
  }
  CHECK(worst < most);
  /* What is said of it is about what is so. */
  const mn_info info = mn_index_info(&into.index);
  CHECK(info.error >= was / 2 && info.error <= 1.1f * was + adds + 1e-9f);
  if (info.refine_bytes == 0)
    CHECK(fabs((double)info.error - mean) < 0.5 * mean + 1e-9);
  fixture_free(&from);
  fixture_free(&into);
}

/* Of the same kind, but with another model or seed. */
static void test_other_model(const char *spec, uint64_t seed, float factor,
                             uint32_t recoded) {
  fixture into = filled(spec, 2 * N, 0, N, 0);
  fixture from = {.memory = malloc(FIXTURE_BYTES)};
  from.arena = mn_arena_over(from.memory, FIXTURE_BYTES);
  from.options = fixture_options(spec, MN_L2, D);
  from.options.seed = seed;
  CHECK_OK(mn_index_create(&from.index, &from.options, N, &from.arena));
  float *sample = fixture_rows("uniform", 0, N, D);
  float *rows = fixture_rows("uniform", N, 100, D);
  for (uint32_t i = 0; i < N * D; i++)
    sample[i] *= factor;
  fixture_train(&from, sample, N);
  uint64_t keys[100];
  for (uint32_t i = 0; i < 100; i++)
    keys[i] = N + i;
  CHECK_OK(fixture_add(&from, keys, rows, 100));
  const mn_merging m = merged(&into, &from.index, MN_MERGE_REFUSE);
  CHECK_EQUAL(m.recoded, recoded);
  for (uint32_t i = 0; i < 100; i++)
    CHECK(error_of(&into, keys[i], N + i) < 0.01);
  free(rows);
  free(sample);
  fixture_free(&from);
  fixture_free(&into);
}

/* f16 cannot hold what f32 can: found before the first vector goes in. */
static void test_refused_vector(void) {
  fixture into = filled("hnsw8,f16", 2 * N + 1, 0, N, 0);
  fixture from = filled("flat,f32", N + 1, N, N, N);
  float *row = fixture_rows("uniform", 2 * N, 1, D);
  const uint64_t key = 9999;
  row[3] = 1e6f;
  CHECK_OK(fixture_add(&from, &key, row, 1));
  CHECK_OK(mn_index_seal(&into.index));
  CHECK_REFUSED(&into,
                mn_index_merge(&into.index, &from.index, MN_MERGE_REFUSE, NULL,
                               &into.arena),
                MN_ERROR_RANGE);
  CHECK(mn_index_info(&into.index).sealed);
  mn_merging m;
  mn_status status = MN_OK;
  CHECK_OK(mn_plan_merge(&into.index, &from.index, MN_MERGE_REFUSE, &m));
  while (m.left > 0 && status == MN_OK)
    status = mn_index_merge_step(&into.index, &from.index, &m, 7, &into.arena);
  CHECK(status == MN_ERROR_RANGE && m.merged == 0 && m.checked == N);
  CHECK(mn_index_info(&into.index).sealed);
  free(row);
  fixture_free(&from);
  fixture_free(&into);
}

/* --- Steps ---------------------------------------------------------------- */

static void test_steps(const char *to, const char *of) {
  fixture once = filled(to, 2 * N, 0, N, 0);
  fixture steps = filled(to, 2 * N, 0, N, 0);
  fixture from = filled(of, N, N, N, N);
  const mn_merging all = merged(&once, &from.index, MN_MERGE_REFUSE);
  mn_merging m;
  CHECK_OK(mn_plan_merge(&steps.index, &from.index, MN_MERGE_REFUSE, &m));
  const uint32_t whole = m.left;
  CHECK_EQUAL(whole, all.recoded > 0 ? 2 * N : N);
  uint32_t calls = 0, left = 0;
  for (; m.left > 0; calls++) {
    CHECK_OK(
        mn_index_merge_step(&steps.index, &from.index, &m, 33, &steps.arena));
    CHECK_EQUAL(m.left,
                whole > 33 * (calls + 1) ? whole - 33 * (calls + 1) : 0);
    CHECK_EQUAL(mn_index_info(&steps.index).count, N + m.merged);
  }
  CHECK_EQUAL(calls, (whole + 32) / 33);
  CHECK_OK(mn_index_link(&steps.index, UINT32_MAX, &left, &steps.arena));
  CHECK_EQUAL(block_hash(&steps), block_hash(&once));
  fixture_free(&from);
  fixture_free(&steps);
  fixture_free(&once);
}

/* Filled up by others after the plan: what finds no room is refused before its
 * old vector goes. */
static void test_filled_meanwhile(const char *to, const char *of) {
  fixture into = filled(to, N + 20, 0, N, 0);
  fixture from = filled(of, N, N, 20, 0); /* keys that are linked */
  mn_merging m;
  float *rows = fixture_rows("uniform", 2 * N, 15, D);
  CHECK_OK(mn_plan_merge(&into.index, &from.index, MN_MERGE_TAKE, &m));
  while (m.left > 0 && m.merged < 5)
    CHECK_OK(mn_index_merge_step(&into.index, &from.index, &m, 1, &into.arena));
  CHECK_OK(fixture_add(&into, NULL, rows, 15));
  CHECK_REFUSED(
      &into, mn_index_merge_step(&into.index, &from.index, &m, 1, &into.arena),
      MN_ERROR_CAPACITY);
  for (uint64_t key = 0; key < 20; key++)
    CHECK(error_of(&into, key, (uint32_t)key + (key < 5 ? N : 0)) < 1e-3);
  free(rows);
  fixture_free(&from);
  fixture_free(&into);
}

static void test_refusals(void) {
  fixture into = filled("hnsw8,f32", 2 * N, 0, N, 0);
  fixture from = filled("flat,f32", N, N, N, N);
  fixture other = fixture_filled("flat,f32", MN_IP, D, "uniform", 10);
  fixture wide = fixture_filled("flat,f32", MN_L2, D + 1, "uniform", 10);
  fixture raw = fixture_create("flat,sq8", MN_L2, D, N);
  mn_merging m;
#define REFUSED(to, of, policy, expected)                                      \
  do {                                                                         \
    CHECK_STATUS(mn_plan_merge(to, of, policy, &m), expected);                 \
    CHECK_REFUSED(&into, mn_index_merge(to, of, policy, &m, &into.arena),      \
                  expected);                                                   \
  } while (0)
  REFUSED(&into.index, &into.index, MN_MERGE_KEEP, MN_ERROR_ARGUMENT);
  REFUSED(&into.index, &other.index, MN_MERGE_KEEP, MN_ERROR_ARGUMENT);
  REFUSED(&into.index, NULL, MN_MERGE_KEEP, MN_ERROR_ARGUMENT);
  REFUSED(&into.index, &from.index, (mn_merge_policy)3, MN_ERROR_ARGUMENT);
  REFUSED(&into.index, &wide.index, MN_MERGE_KEEP, MN_ERROR_DIMENSIONS);
  REFUSED(&raw.index, &from.index, MN_MERGE_KEEP, MN_ERROR_UNTRAINED);
  mn_index packed, read;
  CHECK_OK(mn_index_pack(&from.index, &packed, &from.arena));
  REFUSED(&packed, &into.index, MN_MERGE_KEEP, MN_ERROR_READ_ONLY);
  CHECK_OK(mn_index_open(&read, from.index.block, from.index.block_bytes));
  REFUSED(&read, &into.index, MN_MERGE_KEEP, MN_ERROR_READ_ONLY);
  /* Two vectors under one key: damage. */
  packed.keys[1] = packed.keys[0];
  REFUSED(&into.index, &packed, MN_MERGE_KEEP, MN_ERROR_CORRUPT);
#undef REFUSED
  /* Nothing to merge: nothing changes but the seal. */
  const uint64_t hash = block_hash(&into);
  m = merged(&into, &raw.index, MN_MERGE_REFUSE);
  CHECK(m.added == 0 && block_hash(&into) == hash);
  fixture_free(&raw);
  fixture_free(&wide);
  fixture_free(&other);
  fixture_free(&from);
  fixture_free(&into);
}

int main(void) {
  test_same_as_adding("hnsw8,f32");
  test_same_as_adding("flat,f32");
  test_same_as_adding("hnsw8,bits8");
  test_same_as_adding("hnsw8,hadamard,sq8,refine=f16");
  test_same_as_adding("flat,pq6x4+c");
  test_packed_and_holes();
  test_lists("ivf16,f32", "ivf16,f32", 0);
  test_lists("ivf16,sq8", "flat,f16", N);
  test_conflicts("hnsw8,f32");
  test_conflicts("flat,bits8");
  test_room();
  test_recoded("hnsw8,f32", "flat,f16", 1e-6);
  test_recoded("hnsw8,bits8", "hnsw6,sq8", 1e-3);
  test_recoded("flat,sq8", "hnsw6,bits2,refine=f32", 1e-3);
  test_recoded("flat,bits4,refine=f16", "flat,f32", 1e-5);
  test_other_model("flat,sq8", 7, 1.0f, 0);
  test_other_model("flat,sq8", 99, 1.0f, 0);
  test_other_model("flat,sq8", 7, 1.5f, 100);
  test_other_model("flat,bits8", 99, 1.0f, 100);
  test_other_model("flat,hadamard,f32", 99, 1.0f, 100);
  test_refused_vector();
  test_steps("hnsw8,f32", "flat,f32");
  test_steps("hnsw8,bits8", "flat,sq8");
  test_filled_meanwhile("hnsw8,f32", "flat,f32");
  test_filled_meanwhile("hnsw8,f16", "flat,f32");
  test_refusals();
  return test_report();
}
