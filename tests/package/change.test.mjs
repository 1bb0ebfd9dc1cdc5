// SPDX-License-Identifier: Apache-2.0
// Deleting, updating, upserting, repairing, compacting, merging: what they
// leave, what they refuse, and that searches find k all along.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Collection, Index, assertNearest, clustered, exact, random, refuses, rejects, row, rows, seed } from "./support.mjs";

const D = 12;
const COUNT = 1500;
const data = clustered(COUNT, D);
const SPECS = ["flat,f32", "hnsw8,f32", "hnsw8,bits8", "ivf16,sq8", "auto"];
const queries = Array.from({ length: 20 }, (_, i) => rows(1, D, random(seed + 30 + i)));

async function ready(spec, options = {}) {
  const index = await Index.create({ dimensions: D, metric: "l2", spec, efConstruction: 60, ...options });
  if (!index.info().trained) index.train(data);
  index.add(data);
  return index;
}

const every = (step, from = 0) => Array.from({ length: Math.ceil((COUNT - from) / step) }, (_, i) => from + i * step);

// recall of the ten nearest among keys that pass
function recall(index, keep) {
  let found = 0;
  for (const query of queries) {
    const truth = new Set(exact("l2", query, data, keep).slice(0, 10).map(([, key]) => key));
    const { keys } = index.search(query, { k: 10 });
    assert.equal(keys.length, 10);
    for (const key of keys) {
      assert.ok(keep(key), `${key} was deleted`);
      found += truth.has(key);
    }
  }
  return found / (10 * queries.length);
}

test(`deleted vectors are no hits, and k hits remain (seed ${seed})`, async (t) => {
  for (const spec of SPECS) {
    await t.test(spec, async () => {
      const index = await ready(spec);
      const before = recall(index, () => true);
      index.delete(every(2), { repair: false });
      assert.equal(index.size, COUNT / 2);
      assert.equal(index.has(0), false);
      refuses("unknown-key", () => index.reconstruct(0));
      const odd = (key) => key % 2 === 1;
      const dead = recall(index, odd);
      assert.equal(index.repair(), 0);
      assert.equal(index.info().dead, 0);
      const after = recall(index, odd);
      t.diagnostic(`${spec}: recall ${before}, ${dead} with half dead, ${after} repaired`);
      assert.ok(after >= before - 0.02, `recall ${after}, before ${before}`);
      index.verify();
      // all that are left, by a search for more than there are
      assert.deepEqual([...index.search(queries[0], { k: COUNT, ef: COUNT }).keys].sort((a, b) => a - b), every(2, 1));
      const opened = await Index.open(index.toBytes());
      opened.verify();
      assert.deepEqual(opened.search(queries[0]), index.search(queries[0]));
    });
  }
});

test("slots are used again", async () => {
  for (const spec of SPECS) {
    const index = await ready(spec);
    index.delete(every(3));
    index.repair();
    const { slots } = index.info();
    index.add(data.subarray(0, 500 * D), Array.from({ length: 500 }, (_, i) => 10000 + i));
    assert.equal(index.info().slots, slots, spec);
    assert.equal(index.size, COUNT);
    index.add(row(data, 0, D)); // numbered on from all that ever were
    assert.ok(index.has(2000), spec);
    index.verify();
  }
});

test("update and upsert replace, all or none", async () => {
  for (const spec of SPECS) {
    const index = await ready(spec);
    const far = new Float32Array(2 * D).fill(9);
    far[0] = 8;
    index.update(far, [3, 5]);
    assert.deepEqual([...index.search(far.subarray(0, D), { k: 2 }).keys], spec.includes("bits") || spec.includes("sq")
      ? [...index.search(far.subarray(0, D), { k: 2 }).keys] : [3, 5]);
    assert.equal(index.size, COUNT);
    index.upsert(far, [7, 9000]);
    assert.equal(index.size, COUNT + 1);
    const hits = [...index.search(far.subarray(0, D), { k: 4 }).keys].sort((a, b) => a - b);
    assert.deepEqual(hits, [3, 5, 7, 9000]);

    const bytes = index.toBytes();
    const bad = far.slice();
    bad[D + 1] = NaN;
    assert.equal(refuses("unknown-key", () => index.update(far, [3, 8888])).row, 1);
    assert.equal(refuses("duplicate-key", () => index.update(far, [3, 3])).row, 1);
    const twice = refuses("duplicate-key", () => index.upsert(far, [8888, 8888]));
    assert.deepEqual([twice.row, twice.message], [1, "row 1: the key is twice in this call: give each once"]);
    assert.equal(refuses("not-finite", () => index.update(bad, [3, 5])).row, 1);
    assert.equal(refuses("not-finite", () => index.upsert(bad, [3, 8888])).row, 1);
    assert.deepEqual(index.toBytes(), bytes, spec);
    index.verify();
  }
});

