/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_POLAR_H
#define MN_POLAR_H

#include "../kernels/kernels.h"

/* Replaces a regular matrix of n rows by the orthogonal matrix nearest to it,
 * the factor U of its polar decomposition U H. Its norm (Frobenius) should be
 * between 2^-40 and 2^40. `turned` and `products` have room for n^2 floats
 * each. O(n^3) for each of up to 60 steps: some log_1.5 of the ratio of the
 * largest singular value to the smallest, and 6. */
void mn_polar(const mn_kernels *kernels, float *matrix, uint32_t n,
              float *turned, float *products);

#endif
