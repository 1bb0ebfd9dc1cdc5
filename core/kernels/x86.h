/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all x86 kernels need. Only their functions are compiled for their
 * instruction set, so the rest of the program stays runnable anywhere.
 */
#ifndef MN_KERNELS_X86_H
#define MN_KERNELS_X86_H

#include "kernels.h"
#include "partial.h"

/* gcc's immintrin.h would pull in stdlib.h for _mm_malloc. */
#define _MM_MALLOC_H_INCLUDED
#include <immintrin.h>

/* Hides where a pointer comes from, so that what it points to is read again
 * instead of being kept in registers that there are not enough of. */
#define MN_FORGET(pointer) __asm__("" : "+r"(pointer))

/* Has a vector computed here, instead of in a sum of many terms that would all
 * wait in registers. */
#define MN_SETTLE(vector) __asm__("" : "+x"(vector))

#endif
