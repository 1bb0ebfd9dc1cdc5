// SPDX-License-Identifier: Apache-2.0
// Instructions for a vector that is added and for a query, counted by valgrind
// (which offers AVX2, not AVX-512): the same in every run, however busy the
// machine is. A spec that ends in " portable" is run by the kernels in plain C.
// Training is not counted. The profiles stay in build/bench/callgrind/, for
// callgrind_annotate.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pointsAt, publishCounts } from "./counts.mjs";
import { root, setArguments } from "./data.mjs";
import { commandLine, whole } from "./report.mjs";

const out = join(root, "build/bench/callgrind");
const queries = 200;
const shownFunctions = 6;

/** Runs the program of native.c. Before each line of input, all of which are to
 * time something, what was counted is written to a file and begun anew. */
function profile(name, set, spec, lines) {
  const file = join(out, name);
  for (const old of readdirSync(out)) if (old.startsWith(`${name}.`)) rmSync(join(out, old));
  execFileSync("valgrind", [
    "--tool=callgrind", `--callgrind-out-file=${file}`,
    "--toggle-collect=mn_index_add", "--toggle-collect=mn_index_search",
    "--dump-before=bench_time",
    join(root, "build/bench/minnow"), ...setArguments(set), spec,
  ], { input: lines.map((line) => `${line}\n`).join(""), stdio: ["pipe", "ignore", "pipe"] });
  return [...lines.map((_, i) => readProfile(`${file}.${i + 1}`)), readProfile(file)];
}

/** The instructions in all, and the functions that most were in. Those that were
 * running when the profile began are wrongly given all of it. */
function readProfile(file) {
  const total = Number(/^(?:summary|totals): (\d+)/m.exec(readFileSync(file, "utf8"))[1]);
  const text = execFileSync("callgrind_annotate", ["--threshold=100", file], { encoding: "utf8", maxBuffer: 1 << 26 });
  const functions = [...text.matchAll(/^ *([\d,]+) \([^)]*\) +[^: ]*:(\S+) \[/gm)]
    .map(([, count, name]) => ({ name, share: Number(count.replaceAll(",", "")) / total }))
    .filter(({ share }) => share < 0.999);
  return { total, functions: functions.slice(0, shownFunctions) };
}

async function instructionsOf(set, spec) {
  const points = await pointsAt(set, spec);
  const name = `${set.name} ${spec}`.replace(/\W+/g, "-");
  const [add, ...searches] = profile(name, set, spec, points.map(({ ef }) => `time ${ef} ${queries}`));
  const asked = Math.min(queries, set.queries);
  return [
    { spec, what: "add", each: add.total / set.n, functions: add.functions },
    ...points.map(({ aim, ef, recall }, i) => (
      { spec, what: `query at ${aim}`, ef, recall, each: searches[i].total / asked, functions: searches[i].functions })),
  ];
}

const columns = [
  ["index", (row) => row.spec],
  ["of", (row) => row.what],
  ["most of them in", (row) => row.functions.map(({ name, share }) => `${name} ${Math.round(100 * share)} %`).join(", ")],
  ["ef", (row) => (row.ef ? String(row.ef) : "–")],
  ["recall@10", (row) => (row.recall ? row.recall.toFixed(4) : "–")],
  ["instructions", (row) => whole(row.each)],
];

const options = commandLine({
  specs: ["hnsw16,f32", "hnsw16,bits8", "hnsw16,bits8 portable"],
  quickSpecs: ["hnsw16,bits8"],
  count: 20000,
  quickCount: 5000,
});
mkdirSync(out, { recursive: true });
await publishCounts("instructions", options, { columns, left: 3, rowsOf: instructionsOf });
