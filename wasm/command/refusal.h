/* SPDX-License-Identifier: Apache-2.0 */
/* Saying which row the index refused, and why. */
#ifndef MINNOW_COMMAND_REFUSAL_H
#define MINNOW_COMMAND_REFUSAL_H

#include "input.h"

/* Row `row` of `in`, read at `place`, holding `vector` under `key`, led to
 * `status`. */
exit_code refusal_report(const input *in, uint64_t row, uint64_t place,
                         const float *vector, uint64_t key, mn_status status);

/* The first of `count` rows that no index under `metric` takes: for training,
 * which names no row. Returns `count` where there is none. */
uint32_t refusal_find(const float *rows, uint32_t count, uint32_t dimensions,
                      mn_metric metric);

#endif
