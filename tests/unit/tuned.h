/* SPDX-License-Identifier: Apache-2.0 */
/* Tuning in exactly the scratch that was planned. */
#ifndef TUNED_H
#define TUNED_H

#include "fixture.h"

/* Tunes in just the scratch that is planned, and in no less. */
static inline mn_tuned tuned_with(mn_index *index, const mn_tuning *tuning) {
  size_t bytes = 0;
  mn_tuned tuned;
  memset(&tuned, 0xff, sizeof tuned);
  CHECK_OK(mn_plan_tune(index, tuning, &bytes));
  void *memory = aligned_alloc(MN_ALIGNMENT, bytes);
  mn_arena scratch = mn_arena_over(memory, bytes - MN_ALIGNMENT);
  CHECK_STATUS(mn_index_tune(index, tuning, &tuned, &scratch), MN_ERROR_ARENA);
  CHECK_EQUAL(scratch.used, 0);
  scratch = mn_arena_over(memory, bytes);
  CHECK_OK(mn_index_tune(index, tuning, &tuned, &scratch));
  CHECK_EQUAL(scratch.peak, bytes);
  CHECK_EQUAL(scratch.used, 0);
  free(memory);
  return tuned;
}

#endif
