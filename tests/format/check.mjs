// SPDX-License-Identifier: Apache-2.0
// Opens the golden images with reader.mjs and holds what it reads against
// what they were made of: the cases of tests/conformance and their data.
import { readFile, readdir } from "node:fs/promises";
import { Hash, key, rows } from "../conformance/generator.mjs";
import { parse } from "../conformance/conformance.mjs";
import { vectorsOf } from "./changes.mjs";
import { prepared, search } from "./exact.mjs";
import { bitsOf, check, f32, minus, squares } from "./floats.mjs";
import { entered } from "./graph.mjs";
import { checkLists } from "./lists.mjs";
import { read } from "./reader.mjs";
import { ranges } from "./scalar.mjs";
import { xxh32 } from "./xxh32.mjs";

const here = (path) => new URL(path, import.meta.url);
let passed = 0;
let failed = 0;

function test(name, run) {
  try {
    run();
    passed++;
  } catch (error) {
    failed++;
    console.log(`${name}: ${error.message}`);
  }
}

function equal(actual, expected, what) {
  if (actual !== expected) {
    throw new Error(`${what} is ${actual}, not ${expected}`);
  }
}

function rowsOf(c, first, count) {
  const seed = Number(BigInt(c.seed) & 0xffffffffn);
  const dimensions = Number(c.dimensions);
  const all = rows(c.data, seed, first, count, dimensions);
  return Array.from({ length: count }, (_, i) =>
    all.subarray(i * dimensions, (i + 1) * dimensions),
  );
}

const keyOf = (c, row) => BigInt(c.keys === "given" ? key(row) : row);
const ascending = (a, b) => (a < b ? -1 : 1);

const isChanged = (c) => c.change !== "-";

// The rows of the case as the block has them; undefined where it has none.
function bySlot(c, { keys }) {
  const rowOf = vectorsOf(c);
  const n = Number(c.n);
  const all = rowsOf(c, 0, isChanged(c) ? 3 * n + Number(c.queries) : n);
  return keys.map((one) => all[rowOf.get(one)]);
}

// --- The header -------------------------------------------------------------

// The spec string with its defaults written out, as the header says it.
function fullSpec(h) {
  const words = [`${h.structure}${{ hnsw: h.m, ivf: h.nlist }[h.structure] ?? ""}`];
  if (h.transform !== "none") words.push(`${h.transform}${h.kept || ""}`);
  const pq = [h.pqM, h.pqBits, ...(h.encoding === "prq" ? [h.nrq] : [])];
  const numbers = h.pqM ? `${pq.join("x")}${h.correction ? "+c" : ""}` : "";
  words.push(h.encoding + numbers);
  if (h.refine !== "none") words.push(`refine=${h.refine}`);
  return words.join();
}

const needsTraining = (spec) => /ivf|sq|bits|pr?q|pca/.test(spec);

const isPacked = (c) => c.how === "pack" || c.how === "repack";
const isRenumbered = (c) => isPacked(c) || c.how === "thaw";

function checkOptions(c, { header, state, host }) {
  equal(header.dimensions, Number(c.dimensions), "dimensions");
  equal(header.metric, c.metric, "metric");
  equal(fullSpec(header), c.spec, "spec");
  equal(header.efConstruction, Number(c.ef_construction) || 100, "ef_construction");
  equal(header.seed, BigInt(c.seed), "seed");
  const slots = isChanged(c) ? state.count : Number(c.n);
  equal(header.capacity, Math.max(slots, 1), "capacity");
  equal(header.sealed, true, "sealed");
  equal(header.auto, false, "auto");
  equal(header.packed, isPacked(c), "packed");
  equal(state.count, slots, "count");
  equal(state.vectors, vectorsOf(c).size, "vectors");
  const linked = header.structure === "hnsw" ? slots - (slots % 64) : slots;
  if (!isChanged(c)) equal(state.linked, linked, "linked");
  const trained = c.train !== "0" || !needsTraining(c.spec);
  equal(state.trained, Number(trained), "trained");
  const text = (name) => host.has(name) && new TextDecoder().decode(host.get(name));
  const attached = c.how === "attach";
  equal(host.size, attached ? 2 : 0, "host sections");
  equal(text("test"), attached && "minnow", "section test");
  equal(text("aB_9"), attached && c.name[0], "section aB_9");
}

