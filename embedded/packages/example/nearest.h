/* SPDX-License-Identifier: Apache-2.0 */
/* The example of every package: three vectors, and which are nearest to a
 * fourth. */
#ifndef NEAREST_H
#define NEAREST_H

#include "minnow.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The two hits nearest to {1, 0.5} among {1, 0}, {0, 1} and {5, 5}, whose keys
 * are 0, 1 and 2. */
mn_status nearest(mn_hit hits[2], uint32_t *found);

#ifdef __cplusplus
}
#endif
#endif
