// SPDX-License-Identifier: Apache-2.0
// Packing and thawing: the answers of the live index, in fewer bytes, and none
// of its changes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Codec, Collection, Index, clustered, filled, random, refuses, rejects, row, rows, seed } from "./support.mjs";

const D = 24;
const COUNT = 2500; // 4 vectors wait, as 39 batches are 2,496
const SPECS = [
  "flat,f32", "flat,bits4", "flat,pq6x8+c,refine=f16", "hnsw8,f32", "hnsw16,f16", "hnsw16,bits8", "hnsw8,sq8",
  "hnsw8,bits1,refine=sq8", "hnsw8,pca12,bits4", "auto,bits2",
];
const data = clustered(COUNT, D);
const queries = Array.from({ length: 12 }, (_, i) => rows(1, D, random(seed + 50 + i)));
const keys = Array.from({ length: COUNT }, (_, i) => (i * 7919 + 5) % 1000003);

async function live(spec, metric = "cosine") {
  const index = await Index.create({ dimensions: D, metric, spec, efConstruction: 60, seed: 3 });
  if (!index.info().trained) index.train(data);
  index.add(data, keys);
  index.attach("note", Uint8Array.of(1, 2, 3));
  return index;
}

// A filter that lets the same keys through, wherever they are.
function filterOf(index, passes) {
  const bits = new Uint32Array((COUNT + 31) >>> 5);
  for (const { slot, key } of slots(index)) if (passes(key)) bits[slot >>> 5] |= 1 << (slot & 31);
  return bits;
}

const slots = (index) => {
  const { keys, slots } = index.search(queries[0], { k: COUNT, filter: new Uint32Array((COUNT + 31) >>> 5).fill(~0) });
  return Array.from(keys, (key, i) => ({ key, slot: slots[i] }));
};

function answers(index) {
  const even = filterOf(index, (key) => key % 2 === 0);
  return queries.flatMap((query) =>
    [{ k: 10 }, { k: 50, ef: 200 }, { k: 5, filter: even }].map((options) => {
      const { keys, distances, stats } = index.search(query, options);
      return { keys, distances, distancesMade: stats.distances, exact: stats.exact };
    }));
}

test(`packed and thawed indexes answer as the live one (seed ${seed})`, async (t) => {
  for (const metric of ["cosine", "l2", "ip"]) {
    for (const spec of SPECS) {
      await t.test(`${metric} ${spec}`, async () => {
        const index = await live(spec, metric);
        const wanted = answers(index);
        const before = index.toBytes();
        const packed = await index.pack();
        assert.deepEqual(index.toBytes(), before, "packing left the live one as it was");
        const info = packed.info();
        assert.deepEqual([info.packed, info.count, info.spec, info.linked], [true, COUNT, index.info().spec, index.info().linked]);
        assert.equal(index.info().packed, false);
        packed.verify();
        assert.deepEqual(answers(packed), wanted);
        assert.deepEqual([...packed.section("note")], [1, 2, 3]);
        assert.deepEqual(slots(packed).map(({ slot }) => slot).sort((a, b) => a - b), Array.from(keys, (_, i) => i));

        const bytes = packed.toBytes();
        assert.equal(bytes.length, packed.info().blockBytes);
        assert.deepEqual((await index.pack()).toBytes(), bytes, "the same bytes twice");
        const opened = await Index.open(bytes);
        opened.verify();
        assert.equal(opened.info().packed, true);
        assert.deepEqual(answers(opened), wanted);

        const thawed = await packed.thaw();
        thawed.verify();
        assert.equal(thawed.info().packed, false);
        assert.deepEqual(answers(thawed), wanted);
        assert.deepEqual(slots(thawed), slots(packed));
        assert.deepEqual([...thawed.section("note")], [1, 2, 3]);
        thawed.add(row(data, 0, D), [2000000]);
        assert.equal(thawed.search(row(data, 0, D), { k: 2, filter: onlySlot(COUNT) }).keys[0], 2000000);
        thawed.verify();
        assert.deepEqual(answers(await Index.open(before)), wanted);
      });
    }
  }
});

function onlySlot(slot) {
  const bits = new Uint32Array((slot + 32) >>> 5);
  bits[slot >>> 5] = 1 << (slot & 31);
  return bits;
}