// --- Models and codes -------------------------------------------------------

// Ranges and means are those of the sample; a mean's last bits are free.
function checkModel(name, codec, sample) {
  if (codec?.zero) {
    const { zero, step } = ranges(name, sample);
    codec.zero.forEach((x, j) => equal(x, zero[j], `zero of ${j}`));
    codec.step.forEach((x, j) => equal(x, step[j], `step of ${j}`));
  }
  codec?.mean?.forEach((m, j) => {
    const column = sample.map((x) => x[j]);
    const mean = column.reduce((total, x) => total + x, 0) / column.length;
    const most = Math.max(...column.map(Math.abs));
    check(Math.abs(m - mean) <= 1e-5 * most + 2 ** -140, `mean ${j} is ${m}, not ${mean}`);
  });
}

// Rows of length 1 at right angles.
function checkMatrix({ matrix }) {
  matrix?.forEach((a, i) =>
    matrix.forEach((b, j) => {
      const product = a.reduce((total, x, k) => total + x * b[k], 0);
      check(Math.abs(product - (i === j ? 1 : 0)) < 1e-5, `rows ${i} and ${j}`);
    }),
  );
}

// 2. What STAT's error counts for a vector.
function lost(x, y) {
  const length = squares(x);
  if (!length) return 0;
  const part = f32(squares(minus(x, y)) / length);
  return Math.floor(Math.min(part, 1) * 2 ** 31);
}

function checkVectors(c, index) {
  const { header, state, keys, codec, codes, fine, fineCodes, transform } = index;
  const isOrdered = !isRenumbered(c) && !isChanged(c);
  const wanted = [...vectorsOf(c).keys()];
  const found = keys.filter((one) => one !== undefined);
  if (!isOrdered) [wanted, found].forEach((list) => list.sort(ascending));
  equal(found.length, wanted.length, "keys");
  equal(wanted.findIndex((one, i) => found[i] !== one), -1, "the wrong key");
  const vectors = bySlot(c, index).map((row) => row && prepared(index, row));
  checkMatrix(transform);
  if (c.train !== "0") {
    const sample = rowsOf(c, 0, Number(c.train)).map((row) => prepared(index, row));
    checkModel(header.refine, fine, sample.map(([x]) => x));
    checkModel(header.encoding, codec, sample.map(([, x]) => x));
  }
  if (header.nlist) checkLists(index, vectors.map((pair) => pair?.[1]));
  let [clipped, error] = [0, 0];
  vectors.forEach((pair, slot) => {
    if (!pair) return;
    const [x, mapped] = pair;
    try {
      codec.made(codes[slot], mapped);
      fine?.made(fineCodes[slot], x);
    } catch (failure) {
      throw new Error(`slot ${slot}: ${failure.message}`);
    }
    const lostRange =
      codec.clipped?.(codes[slot], mapped) || fine?.clipped?.(fineCodes[slot], x);
    clipped += lostRange ? 1 : 0;
    if (header.encoding !== "sign") {
      error += lost(x, transform.unmap(codec.decode(codes[slot])));
    }
  });
  if (isChanged(c)) return; // they count what is gone, too
  equal(state.clipped, clipped, "clipped");
  equal(state.error, error, "error");
}

// 5. What hangs and what walks begin at, in a block that was never packed.
function checkGraph(c, { graph, entries, state }) {
  if (!state.stride || isRenumbered(c) || isChanged(c)) return;
  const made = entered(graph);
  equal(entries.join(), made.entries.join(), "entries");
  equal(state.stride, made.stride, "stride");
}

