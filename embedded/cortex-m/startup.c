/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From reset to main on a Cortex-M: the stack pointer comes from the vector
 * table, the unit for floats and vectors is turned on, data is copied and
 * cleared. A fault prints where, and ends the program with code 1.
 */
#include "semihosting.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the linker script. */
extern uint32_t mn_stack_end[], mn_data_load[], mn_data[], mn_data_end[],
    mn_bss[], mn_bss_end[];

int main(int argc, char **argv);

/* Coprocessor access (Armv7-M B3.2.20): full for 10 and 11, which are the float
 * unit and MVE. */
#define CPACR (*(volatile uint32_t *)0xe000ed88)

/* Calls main with the words of the command line that the host was given. */
static _Noreturn void run_main(void) {
  enum { WORDS = 16 };
  static char line[512], *words[WORDS + 1];
  const uintptr_t block[2] = {(uintptr_t)line, sizeof line - 1};
  int count = 0;
  if (semihost(SYS_GET_CMDLINE, block) != 0)
    line[0] = 0;
  for (char *at = line; *at != 0 && count < WORDS;) {
    words[count++] = at;
    at += strcspn(at, " ");
    while (*at == ' ')
      *at++ = 0;
  }
  exit(main(count, words));
}

__attribute__((noreturn, used)) void mn_reset(void) {
  CPACR |= 0xfu << 20;
  __asm__ volatile("dsb\n\tisb" ::: "memory");
  const uint32_t *from = mn_data_load;
  for (uint32_t *to = mn_data; to < mn_data_end;)
    *to++ = *from++;
  for (uint32_t *to = mn_bss; to < mn_bss_end;)
    *to++ = 0;
  run_main();
}

/* `frame`: what the processor put on the stack: r0 to r3, r12, lr, pc, psr. */
__attribute__((noreturn, used)) static void report(const uint32_t *frame) {
  /* CFSR, the reasons of a fault (Armv7-M B3.2.15). */
  printf("fault at %08x, status %08x\n", (unsigned)frame[6],
         (unsigned)*(volatile uint32_t *)0xe000ed28);
  exit(1);
}

__attribute__((naked)) static void fault(void) {
  __asm__ volatile("mrs r0, msp\n\tb %0" ::"i"(report));
}

/* Reset, NMI, and the faults; the rest stays off. */
typedef void (*handler)(void);
__attribute__((section(".vectors"), used)) static const handler vectors[16] = {
    (handler)(uintptr_t)mn_stack_end,
    mn_reset,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
};
