/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in flash, as host/build.mjs writes them: their number, where each
 * begins, where the last ends, and the texts. */
#ifndef TEXTS_H
#define TEXTS_H

#include <stddef.h>
#include <stdint.h>

typedef struct texts {
  uint32_t count;
  uint32_t begins[]; /* count + 1 */
} texts;

static inline const char *text_at(const texts *t, uint32_t i, size_t *bytes) {
  *bytes = t->begins[i + 1] - t->begins[i];
  return (const char *)t + t->begins[i];
}

#endif
