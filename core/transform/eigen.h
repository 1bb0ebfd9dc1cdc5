/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_EIGEN_H
#define MN_EIGEN_H

#include "../kernels/kernels.h"

/* All eigenvalues and eigenvectors of a symmetric matrix of n rows, of which
 * the lower triangle is read: eigenvalue i into values[i], in no order, and its
 * eigenvector of norm 1 into row i of `matrix`. The largest magnitude in the
 * matrix should be between 1 and 2^32, or all of it 0. What is below 2^-24
 * times that drowns in rounding. `work` has room for n floats. O(n^3). */
void mn_eigen(const mn_kernels *kernels, float *matrix, uint32_t n,
              float *values, float *work);

#endif
