// SPDX-License-Identifier: Apache-2.0
// Codes without an index: against the same encoding inside one, and against
// codebooks that are read by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Codec, Index, clustered, distance, filled, packed, random, refuses, rejects, row, rows, seed } from "./support.mjs";

const D = 24;
const data = clustered(800, D);
const query = clustered(1, D, random(seed + 1));

async function trained(options) {
  const codec = await Codec.create({ dimensions: D, metric: "l2", seed: 4, ...options });
  if (!codec.info().trained) codec.train(data);
  return codec;
}

const near = (a, b, what, tolerance = 1e-4) =>
  assert.ok(Math.abs(a - b) <= tolerance * (1 + Math.abs(b)), `${what}: ${a}, not ${b}`);

test("codes, vectors and distances are those of an index", async (t) => {
  for (const metric of ["l2", "ip", "cosine"]) {
    for (const spec of ["f32", "f16", "sq8", "sq4", "bits1", "bits2", "bits8", "pq6x8", "pq12x4", "pq6x8+c", "prq6x5x2",
      "hadamard,bf16", "first10,f32", "pca12,bits4", "opq,pq6x4"]) {
      await t.test(`${metric}, ${spec}`, async () => {
        const codec = await trained({ metric, spec });
        const index = await filled(Index, { dimensions: D, metric, spec: `flat,${spec}`, seed: 4 }, data);
        assert.deepEqual(codec.model(), index.model());
        const bytes = codec.codeBytes;
        assert.equal(bytes, index.info().codeBytes);
        const codes = codec.encode(data);
        assert.equal(codes.length, 800 * bytes);
        const decoded = codec.decode(codes);
        for (const i of [0, 1, 799]) assert.deepEqual(row(decoded, i, D).slice(), index.reconstruct(i));
        // each by itself and all at once are the same
        assert.deepEqual(codec.encode(row(data, 77, D)), codes.slice(77 * bytes, 78 * bytes));

        const distances = codec.compare(query, codes);
        const planes = /bits8/.test(spec) ? { planes: 8 } : {};
        const { slots, distances: found } = index.search(query, { k: 800, ...planes });
        slots.forEach((slot, i) => assert.equal(distances[slot], found[i]));
        assert.equal(codec.compare(query, new Uint8Array(0)).length, 0);

        const a = codes.subarray(3 * bytes, 4 * bytes), b = codes.subarray(9 * bytes, 10 * bytes);
        const back = codec.between(b, a);
        if (!/bits|\+c/.test(spec)) near(codec.between(a, b), back, "symmetric", metric === "cosine" ? 0.05 : 0.02);
        const truth = distance(metric, row(data, 3, D), row(data, 9, D));
        if (!/1|first|pca|x4/.test(spec)) near(codec.between(a, b), truth, "between", 0.35);
      });
    }
  }
});

test("many vectors go through in chunks", async () => {
  const codec = await Codec.create({ dimensions: 1000, metric: "l2", spec: "f16" });
  const many = rows(3000, 1000);
  const codes = codec.encode(many);
  const decoded = codec.decode(codes);
  for (const i of [0, 1047, 1048, 2999]) {
    near(distance("l2", row(decoded, i, 1000), row(many, i, 1000)), 0, `row ${i}`, 1e-3);
  }
  many[2500 * 1000] = NaN;
  assert.equal(refuses("not-finite", () => codec.encode(many)).row, 2500);
  assert.ok(codec.info().memoryBytes < 2e7, "memory holds a chunk, not all");
});

// --- pq -----------------------------------------------------------------------

// The codes of pqMx8, read by hand.
function readPq(codebooks, code, m, ds) {
  return Float32Array.from({ length: m * ds }, (_, j) => {
    const s = Math.floor(j / ds);
    return codebooks[(s * 256 + code[s]) * ds + (j % ds)];
  });
}

test("codebooks and distance tables are what codes refer to", async () => {
  const codec = await trained({ spec: "pq6x8" });
  const codebooks = codec.codebooks;
  assert.equal(codebooks.length, 6 * 256 * 4);
  const codes = codec.encode(data);
  const decoded = codec.decode(codes);
  for (const i of [0, 5, 799]) {
    assert.deepEqual(readPq(codebooks, codes.subarray(6 * i), 6, 4), row(decoded, i, D).slice());
  }
  // the nearest centroid, in every subspace
  for (let s = 0; s < 6; s++) {
    const part = row(data, 11, D).subarray(4 * s, 4 * s + 4);
    const to = (k) => distance("l2", part, codebooks.subarray((s * 256 + k) * 4, (s * 256 + k + 1) * 4));
    const best = Math.min(...Array.from({ length: 256 }, (_, k) => to(k)));
    near(to(codes[6 * 11 + s]), best, `subspace ${s}`, 1e-6);
  }
  for (const metric of ["l2", "ip", "cosine"]) {
    const other = await trained({ spec: "pq6x8", metric });
    const table = other.distanceTable(query);
    assert.equal(table.length, 6 * 256);
    const norm = metric === "cosine" ? Math.hypot(...query) : 1;
    const books = other.codebooks;
    for (const [s, k] of [[0, 0], [2, 17], [5, 255]]) {
      const part = query.map((x) => x / norm).subarray(4 * s, 4 * s + 4);
      const centroid = books.subarray((s * 256 + k) * 4, (s * 256 + k + 1) * 4);
      near(table[s * 256 + k], distance(metric === "ip" ? "ip" : "l2", part, centroid), `table ${s} ${k}`);
    }
    const own = other.encode(data);
    const distances = other.compare(query, own);
    for (const i of [0, 400]) {
      let sum = 0;
      for (let s = 0; s < 6; s++) sum += table[s * 256 + own[6 * i + s]];
      // the scan's tables are rounded to 16 bits; cosine only resembles half of it
      if (metric === "cosine") near(distances[i], sum / 2, `${metric} ${i}`, 0.1);
      else near(distances[i], sum, `${metric} ${i}`, 2e-3);
    }
  }
});

