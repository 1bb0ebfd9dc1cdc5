// SPDX-License-Identifier: Apache-2.0
// Filtered searches (filters.c), by the plan that is chosen and by each that can
// be forced, beside hnswlib. Faiss is not: of Debian's 1.7.3, IndexHNSW refuses
// an IDSelector ("search params not supported for this index").
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { prepare, root, setArguments } from "./data.mjs";
import { compile, compileWithMinnow } from "./programs.mjs";
import { commandLine, heading, publish, table, whole } from "./report.mjs";

const run = (name, set, spec) =>
  execFileSync(join(root, "build/bench", name), [...setArguments(set), spec], { encoding: "utf8", maxBuffer: 1 << 26 })
    .trim().split("\n").map((line) => JSON.parse(line));

/** A row for each kind of filter and share; figures of each plan by its name. */
function rowsOf(set, spec) {
  const rows = new Map();
  const rowOf = ({ kind, share }) => {
    const key = `${kind} ${share}`;
    if (!rows.has(key)) rows.set(key, { spec, kind, share, plans: {} });
    return rows.get(key);
  };
  for (const figures of run("filters", set, spec)) rowOf(figures).plans[figures.plan] = figures;
  return [...rows.values()];
}

const percent = (share) => `${100 * share} %`;
const taken = ({ taken, fellBack }) =>
  Object.entries(taken).map(([plan, count]) => `${plan} ${count}`).join(", ") + (fellBack ? `, scanned after ${fellBack}` : "");
const cell = (figures) => (figures ? `${figures.recall.toFixed(3)}, ${whole(figures.distances)}` : "–");

const columns = [
  ["filter", (row) => row.kind],
  ["matches", (row) => percent(row.share)],
  ["plans taken", (row) => taken(row.plans.auto)],
  ["auto", (row) => cell(row.plans.auto)],
  ...["scan", "walk", "two-hop", "post"].map((plan) => [plan, (row) => cell(row.plans[plan])]),
  ["µs: auto", (row) => whole(row.plans.auto.cpu)],
  ...["scan", "walk", "two-hop", "post"].map((plan) => [plan, (row) => whole(row.plans[plan].cpu)]),
  ["hnswlib", (row) => cell(row.peer)],
];

const options = commandLine({
  specs: ["hnsw16,bits8 packed", "hnsw16,bits8", "hnsw16,f32"],
  quickSpecs: ["hnsw16,bits8 packed"],
});
compileWithMinnow("filters", "filters.c");
compile("c++", "filters-hnswlib", "-DNDEBUG", "-mavx2", "-mfma", "filters_hnswlib.cpp");
const results = [];
const tables = [];
for (const set of await prepare({ folder: options.data, count: options.count, only: options.sets })) {
  process.stderr.write(`${set.name}: hnswlib\n`);
  const peers = run("filters-hnswlib", set, "16,200");
  const rows = [];
  for (const spec of options.specs) {
    process.stderr.write(`${set.name}: ${spec}\n`);
    const some = rowsOf(set, spec);
    for (const row of some) row.peer = peers.find(({ kind, share }) => kind === row.kind && share === row.share);
    tables.push(`${heading(set)}, ${spec}\n\n${table(columns, some, 3)}\n`);
    rows.push(...some);
  }
  results.push({ set, rows });
}
publish("filters", options, results,
  "Recall@10 among the matches, and distances computed to find candidates, at default settings; 100 queries for each line.\n\n" + tables.join("\n"));
