// SPDX-License-Identifier: Apache-2.0
// An index without a spec: exact floats, and from 4,096 vectors on what suits
// their number, with bytes that do not tell how they came in.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Collection, Index, assertNearest, clustered, exact, random, recall, refuses, rejects, row, rows, seed,
} from "./support.mjs";

const D = 32;
const TURN = 4096;
const COUNT = 4700;
const data = clustered(COUNT, D);
const keys = Array.from({ length: COUNT }, (_, i) => (i * 7919 + 5) % 1000003);
const part = (from, to) => data.subarray(from * D, to * D);
const create = (options) => Index.create({ dimensions: D, metric: "cosine", efConstruction: 60, ...options });

// Adds everything in pieces of at most `most`, from where it is.
async function fill(index, most, next = random(seed + most), given = keys) {
  for (let from = index.size; from < COUNT;) {
    const to = Math.min(COUNT, from + Math.ceil(next() * most));
    const some = given?.slice(from, to);
    if (next() < 0.5) index.add(part(from, to), some);
    else await index.addAsync(part(from, to), some);
    from = to;
  }
  return index;
}

test("floats and exact below 4,096 vectors, whatever room there is", async () => {
  for (const options of [{}, { spec: "auto" }, { capacity: 10000 }, { count: 1000 }]) {
    const index = await create(options);
    index.add(part(0, 4000));
    index.add(part(4000, 4095));
    const { spec, auto, trained } = index.info();
    assert.deepEqual([spec, auto, trained], ["flat,f32", true, true]);
    const query = rows(1, D, random(seed + 7));
    assertNearest(index.search(query), exact("cosine", query, part(0, 4095)), 10);
    assert.equal(index.search(query).stats.exact, true);
  }
});

test("what was named stays, saved or not", async () => {
  for (const named of ["f32", "f16", "hadamard,f32", "f32,refine=f16"]) {
    let index = await create({ spec: `auto,${named}` });
    index.add(part(0, 4000), keys.slice(0, 4000));
    index = await Index.open(index.toBytes());
    index.add(part(4000, COUNT), keys.slice(4000));
    const { spec, auto } = index.info();
    assert.deepEqual([spec, auto], [`hnsw16,${named}`, true]);
  }
});

test(`at 4,096 it becomes what suits the number; the bytes do not tell how (seed ${seed})`, async () => {
  for (const metric of ["cosine", "l2", "ip"]) {
    const once = await create({ metric });
    once.add(data, keys);
    const info = once.info();
    assert.match(info.spec, /^hnsw\d+,/);
    assert.ok(info.codeBytes < 4 * D, `${info.spec} is smaller than floats`);
    assert.deepEqual([info.count, info.auto, info.trained, info.efConstruction], [COUNT, false, true, 60]);
    assert.ok(COUNT - info.linked < 64);
    once.verify();
    const bytes = once.toBytes();

    for (const most of [40, 700, 5000]) {
      assert.deepEqual((await fill(await create({ metric }), most)).toBytes(), bytes, `pieces up to ${most}`);
    }
    for (const saved of [1, 3000, TURN - 1, TURN, 4500]) {
      const index = await create({ metric });
      index.add(part(0, saved), keys.slice(0, saved));
      const opened = await Index.open(index.toBytes());
      opened.verify();
      assert.equal(opened.info().auto, saved < TURN);
      assert.deepEqual((await fill(opened, 900)).toBytes(), bytes, `saved at ${saved}`);
    }
    for (const wasm of ["simd", "scalar"]) {
      assert.deepEqual((await fill(await create({ metric, wasm }), 2000)).toBytes(), bytes, wasm);
    }
  }
});

