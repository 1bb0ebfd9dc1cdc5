/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the spec string, and mn_plan with whatever comes out. */
#include "../../core/minnow.h"
#include "require.h"

#include <stdlib.h>
#include <string.h>

#define NUMBERS 20u /* bytes */

static void plan(mn_options options, const uint8_t *numbers) {
  uint32_t capacity, sample;
  uint16_t k, ef;
  mn_query query = {.planes = numbers[13] % 10,
                    .refine_planes = numbers[14] % 10,
                    .refine_k = (float)numbers[15] / 8};
  memcpy(&options.dimensions, numbers, 4);
  memcpy(&capacity, numbers + 4, 4);
  memcpy(&k, numbers + 8, 2);
  memcpy(&ef, numbers + 10, 2);
  memcpy(&sample, numbers + 16, 4);
  query.k = k;
  query.ef = ef;
  options.dimensions &= 0x1ffff;
  options.metric = (mn_metric)(numbers[12] % 6);
  mn_sizes sizes;
  mn_training training;
  const mn_status status = mn_plan_training(&options, sample, &training);
  if (status == MN_OK) {
    REQUIRE(training.least <= training.enough);
    REQUIRE(training.least == 0 || training.scratch_bytes >= sample);
    REQUIRE(training.scratch_bytes % MN_ALIGNMENT == 0);
  }
  if (mn_plan(&options, capacity, &query, &sizes) != MN_OK)
    return;
  /* How many lists there will be follows from the capacity. */
  const int is_open = options.structure == MN_IVF && options.nlist == 0;
  REQUIRE(status == MN_OK || status == MN_ERROR_TOO_LARGE ||
          (is_open && status == MN_ERROR_ARGUMENT));
  REQUIRE(sizes.block_bytes % MN_ALIGNMENT == 0);
  REQUIRE(sizes.block_bytes >=
          (uint64_t)capacity * (sizes.code_bytes + sizes.refine_bytes));
  REQUIRE(sizes.add_scratch_bytes >= sizes.append_scratch_bytes);
  REQUIRE(sizes.add_scratch_bytes >= sizes.link_scratch_bytes);
  REQUIRE(sizes.vector_scratch_bytes >= sizes.append_scratch_bytes);
}

/* A spec that was read is written and read again. Before dimensions and metric
 * are known it need not be one that there can be. */
static void format(mn_options options) {
  char text[MN_SPEC_BYTES], again[MN_SPEC_BYTES];
  if (mn_options_format(&options, text) != MN_OK)
    return;
  REQUIRE(mn_options_parse(&options, text, strlen(text), NULL) == MN_OK);
  REQUIRE(mn_options_format(&options, again) == MN_OK);
  REQUIRE(!strcmp(text, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mn_options before, options;
  size_t at = 99;
  if (size < NUMBERS)
    return 0;
  memset(&before, 0, sizeof before);
  before.dimensions = 3;
  before.metric = MN_L2;
  memcpy(&options, &before, sizeof before);
  const size_t length = size - NUMBERS;
  char *spec = malloc(length + !length); /* exactly sized, for ASan */
  if (!spec)
    return 0;
  memcpy(spec, data + NUMBERS, length);
  const mn_status status = mn_options_parse(&options, spec, length, &at);
  free(spec);
  if (status != MN_OK) {
    REQUIRE(status == MN_ERROR_SPEC && at <= length);
    REQUIRE(!memcmp(&options, &before, sizeof options));
    return 0;
  }
  options.dimensions = options.kept_dimensions > 0 ? options.kept_dimensions
                       : options.pq_m > 0          ? options.pq_m
                                                   : 24;
  if (options.encoding == MN_SIGN)
    options.metric = MN_JACCARD;
  format(options);
  plan(options, data);
  return 0;
}
