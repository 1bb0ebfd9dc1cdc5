// SPDX-License-Identifier: Apache-2.0
// Every transform, encoding and refine: what it takes, what it needs, what it
// loses, what it finds, and that it is the same in both twins.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Index, clustered, distance, exact, filled, random, recall, refuses, rejects, row, rows, seed,
} from "./support.mjs";

const D = 48;
const COUNT = 1500;
const K = 10;
const data = clustered(COUNT, D);
const queries = clustered(20, D, random(seed + 1));

// [spec, bytes of a code, of a refine code, least to train on, recall of the
// first 10, error at most]; under l2 and ip a code has a few bytes more.
const SPECS = [
  ["f32", 4 * D, 0, 0, 1, 0],
  ["f16", 2 * D, 0, 0, 0.99, 1e-6],
  ["bf16", 2 * D, 0, 0, 0.95, 1e-4],
  ["sq8", D, 0, 1, 0.95, 1e-3],
  ["sq6", 0.75 * D, 0, 1, 0.85, 2e-3],
  ["sq4", D / 2, 0, 1, 0.6, 0.03],
  ["bits1", D / 8 + 4, 0, 1, 0.2, 0.6],
  ["bits2", D / 4 + 8, 0, 1, 0.4, 0.2],
  ["bits3", (3 * D) / 8 + 8, 0, 1, 0.55, 0.06],
  ["bits4", D / 2 + 8, 0, 1, 0.7, 0.02],
  ["bits8", D + 8, 0, 1, 0.95, 1e-3],
  ["pq12x8", 12, 0, 256, 0.4, 0.2],
  ["pq24x4", 12, 0, 16, 0.3, 0.25],
  ["pq24x4+c", 16, 0, 16, 0.3, 0.25],
  ["prq12x5x2", 15, 0, 32, 0.4, 0.2],
  ["prq8x6x3+c", 22, 0, 64, 0.4, 0.2],
  ["hadamard,sq8", D, 0, 1, 0.95, 1e-3],
  ["first24,f16", D, 0, 0, 0.2, 0.6],
  ["pca24,bits4", 12 + 8, 0, 24, 0.4, 0.4],
  ["opq,pq12x4", 6, 0, 16, 0.2, 0.4],
  ["bits1,refine=f16", D / 8 + 4, 2 * D, 1, 0.7, 0.6],
  ["pca12,pq6x4,refine=sq8", 3, D, 16, 0.5, 0.8],
];

// 4 bytes here and there, as minnow.h says.
function extraBytes(metric, spec) {
  const encoding = spec.replace(/,?refine=.*/, "").split(",").at(-1);
  if (/^sq/.test(encoding)) return metric === "l2" ? 4 : 0;
  if (/^prq/.test(encoding)) return metric !== "ip" && !/c$/.test(encoding) ? 4 : 0;
  return /^bits/.test(encoding) && metric === "ip" ? 4 : 0;
}

// Mean of |x - y|^2 / |x|^2; a vector counts for 1 at most.
function lost(index, metric) {
  let sum = 0;
  for (let i = 0; i < COUNT; i++) {
    const given = row(data, i, D);
    const norm = metric === "cosine" ? Math.hypot(...given) : 1;
    const x = given.map((value) => value / norm);
    const y = index.reconstruct(i);
    sum += Math.min(1, distance("l2", x, y) / distance("l2", x, new Float32Array(D)));
  }
  return sum / COUNT;
}

