/* SPDX-License-Identifier: Apache-2.0 */
/* The order that packing puts vectors in: all of them, near ones near. */
#include "../../core/block.h"
#include "../../core/structure/order.h"
#include "fixture.h"

#define D 16u

/* Slots in order, of `count` vectors of an index. */
static void order(fixture *f, uint32_t count, uint32_t *slots) {
  mn_candidate *items = malloc((count + 1) * sizeof *items);
  uint8_t *memory = aligned_alloc(64, 1 << 16);
  mn_arena scratch = mn_arena_over(memory, 1 << 16);
  mn_orderer orderer;
  CHECK(mn_orderer_allocate(&f->index.options, &orderer, &scratch));
  for (uint32_t i = 0; i < count; i++)
    items[i] = (mn_candidate){0, i};
  mn_order(&f->index, items, count, &orderer);
  uint8_t *seen = calloc(count + 1, 1);
  uint32_t different = 0;
  for (uint32_t i = 0; i < count; i++) {
    slots[i] = items[i].slot;
    CHECK(slots[i] < count);
    different += slots[i] < count && seen[slots[i]]++ == 0;
  }
  CHECK_EQUAL(different, count);
  free(seen);
  free(items);
  free(memory);
}

static void test_permutation(const char *spec, mn_metric metric,
                             const char *kind) {
  static const uint32_t counts[] = {1, 2, 15, 16, 17, 31, 33, 100, 1000};
  uint32_t slots[1000];
  fixture f = fixture_filled(spec, metric, D, kind, 1000);
  for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++)
    order(&f, counts[i], slots);
  fixture_free(&f);
}

/* Eight clusters of a power of two rows each: halving keeps each together. */
static void test_clusters(const char *spec, mn_metric metric) {
  enum { CLUSTERS = 8, EACH = 64, ALL = CLUSTERS * EACH };
  float *centres = fixture_rows("uniform", 500, CLUSTERS, D);
  float *rows = fixture_rows("uniform", 0, ALL, D);
  uint32_t slots[ALL], changes = 0;
  for (uint32_t i = 0; i < ALL; i++)
    for (uint32_t j = 0; j < D; j++)
      rows[i * D + j] =
          centres[i * 37 % CLUSTERS * D + j] + 0.01f * rows[i * D + j];
  fixture f = fixture_create(spec, metric, D, ALL);
  fixture_train(&f, rows, ALL);
  CHECK_OK(fixture_add(&f, NULL, rows, ALL));
  order(&f, ALL, slots);
  for (uint32_t i = 1; i < ALL; i++)
    changes += slots[i] % CLUSTERS != slots[i - 1] % CLUSTERS;
  if (changes > 3 * CLUSTERS)
    printf("%s: %u changes of cluster\n", spec, changes);
  CHECK(changes >= CLUSTERS - 1 && changes <= 3 * CLUSTERS);
  free(centres);
  free(rows);
  fixture_free(&f);
}

/* On a line the order is that of the line, or its reverse, by leaves. */
static void test_line(void) {
  enum { ALL = 1024 };
  fixture f = fixture_create("flat,f32", MN_L2, 1, ALL);
  float rows[ALL];
  uint32_t slots[ALL];
  for (uint32_t i = 0; i < ALL; i++)
    rows[i] = (float)(i * 387 % ALL);
  CHECK_OK(fixture_add(&f, NULL, rows, ALL));
  order(&f, ALL, slots);
  for (uint32_t leaf = 0; leaf < ALL; leaf += 16) {
    float low = ALL, high = 0;
    for (uint32_t i = leaf; i < leaf + 16; i++) {
      low = rows[slots[i]] < low ? rows[slots[i]] : low;
      high = rows[slots[i]] > high ? rows[slots[i]] : high;
    }
    CHECK(high - low == 15);
  }
  fixture_free(&f);
}

/* Nothing but the vectors and their keys decides, not where they stand. */
static void test_same(void) {
  enum { ALL = 500 };
  float *rows = fixture_rows("clustered", 0, ALL, D);
  float *turned = malloc(ALL * D * sizeof *turned);
  uint64_t keys[ALL];
  uint32_t a[ALL], b[ALL];
  for (uint32_t i = 0; i < ALL; i++) {
    keys[i] = ALL - 1 - i;
    memcpy(turned + i * D, rows + (ALL - 1 - i) * D, D * sizeof *rows);
  }
  fixture f = fixture_create("flat,f32", MN_L2, D, ALL);
  fixture g = fixture_create("flat,f32", MN_L2, D, ALL);
  CHECK_OK(fixture_add(&f, NULL, rows, ALL));
  CHECK_OK(fixture_add(&g, keys, turned, ALL));
  order(&f, ALL, a);
  order(&g, ALL, b);
  uint32_t same = 0;
  for (uint32_t i = 0; i < ALL; i++)
    same += f.index.keys[a[i]] == g.index.keys[b[i]];
  CHECK_EQUAL(same, ALL);
  free(rows);
  free(turned);
  fixture_free(&f);
  fixture_free(&g);
}

/* Equal vectors: their keys halve them. */
static void test_equal_vectors(void) {
  enum { ALL = 300 };
  fixture f = fixture_create("flat,f32", MN_L2, D, ALL);
  float *rows = fixture_rows("duplicates", 0, ALL, D);
  uint32_t slots[ALL], changes = 0;
  CHECK_OK(fixture_add(&f, NULL, rows, ALL));
  order(&f, ALL, slots);
  for (uint32_t i = 1; i < ALL; i++)
    changes += slots[i] % 10 != slots[i - 1] % 10;
  CHECK(changes < ALL / 2);
  free(rows);
  fixture_free(&f);
}

int main(void) {
  test_permutation("flat,f32", MN_L2, "uniform");
  test_permutation("hnsw4,bits4", MN_COSINE, "clustered");
  test_permutation("flat,pq4x4+c", MN_IP, "uniform");
  test_permutation("flat,sign", MN_HAMMING, "integers");
  test_clusters("flat,f32", MN_L2);
  test_clusters("flat,sq8", MN_L2);
  test_clusters("flat,bits4", MN_L2);
  test_clusters("flat,bits1", MN_COSINE);
  test_clusters("flat,f16", MN_COSINE);
  test_line();
  test_same();
  test_equal_vectors();
  return test_report();
}
