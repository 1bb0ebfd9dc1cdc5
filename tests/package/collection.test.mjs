// SPDX-License-Identifier: Apache-2.0
// Ids, documents, scores and filters.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Collection, Index, random, refuses, rejects, row, rows, seed } from "./support.mjs";

const ANIMALS = [
  { id: "cat", vector: [1, 0.1, 0], legs: 4, names: ["cat", "chat"], wild: false, from: { land: "Egypt" } },
  { id: "dog", vector: [0.9, 0.3, 0], legs: 4, names: ["dog", "chien"], wild: false },
  { id: "crow", vector: [0.2, 1, 0.1], legs: 2, names: ["crow"], wild: true, note: null },
  { id: "carp", vector: [0, 0.2, 1], legs: 0, names: [], wild: true, note: "koi, 鯉 \ud83d\udc1f" },
];

async function animals(metric = "cosine", spec = "auto") {
  const collection = await Collection.create({ dimensions: 3, metric, spec });
  collection.add(ANIMALS);
  return collection;
}

const fields = ({ id, vector, ...rest }) => rest;
const ids = (matches) => matches.map(({ id }) => id);

test("finds documents, best first, with the score of each metric", async () => {
  const query = [1, 0.2, 0];
  for (const metric of ["cosine", "ip", "l2"]) {
    for (const vector of [query, Float32Array.from(query)]) {
      const found = (await animals(metric)).search(vector);
      assert.deepEqual(ids(found), ["cat", "dog", "crow", "carp"]);
      found.forEach(({ score, document }, i) => {
        const { vector } = ANIMALS[i];
        const dot = (a, b) => a.reduce((sum, x, j) => sum + x * b[j], 0);
        const wanted = {
          cosine: dot(query, vector) / Math.sqrt(dot(query, query) * dot(vector, vector)),
          ip: dot(query, vector),
          l2: 1 / (1 + query.reduce((sum, x, j) => sum + (x - vector[j]) ** 2, 0)),
        };
        assert.ok(Math.abs(score - wanted[metric]) < 1e-6, `${metric} ${score}`);
        assert.deepEqual(document, fields(ANIMALS[i]));
      });
    }
  }
  assert.equal((await animals()).search(query, { limit: 2 }).length, 2);
});

test("get, has and size; documents are copies", async () => {
  const collection = await animals();
  assert.equal(collection.size, 4);
  assert.equal(collection.has("cat"), true);
  assert.equal(collection.has("cow"), false);
  assert.equal(collection.has("constructor"), false);
  assert.equal(collection.get("cow"), undefined);
  collection.get("cat").legs = 5;
  collection.search([1, 0, 0])[0].document.names.push("x");
  assert.deepEqual(collection.get("cat"), fields(ANIMALS[0]));
  const given = { id: "emu", vector: [0, 1, 0], list: [1] };
  collection.add(given);
  given.list.push(2);
  given.vector[0] = 9;
  assert.deepEqual(collection.get("emu"), { list: [1] });
  for (const id of [5, undefined, null]) assert.throws(() => collection.has(id), TypeError);
});

