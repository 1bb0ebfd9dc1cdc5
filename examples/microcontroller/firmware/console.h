/* SPDX-License-Identifier: Apache-2.0 */
/* Text in and out. console.c does it by semihosting; a board with a serial line
 * replaces that file. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stddef.h>
#include <stdint.h>

void print(const char *text);
void print_bytes(const char *text, size_t bytes);
void print_number(uint32_t number);
/* With three digits behind the point. */
void print_fraction(float number);

/* The next line without its end, cut to `room` - 1 characters; 0 where there is
 * none. */
int read_line(char *line, size_t room);

/* Of the processor's timer, which counts down 24 bits and begins anew. */
uint32_t ticks_now(void);
static inline uint32_t ticks_between(uint32_t from, uint32_t to) {
  return (from - to) & 0xffffffu;
}

_Noreturn void finish(int code);

/* Bytes between the variables and the deepest that the stack has been. */
uint32_t stack_used(void);
uint32_t stack_room(void);
uint32_t variables_bytes(void);

#endif
