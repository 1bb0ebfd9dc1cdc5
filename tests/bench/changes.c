/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What deletes and replacements do to a graph:
 *
 *     changes PREFIX N QUERIES DIMENSIONS METRIC SPEC
 *
 * Half of all vectors, drawn at random, are deleted; and in ten rounds a fifth
 * of an index of four fifths of them is replaced by vectors that are not in it.
 * After each of these, with the graph repaired and not, a line of JSON says
 * what walks at the default settings find and take, and what repair took; and
 * what a fresh graph of the same vectors, added in the order of the rows, does.
 */
#define _POSIX_C_SOURCE 200809L
#include "../../core/structure/graph.h"
#include "../../core/structure/repair.h"
#include "index.h"

enum { ROUNDS = 10 };

typedef struct trial {
  const bench_set *set;
  const char *spec;
  const double *truth;
  const uint32_t *nearest; /* BENCH_TRUTH rows by query */
  uint8_t *is_in;          /* by row */
  mn_query query;          /* without its vector */
} trial;

static uint32_t draw(void) {
  static uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}

/* --- Indexes -------------------------------------------------------------- */

typedef struct changing {
  mn_index index;
  mn_arena block, scratch;
  uint64_t distances; /* of repair */
  double repair_cpu;
} changing;

static changing create(const trial *t, uint32_t capacity) {
  bench_set set = *t->set;
  changing c;
  memset(&c, 0, sizeof c);
  mn_sizes sizes;
  bench_index made = bench_create(&set, t->spec, &t->query);
  if (capacity < set.n)
    capacity = set.n;
  bench_check(mn_plan(&made.index.options, capacity, &t->query, &sizes),
              "plan");
  c.block = bench_arena(sizes.block_bytes);
  c.index = made.index;
  bench_check(mn_index_resize(&c.index, capacity, &c.block), "resize");
  free(made.block.base);
  size_t bytes = sizes.update_scratch_bytes;
  if (sizes.repair_scratch_bytes > bytes)
    bytes = sizes.repair_scratch_bytes;
  if (sizes.search_scratch_bytes > bytes)
    bytes = sizes.search_scratch_bytes;
  c.scratch = bench_arena(bytes);
  return c;
}

static void destroy(changing *c) {
  free(c->block.base);
  free(c->scratch.base);
}

static void append(const trial *t, changing *c, uint32_t row) {
  const uint64_t key = row;
  const mn_vectors one = {bench_row(t->set, row), 1, t->set->dimensions};
  bench_check(mn_index_append(&c->index, &key, &one, NULL, &c->scratch),
              "append");
}

static void link_all(changing *c) {
  uint32_t left;
  bench_check(mn_index_link(&c->index, UINT32_MAX, &left, &c->scratch), "link");
}

/* Every row that is in. */
static changing fresh(const trial *t, uint32_t capacity) {
  changing c = create(t, capacity);
  for (uint32_t row = 0; row < t->set->n; row++)
    if (t->is_in[row])
      append(t, &c, row);
  link_all(&c);
  return c;
}

static void repair(changing *c) {
  mn_repairer repairer;
  const size_t mark = mn_arena_mark(&c->scratch);
  if (!mn_repairer_allocate(&c->index.options, c->index.capacity, c->index.keys,
                            &repairer, &c->scratch))
    bench_fail("scratch");
  const double from = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
  mn_graph_repair(&c->index, (uint32_t)mn_graph_unrepaired(&c->index),
                  &repairer);
  c->repair_cpu += bench_seconds(CLOCK_THREAD_CPUTIME_ID) - from;
  c->distances += mn_repair_distances(&repairer);
  mn_arena_rewind(&c->scratch, mark);
  if (mn_index_info(&c->index).dead > 0)
    bench_fail("repair left dead vectors");
}

/* --- Reach ---------------------------------------------------------------- */

/* Vectors of the graph to which links do not lead from any entry. */
static uint32_t unreached(const mn_index *index) {
  const mn_info info = mn_index_info(index);
  uint32_t *queue = malloc((info.slots + MN_ENTRIES) * sizeof *queue);
  uint8_t *seen = calloc(info.slots, 1);
  uint32_t end = 0, live = 0;
  for (uint32_t i = 0; i < index->state->entries; i++)
    seen[queue[end++] = index->entries[i]] = 1;
  for (uint32_t at = 0; at < end; at++) {
    const uint32_t *links, twin = mn_graph_twin(index, queue[at]);
    const uint32_t count = mn_graph_links(index, queue[at], NULL, &links);
    live += (uint32_t)mn_slot_is_live(index, queue[at]);
    for (uint32_t i = 0; i <= count; i++) {
      const uint32_t next = i < count ? links[i] : twin;
      if (next < info.slots && !seen[next])
        seen[queue[end++] = next] = 1;
    }
  }
  free(queue);
  free(seen);
  return info.linked - live;
}

/* --- Measure -------------------------------------------------------------- */

/* The distance of the tenth nearest row that is in. */
static double limit_of(const trial *t, uint32_t q) {
  const size_t at = (size_t)q * BENCH_TRUTH;
  uint32_t in = 0;
  for (uint32_t i = 0; i < BENCH_TRUTH; i++) {
    in += t->is_in[t->nearest[at + i]];
    if (in == BENCH_K)
      return t->truth[at + i];
  }
  bench_fail("too few of the true nearest are left");
  return 0;
}

