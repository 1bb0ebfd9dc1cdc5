// SPDX-License-Identifier: Apache-2.0
// What deletes and replacements do to an index, repaired or not, beside a fresh
// one of the same vectors, by searches with default settings (changes.c); and
// what they do to hnswlib and Faiss's IVFFlat (changes_hnswlib.cpp,
// changes_faiss.cpp).
import { createInterface } from "node:readline";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { prepare, root, setArguments } from "./data.mjs";
import { compile, compileWithFaiss, compileWithMinnow, keptGraph } from "./programs.mjs";
import { commandLine, heading, publish, table, whole } from "./report.mjs";

/** The rows of one index: a line of the program each. */
async function changesOf(set, spec, program, ...args) {
  process.stderr.write(`${set.name}: ${spec}\n`);
  const child = spawn(join(root, "build/bench", program), [...setArguments(set), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const rows = [];
  for await (const line of createInterface({ input: child.stdout })) rows.push({ spec, ...JSON.parse(line) });
  if (!rows.at(-1)?.what.match(/fresh$|not repaired$/)) throw new Error(`${program} of ${set.name} stopped after ${rows.length} lines`);
  return rows;
}

const some = (number) => (number ? whole(number) : "–");
const columns = [
  ["index", (row) => row.spec],
  ["vectors", (row) => row.what],
  ["number", (row) => whole(row.vectors)],
  ["dead", (row) => some(row.dead)],
  ["recall@10", (row) => row.recall.toFixed(4)],
  ["evaluations/query", (row) => whole(row.evaluations)],
  ["found fewer than k", (row) => some(row.short)],
  ["scanned", (row) => some(row.scanned)],
  ["out of reach", (row) => some(row.unreached)],
  ["repair: distances a delete", (row) => some(row.repairDistances)],
  ["µs a change", (row) => (row.changeMicros ? row.changeMicros.toFixed(1) : "–")],
];

const options = commandLine({ specs: ["hnsw16,bits8", "ivf,bits8"], quickSpecs: ["hnsw16,bits8"] });
const about = "hnswlib: `f32`, M 16, ef_construction 200, ef 128; what is deleted is marked, what is replaced is updated in its slot. Faiss: nprobe is the least with a recall of .98 of all rows; trained once. Microseconds a change: deleting, adding, linking and repairing, divided by the vectors deleted or replaced.\n\n";
compileWithMinnow("changes", "changes.c");
compile("c++", "changes-hnswlib", "-DNDEBUG", "-mavx2", "-mfma", "changes_hnswlib.cpp");
compileWithFaiss("changes-faiss", "changes_faiss.cpp");
const results = [];
for (const set of await prepare({ folder: options.data, count: options.count, only: options.sets })) {
  const rows = [];
  const runs = [
    ...options.specs.map((spec) => ["minnow", spec, "changes", spec]),
    ["faiss", "Faiss IVFFlat", "changes-faiss", "0.98"],
    ["hnswlib", "hnswlib f32", "changes-hnswlib", "16,200", keptGraph(set)],
  ].filter(([part]) => !options.only || options.only.includes(part));
  for (const [, ...run] of runs) rows.push(...(await changesOf(set, ...run)));
  results.push({ set, rows });
}
const tables = results.map(({ set, rows }) => `${heading(set)}\n\n${table(columns, rows, 2)}\n`);
publish("changes", options, results, about + tables.join("\n"));
