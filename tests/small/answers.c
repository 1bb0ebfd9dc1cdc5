/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers BLOCK...
 *
 * What this build of the core makes of each block, a line each: its name, its
 * spec (or "-"), the status of opening it, and a hash of the answers to a few
 * queries, distances included. tests/small/run compares builds by it.
 */
#include "../../core/minnow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUERIES = 6, K = 10, SCRATCH_BYTES = 1 << 20 };

static uint8_t *read_file(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
    perror(path);
    exit(1);
  }
  *bytes = (size_t)ftell(file);
  rewind(file);
  uint8_t *data = aligned_alloc(MN_ALIGNMENT, (*bytes + 127) / 64 * 64);
  if (data == NULL || fread(data, 1, *bytes, file) != *bytes)
    exit(1);
  fclose(file);
  return data;
}

/* FNV-1a. */
static void hash_add(uint64_t *hash, const void *data, size_t bytes) {
  const uint8_t *p = data;
  for (size_t i = 0; i < bytes; i++)
    *hash = (*hash ^ p[i]) * UINT64_C(0x100000001b3);
}

static void make_query(uint32_t nth, uint32_t dimensions, float *vector) {
  uint32_t state = nth * 2654435761u + 1;
  for (uint32_t j = 0; j < dimensions; j++) {
    state = state * 1664525u + 1013904223u;
    vector[j] = (float)(state >> 16) / 65536.0f - 0.5f;
  }
}

static uint64_t answers_of(const mn_index *index, uint8_t *scratch) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  const uint32_t d = index->options.dimensions;
  float *vector = malloc(d * sizeof *vector);
  mn_arena arena = mn_arena_over(scratch, SCRATCH_BYTES);
  for (uint32_t i = 0; i < QUERIES && vector != NULL; i++) {
    mn_hit hits[K];
    uint32_t found = 0;
    mn_stats stats;
    make_query(i, d, vector);
    const mn_query query = {.vector = vector,
                            .dimensions = d,
                            .k = K,
                            .ef = i % 2 == 0 ? 32 : 0,
                            .stats = &stats};
    const mn_status status =
        mn_index_search(index, &query, hits, &found, &arena);
    hash_add(&hash, &status, sizeof status);
    hash_add(&hash, &stats.distances, sizeof stats.distances);
    for (uint32_t h = 0; h < found; h++) {
      hash_add(&hash, &hits[h].key, sizeof hits[h].key);
      hash_add(&hash, &hits[h].distance, sizeof hits[h].distance);
    }
  }
  free(vector);
  return hash;
}

int main(int count, char **paths) {
  uint8_t *scratch = malloc(SCRATCH_BYTES);
  for (int i = 1; i < count; i++) {
    size_t bytes;
    uint8_t *block = read_file(paths[i], &bytes);
    mn_index index;
    const char *name = strrchr(paths[i], '/');
    const mn_status status = mn_index_open(&index, block, bytes);
    char spec[MN_SPEC_BYTES] = "-";
    if (status == MN_OK)
      mn_options_format(&index.options, spec);
    printf("%s %s %d %016" PRIx64 "\n", name == NULL ? paths[i] : name + 1,
           spec, (int)status,
           status == MN_OK ? answers_of(&index, scratch) : 0);
    free(block);
  }
  free(scratch);
  return 0;
}
