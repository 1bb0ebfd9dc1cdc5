/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUNTIME_STRING_H
#define MN_RUNTIME_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t bytes);
char *strchr(const char *s, int c);
char *strstr(const char *s, const char *word);
size_t strcspn(const char *s, const char *stops);
char *strtok(char *s, const char *stops);

#endif
