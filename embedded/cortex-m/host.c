/* SPDX-License-Identifier: Apache-2.0 */
#include "../runtime/host.h"
#include "semihosting.h"

#include <string.h>

intptr_t host_open(const char *path, int is_output) {
  const char *name = path == NULL ? ":tt" : path; /* the console */
  const uintptr_t block[3] = {(uintptr_t)name, is_output ? 5 : 1,
                              strlen(name)}; /* modes: wb, rb */
  return semihost(SYS_OPEN, block);
}

int host_close(intptr_t handle) {
  const uintptr_t block[1] = {(uintptr_t)handle};
  return semihost(SYS_CLOSE, block) == 0 ? 0 : -1;
}

/* Reading and writing tell how many bytes are left. */
size_t host_read(intptr_t handle, void *to, size_t bytes) {
  const uintptr_t block[3] = {(uintptr_t)handle, (uintptr_t)to, bytes};
  const uintptr_t left = (uintptr_t)semihost(SYS_READ, block);
  return left > bytes ? 0 : bytes - left;
}

int host_write(intptr_t handle, const void *from, size_t bytes) {
  const uintptr_t block[3] = {(uintptr_t)handle, (uintptr_t)from, bytes};
  return semihost(SYS_WRITE, block) == 0 ? 0 : -1;
}

void host_exit(int code) {
  const uintptr_t reason[2] = {ADP_STOPPED_APPLICATION_EXIT, (uintptr_t)code};
  semihost(SYS_EXIT_EXTENDED, reason);
  for (;;)
    ;
}
