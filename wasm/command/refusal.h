/* SPDX-License-Identifier: Apache-2.0 */
/* Saying which row the index refused, and why. */
#ifndef MINNOW_COMMAND_REFUSAL_H
#define MINNOW_COMMAND_REFUSAL_H

#include "input.h"

/* Row `row` of `in`, read at `place`, holding `vector` under `key`, led to
 * `status`. */
exit_code refusal_report(const input *in, uint64_t row, uint64_t place,
                         const float *vector, uint64_t key, mn_status status);

/* What every index under `metric` would refuse the vector for; MN_OK where it
 * is not that. For training, which names no row. */
mn_status refusal_of(const float *vector, uint32_t dimensions,
                     mn_metric metric);

#endif
