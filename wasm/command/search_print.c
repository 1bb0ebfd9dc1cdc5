/* SPDX-License-Identifier: Apache-2.0 */
#include "search.h"

#include <inttypes.h>
#include <stdio.h>

/* Reasons by name, as in the npm package, and in words. */
static const struct reason {
  const char *name, *text;
} reasons[] = {
    [0] = {"", ""},
    [MN_WHY_NO_GRAPH] = {"no-graph", "there is no graph to walk"},
    [MN_WHY_FORCED] = {"forced", "--plan said so"},
    [MN_WHY_ALL] = {"all", "there is no condition"},
    [MN_WHY_FEW] = {"few", "comparing the matches takes least"},
    [MN_WHY_SPARSE] = {"sparse", "most links lead to no match"},
    [MN_WHY_DENSE] = {"dense", "enough vectors match"},
};

static const char *truth(int value) {
  return value ? "true" : "false";
}

/* --- JSON ----------------------------------------------------------------- */

/* Names as in the npm package's stats. */
static void print_stats_json(const mn_stats *stats) {
  printf(",\"stats\":{\"plan\":\"%s\",\"reason\":\"%s\",\"matches\":%u,"
         "\"distances\":%" PRIu64 ",\"bytes\":%" PRIu64
         ",\"refineBytes\":%" PRIu64 ",\"hops\":%u,\"probed\":%u,"
         "\"refined\":%u,\"planes\":%u,\"exact\":%s,\"cut\":%s,"
         "\"fellBack\":%s}",
         search_plans[stats->plan], reasons[stats->reason].name, stats->matches,
         stats->distances, stats->bytes, stats->refine_bytes, stats->hops,
         stats->probed, stats->refined, stats->planes, truth((int)stats->exact),
         truth(stats->cut & 1), truth((int)stats->fell_back));
}

/* 9 digits tell every float from its neighbours. */
static void print_json(const search *s, uint64_t number, uint32_t count,
                       const mn_stats *stats) {
  printf("{\"%s\":%" PRIu64 ",\"keys\":[", s->is_like ? "like" : "query",
         number);
  for (uint32_t i = 0; i < count; i++)
    printf("%s%" PRIu64, i ? "," : "", s->hits[i].key);
  fputs("],\"distances\":[", stdout);
  for (uint32_t i = 0; i < count; i++)
    printf("%s%.9g", i ? "," : "", (double)s->hits[i].distance);
  fputs("]", stdout);
  if (s->is_within)
    printf(",\"complete\":%s", truth(stats->cut == 0));
  if (s->explains)
    print_stats_json(stats);
  fputs("}\n", stdout);
}

/* --- For people ----------------------------------------------------------- */

static void print_work(const mn_stats *stats) {
  printf(", %" PRIu64 " distances computed", stats->distances);
  if (stats->planes > 0)
    printf(" by %u plane%s", stats->planes, stats->planes > 1 ? "s" : "");
  if (stats->refined > 0)
    printf(", %u refined", stats->refined);
  printf(", %" PRIu64 " bytes read\n", stats->bytes);
}

static void print_explanation(const mn_stats *stats) {
  printf("  plan       %s: %s\n", search_plans[stats->plan],
         reasons[stats->reason].text);
  printf("  matches    %u\n", stats->matches);
  if (stats->hops > 0)
    printf("  hops       the links of %u vectors\n", stats->hops);
  if (stats->probed > 0)
    printf("  probed     %u lists\n", stats->probed);
  if (stats->refine_bytes > 0)
    printf("  refined    over %" PRIu64 " of the bytes\n", stats->refine_bytes);
  printf("  exact      %s\n", stats->exact ? "yes" : "no");
  if (stats->fell_back)
    puts("  fell back  on a scan of the matches, as the walk found too few or "
         "took too long");
  if (stats->cut & 1)
    puts("  cut        by --budget: there may be nearer vectors, and more");
}

static void print_table(const search *s, uint64_t number, uint32_t count,
                        const mn_stats *stats) {
  printf("%s %" PRIu64 ": %u ", s->is_like ? "key" : "query", number, count);
  if (s->is_within)
    printf("within %.9g%s", (double)s->radius,
           stats->cut ? ", and perhaps more" : "");
  else
    printf("nearest%s", stats->exact ? " (exact)" : "");
  print_work(stats);
  if (s->explains)
    print_explanation(stats);
  printf("%6s  %20s  %s\n", "rank", "key", "distance");
  for (uint32_t i = 0; i < count; i++)
    printf("%6u  %20" PRIu64 "  %.9g\n", i + 1, s->hits[i].key,
           (double)s->hits[i].distance);
}

void search_print(const search *s, uint64_t number, uint32_t count,
                  const mn_stats *stats) {
  if (s->is_json)
    print_json(s, number, count, stats);
  else
    print_table(s, number, count, stats);
}
