// SPDX-License-Identifier: Apache-2.0
// Opens the golden images with reader.mjs and holds what it reads against
// what they were made of: the cases of tests/conformance and their data.
import { readFile, readdir } from "node:fs/promises";
import { Hash, key, rows } from "../conformance/generator.mjs";
import { parse } from "../conformance/conformance.mjs";
import { normalised, rank } from "./exact.mjs";
import { read, xxh32 } from "./reader.mjs";

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

// The spec string with its defaults written out, as the header says it.
const fullSpec = ({ structure, m, encoding }) =>
  `${structure}${structure === "hnsw" ? m : ""},${encoding}`;

function checkOptions(c, { header, state, host }) {
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
  equal(state.trained, 1 - (header.encoding === "sq8" && c.train === "0"), "trained");
  const text = (name) => host.has(name) && new TextDecoder().decode(host.get(name));
  const attached = c.how === "attach";
  equal(host.size, attached ? 2 : 0, "host sections");
  equal(text("test"), attached && "minnow", "section test");
  equal(text("aB_9"), attached && c.name[0], "section aB_9");
}

// Every stored component is as near to the row's as its encoding can hold.
function checkVectors(c, { header, state, keys, codes, model }) {
  let clipped = 0;
  rowsOf(c, 0, Number(c.n)).forEach((row, slot) => {
    const expected = header.metric === "cosine" ? normalised(row) : row;
    const wanted = c.keys === "given" ? key(slot) : slot;
    equal(keys[slot], BigInt(wanted), `key of slot ${slot}`);
    let lost = false;
    expected.forEach((x, j) => {
      const stored = codes[slot].vector[j];
      const error = Math.abs(stored - x);
      const size = Math.abs(x);
      const bound = {
        f32: 0,
        f16: Math.max(size * 2 ** -11, 2 ** -25),
        bf16: size * 2 ** -8,
        sq8: (model?.step[j] ?? 0) * 0.51,
      }[header.encoding];
      if (header.encoding === "sq8" && error > bound) {
        equal(codes[slot].steps[j], stored < x ? 127 : -128, "s outside the range");
        lost = true;
      } else if (error > bound) {
        throw new Error(`slot ${slot}, component ${j}: ${stored}, not ${x}`);
      }
    });
    clipped += lost;
  });
  equal(state.clipped, clipped, "clipped");
}

const bits = new DataView(new ArrayBuffer(4));

function hex(distance) {
  bits.setFloat32(0, distance);
  return bits.getUint32(0).toString(16).padStart(8, "0");
}

// Lines of "query, slot, key, bits of the distance". A flat search is exact. A
// walk may miss a hit, but not many among 50, and its distances are the same.
function checkAnswers(c, index, text) {
  const stored = text.split("\n").filter(Boolean);
  const exact = [];
  const all = new Set();
  rowsOf(c, Number(c.n), Number(c.queries)).forEach((query, i) => {
    const ranked = rank(index, query).map(
      ({ slot, key: k, distance }) => `${i}\t${slot}\t${k}\t${hex(distance)}`,
    );
    ranked.forEach((line) => all.add(line));
    exact.push(...ranked.slice(0, Number(c.k)));
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

// Any byte that is changed is noticed.
function checkEveryByte(image) {
  for (let at = 0; at < image.length; at++) {
    const changed = image.slice();
    changed[at] ^= 1 << (at % 8);
    let noticed = false;
    try {
      read(changed);
    } catch {
      noticed = true;
    }
    equal(noticed, true, `byte ${at} noticed`);
  }
}

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
const names = (await readdir(here("golden"))).filter((n) => n.endsWith(".mn"));
for (const name of names) {
  const c = cases.find((one) => `${one.name}.mn` === name);
  const image = new Uint8Array(await readFile(here(`golden/${name}`)));
  const answers = await readFile(here(`golden/${name.replace(/mn$/, "tsv")}`), "utf8");
  let index;
  test(`${name}: bytes`, () => {
    const hash = new Hash();
    hash.bytes(image);
    equal(hash.end(), c.block, "hash");
    index = read(image);
  });
  if (!index) continue;
  test(`${name}: options`, () => checkOptions(c, index));
  test(`${name}: vectors`, () => checkVectors(c, index));
  test(`${name}: answers`, () => checkAnswers(c, index, answers));
  if (/empty|one|two/.test(name)) test(`${name}: damage`, () => checkEveryByte(image));
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed || names.length < 10 ? 1 : 0;
