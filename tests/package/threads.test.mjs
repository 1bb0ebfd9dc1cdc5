// SPDX-License-Identifier: Apache-2.0
// Linking by threads: the bytes of one thread, in Node, in pages and in what Vite
// builds; progress, aborting, and one thread where there can be no more.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { BROWSERS, open, serve } from "../browser/browsers.mjs";
import {
  Collection, Index, clustered, consumer, installed, minnow, refuses, rejects, row, seed,
} from "./support.mjs";

const D = 32;
const COUNT = 3000; // 46 batches, and 56 vectors that wait
const LINKED = 2944;
const data = clustered(COUNT, D);

async function create(spec, options = {}) {
  const index = await Index.create({ dimensions: D, metric: "cosine", spec, efConstruction: 60, ...options });
  if (!index.info().trained) index.train(data);
  return index;
}

// Counts the workers that are started.
const threading = process.getBuiltinModule("node:worker_threads");
let started = 0;
threading.Worker = class extends threading.Worker {
  constructor(...given) {
    super(...given);
    started++;
  }
};

test(`any number of threads gives the bytes of one (seed ${seed})`, async () => {
  for (const spec of ["hnsw16,f32", "hnsw8,f16", "hnsw16,bits8", "hnsw8,bits1,refine=sq8", "hnsw8,pca16,sq8", "hnsw8,pq8x8+c"]) {
    const once = await create(spec);
    once.add(data);
    const bytes = once.toBytes();
    for (const [threads, wasm] of [[1, "simd"], [2, "simd"], [2, "scalar"], [5, "simd"]]) {
      const index = await create(spec, { wasm });
      const told = [];
      started = 0;
      await index.addAsync(data, undefined, { threads, onProgress: (p) => told.push(p) });
      assert.equal(started, threads === 1 ? 0 : threads);
      assert.equal(index.info().linked, LINKED);
      assert.deepEqual(told.at(-1), { done: LINKED, total: LINKED });
      told.forEach(({ done }, i) => assert.ok(done % 64 === 0 && (i === 0 || done > told[i - 1].done)));
      index.verify();
      assert.deepEqual(index.toBytes(), bytes, `${spec} ${threads} threads ${wasm}`);
    }
    const pieces = await create(spec);
    await pieces.addAsync(data.subarray(0, 1000 * D), undefined, { threads: 2 });
    pieces.add(data.subarray(1000 * D, 1050 * D));
    await pieces.addAsync(data.subarray(1050 * D), undefined, { threads: 3 });
    assert.deepEqual(pieces.toBytes(), bytes, "in pieces");
  }
});

test("without a spec, with sections, in a collection", async () => {
  const many = clustered(4500, D);
  const fill = async (threads) => {
    const index = await Index.create({ dimensions: D, metric: "l2", efConstruction: 60 });
    index.attach("note", Uint8Array.of(1, 2, 3));
    await index.addAsync(many, undefined, { threads });
    assert.deepEqual([...index.section("note")], [1, 2, 3]);
    return index.toBytes();
  };
  assert.deepEqual(await fill(2), await fill(1));
  const documents = Array.from({ length: 600 }, (_, i) => ({ id: `${i}`, vector: row(data, i, D), i }));
  const gather = async (threads) => {
    const collection = await Collection.create({ dimensions: D, metric: "l2", spec: "hnsw8,f32" });
    await collection.addAsync(documents, { threads });
    return collection.toBytes();
  };
  assert.deepEqual(await gather(2), await gather(1));
});

test("what it was searched by and changed by meanwhile", async () => {
  const index = await create("hnsw16,f32");
  const adding = index.addAsync(data, undefined, { threads: 2 });
  assert.equal(index.size, COUNT);
  refuses("busy", () => index.add(data));
  let searches = 0, running = true;
  const done = adding.finally(() => (running = false));
  while (running) {
    assert.equal(index.search(row(data, 2999, D), { k: 1 }).keys[0], 2999);
    searches++;
    await new Promise((resume) => setImmediate(resume));
  }
  await done;
  assert.ok(searches > 1);
  const flat = await create("flat,f32");
  await flat.addAsync(data, undefined, { threads: 2 });
  assert.equal(flat.info().linked, COUNT);
  for (const threads of [0, 33, 1.5, NaN]) await assert.rejects(index.addAsync(data, undefined, { threads }), RangeError);
  await assert.rejects(index.addAsync(data, undefined, { threads: "2" }), TypeError);
});

test("aborting keeps whole batches, and the rest is linked later", async () => {
  const once = await create("hnsw16,bits8");
  once.add(data);
  const index = await create("hnsw16,bits8");
  const controller = new AbortController();
  const adding = index.addAsync(data, undefined, {
    threads: 2,
    signal: controller.signal,
    onProgress: ({ done }) => done >= 256 && controller.abort(new Error("enough")),
  });
  await assert.rejects(adding, /^Error: enough$/);
  const { count, linked } = index.info();
  assert.equal(count, COUNT);
  assert.ok(linked >= 256 && linked < LINKED && linked % 64 === 0, `linked ${linked}`);
  index.verify();
  for (const at of [0, linked, 2999]) assert.ok(index.search(row(data, at, D), { k: 3 }).keys.includes(at));

  const careless = () => {
    throw new Error("careless");
  };
  await assert.rejects(index.addAsync(new Float32Array(0), undefined, { threads: 2, onProgress: careless }), /careless/);
  await assert.rejects(
    index.addAsync(new Float32Array(0), undefined, { threads: 2, signal: AbortSignal.abort("early") }),
    (reason) => reason === "early",
  );
  await index.addAsync(new Float32Array(0), undefined, { threads: 2 });
  assert.deepEqual(index.toBytes(), once.toBytes());

  const closed = await create("hnsw16,f32");
  const closing = closed.addAsync(data, undefined, { threads: 2, onProgress: () => closed.close() });
  await rejects("closed", closing);
});

