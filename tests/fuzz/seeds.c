/* SPDX-License-Identifier: Apache-2.0 */
/* seeds FOLDER: writes small valid blocks of every kind, to start fuzzing
 * from. */
#include "../../core/minnow.h"
#include "../conformance/generator.h"

#include <stdio.h>
#include <stdlib.h>

#define D            6u
#define SAMPLE       140u /* of which a graph links 128 */
#define MEMORY_BYTES ((size_t)4 << 20)

typedef enum variant {
  EMPTY,    /* untrained where the encoding wants training */
  TIGHT,    /* full and sealed */
  SPARE,    /* room left, a host section, not sealed */
  UNLINKED, /* half of the vectors not in the graph yet */
  PACKED,   /* with twins, a host section, and sealed */
  DELETED,  /* a third of the vectors gone, twins among them */
  REPAIRED, /* the same, and halfway through a sweep */
  VARIANTS
} variant;

static void require(mn_status status) {
  if (status != MN_OK) {
    fprintf(stderr, "%s\n", mn_status_name(status));
    exit(1);
  }
}

static void build(mn_index *index, mn_arena *arena, const mn_options *options,
                  variant kind, uint32_t n) {
  static float rows[SAMPLE * D];
  uint32_t left, half = n / 2;
  mn_vectors all = {rows, SAMPLE, D}, first = {rows, half, D},
             second = {rows + half * D, n - half, D};
  gen_rows(rows, "uniform", n, 0, SAMPLE, D);
  for (uint32_t i = 0; (kind >= PACKED || kind == SPARE) && i < SAMPLE; i += 3)
    memcpy(rows + i * D, rows + i % 9 * D, D * sizeof *rows);
  require(mn_index_create(index, options, kind == SPARE ? n + 9 : n, arena));
  if (kind == EMPTY)
    return;
  if (!mn_index_info(index).trained)
    require(mn_index_train(index, &all, arena));
  require(mn_index_add(index, NULL, &first, NULL, arena));
  require(mn_index_append(index, NULL, &second, NULL, arena));
  if (kind != UNLINKED)
    require(mn_index_link(index, n, &left, arena));
  if (kind == SPARE || kind == PACKED)
    require(mn_index_attach(index, MN_SECTION('t', 'e', 's', 't'), "abc", 3,
                            arena));
  if (kind == PACKED)
    require(mn_index_pack(index, index, arena));
  for (uint64_t key = 0; kind >= DELETED && key < n; key += 3)
    require(mn_index_delete(index, &key, 1, NULL));
  if (kind == REPAIRED)
    require(mn_index_repair(index, n + n / 2, &left, arena));
  if (kind == TIGHT || kind == PACKED)
    require(mn_index_seal(index));
}

static void save(const mn_index *index, const char *folder, unsigned number) {
  char path[512];
  snprintf(path, sizeof path, "%s/seed-%u", folder, number);
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(index->block, index->block_bytes, 1, file) != 1) {
    perror(path);
    exit(1);
  }
  fclose(file);
}

int main(int argc, char **argv) {
  static const char *const specs[] = {
      "auto,f16",
      "flat,f32",
      "hnsw4,f32",
      "hnsw4,f16",
      "hnsw5,bf16",
      "hnsw6,sq8",
      "flat,sq6",
      "hnsw4,sq4",
      "hnsw4,bits1",
      "flat,bits2",
      "hnsw4,bits4",
      "flat,bits8",
      "flat,pq3x4",
      "hnsw4,pq2x4+c",
      "flat,prq2x3x2",
      "hnsw4,prq3x2x3+c",
      "flat,hadamard,bits3,refine=sq8",
      "hnsw4,first4,sq6,refine=bits5",
      "flat,pca3,f16,refine=f32",
      "hnsw4,opq,pq3x4,refine=bf16",
      "ivf2,sq8",
      "ivf3,bits4,refine=f16",
  };
  static const char *const binary[] = {"flat", "hnsw4", "ivf3"};
  enum { SPECS = sizeof specs / sizeof *specs };
  uint8_t *memory = malloc(MEMORY_BYTES);
  unsigned number = 0;
  if (argc != 2 || !memory)
    return 2;
  for (unsigned s = 0; s < SPECS; s++)
    for (mn_metric metric = MN_L2; metric <= MN_JACCARD; metric++)
      for (variant kind = EMPTY; kind < VARIANTS; kind++)
        for (uint32_t n = 3; n <= SAMPLE; n += SAMPLE - 3) {
          if (metric >= MN_HAMMING && s >= sizeof binary / sizeof *binary)
            continue;
          const char *spec = metric >= MN_HAMMING ? binary[s] : specs[s];
          mn_options options = {
              .dimensions = D, .metric = metric, .ef_construction = 20};
          mn_arena arena = mn_arena_over(memory, MEMORY_BYTES);
          mn_index index;
          require(mn_options_parse(&options, spec, strlen(spec), NULL));
          build(&index, &arena, &options, kind, n);
          save(&index, argv[1], number++);
        }
  free(memory);
  return 0;
}
