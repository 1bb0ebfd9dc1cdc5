/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static _Atomic(const char *) path_to_remove;

/* The signal is held back while this runs and its old action is in place
 * again (SA_RESETHAND), so afterwards it ends the program as it would have. */
static void remove_and_end(int signal_number) {
  const char *path = atomic_load(&path_to_remove);
  if (path)
    unlink(path);
  raise(signal_number);
}

void interrupt_removes(const char *path) {
  static const int signals[] = {SIGHUP, SIGINT, SIGTERM};
  atomic_store(&path_to_remove, path);
  struct sigaction action = {.sa_handler = remove_and_end,
                             .sa_flags = (int)SA_RESETHAND};
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
    struct sigaction before;
    /* Who started the program may want it to ignore them (nohup). */
    if (sigaction(signals[i], NULL, &before) == 0 &&
        before.sa_handler == SIG_DFL)
      sigaction(signals[i], &action, NULL);
  }
}
