// SPDX-License-Identifier: Apache-2.0
// What measure.mjs found of Minnow and its peers, as SVGs (chart.mjs), written to
// build/bench/ by native.mjs and browser.mjs:
//
//   graph-RUN.svg        recall@10 against queries a second
//   graph-RUN-bytes.svg  recall@10 against bytes per vector, graph and keys and
//                        codes together
//
//   node tests/bench/curves.mjs RUN   draws them anew from build/bench/RUN.json
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bytesAxis, chart, decimalAxis, inPanelOrder, recallAxis, setTitle } from "./chart.mjs";
import { root } from "./data.mjs";

const recallFloor = { speed: 0.7, bytes: 0.9 };
/** Every index has its own colour and mark; Minnow's are blue, black and purple,
 * packed ones dashed like the live ones that they were made of. */
const looks = {
  Minnow: ["blue", "purple", "ink"].flatMap((color) => [{ color, width: 2.5 }, { color, width: 2.5, shape: "square" }]),
  hnswlib: [{ color: "orange" }, { color: "orange", shape: "square" }],
  Faiss: [{ color: "green" }, { color: "green", shape: "square" }],
};
const makerOf = (library) => library.match(/^\w+/)[0];
const baseOf = (spec) => spec.replace(/ .*/, "");

/** One family for each index in the results, by name "library spec". */
function familiesOf(rows) {
  const families = new Map();
  const taken = new Map();
  for (const { library, spec } of rows) {
    const name = `${library} ${spec}`;
    const own = looks[makerOf(library)];
    const base = `${library} ${baseOf(spec)}`;
    if (!taken.has(base)) taken.set(base, [...taken.keys()].filter((other) => makerOf(other) === makerOf(library)).length);
    families.set(name, {
      name, title: library === "Minnow" ? `Minnow ${spec}` : library,
      ...own[taken.get(base) % own.length], ...(spec === baseOf(spec) ? {} : { dashes: "5 3" }),
    });
  }
  return families;
}

/** The rows of each family, by rising recall. */
function seriesOf(rows, families, pointsOf) {
  return [...families.values()].map((family) => {
    const own = rows.filter(({ library, spec }) => family.name === `${library} ${spec}`);
    return { family, points: own.length ? pointsOf([...own].sort((a, b) => a.recall - b.recall)) : [] };
  }).filter(({ points }) => points.length);
}

const isOnCurve = ({ aim }) => aim === "curve" || aim === "exhaustive";
const short = (number) => `${Number((number / 1000).toPrecision(2))} k/s`;

function speedPanel({ set, rows }, families) {
  const shown = rows.filter((row) => isOnCurve(row) && row.recall >= recallFloor.speed);
  const speeds = shown.map(({ queriesPerSecond }) => queriesPerSecond);
  return {
    title: setTitle(set),
    x: recallAxis(recallFloor.speed),
    y: decimalAxis(Math.min(...speeds) / 1.2, Math.max(...speeds) * 1.2),
    xTitle: "recall@10; up: queries a second",
    series: seriesOf(shown, families, (own) => own.map(({ recall: x, queriesPerSecond: y }) => ({ x, y }))),
  };
}

/** One point for each index: the most that it finds on its curve. */
function bytesPanel({ set, rows }, families) {
  const sizes = rows.map(({ bytesPerVector }) => bytesPerVector);
  const pointOf = (own) => {
    const best = own.filter(isOnCurve).at(-1);
    const at99 = own.find(({ aim, recall }) => aim === "0.99" || (aim === "exhaustive" && recall >= 0.99));
    const speed = at99 && short(at99.queriesPerSecond);
    return [{ x: best.bytesPerVector, y: best.recall, text: speed, hollow: best.recall < 0.99 }];
  };
  return {
    title: setTitle(set),
    x: bytesAxis(Math.min(...sizes) / 1.3, Math.max(...sizes) * 1.3),
    y: recallAxis(recallFloor.bytes),
    xTitle: "bytes per vector",
    series: seriesOf(rows, families, pointOf),
  };
}

const charts = {
  "": {
    panel: speedPanel,
    about: "Queries a second against recall at 10, Minnow and its peers",
    title: "queries a second against recall@10, one thread, in one run; up and right is better",
  },
  "-bytes": {
    panel: bytesPanel,
    about: "Recall at 10 against bytes per vector, Minnow and its peers",
    title: "the highest recall@10 against bytes per vector, all in; beside it queries a second at .99; hollow: below that",
  },
};

/** Writes the SVGs of a run, "native" or "browser". */
export function drawGraphs(run, results) {
  const families = familiesOf(results.flatMap(({ rows }) => rows));
  for (const [suffix, { panel, about, title }] of Object.entries(charts)) {
    const panels = inPanelOrder(results).map((result) => panel(result, families));
    const svg = chart({ about, title, families: [...families.values()], legendColumns: 4, panels });
    writeFileSync(join(root, `build/bench/graph-${run}${suffix}.svg`), svg);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const run = process.argv[2];
  drawGraphs(run, JSON.parse(readFileSync(join(root, `build/bench/${run}.json`), "utf8")).results);
}
