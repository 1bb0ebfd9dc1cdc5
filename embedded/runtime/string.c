/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

/* Compiled with -ffreestanding and -fno-tree-loop-distribute-patterns, or a
 * loop here would become a call of itself. */

void *memcpy(void *to, const void *from, size_t bytes) {
  unsigned char *t = to;
  const unsigned char *f = from;
  while (bytes-- > 0)
    *t++ = *f++;
  return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
  unsigned char *t = to;
  const unsigned char *f = from;
  if (t <= f)
    return memcpy(to, from, bytes);
  while (bytes-- > 0)
    t[bytes] = f[bytes];
  return to;
}

void *memset(void *to, int value, size_t bytes) {
  unsigned char *t = to;
  while (bytes-- > 0)
    *t++ = (unsigned char)value;
  return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
  const unsigned char *x = a, *y = b;
  for (; bytes > 0; bytes--, x++, y++)
    if (*x != *y)
      return *x - *y;
  return 0;
}

size_t strlen(const char *s) {
  size_t length = 0;
  while (s[length] != 0)
    length++;
  return length;
}

int strcmp(const char *a, const char *b) {
  for (; *a != 0 && *a == *b; a++, b++)
    ;
  return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t bytes) {
  for (; bytes > 0; bytes--, a++, b++)
    if (*a != *b || *a == 0)
      return (unsigned char)*a - (unsigned char)*b;
  return 0;
}

char *strchr(const char *s, int c) {
  for (; *s != (char)c; s++)
    if (*s == 0)
      return NULL;
  return (char *)s;
}

char *strstr(const char *s, const char *word) {
  const size_t length = strlen(word);
  for (; strlen(s) >= length; s++)
    if (memcmp(s, word, length) == 0)
      return (char *)s;
  return NULL;
}

size_t strcspn(const char *s, const char *stops) {
  size_t length = 0;
  while (s[length] != 0 && strchr(stops, s[length]) == NULL)
    length++;
  return length;
}

char *strtok(char *s, const char *stops) {
  static char *rest;
  if (s == NULL)
    s = rest;
  while (s != NULL && *s != 0 && strchr(stops, *s) != NULL)
    s++;
  if (s == NULL || *s == 0)
    return NULL;
  rest = s + strcspn(s, stops);
  if (*rest != 0)
    *rest++ = 0;
  return s;
}