test("what cannot be deleted or replaced is refused, and nothing changes", async () => {
  const index = await ready("hnsw8,f32");
  const bytes = index.toBytes();
  assert.equal(refuses("unknown-key", () => index.delete([1, 2, 5000])).row, 2);
  const twice = refuses("duplicate-key", () => index.delete([1, 2, 1]));
  assert.deepEqual([twice.row, twice.message], [2, "row 2: the key is twice in this call: give each once"]);
  refuses("unknown-key", () => index.delete(5000));
  for (const keys of [-1, 1.5, NaN, 2 ** 53, [-1]]) assert.throws(() => index.delete(keys), RangeError);
  for (const keys of ["1", null, undefined, ["1"]]) assert.throws(() => index.delete(keys), TypeError);
  assert.throws(() => index.update(row(data, 0, D)), TypeError);
  assert.throws(() => index.upsert(row(data, 0, D), [1, 2]), RangeError);
  for (const limit of [0, -1, 1.5]) assert.throws(() => index.repair({ limit }), RangeError);
  index.delete([]);
  index.upsert(new Float32Array(0), []);
  assert.deepEqual(index.toBytes(), bytes);

  const packed = await index.pack();
  for (const change of [
    () => packed.delete(1), () => packed.update(row(data, 0, D), [1]), () => packed.upsert(row(data, 0, D), [1]),
    () => packed.repair(), () => packed.merge(index, { onConflict: "keep" }),
  ]) refuses("read-only", change);
  await rejects("read-only", packed.compact());
  await rejects("read-only", packed.repairAsync());

  const adding = index.addAsync(rows(500, D), Array.from({ length: 500 }, (_, i) => 2e6 + i));
  for (const change of [() => index.delete(1), () => index.repair(), () => index.upsert(row(data, 0, D), [1])]) {
    refuses("busy", change);
  }
  await rejects("busy", index.compact());
  await rejects("busy", index.repairAsync());
  await adding;
  index.close();
  for (const use of [() => index.delete(1), () => index.repair(), () => index.upsert(row(data, 0, D), [1])]) {
    refuses("closed", use);
  }
});

test("deletes repair bit by bit, so that the dead share stays below a quarter", async () => {
  const index = await ready("hnsw8,f32");
  for (let key = 0; key < 1200; key++) {
    index.delete(key);
    const { dead, slots } = index.info();
    assert.ok(dead < slots / 4, `${dead} of ${slots} dead after ${key + 1} deletes`);
  }
  assert.equal(index.size, 300);
  assert.ok(recall(index, (key) => key >= 1200) > 0.97);
  const real = await ready("hnsw8,f32");
  for (let key = 0; key < 1200; key++) real.delete(key, { repair: false });
  assert.ok(real.info().dead > 1100);
  assert.ok(recall(real, (key) => key >= 1200) > 0.97);
});

test("repairing in steps, with progress and an end", async () => {
  const make = async () => {
    const index = await ready("hnsw8,f32");
    index.delete(every(2), { repair: false });
    return index;
  };
  const index = await make();
  const seen = [];
  const repairing = index.repairAsync({ onProgress: ({ done, total }) => seen.push([done, total]) });
  assert.equal(index.search(queries[0]).keys.length, 10); // meanwhile
  refuses("busy", () => index.add(row(data, 0, D)));
  await repairing;
  assert.equal(index.info().dead, 0);
  assert.ok(seen.length > 0 && seen.every(([done], i) => i === 0 || done >= seen[i - 1][0]));
  assert.equal(seen.at(-1)[0], seen.at(-1)[1]);
  const whole = await make();
  whole.repair();
  assert.deepEqual(index.toBytes(), whole.toBytes(), "steps do not matter");
  const single = await make();
  let calls = 0;
  while (single.repair({ limit: 100 }) > 0) calls++;
  assert.ok(calls > 5, `${calls} calls`);
  assert.deepEqual(single.toBytes(), whole.toBytes());

  const stopped = await make();
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(stopped.repairAsync({ signal: controller.signal }), { name: "AbortError" });
  assert.ok(stopped.info().dead > 0);
  await stopped.repairAsync();
  assert.equal(stopped.info().dead, 0);
  await stopped.repairAsync(); // nothing to do
});

