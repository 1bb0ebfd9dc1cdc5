/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_OPTIONS_H
#define MN_OPTIONS_H

#include "minnow.h"

/* Fills in the defaults, decides MN_AUTO for `capacity`, and checks every
 * range, the capacity's included. `*is_auto` is 1 where MN_AUTO decided. */
mn_status mn_options_complete(const mn_options *options, uint32_t capacity,
                              mn_options *complete, int *is_auto);

#endif
