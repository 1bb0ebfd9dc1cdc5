// SPDX-License-Identifier: Apache-2.0
// The command line of the benchmarks, and what they leave behind: NAME.json and
// NAME.md under build/bench/, the table also on standard output.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./data.mjs";
import { hasGamma } from "./measure.mjs";

/** --data DIR, --quick, --sse, --sets a,b, --specs "a;b", --count N, --passes N,
 * --only part,part. */
export function commandLine({ specs, quickSpecs, quickCount = 10000, count }) {
  const text = { type: "string" };
  const { values } = parseArgs({
    options: {
      data: text, sets: text, specs: text, count: text, passes: text, only: text, quick: { type: "boolean" }, sse: { type: "boolean" },
    },
  });
  const quick = values.quick ?? false;
  return {
    quick,
    sse: values.sse ?? false,
    data: values.data,
    only: values.only?.split(","),
    sets: values.sets?.split(","),
    specs: values.specs?.split(";") ?? (quick ? quickSpecs : specs),
    count: Number(values.count ?? (quick ? quickCount : count ?? 0)) || undefined,
    passes: Number(values.passes ?? (quick ? 3 : 7)),
  };
}

const outputOf = (program, ...parts) => execFileSync(program, parts, { cwd: root, encoding: "utf8" }).trim();

function circumstances() {
  return {
    machine: `${cpus()[0].model}, ${cpus().length} cores`,
    date: new Date().toISOString().slice(0, 10),
    commit: outputOf("git", "rev-parse", "--short", "HEAD"),
    compiler: outputOf("cc", "--version").split("\n")[0],
    node: process.version,
  };
}

export const whole = (number) => Math.round(number).toLocaleString("en-US");
const known = (number, format = whole) => (number === undefined || number === 0 ? "–" : format(number));

/** A table of rows by columns [title, cell(row)], of which the first `left`
 * are words; columns without a figure are left out. */
export function table(columns, rows, left = 1) {
  const shown = columns.filter(([, cell]) => rows.some((row) => cell(row) !== "–"));
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [
    line(shown.map(([title]) => title)),
    line(shown.map((_, i) => (i < left ? "---" : "---:"))),
    ...rows.map((row) => line(shown.map(([, cell]) => cell(row)))),
  ].join("\n");
}

export const heading = (set) =>
  `### ${set.name}: ${whole(set.n)} × ${set.dimensions}, ${set.metric}, ${whole(set.queries)} queries`;

const aims = ["0.95", "0.99"];

/** Minnow's figures at each aim divided by each peer's, where both reach it. */
function ratioTable(rows) {
  const peers = [...new Set(rows.map(({ library }) => library))].filter((library) => library !== "Minnow");
  const ours = rows.filter(({ library, aim }) => library === "Minnow" && aims.includes(aim));
  const beside = (peer, figure) => (row) => {
    const other = rows.find(({ library, aim }) => library === peer && aim === row.aim);
    return other ? (row[figure] / other[figure]).toFixed(2) : "–";
  };
  if (!peers.length || !ours.length) return "";
  const columns = [
    ["index", (row) => row.spec],
    ["aim", (row) => row.aim],
    ...peers.flatMap((peer) => [
      [`queries/s ÷ ${peer}`, beside(peer, "queriesPerSecond")],
      ["built/s ÷", beside(peer, "buildPerSecond")],
      ["bytes ÷", beside(peer, "bytesPerVector")],
    ]),
  ];
  return `\nMinnow divided by each peer:\n\n${table(columns, ours, 2)}\n`;
}

function precisionOf(row) {
  if (row.aim === "exhaustive" || row.aim === "default") return "–";
  return hasGamma(row) ? `γ ${(row.ef / 1000).toFixed(3)}` : String(row.ef);
}

const peerColumns = [
  ["library", (row) => row.library],
  ["index", (row) => row.spec],
  ["aim", (row) => row.aim],
  ["ef or γ", precisionOf],
  ["recall@10", (row) => row.recall.toFixed(4)],
  ["queries/s", (row) => whole(row.queriesPerSecond)],
  ["distances", (row) => known(row.distances)],
  ["hops", (row) => known(row.hops)],
  ["KB read", (row) => known(row.read && row.read / 1024)],
  ["bytes/vector", (row) => whole(row.bytesPerVector)],
  ["WASM memory/vector", (row) => known(row.heapPerVector)],
  ["built, s", (row) => (row.build.cpu ?? row.build.wall).toFixed(1)],
  ["built/s", (row) => whole(row.buildPerSecond)],
  ["of it packing, s", (row) => known(row.build.pack, (seconds) => seconds.toFixed(1))],
  ["search scratch, KB", (row) => known(row.scratch && row.scratch / 1024, (kb) => kb.toFixed(1))],
];

/** What measure() found, set by set; curves are for the eye (curves.mjs). */
export const peerTables = (results) =>
  results.map(({ set, rows }) => {
    const read = rows.filter(({ aim }) => aim !== "curve");
    return `${heading(set)}\n\n${table(peerColumns, read, 3)}\n${ratioTable(rows)}`;
  }).join("\n");

/** Writes NAME.json and NAME.md, and the latter to standard output. */
export function publish(name, options, results, text, extra = {}) {
  const ours = process.argv.slice(2).filter((_, i, all) => all[i] !== "--data" && all[i - 1] !== "--data");
  const about = { command: `bash tests/bench/run ${name} ${ours.join(" ")}`.trim(), ...circumstances(), ...extra };
  const list = Object.entries(about).map(([key, value]) => `- ${key}: ${value}\n`).join("");
  const out = join(root, "build/bench");
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, `${name}.json`), JSON.stringify({ about, options, results }, null, 2) + "\n");
  writeFileSync(join(out, `${name}.md`), `${list}\n${text}`);
  process.stdout.write(`${list}\n${text}`);
}
