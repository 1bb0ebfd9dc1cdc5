// SPDX-License-Identifier: Apache-2.0
// Recall against bytes per vector of every encoding, as an SVG (chart.mjs):
//
//   node tests/bench/plot.mjs build/bench/encodings.json > tests/bench/recall-bytes.svg
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { bytesAxis, chart, inPanelOrder, recallAxis, setTitle } from "./chart.mjs";

/** Families of encodings: their line, and what a point of theirs is called. */
const families = [
  { name: "floats", color: "ink", title: "f32, f16, bf16", label: ({ spec }) => spec },
  { name: "sq", color: "orange", title: "sq4, sq6, sq8", label: ({ spec }) => spec },
  { name: "hadamard", color: "orange", shape: "square", title: "hadamard,sq4", label: () => "hadamard,sq4" },
  { name: "bits", color: "blue", width: 2.5, title: "bits1 to bits8", label: ({ spec }) => spec },
  { name: "planes", color: "blue", dashes: "2 3", shape: "square", title: "bits8 by 1, 2, 4 planes", label: ({ planes }) => `${planes}p` },
  { name: "pq x8", color: "green", title: "pq, 8 bits", label: sizeOf },
  { name: "pq x8+c", color: "green", dashes: "5 3", title: "pq, 8 bits, +c", label: () => "" },
  { name: "pq x4", color: "green", shape: "square", title: "pq, 4 bits", label: () => "" },
  { name: "pq x4+c", color: "green", shape: "square", dashes: "5 3", title: "pq, 4 bits, +c", label: () => "" },
  { name: "opq", color: "purple", shape: "square", title: "opq,pq, 8 bits", label: () => "" },
  { name: "prq", color: "purple", title: "prq, 2 x 8 bits", label: () => "" },
  { name: "prq+c", color: "purple", dashes: "5 3", title: "prq, 2 x 8 bits, +c", label: () => "" },
  { name: "pca", color: "red", line: false, title: "pca and bits", label: ({ spec }) => spec },
  { name: "first", color: "red", shape: "square", title: "first256,bits4", label: ({ spec }) => spec },
];

/** pq's size for the reader: "d/4". */
function sizeOf({ kind }) {
  return /d\/\d+/.exec(kind)[0];
}

/** Rows that no other beats in bytes and in recall, by bytes. */
function frontOf(rows) {
  const sorted = rows.filter(({ family }) => family !== "planes").sort((a, b) => a.bytes - b.bytes || b.at10 - a.at10);
  let best = -1;
  return sorted.filter(({ at10 }) => at10 > best && ((best = at10), true));
}

function panel({ set, rows }) {
  const front = frontOf(rows);
  const pointOf = (row, family) => ({
    x: row.family === "planes" ? row.read : row.bytes,
    y: row.at10,
    text: family.label(row),
    hollow: !front.includes(row),
  });
  const series = families.map((family) => ({
    family,
    points: rows.filter((row) => row.family === family.name).map((row) => pointOf(row, family)).sort((a, b) => a.x - b.x),
  })).filter(({ points }) => points.length);
  return {
    title: setTitle(set),
    x: bytesAxis(set.dimensions / 24, set.dimensions * 5.2),
    y: recallAxis(0.1),
    xTitle: "bytes per vector",
    series,
    band: front.flatMap(({ bytes: x, at10: y }, i) => (i ? [{ x, y: front[i - 1].at10 }, { x, y }] : [{ x, y }])),
  };
}

/** The SVG for what encodings.mjs found. */
export const plot = (results) => chart({
  about: "Recall at 10 against bytes per vector, for every encoding",
  title: "recall@10 of a flat scan against bytes per vector; filled marks on the broad band: nothing smaller finds as much",
  families,
  legendColumns: 5,
  panels: inPanelOrder(results).map(panel),
});

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(plot(JSON.parse(readFileSync(process.argv[2], "utf8")).results));
}
