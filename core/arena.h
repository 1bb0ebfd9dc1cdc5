/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_ARENA_H
#define MN_ARENA_H

#include "minnow.h"

/* An arena without memory and without end: what is allocated from it may not
 * be touched. Planning runs the very allocations that working runs, in such an
 * arena, and reads `used`; so plans are exact by construction. */
mn_arena mn_arena_measuring(void);

#endif
