// SPDX-License-Identifier: Apache-2.0
// Recall against bytes per vector, as an SVG that follows the reader's light or
// dark preference:
//
//   node tests/bench/plot.mjs build/bench/encodings.json > tests/bench/recall-bytes.svg
//
// Across: bytes, each mark twice the last. Up: recall@10, stretched so that each
// halving of what is missed takes as much room.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { placeLabels } from "./labels.mjs";

const panelWidth = 400;
const panelHeight = 390;
const margin = { left: 50, right: 16, top: 92, bottom: 44, between: 64 };
const labelHeight = 12;

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

const style = `
  text { font: 11px system-ui, sans-serif; fill: var(--ink); }
  .label { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; }
  .title { font-size: 13px; font-weight: 600; }
  .soft { fill: var(--soft); }
  .paper { fill: var(--paper); }
  .grid { stroke: var(--grid); }
  .front { stroke: var(--front); stroke-width: 9; stroke-linejoin: round; stroke-linecap: round; fill: none; }
  .line { fill: none; }
  svg { --paper: #fff; --ink: #1f2328; --soft: #59636e; --grid: #e4e8ec; --front: #ffe58a;
    --blue: #0969da; --green: #1a7f37; --orange: #bc4c00; --purple: #8250df; --red: #cf222e; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #e6edf3; --soft: #9198a1; --grid: #262c34; --front: #5c4a10;
      --blue: #58a6ff; --green: #3fb950; --orange: #f0883e; --purple: #bc8cff; --red: #ff7b72; }
  }`;

const recallFloor = 0.1;
const recallTicks = [0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1];
const stretch = (recall) => -Math.log2(1.001 - recall);

function scalesOf({ dimensions: d }) {
  const [low, high] = [Math.log2(d / 24), Math.log2(d * 5.2)];
  const [bottom, top] = [stretch(recallFloor), stretch(1)];
  return {
    x: (bytes) => ((Math.log2(bytes) - low) / (high - low)) * panelWidth,
    y: (recall) => panelHeight * (1 - (stretch(Math.max(recall, recallFloor)) - bottom) / (top - bottom)),
    byteTicks: [...Array(13).keys()].map((i) => 2 ** i).filter((bytes) => bytes >= 2 ** low && bytes <= 2 ** high),
  };
}

