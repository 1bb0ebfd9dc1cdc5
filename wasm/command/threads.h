/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that share out numbered tasks, round after round. A target has
 * threads_posix.c or threads_none.c (wasm/CMakeLists.txt). */
#ifndef MINNOW_COMMAND_THREADS_H
#define MINNOW_COMMAND_THREADS_H

#include "report.h"

typedef struct threads threads;

/* Does task `task` of a round, as thread `thread` of `count`. */
typedef void (*threads_task)(void *context, uint32_t thread, uint32_t task);

/* Processors that threads could run on; 0 where there can be no threads. */
uint32_t threads_processors(void);

/* `count` threads, of which the caller is number 0. */
exit_code threads_create(threads **made, uint32_t count, threads_task task,
                         void *context);

/* One round: tasks 0 to `tasks` - 1, each once. Returns when all are done. */
void threads_run(threads *all, uint32_t tasks);

void threads_end(threads *all);

#endif
