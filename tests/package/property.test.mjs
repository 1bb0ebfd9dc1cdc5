// SPDX-License-Identifier: Apache-2.0
// Random lives of an index and of a collection against naive ones in JavaScript:
// a Map and a scan. What fails is shrunk to a short life, and printed with its
// seed; MINNOW_SEED sets it, MINNOW_RUNS how many lives there are of each kind.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Collection, Index, MinnowError, distance, random, seed } from "./support.mjs";

const D = 3;
const RUNS = Number(process.env.MINNOW_RUNS ?? 100);
const fail = (code, row) => Object.assign(new Error(code), { expected: { code, row } });

// --- What lives are made of -----------------------------------------------------

// Few values, so that equal vectors and equal distances are common.
const vector = fc.tuple(...Array.from({ length: D }, () => fc.integer({ min: -3, max: 3 })))
  .filter((numbers) => numbers.some((x) => x !== 0)); // cosine
const key = fc.integer({ min: 0, max: 40 });
const name = key.map((i) => `n${i}`);
const rowsOf = (of, maxLength) => fc.array(fc.record({ key: of, vector, tag: fc.integer({ min: 0, max: 3 }) }), { maxLength });
const conditions = (of) => fc.record({
  tags: fc.option(fc.subarray([0, 1, 2, 3]), { nil: undefined }),
  without: fc.option(fc.array(of, { maxLength: 4 }), { nil: undefined }),
  plan: fc.constantFrom("auto", "auto", "scan", "walk", "two-hop", "post"),
});
const onConflict = fc.constantFrom("error", "keep", "replace");
const repair = fc.boolean();

const op = (kind, fields) => fc.record({ kind: fc.constant(kind), ...fields });
const common = (of) => [
  { weight: 4, arbitrary: op("add", { rows: rowsOf(of, 12) }) },
  { weight: 2, arbitrary: op("addMany", { from: fc.integer({ min: 100, max: 700 }), count: fc.integer({ min: 60, max: 200 }) }) },
  { weight: 3, arbitrary: op("upsert", { rows: rowsOf(of, 12), repair }) },
  { weight: 2, arbitrary: op("update", { rows: rowsOf(of, 3), repair }) },
  { weight: 3, arbitrary: op("delete", { keys: fc.array(of, { maxLength: 3 }), repair }) },
  { weight: 2, arbitrary: op("deleteHalf", { odd: fc.boolean(), repair }) },
  { weight: 1, arbitrary: op("merge", { rows: rowsOf(of, 8), onConflict, packed: fc.boolean() }) },
  { weight: 1, arbitrary: op("compact", {}) },
  { weight: 1, arbitrary: op("packThaw", {}) },
  { weight: 1, arbitrary: op("reopen", {}) },
  { weight: 1, arbitrary: op("repair", { limit: fc.integer({ min: 1, max: 500 }) }) },
  { weight: 6, arbitrary: op("search", { vector, k: fc.integer({ min: 1, max: 30 }), conditions: conditions(of) }) },
];
const life = (of) => fc.array(fc.oneof(...common(of)), { minLength: 4, maxLength: 24 });

// --- The naive one --------------------------------------------------------------

// Rows by key, and what each operation should do, or throw.
class Model {
  rows = new Map();

  #unique(rows) {
    rows.forEach(({ key }, i) => {
      if (rows.findIndex((other) => other.key === key) < i) throw fail("duplicate-key");
    });
  }

  add(rows) {
    rows.forEach(({ key }, i) => {
      if (this.rows.has(key) || rows.findIndex((other) => other.key === key) < i) throw fail("duplicate-key", i);
    });
    for (const row of rows) this.rows.set(row.key, row);
  }

  upsert(rows) {
    this.#unique(rows);
    for (const row of rows) this.rows.set(row.key, row);
  }

  update(rows) {
    rows.forEach(({ key }, i) => {
      if (rows.findIndex((other) => other.key === key) < i) throw fail(this.rows.has(key) ? "duplicate-key" : "unknown-key", i);
      if (!this.rows.has(key)) throw fail("unknown-key", i);
    });
    for (const row of rows) this.rows.set(row.key, row);
  }

  delete(keys) {
    keys.forEach((key, i) => {
      if (!this.rows.has(key)) throw fail("unknown-key", i);
      if (keys.indexOf(key) < i) throw fail("duplicate-key", i);
    });
    for (const key of keys) this.rows.delete(key);
  }

  merge(other, onConflict) {
    if (onConflict === "error") {
      for (const key of other.rows.keys()) if (this.rows.has(key)) throw fail("duplicate-key");
    }
    for (const [key, row] of other.rows) if (onConflict !== "keep" || !this.rows.has(key)) this.rows.set(key, row);
  }

  matches({ tags, without = [] }) {
    return [...this.rows.values()].filter(({ key, tag }) => (!tags || tags.includes(tag)) && !without.includes(key));
  }
}

