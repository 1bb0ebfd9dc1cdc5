// SPDX-License-Identifier: Apache-2.0
// Every encoding on every data set, by flat scan, natively: what a vector takes
// and what is found. Then scans in two stages, whose candidates are refined.
// Also writes build/bench/recall-bytes.svg (plot.mjs).
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepare, root, setArguments } from "./data.mjs";
import { floorTable } from "./floors.mjs";
import { median, remembered, smallestEf } from "./measure.mjs";
import { plot } from "./plot.mjs";
import { compileWithMinnow, launch } from "./programs.mjs";
import { commandLine, heading, publish, table, whole } from "./report.mjs";

/** The largest number of subspaces, up to `most`, into which d divides. */
function divisor(d, most) {
  let m = Math.floor(most);
  while (d % m) m--;
  return m;
}

/** [kind, spec, family]; the kind is the spec with d in place of numbers. */
function encodingsFor({ dimensions: d, metric }) {
  const m = (part) => divisor(d, d / part);
  const pq = (part, bits, more = "") =>
    [`pq d/${part} x ${bits}${more}`, `pq${m(part)}x${bits}${more}`, `pq x${bits}${more}`];
  const prq = (part, more = "") => [`prq d/${part} x 8 x 2${more}`, `prq${m(part)}x8x2${more}`, `prq${more}`];
  const opq = (part) => [`opq, pq d/${part} x 8`, `opq,pq${m(part)}x8`, "opq"];
  return [
    ...["f32", "f16", "bf16"].map((name) => [name, name, "floats"]),
    ...["sq8", "sq6", "sq4"].map((name) => [name, name, "sq"]),
    ["hadamard,sq4", "hadamard,sq4", "hadamard"],
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((b) => [`bits${b}`, `bits${b}`, "bits"]),
    ...[16, 8, 4, 2].map((part) => pq(part, 8)),
    ...[8, 4].map((part) => pq(part, 8, "+c")),
    ...[4, 2].map((part) => pq(part, 4)),
    ...[4, 2].map((part) => pq(part, 4, "+c")),
    ...(d > 256 ? [8] : [16, 8, 4]).map((part) => prq(part)),
    prq(8, "+c"),
    ...(d > 256 ? [8] : [8, 4]).map(opq),
    ...(d > 256 ? ["pca128,bits4", "pca256,bits2", "pca256,bits4"].map((name) => [name, name, "pca"]) : []),
    ...(d > 256 && metric === "cosine" ? [["first256,bits4", "first256,bits4", "first"]] : []),
  ];
}

/** Which planes of an encoding are worth a scan of their own; 0: no planes. */
const planesOf = (kind) => (kind === "bits8" ? [8, 4, 2, 1] : [Number(/bits(\d)/.exec(kind)?.[1] ?? 0)]);

/** Candidates by the first, ranked again by the second. */
const twoStagesFor = (set) => {
  const [, pq] = encodingsFor(set).find(([kind]) => kind === "pq d/4 x 8");
  const [, pq4] = encodingsFor(set).find(([kind]) => kind === "pq d/2 x 4");
  return ["bits8", "bits4", "bits1,refine=sq8", "bits2,refine=sq8", `${pq},refine=sq8`, `${pq4},refine=sq8`, "bits4,refine=bf16"];
};

async function timed(ask, passes, ...query) {
  const seconds = [];
  for (let pass = 0; pass < passes; pass++) {
    const { queries, cpu } = await ask(["time", 100, ...query].join(" "));
    seconds.push(cpu / queries);
  }
  return 1 / median(seconds);
}

/** The rows of one encoding: several where planes can be chosen. */
async function scan(set, [kind, spec, family], passes) {
  const { ready, ask, close } = await launch("encodings", [...setArguments(set), `flat,${spec}`]);
  const rows = [];
  for (const planes of planesOf(kind)) {
    const { at10, at50, read } = await ask(`recall 50 ${planes} 0 0`);
    const part = planes && read / set.n < ready.code_bytes;
    rows.push({
      kind: part ? `${kind}, ${planes} plane${planes > 1 ? "s" : ""}` : kind,
      spec, planes, family: part ? "planes" : family, bytes: ready.code_bytes, read: read / set.n, at10, at50,
      error: ready.error, clipped: ready.clipped, sample: ready.sample,
      trainSeconds: ready.train, encodedPerSecond: set.n / ready.add,
      queriesPerSecond: await timed(ask, passes, planes, 0, 0),
    });
  }
  close();
  return rows;
}

