// SPDX-License-Identifier: Apache-2.0
// Instructions of each kernel for ARM, counted under QEMU by its plugin
// qemu_marks.c: exact, and the same in every run.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./data.mjs";

export const DIMENSIONS = [64, 128, 384, 768];

/** Builds that have kernels for ARM, and the tables of theirs that are counted:
 * "c" is the reference. */
export const TARGETS = [
  { name: "AArch64", preset: "aarch64", tables: ["neon", "dotprod", "i8mm"], start: ["qemu-aarch64", "-cpu", "max"] },
  { name: "Cortex-M55", preset: "cortex-m55", tables: ["mve"], board: "mps3-an547" },
  { name: "Cortex-M4", preset: "cortex-m4", tables: ["dsp", "c"], board: "mps2-an386" },
  { name: "Cortex-M3", preset: "cortex-m3", tables: ["c"], board: "mps2-an385" },
].map((target) => ({ ...target, program: join(root, "build", target.preset, "tests/arm_kernels") }));

const run = (command, words) => execFileSync(command, words, { cwd: root, encoding: "utf8" });

function makePlugin() {
  mkdirSync(join(root, "build/bench"), { recursive: true });
  const plugin = join(root, "build/bench/qemu_marks.so");
  run("cc", ["-O2", "-shared", "-fPIC", "tests/bench/qemu_marks.c", "-o", plugin]);
  return plugin;
}

/** The lines that the program prints, each with the instructions between its marks. */
function counted({ program, start, board }, plugin) {
  const [, address] = /^([0-9a-f]+) T mn_mark$/m.exec(run("llvm-nm-22", [program]));
  const [command, ...words] = start ?? ["qemu-system-arm", "-M", board, "-display", "none", "-monitor", "none",
    "-serial", "none", "-semihosting-config", "enable=on,target=native"];
  const { status, stdout, stderr } = spawnSync(command,
    [...words, "-plugin", `${plugin},mark=${address}`, ...(start ? [program] : ["-kernel", program])], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program}: exit code ${status}: ${stderr}`);
  const marks = stderr.match(/^\d+$/gm).map(Number);
  const lines = stdout.trim().split("\n").map((line) => line.split(" "));
  if (marks.length !== 2 * lines.length) throw new Error(`${program}: ${marks.length} marks for ${lines.length} lines`);
  return lines.map(([table, kernel, d, rows], i) => ({
    table, kernel, d: Number(d), rows: Number(rows), instructions: marks[2 * i + 1] - marks[2 * i],
  }));
}

/** Instructions for one row of each kernel: [{target, table, kernel, rows, each: [for
 * DIMENSIONS]}]. What the call itself takes is taken off, but its return. */
export function countKernels() {
  const plugin = makePlugin();
  return TARGETS.flatMap((target) => {
    const all = counted(target, plugin);
    const of = (table, kernel, d) => all.find((row) => row.table === table && row.kernel === kernel && row.d === d);
    const kernels = [...new Set(all.map(({ kernel }) => kernel))];
    return target.tables.flatMap((table) => kernels.map((kernel) => ({
      target: target.name,
      table,
      kernel,
      rows: of(table, kernel, DIMENSIONS[0]).rows,
      each: DIMENSIONS.map((d) => {
        const { instructions, rows } = of(table, kernel, d);
        return (instructions - of("empty", kernel, d).instructions + 1) / rows;
      }),
    })));
  });
}