// Runs an operation on both: they do the same, or throw the same and nothing changed.
async function both(real, model) {
  let wanted;
  try {
    model();
  } catch (error) {
    if (!error.expected) throw error;
    wanted = error.expected;
  }
  let error;
  try {
    await real();
  } catch (thrown) {
    error = thrown;
  }
  if (!wanted) {
    if (error) throw error;
    return;
  }
  assert.ok(error instanceof MinnowError, `should throw ${wanted.code}, not ${error?.stack}`);
  assert.equal(error.code, wanted.code);
  if (wanted.row !== undefined) assert.equal(error.row, wanted.row);
}

// Hits against the rows that match: k of them, each one of them and once, at its
// distance, in order; and the nearest, where the search says that it is exact.
function assertHits(metric, query, found, matches, k, measured, exact) {
  assert.equal(found.length, Math.min(k, matches.length), "k means k");
  const rows = new Map(matches.map((row) => [row.key, row]));
  assert.equal(new Set(found.map(({ key }) => key)).size, found.length, "a hit twice");
  const off = (a, b) => Math.abs(a - b) > 1e-4 * (1 + Math.abs(b));
  found.forEach(({ key, distance: got }, i) => {
    assert.ok(rows.has(key), `${key} is no match`);
    if (measured) assert.ok(!off(got, distance(metric, query, rows.get(key).vector)), `distance of ${key}: ${got}`);
    assert.ok(i === 0 || found[i - 1].distance <= got, "not sorted");
  });
  if (!measured || !exact) return;
  const nearest = matches.map((row) => distance(metric, query, row.vector)).sort((a, b) => a - b);
  found.forEach(({ distance: got }, i) => assert.ok(!off(got, nearest[i]), `hit ${i} is at ${got}, not ${nearest[i]}`));
}

const many = (from, count) => Array.from({ length: count }, (_, i) => {
  const next = random(from + i);
  return { key: from + i, vector: Array.from({ length: D }, () => next() * 6 - 3), tag: (from + i) % 4 };
});
const flat = (rows) => Float32Array.from(rows.flatMap(({ vector }) => vector));

// --- Index ----------------------------------------------------------------------

const INDEXES = [
  { metric: "l2", spec: "flat,f32" }, { metric: "cosine", spec: "hnsw4,f32" }, { metric: "l2", spec: "hnsw8,f32" },
  { metric: "ip", spec: "auto" }, { metric: "l2", spec: "flat,bits8" }, { metric: "cosine", spec: "hnsw4,bits4,refine=f16" },
  { metric: "l2", spec: "ivf4,f32" }, { metric: "cosine", spec: "ivf8,sq8" },
];
const sample = Float32Array.from({ length: 200 * D }, ((next) => () => next() * 6 - 3)(random(7)));

async function createIndex(options) {
  const index = await Index.create({ dimensions: D, efConstruction: 20, ...options });
  if (!index.info().trained) index.train(sample);
  return index;
}

class IndexLife {
  model = new Model();

  constructor(index, options) {
    this.index = index;
    this.options = options;
  }