test("residual codebooks, stage by stage", async () => {
  const codec = await trained({ spec: "prq6x8x2" });
  const codebooks = codec.codebooks; // [6][2][256][4]
  assert.equal(codebooks.length, 6 * 2 * 256 * 4);
  const code = codec.encode(row(data, 8, D));
  const decoded = codec.decode(code);
  for (let j = 0; j < D; j++) {
    const s = Math.floor(j / 4);
    const sum = [0, 1].reduce((x, r) => x + codebooks[((s * 2 + r) * 256 + code[s * 2 + r]) * 4 + (j % 4)], 0);
    near(decoded[j], sum, `number ${j}`, 1e-6);
  }
});

test("codebooks can be brought from elsewhere", async () => {
  const learnt = await trained({ spec: "pq6x4" });
  const fresh = await Codec.create({ dimensions: D, metric: "l2", spec: "pq6x4" });
  assert.equal(fresh.codebooks, undefined);
  fresh.codebooks = learnt.codebooks;
  assert.equal(fresh.info().trained, true);
  assert.deepEqual(fresh.codebooks, learnt.codebooks);
  assert.deepEqual(fresh.encode(data), learnt.encode(data));

  // replaced in place, and kept where that fails
  const other = learnt.codebooks.map((x) => x + 1);
  fresh.codebooks = other;
  assert.deepEqual(fresh.codebooks, other);
  refuses("not-finite", () => (fresh.codebooks = other.map(() => Infinity)));
  assert.throws(() => (fresh.codebooks = other.subarray(1)), RangeError);
  assert.throws(() => (fresh.codebooks = [...other]), TypeError);
  assert.deepEqual(fresh.codebooks, other);
  refuses("argument", () => (fresh.rotation = new Float32Array(D * D)));

  const corrected = await Codec.create({ dimensions: D, metric: "l2", spec: "pq6x4+c" });
  corrected.codebooks = learnt.codebooks;
  assert.deepEqual(corrected.codebooks, learnt.codebooks);
  corrected.encode(data);
  const sq8 = await trained({ spec: "sq8" });
  assert.equal(sq8.codebooks, undefined);
  assert.equal(sq8.rotation, undefined);
  refuses("argument", () => (sq8.codebooks = other));
});

test("rotations: orthonormal, readable, settable", async () => {
  for (const [spec, kept] of [["opq,pq6x4", D], ["pca10,sq8", 10]]) {
    const codec = await trained({ spec });
    const rotation = codec.rotation;
    assert.equal(rotation.length, kept * D);
    for (let a = 0; a < kept; a++) {
      for (let b = 0; b <= a; b++) {
        near(-distance("ip", row(rotation, a, D), row(rotation, b, D)), a === b ? 1 : 0, `${spec}: rows ${a}, ${b}`, 1e-4);
      }
    }
    const before = codec.encode(data);
    codec.rotation = rotation;
    assert.deepEqual(codec.encode(data), before);
    codec.rotation = rotation.map((x) => -x);
    assert.notDeepEqual(codec.encode(data), before);
    assert.throws(() => (codec.rotation = rotation.subarray(D)), RangeError);
  }
  const opq = await Codec.create({ dimensions: D, metric: "l2", spec: "opq,pq6x4" });
  refuses("untrained", () => (opq.rotation = new Float32Array(D * D)));
  const plain = await trained({ spec: "pq6x4" });
  opq.codebooks = plain.codebooks; // with a rotation that changes nothing
  assert.deepEqual(opq.encode(data), plain.encode(data));
  opq.rotation.forEach((x, i) => assert.equal(x, i % (D + 1) === 0 ? 1 : 0));
});

// --- Life ---------------------------------------------------------------------

