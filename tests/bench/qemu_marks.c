/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin of QEMU's: counts the instructions of what it emulates, and at each
 * call of the function at mark=ADDRESS (hexadecimal) writes to standard error
 * how many have run so far, one number a line.
 *
 *   qemu-aarch64 -plugin ./qemu_marks.so,mark=4008a0 PROGRAM
 *
 * Debian packages no header for plugins; what is used of QEMU 7.2's interface
 * (docs/devel/tcg-plugins) is declared here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
typedef struct block block;
typedef struct instruction instruction;
typedef void on_block(plugin_id id, block *translated);
typedef void on_instruction(unsigned cpu, void *data);
enum { NO_REGISTERS = 0, ADD_U64 = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, on_block *call);
size_t qemu_plugin_tb_n_insns(const block *translated);
instruction *qemu_plugin_tb_get_insn(const block *translated, size_t i);
uint64_t qemu_plugin_insn_vaddr(const instruction *at);
void qemu_plugin_register_vcpu_insn_exec_inline(instruction *at, int operation,
                                                void *to, uint64_t number);
void qemu_plugin_register_vcpu_insn_exec_cb(instruction *at,
                                            on_instruction *call, int registers,
                                            void *data);

#define EXPORT __attribute__((visibility("default")))

EXPORT extern const int qemu_plugin_version;
const int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(plugin_id id, const void *about, int count,
                               char **words);

static uint64_t counted, mark;

static void say(unsigned cpu, void *data) {
  (void)cpu;
  (void)data;
  fprintf(stderr, "%" PRIu64 "\n", counted);
}

static void translate(plugin_id id, block *translated) {
  (void)id;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(translated); i++) {
    instruction *at = qemu_plugin_tb_get_insn(translated, i);
    if (qemu_plugin_insn_vaddr(at) == mark)
      qemu_plugin_register_vcpu_insn_exec_cb(at, say, NO_REGISTERS, NULL);
    qemu_plugin_register_vcpu_insn_exec_inline(at, ADD_U64, &counted, 1);
  }
}

int qemu_plugin_install(plugin_id id, const void *about, int count,
                        char **words) {
  (void)about;
  for (int i = 0; i < count; i++)
    if (strncmp(words[i], "mark=", 5) == 0)
      mark = strtoull(words[i] + 5, NULL, 16);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  return mark == 0;
}
