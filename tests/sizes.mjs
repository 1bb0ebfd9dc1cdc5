// SPDX-License-Identifier: Apache-2.0
// node tests/sizes.mjs
// Prints what every WebAssembly artefact weighs, raw and compressed, writes
// build/sizes.json, and fails when a browser module is over its budget, imports
// anything (that of threads: but its memory), or, without SIMD, needs more than
// the first WebAssembly.
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { constants, brotliCompressSync, gzipSync } from "node:zlib";

const BUDGET = 54_800; // bytes of brotli, each browser module
const ARTEFACTS = [
  { path: "build/wasm/minnow.wasm", budget: BUDGET, imports: 0 },
  { path: "build/wasm-scalar/minnow.wasm", budget: BUDGET, imports: 0, mvp: true },
  { path: "build/wasm-threads/minnow.wasm", budget: BUDGET, imports: 1 },
  { path: "build/wasi/minnow.wasm" },
  { path: "build/wasi/minnow-reactor.wasm", imports: 0 },
];

const { EMSDK } = process.env;
const WASM_OPT = EMSDK ? `${EMSDK}/upstream/bin/wasm-opt` : "wasm-opt";
const root = new URL("../", import.meta.url);
const sizes = [];
let passed = 0;
let failed = 0;
const check = (holds, complaint) => {
  if (holds) passed++;
  else failed++, console.log(`FAILED ${complaint}`);
};

console.log("   raw    gzip  brotli");
for (const { path, budget, imports, mvp } of ARTEFACTS) {
  let bytes;
  try {
    bytes = await readFile(new URL(path, root));
  } catch (error) {
    check(false, `${path}: ${error.message}`);
    continue;
  }
  const gzip = gzipSync(bytes, { level: 9 }).length;
  const brotli = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  }).length;
  sizes.push({ path, raw: bytes.length, gzip, brotli, budget });
  console.log(
    [bytes.length, gzip, brotli].map((n) => String(n).padStart(6)).join("  "),
    ` ${path}${budget ? ` (budget ${budget} brotli)` : ""}`,
  );
  check(budget === undefined || brotli <= budget, `${path}: over its budget of ${budget}`);
  if (imports !== undefined) {
    const found = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
    check(found.length === imports, `${path}: imports ${JSON.stringify(found)}`);
  }
  if (mvp) {
    const options = ["--mvp-features", path, "-o", "/dev/null"];
    const { status, stderr, error } = spawnSync(WASM_OPT, options, { cwd: root });
    check(status === 0, `${path}: ${error ?? stderr}`);
  }
}
await writeFile(new URL("build/sizes.json", root), `${JSON.stringify(sizes, null, 2)}\n`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
