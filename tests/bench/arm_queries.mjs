// SPDX-License-Identifier: Apache-2.0
// Instructions of a query on boards: the firmware of examples/microcontroller
// with indexes of several kinds and sizes, asked 200 questions in QEMU, which
// counts (-icount, read by the processor's timer).
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./data.mjs";

const example = "examples/microcontroller";
const INDEXES = [1000, 10_000].flatMap((n) => ["flat", "hnsw16"].map((structure) => ({ n, spec: `${structure},bits2,refine=bits6` })));
const BUILDS = [
  { name: "Cortex-M4, plain C", board: "mps2-an386", more: "" },
  { name: "Cortex-M4, DSP", board: "mps2-an386", more: "-DMN_WITH_DSP" },
  { name: "Cortex-M55, Helium", board: "mps3-an547", more: "" },
  { name: "Cortex-M3, plain C", board: "mps2-an385", more: "" },
];
const MEGAHERTZ = [80, 160];

const run = (command, words, more = "") =>
  execFileSync(command, words, { cwd: root, encoding: "utf8", env: { ...process.env, MORE: more }, maxBuffer: 1 << 26 });

/** [{build, n, spec, recall, vector, search, milliseconds: [for MEGAHERTZ]}], the
 * latter at one instruction a cycle. */
export function countQueries({ quick }) {
  return INDEXES.filter(({ n }) => !quick || n === 1000).flatMap(({ n, spec }) => {
    const data = `build/bench/arm/${n}-${spec.split(",")[0]}`;
    if (!existsSync(join(root, data, "passages.mn"))) run("node", [`${example}/host/build.mjs`, String(n), spec, data]);
    return BUILDS.map(({ name, board, more }) => {
      const out = `build/bench/arm/${board}${more}`;
      run(`${example}/image`, [board, "main", data, out], more);
      const found = JSON.parse(run("node", [`${example}/host/check.mjs`, board, data, `${out}/main.elf`]));
      if (found.recall < 0.9) throw new Error(`${name}, ${spec} of ${n}: recall@10 ${found.recall}`);
      return {
        build: name, n, spec, recall: found.recall, vector: found.vectorInstructions, search: found.searchInstructions,
        milliseconds: MEGAHERTZ.map((mhz) => found.searchInstructions / mhz / 1000),
      };
    });
  });
}
