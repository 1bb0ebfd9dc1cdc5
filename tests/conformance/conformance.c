/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a list of cases (README.md) from standard input, builds each index,
 * and prints a line per case: name, hash of the sealed block, hash of the
 * answers. `--features MASK` keeps to kernels that need nothing else;
 * `--save FOLDER` also writes each block to FOLDER/name.mn and its answers to
 * FOLDER/name.tsv. Runs natively and as a WASI command.
 */
#include "../../hosted/minnow_cpu.h"
#include "case.h"

#include <inttypes.h>
#include <stdlib.h>

/* Boards have 16 MB, and the rows lie there too. */
#define MEMORY_BYTES ((size_t)6 << 20)
#define OTHER_BYTES  ((size_t)4 << 20)
#define FIELDS       19

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
                   .change = fields[11],
                   .queries = number(fields[12]),
                   .k = number(fields[13]),
                   .ef = number(fields[14]),
                   .filter = fields[15],
                   .search = fields[16]};
  c->options.dimensions = number(fields[3]);
  c->options.ef_construction = number(fields[5]);
  c->options.seed = strtoull(fields[6], NULL, 10);
  c->options.metric = metric_of(fields[1]);
  c->seed = (uint32_t)c->options.seed;
  return mn_options_parse(&c->options, c->spec, strlen(c->spec), NULL);
}

double case_option(const char *column, const char *word) {
  const char *at = strstr(column, word);
  return at ? strtod(at + strlen(word), NULL) : 0;
}

/* --- Running
 * ------------------------------------------------------------------ */

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
  TRY(case_build(r, c, answers));
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
  const mn_status status = case_ask(r, c, answers, file);
  if (file)
    fclose(file);
  return status;
}

/* --- Program -------------------------------------------------------------- */

static int run_line(runner *r, uint8_t *memory, uint8_t *other, char *line) {
  char *fields[FIELDS];
  test_case c;
  gen_hash block = gen_hash_start(), answers = gen_hash_start();
  if (split(line, fields) != FIELDS)
    return fprintf(stderr, "not a case: %s\n", line), 1;
  mn_status status = parse(&c, fields);
  const int changes = strcmp(c.change, "-") != 0;
  const uint32_t count = (changes ? 3 * c.n : c.n) + c.queries + 1;
  size_t bytes = (size_t)count * c.options.dimensions * sizeof(float);
  r->arena = mn_arena_over(memory, MEMORY_BYTES);
  r->other = mn_arena_over(other, OTHER_BYTES);
  r->rows = malloc(bytes);
  r->keys = strcmp(c.keys, "given") ? NULL : malloc(count * sizeof(uint64_t));
  if (!r->rows)
    return perror("malloc"), 1;
  gen_rows(r->rows, c.data, c.seed, 0, changes ? count : c.n + c.queries,
           c.options.dimensions);
  for (uint32_t i = 0; r->keys && i < count; i++)
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
  runner r = {.features = mn_host_cpu_features()};
  int failed = 0, cases = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!strcmp(argv[i], "--features"))
      r.features &= number(argv[i + 1]);
    else if (!strcmp(argv[i], "--save"))
      r.folder = argv[i + 1];
    else
      return fprintf(stderr, "unknown option: %s\n", argv[i]), 2;
  }
  uint8_t *memory = malloc(MEMORY_BYTES), *other = malloc(OTHER_BYTES);
  if (!memory || !other)
    return perror("malloc"), 1;
  while (fgets(line, sizeof line, stdin))
    if (line[0] != '#' && line[0] != '\n')
      failed += run_line(&r, memory, other, line), cases++;
  free(memory);
  free(other);
  return failed || !cases;
}
