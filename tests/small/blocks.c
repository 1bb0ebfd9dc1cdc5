/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks FOLDER: writes a live block of every encoding, refine encoding and
 * transform, and packed ones of those that are not flat, for tests/small/run.
 */
#include "../../core/minnow.h"
#include "../conformance/generator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 300, DIMENSIONS = 48, MEMORY_BYTES = 16 << 20 };

static const struct {
  const char *spec;
  mn_metric metric;
} blocks[] = {
    {"flat,f32", MN_L2},
    {"flat,bf16", MN_IP},
    {"flat,sq8", MN_L2},
    {"flat,sq6", MN_COSINE},
    {"flat,sq4,refine=f16", MN_IP},
    {"flat,sign", MN_HAMMING},
    {"hnsw8,sign", MN_JACCARD},
    {"flat,pq8x8", MN_L2},
    {"flat,opq,pq8x4", MN_COSINE},
    {"flat,prq4x5x2+c", MN_IP},
    {"flat,first32,f16", MN_L2},
    {"flat,pca16,sq8", MN_COSINE},
    {"flat,hadamard,sq4", MN_L2},
    {"flat,bits1,refine=bits8", MN_COSINE},
    {"flat,bits2,refine=f16", MN_L2},
    {"flat,bits3", MN_IP},
    {"flat,pca24,bits4", MN_COSINE},
    {"flat,bits8", MN_L2},
    {"hnsw8,f32", MN_L2},
    {"hnsw8,bits1,refine=bits4", MN_COSINE},
    {"hnsw8,bits2,refine=bits8", MN_IP},
    {"hnsw8,bits5", MN_L2},
    {"hnsw8,sq8", MN_COSINE},
    {"ivf6,bits4", MN_L2},
    {"ivf9,sq8", MN_COSINE},
};

static void ensure(mn_status status, const char *spec) {
  if (status == MN_OK)
    return;
  fprintf(stderr, "%s: %s\n", spec, mn_status_name(status));
  exit(1);
}

static void save(const char *folder, const char *name, mn_index *index) {
  char path[512];
  ensure(mn_index_seal(index), name);
  snprintf(path, sizeof path, "%s/%s.mn", folder, name);
  FILE *file = fopen(path, "wb");
  if (file == NULL ||
      fwrite(index->block, 1, index->block_bytes, file) != index->block_bytes ||
      fclose(file) != 0) {
    perror(path);
    exit(1);
  }
}

int main(int count, char **arguments) {
  static float rows[COUNT * DIMENSIONS];
  void *memory = malloc(MEMORY_BYTES);
  if (count != 2 || memory == NULL)
    return 1;
  gen_rows(rows, "clustered", 1, 0, COUNT, DIMENSIONS);
  const mn_vectors vectors = {rows, COUNT, DIMENSIONS};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    const char *spec = blocks[i].spec;
    mn_options options = {.dimensions = DIMENSIONS, .metric = blocks[i].metric};
    ensure(mn_options_parse(&options, spec, strlen(spec), NULL), spec);
    mn_arena arena = mn_arena_over(memory, MEMORY_BYTES);
    mn_index index, packed;
    mn_training training;
    ensure(mn_index_create(&index, &options, COUNT, &arena), spec);
    ensure(mn_plan_training(&options, COUNT, &training), spec);
    if (training.least > 0)
      ensure(mn_index_train(&index, &vectors, &arena), spec);
    ensure(mn_index_add(&index, NULL, &vectors, NULL, &arena), spec);
    save(arguments[1], spec, &index);
    if (options.structure == MN_FLAT)
      continue;
    ensure(mn_index_pack(&index, &packed, &arena), spec);
    char name[MN_SPEC_BYTES + 8];
    snprintf(name, sizeof name, "%s-packed", spec);
    save(arguments[1], name, &packed);
  }
  free(memory);
  return 0;
}
