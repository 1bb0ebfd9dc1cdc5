// SPDX-License-Identifier: Apache-2.0
// What is refused, how, and that nothing changes by it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Index, installed, picture, refuses, rejects, row, rows } from "./support.mjs";

const D = 6;
const data = rows(20, D);
const query = row(data, 0, D);

async function ready(options = {}) {
  const index = await Index.create({ dimensions: D, metric: "cosine", spec: "flat", ...options });
  index.add(data);
  return index;
}

// a row like the others but for one number
function spoilt(value, at = 2 * D + 1) {
  const bad = rows(5, D);
  bad[at] = value;
  return bad;
}

test("rows that cannot be stored are named, and none of the call goes in", async () => {
  const f16 = { metric: "l2", spec: "flat,f16" };
  const zero = rows(5, D);
  zero.fill(0, 2 * D, 3 * D);
  const cases = [
    ["not-finite", {}, spoilt(NaN)],
    ["not-finite", {}, spoilt(Infinity)],
    ["not-finite", {}, spoilt(-Infinity)],
    ["not-finite", { metric: "l2" }, spoilt(3e38)],
    ["zero-vector", {}, zero],
    ["range", f16, spoilt(70000)],
    ["duplicate-key", {}, rows(5, D), [100, 101, 7, 102, 103]],
    ["duplicate-key", {}, rows(5, D), [100, 101, 100, 102, 103]],
  ];
  for (const [code, options, vectors, keys] of cases) {
    for (const spec of ["flat", "hnsw"]) {
      const index = await ready({ spec, ...options });
      const before = picture(index, query);
      const error = refuses(code, () => index.add(vectors, keys));
      assert.equal(error.row, 2);
      assert.match(error.message, /^row 2: /);
      assert.deepEqual(picture(index, query), before);
      index.add(rows(5, D)); // goes on, numbered from 20
      assert.equal(index.size, 25);
      index.verify();
    }
  }
  const l2 = await ready({ metric: "l2" });
  l2.add(zero);
  assert.equal(l2.size, 25, "under l2 a zero vector is like any other");
});

test("a failed add that had to grow the index leaves its bytes as they were", async () => {
  const index = await ready({ capacity: 20 });
  const other = await ready({ capacity: 20 });
  refuses("not-finite", () => index.add(spoilt(NaN)));
  assert.equal(index.info().capacity, 20);
  assert.deepEqual(index.toBytes(), other.toBytes());
  refuses("not-finite", () => index.add(spoilt(NaN)));
  assert.equal(index.info().sealed, true);
  index.verify();
});

test("queries that cannot be searched for", async () => {
  const index = await ready();
  refuses("not-finite", () => index.search(Float32Array.of(1, NaN, 0, 0, 0, 0)));
  refuses("zero-vector", () => index.search(new Float32Array(D)));
  refuses("unknown-key", () => index.reconstruct(20));
  assert.throws(() => index.search(new Float32Array(D - 1)), RangeError);
  assert.throws(() => index.search(new Float32Array(2 * D)), RangeError);
  assert.throws(() => index.search([1, 2, 3, 4, 5, 6]), TypeError);
  assert.throws(() => index.search(query, { k: 0 }), RangeError);
  assert.throws(() => index.search(query, { k: 2.5 }), RangeError);
  assert.throws(() => index.search(query, { k: 65536 }), RangeError);
  assert.throws(() => index.search(query, { k: "10" }), TypeError);
  assert.throws(() => index.search(query, { ef: -1 }), RangeError);
  assert.throws(() => index.search(query, { filter: new Uint32Array(0) }), RangeError);
  assert.throws(() => index.search(query, { filter: [1] }), TypeError);
  for (const key of [-1, 1.5, NaN, 2 ** 53]) assert.throws(() => index.has(key), RangeError);
  assert.throws(() => index.has("1"), TypeError);
  assert.equal(index.search(query, { k: 65535, ef: 65535 }).keys.length, 20);
});

