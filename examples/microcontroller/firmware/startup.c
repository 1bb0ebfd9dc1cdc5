/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From reset to main on a Cortex-M. The stack lies at the begin of the RAM and
 * grows down to its end: one that is too deep faults instead of writing over
 * variables. It is painted, so that its depth can be seen.
 */
#include "console.h"

/* Of firmware.ld. */
extern uint32_t stack_begin[], stack_end[], data_load[], data_begin[],
    data_end[], bss_begin[], bss_end[];

int main(void);

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define CPACR             REGISTER(0xe000ed88)
#define CFSR              REGISTER(0xe000ed28)
#define SYST_CSR          REGISTER(0xe000e010)
#define SYST_RVR          REGISTER(0xe000e014)
#define SYST_CVR          REGISTER(0xe000e018)

#define PAINT 0x5ac3e187u

uint32_t ticks_now(void) {
  return SYST_CVR;
}

uint32_t stack_used(void) {
  const uint32_t *at = stack_begin;
  while (at < stack_end && *at == PAINT)
    at++;
  return (uint32_t)((uintptr_t)stack_end - (uintptr_t)at);
}

uint32_t stack_room(void) {
  return (uint32_t)((uintptr_t)stack_end - (uintptr_t)stack_begin);
}

uint32_t variables_bytes(void) {
  return (uint32_t)((uintptr_t)bss_end - (uintptr_t)data_begin);
}

__attribute__((noreturn, used)) static void begin(void) {
  const uint32_t *from = data_load;
  for (uint32_t *to = data_begin; to < data_end;)
    *to++ = *from++;
  for (uint32_t *to = bss_begin; to < bss_end;)
    *to++ = 0;
  SYST_RVR = 0xffffffu;
  SYST_CVR = 0;
  SYST_CSR = 5; /* on, by the processor's clock, without interrupts */
  finish(main());
}

/* Paints from the end of the stack down, before anything is on it. */
void reset(void);
__attribute__((naked, noreturn)) void reset(void) {
  __asm__ volatile("ldr r0, =stack_begin\n\t"
                   "ldr r1, =stack_end\n\t"
                   "ldr r2, =%0\n"
                   "1:\tstr r2, [r0], #4\n\t"
                   "cmp r0, r1\n\t"
                   "bne 1b\n\t"
                   /* The float unit and MVE (Armv7-M B3.2.20). */
                   "ldr r0, =0xe000ed88\n\t"
                   "ldr r1, [r0]\n\t"
                   "orr r1, r1, #0xf00000\n\t"
                   "str r1, [r0]\n\t"
                   "dsb\n\t"
                   "isb\n\t"
                   "b %1\n\t"
                   ".ltorg" ::"i"(PAINT),
                   "i"(begin));
}

__attribute__((noreturn)) static void fault(void) {
  print("fault, status ");
  print_number(CFSR);
  print("\n");
  finish(1);
}

/* Reset, NMI, and the faults; the rest stays off. */
typedef void handler(void);
__attribute__((section(".vectors"), used)) static handler *const vectors[16] = {
    (handler *)(uintptr_t)stack_end, reset, fault, fault, fault, fault, fault};