test("models and bytes: saved, opened, taken from an index, replaced", async () => {
  for (const spec of ["pq6x8", "bits4", "f32", "pca12,sq8"]) {
    const codec = await trained({ spec });
    const codes = codec.encode(data);
    const opened = await Codec.open(codec.toBytes());
    opened.verify();
    assert.deepEqual(opened.encode(data), codes);
    assert.deepEqual({ ...opened.info(), memoryBytes: 0 }, { ...codec.info(), memoryBytes: 0 });

    const index = await filled(Index, { dimensions: D, metric: "l2", spec: `hnsw4,${spec}`, seed: 4 }, data);
    index.attach("note", Uint8Array.of(1));
    const left = await Codec.open(index.toBytes());
    assert.deepEqual(left.encode(data), codes);
    assert.ok(left.toBytes().length < index.toBytes().length / 2, "vectors and sections are left behind");
    assert.equal(left.info().spec, spec);
  }
  const one = await trained({ spec: "sq8" });
  const two = await Codec.create({ dimensions: D, metric: "l2", spec: "sq8", seed: 4 });
  two.train(data.map((x) => 2 * x));
  const codes = one.encode(data);
  assert.notDeepEqual(two.encode(data), codes);
  two.setModel(one.model());
  assert.deepEqual(two.encode(data), codes);
  refuses("not-finite", () => two.setModel(new Uint8Array(one.model().length).fill(0xff)));
  assert.throws(() => two.setModel(new Uint8Array(3)), RangeError);
  assert.deepEqual(two.encode(data), codes, "kept what it had");

  const index = await Index.create({ dimensions: D, metric: "l2", spec: "sq8", seed: 4 });
  index.setModel(one.model());
  index.add(data);
  assert.equal(index.info().codeBytes, one.codeBytes);
});

test("info tells what a codec is", async () => {
  const codec = await Codec.create({ dimensions: D, metric: "cosine", spec: "pca12,pq6x8", seed: 5n });
  const { memoryBytes, ...info } = codec.info();
  assert.ok(memoryBytes > 0);
  assert.deepEqual({ ...info, training: info.training.least }, {
    dimensions: D, metric: "cosine", spec: "pca12,pq6x8", seed: 5n, trained: false, training: 256,
    codeBytes: 6, refineBytes: 0, compression: 16, simd: true,
  });
});

test("bits: codes are packed bits", async () => {
  const codec = await Codec.create({ dimensions: 13, metric: "hamming" });
  const bits = packed(rows(9, 13), 13);
  const codes = codec.encode(bits);
  assert.deepEqual(codes, bits);
  assert.deepEqual(codec.encode(codec.decode(codes)), bits);
  assert.equal(codec.compare(bits.subarray(0, 2), codes)[0], 0);
});

test("errors: shapes, untrained, closed", async () => {
  const codec = await Codec.create({ dimensions: D, metric: "cosine", spec: "sq8" });
  for (const use of [() => codec.encode(data), () => codec.decode(new Uint8Array(D)), () => codec.model(),
    () => codec.compare(query, new Uint8Array(D)), () => codec.between(new Uint8Array(D), new Uint8Array(D))]) {
    assert.match(refuses("untrained", use).message, /^sq8 must be trained first/);
  }
  refuses("sample", () => codec.train(new Float32Array(0)));
  refuses("argument", () => codec.distanceTable(query));
  const corrected = await Codec.create({ dimensions: D, metric: "l2", spec: "pq6x4+c" });
  corrected.train(data);
  refuses("argument", () => corrected.distanceTable(query));
  codec.train(data);
  assert.throws(() => codec.encode(new Float32Array(D + 1)), RangeError);
  assert.throws(() => codec.encode([1]), TypeError);
  assert.throws(() => codec.decode(new Uint8Array(D + 1)), RangeError);
  assert.throws(() => codec.decode(new Float32Array(D)), TypeError);
  assert.throws(() => codec.compare(new Float32Array(2 * D), new Uint8Array(D)), RangeError);
  assert.throws(() => codec.compare(query, new Uint8Array(1)), RangeError);
  assert.throws(() => codec.between(new Uint8Array(D), new Uint8Array(2 * D)), RangeError);
  assert.throws(() => codec.between(new Uint8Array(0), new Uint8Array(D)), RangeError);
  refuses("zero-vector", () => codec.compare(new Float32Array(D), new Uint8Array(D)));
  const bad = rows(4, D);
  bad[2 * D] = Infinity;
  assert.equal(refuses("not-finite", () => codec.encode(bad)).row, 2);
  assert.equal(codec.encode(new Float32Array(0)).length, 0);
  assert.equal(codec.decode(new Uint8Array(0)).length, 0);

  await rejects("spec", Codec.create({ dimensions: D, metric: "l2", spec: "pq" }));
  await rejects("argument", Codec.create({ dimensions: D, metric: "l2", spec: "pq7x8" }));
  await rejects("truncated", Codec.open(codec.toBytes().subarray(0, 900)));
  codec.close();
  codec.close();
  for (const use of [() => codec.encode(data), () => codec.info(), () => codec.codeBytes, () => codec.codebooks,
    () => codec.model(), () => codec.setModel(new Uint8Array(1)), () => codec.toBytes(), () => codec.train(data)]) {
    refuses("closed", use);
  }
});
