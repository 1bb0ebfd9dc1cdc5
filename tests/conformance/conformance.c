/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a list of cases (README.md) from standard input, builds each index,
 * and prints a line per case: name, hash of the sealed block, hash of the
 * answers. `--features MASK` keeps to kernels that need nothing else;
 * `--save FOLDER` also writes each block to FOLDER/name.mn and its answers to
 * FOLDER/name.tsv. Runs natively and as a WASI command.
 */
#include "../../core/minnow.h"
#include "generator.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMORY_BYTES ((size_t)48 << 20)
#define FIELDS       18

typedef struct test_case {
  const char *name, *spec, *data, *keys, *how, *filter, *search;
  mn_options options;
  uint32_t n, train, queries, k, ef, seed;
} test_case;

typedef struct runner {
  uint32_t features;
  const char *folder;
  mn_arena arena;
  float *rows;    /* the case's n vectors, then its queries */
  uint64_t *keys; /* NULL: default keys */
  mn_index index;
} runner;

#define TRY(expression)                                                        \
  do {                                                                         \
    mn_status try_status = (expression);                                       \
    if (try_status != MN_OK)                                                   \
      return try_status;                                                       \
  } while (0)

/* --- List ----------------------------------------------------------------- */

/* Splits a line at its tabs, in place. */
static int split(char *line, char *fields[FIELDS]) {
  int count = 0;
  line[strcspn(line, "\r\n")] = 0;
  for (char *at = line; at && count < FIELDS; count++) {
    fields[count] = at;
    at = strchr(at, '\t');
    if (at)
      *at++ = 0;
  }
  return count;
}

static uint32_t number(const char *text) {
  return (uint32_t)strtoul(text, NULL, 10);
}

static mn_metric metric_of(const char *name) {
  static const char *const names[] = {"l2", "ip", "cosine", "hamming",
                                      "jaccard"};
  for (unsigned i = 0; i < 5; i++)
    if (!strcmp(name, names[i]))
      return (mn_metric)(MN_L2 + i);
  return (mn_metric)0;
}

static mn_status parse(test_case *c, char *fields[FIELDS]) {
  *c = (test_case){.name = fields[0],
                   .spec = fields[2],
                   .n = number(fields[4]),
                   .data = fields[7],
                   .train = number(fields[8]),
                   .keys = fields[9],
                   .how = fields[10],
                   .queries = number(fields[11]),
                   .k = number(fields[12]),
                   .ef = number(fields[13]),
                   .filter = fields[14],
                   .search = fields[15]};
  c->options.dimensions = number(fields[3]);
  c->options.ef_construction = number(fields[5]);
  c->options.seed = strtoull(fields[6], NULL, 10);
  c->options.metric = metric_of(fields[1]);
  c->seed = (uint32_t)c->options.seed;
  return mn_options_parse(&c->options, c->spec, strlen(c->spec), NULL);
}

/* The number behind a word of the column `search`, or 0. */
static double option(const test_case *c, const char *word) {
  const char *at = strstr(c->search, word);
  return at ? strtod(at + strlen(word), NULL) : 0;
}

/* --- Building ------------------------------------------------------------- */

static mn_vectors view(const runner *r, uint32_t first, uint32_t count) {
  uint32_t dimensions = r->index.options.dimensions;
  return (mn_vectors){r->rows + (size_t)first * dimensions, count, dimensions};
}

static mn_status add(runner *r, uint32_t first, uint32_t count) {
  mn_vectors vectors = view(r, first, count);
  return mn_index_add(&r->index, r->keys ? r->keys + first : NULL, &vectors,
                      NULL, &r->arena);
}

/* Batches of 1, 2, 3, … rows, into an index that doubles when it is full. */
static mn_status build_growing(runner *r, uint32_t n) {
  for (uint32_t first = 0, batch = 1; first < n; batch++) {
    uint32_t count = batch < n - first ? batch : n - first;
    while (r->index.capacity < first + count)
      TRY(mn_index_resize(&r->index, 2 * r->index.capacity, &r->arena));
    TRY(add(r, first, count));
    first += count;
  }
  return MN_OK;
}

static mn_status build_in_steps(runner *r, uint32_t n) {
  mn_vectors vectors = view(r, 0, n);
  TRY(mn_index_append(&r->index, r->keys, &vectors, NULL, &r->arena));
  for (uint32_t left = 1; left;)
    TRY(mn_index_link(&r->index, 7, &left, &r->arena));
  return MN_OK;
}