test("where: values, any of, operators, arrays, missing fields", async () => {
  const collection = await animals();
  const reopened = await Collection.open(collection.toBytes());
  const cases = [
    [{}, ["cat", "dog", "crow", "carp"]],
    [{ legs: 4 }, ["cat", "dog"]],
    [{ legs: "4" }, []],
    [{ legs: [0, 2] }, ["crow", "carp"]],
    [{ legs: [] }, []],
    [{ wild: true, legs: 2 }, ["crow"]],
    [{ note: null }, ["crow"]],
    [{ id: "dog" }, ["dog"]],
    [{ id: { ne: "dog" }, wild: false }, ["cat"]],
    [{ legs: { gt: 2 } }, ["cat", "dog"]],
    [{ legs: { gte: 2 } }, ["cat", "dog", "crow"]],
    [{ legs: { lt: 2 } }, ["carp"]],
    [{ legs: { lte: 2 } }, ["crow", "carp"]],
    [{ legs: { gt: 0, lt: 4 } }, ["crow"]],
    [{ legs: { gt: "" } }, []],
    [{ legs: { in: [4, 0] } }, ["cat", "dog", "carp"]],
    [{ note: { gt: "k" } }, ["carp"]],
    [{ note: { ne: null } }, ["cat", "dog", "carp"]],
    [{ legs: { ne: 4 } }, ["crow", "carp"]],
    [{ names: "chat" }, ["cat"]],
    [{ names: ["crow", "dog"] }, ["dog", "crow"]],
    [{ names: { ne: "dog" } }, ["cat", "crow", "carp"]],
    [{ names: { gte: "crow" } }, ["dog", "crow"]],
    [{ from: { ne: 1 } }, ["cat", "dog", "crow", "carp"]],
    [{ from: "Egypt" }, []],
    [{ constructor: "x" }, []],
    [{ none: 1 }, []],
    [{ none: { ne: 1 } }, ["cat", "dog", "crow", "carp"]],
  ];
  for (const from of [collection, reopened]) {
    for (const [where, wanted] of cases) {
      assert.deepEqual(ids(from.search([1, 0, 0], { where })), wanted, JSON.stringify(where));
      assert.equal(from.lastStats.exact, true);
      assert.equal(from.lastStats.distances, wanted.length, JSON.stringify(where));
    }
    // columns that were asked for follow what is added
    from.add({ id: "ant", vector: [1, 0, 0], legs: 6, names: ["ant"] });
    assert.deepEqual(ids(from.search([1, 0, 0], { where: { legs: { gt: 4 } } })), ["ant"]);
    assert.deepEqual(ids(from.search([1, 0, 0], { where: { id: ["ant", "cat"] } })), ["ant", "cat"]);
  }
});

test("where: what cannot be meant is a TypeError", async () => {
  const collection = await animals();
  for (const where of [
    null, 5, "legs", [], { legs: undefined }, { legs: {} }, { legs: { $gt: 1 } }, { legs: { eq: 1 } },
    { legs: { toString: 1 } }, { legs: { gt: null } }, { legs: { gt: true } }, { legs: { gt: [1] } },
    { legs: { gt: NaN } }, { legs: NaN }, { legs: { in: 4 } }, { legs: { in: [undefined] } },
    { legs: { ne: [1] } }, { legs: [[1]] }, { legs: () => true }, { legs: 4n }, { legs: new Date() },
  ]) {
    assert.throws(() => collection.search([1, 0, 0], { where }), TypeError, inspect(where));
  }
});

test("adding is all or nothing", async () => {
  const collection = await animals();
  const before = collection.toBytes();
  const good = { id: "new", vector: [1, 1, 1] };
  const cyclic = { id: "x", vector: [1, 1, 1] };
  cyclic.self = cyclic;
  const add = (document) => () => collection.add([good, document]);
  assert.equal(refuses("duplicate-key", add({ id: "cat", vector: [1, 1, 1] })).row, 1);
  refuses("duplicate-key", add({ ...good }));
  refuses("zero-vector", add({ id: "x", vector: [0, 0, 0] }));
  refuses("not-finite", add({ id: "x", vector: [0, NaN, 0] }));
  assert.throws(add({ id: "x", vector: [1, 1] }), RangeError);
  assert.throws(add({ id: "x", vector: ["1", 1, 1] }), TypeError);
  assert.throws(add({ id: "x" }), TypeError);
  assert.throws(add({ id: 5, vector: [1, 1, 1] }), TypeError);
  assert.throws(add(cyclic), TypeError);
  assert.throws(add({ id: "x", vector: [1, 1, 1], toJSON: () => 5 }), TypeError);
  assert.throws(add({ id: "x", vector: [1, 1, 1], toJSON() {} }), TypeError);
  assert.throws(add({ id: "x", vector: [1, 1, 1], big: 1n }), TypeError);
  for (const wrong of [null, "x", undefined, 5]) assert.throws(add(wrong), TypeError);
  assert.equal(collection.size, 4);
  assert.equal(collection.has("new"), false);
  assert.deepEqual(collection.toBytes(), before);
  collection.add([]);
  assert.deepEqual(collection.toBytes(), before);
});

test("queries of the wrong shape", async () => {
  const collection = await animals();
  for (const query of [[1, 2], [1, 2, 3, 4], new Float32Array(2)]) {
    assert.throws(() => collection.search(query), RangeError);
  }
  for (const query of ["abc", undefined, [1, "2", 3], new Float64Array(3)]) {
    assert.throws(() => collection.search(query), TypeError);
  }
  for (const limit of [0, -1, 1.5, 1e9]) {
    assert.throws(() => collection.search([1, 2, 3], { limit }), RangeError);
  }
  refuses("zero-vector", () => collection.search([0, 0, 0]));
});