  async step(operation) {
    const { kind, rows = [], keys = [] } = operation;
    const { index, model } = this;
    const vectors = flat(rows), given = rows.map(({ key }) => key);
    const options = { repair: operation.repair };
    switch (kind) {
      case "add": return both(() => index.add(vectors, given), () => model.add(rows));
      case "addMany": {
        const list = many(operation.from, operation.count).filter(({ key }) => !model.rows.has(key));
        model.add(list);
        return index.addAsync(flat(list), list.map(({ key }) => key));
      }
      case "upsert": return both(() => index.upsert(vectors, given, options), () => model.upsert(rows));
      case "update": return both(() => index.update(vectors, given, options), () => model.update(rows));
      case "delete": return both(() => index.delete(keys, options), () => model.delete(keys));
      case "deleteHalf": {
        const list = [...model.rows.keys()].filter((key) => key % 2 === Number(operation.odd));
        model.delete(list);
        return index.delete(list, options);
      }
      case "merge": return this.#merge(operation, vectors, given);
      case "compact": {
        await index.compact();
        const info = index.info();
        assert.deepEqual([info.dead, info.slots], [0, info.count]);
        return;
      }
      case "packThaw": {
        if (model.rows.size === 0) return;
        const packed = await index.pack();
        this.index = await packed.thaw();
        packed.verify();
        return index.close();
      }
      case "reopen":
        this.index = await Index.open(index.toBytes());
        return index.close();
      case "repair": return void index.repair({ limit: operation.limit });
      case "search": return this.#search(operation);
    }
  }

  async #merge({ rows, onConflict, packed }, vectors, given) {
    const distinct = rows.filter(({ key }, i) => given.indexOf(key) === i);
    const other = await createIndex(this.options);
    other.add(flat(distinct), distinct.map(({ key }) => key));
    const theirs = packed && distinct.length > 0 ? await other.pack() : other;
    const otherModel = new Model();
    otherModel.add(distinct);
    return both(() => this.index.merge(theirs, { onConflict }), () => this.model.merge(otherModel, onConflict));
  }

  #search({ vector, k, conditions }) {
    const { index, model } = this;
    const { tags, without, plan } = conditions;
    const query = Float32Array.from(vector);
    const match = tags && ((key) => tags.includes(model.rows.get(key).tag));
    const options = { k, without, plan };
    const matches = model.matches(conditions);
    const results = [index.search(query, { ...options, match }), index.searchMany(query, { ...options, match })[0]];
    if (match) results.push(index.search(query, { ...options, filter: index.filter(match) }));
    for (const { keys, distances, stats } of results) {
      const found = Array.from(keys, (key, i) => ({ key, distance: distances[i] }));
      const measured = this.options.spec.endsWith("f32") || this.options.spec === "auto";
      assertHits(this.options.metric, query, found, matches, k, measured, stats.exact);
    }
    if (this.options.spec.startsWith("flat")) assert.ok(results[0].stats.exact);
  }

  check() {
    const { index, model } = this;
    assert.equal(index.size, model.rows.size);
    for (let key = 0; key <= 40; key++) assert.equal(index.has(key), model.rows.has(key), `has(${key})`);
    index.verify();
  }
}

for (const options of INDEXES) {
  test(`lives of an index, ${options.metric}, ${options.spec} (seed ${seed})`, async () => {
    await fc.assert(fc.asyncProperty(life(key), async (operations) => {
      const life = new IndexLife(await createIndex(options), options);
      for (const operation of operations) {
        await life.step(operation);
        life.check();
      }
      life.index.close();
    }), { seed, numRuns: RUNS });
  });
}

// --- Collection -------------------------------------------------------------------

const document = ({ key, vector, tag }) => ({ id: key, vector, tag, list: [tag, key] });
const fields = ({ key, tag }) => ({ tag, list: [tag, key] });
const scores = {
  l2: (distance) => 1 / (1 + distance), cosine: (distance) => 1 - distance,
};

class CollectionLife {
  model = new Model();

  constructor(collection, options) {
    this.collection = collection;
    this.options = options;
  }