test("keys, slots, sections and answers stay", async () => {
  const index = await create({ seed: 5 });
  index.attach("name", new TextEncoder().encode("animals"));
  index.attach("more", new Uint8Array(1000).fill(9));
  await fill(index, 1500);
  assert.notEqual(index.info().spec, "flat,f32");
  assert.equal(index.info().seed, 5n);
  assert.equal(new TextDecoder().decode(index.section("name")), "animals");
  assert.deepEqual(index.section("more"), new Uint8Array(1000).fill(9));
  for (let i = 0; i < COUNT; i += 97) {
    assert.ok(index.has(keys[i]));
    const { keys: found, slots } = index.search(row(data, i, D), { k: 3 });
    const at = found.indexOf(keys[i]);
    assert.ok(at >= 0, `vector ${i} is found`);
    assert.equal(slots[at], i);
    const kept = index.reconstruct(keys[i]);
    const norm = Math.hypot(...row(data, i, D));
    kept.forEach((x, j) => assert.ok(Math.abs(x - row(data, i, D)[j] / norm) < 0.05));
  }
  let found = 0;
  for (let i = 0; i < 20; i++) {
    const query = clustered(1, D, random(seed + 900 + i));
    found += recall(index.search(query, { ef: 200 }).slots, exact("cosine", query, data), 10);
  }
  assert.ok(found / 20 > 0.9, `recall ${found / 20}`);

  const numbered = await create({});
  await fill(numbered, 1500, random(3), null);
  assert.deepEqual([0, 4095, 4096, COUNT - 1, COUNT].map((key) => numbered.has(key)), [true, true, true, true, false]);
});

test("an add that fails at the turn changes nothing", async () => {
  const index = await create({});
  index.add(part(0, 4000), keys.slice(0, 4000));
  const before = index.toBytes();
  for (const at of [0, 95, 96, 500]) { // rows on both sides of the 4,096th
    const bad = part(4000, 4600).slice();
    bad[at * D + 3] = NaN;
    const some = keys.slice(4000, 4600);
    assert.equal(refuses("not-finite", () => index.add(bad, some)).row, at);
    bad.fill(0, at * D, (at + 1) * D);
    assert.equal(refuses("zero-vector", () => index.add(bad, some)).row, at);
    assert.equal(refuses("duplicate-key", () => index.add(part(4000, 4600), some.with(at, keys[17]))).row, at);
    await rejects("not-finite", index.addAsync(bad.map((x, i) => (i === at * D ? NaN : x)), some));
    assert.deepEqual([index.size, index.info().spec], [4000, "flat,f32"]);
  }
  assert.deepEqual(index.toBytes(), before);
  await fill(index, 900);
  const once = await create({});
  once.add(data, keys);
  assert.deepEqual(index.toBytes(), once.toBytes());
});

test("count: what suits it as soon as there is enough to train on", async () => {
  const once = await create({ count: 100_000 });
  assert.equal(once.info().spec, "flat,f32");
  once.add(data, keys);
  const { spec, auto, capacity } = once.info();
  assert.match(spec, /^hnsw\d+,/);
  assert.deepEqual([auto, capacity], [false, 100_000]);
  const bytes = once.toBytes();
  for (const most of [30, 1000]) {
    assert.deepEqual((await fill(await create({ count: 100_000 }), most)).toBytes(), bytes);
  }
  const index = await create({ count: 100_000 });
  index.add(part(0, 20), keys.slice(0, 20));
  const opened = await Index.open(index.toBytes(), { count: 100_000 });
  assert.deepEqual((await fill(opened, 500)).toBytes(), bytes);
});

test("paged: lists, if there are many vectors; the bytes do not tell how they came in", async () => {
  const narrow = clustered(6000, 4);
  const named = Array.from({ length: 6000 }, (_, i) => 3 * i);
  const make = async (most, hints, metric = "l2") => {
    const index = await Index.create({ dimensions: 4, metric, ...hints });
    for (let from = 0; from < 6000; from += most) {
      index.add(narrow.subarray(4 * from, 4 * (from + most)), named.slice(from, from + most));
    }
    return index;
  };
  const index = await make(6000, { count: 6000, paged: true });
  assert.match(index.info().spec, /^ivf\d+,bits8$/);
  assert.match((await make(6000, { count: 6000 })).info().spec, /^hnsw16,bits8$/);
  assert.match((await make(6000, { count: 6000, paged: true }, "hamming")).info().spec, /^hnsw16,sign$/);
  assert.match((await make(100, { count: 1000, paged: true })).info().spec, /^hnsw16,bits8$/);
  for (const most of [1000, 2500]) {
    assert.deepEqual((await make(most, { count: 6000, paged: true })).toBytes(), index.toBytes());
  }
  const asked = clustered(20, 4);
  const packed = await index.pack();
  let found = 0;
  for (let i = 0; i < 20; i++) {
    const query = asked.subarray(4 * i, 4 * i + 4);
    const truth = exact("l2", query, narrow).slice(0, 10).map(([, key]) => 3 * key);
    const { keys: hits, stats } = packed.search(query);
    found += [...hits].filter((key) => truth.includes(key)).length;
    assert.equal(stats.plan, "probe");
  }
  assert.ok(found / 200 >= 0.95, `${found} of 200`);

  // saved in between, it goes on where the hints are given again
  const part = await Index.create({ dimensions: 4, metric: "l2", count: 6000, paged: true });
  part.add(narrow.subarray(0, 4 * 5000), named.slice(0, 5000));
  assert.equal(part.info().spec, "flat,f32");
  const opened = await Index.open(part.toBytes(), { count: 6000, paged: true });
  opened.add(narrow.subarray(4 * 5000), named.slice(5000));
  assert.deepEqual(opened.toBytes(), index.toBytes());
  await assert.rejects(Index.create({ dimensions: 4, metric: "l2", paged: true }), TypeError);
  await assert.rejects(Index.create({ dimensions: 4, metric: "l2", count: 6000, paged: 1 }), TypeError);
  await assert.rejects(Index.create({ dimensions: 4, metric: "l2", count: 6000, paged: true, spec: "flat" }), TypeError);
});