/* As threads do it: the vectors of a batch proposed for by two handles, in an
 * order of no meaning. */
static mn_status build_in_halves(runner *r, uint32_t n) {
  const mn_vectors vectors = view(r, 0, n);
  const mn_query query = {.k = 1};
  mn_sizes sizes;
  uint32_t count;
  TRY(mn_index_append(&r->index, r->keys, &vectors, NULL, &r->arena));
  TRY(mn_plan(&r->index.options, r->index.capacity, &query, &sizes));
  const size_t mark = mn_arena_mark(&r->arena);
  void *proposals = mn_arena_allocate(&r->arena, sizes.proposals_bytes);
  mn_index handles[] = {r->index, r->index};
  while ((count = mn_index_batch(&r->index)) > 0) {
    for (uint32_t i = 0; i < count; i++) {
      const uint32_t nth = i * 27 % count; /* odd, and count a power of 2 */
      TRY(mn_index_propose(&handles[i / 3 % 2], nth, nth + 1, proposals,
                           &r->arena));
    }
    TRY(mn_index_commit(&r->index, proposals, &r->arena));
  }
  mn_arena_rewind(&r->arena, mark);
  return MN_OK;
}

/* Half of the rows, close, open elsewhere, the other half. */
static mn_status build_reopened(runner *r, uint32_t n) {
  TRY(mn_index_resize(&r->index, n / 2, &r->arena));
  TRY(add(r, 0, n / 2));
  TRY(mn_index_seal(&r->index));
  size_t bytes = r->index.block_bytes;
  uint8_t *copy = malloc(bytes);
  if (!copy)
    return MN_ERROR_ARENA;
  memcpy(copy, r->index.block, bytes);
  mn_arena_rewind(&r->arena, 0);
  uint8_t *block = mn_arena_allocate(&r->arena, bytes);
  memcpy(block, copy, bytes);
  free(copy);
  TRY(mn_index_open_writable(&r->index, block, bytes));
  mn_index_use_features(&r->index, r->features);
  TRY(mn_index_resize(&r->index, n, &r->arena));
  return add(r, n / 2, n - n / 2);
}

/* Packed, and packed again from what it is thawed to, or left so. The live
 * block stays below. */
static mn_status pack(runner *r, const char *how) {
  if (!strcmp(how, "pack") || !strcmp(how, "thaw") || !strcmp(how, "repack"))
    TRY(mn_index_pack(&r->index, &r->index, &r->arena));
  if (!strcmp(how, "thaw") || !strcmp(how, "repack"))
    TRY(mn_index_thaw(&r->index, r->index.capacity, &r->index, &r->arena));
  if (!strcmp(how, "repack"))
    TRY(mn_index_pack(&r->index, &r->index, &r->arena));
  return MN_OK;
}

static mn_status build(runner *r, const test_case *c) {
  int grows = !strcmp(c->how, "grow") || !c->n;
  TRY(mn_index_create(&r->index, &c->options, grows ? 1 : c->n, &r->arena));
  mn_index_use_features(&r->index, r->features);
  if (c->train) {
    mn_vectors sample = view(r, 0, c->train);
    TRY(mn_index_train(&r->index, &sample, &r->arena));
  }
  if (!strcmp(c->how, "grow"))
    TRY(build_growing(r, c->n));
  else if (!strcmp(c->how, "steps"))
    TRY(build_in_steps(r, c->n));
  else if (!strcmp(c->how, "threads"))
    TRY(build_in_halves(r, c->n));
  else if (!strcmp(c->how, "reopen"))
    TRY(build_reopened(r, c->n));
  else if (c->n)
    TRY(add(r, 0, c->n));
  if (!strcmp(c->how, "attach")) {
    TRY(mn_index_attach(&r->index, MN_SECTION('t', 'e', 's', 't'), "minnow", 6,
                        &r->arena));
    TRY(mn_index_attach(&r->index, MN_SECTION('a', 'B', '_', '9'), c->name, 1,
                        &r->arena));
  }
  TRY(mn_index_resize(&r->index, c->n ? c->n : 1, &r->arena));
  TRY(pack(r, c->how));
  return mn_index_seal(&r->index);
}

