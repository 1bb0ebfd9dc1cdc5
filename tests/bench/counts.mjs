// SPDX-License-Identifier: Apache-2.0
// What pages.mjs and instructions.mjs share: Minnow's indexes where they reach a
// recall, of which something other than time is counted.
import { prepare, setArguments } from "./data.mjs";
import { remembered, smallestEf } from "./measure.mjs";
import { compileWithMinnow, launch } from "./programs.mjs";
import { heading, publish, table } from "./report.mjs";

/** [{aim, ef, recall, distances, …, bytesPerVector}], for each aim that is
 * reached: a recall, or "default", which is what the library does by itself.
 * Kernels change no answer, so "portable" is not heeded. */
export async function pointsAt(set, spec, aims = [0.95, 0.99]) {
  const { ready, ask, close } = await launch("minnow", [...setArguments(set), spec.replace(" portable", "")]);
  const count = remembered({ count: (ef) => ask(`count ${ef}`) });
  const points = [];
  for (const aim of aims) {
    const ef = aim === "default" ? 0 : await smallestEf(count, aim, spec);
    if (ef !== undefined) points.push({ aim, ...(await count(ef)), bytesPerVector: ready.bytes / set.n });
  }
  close();
  return points;
}

/** Publishes, set by set, a table of the rows that rowsOf(set, spec) gives for
 * each index, the first `left` of whose columns are words. */
export async function publishCounts(name, options, { about = "", columns, left, rowsOf }) {
  compileWithMinnow("minnow", "native.c");
  const results = [];
  for (const set of await prepare({ folder: options.data, count: options.count, only: options.sets })) {
    const rows = [];
    for (const spec of options.specs) {
      process.stderr.write(`${set.name}: ${spec}\n`);
      rows.push(...(await rowsOf(set, spec)));
    }
    results.push({ set, rows });
  }
  const tables = results.map(({ set, rows }) => `${heading(set)}\n\n${table(columns, rows, left)}\n`);
  publish(name, options, results, about + tables.join("\n"));
}
