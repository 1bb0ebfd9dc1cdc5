// SPDX-License-Identifier: Apache-2.0
// Bytes from anywhere: a MinnowError or an index that is safe to use, never a
// trap of WebAssembly, never a hang.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Codec, Collection, Index, MinnowError, random, rejects, row, rows, seed } from "./support.mjs";

const D = 5;
const COUNT = 70; // a batch that is linked, and 6 that wait
const data = rows(COUNT, D);
const query = row(data, 1, D);
const REFUSED = new Set(["not-minnow", "version", "truncated", "corrupt"]);

async function blocks() {
  const made = {};
  for (const spec of [
    "flat,f32", "flat,sq8", "hnsw4,f16", "hnsw4,sq8", "auto", "hnsw4,bits5", "flat,pq5x4,refine=sq6",
    "hnsw4,pca3,prq3x3x2+c,refine=bits2",
  ]) {
    const index = await Index.create({ dimensions: D, metric: "cosine", spec });
    if (!index.info().trained) index.train(data);
    index.add(data, Array.from({ length: COUNT }, (_, i) => i * 31));
    index.attach("note", Uint8Array.of(1, 2, 3));
    made[spec] = index.toBytes();
    if (!spec.startsWith("flat")) made[`${spec}, packed`] = (await index.pack()).toBytes();
  }
  const collection = await Collection.create({ dimensions: D, metric: "cosine", spec: "hnsw4" });
  collection.add(
    Array.from({ length: COUNT }, (_, i) => ({
      id: `id ${i}`, vector: row(data, i, D), even: i % 2 === 0, text: "ß".repeat(i % 5),
    })),
  );
  made.collection = collection.toBytes();
  return made;
}

// Anything but a MinnowError is a failure; gives the code, or undefined.
async function codeOf(act) {
  try {
    await act();
  } catch (error) {
    if (error instanceof MinnowError) return error.code;
    throw error;
  }
}

// Everything that an index can do, with damaged contents.
async function use(bytes) {
  const index = await Index.open(bytes);
  const { keys, distances } = index.search(query, { k: 10, ef: 20 });
  assert.ok(keys.length <= 10 && keys.length === distances.length);
  await codeOf(() => index.search(query, { k: 100, filter: new Uint32Array(99).fill(0x55555555) }));
  await codeOf(() => index.search(query, { planes: 1, refinePlanes: 4 }));
  await codeOf(() => index.search(query, { refine: (keys) => new Float32Array(D * keys.length).fill(1) }));
  await codeOf(() => index.reconstruct(31));
  for (const plan of ["scan", "walk", "two-hop", "post"]) {
    await codeOf(() => index.search(query, { plan, ranges: [[0, 1000]], without: [31], match: (key) => key % 2 }));
  }
  await codeOf(() => index.search(query, { budget: 20, diversity: { lambda: 0.5 } }));
  await codeOf(() => index.within(query, 0.5));
  await codeOf(() => index.tune({ recall: 0.9, sample: 5, store: false }));
  await codeOf(() => index.audit({ sample: 5 }));
  await codeOf(() => useCodec(bytes));
  index.has(31);
  await codeOf(() => index.verify());
  await codeOf(() => index.add(rows(70, D), Array.from({ length: 70 }, (_, i) => 1e6 + i)));
  await codeOf(() => index.attach("last", new Uint8Array(100)));
  await codeOf(async () => (await Index.open(bytes)).merge(await Index.open(bytes), { onConflict: "replace" }));
  await codeOf(() => index.delete([31, 62, 93, 124]));
  await codeOf(() => index.update(rows(2, D), [155, 186]));
  await codeOf(() => index.upsert(rows(2, D), [217, 5]));
  await codeOf(() => index.repair({ limit: 20 }));
  await codeOf(() => index.delete(Array.from({ length: 30 }, (_, i) => 31 * (i + 10))));
  await codeOf(() => index.repair());
  await codeOf(() => index.compact());
  await codeOf(() => remake(index, bytes));
  await codeOf(() => index.search(query));
  await codeOf(() => index.toBytes());
}

// What makes another of it.
async function remake(index, bytes) {
  const { packed } = index.info();
  const other = await (packed ? index.thaw() : index.pack());
  await codeOf(() => other.search(query, { k: 10, ef: 20 }));
  await codeOf(() => other.verify());
  const chosen = await Index.open(bytes, { count: 100, budgetBytes: 1e9 });
  await codeOf(() => chosen.add(rows(40, D), Array.from({ length: 40 }, (_, i) => 2e6 + i)));
  await codeOf(() => chosen.search(query));
}