// --- Answers ----------------------------------------------------------------

function searchOptions(c, index) {
  const option = (word) => Number(c.search.match(`${word}=([0-9.]+)`)?.[1] ?? 0);
  return {
    k: Number(c.k),
    ef: Number(c.ef),
    gamma: option("gamma"),
    planes: option("planes"),
    refineBy: option("refine_by"),
    refineK: option("refine_k"),
    rows: c.search.includes("fetch") && bySlot(c, index),
  };
}

// Lines of "query, slot, key, bits of the distance".
function checkAnswers(c, index, text) {
  equal(c.filter, "none", "filter");
  const options = searchOptions(c, index);
  const line = (i, { slot, key: k, distance }) =>
    `${i}\t${slot}\t${k}\t${bitsOf(distance).toString(16).padStart(8, "0")}`;
  const lines = rowsOf(c, Number(c.n), Number(c.queries)).flatMap((query, i) =>
    search(index, query, options).map((hit) => line(i, hit)),
  );
  equal(text, lines.map((one) => `${one}\n`).join(""), "answers");
}

// --- Damage -----------------------------------------------------------------

function refused(image, what) {
  let noticed = false;
  try {
    read(image);
  } catch {
    noticed = true;
  }
  equal(noticed, true, `${what} noticed`);
}

// Any byte that is changed is noticed, and any end that is cut off.
function checkDamage(image) {
  for (let at = 0; at < image.length; at++) {
    const changed = image.slice();
    changed[at] ^= 1 << (at % 8);
    refused(changed, `byte ${at}`);
    refused(image.slice(0, at), `the first ${at} bytes`);
  }
}

// --- All --------------------------------------------------------------------

// Published values: shorter and longer than a stripe, odd ends.
test("xxh32", () => {
  const ascii = (text) => new TextEncoder().encode(text);
  equal(xxh32(ascii("")), 0x02cc5d05, "of nothing");
  equal(xxh32(ascii("a")), 0x550d7456, "of a");
  equal(xxh32(ascii("abc")), 0x32d153ff, "of abc");
  const long = "Nobody inspects the spammish repetition";
  equal(xxh32(ascii(long)), 0xe2293b2f, "of a sentence");
});

const cases = parse(await readFile(here("../conformance/cases.tsv"), "utf8"));

const headers = [];
const images = (await readdir(here("golden"))).filter((n) => n.endsWith(".mn"));
for (const name of images) {
  const c = cases.find((one) => `${one.name}.mn` === name);
  const image = new Uint8Array(await readFile(here(`golden/${name}`)));
  const text = await readFile(here(`golden/${name.replace(/mn$/, "tsv")}`), "utf8");
  let index;
  test(`${name}: bytes`, () => {
    const hash = new Hash();
    hash.bytes(image);
    equal(hash.end(), c.block, "hash");
    index = read(image);
  });
  if (!index) continue;
  headers.push(index.header);
  test(`${name}: options`, () => checkOptions(c, index));
  test(`${name}: vectors`, () => checkVectors(c, index));
  test(`${name}: graph`, () => checkGraph(c, index));
  test(`${name}: answers`, () => checkAnswers(c, index, text));
  if (/empty|one|two/.test(name)) test(`${name}: damage`, () => checkDamage(image));
}
test("coverage", () => {
  const kinds = (field) => new Set(headers.map((h) => h[field])).size;
  const packed = headers.filter((h) => h.packed);
  equal(kinds("metric"), 5, "metrics");
  equal(kinds("structure"), 3, "structures");
  equal(kinds("encoding"), 17, "encodings");
  equal(kinds("transform"), 5, "transforms");
  equal(kinds("refine") >= 8, true, "kinds of refine");
  equal(new Set(packed.map((h) => h.structure)).size, 3, "structures packed");
});
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
