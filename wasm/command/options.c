/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <inttypes.h>
#include <string.h>

static const char *const metric_names[] = {
    [MN_L2] = "l2",           [MN_IP] = "ip",           [MN_COSINE] = "cosine",
    [MN_HAMMING] = "hamming", [MN_JACCARD] = "jaccard",
};

const char *metric_name(mn_metric metric) {
  return metric_names[metric];
}

bool metric_is_binary(mn_metric metric) {
  return metric == MN_HAMMING || metric == MN_JACCARD;
}

exit_code options_read_metric(const char *name, mn_options *options) {
  for (mn_metric m = MN_L2; m <= MN_JACCARD; m++)
    if (strcmp(name, metric_name(m)) == 0) {
      options->metric = m;
      return EXIT_OK;
    }
  return report(EXIT_USAGE, "--metric",
                "`%s` is not a metric; give l2, ip, cosine, hamming or jaccard",
                name);
}

exit_code options_read_spec(const char *spec, mn_options *options) {
  size_t at = 0;
  if (mn_options_parse(options, spec, strlen(spec), &at) == MN_OK)
    return EXIT_OK;
  return report(EXIT_USAGE, "--spec",
                "not understood from the mark on; `minnow build --help` lists "
                "the words\n"
                "  %s\n"
                "  %*s^",
                spec, (int)at, "");
}

/* --- Choosing ------------------------------------------------------------- */

static mn_status choose(mn_options *options, uint32_t count, uint64_t budget,
                        bool is_paged) {
  return mn_options_choose(options, count, budget, is_paged && count > 0);
}

/* The least that fits: the first power of two that does, then by halving. */
static uint64_t least_budget(const mn_options *options, uint32_t count,
                             bool is_paged) {
  mn_options chosen = *options;
  uint64_t high = 1;
  while (high < UINT64_MAX / 2 &&
         choose(&chosen, count, high, is_paged) != MN_OK)
    high *= 2;
  uint64_t low = high / 2;
  while (high - low > 1) {
    uint64_t middle = low + (high - low) / 2;
    if (choose(&chosen, count, middle, is_paged) == MN_OK)
      high = middle;
    else
      low = middle;
  }
  return high;
}

exit_code options_choose(mn_options *options, uint64_t count, uint64_t budget,
                         bool is_paged) {
  /* What is too many is refused where the index is made. */
  uint32_t n = count < MN_CAPACITY_MAX ? (uint32_t)count : MN_CAPACITY_MAX;
  mn_status status = choose(options, n, budget, is_paged);
  if (status == MN_ERROR_CAPACITY)
    return report(EXIT_USAGE, "--budget",
                  "%u vectors of %u dimensions do not fit into %" PRIu64
                  " bytes; %" PRIu64 " are the least",
                  n, options->dimensions, budget,
                  least_budget(options, n, is_paged));
  return status == MN_OK ? EXIT_OK : report_status("choosing", status);
}

/* --- What goes together --------------------------------------------------- */

static bool is_pq(const mn_options *o) {
  return o->encoding == MN_PQ || o->encoding == MN_PRQ;
}

static exit_code check_metric(const mn_options *o) {
  const bool is_binary = metric_is_binary(o->metric);
  const bool is_sign = o->encoding == MN_SIGN;
  if (!is_binary && is_sign)
    return report(EXIT_USAGE, "--spec",
                  "sign is for --metric hamming or jaccard, not %s; bits1 is "
                  "its like",
                  metric_name(o->metric));
  if (is_binary &&
      ((o->encoding != 0 && !is_sign) || o->refine != 0 ||
       (o->transform != MN_NO_TRANSFORM && o->transform != MN_FIRST)))
    return report(EXIT_USAGE, "--spec",
                  "--metric %s takes [auto|flat|hnsw[M]][,firstN][,sign]",
                  metric_name(o->metric));
  return EXIT_OK;
}

static exit_code check_dimensions(const mn_options *o) {
  if (o->kept_dimensions > o->dimensions)
    return report(EXIT_USAGE, "--spec",
                  "%u dimensions cannot be kept of vectors of %u",
                  o->kept_dimensions, o->dimensions);
  const uint32_t d = o->kept_dimensions ? o->kept_dimensions : o->dimensions;
  if (is_pq(o) && d % o->pq_m != 0)
    return report(EXIT_USAGE, "--spec",
                  "pq cuts a vector of %u dimensions into %u parts of one "
                  "size, which is not possible; give a divisor",
                  d, o->pq_m);
  return EXIT_OK;
}

exit_code options_check(const mn_options *o) {
  exit_code code = check_metric(o);
  if (code == EXIT_OK && o->transform == MN_OPQ && !is_pq(o))
    return report(EXIT_USAGE, "--spec", "opq goes with pq or prq");
  if (code == EXIT_OK && o->dimensions > 0)
    code = check_dimensions(o);
  const uint32_t m = o->m ? o->m : 16;
  if (code == EXIT_OK && o->ef_construction > 0 && o->ef_construction < m)
    return report(EXIT_USAGE, "--ef-construction",
                  "%u is less than the graph's M, %u; give that or more",
                  o->ef_construction, m);
  return code;
}

exit_code options_training(const mn_options *options, uint32_t count,
                           mn_training *training) {
  mn_status status = mn_plan_training(options, count, training);
  if (status == MN_ERROR_TOO_LARGE)
    return report(EXIT_MEMORY, "training",
                  "too large for this program's address space; give a smaller "
                  "--train");
  return status == MN_OK ? EXIT_OK : report_status("planning", status);
}