test("bytes: round trips, sameness, and any text", async () => {
  const texts = ["", "\u0000", "\n\"\\", "\ud800", "\udc00x", "ab\u2028", "\ufeffbom", "😀", "__proto__"];
  const next = random(seed + 2);
  const documents = texts.map((text, i) => ({ id: text, vector: row(rows(1, 3, next), 0, 3), text, [text]: i }));
  const once = await Collection.create({ dimensions: 3, metric: "l2", spec: "hnsw8" });
  once.add(documents);
  const bytes = once.toBytes();

  let grown = await Collection.create({ dimensions: 3, metric: "l2", spec: "hnsw8", capacity: 1 });
  for (const [i, document] of documents.entries()) {
    grown.add(document);
    if (i % 3 === 0) grown.toBytes();
    if (i % 4 === 0) grown = await Collection.open(grown.toBytes());
  }
  assert.deepEqual(grown.toBytes(), bytes);
  assert.deepEqual(grown.toBytes(), bytes, "and again");

  const opened = await Collection.open(bytes);
  opened.verify();
  assert.equal(opened.size, texts.length);
  for (const [i, text] of texts.entries()) {
    const { id, vector, ...rest } = documents[i];
    assert.equal(JSON.stringify(opened.get(text)), JSON.stringify(rest));
    assert.equal(opened.has(text), true);
    assert.equal(opened.search(vector, { limit: 1 })[0].id, text);
    assert.deepEqual(ids(opened.search(vector, { where: { text } })), [text]);
  }
  assert.deepEqual(opened.toBytes(), bytes);
  assert.equal(opened.info().spec, "hnsw8,f32");

  const index = await Index.open(bytes); // the same block, by number
  assert.equal(index.size, texts.length);

  const empty = await Collection.open((await Collection.create({ dimensions: 3, metric: "l2" })).toBytes());
  assert.deepEqual(empty.search([1, 2, 3]), []);
  assert.equal(empty.has("a"), false);
  empty.add(documents);
  assert.equal(empty.size, texts.length);
});

test("sq8 collections are trained first", async () => {
  const collection = await Collection.create({ dimensions: 3, metric: "cosine", spec: "sq8" });
  refuses("untrained", () => collection.add(ANIMALS));
  collection.train(Float32Array.from(ANIMALS.flatMap(({ vector }) => vector)));
  collection.add(ANIMALS);
  assert.equal(collection.search([1, 0.1, 0])[0].id, "cat");
});

test("addAsync: documents are there at once, and stay when aborted", async () => {
  const documents = Array.from({ length: 2000 }, (_, i) => ({ id: `d${i}`, n: i, vector: rows(1, 3, random(i + 1)) }));
  const options = { dimensions: 3, metric: "l2", spec: "hnsw", efConstruction: 100 };
  const collection = await Collection.create(options);
  const adding = collection.addAsync(documents);
  assert.deepEqual(collection.get("d1999"), { n: 1999 });
  assert.equal(collection.search(documents[5].vector, { limit: 1 })[0].id, "d5");
  refuses("busy", () => collection.add({ id: "x", vector: [1, 2, 3] }));
  await rejects("busy", collection.addAsync({ id: "x", vector: [1, 2, 3] }));
  assert.equal(collection.has("x"), false);
  await adding;
  await rejects("duplicate-key", collection.addAsync(documents[0]));
  const whole = await Collection.create(options);
  whole.add(documents);
  assert.deepEqual(collection.toBytes(), whole.toBytes());

  const controller = new AbortController();
  const other = await Collection.create(options);
  const stopped = other.addAsync(documents, {
    signal: controller.signal, onProgress: () => controller.abort(),
  });
  await assert.rejects(stopped, { name: "AbortError" });
  assert.equal(other.size, 2000);
  assert.deepEqual(other.get("d7"), { n: 7 });
  await other.addAsync([]);
  assert.deepEqual(other.toBytes(), whole.toBytes());
});

test("a closed collection says so", async () => {
  const collection = await animals();
  collection.close();
  collection.close();
  for (const use of [
    () => collection.add(ANIMALS[0]), () => collection.search([1, 2, 3]), () => collection.get("cat"),
    () => collection.has("cat"), () => collection.size, () => collection.toBytes(), () => collection.info(),
    () => collection.verify(), () => collection.search([1, 2, 3], { where: { legs: 4 } }),
  ]) {
    refuses("closed", use);
  }
});
