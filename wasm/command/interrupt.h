/* SPDX-License-Identifier: Apache-2.0 */
/* What is left behind when the program is interrupted: nothing. A target has
 * interrupt_posix.c or interrupt_none.c (wasm/CMakeLists.txt). */
#ifndef MINNOW_COMMAND_INTERRUPT_H
#define MINNOW_COMMAND_INTERRUPT_H

/* From now on Ctrl-C, and whatever else asks the program to end, removes the
 * file at `path`, which outlives that; NULL: nothing. */
void interrupt_removes(const char *path);

#endif