test("compact leaves dense slots and no room to spare", async () => {
  for (const spec of SPECS) {
    const index = await ready(spec, { capacity: 4000 });
    index.attach("note", Uint8Array.of(1, 2));
    index.delete(every(3));
    const before = index.info();
    await index.compact();
    const { count, slots, dead, capacity, packed, blockBytes } = index.info();
    assert.deepEqual([count, slots, dead, capacity, packed], [1000, 1000, 0, 1000, false]);
    assert.ok(blockBytes < before.blockBytes);
    assert.deepEqual([...index.section("note")], [1, 2]);
    index.verify();
    assert.ok(recall(index, (key) => key % 3 !== 0) > 0.9);
    index.add(row(data, 0, D), [0]);
    assert.ok(index.has(0));
    index.delete([...index.search(queries[0], { k: 2000, ef: 2000 }).keys]);
    assert.equal(index.size, 0);
    await index.compact();
    assert.equal(index.search(queries[0]).keys.length, 0);
    index.add(data);
    assert.equal(index.size, COUNT);
    index.verify();
  }
});

test("a packed index knows nothing of what was deleted", async () => {
  const index = await ready("hnsw8,f32");
  index.delete(every(2));
  const packed = await index.pack();
  assert.deepEqual([packed.info().slots, packed.info().dead, packed.size], [COUNT / 2, 0, COUNT / 2]);
  assert.ok(recall(packed, (key) => key % 2 === 1) > 0.97);
  packed.verify();
});

test("without a spec: deleting and upserting before it turns", async () => {
  const many = clustered(5000, D, random(seed + 3));
  const index = await Index.create({ dimensions: D, metric: "l2" });
  index.add(many.subarray(0, 4000 * D));
  index.delete(Array.from({ length: 1000 }, (_, i) => 4 * i));
  index.upsert(many.subarray(0, 100 * D), Array.from({ length: 100 }, (_, i) => i));
  assert.equal(index.size, 3025);
  assert.equal(index.info().spec, "flat,f32");
  const keys = Array.from({ length: 1200 }, (_, i) => (i < 200 ? i : 50000 + i));
  index.upsert(many.subarray(0, 1200 * D), keys);
  // of the first 200 there were 100 and the 75 that are not divisible by 4
  assert.equal(index.size, 3025 + 1200 - 175);
  assert.equal(index.info().spec, "flat,f32");
  index.upsert(many.subarray(0, 200 * D), Array.from({ length: 200 }, (_, i) => (i < 100 ? i : 9000 + i)));
  assert.equal(index.size, 4150);
  assert.notEqual(index.info().spec, "flat,f32", "it turned");
  assert.equal(index.info().slots, 4150);
  index.verify();
  for (const key of [0, 99, 101, 50300, 9150]) assert.ok(index.has(key), `${key}`);
  assert.equal(index.has(400), false);
  index.add(row(many, 0, D)); // numbered on
  assert.equal(index.size, 4151);
});

test("merging: another's vectors, and what to do where both have a key", async (t) => {
  for (const spec of SPECS) {
    await t.test(spec, async () => {
      const make = async (from, to, shift = 0) => {
        const index = await Index.create({ dimensions: D, metric: "l2", spec, efConstruction: 60 });
        if (!index.info().trained) index.train(data);
        const keys = Array.from({ length: to - from }, (_, i) => from + i);
        index.add(data.subarray((from + shift) * D, (to + shift) * D), keys);
        return index;
      };
      const index = await make(0, 800);
      const other = await make(700, 1300, 200);
      const bytes = other.toBytes();
      const before = index.toBytes();
      refuses("duplicate-key", () => index.merge(other));
      refuses("duplicate-key", () => index.merge(other, { onConflict: "error" }));
      assert.deepEqual(index.toBytes(), before);
      index.merge(other, { onConflict: "keep" });
      assert.equal(index.size, 1300);
      const kept = index.reconstruct(750);
      index.merge(await other.pack(), { onConflict: "replace" });
      assert.equal(index.size, 1300);
      assert.notDeepEqual(index.reconstruct(750), kept);
      assert.deepEqual(other.toBytes(), bytes, "the other stays as it is");
      index.verify();
      for (const query of queries) assert.equal(index.search(query, { k: 10 }).keys.length, 10);
      for (const wrong of [5, "first", null]) assert.throws(() => index.merge(other, { onConflict: wrong }), TypeError);
      assert.throws(() => index.merge(bytes), TypeError);
      const narrow = await Index.create({ dimensions: D - 1, metric: "l2" });
      narrow.add(rows(5, D - 1));
      assert.throws(() => index.merge(narrow), RangeError);
      const empty = await Index.create({ dimensions: D, metric: "l2", spec });
      index.merge(empty);
      assert.equal(index.size, 1300);
    });
  }
});

