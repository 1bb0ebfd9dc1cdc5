/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REQUIRE_H
#define REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

/* What must hold whatever the input: says where it does not, and stops. */
#define REQUIRE(condition)                                                     \
  ((condition) ? (void)0                                                       \
               : (fprintf(stderr, "ERROR: %s:%d: not so: %s\n", __FILE__,      \
                          __LINE__, #condition),                               \
                  abort()))

#endif
