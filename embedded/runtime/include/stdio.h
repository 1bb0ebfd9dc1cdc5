/* SPDX-License-Identifier: Apache-2.0 */
/* What the test programs need of stdio, on files of the semihosting host. */
#ifndef MN_RUNTIME_STDIO_H
#define MN_RUNTIME_STDIO_H

#include <stdarg.h>
#include <stddef.h>

typedef struct mn_file FILE;
extern FILE mn_stdin, mn_stdout;
#define stdin  (&mn_stdin)
#define stdout (&mn_stdout)
#define stderr (&mn_stdout)

FILE *fopen(const char *path, const char *mode);
int fclose(FILE *file);
int fflush(FILE *file);
size_t fread(void *to, size_t size, size_t count, FILE *file);
size_t fwrite(const void *from, size_t size, size_t count, FILE *file);
char *fgets(char *line, int size, FILE *file);
int putchar(int c);
void perror(const char *what);

/* Conversions: d i u x c s p %, with -, 0, a width, l, ll. */
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int fprintf(FILE *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int snprintf(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