test("a packed graph takes fewer bytes", async () => {
  const index = await live("hnsw16,bits8");
  const packed = await index.pack();
  index.toBytes();
  assert.ok(index.info().graphBytes >= COUNT * 32 * 4, `live ${index.info().graphBytes}`);
  assert.ok(packed.info().graphBytes < index.info().graphBytes / 2, `packed ${packed.info().graphBytes}`);
  assert.ok(packed.info().blockBytes < index.info().blockBytes);
  assert.equal((await live("flat,f32")).info().graphBytes, 0);
});

test("a packed index refuses changes, and says what to do", async () => {
  const packed = await (await live("hnsw8,f32")).pack();
  const before = packed.toBytes();
  const untrained = await (await live("hnsw8,bits4")).pack();
  for (const change of [
    () => packed.add(row(data, 0, D)), () => packed.add(row(data, 0, D), [9999999]), () => packed.add(new Float32Array(0)),
  ]) {
    assert.match(refuses("read-only", change).message, /thaw\(\)/);
  }
  assert.match((await rejects("read-only", packed.addAsync(data))).message, /thaw\(\)/);
  await rejects("read-only", packed.addAsync(data, undefined, { threads: 2 }));
  for (const change of [() => untrained.train(data), () => untrained.setModel(untrained.model())]) {
    assert.throws(change, (error) => ["read-only", "trained"].includes(error.code));
  }
  assert.deepEqual(packed.toBytes(), before);
  packed.attach("more", Uint8Array.of(7)); // sections are the host's
  assert.deepEqual([...(await Index.open(packed.toBytes())).section("more")], [7]);
});

test("what cannot be packed or thawed", async () => {
  const empty = await Index.create({ dimensions: D, metric: "l2", spec: "hnsw8,f32" });
  await rejects("argument", empty.pack());
  await rejects("argument", empty.thaw());
  const index = await live("hnsw8,f32");
  await rejects("argument", index.thaw());
  const packed = await index.pack();
  await rejects("argument", packed.pack());
  const adding = index.addAsync(rows(500, D), Array.from({ length: 500 }, (_, i) => 2e6 + i));
  await rejects("busy", index.pack());
  await adding;
  packed.close();
  await rejects("closed", packed.thaw());
});

test("a codec is made of a packed index", async () => {
  const index = await filled(Index, { dimensions: D, metric: "l2", spec: "hnsw8,bits4" }, data);
  const codes = (await Codec.open(index.toBytes())).encode(data);
  const codec = await Codec.open((await index.pack()).toBytes());
  assert.deepEqual(codec.encode(data), codes);
});

test("collections: documents follow their vectors, through pack, thaw, add and pack", async () => {
  const make = (i) => ({ id: `number ${i}`, vector: row(data, i, D), i, odd: i % 2 === 1 });
  const collection = await Collection.create({ dimensions: D, metric: "cosine", spec: "hnsw8,f16" });
  collection.add(Array.from({ length: 1000 }, (_, i) => make(i)));
  collection.add(Array.from({ length: 500 }, (_, i) => make(1000 + i)));
  const look = (from) => queries.flatMap((query) =>
    [{}, { where: { odd: true } }, { limit: 3, where: { i: { lt: 40 } } }].map((options) => from.search(query, options)));
  const same = (from, count) => {
    assert.equal(from.size, count);
    for (let i = 0; i < count; i += 37) {
      assert.deepEqual(from.get(`number ${i}`), { i, odd: i % 2 === 1 });
      assert.deepEqual(from.search(row(data, i, D), { limit: 1, where: { i } }).map(({ id }) => id), [`number ${i}`]);
    }
    from.verify();
  };
  const wanted = look(collection);
  const packed = await collection.pack();
  assert.equal(packed.info().packed, true);
  for (const from of [packed, await Collection.open(packed.toBytes())]) {
    same(from, 1500);
    assert.deepEqual(look(from), wanted);
    refuses("read-only", () => from.add(make(1600)));
    await rejects("read-only", from.addAsync(make(1600)));
    assert.equal(from.has("number 1600"), false);
  }
  const thawed = await packed.thaw();
  same(thawed, 1500);
  assert.deepEqual(look(thawed), wanted);
  thawed.add(Array.from({ length: 500 }, (_, i) => make(1500 + i)));
  same(thawed, 2000);
  const again = await thawed.pack();
  same(again, 2000);
  assert.deepEqual(look(again), look(thawed));
  assert.deepEqual(look(await Collection.open(again.toBytes())), look(thawed));
  same(collection, 1500);
});
