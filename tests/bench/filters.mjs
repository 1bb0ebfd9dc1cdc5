// SPDX-License-Identifier: Apache-2.0
// Filtered searches (filters.c), by the plan that is chosen and by each that can
// be forced, beside hnswlib and Faiss's IVFFlat (filters_hnswlib.cpp,
// filters_faiss.cpp).
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { prepare, root, setArguments } from "./data.mjs";
import { compile, compileWithFaiss, compileWithMinnow, keptGraph } from "./programs.mjs";
import { commandLine, heading, publish, table, whole } from "./report.mjs";

const run = (name, set, ...spec) =>
  execFileSync(join(root, "build/bench", name), [...setArguments(set), ...spec], { encoding: "utf8", maxBuffer: 1 << 26 })
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
const cell = (figures) =>
  (figures ? `${figures.recall.toFixed(3)}, ${whole(figures.distances)}${figures.short ? `, short ${figures.short}` : ""}` : "–");
const micros = (figures) => (figures ? whole(figures.cpu) : "–");
const forced = ["scan", "walk", "two-hop", "post", "probe"];
const peers = ["hnswlib", "Faiss IVFFlat"];

const columns = [
  ["filter", (row) => row.kind],
  ["matches", (row) => percent(row.share)],
  ["plans taken", (row) => taken(row.plans.auto)],
  ["auto", (row) => cell(row.plans.auto)],
  ...forced.map((plan) => [plan, (row) => cell(row.plans[plan])]),
  ...peers.map((peer, i) => [peer, (row) => cell(row.peers[i])]),
  ["µs: auto", (row) => micros(row.plans.auto)],
  ...forced.map((plan) => [plan, (row) => micros(row.plans[plan])]),
  ...peers.map((peer, i) => [peer, (row) => micros(row.peers[i])]),
];

/** Without a filter, what Faiss's nprobe is chosen for. */
const unfiltered = 0.98;

const options = commandLine({
  specs: ["hnsw16,bits8 packed", "hnsw16,f32", "ivf,bits8 packed"],
  quickSpecs: ["hnsw16,bits8 packed"],
});
compileWithMinnow("filters", "filters.c");
compile("c++", "filters-hnswlib", "-DNDEBUG", "-mavx2", "-mfma", "filters_hnswlib.cpp");
compileWithFaiss("filters-faiss", "filters_faiss.cpp");
const results = [];
const tables = [];
for (const set of await prepare({ folder: options.data, count: options.count, only: options.sets })) {
  process.stderr.write(`${set.name}: hnswlib, Faiss\n`);
  const hnswlib = run("filters-hnswlib", set, "16,200", keptGraph(set));
  const [{ nlist, nprobe }, ...faiss] = run("filters-faiss", set, String(unfiltered));
  const rows = [];
  for (const spec of options.specs) {
    process.stderr.write(`${set.name}: ${spec}\n`);
    const some = rowsOf(set, spec);
    for (const row of some) row.peers = [hnswlib, faiss].map((all) => all.find((peer) => peer.kind === row.kind && peer.share === row.share));
    tables.push(`${heading(set)}, ${spec}; Faiss: ${whole(nlist)} lists, nprobe ${nprobe}\n\n${table(columns, some, 3)}\n`);
    rows.push(...some);
  }
  results.push({ set, rows });
}
publish("filters", options, results,
  "Recall@10 among the matches, and distances computed to find candidates, at default settings; 100 queries for each line. `short`: so many searches found fewer than k and than match. hnswlib: `f32`, M 16, ef_construction 200, ef 128, all but the matches marked as deleted. Faiss: nprobe is the least with a recall of .98 without filter; its distances are those to centroids and to matches.\n\n" + tables.join("\n"));