test("budgetBytes: the packed index fits it", async () => {
  const plain = await create({ count: COUNT });
  plain.add(data);
  const most = (await plain.pack()).info().blockBytes;
  const specs = new Set();
  for (const part of [2, 1.3, 1]) {
    const budgetBytes = Math.ceil(most * part);
    const index = await create({ count: COUNT, budgetBytes });
    index.add(data);
    const packed = await index.pack();
    assert.ok(packed.info().blockBytes <= budgetBytes, `${packed.info().spec}: ${packed.info().blockBytes} of ${budgetBytes}`);
    specs.add(packed.info().spec);
  }
  assert.ok(specs.size > 1, [...specs].join(" "));
  const error = await rejects("capacity", create({ count: 100_000, budgetBytes: 1000 }));
  assert.match(error.message, /100000 vectors.*1000 bytes/);
});

test("hints that cannot be meant", async () => {
  await assert.rejects(create({ budgetBytes: 5 }), TypeError);
  await assert.rejects(create({ count: 5, spec: "flat,f32" }), TypeError);
  await assert.rejects(create({ count: "5" }), TypeError);
  for (const count of [0, 1.5, -1, 2 ** 31, NaN]) await assert.rejects(create({ count }), RangeError);
  for (const budgetBytes of [0, 1.5, -1, NaN]) await assert.rejects(create({ count: 5, budgetBytes }), RangeError);
});

test("a spec with an encoding keeps it: auto is then a matter of structure", async () => {
  const index = await create({ spec: "auto,bits8" });
  refuses("untrained", () => index.add(data));
  index.train(data);
  index.add(part(0, 3000));
  assert.equal(index.info().spec, "flat,bits8");
  index.add(part(3000, COUNT));
  assert.equal(index.info().spec, "hnsw16,bits8");
  assert.equal(index.info().auto, true);
});

test("bits: hamming and jaccard", async () => {
  for (const metric of ["hamming", "jaccard"]) {
    const once = await create({ metric });
    once.add(data, keys);
    assert.match(once.info().spec, /^hnsw\d+,sign$/);
    assert.deepEqual((await fill(await create({ metric }), 800)).toBytes(), once.toBytes());
  }
});

test("collections turn, too, and keep their documents", async () => {
  const collection = await Collection.create({ dimensions: D, metric: "cosine", efConstruction: 60 });
  const make = (i) => ({ id: `n${i}`, vector: row(data, i, D), i });
  const all = Array.from({ length: COUNT }, (_, i) => make(i));
  collection.add(all.slice(0, 3000));
  const opened = await Collection.open(collection.toBytes());
  for (const from of [collection, opened]) {
    await from.addAsync(all.slice(3000));
    assert.match(from.info().spec, /^hnsw/);
    assert.deepEqual(from.get("n4096"), { i: 4096 });
    assert.equal(from.search(row(data, 10, D), { limit: 1, where: { i: 10 } })[0].id, "n10");
    assert.ok(from.search(row(data, 4200, D), { limit: 3 }).some(({ id }) => id === "n4200"));
  }
  assert.deepEqual(collection.toBytes(), opened.toBytes());
});