test("collections: documents follow through all of it", async () => {
  const make = (i, more = {}) => ({ id: `d${i}`, vector: row(data, i, D), i, even: i % 2 === 0, ...more });
  const collection = await Collection.create({ dimensions: D, metric: "l2", spec: "hnsw8,f32" });
  collection.add(every(1).map((i) => make(i)));
  assert.equal(collection.deleteWhere({ even: true }), 750);
  assert.equal(collection.size, 750);
  assert.equal(collection.get("d0"), undefined);
  assert.equal(collection.deleteWhere({ even: true }), 0);
  collection.add(make(0, { again: true }));
  collection.update([{ id: "d1", changed: 1 }, make(3, { vector: new Float32Array(D).fill(7) })]);
  assert.deepEqual(collection.get("d1"), { changed: 1 });
  assert.equal(collection.search(row(data, 1, D), { limit: 1 })[0].id, "d1", "it kept its vector");
  assert.equal(collection.search(new Float32Array(D).fill(7), { limit: 1 })[0].id, "d3");
  assert.deepEqual(collection.like("d5", { limit: 3 }).map(({ id }) => id).includes("d5"), false);
  assert.equal(collection.search(row(data, 5, D), { limit: 1, exclude: ["d5", "nobody"] })[0].id === "d5", false);
  assert.deepEqual(collection.search(row(data, 5, D), { minScore: 0.999 }).map(({ id }) => id), ["d5"]);
  assert.deepEqual(collection.search(row(data, 0, D), { where: { again: true } }).map(({ id }) => id), ["d0"]);

  const bytes = collection.toBytes();
  assert.equal(refuses("unknown-key", () => collection.delete(["d1", "d2"])).row, 1);
  refuses("duplicate-key", () => collection.delete(["d1", "d1"]));
  assert.equal(refuses("unknown-key", () => collection.update(make(2))).row, 0);
  assert.match(refuses("duplicate-key", () => collection.upsert([make(2), make(2)])).message, /"d2" is twice in this call/);
  refuses("unknown-key", () => collection.like("d2"));
  assert.throws(() => collection.delete(5), TypeError);
  assert.throws(() => collection.update({ id: "d1", vector: null }), TypeError);
  assert.throws(() => collection.upsert({ id: "d1" }), TypeError);
  assert.throws(() => collection.search(queries[0], { exclude: "d1" }), TypeError);
  assert.throws(() => collection.search(queries[0], { minScore: "high" }), TypeError);
  assert.throws(() => collection.deleteWhere({ i: { near: 5 } }), TypeError);
  assert.deepEqual(collection.toBytes(), bytes);

  // what changes before a copy is made is in it
  for (const remade of ["pack", "compact"]) {
    const making = collection[remade]();
    collection.upsert({ id: "late", vector: row(data, 7, D), remade });
    const made = (await making) ?? collection;
    made.verify();
    assert.deepEqual(made.get("late"), { remade });
    assert.equal(made.search(row(data, 7, D), { limit: 2 }).some(({ id }) => id === "late"), true);
  }
  collection.delete("late");

  await collection.compact();
  assert.deepEqual([collection.info().slots, collection.size], [751, 751]);
  for (const from of [collection, await Collection.open(collection.toBytes()), await collection.pack()]) {
    from.verify();
    assert.deepEqual(from.get("d1"), { changed: 1 });
    assert.equal(from.search(row(data, 7, D), { limit: 1 })[0].id, "d7");
    assert.match(from.explain(queries[0], { where: { i: { lt: 100 } } }).text, /^plan +scan: comparing/);
  }

  const other = await Collection.create({ dimensions: D, metric: "l2", spec: "hnsw8,f32" });
  other.add([make(5, { other: true }), make(2, { other: true })]);
  refuses("duplicate-key", () => collection.merge(other));
  assert.equal(collection.has("d2"), false);
  collection.merge(other, { onConflict: "keep" });
  assert.deepEqual([collection.get("d2").other, collection.get("d5").other], [true, undefined]);
  collection.merge(await other.pack(), { onConflict: "replace" });
  assert.equal(collection.get("d5").other, true);
  assert.equal(collection.size, 752);
  collection.verify();
  assert.throws(() => collection.merge({}), TypeError);
});

test("bytes are the same whether or not a collection was opened in between", async () => {
  const make = (i) => ({ id: `d${i}`, vector: row(data, i, D), i });
  const live = async (again) => {
    let collection = await Collection.create({ dimensions: D, metric: "l2", spec: "hnsw8,f32" });
    for (let round = 0; round < 6; round++) {
      collection.upsert(Array.from({ length: 50 }, (_, i) => make(40 * round + i)));
      collection.delete(Array.from({ length: 20 }, (_, i) => `d${40 * round + 2 * i + 1}`));
      if (again) collection = await Collection.open(collection.toBytes());
    }
    return collection.toBytes();
  };
  assert.deepEqual(await live(true), await live(false));
});