async function useCodec(bytes) {
  const codec = await Codec.open(bytes);
  const codes = codec.encode(data);
  codec.decode(codes);
  codec.decode(codes.fill(0xff));
  codec.compare(query, codes);
  codec.between(codes.subarray(0, codec.codeBytes), codes.subarray(0, codec.codeBytes));
  await codeOf(() => codec.distanceTable(query));
  const { codebooks, rotation } = codec;
  if (codebooks) await codeOf(() => (codec.codebooks = codebooks));
  if (rotation) await codeOf(() => (codec.rotation = rotation));
  codec.toBytes();
}

async function useCollection(bytes) {
  const collection = await Collection.open(bytes);
  await codeOf(() => collection.verify());
  await codeOf(() => collection.search(query, { where: { even: true, id: { ne: "id 3" } } }));
  await codeOf(() => collection.get("id 7"));
  await codeOf(() => collection.add({ id: "new", vector: query }));
  await codeOf(() => collection.upsert([{ id: "id 9", vector: query }, { id: "newer", vector: query }]));
  await codeOf(() => collection.update({ id: "id 8", even: 5 }));
  await codeOf(() => collection.deleteWhere({ id: ["id 1", "id 2"] }));
  await codeOf(() => collection.compact());
  await codeOf(() => collection.toBytes());
  await codeOf(async () => (await collection.pack()).verify());
}

test("what is no block at all", async () => {
  const next = random();
  for (const bytes of [
    new Uint8Array(0), new Uint8Array(1), new Uint8Array(8), new Uint8Array(100000),
    Uint8Array.from({ length: 5000 }, () => next() * 256), new TextEncoder().encode('{"a":1}'),
  ]) {
    const code = await codeOf(() => Index.open(bytes));
    assert.ok(["not-minnow", "truncated"].includes(code), `${bytes.length} bytes: ${code}`);
    assert.equal(await codeOf(() => Collection.open(bytes)), code);
  }
});

test("a block cut off anywhere", async () => {
  for (const [name, bytes] of Object.entries(await blocks())) {
    // sections begin at multiples of 64
    for (let at = 0; at < bytes.length; at += 64) {
      for (const length of [at, at + 1, at + 63]) {
        const code = await codeOf(() => Index.open(bytes.slice(0, length)));
        const wanted = length < 8 ? ["not-minnow", "truncated"] : ["truncated"];
        assert.ok(wanted.includes(code), `${name}, ${length} bytes: ${code}`);
      }
    }
  }
});

test(`every flipped bit of a sealed block is found by open or verify (seed ${seed})`, async (t) => {
  const next = random(seed + 5);
  for (const [name, bytes] of Object.entries(await blocks())) {
    const missed = [];
    for (let i = 0; i < 400; i++) {
      const at = i < 100 ? i * 4 : Math.floor(next() * bytes.length);
      const bad = bytes.slice();
      bad[at] ^= 1 << Math.floor(next() * 8);
      const code = await codeOf(async () => (await Index.open(bad)).verify());
      if (code === undefined) missed.push(at);
      else assert.ok(REFUSED.has(code), `${name}, byte ${at}: ${code}`);
      await codeOf(() => use(bad));
      if (name === "collection") await codeOf(() => useCollection(bad));
    }
    t.diagnostic(`${name}: ${bytes.length} bytes`);
    assert.deepEqual(missed, [], name);
  }
});

test("many bytes replaced, with the header's checksum as it was", async () => {
  const next = random(seed + 6);
  let opened = 0;
  for (const [name, bytes] of Object.entries(await blocks())) {
    for (let i = 0; i < 300; i++) {
      const bad = bytes.slice();
      const changes = 1 + Math.floor(next() * 200);
      for (let j = 0; j < changes; j++) {
        // behind the header, so that most of them open
        bad[1024 + Math.floor(next() * (bytes.length - 1024))] = next() < 0.5 ? 0xff : next() * 256;
      }
      const code = await codeOf(() => use(bad));
      opened += code === undefined;
      if (name === "collection") await codeOf(() => useCollection(bad));
    }
  }
  assert.ok(opened > 100, `only ${opened} of the blocks opened: this tests too little`);
});

