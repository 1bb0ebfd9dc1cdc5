/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of keys on a command line. */
#ifndef MINNOW_COMMAND_KEY_RANGES_H
#define MINNOW_COMMAND_KEY_RANGES_H

#include "report.h"

#include <stdbool.h>

typedef struct key_ranges {
  mn_key_range *ranges;
  uint32_t count;
} key_ranges;

/* Reads `10..20,40`: keys from 10 to 20, and 40; `10..` has no end, `..20`
 * begins at 0. `text` NULL leaves the ranges alone. */
exit_code key_ranges_read(key_ranges *into, const char *name, const char *text);
void key_ranges_free(key_ranges *of);

/* Keys one by one: `7,8,40`. */
typedef struct key_list {
  uint64_t *keys;
  uint32_t count;
} key_list;

exit_code key_list_read(key_list *into, const char *name, const char *text);
exit_code key_list_add(key_list *into, uint64_t key);
void key_list_free(key_list *of);

/* Adds those of the index's keys that are within one of the ranges. */
exit_code key_list_match(key_list *into, const mn_index *index,
                         const key_ranges *ranges);

#endif
