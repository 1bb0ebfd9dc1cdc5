/* SPDX-License-Identifier: Apache-2.0 */
/* The browser module's searches. JavaScript puts a query into memory as
 * minnow.h has it (js/src/instance.ts, QUERY); its `stats` are the report's. */
#include "module.h"

AT(mn_query, nprobe, 16);
AT(mn_query, refine_k, 28);
AT(mn_query, filter, 40);
AT(mn_query, ranges, 48);
AT(mn_query, without_count, 60);
AT(mn_query, plan, 72);
AT(mn_query, gamma, 76);
AT(mn_query, budget, 80);
_Static_assert(sizeof(mn_query) == 88, "js/src/instance.ts");
AT(mn_stats, probed, 20);
AT(mn_stats, planes, 32);
AT(mn_stats, refine_bytes, 40);
AT(mn_stats, fell_back, 64);
_Static_assert(sizeof(mn_hit) == 16, "js/src/instance.ts");

/* The plan for a query, whose stats are the report's. */
static int32_t plan_query(mn_query *query, mn_sizes *sizes) {
  query->stats = &report.stats;
  return mn_plan_search(&index_, query, sizes);
}

/* `report.value` is the number of hits, `report.stats` what was done. */
int32_t EXPORT(search)(mn_hit *hits, mn_query *query) {
  mn_sizes sizes;
  int32_t status = plan_query(query, &sizes);
  if (!status)
    status = make_room(sizes.search_scratch_bytes);
  return status ? status
                : mn_index_search(&index_, query, hits, &report.value, &arena);
}

/* The same by the vector of a key. */
int32_t EXPORT(like)(mn_hit *hits, mn_query *query, uint32_t key_low,
                     uint32_t key_high) {
  const uint64_t key = (uint64_t)key_high << 32 | key_low;
  mn_sizes sizes;
  int32_t status = plan_query(query, &sizes);
  if (!status)
    status = make_room(sizes.like_scratch_bytes);
  return status ? status
                : mn_index_search_like(&index_, key, query, hits, &report.value,
                                       &arena);
}

/* The same of all within the radius. */
int32_t EXPORT(within)(mn_hit *hits, mn_query *query, float radius) {
  mn_sizes sizes;
  int32_t status = plan_query(query, &sizes);
  if (!status)
    status = make_room(sizes.within_scratch_bytes);
  return status ? status
                : mn_index_within(&index_, query, radius, hits, &report.value,
                                  &arena);
}

/* Puts k of the hits, unlike each other, to the front. */
int32_t EXPORT(diversify)(mn_hit *hits, uint32_t count, uint32_t k,
                          float lambda) {
  mn_query query = {.k = count};
  mn_sizes sizes;
  int32_t status = plan(index_.capacity, &query, &sizes);
  if (!status)
    status = make_room(sizes.diversify_scratch_bytes);
  return status ? status
                : mn_index_diversify(&index_, hits, count, k, lambda, &arena);
}

/* Ranks hits by the rows that were fetched for them. */
int32_t EXPORT(rank)(mn_hit *hits, const float *vector, const float *data,
                     uint32_t count, uint32_t dimensions) {
  const mn_query query = {.k = count};
  mn_vectors vectors = {data, count, dimensions};
  mn_sizes sizes;
  int32_t status = plan(index_.capacity, &query, &sizes);
  if (!status)
    status = make_room(sizes.rank_scratch_bytes);
  return status ? status
                : mn_index_rank(&index_, vector, &vectors, hits, &arena);
}

/* `report.value` is the slot. */
int32_t EXPORT(find)(uint32_t key_low, uint32_t key_high) {
  uint64_t key = (uint64_t)key_high << 32 | key_low;
  return mn_index_find(&index_, key, &report.value);
}

int32_t EXPORT(reconstruct)(uint32_t key_low, uint32_t key_high, float *vector,
                            uint32_t dimensions) {
  uint64_t key = (uint64_t)key_high << 32 | key_low;
  int32_t status = vector_room();
  return status
             ? status
             : mn_index_reconstruct(&index_, key, vector, dimensions, &arena);
}

/* --- Recall --------------------------------------------------------------- */

AT(mn_recall, recall, 16);
AT(mn_recall, refined, 32);
AT(mn_tuned, gamma, 12);
AT(mn_tuned, recall, 16);
AT(mn_tuned, reached, 56);
AT(mn_tuned, spent, 72);
AT(mn_audit, vectors, 40);
AT(mn_audit, largest_list, 88);
AT(struct report, tuned, 328);
AT(struct report, audit, 408);

/* What to measure with: `count` queries, or so many vectors of the index. */
static mn_sampling sampling_of(const mn_query *query, const mn_vectors *queries,
                               uint32_t sample) {
  return (mn_sampling){.query = query,
                       .queries = queries->data ? queries : NULL,
                       .sample = sample};
}

/* `report.tuned` is what was found. */
int32_t EXPORT(tune)(const mn_query *query, const float *data, uint32_t count,
                     uint32_t sample, float recall, uint32_t ef_max,
                     uint32_t store, uint32_t budget_low,
                     uint32_t budget_high) {
  const mn_vectors queries = {data, count, index_.options.dimensions};
  const mn_tuning tuning = {.sampling = sampling_of(query, &queries, sample),
                            .recall = recall,
                            .ef_max = ef_max,
                            .store = store,
                            .budget = (uint64_t)budget_high << 32 | budget_low};
  size_t bytes;
  int32_t status = mn_plan_tune(&index_, &tuning, &bytes);
  if (!status)
    status = make_room(bytes);
  return status ? status
                : mn_index_tune(&index_, &tuning, &report.tuned, &arena);
}

/* Stores what is given, unmeasured; zeros: the defaults. */
int32_t EXPORT(set_tuned)(uint32_t ef, float gamma, uint32_t nprobe,
                          float refine_k) {
  return mn_index_set_tuned(&index_, ef, gamma, nprobe, refine_k);
}

/* `report.audit` is what was seen; recall only where there is a query. */
int32_t EXPORT(audit)(const mn_query *query, const float *data, uint32_t count,
                      uint32_t sample) {
  const mn_vectors queries = {data, count, index_.options.dimensions};
  const mn_sampling sampling = sampling_of(query, &queries, sample);
  size_t bytes;
  int32_t status = mn_plan_audit(&index_, &sampling, &bytes);
  if (!status)
    status = make_room(bytes);
  return status ? status
                : mn_index_audit(&index_, &sampling, &report.audit, &arena);
}