test("vectors and keys of the wrong shape never reach WebAssembly", async () => {
  const index = await ready();
  assert.throws(() => index.add(new Float32Array(D + 1)), RangeError);
  assert.throws(() => index.add([1, 2, 3, 4, 5, 6]), TypeError);
  assert.throws(() => index.add(new Float64Array(D)), TypeError);
  assert.throws(() => index.add(undefined), TypeError);
  const one = rows(1, D);
  for (const keys of [[], [1, 2]]) assert.throws(() => index.add(one, keys), RangeError);
  for (const key of [-1, 0.5, NaN, Infinity, 2 ** 53, 2n ** 53n, -1n]) {
    assert.throws(() => index.add(one, [key]), RangeError, String(key));
  }
  for (const keys of [["1"], [null], [undefined], 5, null, () => 1]) {
    assert.throws(() => index.add(one, keys), TypeError, String(keys));
  }
  assert.equal(index.size, 20);
});

test("options that cannot be meant", async () => {
  const good = { dimensions: 4, metric: "l2" };
  const wrong = async (Kind, change) => {
    await assert.rejects(Index.create({ ...good, ...change }), Kind, JSON.stringify(change, String));
  };
  await assert.rejects(Index.create(), TypeError);
  await assert.rejects(Index.create({ metric: "l2" }), TypeError);
  for (const dimensions of [0, -1, 1.5, 65536, NaN]) await wrong(RangeError, { dimensions });
  for (const dimensions of ["4", null, 4n]) await wrong(TypeError, { dimensions });
  for (const metric of ["euclid", undefined, 1, "L2"]) await wrong(TypeError, { metric });
  for (const capacity of [0, 2 ** 31, -5]) await wrong(RangeError, { capacity });
  for (const seed of [-1, 2 ** 53, 1n << 64n, -1n, 0.5]) await wrong(RangeError, { seed });
  await wrong(TypeError, { seed: "1" });
  await wrong(TypeError, { spec: 5 });
  await wrong(TypeError, { wasm: "fast" });
  await wrong(TypeError, { wasm: 5 });
  await wrong(WebAssembly.CompileError, { wasm: Uint8Array.of(1, 2, 3) });
  const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
  await assert.rejects(Index.create({ ...good, wasm: empty }), /not the module of this version/);

  const specs = ["hnws", "hnsw3", "hnsw65", "flat,f64", "sq8,flat", "", ",", "flat,", "flat,f32,f32",
    "flat\0", "flät", " flat", "hnsw16,f32,".repeat(9)];
  for (const spec of specs) {
    const error = await rejects("spec", Index.create({ ...good, spec }));
    assert.ok(error.message.includes(JSON.stringify(spec).slice(1, 4)), error.message);
  }
  await rejects("argument", Index.create({ ...good, spec: "hnsw32", efConstruction: 31 }));
  await rejects("too-large", Index.create({ dimensions: 65535, metric: "l2", spec: "flat", capacity: 2 ** 30 }));
});

test("options at their ends are taken", async () => {
  const seed = 2n ** 64n - 1n;
  const index = await Index.create({
    dimensions: 65535, metric: "ip", spec: "hnsw64,bf16", capacity: 1, efConstruction: 65535, seed,
  });
  const info = index.info();
  assert.deepEqual(
    [info.dimensions, info.metric, info.spec, info.efConstruction, info.seed, info.codeBytes],
    [65535, "ip", "hnsw64,bf16", 65535, seed, 131070],
  );
  index.add(rows(2, 65535));
  assert.equal(index.search(rows(1, 65535), { k: 5 }).keys[0], 0);
  const reopened = await Index.open(index.toBytes());
  assert.equal(reopened.info().seed, seed);
});

