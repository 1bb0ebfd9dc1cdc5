/* SPDX-License-Identifier: Apache-2.0 */
/* Raw rows of little-endian floats, without a header. */
#include "input.h"

static exit_code begin(input *in) {
  if (in->dimensions == 0)
    return report(EXIT_USAGE, in->reader.name,
                  "raw .f32 rows do not say their length; add --dimensions D");
  in->rows_expected = in->reader.size / (in->dimensions * sizeof(float));
  return EXIT_OK;
}

static exit_code next(input *in, float *row, bool *end) {
  return input_read_row(in, row, in->dimensions * sizeof(float), end);
}

const input_format input_f32 = {"f32", begin, next};