  async step(operation) {
    const { kind, rows = [], keys = [] } = operation;
    const { collection, model } = this;
    const documents = rows.map(document);
    const options = { repair: operation.repair };
    switch (kind) {
      case "add": return both(() => collection.add(documents), () => model.add(rows));
      case "addMany": {
        const list = many(operation.from, operation.count).map((row) => ({ ...row, key: `n${row.key}` }))
          .filter(({ key }) => !model.rows.has(key));
        model.add(list);
        return collection.addAsync(list.map(document));
      }
      case "upsert": return both(() => collection.upsert(documents, options), () => model.upsert(rows));
      case "update": return this.#update(rows, options);
      case "delete": return both(() => collection.delete(keys, options), () => model.delete(keys));
      case "deleteHalf": {
        const tags = operation.odd ? [1, 3] : [0, 2];
        const list = model.matches({ tags }).map(({ key }) => key);
        model.delete(list);
        return assert.equal(collection.deleteWhere({ tag: tags }, options), list.length);
      }
      case "merge": return this.#merge(operation);
      case "compact": return collection.compact();
      case "packThaw": {
        if (model.rows.size === 0) return;
        const packed = await collection.pack();
        this.#same(packed);
        this.collection = await packed.thaw();
        return collection.close();
      }
      case "reopen":
        this.collection = await Collection.open(collection.toBytes());
        this.collection.verify();
        return collection.close();
      case "repair": return void collection.repair({ limit: operation.limit });
      case "search": return this.#search(operation);
    }
  }

  // every other one keeps its vector
  #update(rows, options) {
    const updates = rows.map((row, i) => (i % 2 ? { ...document(row), vector: undefined } : document(row)));
    const kept = rows.map((row, i) => (i % 2 ? { ...row, vector: this.model.rows.get(row.key)?.vector } : row));
    return both(() => this.collection.update(updates, options), () => this.model.update(kept));
  }

  async #merge({ rows, onConflict, packed }) {
    const distinct = rows.filter(({ key }, i) => rows.findIndex((row) => row.key === key) === i);
    const other = await createCollection(this.options);
    other.add(distinct.map(document));
    const theirs = packed && distinct.length > 0 ? await other.pack() : other;
    const otherModel = new Model();
    otherModel.add(distinct);
    return both(() => this.collection.merge(theirs, { onConflict }), () => this.model.merge(otherModel, onConflict));
  }

  #search({ vector, k, conditions: { tags, without, plan } }) {
    const where = tags && { tag: tags };
    const options = { limit: k, where, exclude: without, plan };
    const matches = this.model.matches({ tags, without });
    const toScore = scores[this.options.metric];
    for (const found of [this.collection.search(vector, options), this.collection.searchMany([vector], options)[0]]) {
      for (const { id, document } of found) assert.deepEqual(document, fields(this.model.rows.get(id)));
      // scores fall as distances rise
      const hits = found.map(({ id, score }) => ({ key: id, distance: -score, score }));
      assertHits(this.options.metric, vector, hits, matches, k, false);
      const nearest = matches.map((row) => toScore(distance(this.options.metric, vector, row.vector))).sort((a, b) => b - a);
      if (this.collection.lastStats.exact) hits.forEach(({ score }, i) => assert.ok(Math.abs(score - nearest[i]) < 1e-4));
    }
  }

  #same(collection) {
    assert.equal(collection.size, this.model.rows.size);
    for (let i = 0; i <= 40; i++) {
      const row = this.model.rows.get(`n${i}`);
      assert.deepEqual(collection.get(`n${i}`), row && fields(row));
    }
  }

  check() {
    this.#same(this.collection);
  }
}

async function createCollection(options) {
  return Collection.create({ dimensions: D, efConstruction: 20, ...options });
}

for (const options of [{ metric: "l2", spec: "hnsw4,f32" }, { metric: "cosine" }]) {
  test(`lives of a collection, ${options.metric}, ${options.spec ?? "auto"} (seed ${seed})`, async () => {
    await fc.assert(fc.asyncProperty(life(name), async (operations) => {
      const life = new CollectionLife(await createCollection(options), options);
      for (const operation of operations) {
        await life.step(operation);
        life.check();
      }
      const again = await Collection.open(life.collection.toBytes());
      life.collection = again;
      life.check();
    }), { seed, numRuns: RUNS });
  });
}
