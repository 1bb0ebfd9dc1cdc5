/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUNTIME_STDLIB_H
#define MN_RUNTIME_STDLIB_H

#include <stddef.h>

/* From the bytes between the program's data and the end of memory. What was
 * given back is used again once everything behind it is given back too. */
void *malloc(size_t bytes);
void free(void *block);

/* Base 10, or 16 behind 0x. */
unsigned long strtoul(const char *text, char **end, int base);
unsigned long long strtoull(const char *text, char **end, int base);
double strtod(const char *text, char **end); /* digits and a point */
float strtof(const char *text, char **end);

_Noreturn void exit(int code);

#endif
