/* SPDX-License-Identifier: Apache-2.0 */
#include "key_ranges.h"

#include <stdlib.h>
#include <string.h>

/* --- Reading -------------------------------------------------------------- */

/* Takes a key's digits, if there are any; false where they are too many. */
static bool take_key(const char **at, bool *is_there, uint64_t *key) {
  uint64_t value = 0;
  *is_there = false;
  for (; **at >= '0' && **at <= '9'; (*at)++) {
    const uint64_t digit = (uint64_t)(**at - '0');
    if (value > (UINT64_MAX - digit) / 10)
      return false;
    value = value * 10 + digit;
    *is_there = true;
  }
  if (*is_there)
    *key = value;
  return true;
}

/* Takes `7`, `7..9`, `7..` or `..9`. */
static bool take_range(const char **at, mn_key_range *range) {
  bool begins, ends = false;
  *range = (mn_key_range){0, UINT64_MAX};
  if (!take_key(at, &begins, &range->from))
    return false;
  if (strncmp(*at, "..", 2) != 0) {
    range->to = range->from;
    return begins;
  }
  *at += 2;
  return take_key(at, &ends, &range->to) && (begins || ends) &&
         range->from <= range->to;
}

static uint32_t count_words(const char *text) {
  uint32_t count = 1;
  for (; *text; text++)
    count += *text == ',';
  return count;
}

exit_code key_ranges_read(key_ranges *into, const char *name,
                          const char *text) {
  if (!text)
    return EXIT_OK;
  const uint32_t words = count_words(text);
  into->ranges = malloc(words * sizeof *into->ranges);
  if (!into->ranges)
    return report_memory("key ranges", words * sizeof *into->ranges);
  for (const char *at = text;; at++) {
    if (!take_range(&at, &into->ranges[into->count++]) ||
        (*at != ',' && *at != '\0'))
      return report(EXIT_USAGE, name,
                    "`%s` is not a list of keys and ranges such as "
                    "10..20,40,90..",
                    text);
    if (*at == '\0')
      return EXIT_OK;
  }
}

void key_ranges_free(key_ranges *of) {
  free(of->ranges);
  of->ranges = NULL;
}

/* --- Lists ---------------------------------------------------------------- */

exit_code key_list_add(key_list *into, uint64_t key) {
  const uint32_t count = into->count;
  /* Room doubles when it is full: at 0 and at powers of 2. */
  if ((count & (count - 1)) == 0) {
    const size_t bytes = (count ? 2 * (size_t)count : 1) * sizeof key;
    uint64_t *keys = realloc(into->keys, bytes);
    if (!keys)
      return report_memory("keys", bytes);
    into->keys = keys;
  }
  into->keys[into->count++] = key;
  return EXIT_OK;
}

exit_code key_list_read(key_list *into, const char *name, const char *text) {
  exit_code code = EXIT_OK;
  for (const char *at = text; at && code == EXIT_OK; at++) {
    bool is_there;
    uint64_t key;
    if (!take_key(&at, &is_there, &key) || !is_there ||
        (*at != ',' && *at != '\0'))
      return report(EXIT_USAGE, name, "`%s` is not a list of keys such as 7,40",
                    text);
    code = key_list_add(into, key);
    if (*at == '\0')
      break;
  }
  return code;
}

void key_list_free(key_list *of) {
  free(of->keys);
  *of = (key_list){.keys = NULL};
}

static bool is_within(const key_ranges *ranges, uint64_t key) {
  for (uint32_t i = 0; i < ranges->count; i++)
    if (key >= ranges->ranges[i].from && key <= ranges->ranges[i].to)
      return true;
  return false;
}

/* Sections as FORMAT.md has them: keys by slot, and in a live index a bit by
 * slot for every vector. */
exit_code key_list_match(key_list *into, const mn_index *index,
                         const key_ranges *ranges) {
  const void *keys = NULL, *live = NULL;
  size_t bytes;
  mn_status status =
      mn_index_section(index, MN_SECTION('K', 'E', 'Y', 'S'), &keys, &bytes);
  if (status == MN_OK)
    status =
        mn_index_section(index, MN_SECTION('L', 'I', 'V', 'E'), &live, &bytes);
  if (status != MN_OK)
    return report_status("reading keys", status);
  const uint32_t slots = mn_index_info(index).slots;
  exit_code code = EXIT_OK;
  for (uint32_t slot = 0; slot < slots && code == EXIT_OK; slot++) {
    const uint32_t bits = ((const uint32_t *)live)[slot / 32];
    const uint64_t key = ((const uint64_t *)keys)[slot];
    if ((bits >> slot % 32 & 1) && is_within(ranges, key))
      code = key_list_add(into, key);
  }
  return code;
}
