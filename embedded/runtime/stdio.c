/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BUFFER_BYTES 1024u

struct mn_file {
  intptr_t handle; /* + 1; 0: not open */
  int is_output, at_end;
  size_t count, at; /* bytes in the buffer, and of these taken */
  char buffer[BUFFER_BYTES];
};

FILE mn_stdin, mn_stdout;
static FILE opened; /* one besides those two */

static int open_file(FILE *file, const char *path, int is_output) {
  file->handle = host_open(path, is_output) + 1;
  file->is_output = is_output;
  file->at_end = 0;
  file->count = file->at = 0;
  return file->handle > 0;
}

static int ready(FILE *file) {
  if (file->handle > 0)
    return 1;
  return (file == stdin || file == stdout) &&
         open_file(file, NULL, file == stdout);
}

FILE *fopen(const char *path, const char *mode) {
  if (opened.handle > 0 || !open_file(&opened, path, mode[0] == 'w'))
    return NULL;
  return &opened;
}

int fflush(FILE *file) {
  const size_t count = file->count;
  if (count == 0 || !file->is_output || !ready(file))
    return 0;
  file->count = 0;
  return host_write(file->handle - 1, file->buffer, count);
}

int fclose(FILE *file) {
  const int failed = fflush(file), closed = host_close(file->handle - 1);
  file->handle = 0;
  return failed != 0 ? failed : closed;
}

static void put(FILE *file, char c) {
  if (!ready(file))
    return;
  file->buffer[file->count++] = c;
  if (file->count == BUFFER_BYTES)
    fflush(file);
}

size_t fwrite(const void *from, size_t size, size_t count, FILE *file) {
  const char *bytes = from;
  for (size_t i = 0; i < size * count; i++)
    put(file, bytes[i]);
  return count;
}

/* The next byte, or -1. */
static int get(FILE *file) {
  if (file->at == file->count) {
    if (file->at_end || !ready(file))
      return -1;
    file->at = 0;
    file->count = host_read(file->handle - 1, file->buffer, BUFFER_BYTES);
    if (file->count == 0) {
      file->at_end = 1;
      return -1;
    }
  }
  return (unsigned char)file->buffer[file->at++];
}

size_t fread(void *to, size_t size, size_t count, FILE *file) {
  unsigned char *bytes = to;
  for (size_t i = 0; i < size * count; i++) {
    const int c = get(file);
    if (c < 0)
      return i / size;
    bytes[i] = (unsigned char)c;
  }
  return count;
}

char *fgets(char *line, int size, FILE *file) {
  int length = 0;
  while (length + 1 < size) {
    const int c = get(file);
    if (c < 0)
      break;
    line[length++] = (char)c;
    if (c == '\n')
      break;
  }
  line[length] = 0;
  return length > 0 ? line : NULL;
}

int putchar(int c) {
  put(stdout, (char)c);
  return c;
}

void perror(const char *what) {
  printf("%s: failed\n", what);
}

/* --- printf --------------------------------------------------------------- */

/* Where characters go: a file, or the room for a string. */
typedef struct {
  FILE *file;
  char *to;
  size_t size;
  int count;
} sink;

static void emit(sink *s, char c) {
  if (s->file != NULL)
    put(s->file, c);
  else if ((size_t)s->count + 1 < s->size)
    s->to[s->count] = c;
  s->count++;
}

typedef struct {
  int left, zeros, width, longs; /* longs: of the argument */
} layout;

static void emit_padded(sink *s, const char *text, size_t length,
                        const layout *l) {
  size_t pad = (size_t)l->width > length ? (size_t)l->width - length : 0;
  if (l->zeros && *text == '-' && pad > 0) {
    emit(s, *text++);
    length--;
  }
  for (; pad > 0 && !l->left; pad--)
    emit(s, l->zeros ? '0' : ' ');
  while (length-- > 0)
    emit(s, *text++);
  for (; pad > 0; pad--)
    emit(s, ' ');
}

/* The digits of a number before `end`; where they begin. */
static char *digits(char *end, unsigned long long value, unsigned base) {
  do {
    *--end = "0123456789abcdef"[value % base];
    value /= base;
  } while (value > 0);
  return end;
}

static void emit_integer(sink *s, unsigned long long value, int negative,
                         unsigned base, const layout *l) {
  char text[24], *at = digits(text + sizeof text, value, base);
  if (negative)
    *--at = '-';
  emit_padded(s, at, (size_t)(text + sizeof text - at), l);
}

static unsigned long long take_unsigned(va_list *arguments, int longs) {
  if (longs == 0)
    return va_arg(*arguments, unsigned);
  return longs == 1 ? va_arg(*arguments, unsigned long)
                    : va_arg(*arguments, unsigned long long);
}

static long long take_signed(va_list *arguments, int longs) {
  if (longs == 0)
    return va_arg(*arguments, int);
  return longs == 1 ? va_arg(*arguments, long) : va_arg(*arguments, long long);
}

static void convert(sink *s, char conversion, const layout *l,
                    va_list *arguments) {
  char one;
  const char *text;
  long long number;
  switch (conversion) {
  case 'd':
  case 'i':
    number = take_signed(arguments, l->longs);
    emit_integer(s,
                 number < 0 ? 0ull - (unsigned long long)number
                            : (unsigned long long)number,
                 number < 0, 10, l);
    break;
  case 'u':
    emit_integer(s, take_unsigned(arguments, l->longs), 0, 10, l);
    break;
  case 'x':
    emit_integer(s, take_unsigned(arguments, l->longs), 0, 16, l);
    break;
  case 'p':
    emit_integer(s, (uintptr_t)va_arg(*arguments, void *), 0, 16, l);
    break;
  case 'c':
    one = (char)va_arg(*arguments, int);
    emit_padded(s, &one, 1, l);
    break;
  case 's':
    text = va_arg(*arguments, const char *);
    emit_padded(s, text, strlen(text), l);
    break;
  default:
    emit(s, conversion);
  }
}

static int print(sink *s, const char *format, va_list *arguments) {
  for (; *format != 0; format++) {
    if (*format != '%') {
      emit(s, *format);
      continue;
    }
    layout l = {0};
    for (format++; *format == '-' || *format == '0'; format++)
      *(*format == '-' ? &l.left : &l.zeros) = 1;
    for (; *format >= '0' && *format <= '9'; format++)
      l.width = 10 * l.width + *format - '0';
    for (; *format == 'l'; format++)
      l.longs++;
    convert(s, *format, &l, arguments);
  }
  return s->count;
}

int fprintf(FILE *file, const char *format, ...) {
  va_list arguments;
  sink s = {.file = file};
  va_start(arguments, format);
  print(&s, format, &arguments);
  va_end(arguments);
  return s.count;
}

int printf(const char *format, ...) {
  va_list arguments;
  sink s = {.file = stdout};
  va_start(arguments, format);
  print(&s, format, &arguments);
  va_end(arguments);
  return s.count;
}

int snprintf(char *to, size_t size, const char *format, ...) {
  va_list arguments;
  sink s = {.to = to, .size = size};
  va_start(arguments, format);
  print(&s, format, &arguments);
  va_end(arguments);
  if (size > 0)
    to[(size_t)s.count < size ? (size_t)s.count : size - 1] = 0;
  return s.count;
}
