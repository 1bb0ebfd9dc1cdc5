// SPDX-License-Identifier: Apache-2.0
// node --no-warnings tests/wasi.mjs PROGRAM.wasm ARGUMENT...
// Runs a WASI program with this process's streams. It sees the current folder
// (relative paths) and the temporary folder.
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { argv, env } from "node:process";
import { WASI } from "node:wasi";

const [program, ...args] = argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args: [program, ...args],
  env,
  preopens: { ".": ".", [tmpdir()]: tmpdir() },
});
const module = await WebAssembly.compile(await readFile(program));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
