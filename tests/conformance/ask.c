/* SPDX-License-Identifier: Apache-2.0 */
/* What an index is asked: the words of the column `search`, and codes. */
#include "case.h"

#include <inttypes.h>
#include <stdlib.h>

#define AUDIT_SAMPLE 30u

/* --- Hashing -------------------------------------------------------------- */

static void hash_hits(gen_hash *hash, const runner *r, const mn_hit *hits,
                      uint32_t count) {
  gen_hash_word(hash, count);
  for (uint32_t i = 0; i < count; i++) {
    gen_hash_long(hash, hits[i].key);
    gen_hash_float(hash, hits[i].distance);
    gen_hash_word(hash, case_row(r, hits[i].key));
  }
}

static void hash_stats(gen_hash *hash, const mn_stats *stats) {
  gen_hash_long(hash, stats->distances);
  gen_hash_word(hash, stats->hops);
  gen_hash_word(hash, stats->exact);
  gen_hash_long(hash, stats->bytes);
  gen_hash_word(hash, stats->refined);
  gen_hash_word(hash, stats->planes);
  gen_hash_long(hash, stats->refine_bytes);
  gen_hash_word(hash, stats->probed);
  gen_hash_word(hash, stats->plan);
  gen_hash_word(hash, stats->reason);
  gen_hash_word(hash, stats->matches);
  gen_hash_word(hash, stats->cut & 1);
  gen_hash_word(hash, stats->fell_back);
}

