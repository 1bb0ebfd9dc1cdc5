/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels of the reference that other tables use too, where their instructions
 * have nothing better. By name, because a build whose every machine has the
 * better table leaves the reference's out.
 */
#ifndef MN_KERNELS_SHARED_H
#define MN_KERNELS_SHARED_H

#include <stdint.h>

uint32_t mn_lookup_u8_c(const uint16_t *table, const uint8_t *b, uint32_t n);

#endif
