// SPDX-License-Identifier: Apache-2.0
// How many bytes of codes a second a flat scan gets through, as a share of what
// a plain read of the same memory reaches in the same run: natively, in Node and
// in Chromium (bandwidth.c, page/scan_rate.js).
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { open, serve } from "../browser/browsers.mjs";
import { root } from "./data.mjs";
import { commandLine, publish, table, whole } from "./report.mjs";
import { scanRates } from "./page/scan_rate.js";

const bench = join(root, "tests/bench");
const floors = { "flat,bits1": [0.5, 0.4], "flat,pq128x4": [0.5, 0.4] }; // natively, in WebAssembly

function build(target, ...flags) {
  const folder = join(root, "build/bench/bandwidth", target);
  const run = (...parts) => execFileSync("cmake", parts, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  run("-S", bench, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", ...flags);
  run("--build", folder, "--target", "bandwidth");
  return folder;
}

const native = build("native");
const wasm = build("wasm", `-DCMAKE_TOOLCHAIN_FILE=${join(root, "wasm/emscripten.cmake")}`);

const options = commandLine({
  specs: [
    "f32", "f16", "bf16", "sq8", "sq6", "sq4", "sign",
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((b) => `bits${b}`),
    "pq128x8", "pq128x8+c", "pq128x4", "pq128x4+c", "prq64x8x2",
  ].map((encoding) => `flat,${encoding}`),
  quickSpecs: ["flat,sq8", "flat,bits1", "flat,pq128x4"],
});
// Codes of prq take long to make, and are read as those of pq x8.
const bytesFor = (spec) => (options.quick ? 8 : spec.includes("prq") ? 16 : 64) << 20;
const passes = 3 * options.passes;

const runNative = (spec, bytes) =>
  JSON.parse(execFileSync(join(native, "bandwidth"), [spec, String(bytes), String(passes)], { encoding: "utf8" }));

const { instance } = await WebAssembly.instantiate(readFileSync(join(wasm, "bandwidth.wasm")));
const inNode = scanRates(instance);

const site = await serve({ "/": join(bench, "page"), "/wasm/": wasm });
const tab = await open("chromium", `${site.url}bandwidth.html`);
await tab.page.waitForFunction(() => globalThis.scanRate);
const inChromium = (spec, bytes) => tab.evaluate((parts) => scanRate(...parts), [spec, bytes, passes]);

/** Gigabytes of codes a second, and their share of the plain read's. The fastest
 * pass counts: what else the machine does slows a long pass more than a short. */
function rates({ bytes: scanned, read, passes: times }) {
  const scan = scanned / Math.min(...times.map(([seconds]) => seconds)) / 1e9;
  return { scan, share: scan / (read / Math.min(...times.map(([, seconds]) => seconds)) / 1e9) };
}

const results = [];
for (const spec of options.specs) {
  process.stderr.write(`${spec}\n`);
  const bytes = bytesFor(spec);
  const found = { native: runNative(spec, bytes), node: inNode(spec, bytes, passes), chromium: await inChromium(spec, bytes) };
  const rate = Object.fromEntries(Object.entries(found).map(([where, figures]) => [where, rates(figures)]));
  results.push({ spec, vectors: found.native.vectors, bytes: found.native.bytes, ...rate });
}
const browser = `Chromium ${tab.page.context().browser().version()}`;
await tab.close();
await site.close();

const percent = (share, floor) => `${Math.round(100 * share)} %${floor && share < floor ? " **below**" : ""}`;
const columns = [
  ["index", (row) => row.spec],
  ["vectors", (row) => whole(row.vectors)],
  ["bytes/vector", (row) => whole(row.bytes / row.vectors)],
  ...[["native", 0], ["node", 1], ["chromium", 1]].flatMap(([where, floor]) => [
    [`${where}, GB/s`, (row) => row[where].scan.toFixed(1)],
    ["of a plain read", (row) => percent(row[where].share, floors[row.spec]?.[floor])],
  ]),
];
const text = `One search (k 10, all planes) over the codes of pseudo-random vectors of 512 dimensions, one thread; the fastest of ${passes} passes, in which scan and plain read take turns. Floors: half of a plain read natively and two fifths in WebAssembly, for bits1 and pq128x4.

${table(columns, results)}
`;
publish("bandwidth", options, results, text, { browser });
