/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filtered searches:
 *
 *     filters PREFIX N QUERIES DIMENSIONS METRIC SPEC
 *
 * builds the index and searches it by every plan at default settings, with the
 * filters of selections.h. A line of JSON for each kind of filter, share and
 * plan: recall@10, distances to find candidates, which plans were taken and how
 * often a scan had to follow, and the processor's microseconds a query.
 */
#define _POSIX_C_SOURCE 200809L
#include "index.h"
#include "selections.h"

enum { PLANS = MN_PLAN_PROBE + 1 };

typedef struct tally {
  uint64_t hits, wanted, matches, distances;
  uint32_t plans[PLANS], fell_back, short_of_k;
  double cpu;
} tally;

/* The filter by slot. */
static uint32_t *by_slot(const bench_set *set, const mn_index *index,
                         const bench_selections *s) {
  static uint32_t *bits, *slot_of;
  if (!bits) {
    bits = malloc((set->n / 32 + 1) * sizeof *bits);
    slot_of = malloc(set->n * sizeof *slot_of);
    if (!bits || !slot_of)
      bench_fail("no memory");
    for (uint32_t row = 0; row < set->n; row++)
      bench_check(mn_index_find(index, row, &slot_of[row]), "find");
  }
  memset(bits, 0, (set->n / 32 + 1) * sizeof *bits);
  for (uint32_t row = 0; row < set->n; row++)
    if (s->bits[row / 32] >> row % 32 & 1)
      bits[slot_of[row] / 32] |= 1u << slot_of[row] % 32;
  return bits;
}

static void ask(const bench_set *set, const mn_index *index, mn_arena *scratch,
                const bench_selections *s, uint32_t q, mn_plan_kind plan,
                const uint32_t *filter, tally *t) {
  mn_hit hits[BENCH_K];
  mn_stats stats;
  uint32_t found, rows[BENCH_K];
  const mn_query query = {.vector = bench_asked(set, s, q),
                          .dimensions = set->dimensions,
                          .k = BENCH_K,
                          .filter = filter,
                          .plan = plan,
                          .stats = &stats};
  t->cpu -= bench_seconds(CLOCK_THREAD_CPUTIME_ID);
  bench_check(mn_index_search(index, &query, hits, &found, scratch), "search");
  t->cpu += bench_seconds(CLOCK_THREAD_CPUTIME_ID);
  for (uint32_t i = 0; i < found; i++)
    rows[i] = (uint32_t)hits[i].key;
  t->hits += bench_selected(set, s, q, rows, found);
  t->wanted += s->wanted;
  t->matches += s->matches;
  t->distances += stats.distances;
  t->plans[stats.plan]++;
  t->fell_back += stats.fell_back;
  t->short_of_k += found < s->wanted;
}

static void say(bench_kind kind, double share, mn_plan_kind plan,
                const tally *t, uint32_t queries) {
  static const char *const names[] = {"auto",    "scan", "walk",
                                      "two-hop", "post", "probe"};
  printf("{\"kind\":\"%s\",\"share\":%g,\"plan\":\"%s\",\"recall\":%.4f,"
         "\"matches\":%.1f,\"distances\":%.1f,\"taken\":{",
         bench_kind_names[kind], share, names[plan],
         t->wanted > 0 ? (double)t->hits / (double)t->wanted : 1.0,
         (double)t->matches / queries, (double)t->distances / queries);
  const char *comma = "";
  for (uint32_t p = MN_PLAN_SCAN; p < PLANS; p++)
    if (t->plans[p] > 0) {
      printf("%s\"%s\":%u", comma, names[p], t->plans[p]);
      comma = ",";
    }
  printf("},\"fellBack\":%u,\"short\":%u,\"cpu\":%.1f}\n", t->fell_back,
         t->short_of_k, 1e6 * t->cpu / queries);
  fflush(stdout);
}

/* Whether an index of this structure can be made to take the plan. */
static int has_plan(mn_structure structure, uint32_t plan) {
  if (plan == MN_PLAN_AUTO || plan == MN_PLAN_SCAN)
    return 1;
  return structure == MN_IVF ? plan == MN_PLAN_PROBE
                             : structure == MN_HNSW && plan != MN_PLAN_PROBE;
}

int main(int argc, char **argv) {
  const bench_set set = bench_open(argc, argv);
  const mn_query query = {.k = BENCH_K, .dimensions = set.dimensions};
  bench_index built = bench_build(&set, argv[6], &query);
  bench_selections s = bench_select_from(&set);
  for (bench_kind kind = BENCH_RANDOM; kind < BENCH_KINDS; kind++)
    for (uint32_t i = 0; i < BENCH_SHARES; i++) {
      tally tallies[PLANS];
      memset(tallies, 0, sizeof tallies);
      for (uint32_t q = 0; q < s.queries; q++) {
        bench_select(&set, &s, kind, bench_shares[i], q);
        const uint32_t *filter = by_slot(&set, &built.index, &s);
        for (uint32_t plan = 0; plan < PLANS; plan++)
          if (has_plan(built.index.options.structure, plan))
            ask(&set, &built.index, &built.scratch, &s, q, (mn_plan_kind)plan,
                filter, &tallies[plan]);
      }
      for (uint32_t plan = 0; plan < PLANS; plan++)
        if (has_plan(built.index.options.structure, plan))
          say(kind, bench_shares[i], (mn_plan_kind)plan, &tallies[plan],
              s.queries);
    }
  return 0;
}
