// SPDX-License-Identifier: Apache-2.0
// Minnow and hnswlib-wasm in one page of Chromium, in turns (measure.mjs), on
// 20,000 rows of each set unless --count says otherwise.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { open, serve } from "../browser/browsers.mjs";
import { drawGraphs } from "./curves.mjs";
import { dataDir, packageDir, prepare, root } from "./data.mjs";
import { downloadBytes } from "./download.mjs";
import { measure } from "./measure.mjs";
import { commandLine, peerTables, publish } from "./report.mjs";

const minnow = join(root, "build/bench/package");
const hnswlib = join(packageDir("hnswlib-wasm"), "dist");

/** Builds one index in the page. */
async function start(tab, set, [library, spec]) {
  const id = `${library} ${spec}`;
  return {
    library, spec, vectors: set.n,
    build: await tab.evaluate((parts) => bench.build(...parts), [id, library, spec]),
    count: (ef) => tab.evaluate((parts) => bench.count(...parts), [id, ef]),
    time: (ef, queries) =>
      tab.evaluate((parts) => bench.time(...parts), [id, ef, Math.min(queries, set.queries)]),
  };
}

const options = commandLine({
  specs: ["flat,f32", "flat,sq8", "flat,bits8", "flat,bits4", "hnsw16,f32", "hnsw16,sq8", "hnsw16,bits8", "hnsw16,bits8 packed", "hnsw16,bits4 packed"],
  quickSpecs: ["flat,sq8", "flat,bits8", "hnsw16,f32", "hnsw16,sq8", "hnsw16,bits8", "hnsw16,bits8 packed"],
  count: 20000,
  quickCount: 5000,
});
// A copy, so that building the package anew does not change it during the run.
cpSync(join(root, "js/dist"), minnow, { recursive: true, force: true });
const log = (text) => process.stderr.write(`${text}\n`);
const site = await serve({
  "/": join(root, "tests/bench/page"), "/minnow/": minnow, "/hnswlib/": hnswlib, "/data/": dataDir,
});
const results = [];
let browser;
for (const set of await prepare({ folder: options.data, count: options.count, only: options.sets })) {
  const tab = await open("chromium", site.url);
  browser = `Chromium ${tab.page.context().browser().version()}`;
  try {
    await tab.page.waitForFunction(() => globalThis.bench);
    await tab.evaluate((manifest) => bench.load(manifest), set);
    const peers = [];
    for (const peer of [...options.specs.map((spec) => ["Minnow", spec]), ["hnswlib-wasm", "hnsw16,f32"]]) {
      log(`${set.name}: building ${peer.join(" ")}`);
      peers.push(await start(tab, set, peer));
    }
    results.push({ set, rows: await measure(peers, { passes: options.passes, log }) });
    if (tab.errors.length) throw new Error(tab.errors.join("\n"));
  } finally {
    await tab.close();
  }
}
await site.close();
publish("browser", options, results, peerTables(results), {
  browser,
  "download, minified and brotli": `Minnow ${await downloadBytes(join(minnow, "minnow.js"))} bytes, `
    + `hnswlib-wasm ${await downloadBytes(join(hnswlib, "hnswlib.js"))} bytes`,
});
drawGraphs("browser", results);