const at = (number) => number.toFixed(1);
const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${at(x)} ${at(y)}`).join("");

function marker({ shape, color }, [x, y], filled) {
  const paint = `fill="var(--${filled ? color : "paper"})" stroke="var(--${color})" stroke-width="1.5"`;
  if (shape === "square") return `<rect x="${at(x - 3)}" y="${at(y - 3)}" width="6" height="6" ${paint}/>`;
  return `<circle cx="${at(x)}" cy="${at(y)}" r="3.4" ${paint}/>`;
}

/** Rows that no other beats in bytes and in recall, by bytes. */
function frontOf(rows) {
  const sorted = rows.filter(({ family }) => family !== "planes").sort((a, b) => a.bytes - b.bytes || b.at10 - a.at10);
  let best = -1;
  return sorted.filter(({ at10 }) => at10 > best && ((best = at10), true));
}

function axes({ x, y, byteTicks }) {
  const parts = [];
  for (const recall of recallTicks) {
    parts.push(`<path class="grid" d="M0 ${at(y(recall))}H${panelWidth}"/>`);
    parts.push(`<text class="soft" x="-6" y="${at(y(recall) + 4)}" text-anchor="end">${String(recall).replace(/^0/, "")}</text>`);
  }
  for (const bytes of byteTicks) {
    parts.push(`<path class="grid" d="M${at(x(bytes))} 0V${panelHeight}"/>`);
    parts.push(`<text class="soft" x="${at(x(bytes))}" y="${panelHeight + 15}" text-anchor="middle">${bytes}</text>`);
  }
  return parts;
}

function panel({ set, rows }) {
  const scales = scalesOf(set);
  const where = (row) => [scales.x(row.family === "planes" ? row.read : row.bytes), scales.y(row.at10)];
  const front = new Set(frontOf(rows));
  const stairs = [...front].map(where).flatMap(([x, y], i, all) => (i ? [[x, all[i - 1][1]], [x, y]] : [[x, y]]));
  const parts = [...axes(scales), `<path class="front" d="${path(stairs)}"/>`];
  const dots = [];
  const lines = [];
  for (const family of families) {
    const own = rows.filter((row) => row.family === family.name).sort((a, b) => where(a)[0] - where(b)[0]);
    const points = own.map(where);
    if (family.line !== false && points.length > 1) {
      lines.push(...points.slice(1).map((point, i) => [points[i], point]));
      parts.push(`<path class="line" d="${path(points)}" stroke="var(--${family.color})" stroke-width="${family.width ?? 1.5}"${family.dashes ? ` stroke-dasharray="${family.dashes}"` : ""}/>`);
    }
    own.forEach((row, i) => dots.push({ row, family, point: points[i], text: family.label(row) }));
  }
  parts.push(...dots.map(({ family, point, row }) => marker(family, point, front.has(row))));
  const labels = placeLabels(dots.filter(({ text }) => text), { dots, lines, width: panelWidth, height: panelHeight, labelHeight });
  for (const { text, family, box } of labels) {
    parts.push(`<text class="label" x="${at(box.x)}" y="${at(box.y + labelHeight - 3)}" style="fill:var(--${family.color})">${text}</text>`);
  }
  parts.push(`<text class="title" x="0" y="-10">${set.title}</text>`);
  parts.push(`<text class="soft" x="${panelWidth}" y="${panelHeight + 31}" text-anchor="end">bytes per vector</text>`);
  return parts;
}

/** Four to a line, each with its stroke and mark. */
function legend(used) {
  const step = (2 * panelWidth + margin.between) / 5;
  return used.flatMap((family, i) => {
    const x = margin.left + (i % 5) * step;
    const y = 36 + Math.floor(i / 5) * 17;
    const dashes = family.dashes ? ` stroke-dasharray="${family.dashes}"` : "";
    const line = family.line === false ? "" : `<path class="line" d="M${at(x)} ${y}h22" stroke="var(--${family.color})" stroke-width="${family.width ?? 1.5}"${dashes}/>`;
    return [line, marker(family, [x + 11, y], true), `<text x="${at(x + 28)}" y="${y + 4}">${family.title}</text>`];
  });
}

/** In the order of their panels. */
const titles = { glove: "GloVe words", mnist: "MNIST pixels", glosses: "WordNet glosses", sentences512: "Sentences" };

/** The SVG for what encodings.mjs found. */
export function plot(results) {
  const width = margin.left + 2 * panelWidth + margin.between + margin.right;
  const rowHeight = panelHeight + margin.bottom + 44;
  const height = margin.top + Math.ceil(results.length / 2) * rowHeight - 30;
  const used = families.filter(({ name }) => results.some(({ rows }) => rows.some(({ family }) => family === name)));
  const named = (set) => set.name.replace(/-.*/, "");
  const order = ({ set }) => (Object.keys(titles).indexOf(named(set)) + 99) % 99;
  const panels = [...results].sort((a, b) => order(a) - order(b)).map(({ set, rows }, i) => {
    const title = `${titles[named(set)] ?? set.name}: ${set.n.toLocaleString("en-US")} × ${set.dimensions}, ${set.metric}`;
    const x = margin.left + (i % 2) * (panelWidth + margin.between);
    const y = margin.top + 20 + Math.floor(i / 2) * rowHeight;
    return `<g transform="translate(${x} ${y})">\n${panel({ set: { ...set, title }, rows }).join("\n")}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Recall at 10 against bytes per vector, for every encoding">
<style>${style}
</style>
<rect class="paper" width="${width}" height="${height}"/>
<text class="title" x="${margin.left}" y="20">recall@10 of a flat scan against bytes per vector; filled marks on the broad band: nothing smaller finds as much</text>
${legend(used).join("\n")}
${panels.join("\n")}
</svg>
`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(plot(JSON.parse(readFileSync(process.argv[2], "utf8")).results));
}
