// SPDX-License-Identifier: Apache-2.0
// Opens the golden images with reader.mjs and holds what it reads against
// what they were made of: the cases of tests/conformance and their data.
import { readFile, readdir } from "node:fs/promises";
import { Hash, key, rows } from "../conformance/generator.mjs";
import { parse } from "../conformance/conformance.mjs";
import { prepared, search } from "./exact.mjs";
import { bitsOf, check, f32, minus, normalised, squares } from "./floats.mjs";
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

// --- The header -------------------------------------------------------------

// The spec string with its defaults written out, as the header says it.
function fullSpec(h) {
  const words = [`${h.structure}${h.structure === "hnsw" ? h.m : ""}`];
  if (h.transform !== "none") words.push(`${h.transform}${h.kept || ""}`);
  const pq = [h.pqM, h.pqBits, ...(h.encoding === "prq" ? [h.nrq] : [])];
  const numbers = h.pqM ? `${pq.join("x")}${h.correction ? "+c" : ""}` : "";
  words.push(h.encoding + numbers);
  if (h.refine !== "none") words.push(`refine=${h.refine}`);
  return words.join();
}

const needsTraining = (spec) => /sq|bits|pr?q|pca/.test(spec);

function checkOptions(c, minor, { header, state, host }) {
  equal(header.minor, minor, "minor");
  equal(header.dimensions, Number(c.dimensions), "dimensions");
  equal(header.metric, c.metric, "metric");
  equal(fullSpec(header), c.spec, "spec");
  equal(header.efConstruction, Number(c.ef_construction) || 200, "ef_construction");
  equal(header.seed, BigInt(c.seed), "seed");
  equal(header.capacity, Math.max(Number(c.n), 1), "capacity");
  equal(header.sealed, true, "sealed");
  equal(header.auto, false, "auto");
  equal(state.count, Number(c.n), "count");
  equal(state.linked, Number(c.n), "linked");
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
  const vectors = rowsOf(c, 0, Number(c.n)).map((row) => prepared(index, row));
  checkMatrix(transform);
  if (c.train !== "0") {
    const sample = rowsOf(c, 0, Number(c.train)).map((row) => prepared(index, row));
    checkModel(header.refine, fine, sample.map(([x]) => x));
    checkModel(header.encoding, codec, sample.map(([, x]) => x));
  }
  let [clipped, error] = [0, 0];
  vectors.forEach(([x, mapped], slot) => {
    const wanted = c.keys === "given" ? key(slot) : slot;
    equal(keys[slot], BigInt(wanted), `key of slot ${slot}`);
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
  equal(state.clipped, clipped, "clipped");
  if (header.minor) equal(state.error, error, "error");
}

// --- Answers ----------------------------------------------------------------

function searchOptions(c) {
  const option = (word) => Number(c.search.match(`${word}=([0-9.]+)`)?.[1] ?? 0);
  return {
    k: Number(c.k),
    planes: option("planes"),
    refineBy: option("refine_by"),
    refineK: option("refine_k"),
    rows: c.search.includes("fetch") && rowsOf(c, 0, Number(c.n)),
  };
}

// Lines of "query, slot, key, bits of the distance". A flat search is exact. A
// walk may miss a hit, but not many among 50, and its distances are the same.
function checkAnswers(c, index, text) {
  equal(c.filter, "none", "filter");
  const stored = text.split("\n").filter(Boolean);
  const exact = [];
  const all = new Set();
  const options = searchOptions(c);
  rowsOf(c, Number(c.n), Number(c.queries)).forEach((query, i) => {
    const line = ({ slot, key: k, distance }) =>
      `${i}\t${slot}\t${k}\t${bitsOf(distance).toString(16).padStart(8, "0")}`;
    const found = search(index, query, options);
    found.all.forEach((hit) => all.add(line(hit)));
    exact.push(...found.hits.map(line));
  });
  equal(stored.length, exact.length, "hits");
  if (index.header.structure === "flat") {
    equal(stored.join("\n"), exact.join("\n"), "answers");
    return;
  }
  stored.forEach((line) => equal(all.has(line), true, `"${line}" among all`));
  const found = exact.filter((line) => stored.includes(line)).length;
  equal(found >= 0.9 * exact.length, true, "recall of 0.9");
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

// The headers of the images in a folder.
async function checkFolder(folder, minor) {
  const headers = [];
  const names = (await readdir(here(folder))).filter((n) => n.endsWith(".mn"));
  for (const name of names) {
    const c = cases.find((one) => `${one.name}.mn` === name);
    const image = new Uint8Array(await readFile(here(`${folder}/${name}`)));
    const answers = `${folder}/${name.replace(/mn$/, "tsv")}`;
    const text = await readFile(here(answers), "utf8");
    const label = `${folder}/${name}`;
    let index;
    test(`${label}: bytes`, () => {
      const hash = new Hash();
      hash.bytes(image);
      if (minor) equal(hash.end(), c.block, "hash");
      index = read(image);
    });
    if (!index) continue;
    headers.push(index.header);
    test(`${label}: options`, () => checkOptions(c, minor, index));
    test(`${label}: vectors`, () => checkVectors(c, index));
    test(`${label}: answers`, () => checkAnswers(c, index, text));
    if (/empty|one|two/.test(name)) test(`${label}: damage`, () => checkDamage(image));
  }
  return headers;
}

const old = await checkFolder("golden-1.0", 0);
const headers = await checkFolder("golden", 1);
test("coverage", () => {
  const kinds = (field) => new Set(headers.map((h) => h[field])).size;
  equal(old.length >= 10, true, "images of 1.0");
  equal(kinds("metric"), 5, "metrics");
  equal(kinds("structure"), 2, "structures");
  equal(kinds("encoding"), 17, "encodings");
  equal(kinds("transform"), 5, "transforms");
  equal(kinds("refine") >= 8, true, "kinds of refine");
});
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
