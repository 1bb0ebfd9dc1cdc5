/* SPDX-License-Identifier: Apache-2.0 */
#include "refusal.h"

#include <inttypes.h>
#include <math.h>

static double squared_norm(const float *vector, uint32_t dimensions) {
  double sum = 0;
  for (uint32_t i = 0; i < dimensions; i++)
    sum += (double)vector[i] * (double)vector[i];
  return sum;
}

static exit_code report_not_finite(const input *in, const char *where,
                                   const float *vector) {
  for (uint32_t i = 0; i < in->dimensions; i++)
    if (!isfinite(vector[i]))
      return report(EXIT_INPUT, in->reader.name,
                    "%s: number %u of %u is %s; finite numbers are expected",
                    where, i + 1, in->dimensions,
                    isnan(vector[i]) ? "NaN" : "infinite");
  return report(EXIT_INPUT, in->reader.name,
                "%s: the squares of its numbers sum to %g, and %g is the "
                "most; scale the vectors",
                where, squared_norm(vector, in->dimensions),
                (double)MN_NORM2_MAX);
}

exit_code refusal_report(const input *in, uint64_t row, uint64_t place,
                         const float *vector, uint64_t key, mn_status status) {
  const char *name = in->reader.name;
  char where[INPUT_PLACE_BYTES];
  input_describe(in, row, place, where);
  switch (status) {
  case MN_ERROR_NOT_FINITE:
    return report_not_finite(in, where, vector);
  case MN_ERROR_ZERO_VECTOR:
    return report(EXIT_INPUT, name,
                  "%s: a zero vector has no direction, so cosine is undefined; "
                  "leave it out, or build with --metric l2 or ip",
                  where);
  case MN_ERROR_RANGE:
    return report(EXIT_INPUT, name,
                  "%s: a number beyond what f16 holds (65504); build with "
                  "--spec f32 or bf16",
                  where);
  case MN_ERROR_DUPLICATE_KEY:
    return report(EXIT_INPUT, name,
                  "%s: its key, %" PRIu64 ", is an earlier row's too; give "
                  "every row a key of its own",
                  where, key);
  case MN_ERROR_UNKNOWN_KEY:
    return report(EXIT_INPUT, name,
                  "%s: its key, %" PRIu64 ", is not in the index; leave it "
                  "out, or add it by `minnow upsert`",
                  where, key);
  default:
    return report(EXIT_INPUT, name, "%s: refused: %s", where,
                  mn_status_name(status));
  }
}

mn_status refusal_of(const float *vector, uint32_t dimensions,
                     mn_metric metric) {
  double norm = squared_norm(vector, dimensions);
  /* Not `>`, so that NaN is caught. */
  if (!(norm <= (double)MN_NORM2_MAX))
    return MN_ERROR_NOT_FINITE;
  return metric == MN_COSINE && norm < 0x1p-126 ? MN_ERROR_ZERO_VECTOR : MN_OK;
}
