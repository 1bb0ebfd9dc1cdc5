/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Of the linker script: the bytes that malloc hands out. */
extern unsigned char mn_heap[], mn_heap_end[];

/* Blocks lie one behind the other, each with a header. */
typedef struct header {
  _Alignas(64) struct header *before;
  size_t bytes; /* 0: given back */
} header;

static header *top;

static unsigned char *end_of(header *block) {
  return block == NULL ? mn_heap : (unsigned char *)(block + 1) + block->bytes;
}

void *malloc(size_t bytes) {
  unsigned char *at = end_of(top);
  const size_t rounded = (bytes + 63) & ~(size_t)63;
  const size_t room = (size_t)(mn_heap_end - at);
  if (room < sizeof(header) || rounded < bytes ||
      rounded > room - sizeof(header))
    return NULL;
  header *block = (header *)(void *)at;
  block->before = top;
  block->bytes = rounded > 0 ? rounded : 64;
  top = block;
  return block + 1;
}

void free(void *memory) {
  if (memory == NULL)
    return;
  ((header *)memory)[-1].bytes = 0;
  while (top != NULL && top->bytes == 0)
    top = top->before;
}

unsigned long long strtoull(const char *text, char **end, int base) {
  unsigned long long value = 0;
  const char *at = text;
  if ((base == 0 || base == 16) && at[0] == '0' && (at[1] | 32) == 'x') {
    base = 16;
    at += 2;
  }
  for (;; at++) {
    unsigned digit = (unsigned)*at - '0';
    if (digit > 9)
      digit = base == 16 && (*at | 32) >= 'a' && (*at | 32) <= 'f'
                  ? (unsigned)(*at | 32) - 'a' + 10
                  : 99;
    if (digit > 15)
      break;
    value = value * (base == 16 ? 16u : 10u) + digit;
  }
  if (end != NULL)
    *end = (char *)at;
  return value;
}

unsigned long strtoul(const char *text, char **end, int base) {
  return (unsigned long)strtoull(text, end, base);
}

double strtod(const char *text, char **end) {
  double value = 0, scale = 1;
  int point = 0;
  for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
    if (*text == '.') {
      point = 1;
      continue;
    }
    value = value * 10 + (*text - '0');
    if (point)
      scale *= 10;
  }
  if (end != NULL)
    *end = (char *)text;
  return value / scale;
}

float strtof(const char *text, char **end) {
  return (float)strtod(text, end);
}

void exit(int code) {
  fflush(stdout);
  host_exit(code);
}

time_t time(time_t *at) {
  if (at != NULL)
    *at = 0;
  return 0;
}
