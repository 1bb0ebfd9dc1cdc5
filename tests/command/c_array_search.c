/* SPDX-License-Identifier: Apache-2.0 */
/* Searches the array passages_index, which the command wrote as a C source, and
 * then, whole, the image of a flash partition; both answer as the command does
 * with --json. c_array_search QUERIES IMAGE K */
#include "minnow.h"

#include "passages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM  (1u << 22)
#define K_MAX 16

static uint8_t *read_file(const char *path, size_t *bytes) {
  FILE *from = fopen(path, "rb");
  uint8_t *into = aligned_alloc(MN_ALIGNMENT, ROOM);
  if (!from || !into)
    exit(3);
  *bytes = fread(into, 1, ROOM, from);
  fclose(from);
  return into;
}

static mn_status answer(const mn_index *index, uint32_t number,
                        const mn_query *query) {
  static uint8_t scratch[ROOM];
  mn_arena arena = mn_arena_over(scratch, sizeof scratch);
  mn_hit hits[K_MAX];
  uint32_t count = 0;
  mn_status status = mn_index_search(index, query, hits, &count, &arena);
  printf("{\"query\":%u,\"keys\":[", number);
  for (uint32_t i = 0; i < count; i++)
    printf("%s%" PRIu64, i ? "," : "", hits[i].key);
  printf("],\"distances\":[");
  for (uint32_t i = 0; i < count; i++)
    printf("%s%.9g", i ? "," : "", (double)hits[i].distance);
  printf("]}\n");
  return status;
}

static mn_status search(const uint8_t *block, size_t bytes,
                        const float *vectors, size_t floats, uint32_t k) {
  mn_index index;
  mn_status status = mn_index_open(&index, block, bytes);
  if (status == MN_OK)
    status = mn_index_verify(&index);
  const uint32_t dimensions =
      status == MN_OK ? index.options.dimensions : (uint32_t)floats + 1;
  for (uint32_t i = 0; status == MN_OK && (i + 1) * dimensions <= floats; i++) {
    const mn_query query = {
        .vector = vectors + i * dimensions, .dimensions = dimensions, .k = k};
    status = answer(&index, i, &query);
  }
  return status;
}

/* What opening says of the array at addresses it must not lie at. */
static int refuses_other_addresses(void) {
  uint8_t *memory = aligned_alloc(MN_ALIGNMENT, ROOM);
  if (!memory || sizeof passages_index > ROOM - MN_ALIGNMENT)
    return 0;
  for (uint32_t skip = 0; skip <= MN_OPEN_ALIGNMENT; skip++) {
    mn_index index;
    memcpy(memory + skip, passages_index, passages_index_bytes);
    const mn_status status =
        mn_index_open(&index, memory + skip, passages_index_bytes);
    if (status != (skip % MN_OPEN_ALIGNMENT ? MN_ERROR_ALIGNMENT : MN_OK))
      return 0;
  }
  free(memory);
  return 1;
}

int main(int count, char **words) {
  if (count != 4)
    return 2;
  size_t query_bytes, image_bytes;
  const float *vectors = (const void *)read_file(words[1], &query_bytes);
  const uint8_t *image = read_file(words[2], &image_bytes);
  const uint32_t k = (uint32_t)strtoul(words[3], NULL, 10);
  if (k > K_MAX || (uintptr_t)passages_index % MN_ALIGNMENT != 0 ||
      sizeof passages_index != passages_index_bytes ||
      image_bytes <= passages_index_bytes || !refuses_other_addresses())
    return 1;
  const size_t floats = query_bytes / sizeof(float);
  mn_status status =
      search(passages_index, passages_index_bytes, vectors, floats, k);
  if (status == MN_OK)
    status = search(image, image_bytes, vectors, floats, k);
  return status == MN_OK ? 0 : 1;
}
