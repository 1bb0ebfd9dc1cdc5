// SPDX-License-Identifier: Apache-2.0
// The installed package by plain import: in this Node and others, in pages and
// module workers, in what Vite serves and builds, and from file://. All with
// the answers and bytes of this Node.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { createServer as createNetServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { BROWSERS, open, serve } from "../browser/browsers.mjs";
import { scenario } from "./scenario.mjs";
import { consumer, installed, minnow } from "./support.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const TWINS = ["simd", "scalar"];
const site = join(consumer, "site");
let wanted;

before(async () => {
  wanted = await scenario(minnow);
  await mkdir(site);
  await copyFile(here("scenario.mjs"), join(site, "scenario.mjs"));
  await copyFile(here("scenario.mjs"), join(consumer, "scenario.mjs"));
});

function same(result, twin) {
  assert.deepEqual(result, { ...wanted, simd: twin === "simd" });
}

test("this Node, both twins", async () => {
  assert.equal(wanted.error, "not-minnow");
  assert.equal(wanted.simd, true);
  assert.deepEqual(wanted.found.map(({ id }) => id), ["other", "far"]);
  for (const twin of TWINS) same(await scenario(minnow, twin), twin);
});

// --- Other runtimes -----------------------------------------------------------

test("plain import in every runtime that is here", async (t) => {
  const script = join(consumer, "plain.mjs");
  await writeFile(script, `
    import * as minnow from "minnow";
    import { scenario } from "./scenario.mjs";
    const results = [];
    for (const twin of [undefined, "simd", "scalar"]) results.push(await scenario(minnow, twin));
    console.log(JSON.stringify(results));
  `);
  const nodes = (process.env.MINNOW_NODES ?? "").split(" ").filter(Boolean);
  const commands = [[process.execPath], ...nodes.map((node) => [node])];
  for (const [name, ...rest] of [["deno", "run", "--allow-all"], ["bun"]]) {
    try {
      execFileSync(name, ["--version"], { stdio: "ignore" });
      commands.push([name, ...rest]);
    } catch {
      t.diagnostic(`${name} is not here`);
    }
  }
  for (const [name, ...rest] of commands) {
    await t.test(name, () => {
      const said = execFileSync(name, [...rest, script], { cwd: consumer, encoding: "utf8" });
      const [chosen, simd, scalar] = JSON.parse(said);
      same(chosen, "simd");
      same(simd, "simd");
      same(scalar, "scalar");
    });
  }
});

// --- Browsers -----------------------------------------------------------------

// Nothing but the site's own scripts: no fetch, no inline script, no eval.
const STRICT = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; img-src data:",
};

const PAGE = `<!doctype html><meta charset="utf-8"><title>Minnow</title><link rel="icon" href="data:,">
<script type="module" src="main.js"></script>`;

const RUN = (from) => `
import * as minnow from "${from}";
import { scenario } from "./scenario.mjs";
export async function both() {
  const results = [];
  for (const twin of [undefined, "simd", "scalar"]) results.push(await scenario(minnow, twin));
  return results;
}
`;

const MAIN = `
import { both } from "./run.js";
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
globalThis.results = Promise.all([
  both(),
  new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
  }),
]);
`;

const WORKER = `
import { both } from "./run.js";
postMessage(await both());
`;

// Writes the sources of a page that imports the package as \`from\`.
async function sources(folder, from) {
  await mkdir(folder, { recursive: true });
  await copyFile(here("scenario.mjs"), join(folder, "scenario.mjs"));
  for (const [file, text] of [["index.html", PAGE], ["run.js", RUN(from)], ["main.js", MAIN], ["worker.js", WORKER]]) {
    await writeFile(join(folder, file), text);
  }
}

// Opens a page and compares what it and its worker found.
async function check(name, url) {
  const browser = await open(name, url);
  try {
    const [page, worker] = await browser.evaluate(async () => {
      while (!globalThis.results) await new Promise((done) => setTimeout(done, 50));
      return globalThis.results;
    });
    for (const [chosen, simd, scalar] of [page, worker]) {
      same(chosen, "simd");
      same(simd, "simd");
      same(scalar, "scalar");
    }
    assert.deepEqual(browser.errors, []);
  } finally {
    await browser.close();
  }
}

for (const name of Object.keys(BROWSERS)) {
  test(`${name}: page and module worker, under a strict policy`, async () => {
    await sources(site, "/minnow/minnow.js");
    const server = await serve({ "/": site, "/minnow/": join(installed, "dist") }, { headers: STRICT });
    try {
      await check(name, server.url);
    } finally {
      await server.close();
    }
  });
}

// --- Vite ---------------------------------------------------------------------

const bundled = join(consumer, "bundled");
const vite = () => import("vite");
const quiet = { root: bundled, configFile: false, logLevel: "error", clearScreen: false };

before(() => sources(bundled, "minnow"));

