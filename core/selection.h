/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build holds: the macros of minnow.h as entries of tables. An entry
 * that is left out becomes NULL; being named all the same, in a branch that is
 * never taken, it counts as used, and the linker finds no reference to it.
 */
#ifndef MN_SELECTION_H
#define MN_SELECTION_H

#define MN_BUILT_IN(entry) (entry)
#define MN_LEFT_OUT(entry) (0 ? (entry) : NULL)

#ifdef MN_ONLY_SEARCH
#define MN_IF_CHANGE MN_LEFT_OUT
#ifndef MN_NO_TRAIN
#define MN_NO_TRAIN
#endif
#else
#define MN_IF_CHANGE MN_BUILT_IN
#endif

#ifdef MN_NO_TRAIN
#define MN_IF_TRAIN MN_LEFT_OUT
#else
#define MN_IF_TRAIN MN_BUILT_IN
#endif

#ifdef MN_NO_DECODE
#define MN_IF_DECODE MN_LEFT_OUT
#ifndef MN_ONLY_SEARCH
#error "a graph is linked by decoding: MN_NO_DECODE goes with MN_ONLY_SEARCH"
#endif
#else
#define MN_IF_DECODE MN_BUILT_IN
#endif

#ifdef MN_NO_FLOATS
#define MN_IF_FLOATS MN_LEFT_OUT
#else
#define MN_IF_FLOATS MN_BUILT_IN
#endif

#ifdef MN_NO_SQ
#define MN_IF_SQ MN_LEFT_OUT
#else
#define MN_IF_SQ MN_BUILT_IN
#endif

#ifdef MN_NO_BITS
#define MN_IF_BITS MN_LEFT_OUT
#else
#define MN_IF_BITS MN_BUILT_IN
#endif

#ifdef MN_NO_PQ
#define MN_IF_PQ MN_LEFT_OUT
#else
#define MN_IF_PQ MN_BUILT_IN
#endif

#ifdef MN_NO_SIGN
#define MN_IF_SIGN  MN_LEFT_OUT
#define MN_HAS_SIGN 0
#else
#define MN_IF_SIGN  MN_BUILT_IN
#define MN_HAS_SIGN 1
#endif

#ifdef MN_NO_TRANSFORMS
#define MN_IF_TRANSFORMS MN_LEFT_OUT
#else
#define MN_IF_TRANSFORMS MN_BUILT_IN
#endif

/* Constants, for the few conditions that stand before what is left out. */
#ifdef MN_NO_GRAPH
#define MN_HAS_GRAPH 0
#else
#define MN_HAS_GRAPH 1
#endif

/* The same for inverted lists. */
#ifdef MN_NO_IVF
#define MN_HAS_IVF 0
#else
#define MN_HAS_IVF 1
#endif

#ifdef MN_NO_PQ
#define MN_HAS_PQ 0
#else
#define MN_HAS_PQ 1
#endif

#ifdef MN_NO_FETCH
#define MN_HAS_FETCH 0
#else
#define MN_HAS_FETCH 1
#endif

#ifdef MN_NO_FILTERS
#define MN_HAS_FILTERS 0
#ifndef MN_ONLY_SEARCH
#error "deleted vectors are filtered: MN_NO_FILTERS goes with MN_ONLY_SEARCH"
#endif
#else
#define MN_HAS_FILTERS 1
#endif

/* Whether what saves time may take code: reading ahead, tables besides the
 * weights that they are made of, moving many words at once. */
#ifdef MN_SMALL_CODE
#define MN_IS_FAST 0
#else
#define MN_IS_FAST 1
#endif

/* Kernels that several things share: squared distances of floats; lookups of 4
 * bits; bits that differ. */
#if defined(MN_NO_FLOATS) && defined(MN_NO_PQ) && defined(MN_NO_FETCH) &&      \
    defined(MN_ONLY_SEARCH)
#define MN_IF_L2 MN_LEFT_OUT
#else
#define MN_IF_L2 MN_BUILT_IN
#endif

#if defined(MN_NO_PQ) && (defined(MN_NO_BITS) || defined(MN_SMALL_CODE))
#define MN_IF_LOOKUP MN_LEFT_OUT
#else
#define MN_IF_LOOKUP MN_BUILT_IN
#endif

#if defined(MN_NO_SIGN) && defined(MN_ONLY_SEARCH)
#define MN_IF_XOR MN_LEFT_OUT
#else
#define MN_IF_XOR MN_BUILT_IN
#endif

#endif
