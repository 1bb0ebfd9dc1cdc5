/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a flat scan reads codes, beside a plain read of the same bytes. The
 * same functions run natively (main below) and in WebAssembly (scan_rate.mjs),
 * where the host keeps the time:
 *
 *     make(bytes)   an index whose codes take at least so many bytes
 *     scan(q)       one search, k 10, of all of it
 *     read_all()    the sum of the same codes, 8 bytes at a time
 *
 * The vectors are 1,000 pseudo-random ones, added over and over: a scan
 * computes a distance to each copy alike, and the bytes are as many as if all
 * differed. What is found is of no interest here.
 */
#define _POSIX_C_SOURCE 200809L
#include "../../core/minnow.h"
#include "plain_read.h"

#ifdef __wasm__
#define EXPORT(name) __attribute__((export_name(#name))) name
#else
#define EXPORT(name) name
#endif

enum { DIMENSIONS = 512, ROWS = 1000, K = 10 };

static _Alignas(64) uint8_t memory[224u << 20];
static float rows[ROWS + 1][DIMENSIONS]; /* the last is the query */
static mn_index index_;
static mn_arena arena;
static char spec[MN_SPEC_BYTES];

static void fill_rows(void) {
  uint32_t state = 1;
  for (uint32_t i = 0; i <= ROWS; i++)
    for (uint32_t j = 0; j < DIMENSIONS; j++) {
      state = state * 1664525u + 1013904223u;
      rows[i][j] = (float)(state >> 8) / 8388608.0f - 1.0f;
    }
}

static mn_status train(void) {
  mn_vectors sample = {rows[0], ROWS, DIMENSIONS};
  return mn_index_info(&index_).trained
             ? MN_OK
             : mn_index_train(&index_, &sample, &arena);
}

/* Codes in the sections of the block that a scan reads. */
static uint32_t section(uint32_t name, const uint8_t **data) {
  const void *at;
  size_t bytes;
  if (mn_index_section(&index_, name, &at, &bytes) != MN_OK)
    return 0;
  *data = at;
  return (uint32_t)bytes;
}

char *EXPORT(spec_at)(void) {
  return spec;
}

/* How many vectors, or a negative status. */
int32_t EXPORT(make)(uint32_t bytes) {
  mn_options options = {.dimensions = DIMENSIONS, .metric = MN_COSINE};
  mn_sizes sizes;
  uint32_t spec_bytes = 0;
  while (spec_bytes < MN_SPEC_BYTES && spec[spec_bytes])
    spec_bytes++;
  fill_rows();
  mn_status status = mn_options_parse(&options, spec, spec_bytes, NULL);
  if (options.encoding == MN_SIGN)
    options.metric = MN_HAMMING;
  mn_query query = {.k = K};
  if (status == MN_OK)
    status = mn_plan(&options, ROWS, &query, &sizes);
  if (status != MN_OK)
    return status;
  uint32_t batches = bytes / (ROWS * (uint32_t)sizes.code_bytes) + 1;
  arena = mn_arena_over(memory, sizeof memory);
  status = mn_index_create(&index_, &options, batches * ROWS, &arena);
  if (status == MN_OK)
    status = train();
  mn_vectors vectors = {rows[0], ROWS, DIMENSIONS};
  for (uint32_t i = 0; status == MN_OK && i < batches; i++)
    status = mn_index_add(&index_, NULL, &vectors, NULL, &arena);
  return status == MN_OK ? (int32_t)(batches * ROWS) : status;
}

/* Bytes of codes read by one search, or 0. All planes are read. */
uint32_t EXPORT(scan)(void) {
  mn_hit hits[K];
  uint32_t found;
  mn_stats stats;
  uint32_t encoding = index_.options.encoding;
  mn_query query = {.vector = rows[ROWS],
                    .dimensions = DIMENSIONS,
                    .k = K,
                    .planes =
                        encoding >= MN_BITS1 ? encoding - MN_BITS1 + 1 : 0,
                    .stats = &stats};
  mn_status status = mn_index_search(&index_, &query, hits, &found, &arena);
  return status == MN_OK && found == K ? (uint32_t)stats.bytes : 0;
}

/* Bytes read by a sum over the sections of codes. */
uint32_t EXPORT(read_all)(void) {
  const uint8_t *data = NULL;
  uint32_t bytes = section(MN_SECTION('C', 'O', 'D', 'E'), &data);
  plain_read(data, bytes);
  uint32_t rest = section(MN_SECTION('R', 'E', 'S', 'T'), &data);
  if (rest)
    plain_read(data, rest);
  return bytes + rest;
}

#ifndef __wasm__
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* PROGRAM SPEC BYTES PASSES: one line of JSON, with the seconds of each pass.
 */
int main(int argc, char **argv) {
  if (argc != 4)
    return fprintf(stderr, "usage: bandwidth SPEC BYTES PASSES\n"), 1;
  snprintf(spec, sizeof spec, "%s", argv[1]);
  int32_t vectors = make((uint32_t)strtoul(argv[2], NULL, 10));
  if (vectors <= 0)
    return fprintf(stderr, "%s: %s\n", spec, mn_status_name(vectors)), 1;
  printf("{\"vectors\":%d,\"bytes\":%u,\"read\":%u,\"passes\":[", vectors,
         scan(), read_all());
  for (long pass = 0; pass < strtol(argv[3], NULL, 10); pass++) {
    double start = now();
    scan();
    double between = now();
    read_all();
    printf("%s[%.9f,%.9f]", pass ? "," : "", between - start, now() - between);
  }
  printf("]}\n");
  return 0;
}
#endif
