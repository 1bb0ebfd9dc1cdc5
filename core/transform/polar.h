/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_POLAR_H
#define MN_POLAR_H

#include "../kernels/kernels.h"

/* Replaces a matrix of n rows by the orthogonal matrix nearest to it, the
 * factor U of its polar decomposition U H. 0, with the matrix spoilt, where it
 * has singular values below some 2^-20 of the largest, or is not finite; its
 * magnitudes should be between 2^-32 and 2^32. `turned` and `products` have
 * room for n^2 floats each. O(n^3). */
int mn_polar(const mn_kernels *kernels, float *matrix, uint32_t n,
             float *turned, float *products);

#endif
