// SPDX-License-Identifier: Apache-2.0
// node --no-warnings tests/wasi.mjs PROGRAM.wasm ARGUMENT...
// Runs a WASI program with this process's streams. It sees the current folder
// (relative paths) and the temporary folder.
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { argv, env } from "node:process";
import { setFlagsFromString } from "node:v8";
import { WASI } from "node:wasi";

const [program, ...args] = argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args: [program, ...args],
  env,
  preopens: { ".": ".", [tmpdir()]: tmpdir() },
});

// Node 20 and 22 crash or lose output when WebAssembly calls their WASI
// directly (github.com/nodejs/node/issues/53087), not through a closure.
const imports = wasi.getImportObject();
const calls = imports.wasi_snapshot_preview1;
for (const [name, call] of Object.entries(calls)) {
  calls[name] = (...values) => call(...values);
}

const bytes = await readFile(program);
if (!WebAssembly.validate(bytes)) {
  // Node 20 hides relaxed SIMD behind this flag, which newer ones do not know.
  setFlagsFromString("--experimental-wasm-relaxed-simd");
}
const module = await WebAssembly.compile(bytes);
const instance = await WebAssembly.instantiate(module, imports);
process.exitCode = wasi.start(instance);
