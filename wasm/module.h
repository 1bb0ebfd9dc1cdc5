/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the browser module share. module.c says how it works. */
#ifndef MN_MODULE_H
#define MN_MODULE_H

#include "minnow.h"

#define EXPORT(name) __attribute__((export_name(#name))) name

/* That JavaScript knows where a field is. */
#define AT(type, field, offset)                                                \
  _Static_assert(offsetof(type, field) == (offset), "js/src/instance.ts")

/* What becomes of rows whose key is there (js/src/change.ts). */
enum { HOW_ADD = 0, HOW_UPDATE = 1, HOW_UPSERT = 2 };

extern mn_arena arena;
extern mn_index index_;
extern size_t block_end; /* the arena's `used` with nothing staged */

/* What an operation says beyond its status. JavaScript knows these offsets
 * (js/src/instance.ts). */
extern struct report {
  uint32_t value, bytes;    /* see each operation */
  char spec[MN_SPEC_BYTES]; /* in: create; out: info, choose */
  mn_info info;             /* info */
  mn_stats stats;           /* search */
  mn_tuned tuned;           /* tune */
  mn_audit audit;           /* audit */
} report;

/* For the sizes that no query matters to. */
extern const mn_query any_query;

static inline uint64_t round_up(uint64_t bytes) {
  return (bytes + MN_ALIGNMENT - 1) / MN_ALIGNMENT * MN_ALIGNMENT;
}

/* Makes sure that the arena can hand out `bytes` more. */
int32_t make_room(uint64_t bytes);

/* Forgets what was staged. */
void unstage(void);

/* The plan for the index as it is, but for `capacity` vectors. */
int32_t plan(uint32_t capacity, const mn_query *query, mn_sizes *sizes);

/* The plan for the index as it is. */
int32_t plan_now(mn_sizes *sizes);

/* Room for what works on single vectors. */
int32_t vector_room(void);

#endif