for (const name of Object.keys(BROWSERS)) {
  test(`${name}: a Vite build`, async (t) => {
    const { build } = await vite();
    await build({ ...quiet, build: { outDir: "dist", emptyOutDir: true }, worker: { format: "es" } });
    const assets = await readdir(join(bundled, "dist/assets"));
    for (const twin of TWINS) {
      assert.ok(assets.some((file) => file.startsWith(`${twin}-`)), `${twin} is no chunk of its own: ${assets}`);
    }
    for (const file of assets) {
      const { length } = brotliCompressSync(await readFile(join(bundled, "dist/assets", file)));
      t.diagnostic(`${file}: ${length} bytes brotli`);
    }
    const server = await serve({ "/": join(bundled, "dist") }, { headers: STRICT });
    try {
      await check(name, server.url);
    } finally {
      await server.close();
    }
  });
}

// Vite tells its client the port that it was asked for, so 0 will not do.
async function freePort() {
  const server = createNetServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

test("chromium: Vite's development server", async () => {
  const { createServer } = await vite();
  const server = await createServer({ ...quiet, server: { port: await freePort(), host: "127.0.0.1" } });
  try {
    await server.listen();
    await check("chromium", server.resolvedUrls.local[0]);
  } finally {
    await server.close();
  }
});

for (const name of Object.keys(BROWSERS)) {
  test(`${name}: one classic script, opened as a file`, async () => {
    const { build } = await vite();
    const out = join(consumer, "file");
    await build({
      ...quiet,
      build: {
        outDir: out,
        emptyOutDir: true,
        lib: { entry: join(bundled, "run.js"), formats: ["iife"], name: "minnowRun", fileName: () => "run.js" },
      },
    });
    assert.deepEqual(await readdir(out), ["run.js"]);
    await writeFile(join(out, "index.html"), '<!doctype html><meta charset="utf-8"><script src="run.js"></script>');
    const browser = await open(name, pathToFileURL(join(out, "index.html")).href);
    try {
      const results = await browser.evaluate(() => globalThis.minnowRun.both());
      results.forEach((result, i) => same(result, i === 2 ? "scalar" : "simd"));
      assert.deepEqual(browser.errors, []);
    } finally {
      await browser.close();
    }
  });
}

// --- The README's own blocks --------------------------------------------------

const readme = await readFile(join(installed, "README.md"), "utf8");
const blocks = (language) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g"))].map(([, text]) => text);

test("README: every block of JavaScript, in this Node", async (t) => {
  // what each says, in their order; undefined: not for Node
  const said = [
    /id: 'cat',\s+score: 0\.995[^]*id: 'crow'[^]*\{ legs: 2 \}\n$/,
    /^\[ 'crow' \]\n1\n2 1\n$/,
    /^Float64Array\(2\) \[ 11, 10 \] Float32Array\(2\)[^]*exact: [^]*done: 1, total: 1/,
    /^flat,f32 hnsw16,bits8 \d+\nhnsw16,bits8 hnsw16,bits8 \d+\nhnsw16,bits4 hnsw16,bits4 [89]\d{5}\n$/,
    /^2944 of 3000\n$/,
    /^\S+ \w+ 3000 10\nscan few 100 10\n\S+ \w+ 1199 10\nplan +\S+: [^]*\nhits +10\n$/,
    /^0 true true\nfalse\n0,1,2,3,4,5,6,7,8,9\n0 5\n$/,
    /^1501 \d+ 10\n1506 1506\n$/,
    /^true true true\ntrue 0 0\n$/,
    /^\d{6} \d{5,6}\n$/,
    /^256 0\.\d+\n$/,
    /^1 0 \d+\n1 200 \d+\n8 0 \d+\n4 100 \d+\n$/,
    /^Float64Array\(5\) \[\s*1,/,
    /^Float32Array\(2\) \[ 1, 11 \]\n$/,
    /^4096 [\d.e-]+ [\d.]+ 16000\n$/,
    undefined, // a worker
    undefined, // a module imported as WebAssembly
  ];
  const found = blocks("js");
  assert.equal(found.length, said.length);
  for (const [i, text] of found.entries()) {
    if (!said[i]) continue;
    const script = join(consumer, "block.mjs");
    await writeFile(script, text);
    assert.match(execFileSync(process.execPath, [script], { encoding: "utf8" }), said[i], text);
  }
  t.diagnostic(`${found.length} blocks`);
});

test("README: a page without a bundler", async () => {
  const index = await minnow.Index.create({ dimensions: 2, metric: "ip" });
  index.add(new Float32Array(10));
  const folder = join(consumer, "readme");
  await mkdir(folder);
  await writeFile(join(folder, "vectors.minnow"), index.toBytes());
  await writeFile(join(folder, "index.html"), blocks("html")[0]);
  const server = await serve({ "/": folder, "/node_modules/": join(consumer, "node_modules") });
  const browser = await open("chromium", server.url);
  try {
    const logged = new Promise((resolve) => browser.page.on("console", (message) => resolve(message)));
    await browser.page.reload();
    const info = await (await logged).args()[0].jsonValue();
    assert.deepEqual([info.count, info.metric], [5, "ip"]);
    assert.deepEqual(browser.errors, []);
  } finally {
    await browser.close();
    await server.close();
  }
});
