// SPDX-License-Identifier: Apache-2.0
// Binary embeddings: hamming and jaccard over floats and over packed bits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Collection, Index, assertNearest, exact, packed, random, row, rows, seed } from "./support.mjs";

const signed = (bytes) => new Int8Array(bytes.map((byte) => byte ^ 0x80).buffer);

for (const metric of ["hamming", "jaccard"]) {
  test(`${metric} is exact, whatever the vectors come as (seed ${seed})`, async () => {
    for (const d of [1, 7, 8, 13, 64, 100, 1000]) {
      const data = rows(300, d);
      const query = rows(1, d, random(seed + 1));
      const index = await Index.create({ dimensions: d, metric });
      index.add(data);
      assert.equal(index.info().spec, "flat,sign");
      assert.equal(index.info().codeBytes, Math.ceil(d / 8));
      const result = index.search(query, { k: 20 });
      assertNearest(result, exact(metric, query, data), 20, 1e-6);
      const bytes = index.toBytes();
      for (const pack of [packed, (x) => signed(packed(x, d)), (x) => Buffer.from(packed(x, d))]) {
        for (const wasm of ["simd", "scalar"]) {
          const other = await Index.create({ dimensions: d, metric, spec: "flat,sign", wasm });
          other.add(pack(data.subarray(0, 100 * d), d));
          await other.addAsync(pack(data.subarray(100 * d), d));
          assert.deepEqual(other.search(pack(query, d), { k: 20 }), result);
          const vary = { memoryBytes: 0, auto: 0, simd: 0, sealed: 0, capacity: 0, blockBytes: 0 };
          assert.deepEqual({ ...other.info(), ...vary }, { ...index.info(), ...vary });
        }
      }
      const kept = index.reconstruct(5);
      kept.forEach((x, j) => assert.equal(x, data[5 * d + j] > 0 ? 1 : -1));
      (await Index.open(bytes)).verify();
    }
  });
}

test("bits that fill up the last byte do not matter", async () => {
  const index = await Index.create({ dimensions: 5, metric: "hamming" });
  index.add(Uint8Array.of(0b10101000, 0b10101111));
  assert.deepEqual([...index.search(Uint8Array.of(0b10101010)).distances], [0, 0]);
});

test("nothing set in either is no distance", async () => {
  const index = await Index.create({ dimensions: 9, metric: "jaccard" });
  index.add(new Uint8Array(2));
  assert.deepEqual([...index.search(new Uint8Array(2)).distances], [0]);
});

test("a graph over bits, a filter, and the first of them", async () => {
  const d = 128, data = rows(1200, d);
  const query = packed(rows(1, d, random(seed + 1)), d);
  const floats = rows(1, d, random(seed + 1));
  const graph = await Index.create({ dimensions: d, metric: "hamming", spec: "hnsw8,sign", efConstruction: 80 });
  graph.add(packed(data, d));
  const { keys, stats } = graph.search(query, { k: 10, ef: 300 });
  assert.ok(stats.hops > 0);
  const truth = exact("hamming", floats, data);
  const found = [...keys].filter((key) => exact("hamming", floats, data, (i) => i === key)[0][0] <= truth[9][0]);
  assert.ok(found.length >= 8, `${found.length} of 10`);
  const filter = new Uint32Array(38).fill(0x0f0f0f0f);
  assertNearest(graph.search(query, { k: 10, filter }), exact("hamming", floats, data, (i) => (i & 7) < 4), 10);

  const first = await Index.create({ dimensions: d, metric: "hamming", spec: "flat,first20,sign" });
  first.add(packed(data, d));
  const cut = (x) => x.filter((_, i) => i % d < 20);
  assertNearest(first.search(query), exact("hamming", cut(floats), cut(data)), 10);
});

test("vectors of the wrong kind and length never reach WebAssembly", async () => {
  const index = await Index.create({ dimensions: 20, metric: "hamming" });
  for (const use of [(v) => index.add(v), (v) => index.search(v)]) {
    for (const length of [1, 2, 4, 20]) {
      assert.throws(() => use(new Uint8Array(length)), RangeError);
      assert.throws(() => use(new Int8Array(length)), RangeError);
    }
    assert.throws(() => use(new Float32Array(3)), RangeError);
    for (const vectors of [new Uint16Array(3), new Uint8ClampedArray(3), [1, 2, 3], "abc", undefined, null]) {
      assert.throws(() => use(vectors), TypeError);
    }
  }
  assert.throws(() => index.search(new Uint8Array(6)), /query must have 3 bytes, not 6/);
  assert.throws(() => index.search(new Uint8Array(3), { refine: () => new Float32Array(20) }), TypeError);
  const l2 = await Index.create({ dimensions: 20, metric: "l2" });
  assert.throws(() => l2.add(new Uint8Array(20)), /must be a Float32Array, not Uint8Array/);
  assert.throws(() => l2.search(new Int8Array(20)), TypeError);
  assert.equal(index.size, 0);
});

test("a collection of packed bits: scores from 0 to 1", async () => {
  for (const [metric, scores] of [["hamming", [1, 0.75, 0]], ["jaccard", [1, 1 - 2 / 6, 0]]]) {
    const collection = await Collection.create({ dimensions: 8, metric });
    collection.add([
      { id: "same", vector: Uint8Array.of(0b11110000) },
      { id: "near", vector: Int8Array.of((0b11111100 ^ 0x80) << 24 >> 24) },
      { id: "far", vector: [-1, 0, -1, -1, 1, 1, 1, 1] },
    ]);
    const found = collection.search(Uint8Array.of(0b11110000));
    assert.deepEqual(found.map(({ id }) => id), ["same", "near", "far"]);
    found.forEach(({ score }, i) => assert.ok(Math.abs(score - scores[i]) < 1e-6, `${metric}: ${score}`));
    assert.throws(() => collection.add({ id: "x", vector: new Uint8Array(2) }), RangeError);
  }
});
