// SPDX-License-Identifier: Apache-2.0
// Makes dist/ from src/, the two WebAssembly twins and the module of linking
// threads:
//
//   node build.mjs    after cmake --build --preset wasm, wasm-scalar, wasm-threads
//
// Each goes into a JavaScript module of its own, as a string that stands for its
// bytes: it loads wherever the package does, needs no fetch, and after a server's
// brotli costs a fiftieth more than the bare file (base64: two fifths; deflated
// before: an eighth). So does the script that threads run, as it is.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";

const here = (path) => new URL(path, import.meta.url);

const TWINS = [
  { name: "simd", built: "../build/wasm/minnow.wasm", file: "minnow.wasm" },
  { name: "scalar", built: "../build/wasm-scalar/minnow.wasm", file: "minnow-scalar.wasm" },
  { name: "parallel", built: "../build/wasm-threads/minnow.wasm" },
];
/** What a page loads when it links by threads. */
const THREADS = ["threads.js", "worker.js", "parallel.js"];

function read(path) {
  try {
    return readFileSync(here(path));
  } catch (cause) {
    const preset = path.split("/")[2];
    throw new Error(`no ${path.slice(3)}: run cmake --preset ${preset} && cmake --build --preset ${preset}`, { cause });
  }
}

// Declarations keep their comments, for editors; the code does not need them.
function compile() {
  const tsc = here("node_modules/typescript/bin/tsc").pathname;
  const run = (...flags) =>
    execFileSync(process.execPath, [tsc, "-p", here("tsconfig.json").pathname, ...flags], {
      stdio: "inherit",
    });
  run("--removeComments", "--declaration", "false");
  run("--emitDeclarationOnly");
}

// Leaves of the files ending in `extension` those that the entry leads to:
// modules of types alone are empty, and the declarations that nothing public
// refers to are ours alone.
function keepReachable(extension) {
  const reached = new Set();
  const visit = (name) => {
    if (reached.has(name)) return;
    reached.add(name);
    const path = here(`dist/${name}${extension}`);
    if (!existsSync(path)) return; // a twin, not written yet
    for (const [, to] of readFileSync(path, "utf8").matchAll(/"\.\/([a-z]+)\.js"/g)) visit(to);
  };
  visit("minnow");
  for (const file of readdirSync(here("dist"))) {
    const name = file.slice(0, -extension.length);
    if (file.endsWith(extension) && !reached.has(name)) rmSync(here(`dist/${file}`));
  }
}

// Bytes as printable ASCII, a byte always as the same one or two characters, so
// that a compressor sees through it: those below 91, of which WebAssembly is
// mostly made, are one of 93 (all but " and \), the others two. src/load.ts
// reads it.
function pack(bytes) {
  const alphabet = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter((c) => !/["\\]/.test(c));
  const digits = (byte) =>
    byte < 91 ? alphabet[byte] : alphabet[91 + Math.floor((byte - 91) / 93)] + alphabet[(byte - 91) % 93];
  return Array.from(bytes, digits).join("");
}

function writeTwin({ name, file }, bytes) {
  writeFileSync(here(`dist/${name}.js`), `export const packed = "${pack(bytes)}";\n`);
  if (file) writeFileSync(here(`dist/${file}`), bytes);
}

// A script, so without what makes a module of it.
function writeWorker(compiled) {
  const script = compiled.replace(/^export \{\};\n/m, "");
  writeFileSync(here("dist/worker.js"), `export const source = ${JSON.stringify(script)};\n`);
}

// What a page loads: the code and one twin.
function report() {
  const brotli = (bytes) =>
    brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
  const sizes = readdirSync(here("dist"))
    .filter((file) => /\.(js|wasm)$/.test(file))
    .map((file) => ({ file, bytes: readFileSync(here(`dist/${file}`)) }))
    .map(({ file, bytes }) => ({ file, raw: bytes.length, brotli: brotli(bytes) }));
  for (const { file, raw, brotli } of sizes) {
    console.log(`${file.padEnd(20)} ${String(raw).padStart(7)} bytes ${String(brotli).padStart(7)} brotli`);
  }
  const say = (what, loads) => {
    const loaded = sizes.filter(({ file }) => file.endsWith(".js") && loads(file));
    const sum = loaded.reduce((total, { brotli }) => total + brotli, 0);
    console.log(`${what}: ${sum} bytes brotli in ${loaded.length} files, unbundled`);
  };
  say("a page loads with simd", (file) => file !== "scalar.js" && !THREADS.includes(file));
  say("a page loads with scalar", (file) => file !== "simd.js" && !THREADS.includes(file));
  say("threads on top of that", (file) => THREADS.includes(file));
}

const twins = TWINS.map((twin) => [twin, read(twin.built)]);
rmSync(here("dist"), { recursive: true, force: true });
mkdirSync(here("dist"));
compile();
const worker = readFileSync(here("dist/thread.js"), "utf8");
keepReachable(".js");
keepReachable(".d.ts");
for (const [twin, bytes] of twins) writeTwin(twin, bytes);
writeWorker(worker);
// npm takes the licence from the package's own folder alone
copyFileSync(here("../LICENSE"), here("LICENSE"));
report();
