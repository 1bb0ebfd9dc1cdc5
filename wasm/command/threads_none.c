/* SPDX-License-Identifier: Apache-2.0 */
/* WASI, preview 1: the caller does everything. */
#include "threads.h"

#include <stdlib.h>

struct threads {
  threads_task task;
  void *context;
};

uint32_t threads_processors(void) {
  return 0;
}

exit_code threads_create(threads **made, uint32_t count, threads_task task,
                         void *context) {
  (void)count;
  *made = malloc(sizeof **made);
  if (!*made)
    return report_memory("threads", sizeof **made);
  **made = (threads){task, context};
  return EXIT_OK;
}

void threads_run(threads *all, uint32_t tasks) {
  for (uint32_t task = 0; task < tasks; task++)
    all->task(all->context, 0, task);
}

void threads_end(threads *all) {
  free(all);
}
