// SPDX-License-Identifier: Apache-2.0
// Processors that QEMU stands in for: how a program of a build folder's tests/
// is run there. `whole`: fast enough for the whole conformance list; `soft`: it
// computes floats in software.

const linux = (architecture, cpu) => (program) => [
  `qemu-${architecture}`,
  ["-cpu", cpu, program],
];

const board = (name) => (program) => ["embedded/cortex-m/run", [name, program]];

export const EMULATED = [
  // Every extension; SDOT, but not USDOT; neither. (A Cortex-A55 has what an A76 has;
  // Debian 12's QEMU does not know it.)
  { name: "aarch64 max", preset: "aarch64", run: linux("aarch64", "max"), whole: true },
  { name: "aarch64 cortex-a76", preset: "aarch64", run: linux("aarch64", "cortex-a76") },
  { name: "aarch64 cortex-a53", preset: "aarch64", run: linux("aarch64", "cortex-a53") },
  { name: "cortex-m55", preset: "cortex-m55", run: board("mps3-an547") },
  { name: "cortex-m4", preset: "cortex-m4", run: board("mps2-an386"), whole: true },
  { name: "cortex-m7", preset: "cortex-m7", run: board("mps2-an500") },
  { name: "cortex-m3", preset: "cortex-m3", run: board("mps2-an385"), soft: true },
  { name: "riscv32", preset: "riscv32", run: linux("riscv32", "rv32") },
  { name: "riscv64", preset: "riscv64", run: linux("riscv64", "rv64") },
];

// Calls work(item) for every item, as many at a time as there are cores.
export async function inParallel(items, cores, work) {
  const left = [...items];
  const worker = async () => {
    while (left.length) await work(left.shift());
  };
  await Promise.all(Array.from({ length: cores }, worker));
}
