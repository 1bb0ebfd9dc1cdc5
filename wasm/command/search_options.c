/* SPDX-License-Identifier: Apache-2.0 */
#include "search.h"

#include "arguments.h"
#include "precision.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

/* The usual fetch_k: 5 times what is wanted, as the npm package has it. */
#define FETCH_FACTOR 5u

/* What is given and needs more than one look. */
typedef struct given {
  const char *k, *where, *without, *plan, *budget, *within, *like, *lambda,
      *fetch_k;
} given;

const char *const search_plans[SEARCH_PLANS] = {"auto",    "scan", "walk",
                                                "two-hop", "post", "probe"};

static exit_code read_plan(const char *name, mn_plan_kind *plan) {
  for (unsigned i = 0; name && i < SEARCH_PLANS; i++)
    if (strcmp(name, search_plans[i]) == 0) {
      *plan = (mn_plan_kind)i;
      return EXIT_OK;
    }
  return name ? report(EXIT_USAGE, "--plan",
                       "`%s` is none of auto, scan, walk, two-hop, post, probe",
                       name)
              : EXIT_OK;
}

static exit_code read_conditions(search *s, const given *g) {
  exit_code code = key_ranges_read(&s->where, "--where-keys", g->where);
  if (code == EXIT_OK)
    code = key_list_read(&s->without, "--without", g->without);
  if (code == EXIT_OK)
    code = read_plan(g->plan, &s->query.plan);
  if (code == EXIT_OK)
    code = arguments_number("--budget", g->budget, 1, UINT64_MAX,
                            &s->query.budget);
  s->query.ranges = s->where.ranges;
  s->query.range_count = s->where.count;
  s->query.without = s->without.keys;
  s->query.without_count = s->without.count;
  return code;
}

/* k, and of how many it is chosen. */
static exit_code read_diversity(search *s, const given *g) {
  uint64_t k = 0;
  exit_code code = arguments_number("-k", g->k, 1, MN_EF_MAX - s->is_like, &k);
  if (code == EXIT_OK)
    code = arguments_real("--diversify", g->lambda, 0, 1, &s->lambda);
  if (code == EXIT_OK && g->fetch_k && !g->lambda)
    return report(EXIT_USAGE, "--fetch-k",
                  "goes with --diversify, which chooses K of so many");
  if (code == EXIT_OK && g->lambda && g->within)
    return report(EXIT_USAGE, "--diversify",
                  "does not go with --within; give one");
  const uint64_t most = MN_EF_MAX - s->is_like;
  uint64_t fetch = g->lambda ? FETCH_FACTOR * k : k;
  fetch = fetch > most ? most : fetch;
  if (code == EXIT_OK)
    code = arguments_number("--fetch-k", g->fetch_k, k, most, &fetch);
  s->is_diversified = g->lambda != NULL;
  s->k = (uint32_t)k;
  s->query.k = (uint32_t)fetch;
  return code;
}

static exit_code read_kind(search *s, const given *g) {
  s->is_like = g->like != NULL;
  s->is_within = g->within != NULL;
  if (!s->queries == !s->is_like)
    return report(EXIT_USAGE, "search",
                  "give QUERIES or --like, one of them; see `minnow search "
                  "--help`");
  if (s->is_like && s->is_within)
    return report(EXIT_USAGE, "--like", "does not go with --within; give one");
  exit_code code = arguments_number("--like", g->like, 0, UINT64_MAX, &s->like);
  if (code == EXIT_OK)
    code = arguments_real("--within", g->within, -FLT_MAX, FLT_MAX, &s->radius);
  return code == EXIT_OK ? read_diversity(s, g) : code;
}

exit_code search_read_options(search *s, int words_count, char **words) {
  given g = {.k = NULL};
  precision_words precision = {.ef = NULL};
  const argument arguments[] = {
      {"INDEX", "", &s->path, NULL, true},
      {"QUERIES", "", &s->queries, NULL, false},
      {"-k", "K", &g.k, NULL, true},
      PRECISION_ARGUMENTS(&precision),
      {"--where-keys", "KEYS", &g.where, NULL, false},
      {"--without", "KEYS", &g.without, NULL, false},
      {"--filter-bits", "FILE", &s->bits_path, NULL, false},
      {"--plan", "PLAN", &g.plan, NULL, false},
      {"--budget", "N", &g.budget, NULL, false},
      {"--within", "R", &g.within, NULL, false},
      {"--like", "KEY", &g.like, NULL, false},
      {"--diversify", "L", &g.lambda, NULL, false},
      {"--fetch-k", "N", &g.fetch_k, NULL, false},
      {"--explain", "", NULL, &s->explains, false},
      {"--json", "", NULL, &s->is_json, false},
      {"--format", "FORMAT", &s->format, NULL, false},
  };
  exit_code code = arguments_read("search", arguments,
                                  sizeof arguments / sizeof arguments[0],
                                  words_count, words);
  if (code == EXIT_OK)
    code = read_kind(s, &g);
  if (code == EXIT_OK)
    code = precision_read(&precision, &s->query);
  return code == EXIT_OK ? read_conditions(s, &g) : code;
}

exit_code search_read_bits(search *s) {
  const uint32_t slots = mn_index_info(&s->file.index).slots;
  const size_t words = (slots + 31) / 32, bytes = (slots + 7) / 8;
  reader in;
  if (!s->bits_path)
    return EXIT_OK;
  exit_code code = reader_open(&in, s->bits_path);
  if (code != EXIT_OK)
    return code;
  s->bits = calloc(words + 1, sizeof *s->bits);
  size_t count = s->bits ? reader_read(&in, s->bits, words * 4) : 0;
  if (!s->bits)
    code = report_memory("a filter", words * 4);
  else if (in.failed)
    code = EXIT_INPUT;
  else if ((count != bytes && count != words * 4) ||
           reader_peek(&in) != READER_END)
    code = report(EXIT_INPUT, s->bits_path,
                  "%s has %u slots; %zu bytes are expected, a bit for each "
                  "slot, the first in the lowest",
                  s->path, slots, bytes);
  reader_close(&in);
  s->query.filter = s->bits;
  return code;
}
