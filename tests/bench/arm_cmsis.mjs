// SPDX-License-Identifier: Apache-2.0
// The inner loops of Arm's CMSIS-DSP (v1.16, BasicMathFunctions) and CMSIS-NN
// (v7, NNSupportFunctions) as published: what an iteration holds, every
// operation as one instruction, addresses counted on by the loads, and as the
// loop's own two (DSP: subtract, branch) or one (Helium: LE). Begin and end of
// the functions are left out, and so is requantization. Counted by reading, as
// neither Debian nor npm has the sources; a compiler may need more, not less.
const loop = (target, name, products, parts) => ({
  target, name, products,
  what: Object.entries(parts).map(([part, count]) => `${count} ${part}`).join(", "),
  instructions: Object.values(parts).reduce((a, b) => a + b, 0),
});

export const CMSIS = [
  loop("Cortex-M4", "arm_dot_prod_q7", 4, { LDR: 2, SXTB16: 4, SMLAD: 2, loop: 2 }),
  loop("Cortex-M4", "arm_dot_prod_q15", 4, { LDR: 4, SMLALD: 2, loop: 2 }),
  loop("Cortex-M4", "arm_dot_prod_f32", 4, { VLDR: 8, VMUL: 4, VADD: 4, loop: 2 }),
  loop("Cortex-M4", "arm_nn_vec_mat_mult_t_s8, a row of two", 8, { LDR: 3, SXTAB16: 6, SMLAD: 4, loop: 2 }),
  loop("Cortex-M55", "arm_dot_prod_q7", 16, { VLDRB: 2, VMLADAVA: 1, loop: 1 }),
  loop("Cortex-M55", "arm_dot_prod_q15", 8, { VLDRH: 2, VMLALDAVA: 1, loop: 1 }),
  loop("Cortex-M55", "arm_dot_prod_f32", 4, { VLDRW: 2, VFMA: 1, loop: 1 }),
  loop("Cortex-M55", "arm_nn_vec_mat_mult_t_s8, a row of four", 64, { VLDRB: 5, VMLADAVA: 4, loop: 1 }),
];
