// SPDX-License-Identifier: Apache-2.0
// The tarball: what is in it, what its package.json promises, and its types.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { MinnowError, consumer, installed, minnow } from "./support.mjs";

const root = new URL("../../", import.meta.url);
const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));

const CODE = [
  "auto", "block", "change", "check", "codec", "collection", "conditions", "convert", "documents", "error", "index",
  "instance", "key", "linking", "load", "merge", "minnow", "parallel", "pause", "rows", "scalar", "search", "searchable", "simd",
  "slots", "stats", "threads", "tune", "where", "worker",
];
const TYPES = [
  "block", "codec", "collection", "document", "error", "index", "minnow", "query", "searchable", "types", "where",
];

test("the tarball holds these files and no other", async () => {
  const listed = execFileSync("tar", ["-tzf", process.env.MINNOW_TARBALL], { encoding: "utf8" });
  const wanted = [
    "LICENSE", "README.md", "package.json", "dist/minnow.wasm", "dist/minnow-scalar.wasm",
    ...CODE.map((name) => `dist/${name}.js`), ...TYPES.map((name) => `dist/${name}.d.ts`),
  ];
  assert.deepEqual(
    listed.trim().split("\n").sort(),
    wanted.map((file) => `package/${file}`).sort(),
  );
  for (const file of wanted) assert.ok((await stat(join(installed, file))).size > 50, file);
  assert.deepEqual(await readFile(join(installed, "LICENSE")), await readFile(new URL("LICENSE", root)));
  assert.deepEqual((await readdir(join(consumer, "node_modules"))).filter((name) => name[0] !== "."), ["minnow"]);
});

test("package.json: no dependency, no script at install, the version of the core", async () => {
  for (const field of ["dependencies", "peerDependencies", "optionalDependencies", "bundledDependencies"]) {
    assert.equal(manifest[field], undefined, field);
  }
  for (const script of ["preinstall", "install", "postinstall", "prepare"]) {
    assert.equal(manifest.scripts?.[script], undefined, script);
  }
  assert.deepEqual(
    [manifest.name, manifest.type, manifest.license, manifest.sideEffects, manifest.engines.node],
    ["minnow", "module", "Apache-2.0", false, ">=20"],
  );
  const header = await readFile(new URL("core/minnow.h", root), "utf8");
  const part = (name) => header.match(new RegExp(`#define MN_VERSION_${name} +(\\d+)`))[1];
  assert.equal(manifest.version, ["MAJOR", "MINOR", "PATCH"].map(part).join("."));
  assert.deepEqual(Object.keys(minnow).sort(), ["Codec", "Collection", "Index", "MinnowError"]);
});

test("the wasm files can be resolved, and equal what was built", async () => {
  const require = createRequire(join(consumer, "index.js"));
  for (const [name, preset] of [["minnow.wasm", "wasm"], ["minnow-scalar.wasm", "wasm-scalar"]]) {
    const bytes = await readFile(require.resolve(`minnow/${name}`));
    assert.deepEqual(bytes, await readFile(new URL(`build/${preset}/minnow.wasm`, root)));
  }
});

test("publint finds nothing", async () => {
  const { publint } = await import("publint");
  const { formatMessage } = await import("publint/utils");
  const { messages, pkg } = await publint({ pkgDir: installed, strict: true });
  assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), []);
});

test("the codes of MinnowError are the core's statuses", async () => {
  const header = await readFile(new URL("core/minnow.h", root), "utf8");
  const statuses = [...header.matchAll(/^ {2}MN_ERROR_([A-Z_]+) = -(\d+),/gm)];
  assert.ok(statuses.length >= 21);
  const { statusError } = await import(pathToFileURL(join(installed, "dist/error.js")).href);
  for (const [, name, number] of statuses) {
    const error = statusError(-Number(number));
    assert.ok(error instanceof MinnowError);
    assert.equal(error.code, name.toLowerCase().replaceAll("_", "-"));
  }
  assert.equal(statusError(-999).code, "unknown");
});

