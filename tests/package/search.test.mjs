// SPDX-License-Identifier: Apache-2.0
// Answers: against an exact search in JavaScript, for every metric, encoding
// and structure.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Index, assertNearest, exact, filled, keptDistance, random, row, rows, seed } from "./support.mjs";

const METRICS = ["l2", "ip", "cosine"];
const ENCODINGS = ["f32", "f16", "bf16", "sq8"];

// The rows as the index keeps them.
function stored(index) {
  const d = index.dimensions;
  const data = new Float32Array(index.size * d);
  for (let i = 0; i < index.size; i++) data.set(index.reconstruct(i), i * d);
  return data;
}

test(`flat finds the true nearest (seed ${seed})`, async (t) => {
  for (const metric of METRICS) {
    for (const dimensions of [1, 3, 16, 33, 100]) {
      await t.test(`${metric}, ${dimensions} dimensions`, async () => {
        const data = rows(300, dimensions);
        const index = await filled(Index, { dimensions, metric, spec: "flat" }, data);
        for (const query of [rows(1, dimensions, random(seed + 1)), row(data, 7, dimensions)]) {
          const result = index.search(query, { k: 25 });
          assertNearest(result, exact(metric, query, data), 25);
          assert.deepEqual([...result.keys], [...result.slots], "keys are row numbers here");
          assert.deepEqual(result.stats, {
            distances: 300, bytes: 1200 * dimensions, refineBytes: 0, hops: 0, probed: 0, exact: true, refined: 0,
            planes: 0, plan: "scan", reason: "no-graph", matches: 300, cut: false, fellBack: false,
          });
        }
      });
    }
  }
});

test("each encoding keeps what it promises and is searched as it is kept", async (t) => {
  const dimensions = 40;
  const data = rows(400, dimensions);
  // the largest error of a number up to 2 in size; sq8's steps are range / 255
  const errors = { f32: 0, f16: 2 ** -11, bf16: 2 ** -8, sq8: 4 / 255 };
  const bytes = { f32: 4, f16: 2, bf16: 2, sq8: 1 };
  for (const metric of METRICS) {
    for (const encoding of ENCODINGS) {
      await t.test(`${metric}, ${encoding}`, async () => {
        const index = await filled(Index, { dimensions, metric, spec: `flat,${encoding}` }, data);
        assert.equal(index.info().spec, `flat,${encoding}`);
        const extra = encoding === "sq8" && metric === "l2" ? 4 : 0;
        assert.equal(index.info().codeBytes, bytes[encoding] * dimensions + extra);
        const kept = stored(index);
        for (let i = 0; i < 400; i++) {
          const given = row(data, i, dimensions);
          const norm = metric === "cosine" ? Math.hypot(...given) : 1;
          row(kept, i, dimensions).forEach((x, j) => {
            const off = Math.abs(x - given[j] / norm);
            assert.ok(off <= errors[encoding] + 1e-6, `row ${i}, number ${j} is off by ${off}`);
          });
        }
        const query = rows(1, dimensions, random(seed + 1));
        const result = index.search(query, { k: 20 });
        // sq8 rounds the query too
        const truth = exact(metric, query, kept, undefined, keptDistance);
        assertNearest(result, truth, 20, encoding === "sq8" ? 0.05 : 1e-4);
      });
    }
  }
});

test("hnsw finds nearly all, and all at last", async (t) => {
  const dimensions = 24, count = 2000, k = 10;
  const data = rows(count, dimensions);
  for (const metric of METRICS) {
    for (const spec of ["hnsw", "hnsw8,bf16", "hnsw32,sq8"]) {
      await t.test(`${metric}, ${spec}`, async () => {
        const index = await filled(Index, { dimensions, metric, spec, efConstruction: 100 }, data);
        const info = index.info();
        assert.deepEqual([info.count, info.linked, info.efConstruction], [count, count - (count % 64), 100]);
        const kept = stored(index);
        const next = random(seed + 1);
        let found = 0, computed = 0;
        for (let q = 0; q < 30; q++) {
          const query = rows(1, dimensions, next);
          const { slots, distances, stats } = index.search(query, { k, ef: 200 });
          assert.equal(slots.length, k);
          const truth = new Set(exact(metric, query, kept, undefined, keptDistance).slice(0, k).map(([, i]) => i));
          slots.forEach((slot, i) => {
            found += truth.has(slot);
            const wanted = keptDistance(metric, query, row(kept, slot, dimensions));
            const tolerance = spec.endsWith("sq8") ? 0.05 : 1e-4;
            assert.ok(Math.abs(distances[i] - wanted) <= tolerance * (1 + Math.abs(wanted)));
          });
          computed += stats.distances;
          assert.ok(stats.hops > 0 && !stats.exact);
        }
        const recall = found / (30 * k);
        t.diagnostic(`${metric} ${spec}: recall ${recall}, ${computed / 30} distances a query`);
        assert.ok(recall >= 0.9, `recall ${recall}`);
        assert.ok(computed / 30 < count, "a walk should not look at everything");
        const all = index.search(row(data, 0, dimensions), { k: count + 5, ef: count });
        assert.equal(new Set(all.slots).size, count, "k means k");
      });
    }
  }
});