test("Node ends when they have ended, and imports nothing that threads need before", async () => {
  const script = join(consumer, "threads.mjs");
  await writeFile(script, `
    import { Index } from "minnow";
    const d = 8, data = Float32Array.from({ length: 500 * d }, (_, i) => Math.sin(i * i));
    const index = await Index.create({ dimensions: d, metric: "l2", spec: "hnsw8,f32" });
    await index.addAsync(data, undefined, { threads: 2 });
    console.log(index.info().linked);
  `);
  assert.equal(execFileSync(process.execPath, [script], { encoding: "utf8", timeout: 30_000 }), "448\n");
  const main = await readFile(join(installed, "dist/index.js"), "utf8");
  assert.doesNotMatch(main, /^import[^;]*(threads|worker|parallel)\.js/m);
});

// --- Pages --------------------------------------------------------------------

const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<script type="module" src="main.js"></script>`;

// Gives what a page did: the bytes' hashes by threads, and the workers it started.
const MAIN = (from) => `
import { Index } from "${from}";
let started = 0;
globalThis.Worker = class extends Worker {
  constructor(...given) {
    super(...given);
    started++;
  }
};
const d = 24, count = 1200;
const data = Float32Array.from({ length: count * d }, (_, i) => Math.sin(i * i));
globalThis.run = async () => {
  const hashes = [];
  for (const threads of [1, 2, 3]) {
    const index = await Index.create({ dimensions: d, metric: "cosine", spec: "hnsw8,bits4", efConstruction: 50 });
    index.train(data);
    await index.addAsync(data, undefined, { threads });
    const digest = await crypto.subtle.digest("SHA-256", index.toBytes());
    hashes.push(Array.from(new Uint8Array(digest), (byte) => byte.toString(16)).join(" "));
  }
  return { hashes, started, isolated: crossOriginIsolated };
};
`;

async function wantedHash() {
  const d = 24;
  const values = Float32Array.from({ length: 1200 * d }, (_, i) => Math.sin(i * i));
  const index = await minnow.Index.create({ dimensions: d, metric: "cosine", spec: "hnsw8,bits4", efConstruction: 50 });
  index.train(values);
  index.add(values);
  const digest = await crypto.subtle.digest("SHA-256", index.toBytes());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16)).join(" ");
}

async function page(name, mounts, headers) {
  const server = await serve(mounts, { headers });
  try {
    const browser = await open(name, server.url);
    try {
      const result = await browser.evaluate(async () => {
        while (!globalThis.run) await new Promise((done) => setTimeout(done, 50));
        return globalThis.run();
      });
      const wanted = await wantedHash();
      assert.deepEqual(result.hashes, [wanted, wanted, wanted], "the bytes of this Node");
      return { ...result, errors: browser.errors };
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
}

async function sources(folder, from) {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "index.html"), PAGE);
  await writeFile(join(folder, "main.js"), MAIN(from));
}

const policy = (workers) => ({
  "Content-Security-Policy": `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src ${workers}; img-src data:`,
});

for (const name of Object.keys(BROWSERS)) {
  test(`${name}: threads in a page, and one where it may not have more`, async () => {
    const site = join(consumer, `threads-${name}`);
    await sources(site, "/minnow/minnow.js");
    const mounts = { "/": site, "/minnow/": join(installed, "dist") };
    const isolated = await page(name, mounts, policy("blob:"));
    assert.deepEqual([isolated.started, isolated.isolated, isolated.errors], [5, true, []]);
    const alone = await page(name, mounts, { "Cross-Origin-Opener-Policy": "unsafe-none" });
    assert.deepEqual([alone.started, alone.isolated, alone.errors], [0, false, []]);
    const strict = await page(name, mounts, policy("'self'"));
    assert.equal(strict.isolated, true);
  });

  test(`${name}: threads in what Vite builds, in chunks of their own`, async () => {
    const { build } = await import("vite");
    const root = join(consumer, `threads-vite-${name}`);
    await sources(root, "minnow");
    await build({ root, configFile: false, logLevel: "error", build: { outDir: "dist", emptyOutDir: true } });
    const assets = await readdir(join(root, "dist/assets"));
    for (const chunk of ["threads", "parallel"]) {
      assert.ok(assets.some((file) => file.startsWith(`${chunk}-`)), `${chunk} is no chunk of its own: ${assets}`);
    }
    const built = await page(name, { "/": join(root, "dist") }, policy("blob:"));
    assert.deepEqual([built.started, built.errors], [5, []]);
  });
}
