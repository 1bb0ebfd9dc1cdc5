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
#define MN_IF_SIGN MN_LEFT_OUT
#else
#define MN_IF_SIGN MN_BUILT_IN
#endif

#ifdef MN_NO_TRANSFORMS
#define MN_IF_TRANSFORMS MN_LEFT_OUT
#else
#define MN_IF_TRANSFORMS MN_BUILT_IN
#endif

/* A constant, for the few conditions that stand before a call of the graph's.
 */
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

#endif
