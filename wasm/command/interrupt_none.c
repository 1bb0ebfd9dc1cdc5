/* SPDX-License-Identifier: Apache-2.0 */
/* WASI has no signals. */
#include "interrupt.h"

void interrupt_removes(const char *path) {
  (void)path;
}