for (const metric of ["l2", "ip", "cosine"]) {
  test(`every encoding under ${metric} (seed ${seed})`, async (t) => {
    const truth = Array.from({ length: 20 }, (_, i) => exact(metric, row(queries, i, D), data));
    for (const [spec, codeBytes, refineBytes, least, floor, error] of SPECS) {
      await t.test(spec, async () => {
        const options = { dimensions: D, metric, spec: `flat,${spec}`, seed: 3 };
        const index = await filled(Index, options, data);
        const info = index.info();
        assert.equal(info.spec, `flat,${spec}`);
        assert.equal(info.codeBytes, codeBytes + extraBytes(metric, spec));
        assert.equal(info.refineBytes, refineBytes + (refineBytes === D && metric === "l2" ? 4 : 0));
        assert.equal(info.compression, Math.fround((4 * D) / (info.codeBytes + info.refineBytes)));
        assert.equal(info.training.least, least);
        assert.ok(info.training.enough >= least && (least > 0 || info.training.enough === 0));

        assert.ok(info.error <= error, `error ${info.error}`);
        if (refineBytes === 0) {
          // under cosine what is taken back is normalised, and so a little nearer
          const measured = lost(index, metric);
          const room = metric === "cosine" ? 0.35 * info.error + 1e-4 : 0.01 * info.error + 1e-6;
          assert.ok(Math.abs(measured - info.error) <= room, `error ${info.error}, measured ${measured}`);
        }

        let found = 0;
        truth.forEach((nearest, i) => {
          const { slots, stats } = index.search(row(queries, i, D), { k: K });
          found += recall(slots, nearest, K) / 20;
          // a sieve meets all of them, and then 256, or 4 times what is refined
          const sieved = spec === "bits1,refine=f16";
          assert.equal(stats.distances, COUNT + (sieved ? 400 : 0));
          assert.equal(stats.exact, !sieved);
        });
        t.diagnostic(`${metric} ${spec}: recall ${found.toFixed(3)}, error ${info.error.toFixed(4)}`);
        assert.ok(found >= floor, `recall ${found}`);

        const bytes = index.toBytes();
        const reopened = await Index.open(bytes);
        reopened.verify();
        const query = row(queries, 0, D);
        assert.deepEqual(reopened.search(query), index.search(query));
        const scalar = await filled(Index, { ...options, wasm: "scalar" }, data);
        assert.equal(scalar.info().simd, false);
        assert.deepEqual(scalar.toBytes(), bytes);
        assert.deepEqual(scalar.search(query), index.search(query));
      });
    }
  });
}

test("graphs over few bits find what a scan finds, refined", async (t) => {
  for (const spec of ["hnsw8,bits8", "hnsw8,bits1,refine=bf16", "hnsw8,pq24x4,refine=sq8", "hnsw8,pca24,sq4,refine=f32"]) {
    const index = await filled(Index, { dimensions: D, metric: "cosine", spec, efConstruction: 80 }, data);
    const flat = await filled(Index, { dimensions: D, metric: "cosine", spec: spec.replace("hnsw8", "flat") }, data);
    let found = 0;
    for (let i = 0; i < 20; i++) {
      const query = row(queries, i, D);
      const walked = index.search(query, { k: K, ef: 120 });
      assert.ok(walked.stats.hops > 0 && walked.stats.distances < COUNT);
      assert.ok(walked.stats.refined >= 100);
      const wanted = new Set(flat.search(query, { k: K }).slots);
      found += walked.slots.filter((slot) => wanted.has(slot)).length / (20 * K);
    }
    t.diagnostic(`${spec}: ${found}`);
    assert.ok(found > 0.9, `${spec}: ${found}`);
  }
});

// --- Training -----------------------------------------------------------------

test("what must be trained says so, and with how many vectors", async () => {
  const create = (spec) => Index.create({ dimensions: D, metric: "l2", spec });
  for (const [spec, least] of [["pq12x8", 256], ["pca20,sq8", 20], ["bits4", 1], ["prq4x9x2", 512]]) {
    const index = await create(`flat,${spec}`);
    const untrained = refuses("untrained", () => index.add(data));
    assert.match(untrained.message, new RegExp(`^${spec} must be trained first: .* at least ${least} vectors`));
    refuses("untrained", () => index.model());
    const few = refuses("sample", () => index.train(data.subarray(0, (least - 1) * D)));
    assert.match(few.message, new RegExp(`^${spec} needs at least ${least} vectors to train on; ${least - 1} were given`));
    assert.equal(index.info().trained, false);
    index.train(data.subarray(0, least * D));
    index.add(data.subarray(0, 10 * D));
    refuses("trained", () => index.train(data));
  }
});

test("a model is learnt once and taken over by others", async () => {
  for (const spec of ["sq8", "pq12x4+c", "pca24,bits2,refine=sq8"]) {
    const options = { dimensions: D, metric: "l2", spec: `flat,${spec}`, seed: 9 };
    const first = await filled(Index, options, data);
    const model = first.model();
    assert.ok(model.length > 0 && model.byteOffset === 0);
    const second = await Index.create(options);
    assert.throws(() => second.setModel(model.subarray(4)), RangeError);
    assert.throws(() => second.setModel([1]), TypeError);
    const wild = model.slice();
    new Float32Array(wild.buffer).fill(NaN);
    refuses("not-finite", () => second.setModel(wild));
    assert.equal(second.info().trained, false);
    second.setModel(model.buffer);
    refuses("trained", () => second.setModel(model));
    second.add(data);
    assert.deepEqual(second.toBytes(), first.toBytes(), spec);
  }
  const plain = await Index.create({ dimensions: D, metric: "l2" });
  assert.equal(plain.model().length, 0);
  refuses("trained", () => plain.setModel(new Uint8Array(0)));
});