/* --- Answers -------------------------------------------------------------- */

/* The row of a key. */
static uint32_t row_of(const runner *r, uint64_t key) {
  return (uint32_t)(r->keys ? key >> 32 : key);
}

static void hash_hits(gen_hash *hash, const runner *r, const mn_hit *hits,
                      uint32_t count, const mn_stats *stats) {
  gen_hash_word(hash, count);
  for (uint32_t i = 0; i < count; i++) {
    gen_hash_long(hash, hits[i].key);
    gen_hash_float(hash, hits[i].distance);
    gen_hash_word(hash, row_of(r, hits[i].key));
  }
  gen_hash_long(hash, stats->distances);
  gen_hash_word(hash, stats->hops);
  gen_hash_word(hash, stats->exact);
  gen_hash_long(hash, stats->bytes);
  gen_hash_word(hash, stats->refined);
  gen_hash_word(hash, stats->planes);
}

static void save_hits(FILE *file, uint32_t query, const mn_hit *hits,
                      uint32_t count) {
  for (uint32_t i = 0; file && i < count; i++) {
    uint32_t bits;
    memcpy(&bits, &hits[i].distance, sizeof bits);
    fprintf(file, "%" PRIu32 "\t%" PRIu32 "\t%" PRIu64 "\t%08" PRIx32 "\n",
            query, hits[i].slot, hits[i].key, bits);
  }
}

/* The vectors lie where they were generated. */
static mn_status fetch(void *context, uint64_t key, uint32_t slot,
                       float *vector) {
  const runner *r = context;
  const uint32_t d = r->index.options.dimensions;
  (void)slot;
  memcpy(vector, r->rows + (size_t)row_of(r, key) * d, d * sizeof *vector);
  return MN_OK;
}

static mn_status search(runner *r, const test_case *c, gen_hash *hash,
                        FILE *file) {
  uint32_t *filter = NULL, dimensions = c->options.dimensions, found;
  size_t mark = mn_arena_mark(&r->arena);
  if (strcmp(c->filter, "none")) {
    filter = mn_arena_allocate(&r->arena, (c->n + 31) / 32 * sizeof *filter);
    gen_filter(filter, c->seed, c->n, number(c->filter));
  }
  mn_hit *hits = mn_arena_allocate(&r->arena, c->k * sizeof *hits);
  for (uint32_t i = 0; i < c->queries; i++) {
    mn_stats stats;
    mn_query query = {.vector = r->rows + (size_t)(c->n + i) * dimensions,
                      .dimensions = dimensions,
                      .k = c->k,
                      .ef = c->ef,
                      .planes = (uint32_t)option(c, "planes="),
                      .refine_planes = (uint32_t)option(c, "refine_by="),
                      .refine_k = (float)option(c, "refine_k="),
                      .fetch = strstr(c->search, "fetch") ? fetch : NULL,
                      .fetch_context = r,
                      .filter = filter,
                      .stats = &stats};
    TRY(mn_index_search(&r->index, &query, hits, &found, &r->arena));
    hash_hits(hash, r, hits, found, &stats);
    save_hits(file, i, hits, found);
  }
  mn_arena_rewind(&r->arena, mark);
  return MN_OK;
}

/* Some rows as the index keeps them. */
static mn_status reconstruct(runner *r, const test_case *c, gen_hash *hash) {
  static float row[MN_DIMENSIONS_MAX];
  for (uint32_t i = 0; i < c->n; i += c->n / 8 + 1) {
    uint32_t dimensions = c->options.dimensions;
    uint64_t key = r->keys ? r->keys[i] : i;
    TRY(mn_index_reconstruct(&r->index, key, row, dimensions, &r->arena));
    for (uint32_t j = 0; j < dimensions; j++)
      gen_hash_float(hash, row[j]);
  }
  gen_hash_float(hash, mn_index_info(&r->index).error);
  return MN_OK;
}

/* The queries as vectors of their own: their codes, the distances of the first
 * to all of them, and of each code to the next. */