test("every public name has a comment", async () => {
  for (const name of TYPES) {
    const lines = (await readFile(join(installed, `dist/${name}.d.ts`), "utf8")).split("\n");
    lines.forEach((line, i) => {
      const declares = /^(export (declare )?(class|interface|type) |    (?!#private|private )[a-z[].*;)/.test(line);
      if (!declares || line.includes(" from ") || /^ {4}set /.test(line)) return; // the getter's
      assert.match(lines[i - 1], /\*\/$/, `${name}.d.ts: ${line}`);
    });
  }
});

// --- TypeScript ---------------------------------------------------------------

const GOOD = `
import { Codec, Collection, Index, MinnowError } from "minnow";
import type {
  Audit, CodecInfo, Conditions, Document, Explanation, Hints, IndexInfo, Match, Plan, Reason, SearchOptions, SearchResult,
  Tuned, Vectors, Where, WithinResult,
} from "minnow";

const index: Index = await Index.create({ dimensions: 3, metric: "cosine", spec: "hnsw16,f16", seed: 5n });
index.add(new Float32Array(3), [1]);
index.add(new Float32Array(3), new BigUint64Array(1));
await index.addAsync(new Float32Array(3), undefined, { onProgress: ({ done, total }) => done / total });
const result: SearchResult = index.search(new Float32Array(3), { k: 5, filter: new Uint32Array(1) });
const first: number | undefined = result.keys.at(0);
const info: IndexInfo = index.info();
const bytes: Uint8Array<ArrayBuffer> = index.toBytes();
const where: Where = { page: 1, lang: ["de", "fr"], year: { gte: 1990, ne: 1999 }, x: { in: [null, true] } };
const documents = await Collection.open(bytes, { wasm: "scalar" });
const document: Document = { id: "a", vector: [1, 2, 3], page: 1 };
documents.add([document]);
const matches: Match[] = documents.search([1, 2, 3], { limit: 3, where });
const title: unknown = matches[0]?.document["title"];
const dispose: () => void = documents[Symbol.dispose];
try { index.verify(); } catch (error) { if (error instanceof MinnowError) { const code: string = error.code; } }
const refined = index.search(new Float32Array(3), { planes: 1, refinePlanes: 4, refineK: 2.5 });
const read: { bytes: number; refined: number; planes: number } = refined.stats;
index.search(new Float32Array(3), { refine: (keys, slots) => new Float32Array(3 * keys.length + 0 * slots.length) });
await index.searchAsync(new Float32Array(3), { refine: async (keys: Float64Array) => new Float32Array(3 * keys.length) });
index.setModel(index.model());
const needs: number = index.info().training.least;
const bits = await Index.create({ dimensions: 12, metric: "jaccard" });
const packed: Vectors = new Int8Array(2);
bits.add(packed);
bits.search(new Uint8Array(2));
documents.search([1, 2, 3], { planes: 2, refineK: 3 });
const codec: Codec = await Codec.create({ dimensions: 3, metric: "l2", spec: "pq3x4", seed: 1 });
const codes: Uint8Array = codec.encode(new Float32Array(3));
const kept: Float32Array<ArrayBuffer> = codec.decode(codes);
const distance: number = codec.between(codes, codes) + codec.compare(new Float32Array(3), codes)[0]!;
const codebooks: Float32Array | undefined = codec.codebooks;
if (codebooks) codec.codebooks = codebooks;
const told: CodecInfo = codec.info();
codec.close();
const hints: Hints = { count: 100_000, budgetBytes: 2 ** 25, paged: true };
const expected = await Index.create({ dimensions: 3, metric: "cosine", ...hints });
await expected.addAsync(new Float32Array(3), [1], { threads: 2 });
const small: Index = await expected.pack();
const live: Index = await small.thaw();
const links: number = live.info().packed ? 0 : live.info().graphBytes;
const smaller: Collection = await (await documents.pack()).thaw();
await Collection.open(smaller.toBytes(), hints);
index.delete(1);
index.delete([1, 2], { repair: false });
index.update(new Float32Array(3), [1]);
index.upsert(new Float32Array(3), new BigUint64Array(1), { repair: true });
const left: number = index.repair({ limit: 10 });
await index.repairAsync({ onProgress: ({ done, total }) => done / total, signal: { aborted: false } });
await index.compact();
index.merge(small, { onConflict: "keep" });
const plan: Plan = "two-hop";
const conditions: Conditions = { ranges: [[0, 5]], without: [1], match: (key: number, slot: number) => key > slot, plan, budget: 100 };
const options: SearchOptions = { ...conditions, filter: index.filter((key) => key > 1), diversity: { lambda: 0.5, fetchK: 20 }, nprobe: 4 };
const explained: Explanation = index.explain(new Float32Array(3), options);
const reason: Reason = explained.reason;
const rows: SearchResult[] = index.searchMany(new Float32Array(6), { k: 2 });
const like: SearchResult = index.searchLike(1, conditions);
const inside: WithinResult = index.within(new Float32Array(3), 0.5, { limit: 5, ...conditions });
const tuned: Tuned = index.tune({ recall: 0.9, k: 5, queries: new Float32Array(3), sample: 10 });
const audit: Audit = index.audit({ sample: 0 });
const interval: [number, number] | undefined = audit.recall && [audit.recall.low, audit.recall.high];
documents.delete("a");
documents.delete(["a", "b"]);
const gone: number = documents.deleteWhere({ page: 1 });
documents.update({ id: "a", page: 2 });
documents.upsert([document]);
documents.merge(smaller);
const found: Match[] = documents.like("a", { exclude: ["b"], minScore: 0.5, diversity: {}, plan: "scan" });
const several: Match[][] = documents.searchMany([[1, 2, 3]], { limit: 2 });
const said: string = documents.explain([1, 2, 3], { where }).text + tuned.ef + left + gone;
export { found, inside, interval, like, reason, rows, said, several };
export { dispose, distance, first, info, kept, links, needs, read, title, told };
`;

const WRONG = [
  'await Index.create({ dimensions: 3 });',
  'await Index.create({ dimensions: 3, metric: "euclid" });',
  'new Index();',
  'index.add([1, 2, 3]);',
  'index.search([1, 2, 3]);',
  'documents.add({ id: 5, vector: [1] });',
  'documents.search([1], { where: { page: { like: "x" } } });',
  'documents.search([1], { where: { page: undefined } });',
  'const size: string = documents.size;',
  'documents.size = 5;',
  'index.search(new Float32Array(3), { refine: async () => new Float32Array(3) });',
  'index.search(new Float32Array(3), { planes: "all" });',
  'index.add(new Uint16Array(3));',
  'new Codec();',
  'await Codec.create({ dimensions: 3, metric: "l2", capacity: 5 });',
  'codec.add(new Float32Array(3));',
  'codec.codebooks = [1, 2];',
  'const packed: Index = index.pack();',
  'codec.pack();',
  'index.delete("1");',
  'index.update(new Float32Array(3));',
  'index.search(new Float32Array(3), { plan: "fast" });',
  'index.search(new Float32Array(3), { ranges: [[1]] });',
  'index.searchMany(new Float32Array(3), { refine: () => new Float32Array(3) });',
  'index.merge(documents);',
  'documents.merge(index);',
  'documents.upsert({ id: "a", page: 2 });',
  'documents.delete(5);',
  'const slot: number = index.compact();',
  'await index.addAsync(new Float32Array(3), [1], { threads: "2" });',
  'await Index.create({ dimensions: 3, metric: "l2", count: 5n });',
];

async function compile(source, options) {
  const folder = await mkdtemp(join(consumer, "types-"));
  try {
    await writeFile(join(folder, "consumer.ts"), source);
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({
      compilerOptions: { strict: true, noEmit: true, types: [], target: "ES2022", skipLibCheck: false, ...options },
    }));
    const tsc = fileURLToPath(new URL("js/node_modules/typescript/bin/tsc", root));
    return execFileSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
  } catch (error) {
    return error.stdout + error.stderr;
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("TypeScript: a consumer compiles, with and without the DOM's types", async () => {
  for (const lib of [["ES2022", "DOM"], ["ES2022"], ["ESNext", "WebWorker"]]) {
    for (const [module, moduleResolution] of [["NodeNext", "NodeNext"], ["ESNext", "Bundler"]]) {
      const options = { lib, module, moduleResolution, exactOptionalPropertyTypes: true };
      assert.equal(await compile(GOOD, options), "", JSON.stringify(options));
    }
  }
});

test("TypeScript: mistakes do not compile", async () => {
  const options = { lib: ["ES2022", "DOM"], module: "NodeNext" };
  const expected = WRONG.map((line) => `// @ts-expect-error\n{ ${line} }\n`).join("");
  assert.equal(await compile(GOOD + expected, options), "");
});
