// SPDX-License-Identifier: Apache-2.0
// Filters, deletes and replacements: Minnow and hnswlib-wasm in one page of
// Chromium, at default settings, on 20,000 rows of each set unless --count says
// otherwise. hnswlib-wasm asks its filter of each vector that it comes to;
// Minnow is given one in two ways: bits made once for many searches, or the
// function with each search. Deleted are half of all; replaced, in ten rounds, a
// fifth of four fifths.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { open, serve } from "../browser/browsers.mjs";
import { dataDir, packageDir, prepare, root } from "./data.mjs";
import { median } from "./measure.mjs";
import { commandLine, heading, publish, table, whole } from "./report.mjs";

const shares = [0.5, 0.1, 0.01, 0.001, 0];
const rounds = 10;
const minnow = join(root, "build/bench/package");
const hnswlib = join(packageDir("hnswlib-wasm"), "dist");
const log = (text) => process.stderr.write(`${text}\n`);

/** Everything that is measured of one set, in a page of its own. */
async function measureSet(tab, set, { specs: [spec], passes, only }) {
  const call = (name, ...parts) => tab.evaluate(([name, parts]) => bench[name](...parts), [name, parts]);
  const peers = [["Minnow", "Minnow", spec], ["hnswlib", "hnswlib-wasm", "hnsw16,f32"]];
  const ways = [["Minnow", "bits"], ["Minnow", "match"], ["hnswlib", "function"]];
  const rows = [];
  const buildAll = async () => {
    for (const peer of peers) await call("build", ...peer);
  };
  const changeAll = async (name) => {
    const seconds = {};
    for (const [id] of peers) seconds[id] = await call("change", name, id);
    return seconds;
  };
  const measure = async (what, share, fields = {}) => {
    log(`${set.name}: ${what}`);
    const asked = share === undefined ? ways.filter(([, way]) => way !== "match") : ways;
    const found = {}, micros = {};
    for (let pass = 0; pass < passes; pass++) {
      for (const [id, way] of asked) {
        const name = `${id} ${way}`;
        found[name] = await call("ask", id, share, way);
        (micros[name] ??= []).push(found[name].micros);
      }
    }
    for (const name in found) found[name].micros = median(micros[name]);
    rows.push({ what, found, ...fields });
  };

  const parts = {
    async filters() {
      await measure("all");
      for (const share of shares) await measure(`${100 * share} % match`, share, { matches: await call("matches", share) });
    },
    async half() {
      await call("step", "half");
      await measure("half deleted", undefined, { seconds: await changeAll("remove"), changes: set.n >> 1 });
      await buildAll();
      await measure("the same, fresh");
    },
    async rounds() {
      await call("step", "begin");
      await buildAll();
      const seconds = { Minnow: 0, hnswlib: 0 };
      for (let round = 1; round <= rounds; round++) {
        await call("step", "fifth");
        const more = await changeAll("replace");
        for (const id in seconds) seconds[id] += more[id];
        if (![1, 5, rounds].includes(round)) continue;
        const what = `a fifth replaced${round > 1 ? `, ${round} times` : ""}`;
        await measure(what, undefined, { seconds: { ...seconds }, changes: round * Math.floor((set.n * 4) / 25) });
      }
      await buildAll();
      await measure("the same, fresh");
    },
  };
  const wanted = only ?? Object.keys(parts);
  const unknown = wanted.find((name) => !(name in parts));
  if (unknown !== undefined) throw new Error(`--only takes ${Object.keys(parts).join(", ")}, not ${unknown}`);
  await call("prepare", set);
  if (wanted.some((name) => name !== "rounds")) await buildAll();
  for (const name of wanted) await parts[name]();
  return rows;
}

const cell = (name) => ({ found }) =>
  (found[name] ? `${found[name].recall.toFixed(3)}${found[name].short ? `, short ${found[name].short}` : ""}` : "–");
const ratio = (name) => ({ found }) =>
  (found[name] ? (found["hnswlib function"].micros / found[name].micros).toFixed(2) : "–");
const perChange = (id) => ({ seconds, changes }) => (seconds ? whole((1e6 * seconds[id]) / changes) : "–");
const columns = [
  ["vectors", (row) => row.what],
  ["matches", (row) => (row.matches === undefined ? "–" : whole(row.matches))],
  ["Minnow, bits", cell("Minnow bits")],
  ["match", cell("Minnow match")],
  ["hnswlib-wasm", cell("hnswlib function")],
  ["queries/s ÷ hnswlib-wasm: bits", ratio("Minnow bits")],
  ["match", ratio("Minnow match")],
  ["µs a change: Minnow", perChange("Minnow")],
  ["hnswlib-wasm", perChange("hnswlib")],
];

const options = commandLine({ specs: ["hnsw16,bits8"], quickSpecs: ["hnsw16,bits8"], count: 20000, quickCount: 5000 });
cpSync(join(root, "js/dist"), minnow, { recursive: true, force: true });
const site = await serve({
  "/": join(root, "tests/bench/page"), "/minnow/": minnow, "/hnswlib/": hnswlib, "/data/": dataDir,
});
const results = [];
let browser;
for (const set of await prepare({ folder: options.data, count: options.count, only: options.sets })) {
  const tab = await open("chromium", `${site.url}filters.html`);
  browser = `Chromium ${tab.page.context().browser().version()}`;
  try {
    await tab.page.waitForFunction(() => globalThis.bench);
    results.push({ set, rows: await measureSet(tab, set, options) });
    if (tab.errors.length) throw new Error(tab.errors.join("\n"));
  } finally {
    await tab.close();
  }
}
await site.close();
const tables = results.map(({ set, rows }) => `${heading(set)}\n\n${table(columns, rows)}\n`);
publish("browser-filters", options, results,
  `Minnow ${options.specs[0]}, hnswlib-wasm \`f32\`, M 16, ef_construction 200; both ef 128. Recall@10 of 100 queries; \`short\`: so many of them found fewer than k and than match.\n\n${tables.join("\n")}`,
  { browser });