// --- Combinations that cannot be ------------------------------------------------

test("what does not go together is refused, with what it is", async () => {
  const wrong = [
    ["l2", "pq7x8"], ["l2", "first49,f32"], ["l2", "pca49,f32"], ["l2", "sign"], ["l2", "opq,sq8"],
    ["hamming", "f32"], ["jaccard", "bits1"], ["hamming", "sign,refine=f32"], ["hamming", "pca8,sign"],
    ["cosine", "first20,pq12x8"],
  ];
  for (const [metric, spec] of wrong) {
    await Index.create({ dimensions: D, metric, spec }).then(
      () => assert.fail(`${metric} ${spec}`),
      (error) => {
        assert.equal(error.code, "argument", spec);
        assert.ok(error.message.startsWith(`"${spec}" of ${D} dimensions under ${metric}: `), error.message);
      },
    );
  }
  for (const spec of ["bits9", "bits0", "sq5", "pq8", "pq8x5", "prq8x13x2", "prq8x4x17", "refine=pq8x8", "sq8,pca4",
    "first0,f32", "f32,refine=sign", "pq8x8+d", "flat,flat"]) {
    await assert.rejects(Index.create({ dimensions: D, metric: "l2", spec }), { code: "spec" }, spec);
  }
});

// --- Precision at query time ----------------------------------------------------

test("planes: fewer bits read, fewer found, all of them at last", async (t) => {
  const index = await filled(Index, { dimensions: D, metric: "cosine", spec: "flat,bits8" }, data);
  const truth = Array.from({ length: 20 }, (_, i) => exact("cosine", row(queries, i, D), data));
  const measure = (options) => {
    let found = 0, last;
    truth.forEach((nearest, i) => {
      last = index.search(row(queries, i, D), { k: K, ...options }).stats;
      found += recall(index.search(row(queries, i, D), { k: K, ...options }).slots, nearest, K) / 20;
    });
    return { found, ...last };
  };
  const steps = [1, 2, 4, 8].map((planes) => measure({ planes }));
  steps.forEach(({ found, bytes, planes, refined }, i) => {
    t.diagnostic(`${planes} planes: recall ${found.toFixed(3)}, ${bytes} bytes`);
    assert.deepEqual([planes, refined], [2 ** i, 0]);
    assert.ok(i === 0 || (found > steps[i - 1].found && bytes >= steps[i - 1].bytes), `${planes} planes`);
  });
  // at D < 192, 4 planes lie together, and candidates by 4 planes are the default
  const usual = measure({});
  assert.deepEqual([usual.planes, usual.refined], [4, 100]);
  assert.ok(usual.found >= steps[3].found - 0.02 && usual.bytes < steps[3].bytes);

  const refined = measure({ planes: 1, refinePlanes: 4, refineK: 20 });
  assert.deepEqual([refined.planes, refined.refined], [1, 200]);
  assert.ok(refined.found > steps[0].found + 0.1);
  assert.equal(measure({ planes: 1, refinePlanes: 8, refineK: 2.05 }).refined, 21);

  for (const options of [{ planes: 3 }, { planes: 5 }, { refinePlanes: 4 }, { planes: 4, refinePlanes: 4 },
    { planes: 4, refinePlanes: 2 }]) {
    refuses("argument", () => index.search(row(queries, 0, D), options));
  }
  for (const options of [{ planes: 9 }, { planes: -1 }, { planes: 1.5 }, { refinePlanes: 9 }, { refineK: 0.5 }, { refineK: NaN }]) {
    assert.throws(() => index.search(row(queries, 0, D), options), RangeError);
  }
  for (const options of [{ planes: "1" }, { refineK: "2" }]) {
    assert.throws(() => index.search(row(queries, 0, D), options), TypeError);
  }
  const f32 = await filled(Index, { dimensions: D, metric: "cosine", spec: "flat" }, data);
  refuses("argument", () => f32.search(row(queries, 0, D), { planes: 1 }));
});

test("refineK: more candidates, more found", async () => {
  const index = await filled(Index, { dimensions: D, metric: "l2", spec: "flat,bits1,refine=f32" }, data);
  const found = [1, 3, 30].map((refineK) => {
    let sum = 0;
    for (let i = 0; i < 20; i++) {
      const query = row(queries, i, D);
      const { slots, distances, stats } = index.search(query, { k: K, refineK });
      assert.equal(stats.refined, Math.ceil(K * refineK));
      slots.forEach((slot, j) => {
        const wanted = distance("l2", query, row(data, slot, D));
        assert.ok(Math.abs(distances[j] - wanted) < 1e-4 * (1 + wanted));
      });
      sum += recall(slots, exact("l2", query, data), K) / 20;
    }
    return sum;
  });
  assert.ok(found[0] < found[1] && found[1] < found[2] && found[2] > 0.95, String(found));
});

