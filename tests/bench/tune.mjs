// SPDX-License-Identifier: Apache-2.0
// What mn_index_tune chooses for a recall, measured on vectors of the index or on
// queries, and what other queries, which it did not see, then get (tune.c).
import { publishCounts } from "./counts.mjs";
import { setArguments } from "./data.mjs";
import { compileWithMinnow, launch } from "./programs.mjs";
import { commandLine, whole } from "./report.mjs";

const aims = [0.95, 0.99];
const sources = ["own codes", "own floats", "held codes", "held floats"];
const names = { own: "its own", held: "queries", codes: "codes", floats: "vectors" };

/** The rows of one index, one for each aim and what it is tuned on. */
async function tunedOf(set, spec) {
  const { ask, close } = await launch("tune", [...setArguments(set), spec]);
  const rows = [];
  for (const aim of aims) {
    for (const source of sources) {
      const [queries, exact] = source.split(" ");
      rows.push({ spec, aim, queries, exact, ...(await ask(`${aim} ${source}`)) });
    }
  }
  close();
  return rows.map((row) => ({ ...row, scans: row.spent / row.recall.queries / set.n }));
}

const columns = [
  ["index", (row) => row.spec],
  ["tuned on", (row) => names[row.queries]],
  ["judged by", (row) => names[row.exact]],
  ["aim", (row) => String(row.aim)],
  ["ef, nprobe", (row) => String(row.ef || row.nprobe || "–")],
  ["γ", (row) => (row.gamma ? row.gamma.toFixed(3) : "–")],
  ["refine_k", (row) => (row.refineK ? row.refineK.toFixed(1) : "–")],
  ["recall@10", (row) => row.recall.recall.toFixed(4) + (row.reached ? "" : " (most)")],
  ["95 %", (row) => `${row.recall.low.toFixed(3)} to ${row.recall.high.toFixed(3)}`],
  ["distances", (row) => whole(row.recall.distances)],
  ["settings tried", (row) => String(row.runs)],
  ["scans' worth a query", (row) => row.scans.toFixed(2)],
  ["others: recall@10", (row) => row.others.recall.toFixed(4)],
  ["others: distances", (row) => whole(row.others.distances)],
];

const options = commandLine({
  specs: ["hnsw16,f16", "hnsw16,bits8", "hnsw16,bits8 packed", "ivf,bits8"],
  quickSpecs: ["hnsw16,bits8"],
});
compileWithMinnow("tune", "tune.c");
await publishCounts("tune", options, {
  about: "k = 10. Tuned on 256 vectors of the index, or on the first half of the queries; right is what a scan of the codes finds, or what is true of the vectors. The others are the second half of the queries, judged by the vectors.\n\n",
  columns, left: 3, rowsOf: tunedOf,
});