test("training: once, before adding, where there is something to train", async () => {
  const sq8 = await Index.create({ dimensions: D, metric: "cosine", spec: "flat,sq8" });
  refuses("untrained", () => sq8.add(data));
  assert.equal(sq8.info().trained, false);
  refuses("sample", () => sq8.train(new Float32Array(0)));
  refuses("not-finite", () => sq8.train(spoilt(NaN)));
  assert.equal(sq8.info().trained, false);
  sq8.train(data);
  refuses("trained", () => sq8.train(data));
  sq8.add(data);
  assert.equal(sq8.info().clipped, 0);
  assert.equal(sq8.search(query, { k: 1 }).keys[0], 0);
  refuses("trained", () => sq8.train(data));
  const f32 = await Index.create({ dimensions: D, metric: "l2" });
  refuses("trained", () => f32.train(data));
  assert.throws(() => sq8.train([1]), TypeError);

  const l2 = await Index.create({ dimensions: 2, metric: "l2", spec: "sq8" });
  l2.train(Float32Array.of(0, 0, 1, 1));
  l2.add(Float32Array.of(0.5, 0.5, 5, 0.5));
  assert.equal(l2.info().clipped, 1);
});

test("a closed index says so, and closing again does no harm", async () => {
  const index = await ready();
  const bytes = index.toBytes();
  index.close();
  index.close();
  for (const use of [
    () => index.add(data), () => index.search(query), () => index.info(), () => index.size,
    () => index.toBytes(), () => index.verify(), () => index.has(1), () => index.reconstruct(1),
    () => index.train(data), () => index.attach("abcd", bytes), () => index.section("abcd"),
  ]) {
    refuses("closed", use);
  }
  await rejects("closed", index.addAsync(data));
  assert.equal(index.dimensions, D);
  if (Symbol.dispose) {
    const other = await ready();
    other[Symbol.dispose]();
    refuses("closed", () => other.info());
  }
});

// The module with another maximum of memory: its only memory section is
// id 5, size, one memory, flags 1 (has a maximum), minimum, maximum (LEB128).
function withMemory(bytes, pages) {
  const parts = [bytes.subarray(0, 8)];
  const leb = (at) => {
    let value = 0, shift = 0, byte;
    do {
      byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      shift += 7;
    } while (byte & 128);
    return [value, at];
  };
  for (let at = 8; at < bytes.length;) {
    const [size, body] = leb(at + 1);
    if (bytes[at] === 5) {
      assert.deepEqual([bytes[body], bytes[body + 1]], [1, 1]);
      parts.push(Uint8Array.of(5, 4, 1, 1, leb(body + 2)[0], pages));
    } else {
      parts.push(bytes.subarray(at, body + size));
    }
    at = body + size;
  }
  return Buffer.concat(parts);
}

test("memory that will not grow is an error, and the index goes on", async () => {
  const bytes = await readFile(join(installed, "dist/minnow.wasm"));
  const wasm = await WebAssembly.compile(withMemory(bytes, 10)); // 640 KiB
  const index = await Index.create({ dimensions: D, metric: "l2", wasm });
  index.add(data);
  const before = picture(index, query);
  for (const use of [
    () => index.add(rows(50000, D)), // its own size
    () => index.add(rows(12000, D)), // the block and the rows together
    () => index.attach("huge", new Uint8Array(600000)),
    () => index.search(query, { k: 65535 }),
  ]) {
    refuses("memory", use);
    assert.deepEqual(picture(index, query), before);
  }
  await rejects("memory", index.addAsync(rows(50000, D)));
  index.add(rows(1000, D));
  index.verify();
  assert.equal(index.size, 1020);
  const saved = index.toBytes();
  await rejects("memory", Index.create({ dimensions: D, metric: "l2", spec: "flat", capacity: 50000, wasm }));
  await rejects("memory", Index.open(new Uint8Array(700000), { wasm }));
  assert.equal((await Index.open(saved, { wasm })).size, 1020);

  // where doubling does not fit, just enough does
  const near = await Index.create({ dimensions: 64, metric: "l2", spec: "flat", capacity: 1000, wasm });
  near.add(rows(800, 64));
  near.add(rows(400, 64));
  assert.equal(near.info().capacity, 1200);
});