// --- Vectors kept elsewhere -----------------------------------------------------

const fetch = (keys) => {
  const out = new Float32Array(keys.length * D);
  keys.forEach((key, i) => out.set(row(data, key / 7, D), i * D));
  return out;
};

test("refine: exact distances to vectors that the caller brings", async () => {
  const keys = Array.from({ length: COUNT }, (_, i) => 7 * i);
  for (const metric of ["l2", "ip", "cosine"]) {
    for (const spec of ["flat,bits1", "flat,bits8", "flat,sq4,refine=f16", "hnsw8,pq12x4"]) {
      const index = await Index.create({ dimensions: D, metric, spec, efConstruction: 60 });
      index.train(data);
      index.add(data, keys);
      const query = row(queries, 3, D);
      let asked;
      const refine = (given, slots) => {
        asked = [...given];
        assert.deepEqual(asked, [...slots].map((slot) => 7 * slot));
        const vectors = fetch(given);
        given.fill(0); // the caller's own copies
        slots.fill(0);
        return vectors;
      };
      const result = index.search(query, { k: K, refine });
      assert.equal(asked.length, 100);
      assert.equal(result.stats.refined, 100);
      const best = asked
        .map((key) => [distance(metric, query, row(data, key / 7, D)), key])
        .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      assert.deepEqual([...result.keys], best.slice(0, K).map(([, key]) => key));
      result.distances.forEach((x, i) => assert.ok(Math.abs(x - best[i][0]) < 1e-4 * (1 + Math.abs(x))));
      result.slots.forEach((slot, i) => assert.equal(7 * slot, result.keys[i]));

      const waited = await index.searchAsync(query, { k: K, refine: async (given) => fetch(given) });
      assert.deepEqual(waited, result);
      assert.deepEqual(await index.searchAsync(query, { k: K }), index.search(query, { k: K }));
      index.search(query, { k: 3, refineK: 1.5, refine });
      assert.equal(asked.length, 5);
    }
  }
});

test("refine: what goes wrong", async () => {
  const index = await filled(Index, { dimensions: D, metric: "cosine", spec: "flat,bits1" }, data);
  const query = row(queries, 3, D);
  const search = (refine, more) => index.search(query, { refine, ...more });
  assert.throws(() => search(5), TypeError);
  assert.throws(() => search(() => undefined), TypeError);
  assert.throws(() => search(() => new Float64Array(D)), TypeError);
  assert.throws(() => search(async () => new Float32Array(100 * D)), TypeError);
  assert.throws(() => search(() => new Float32Array(99 * D)), /a vector for each of the 100 keys, not 99/);
  assert.throws(() => search(() => new Float32Array(5)), RangeError);
  assert.throws(() => search(fetch, { planes: 1, refinePlanes: 1 }), TypeError);
  refuses("zero-vector", () => search(() => new Float32Array(100 * D)));
  refuses("not-finite", () => search(() => new Float32Array(100 * D).fill(NaN)));
  assert.throws(() => search(() => { throw new Error("disk"); }), /^Error: disk$/);
  await assert.rejects(index.searchAsync(query, { refine: async () => { throw new Error("net"); } }), /^Error: net$/);
  await rejects("closed", index.searchAsync(query, { refine: async () => index.close() }));
  const other = await Index.create({ dimensions: D, metric: "cosine", spec: "flat,bits1" });
  other.train(data);
  assert.equal(other.search(query, { refine: () => new Float32Array(0) }).keys.length, 0);
});

test("refine: what happens meanwhile does not matter", async () => {
  const index = await Index.create({ dimensions: D, metric: "cosine", spec: "flat,bits1" });
  index.train(data);
  index.add(data, Array.from({ length: COUNT }, (_, i) => 7 * i));
  const query = row(queries, 3, D).slice();
  const wanted = index.search(query, { refine: fetch });
  const searching = index.searchAsync(query, {
    refine: async (keys) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return fetch(keys);
    },
  });
  query.fill(0);
  index.add(rows(3000, D), Array.from({ length: 3000 }, (_, i) => 20000 + i)); // grows memory
  index.search(row(data, 0, D));
  assert.deepEqual(await searching, wanted);
});
