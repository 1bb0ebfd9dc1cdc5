/* SPDX-License-Identifier: Apache-2.0 */
/* What the runtime asks of whoever runs the program. */
#ifndef MN_RUNTIME_HOST_H
#define MN_RUNTIME_HOST_H

#include <stddef.h>
#include <stdint.h>

/* A handle, or -1. NULL as path is standard input or output. */
intptr_t host_open(const char *path, int is_output);
int host_close(intptr_t handle);
size_t host_read(intptr_t handle, void *to, size_t bytes); /* bytes read */
int host_write(intptr_t handle, const void *from, size_t bytes); /* 0: done */
_Noreturn void host_exit(int code);

#endif