static mn_status encode(runner *r, const test_case *c, gen_hash *hash) {
  const mn_info info = mn_index_info(&r->index);
  const uint32_t bytes = info.code_bytes;
  const mn_vectors queries = view(r, c->n, c->queries);
  const size_t mark = mn_arena_mark(&r->arena);
  if (!info.trained)
    return MN_OK;
  uint8_t *codes = mn_arena_allocate(&r->arena, (size_t)bytes * queries.count);
  float *distances =
      mn_arena_allocate(&r->arena, queries.count * sizeof *distances);
  TRY(mn_index_encode(&r->index, &queries, codes, NULL, &r->arena));
  gen_hash_bytes(hash, codes, (size_t)bytes * queries.count);
  TRY(mn_index_compare(&r->index, queries.data, queries.dimensions, codes,
                       queries.count, distances, &r->arena));
  for (uint32_t i = 0; i < queries.count; i++)
    gen_hash_float(hash, distances[i]);
  for (uint32_t i = 1; i < queries.count; i++) {
    const uint8_t *code = codes + (size_t)i * bytes;
    TRY(mn_index_between(&r->index, code - bytes, code, distances, &r->arena));
    gen_hash_float(hash, distances[0]);
  }
  mn_arena_rewind(&r->arena, mark);
  return MN_OK;
}

static FILE *create_file(const runner *r, const char *name, const char *end) {
  char path[512];
  if (!r->folder)
    return NULL;
  snprintf(path, sizeof path, "%s/%s.%s", r->folder, name, end);
  FILE *file = fopen(path, "wb");
  if (!file)
    perror(path);
  return file;
}

static mn_status run(runner *r, const test_case *c, gen_hash *block,
                     gen_hash *answers) {
  TRY(build(r, c));
  gen_hash_bytes(block, r->index.block, r->index.block_bytes);
  FILE *file = create_file(r, c->name, "mn");
  if (file) {
    fwrite(r->index.block, 1, r->index.block_bytes, file);
    fclose(file);
  }
  TRY(mn_index_open(&r->index, r->index.block, r->index.block_bytes));
  mn_index_use_features(&r->index, r->features);
  TRY(mn_index_verify(&r->index));
  file = create_file(r, c->name, "tsv");
  mn_status status = search(r, c, answers, file);
  if (file)
    fclose(file);
  if (status == MN_OK)
    status = reconstruct(r, c, answers);
  return status == MN_OK ? encode(r, c, answers) : status;
}

/* --- Program -------------------------------------------------------------- */

static int run_line(runner *r, uint8_t *memory, char *line) {
  char *fields[FIELDS];
  test_case c;
  gen_hash block = gen_hash_start(), answers = gen_hash_start();
  if (split(line, fields) != FIELDS)
    return fprintf(stderr, "not a case: %s\n", line), 1;
  mn_status status = parse(&c, fields);
  uint32_t count = c.n + c.queries;
  size_t bytes = (size_t)count * c.options.dimensions * sizeof(float);
  r->arena = mn_arena_over(memory, MEMORY_BYTES);
  r->rows = malloc(bytes);
  r->keys =
      strcmp(c.keys, "given") ? NULL : malloc((count + 1) * sizeof(uint64_t));
  if (!r->rows)
    return perror("malloc"), 1;
  gen_rows(r->rows, c.data, c.seed, 0, count, c.options.dimensions);
  for (uint32_t i = 0; r->keys && i < c.n; i++)
    r->keys[i] = gen_key(i);
  if (status == MN_OK)
    status = run(r, &c, &block, &answers);
  free(r->rows);
  free(r->keys);
  if (status != MN_OK)
    return printf("%s\t%s\t-\n", c.name, mn_status_name(status)), 1;
  printf("%s\t%016" PRIx64 "\t%016" PRIx64 "\n", c.name, gen_hash_end(block),
         gen_hash_end(answers));
  fflush(stdout);
  return 0;
}

int main(int argc, char **argv) {
  static char line[1024];
  runner r = {.features = MN_CPU_ALL & mn_cpu_features()};
  int failed = 0, cases = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!strcmp(argv[i], "--features"))
      r.features &= number(argv[i + 1]);
    else if (!strcmp(argv[i], "--save"))
      r.folder = argv[i + 1];
    else
      return fprintf(stderr, "unknown option: %s\n", argv[i]), 2;
  }
  uint8_t *memory = malloc(MEMORY_BYTES);
  if (!memory)
    return perror("malloc"), 1;
  while (fgets(line, sizeof line, stdin))
    if (line[0] != '#' && line[0] != '\n')
      failed += run_line(&r, memory, line), cases++;
  free(memory);
  return failed || !cases;
}
