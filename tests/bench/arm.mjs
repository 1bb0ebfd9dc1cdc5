// SPDX-License-Identifier: Apache-2.0
// What Minnow costs on ARM in instructions and estimated cycles: kernels beside
// the loops of CMSIS, and queries on boards. Nothing here is timed.
import { countKernels, DIMENSIONS, TARGETS } from "./arm_kernels.mjs";
import { inspectLoop, MODELS } from "./arm_loops.mjs";
import { CMSIS } from "./arm_cmsis.mjs";
import { countQueries } from "./arm_queries.mjs";
import { commandLine, publish, table, whole } from "./report.mjs";

/** Dimensions that an iteration of each kernel's loop meets, times the rows it
 * meets them in. */
const WORK = {
  "neon dot_i8_u1": 512, "neon dot_i8_u2": 256, "neon dot_i8_u4": 128, "neon dot_i16_i8": 16, "neon dot_i16_u4": 16,
  "neon dot_f32": 16, "neon l2_f32": 16,
  "dotprod dot_i8_u1": 512, "dotprod dot_i8_u2": 256, "dotprod dot_i8_u4": 128, "dotprod dot_i16_i8": 16,
  "dotprod dot_i16_u4": 32, "i8mm dot_i16_i8": 16,
  "mve dot_i8_u1": 64, "mve dot_i8_u2": 128, "mve dot_i8_u4": 64, "mve dot_i16_i8": 8, "mve dot_i16_u4": 16,
  "mve dot_f32": 16, "mve l2_f32": 16,
  "dsp dot_i8_u1": 64, "dsp dot_i8_u2": 32, "dsp dot_i8_u4": 16, "dsp dot_i16_i8": 4, "dsp dot_i16_u4": 8,
  "dsp dot_f32": 8,
};
/** Kernels whose loops stand side by side in a function of another name, and
 * which of these in order of length. */
const SHARED = { "dsp dot_i8_u4": ["add_rows_dsp", 1], "dsp dot_i8_u2": ["add_rows_dsp", 2], "dsp dot_i8_u1": ["add_rows_dsp", 3] };
/** What i8mm shares with dotprod, and both with NEON, is shown once. */
const isShownOnce = ({ table: name, kernel }) =>
  (name === "neon" || (name === "dotprod" && /^dot_i/.test(kernel)) || (name === "i8mm" && kernel === "dot_i16_i8") ||
    !["neon", "dotprod", "i8mm"].includes(name));

function loops(rows) {
  return TARGETS.flatMap((target) => target.tables.flatMap((name) => rows
    .filter((row) => row.target === target.name && row.table === name && WORK[`${name} ${row.kernel}`])
    .flatMap(({ kernel }) => {
      const model = MODELS[target.name];
      const loop = model && inspectLoop(target.program, SHARED[`${name} ${kernel}`]?.[0] ?? `mn_${kernel}_${name}`, model, SHARED[`${name} ${kernel}`]?.[1]);
      if (!loop) return [];
      const products = WORK[`${name} ${kernel}`];
      return Object.entries(loop.cycles).map(([processor, cycles]) => ({
        target: target.name, table: name, kernel, processor, products, ...loop, cycles,
      }));
    })));
}

const number = (digits) => (x) => x.toFixed(digits);
const eachColumns = DIMENSIONS.map((d, i) => [`d = ${d}`, ({ each }) => whole(each[i])]);
const kernelColumns = [
  ["core", (row) => row.target], ["table", (row) => row.table], ["kernel", (row) => row.kernel], ...eachColumns,
  ["a dimension", ({ each }) => number(2)((each[3] - each[2]) / (DIMENSIONS[3] - DIMENSIONS[2]))],
];
const loopColumns = [
  ["table", (row) => row.table], ["kernel", (row) => row.kernel], ["model", (row) => row.processor],
  ["products", (row) => String(row.products)],
  ["instructions", (row) => String(row.instructions)],
  ["loads", (row) => String(row.loads)],
  ["cycles", (row) => number(1)(row.cycles.all)],
  ["of loads alone", (row) => number(1)(row.cycles.loads)],
  ["÷", (row) => number(2)(row.cycles.all / row.cycles.loads)],
  ["at full width", (row) => number(1)(row.cycles.bound)],
  ["÷", (row) => number(2)(row.cycles.all / row.cycles.bound)],
  ["products a cycle", (row) => number(2)(row.products / row.cycles.all)],
];
const queryColumns = [
  ["build", (row) => row.build], ["index", (row) => row.spec], ["n", (row) => whole(row.n)],
  ["recall@10", (row) => number(3)(row.recall)], ["instructions", (row) => whole(row.search)],
  ["at 80 MHz", (row) => `${number(1)(row.milliseconds[0])} ms`],
  ["at 160 MHz", (row) => `${number(1)(row.milliseconds[1])} ms`],
];

const options = commandLine({ specs: [] });
const kernels = countKernels().filter(isShownOnce);
const inner = loops(kernels);
const cmsis = CMSIS.map((row) => ({ ...row, each: DIMENSIONS.map((d) => d * row.instructions / row.products) }));
const queries = countQueries(options);
publish("arm", options, { kernels, loops: inner, cmsis, queries }, `### Instructions for one row

${table(kernelColumns, kernels, 3)}

### Published loops of CMSIS, each operation counted as one instruction

${table([["core", (row) => row.target], ["function", (row) => row.name], ["an iteration", (row) => row.what], ...eachColumns,
    ["a dimension", (row) => number(2)(row.instructions / row.products)]], cmsis, 3)}

### Inner loops by llvm-mca

${table(loopColumns, inner, 3)}

### Queries

${table(queryColumns, queries, 2)}
`);