static void measure(const trial *t, changing *c, const char *what,
                    uint32_t deleted) {
  const bench_set *set = t->set;
  uint64_t hits = 0, distances = 0, scanned = 0;
  for (uint32_t q = 0; q < set->queries; q++) {
    mn_hit found[BENCH_K];
    uint32_t count;
    mn_stats stats;
    mn_query query = t->query;
    query.vector = bench_query(set, q);
    query.stats = &stats;
    bench_check(mn_index_search(&c->index, &query, found, &count, &c->scratch),
                "search");
    if (count != BENCH_K)
      bench_fail("fewer hits than were asked for");
    const double limit = limit_of(t, q);
    for (uint32_t i = 0; i < count; i++) {
      const uint32_t row = (uint32_t)found[i].key;
      if (!t->is_in[row])
        bench_fail("a deleted vector was found");
      hits += bench_distance(set, query.vector, bench_row(set, row)) <=
              limit + 1e-9 * (1 + fabs(limit));
    }
    distances += stats.distances;
    scanned += stats.exact;
  }
  const mn_info info = mn_index_info(&c->index);
  const double queries = set->queries;
  printf("{\"what\":\"%s\",\"vectors\":%u,\"dead\":%u,\"recall\":%.4f,"
         "\"evaluations\":%.1f,\"scanned\":%u,\"unreached\":%u,\"deleted\":%u,"
         "\"repairDistances\":%.1f,\"repairSeconds\":%.3f}\n",
         what, info.count, info.dead, (double)hits / queries / BENCH_K,
         (double)distances / queries, (uint32_t)scanned, unreached(&c->index),
         deleted, deleted ? (double)c->distances / deleted : 0, c->repair_cpu);
  fflush(stdout);
}

/* --- Half of all ---------------------------------------------------------- */

static void remove_row(const trial *t, changing *c, uint32_t row) {
  const uint64_t key = row;
  bench_check(mn_index_delete(&c->index, &key, 1, NULL), "delete");
  t->is_in[row] = 0;
}

static void delete_half(const trial *t) {
  memset(t->is_in, 1, t->set->n);
  changing c = fresh(t, 0);
  measure(t, &c, "all", 0);
  uint32_t deleted = 0;
  while (deleted < t->set->n / 2) {
    const uint32_t row = draw() % t->set->n;
    if (t->is_in[row]) {
      remove_row(t, &c, row);
      deleted++;
    }
  }
  measure(t, &c, "half, not repaired", deleted);
  repair(&c);
  measure(t, &c, "half, repaired", deleted);
  destroy(&c);
  c = fresh(t, 0);
  measure(t, &c, "half, fresh", 0);
  destroy(&c);
}

/* --- A fifth, ten times --------------------------------------------------- */

/* `count` rows that are in go, then as many others come. */
static void replace_some(const trial *t, changing *c, uint32_t count) {
  uint32_t *gone = malloc(count * sizeof *gone);
  for (uint32_t i = 0; i < count;) {
    const uint32_t row = draw() % t->set->n;
    if (t->is_in[row] == 1) {
      remove_row(t, c, row);
      t->is_in[row] = 2; /* it does not come back at once */
      gone[i++] = row;
    }
  }
  for (uint32_t i = 0; i < count;) {
    const uint32_t row = draw() % t->set->n;
    if (t->is_in[row] == 0) {
      t->is_in[row] = 1;
      append(t, c, row);
      i++;
    }
  }
  for (uint32_t i = 0; i < count; i++)
    t->is_in[gone[i]] = 0;
  free(gone);
}

static void replace_fifths(const trial *t, int repaired) {
  const uint32_t n = t->set->n, in = n / 5 * 4, count = n / 5 * 4 / 5;
  memset(t->is_in, 0, n);
  memset(t->is_in, 1, in);
  changing c = fresh(t, in + (repaired ? 2 : ROUNDS) * count);
  for (uint32_t round = 0; round < ROUNDS; round++) {
    replace_some(t, &c, count);
    link_all(&c);
    if (repaired)
      repair(&c);
    if (repaired && (round == 0 || round == 4))
      measure(t, &c, round == 0 ? "a fifth replaced" : "a fifth, 5 times",
              (round + 1) * count);
  }
  measure(t, &c,
          repaired ? "a fifth, 10 times, repaired"
                   : "a fifth, 10 times, not repaired",
          ROUNDS * count);
  destroy(&c);
  if (repaired) {
    c = fresh(t, 0);
    measure(t, &c, "a fifth, 10 times, fresh", 0);
    destroy(&c);
  }
}

int main(int argc, char **argv) {
  bench_set set = bench_open(argc, argv);
  trial t = {.set = &set,
             .spec = argv[6],
             .truth = bench_truth(&set),
             .nearest = (const uint32_t *)bench_read(
                 &set, ".truth.u32",
                 (size_t)set.queries * BENCH_TRUTH * sizeof(uint32_t)),
             .is_in = malloc(set.n),
             .query = {.dimensions = set.dimensions,
                       .k = BENCH_K,
                       .plan = MN_PLAN_WALK}};
  if (argc > 7)
    t.query.ef = (uint32_t)strtoul(argv[7], NULL, 10);
  delete_half(&t);
  replace_fifths(&t, 1);
  replace_fifths(&t, 0);
  return 0;
}
