/* SPDX-License-Identifier: Apache-2.0 */
/* A progress bar on standard error, shown only when that is a terminal. */
#ifndef MINNOW_COMMAND_PROGRESS_H
#define MINNOW_COMMAND_PROGRESS_H

#include <stdint.h>

/* Begins a bar labelled `what`, a string that outlives it. */
void progress_begin(const char *what);

/* `done` of `total` units of work (bytes or vectors; 0: total not known), and
 * the vectors that makes. Draws at most ten times a second. */
void progress_update(uint64_t done, uint64_t total, uint64_t vectors);

/* Takes the bar off the screen, so that something else can be printed. */
void progress_clear(void);

#endif
