// SPDX-License-Identifier: Apache-2.0
// An SVG of panels, two to a line, that follows the reader's light or dark
// preference. A chart has
//
//   families  [{name, title, color, shape?, dashes?, width?, line?}]: how the
//             points of one kind are drawn, and what the legend says of them
//   panels    [{title, x, y, xTitle, series, band?}]: x and y are axes (below),
//             series [{family, points: [{x, y, text?, hollow?}]}] in the order
//             in which a line joins them, band the corners of a broad line
import { placeLabels } from "./labels.mjs";

const panelWidth = 400;
const panelHeight = 390;
const margin = { left: 50, right: 16, bottom: 44, between: 64 };
const labelHeight = 12;

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

const at = (number) => number.toFixed(1);
const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${at(x)} ${at(y)}`).join("");

/** An axis from `low` to `high`, even in bend(value); what lies outside is put
 * to its ends. */
function axis(low, high, bend, ticks) {
  const [from, to] = [bend(low), bend(high)];
  return {
    share: (value) => (bend(Math.min(Math.max(value, low), high)) - from) / (to - from),
    ticks: ticks.filter(([value]) => value >= low && value <= high),
  };
}

/** Recall, stretched so that each halving of what is missed takes as much
 * room. */
export function recallAxis(floor) {
  const ticks = [0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1];
  return axis(floor, 1, (recall) => -Math.log2(1.001 - recall), ticks.map((recall) => [recall, String(recall).replace(/^0/, "")]));
}

/** Bytes, each mark twice the last. */
export const bytesAxis = (low, high) => axis(low, high, Math.log2, [...Array(14).keys()].map((i) => [2 ** i, String(2 ** i)]));

/** 1, 2, 5, 10, 20, …, logarithmic. */
export function decimalAxis(low, high) {
  const ticks = [...Array(8).keys()].flatMap((i) => [1, 2, 5].map((digit) => digit * 10 ** i));
  return axis(low, high, Math.log2, ticks.map((value) => [value, value < 1000 ? String(value) : `${value / 1000} k`]));
}

function marker({ shape, color }, [x, y], filled) {
  const paint = `fill="var(--${filled ? color : "paper"})" stroke="var(--${color})" stroke-width="1.5"`;
  if (shape === "square") return `<rect x="${at(x - 3)}" y="${at(y - 3)}" width="6" height="6" ${paint}/>`;
  return `<circle cx="${at(x)}" cy="${at(y)}" r="3.4" ${paint}/>`;
}

const stroke = ({ color, width, dashes }) =>
  `stroke="var(--${color})" stroke-width="${width ?? 1.5}"${dashes ? ` stroke-dasharray="${dashes}"` : ""}`;

function axes(x, y) {
  const rows = y.ticks.flatMap(([value, text]) => {
    const down = panelHeight * (1 - y.share(value));
    return [
      `<path class="grid" d="M0 ${at(down)}H${panelWidth}"/>`,
      `<text class="soft" x="-6" y="${at(down + 4)}" text-anchor="end">${text}</text>`,
    ];
  });
  const columns = x.ticks.flatMap(([value, text]) => {
    const right = panelWidth * x.share(value);
    return [
      `<path class="grid" d="M${at(right)} 0V${panelHeight}"/>`,
      `<text class="soft" x="${at(right)}" y="${panelHeight + 15}" text-anchor="middle">${text}</text>`,
    ];
  });
  return [...rows, ...columns];
}

function panelParts({ title, x, y, xTitle, series, band = [] }) {
  const place = (point) => [panelWidth * x.share(point.x), panelHeight * (1 - y.share(point.y))];
  const parts = axes(x, y);
  if (band.length) parts.push(`<path class="front" d="${path(band.map(place))}"/>`);
  const dots = [];
  const lines = [];
  for (const { family, points } of series) {
    const places = points.map(place);
    if (family.line !== false && places.length > 1) {
      lines.push(...places.slice(1).map((point, i) => [places[i], point]));
      parts.push(`<path class="line" d="${path(places)}" ${stroke(family)}/>`);
    }
    points.forEach(({ text, hollow }, i) => dots.push({ text, hollow, family, point: places[i] }));
  }
  parts.push(...dots.map(({ family, point, hollow }) => marker(family, point, !hollow)));
  const labels = placeLabels(dots.filter(({ text }) => text), { dots, lines, width: panelWidth, height: panelHeight, labelHeight });
  for (const { text, family, box } of labels) {
    parts.push(`<text class="label" x="${at(box.x)}" y="${at(box.y + labelHeight - 3)}" style="fill:var(--${family.color})">${text}</text>`);
  }
  parts.push(`<text class="title" x="0" y="-10">${title}</text>`);
  parts.push(`<text class="soft" x="${panelWidth}" y="${panelHeight + 31}" text-anchor="end">${xTitle}</text>`);
  return parts;
}

/** Several to a line, each with its stroke and mark. */
function legend(families, perLine) {
  const step = (2 * panelWidth + margin.between) / perLine;
  return families.flatMap((family, i) => {
    const x = margin.left + (i % perLine) * step;
    const y = 36 + Math.floor(i / perLine) * 17;
    const line = family.line === false ? "" : `<path class="line" d="M${at(x)} ${y}h22" ${stroke(family)}/>`;
    return [line, marker(family, [x + 11, y], true), `<text x="${at(x + 28)}" y="${y + 4}">${family.title}</text>`];
  });
}

/** `about` says in a sentence what is drawn, for those who do not see it;
 * `legendColumns` families stand beside each other in the legend. */
export function chart({ about, title, families, legendColumns, panels }) {
  const used = families.filter((family) => panels.some(({ series }) => series.some((one) => one.family === family)));
  const top = 61 + 17 * Math.ceil(used.length / legendColumns);
  const rowHeight = panelHeight + margin.bottom + 44;
  const width = margin.left + 2 * panelWidth + margin.between + margin.right;
  const height = top - 50 + Math.ceil(panels.length / 2) * rowHeight;
  const groups = panels.map((panel, i) => {
    const x = margin.left + (i % 2) * (panelWidth + margin.between);
    const y = top + Math.floor(i / 2) * rowHeight;
    return `<g transform="translate(${x} ${y})">\n${panelParts(panel).join("\n")}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${about}">
<style>${style}
</style>
<rect class="paper" width="${width}" height="${height}"/>
<text class="title" x="${margin.left}" y="20">${title}</text>
${legend(used, legendColumns).join("\n")}
${groups.join("\n")}
</svg>
`;
}

/** What a reader calls the data sets, in the order of their panels. */
const titles = { glove: "GloVe words", mnist: "MNIST pixels", glosses: "WordNet glosses", sentences512: "Sentences" };
const familiarName = ({ name }) => name.replace(/-.*/, "");

export const setTitle = (set) =>
  `${titles[familiarName(set)] ?? set.name}: ${set.n.toLocaleString("en-US")} × ${set.dimensions}, ${set.metric}`;

/** Results of sets, in the order of their panels. */
export function inPanelOrder(results) {
  const order = ({ set }) => (Object.keys(titles).indexOf(familiarName(set)) + 99) % 99;
  return [...results].sort((a, b) => order(a) - order(b));
}
