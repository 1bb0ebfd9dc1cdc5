/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUNTIME_INTTYPES_H
#define MN_RUNTIME_INTTYPES_H

#include <stdint.h>

/* The compiler's own types, whichever they are. */
#if defined(__UINT32_TYPE__) && __SIZEOF_LONG__ == 4 && defined(__arm__)
#define PRId32 "ld"
#define PRIu32 "lu"
#define PRIx32 "lx"
#else
#define PRId32 "d"
#define PRIu32 "u"
#define PRIx32 "x"
#endif
#if __SIZEOF_LONG__ == 8
#define PRIu64 "lu"
#define PRIx64 "lx"
#else
#define PRIu64 "llu"
#define PRIx64 "llx"
#endif

#endif