/** One index whose candidates are refined: with the default refine_k, and with
 * the smallest that has recall .99. */
async function refine(set, spec, passes) {
  const { ready, ask, close } = await launch("encodings", [...setArguments(set), `flat,${spec}`]);
  const recallAt = async (refineK) => {
    const { at10, read, refined } = await ask(`recall 10 0 0 ${refineK}`);
    return { recall: at10, read: read / set.n, refined };
  };
  const row = { spec, bytes: ready.code_bytes + ready.refine_bytes, refineK: 10, ...(await recallAt(10)) };
  row.queriesPerSecond = await timed(ask, passes, 0, 0, 10);
  const count = remembered({ count: (candidates) => recallAt(candidates / 10) });
  const candidates = await smallestEf(count, 0.99);
  if (candidates) {
    row.refineK99 = candidates / 10;
    row.queriesPerSecond99 = await timed(ask, passes, 0, 0, row.refineK99);
  }
  close();
  return row;
}

const share = (number) => number.toFixed(3);
const scanColumns = [
  ["spec", (row) => `flat,${row.spec}${row.family === "planes" ? row.kind.replace(/^.*,/, " by") : ""}`],
  ["bytes/vector", (row) => whole(row.bytes)],
  ["read/vector", (row) => whole(row.read)],
  ["in first 10", (row) => share(row.at10)],
  ["in first 50", (row) => share(row.at50)],
  ["error", (row) => (row.error ? row.error.toPrecision(2) : "0")],
  ["trained on", (row) => (row.sample ? whole(row.sample) : "–")],
  ["trained, s", (row) => (row.sample ? row.trainSeconds.toPrecision(2) : "–")],
  ["encoded/s", (row) => whole(row.encodedPerSecond)],
  ["queries/s", (row) => whole(row.queriesPerSecond)],
];
const refineColumns = [
  ["spec", (row) => `flat,${row.spec}`],
  ["bytes/vector", (row) => whole(row.bytes)],
  ["read/vector", (row) => row.read.toFixed(1)],
  ["recall@10", (row) => share(row.recall)],
  ["queries/s", (row) => whole(row.queriesPerSecond)],
  ["refine_k for .99", (row) => (row.refineK99 ? row.refineK99.toFixed(1) : "not reached")],
  ["queries/s at .99", (row) => (row.refineK99 ? whole(row.queriesPerSecond99) : "–")],
];
const section = ({ set, rows, refined }) => `${heading(set)}

${table(scanColumns, rows)}

Two stages, refine_k 10 and the smallest with recall .99:

${table(refineColumns, refined)}
`;

const options = commandLine({ specs: [], quickSpecs: [] });
const log = (text) => process.stderr.write(`${text}\n`);
compileWithMinnow("encodings", "encodings.c");
const results = [];
for (const set of await prepare({ folder: options.data, count: options.count, only: options.sets })) {
  const rows = [];
  const refined = [];
  const wanted = (spec) => !options.specs.length || options.specs.includes(`flat,${spec}`);
  for (const encoding of encodingsFor(set).filter(([, spec]) => wanted(spec))) {
    log(`${set.name}: ${encoding[1]}`);
    rows.push(...(await scan(set, encoding, options.passes)));
  }
  for (const spec of twoStagesFor(set).filter(wanted)) {
    log(`${set.name}: ${spec} in two stages`);
    refined.push(await refine(set, spec, options.passes));
  }
  results.push({ set, rows, refined });
}
publish("encodings", options, results, `${floorTable(results)}\n${results.map(section).join("\n")}`);
writeFileSync(join(root, "build/bench/recall-bytes.svg"), plot(results));
