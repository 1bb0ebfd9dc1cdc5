/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the spec string, and mn_plan with whatever comes out. */
#include "../../core/minnow.h"
#include "require.h"

#include <stdlib.h>
#include <string.h>

static void plan(mn_options options, const uint8_t *numbers) {
  uint32_t capacity, k, ef;
  memcpy(&options.dimensions, numbers, 4);
  memcpy(&capacity, numbers + 4, 4);
  memcpy(&k, numbers + 8, 2);
  memcpy(&ef, numbers + 10, 2);
  k &= 0xffff;
  ef &= 0xffff;
  options.dimensions &= 0x1ffff;
  options.metric = (mn_metric)(numbers[12] % 4);
  mn_sizes sizes;
  if (mn_plan(&options, capacity, k, ef, &sizes) != MN_OK)
    return;
  REQUIRE(sizes.block_bytes % MN_ALIGNMENT == 0);
  REQUIRE(sizes.block_bytes >= (uint64_t)capacity * sizes.code_bytes);
  REQUIRE(sizes.add_scratch_bytes >= sizes.append_scratch_bytes);
  REQUIRE(sizes.add_scratch_bytes >= sizes.link_scratch_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mn_options before = {.dimensions = 3, .metric = MN_L2}, options = before;
  size_t numbers = 13, at = 99, length;
  if (size < numbers)
    return 0;
  length = size - numbers;
  char *spec = malloc(length + !length); /* exactly sized, for ASan */
  if (!spec)
    return 0;
  memcpy(spec, data + numbers, length);
  mn_status status = mn_options_parse(&options, spec, length, &at);
  free(spec);
  if (status != MN_OK) {
    REQUIRE(status == MN_ERROR_SPEC && at <= length);
    REQUIRE(!memcmp(&options, &before, sizeof options));
    return 0;
  }
  char text[MN_SPEC_BYTES], again[MN_SPEC_BYTES];
  REQUIRE(mn_options_format(&options, text) == MN_OK);
  plan(options, data);
  REQUIRE(mn_options_parse(&options, text, strlen(text), NULL) == MN_OK);
  REQUIRE(mn_options_format(&options, again) == MN_OK);
  REQUIRE(!strcmp(text, again));
  return 0;
}
