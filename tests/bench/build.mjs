// SPDX-License-Identifier: Apache-2.0
// How fast an index is built, by one call and in one and two threads (build.c):
// the blocks must be the same bytes. The fastest pass counts, since threads wait
// for each other when something else takes a core.
import { publishCounts } from "./counts.mjs";
import { setArguments } from "./data.mjs";
import { compileWithMinnow, launch } from "./programs.mjs";
import { commandLine, whole } from "./report.mjs";

const ways = [[0, "mn_index_add"], [1, "1 thread"], [2, "2 threads"]];

async function buildsOf(set, spec) {
  const rows = ways.map(([threads, title]) => ({ spec, title, threads, passes: [] }));
  for (let pass = 0; pass < options.passes; pass++) {
    for (const row of rows) {
      const { ready, close } = await launch("build", [...setArguments(set), spec, String(row.threads)]);
      row.passes.push(ready);
      close();
    }
  }
  const fastest = ({ passes }) => Math.min(...passes.map(({ wall }) => wall));
  return rows.map((row) => ({
    ...row, perSecond: set.n / fastest(row), timesFirst: fastest(rows[0]) / fastest(row),
    same: row.passes.every(({ hash }) => hash === rows[0].passes[0].hash),
  }));
}

const options = commandLine({ specs: ["hnsw16,f32", "hnsw16,bits8"], quickSpecs: ["hnsw16,bits8"] });
compileWithMinnow("build", "-pthread", "build.c");
await publishCounts("build", options, {
  columns: [
    ["index", (row) => row.spec],
    ["built by", (row) => row.title],
    ["block", (row) => (row.same ? "the same" : "**differs**")],
    ["built/s", (row) => whole(row.perSecond)],
    ["times the first", (row) => row.timesFirst.toFixed(2)],
  ],
  left: 3, rowsOf: buildsOf,
});