test("a filter lets through its bits alone, and the search is exact", async () => {
  const dimensions = 12, count = 500;
  const data = rows(count, dimensions);
  const query = rows(1, dimensions, random(seed + 1));
  for (const spec of ["flat", "hnsw"]) {
    const index = await filled(Index, { dimensions, metric: "l2", spec }, data);
    for (const keep of [(i) => i % 3 === 0, (i) => i === 499, () => false, () => true]) {
      const filter = new Uint32Array((count + 31) >>> 5);
      for (let i = 0; i < count; i++) if (keep(i)) filter[i >>> 5] |= 1 << (i & 31);
      const result = index.search(query, { k: 40, filter });
      assertNearest(result, exact("l2", query, data, keep), 40);
      assert.equal(result.stats.exact, true);
    }
    const longer = new Uint32Array(100).fill(0xffffffff);
    assert.equal(index.search(query, { k: 600, filter: longer }).keys.length, count);
  }
});

test("equal distances come in the order of keys", async () => {
  const index = await Index.create({ dimensions: 2, metric: "l2", spec: "flat" });
  index.add(new Float32Array(20), [9, 3, 7, 1, 5, 0, 8, 2, 6, 4]);
  assert.deepEqual([...index.search(Float32Array.of(1, 1), { k: 4 }).keys], [0, 1, 2, 3]);
});

test("keys may be any safe integer, given in any kind of array", async () => {
  const keys = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 12345, Number.MAX_SAFE_INTEGER];
  const data = rows(6, 4);
  for (const given of [keys, Float64Array.from(keys), BigUint64Array.from(keys, BigInt)]) {
    const index = await Index.create({ dimensions: 4, metric: "l2" });
    index.add(data, given);
    keys.forEach((key, i) => {
      assert.equal(index.search(row(data, i, 4), { k: 1 }).keys[0], key);
      assert.equal(index.has(key), true);
      assert.deepEqual(index.reconstruct(key), row(data, i, 4).slice());
    });
    assert.equal(index.has(77), false);
    assert.equal(index.has(2 ** 33), false);
  }
});

test("an empty index answers with nothing", async () => {
  for (const spec of ["flat", "hnsw"]) {
    const index = await Index.create({ dimensions: 3, metric: "cosine", spec });
    const { keys, distances, slots } = index.search(Float32Array.of(1, 2, 3));
    assert.deepEqual([keys.length, distances.length, slots.length], [0, 0, 0]);
    index.add(new Float32Array(0));
    assert.equal(index.size, 0);
  }
});

test("results are copies: nothing in WebAssembly memory escapes", async () => {
  const index = await Index.create({ dimensions: 4, metric: "l2" });
  const data = rows(50, 4);
  index.add(data);
  const result = index.search(row(data, 3, 4));
  const before = structuredClone(result);
  const vector = index.reconstruct(3);
  const vectorBefore = vector.slice();
  const bytes = index.toBytes();
  const bytesBefore = bytes.slice();
  for (const array of [result.keys, result.distances, result.slots, vector, bytes]) {
    assert.equal(array.byteOffset, 0);
    assert.equal(array.buffer.byteLength, array.byteLength);
  }
  index.add(rows(20000, 4)); // grows memory, which detaches its views
  index.search(row(data, 9, 4));
  assert.deepEqual([result, vector, bytes], [before, vectorBefore, bytesBefore]);
});
