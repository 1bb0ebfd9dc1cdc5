/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_CODES_H
#define MN_CODES_H

#include "minnow.h"

/* Takes from `measuring` what the largest call on single vectors and codes
 * takes. 0 where it does not fit. */
int mn_codes_measure(const mn_options *options, mn_arena *measuring);

#endif
