// SPDX-License-Identifier: Apache-2.0
// What deletes and replacements do to a graph, repaired or not, beside a fresh
// one of the same vectors (changes.c); all by searches with default settings.
import { createInterface } from "node:readline";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { prepare, root, setArguments } from "./data.mjs";
import { compileWithMinnow } from "./programs.mjs";
import { commandLine, heading, publish, table, whole } from "./report.mjs";

/** The rows of one index: a line of the program each. */
async function changesOf(set, spec) {
  const child = spawn(join(root, "build/bench/changes"), [...setArguments(set), spec], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const rows = [];
  for await (const line of createInterface({ input: child.stdout })) rows.push({ spec, ...JSON.parse(line) });
  if (rows.length !== 9) throw new Error(`changes of ${set.name} stopped after ${rows.length} lines`);
  return rows;
}

const columns = [
  ["index", (row) => row.spec],
  ["vectors", (row) => row.what],
  ["number", (row) => whole(row.vectors)],
  ["dead", (row) => whole(row.dead)],
  ["recall@10", (row) => row.recall.toFixed(4)],
  ["evaluations/query", (row) => whole(row.evaluations)],
  ["scanned", (row) => whole(row.scanned)],
  ["out of reach", (row) => whole(row.unreached)],
  ["distances a delete", (row) => (row.repairDistances ? whole(row.repairDistances) : "–")],
];

const options = commandLine({ specs: ["hnsw16,bits8"], quickSpecs: ["hnsw16,bits8"] });
compileWithMinnow("changes", "changes.c");
const results = [];
for (const set of await prepare({ folder: options.data, count: options.count, only: options.sets })) {
  const rows = [];
  for (const spec of options.specs) {
    process.stderr.write(`${set.name}: ${spec}\n`);
    rows.push(...(await changesOf(set, spec)));
  }
  results.push({ set, rows });
}
const tables = results.map(({ set, rows }) => `${heading(set)}\n\n${table(columns, rows, 2)}\n`);
publish("changes", options, results, tables.join("\n"));
