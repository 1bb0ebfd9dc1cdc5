/* SPDX-License-Identifier: Apache-2.0 */
/* From the first instruction to main. Linux has put the words of the command
 * line on the stack, behind their count. */
#include <stdlib.h>

int main(int argc, char **argv);

__attribute__((naked, used, section(".text.reset"))) void mn_reset(void) {
  __asm__(".option push\n"
          ".option norelax\n"
          "la gp, __global_pointer$\n"
          ".option pop\n"
          "mv a0, sp\n"
          "andi sp, sp, -16\n"
          "j mn_run_main\n");
}

__attribute__((noreturn, used)) void mn_run_main(const long *stack) {
  exit(main((int)stack[0], (char **)(stack + 1)));
}
