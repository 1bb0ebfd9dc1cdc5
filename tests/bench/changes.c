/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What deletes and replacements (change.h) do to an index:
 *
 *     changes PREFIX N QUERIES DIMENSIONS METRIC SPEC [EF]
 *
 * After each, with the graph repaired and not, a line of JSON says what
 * searches at the default settings (walks, in a graph) find and take, and what
 * changing and repair took; and what a fresh index of the same vectors, added
 * in the order of the rows, does. Lists (ivf) are not repaired.
 */
#define _POSIX_C_SOURCE 200809L
#include "../../core/structure/graph.h"
#include "../../core/structure/repair.h"
#include "change.h"
#include "index.h"

typedef struct trial {
  bench_change change;
  const char *spec;
  mn_query query; /* without its vector */
} trial;

/* --- Indexes -------------------------------------------------------------- */

typedef struct changing {
  mn_index index;
  mn_arena block, scratch;
  uint64_t distances; /* of repair */
  double cpu;         /* of changing, linking and repairing */
} changing;

static changing create(const trial *t, uint32_t capacity) {
  bench_set set = *t->change.set;
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
  const mn_vectors one = {bench_row(t->change.set, row), 1,
                          t->change.set->dimensions};
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
  for (uint32_t row = 0; row < t->change.set->n; row++)
    if (t->change.is_in[row])
      append(t, &c, row);
  link_all(&c);
  return c;
}

static int is_graph(const changing *c) {
  return c->index.options.structure == MN_HNSW;
}

static void repair(changing *c) {
  mn_repairer repairer;
  const size_t mark = mn_arena_mark(&c->scratch);
  if (!mn_repairer_allocate(&c->index.options, c->index.capacity, c->index.keys,
                            &repairer, &c->scratch))
    bench_fail("scratch");
  c->cpu -= bench_seconds(CLOCK_THREAD_CPUTIME_ID);
  mn_graph_repair(&c->index, (uint32_t)mn_graph_unrepaired(&c->index),
                  &repairer);
  c->cpu += bench_seconds(CLOCK_THREAD_CPUTIME_ID);
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

static void measure(const trial *t, changing *c, const char *what,
                    uint32_t changes) {
  bench_found all = {0, 0, 0};
  uint32_t scanned = 0;
  for (uint32_t q = 0; q < t->change.set->queries; q++) {
    mn_hit found[BENCH_K];
    uint32_t count, rows[BENCH_K];
    mn_stats stats;
    mn_query query = t->query;
    query.vector = bench_query(t->change.set, q);
    query.plan = is_graph(c) ? MN_PLAN_WALK : MN_PLAN_PROBE;
    query.stats = &stats;
    bench_check(mn_index_search(&c->index, &query, found, &count, &c->scratch),
                "search");
    for (uint32_t i = 0; i < count; i++)
      rows[i] = (uint32_t)found[i].key;
    bench_judge(&t->change, q, rows, count, &all);
    all.distances += stats.distances;
    scanned += stats.exact;
  }
  if (all.short_of_k)
    bench_fail("fewer hits than were asked for");
  bench_say_found(&t->change, what, &all);
  printf(",\"dead\":%u,\"scanned\":%u,\"unreached\":%u,"
         "\"repairDistances\":%.1f,\"changeMicros\":%.1f}\n",
         mn_index_info(&c->index).dead, scanned,
         is_graph(c) ? unreached(&c->index) : 0,
         changes ? (double)c->distances / changes : 0,
         changes ? 1e6 * c->cpu / changes : 0);
  fflush(stdout);
}

/* --- Changes -------------------------------------------------------------- */

static void remove_gone(const trial *t, changing *c, uint32_t count) {
  c->cpu -= bench_seconds(CLOCK_THREAD_CPUTIME_ID);
  for (uint32_t i = 0; i < count; i++) {
    const uint64_t key = t->change.gone[i];
    bench_check(mn_index_delete(&c->index, &key, 1, NULL), "delete");
  }
  c->cpu += bench_seconds(CLOCK_THREAD_CPUTIME_ID);
}

static void add_come(const trial *t, changing *c, uint32_t count) {
  c->cpu -= bench_seconds(CLOCK_THREAD_CPUTIME_ID);
  for (uint32_t i = 0; i < count; i++)
    append(t, c, t->change.come[i]);
  link_all(c);
  c->cpu += bench_seconds(CLOCK_THREAD_CPUTIME_ID);
}

static void say_fresh(const trial *t, const char *what) {
  changing c = fresh(t, 0);
  measure(t, &c, what, 0);
  destroy(&c);
}

static void delete_half(trial *t) {
  changing c = fresh(t, 0);
  measure(t, &c, "all", 0);
  const uint32_t deleted = bench_halve(&t->change);
  remove_gone(t, &c, deleted);
  if (is_graph(&c)) {
    measure(t, &c, "half, not repaired", deleted);
    repair(&c);
  }
  measure(t, &c, is_graph(&c) ? "half, repaired" : "half", deleted);
  destroy(&c);
  say_fresh(t, "half, fresh");
}

static void replace_fifths(trial *t, int repaired) {
  const uint32_t count = bench_begin_rounds(&t->change);
  changing c = fresh(t, 5 * count + (repaired ? 2 : BENCH_ROUNDS) * count);
  const int graph = is_graph(&c);
  for (uint32_t round = 0; round < BENCH_ROUNDS; round++) {
    bench_replace(&t->change, count);
    remove_gone(t, &c, count);
    add_come(t, &c, count);
    if (repaired && graph)
      repair(&c);
    char what[64];
    if (!bench_reports(round))
      continue;
    snprintf(what, sizeof what, "%s%s", bench_reports(round),
             !graph     ? ""
             : repaired ? ", repaired"
                        : ", not repaired");
    measure(t, &c, what, (round + 1) * count);
  }
  destroy(&c);
  if (repaired)
    say_fresh(t, "a fifth, 10 times, fresh");
  if (repaired && graph)
    replace_fifths(t, 0);
}

int main(int argc, char **argv) {
  bench_set set = bench_open(argc, argv);
  trial t = {.change = bench_change_of(&set),
             .spec = argv[6],
             .query = {.dimensions = set.dimensions, .k = BENCH_K}};
  if (argc > 7)
    t.query.ef = (uint32_t)strtoul(argv[7], NULL, 10);
  delete_half(&t);
  replace_fifths(&t, 1);
  return 0;
}