test("documents that do not fit their collection", async () => {
  const collection = await Collection.create({ dimensions: 2, metric: "l2" });
  collection.add([{ id: "a", vector: [1, 2], x: 1 }, { id: "b", vector: [3, 4], x: 2 }]);
  const bytes = collection.toBytes();
  const text = (string) => new TextEncoder().encode(string);
  const documents = (offsets, string, next = [2, 0]) =>
    Uint8Array.from([...new Uint8Array(Uint32Array.from([...next, ...offsets]).buffer), ...text(string)]);

  const wrong = [
    ["ids2", text('["a"]')], ["ids2", text('["a","a"]')], ["ids2", text('["a",5]')],
    ["ids2", text('{"length":2}')], ["ids2", text('["a","b"')], ["ids2", Uint8Array.of(0xff, 0xfe)],
    ["doc2", Uint8Array.of(1)], ["doc2", documents([0, 2], "{}{}")], ["doc2", documents([0, 2, 5], "{}{}")],
    ["doc2", documents([0, 3, 2], "{}")], ["doc2", documents([1, 2, 4], "{}{}")],
    ["doc2", documents([0, 2, 3], "{}{}")],
    ["doc2", documents([0, 2, 4], "{}{}", [1, 0])], ["doc2", documents([0, 2, 4], "{}{}", [0, 0x200001])],
  ];
  for (const [name, section] of wrong) {
    const index = await Index.open(bytes);
    index.attach(name, section);
    await rejects("corrupt", Collection.open(index.toBytes()));
  }
  for (const second of ["[]", "nil", "5", "null", "{", '"x"']) {
    const index = await Index.open(bytes);
    index.attach("doc2", documents([0, 2, 2 + second.length], `{}${second}`));
    const opened = await Collection.open(index.toBytes());
    assert.deepEqual(opened.get("a"), {});
    for (const read of [
      () => opened.get("b"), () => opened.search([1, 2]), () => opened.verify(),
      () => opened.search([1, 2], { where: { x: 1 } }),
    ]) {
      assert.equal(await codeOf(read), "corrupt");
    }
  }
  const index = await Index.open(bytes);
  index.attach("ids2", new Uint8Array(0));
  await rejects("section", Collection.open(index.toBytes()));
  const plain = await Index.create({ dimensions: 2, metric: "l2" });
  await rejects("section", Collection.open(plain.toBytes()));
});

test("models from anywhere are refused, or do no harm", async () => {
  const next = random(seed + 7);
  let taken = 0, tried = 0;
  for (const spec of ["sq8", "bits3", "pq5x4+c", "prq5x3x2", "pca3,sq4,refine=sq6", "opq,pq5x4"]) {
    const codec = await Codec.create({ dimensions: D, metric: "l2", spec });
    codec.train(data);
    const model = codec.model();
    for (let i = 0; i < 60; i++) {
      const wild = model.slice();
      for (let j = 0; j < 1 + i / 4; j++) wild[Math.floor(next() * wild.length)] = next() < 0.5 ? 0xff : next() * 256;
      tried++;
      const code = await codeOf(() => codec.setModel(wild));
      assert.ok(code === undefined || code === "not-finite", `${spec}: ${code}`);
      taken += code === undefined;
      await codeOf(() => {
        const codes = codec.encode(data);
        codec.compare(query, codes);
        codec.decode(codes);
      });
    }
  }
  assert.ok(taken > 20 && taken < tried, `${taken} of ${tried} were taken`);
});

test("a key beyond 2^53 - 1 is not rounded", async () => {
  // the keys are where 8 bytes of this number lie
  const key = 0x1_2345_6789_abcd;
  const index = await Index.create({ dimensions: 2, metric: "l2", spec: "flat" });
  index.add(Float32Array.of(1, 1), [key]);
  const bytes = index.toBytes();
  const view = new DataView(bytes.buffer);
  let found = 0;
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    if (view.getBigUint64(at, true) !== BigInt(key)) continue;
    found++;
    view.setBigUint64(at, BigInt(key) | (1n << 60n), true);
  }
  assert.equal(found, 1);
  const opened = await Index.open(bytes);
  assert.equal(await codeOf(() => opened.search(Float32Array.of(1, 1))), "key-unsafe");
  assert.equal(opened.has(key), false);
});
