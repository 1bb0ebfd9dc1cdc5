/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Minnow VERSION, the whole core in one file. Made by embedded/amalgamate.mjs
 * of its repository; change the sources there. minnow.h is the manual.
 *
 * Compile it as C11, with any optimisation; no flag is needed. Answers are the
 * same bits on every machine only if no multiplication is fused with an
 * addition. What a source can say about that is said here. It cannot help
 * against clang's -ffp-contract=fast (not the default), which heeds nothing,
 * nor, on a Cortex-M with Helium, against clang's vectors: -fno-vectorize
 * -fno-slp-vectorize. -ffast-math is refused.
 *
 * It needs no library. Where -ffreestanding is missing, a compiler may call
 * memcpy, memmove and memset.
 */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
/* Helium takes subnormal numbers for zeros; the last one keeps loops that move
 * bytes from becoming calls. */
#if defined(__ARM_FEATURE_MVE)
#pragma GCC optimize("no-tree-vectorize")
#endif
#pragma GCC optimize("fp-contract=off", "no-tree-loop-distribute-patterns")
#endif
/* Parts that several files share are here once for each. */
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function"
#endif

#include "minnow.h"