void case_hash_recall(gen_hash *hash, const mn_recall *recall) {
  gen_hash_word(hash, recall->queries);
  gen_hash_word(hash, recall->k);
  gen_hash_float(hash, recall->recall);
  gen_hash_float(hash, recall->low);
  gen_hash_float(hash, recall->high);
  gen_hash_float(hash, recall->distances);
  gen_hash_float(hash, recall->refined);
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

/* --- A query -------------------------------------------------------------- */

/* What all queries of a case have in common. */
typedef struct asking {
  mn_query query;
  mn_stats stats;
  mn_key_range ranges[2];
  uint64_t *without;
  uint32_t match_each; /* rows that are a multiple of it are no hits */
  const runner *r;
  mn_hit *hits;
} asking;

/* The vectors lie where they were generated. */
static mn_status fetch(void *context, uint64_t key, uint32_t slot,
                       float *vector) {
  const runner *r = context;
  const uint32_t d = r->index.options.dimensions;
  (void)slot;
  memcpy(vector, r->rows + (size_t)case_row(r, key) * d, d * sizeof *vector);
  return MN_OK;
}

static int match(void *context, uint64_t key, uint32_t slot) {
  const asking *a = context;
  (void)slot;
  return case_row(a->r, key) % a->match_each != 0;
}

static mn_plan_kind plan_of(const char *search) {
  static const char *const plans[] = {"plan=auto", "plan=scan",
                                      "plan=walk", "plan=two-hop",
                                      "plan=post", "plan=probe"};
  for (unsigned i = 0; i < 6; i++)
    if (strstr(search, plans[i]))
      return (mn_plan_kind)i;
  return MN_PLAN_AUTO;
}

/* Keys of two runs of rows, `percent` of them together, or one row each. */
static void set_ranges(asking *a, const test_case *c, uint32_t percent) {
  const uint32_t firsts[] = {c->n / 8, c->n / 2};
  for (uint32_t i = 0; i < 2; i++)
    a->ranges[i] =
        (mn_key_range){case_key(a->r, firsts[i]),
                       case_key(a->r, firsts[i] + c->n * percent / 200)};
  a->query.ranges = a->ranges;
  a->query.range_count = 2;
}

/* Every row that is a multiple of `each`, and a key that is not there. */
static mn_status set_without(asking *a, const test_case *c, uint32_t each,
                             mn_arena *arena) {
  uint32_t count = 0;
  a->without = mn_arena_allocate(arena, (c->n / each + 2) * sizeof(uint64_t));
  if (!a->without)
    return MN_ERROR_ARENA;
  for (uint32_t row = 0; row < c->n; row += each)
    a->without[count++] = case_key(a->r, row);
  a->without[count++] = case_key(a->r, 3 * c->n);
  a->query.without = a->without;
  a->query.without_count = count;
  return MN_OK;
}

static mn_status set_filter(asking *a, const test_case *c, mn_arena *arena) {
  const uint32_t slots = mn_index_info(&a->r->index).slots;
  const uint32_t percent = (uint32_t)strtoul(c->filter, NULL, 10);
  uint32_t *filter = mn_arena_allocate(arena, (slots + 31) / 32 * 4 + 4);
  if (!filter)
    return MN_ERROR_ARENA;
  gen_filter(filter, c->seed, slots, percent);
  a->query.filter = filter;
  return MN_OK;
}

static mn_status prepare(asking *a, runner *r, const test_case *c) {
  const char *search = c->search;
  const uint32_t of = (uint32_t)case_option(search, "of=");
  *a = (asking){.r = r, .match_each = (uint32_t)case_option(search, "match=")};
  a->query = (mn_query){
      .dimensions = c->options.dimensions,
      .k = of ? of : c->k,
      .ef = c->ef,
      .gamma = (float)case_option(search, "gamma="),
      .nprobe = (uint32_t)case_option(search, "nprobe="),
      .planes = (uint32_t)case_option(search, "planes="),
      .refine_planes = (uint32_t)case_option(search, "refine_by="),
      .refine_k = (float)case_option(search, "refine_k="),
      .fetch = strstr(search, "fetch") ? fetch : NULL,
      .fetch_context = r,
      .match = a->match_each ? match : NULL,
      .match_context = a,
      .plan = plan_of(search),
      .budget = (uint64_t)case_option(search, "budget="),
      .stats = &a->stats,
  };
  a->hits = mn_arena_allocate(&r->arena, (size_t)a->query.k * c->queries *
                                             sizeof *a->hits);
  if (!a->hits)
    return MN_ERROR_ARENA;
  if (strstr(search, "ranges="))
    set_ranges(a, c, (uint32_t)case_option(search, "ranges="));
  if (strstr(search, "without="))
    TRY(set_without(a, c, (uint32_t)case_option(search, "without="),
                    &r->arena));
  return strcmp(c->filter, "none") ? set_filter(a, c, &r->arena) : MN_OK;
}

/* --- Searching ------------------------------------------------------------ */

/* The nth query, be it a row or the key of one. */
static mn_status search_one(asking *a, runner *r, const test_case *c,
                            uint32_t nth, uint32_t *found) {
  const mn_index *index = &r->index;
  const char *search = c->search;
  const uint64_t key = case_key(r, c->n / c->queries * nth);
  a->query.vector = r->rows + (size_t)(c->n + nth) * c->options.dimensions;
  if (strstr(search, "like"))
    TRY(mn_index_search_like(index, key, &a->query, a->hits, found, &r->arena));
  else if (strstr(search, "within="))
    TRY(mn_index_within(index, &a->query, (float)case_option(search, "within="),
                        a->hits, found, &r->arena));
  else
    TRY(mn_index_search(index, &a->query, a->hits, found, &r->arena));
  if (!strstr(search, "diversify="))
    return MN_OK;
  const uint32_t all = *found;
  *found = all < c->k ? all : c->k;
  return mn_index_diversify(index, a->hits, all, *found,
                            (float)case_option(search, "diversify="),
                            &r->arena);
}

static mn_status search_each(asking *a, runner *r, const test_case *c,
                             gen_hash *hash, FILE *file) {
  for (uint32_t i = 0; i < c->queries; i++) {
    uint32_t found;
    TRY(search_one(a, r, c, i, &found));
    hash_hits(hash, r, a->hits, found);
    hash_stats(hash, &a->stats);
    if (strstr(c->search, "within="))
      gen_hash_word(hash, a->stats.cut == 0);
    save_hits(file, i, a->hits, found);
  }
  return MN_OK;
}

/* All at once: of the stats those that hosts can add up. */
static mn_status search_many(asking *a, runner *r, const test_case *c,
                             gen_hash *hash, FILE *file) {
  const mn_vectors queries = case_view(r, c->n, c->queries);
  uint32_t *counts = mn_arena_allocate(&r->arena, c->queries * sizeof *counts);
  if (!counts)
    return MN_ERROR_ARENA;
  TRY(mn_index_search_many(&r->index, &queries, &a->query, a->hits, counts,
                           &r->arena));
  for (uint32_t i = 0; i < c->queries; i++) {
    const mn_hit *hits = a->hits + (size_t)i * a->query.k;
    hash_hits(hash, r, hits, counts[i]);
    save_hits(file, i, hits, counts[i]);
  }
  gen_hash_long(hash, a->stats.distances);
  gen_hash_long(hash, a->stats.bytes);
  gen_hash_word(hash, a->stats.refined);
  return MN_OK;
}

static mn_status audit(asking *a, runner *r, gen_hash *hash) {
  const mn_sampling sampling = {.query = &a->query, .sample = AUDIT_SAMPLE};
  mn_audit audit;
  TRY(mn_index_audit(&r->index, &sampling, &audit, &r->arena));
  case_hash_recall(hash, &audit.recall);
  gen_hash_word(hash, audit.vectors);
  gen_hash_float(hash, audit.dead_share);
  gen_hash_word(hash, audit.duplicates);
  gen_hash_word(hash, audit.groups);
  gen_hash_word(hash, audit.largest);
  gen_hash_word(hash, audit.linked);
  gen_hash_word(hash, audit.pending);
  gen_hash_word(hash, audit.unreachable);
  gen_hash_float(hash, audit.links);
  gen_hash_float(hash, audit.link_bits);
  gen_hash_word(hash, audit.lists);
  gen_hash_word(hash, audit.empty_lists);
  gen_hash_word(hash, audit.largest_list);
  return MN_OK;
}

static mn_status search(runner *r, const test_case *c, gen_hash *hash,
                        FILE *file) {
  const size_t mark = mn_arena_mark(&r->arena);
  asking a;
  TRY(prepare(&a, r, c));
  TRY(strstr(c->search, "many") ? search_many(&a, r, c, hash, file)
                                : search_each(&a, r, c, hash, file));
  if (strstr(c->search, "audit"))
    TRY(audit(&a, r, hash));
  mn_arena_rewind(&r->arena, mark);
  return MN_OK;
}

/* --- Vectors and codes ---------------------------------------------------- */

/* Some rows as the index keeps them, but for deleted ones. */
static mn_status reconstruct(runner *r, const test_case *c, gen_hash *hash) {
  static float row[MN_DIMENSIONS_MAX];
  for (uint32_t i = 0; i < c->n; i += c->n / 8 + 1) {
    uint32_t dimensions = c->options.dimensions;
    const mn_status status = mn_index_reconstruct(&r->index, case_key(r, i),
                                                  row, dimensions, &r->arena);
    if (status == MN_ERROR_UNKNOWN_KEY)
      continue;
    TRY(status);
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
  const mn_vectors queries = case_view(r, c->n, c->queries);
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

mn_status case_ask(runner *r, const test_case *c, gen_hash *answers,
                   FILE *file) {
  TRY(search(r, c, answers, file));
  TRY(reconstruct(r, c, answers));
  return encode(r, c, answers);
}
