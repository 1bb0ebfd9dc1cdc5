// SPDX-License-Identifier: Apache-2.0
// Conditions and plans, searches within a radius, diverse, by key, many at a
// time; explaining, tuning and auditing them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Collection, Index, assertNearest, clustered, distance, exact, random, refuses, rejects, row, rows, seed } from "./support.mjs";

const D = 16;
const COUNT = 6000;
const data = clustered(COUNT, D);
const queries = Array.from({ length: 20 }, (_, i) => row(clustered(20, D, random(seed + 40)), i, D).slice());
const PLANS = ["auto", "scan", "walk", "two-hop", "post"];

async function ready(spec, metric = "l2") {
  const index = await Index.create({ dimensions: D, metric, spec, efConstruction: 60 });
  if (!index.info().trained) index.train(data);
  await index.addAsync(data);
  return index;
}

const graph = await ready("hnsw16,f32");
const flat = await ready("flat,f32");

// which share of the keys passes, and how
const SHARES = [
  [0.5, (key) => key % 2 === 0], [0.1, (key) => key % 10 === 3], [0.01, (key) => key % 100 === 7],
  [0.001, (key) => key % 1000 === 11], [0, () => false],
];

test(`k means k and recall holds, whatever the plan and however few match (seed ${seed})`, async (t) => {
  for (const [share, keep] of SHARES) {
    const matching = Array.from({ length: COUNT }, (_, i) => i).filter(keep);
    const filter = graph.filter(keep);
    for (const plan of PLANS) {
      let found = 0, wanted = 0, distances = 0;
      for (const query of queries) {
        const { keys, stats } = graph.search(query, { k: 10, filter, plan });
        assert.equal(keys.length, Math.min(10, matching.length));
        assert.ok(keys.every((key) => keep(key)));
        const truth = exact("l2", query, data, keep).slice(0, 10).map(([, key]) => key);
        found += truth.filter((key) => keys.includes(key)).length;
        wanted += truth.length;
        distances += stats.distances;
        if (plan !== "auto") assert.equal(stats.plan, plan);
        assert.equal(stats.matches, matching.length);
        assert.equal(stats.cut, false);
      }
      t.diagnostic(`${share} ${plan}: recall ${found / wanted}, ${distances / queries.length} distances`);
      assert.ok(found >= 0.95 * wanted, `${share} ${plan}: ${found} of ${wanted}`);
    }
  }
});

test("conditions: each alone and all together, in a graph and without one", async () => {
  const even = (key) => key % 2 === 0;
  const cases = [
    [{}, () => true],
    [{ filter: flat.filter(even) }, even],
    [{ match: even }, even],
    [{ match: (key, slot) => slot < 50 && key === slot }, (key) => key < 50],
    [{ ranges: [[10, 20], [15, 30], [5999, 2 ** 53 - 1]] }, (key) => (key >= 10 && key <= 30) || key === 5999],
    [{ ranges: [[7, 7]] }, (key) => key === 7],
    [{ ranges: [] }, () => false],
    [{ without: [0, 1, 2, 99999] }, (key) => key > 2],
    [{ without: [] }, () => true],
    [{ ranges: [[0, 999]], without: [4, 6], match: even }, (key) => key < 1000 && even(key) && key !== 4 && key !== 6],
    [{ filter: flat.filter((key) => key < 3000), match: even, ranges: [[1000, 9000]], without: Float64Array.of(2000) },
      (key) => key >= 1000 && key < 3000 && even(key) && key !== 2000],
  ];
  for (const [conditions, keep] of cases) {
    for (const query of queries.slice(0, 3)) {
      const truth = exact("l2", query, data, keep);
      assertNearest(flat.search(query, { k: 15, ...conditions }), truth, 15);
      for (const plan of PLANS) {
        const { keys } = graph.search(query, { k: 15, ...conditions, plan });
        assert.equal(keys.length, Math.min(15, truth.length));
        assert.ok(keys.every((key) => keep(key)), JSON.stringify(conditions));
      }
      assertNearest(graph.search(query, { k: 15, ...conditions, plan: "scan" }), truth, 15);
    }
  }
});

test("conditions that cannot be meant", async () => {
  const search = (options) => () => flat.search(queries[0], options);
  for (const wrong of [
    { ranges: 5 }, { ranges: [5] }, { ranges: [[1]] }, { ranges: [[1, 2, 3]] }, { ranges: [["1", "2"]] },
    { ranges: new Map() }, { without: 5 }, { without: "12" }, { without: ["1"] }, { match: 5 }, { match: "even" },
    { plan: "fast" }, { plan: 1 }, { plan: null }, { budget: "1" }, { nprobe: "1" }, { diversity: 5 }, { diversity: null },
    { diversity: { lambda: "1" } },
  ]) assert.throws(search(wrong), TypeError, JSON.stringify(wrong));
  for (const wrong of [
    { ranges: [[2, 1]] }, { ranges: [[-1, 2]] }, { ranges: [[0, 2 ** 53]] }, { without: [-1] }, { without: [0.5] },
    { budget: 0 }, { budget: 1.5 }, { budget: -1 }, { nprobe: -1 }, { diversity: { lambda: 1.1 } }, { diversity: { lambda: NaN } },
    { diversity: { fetchK: 3 } }, { diversity: { fetchK: 70000 } }, { filter: new Uint32Array(187) },
  ]) assert.throws(search(wrong), RangeError, JSON.stringify(wrong));
  const fault = new Error("mine");
  assert.throws(search({ match: () => { throw fault; } }), fault);
  assert.throws(() => flat.filter("even"), TypeError);
  assert.equal(flat.search(queries[0]).keys.length, 10, "and goes on");
  // a function that uses the index itself
  const nested = flat.search(queries[0], { k: 5, match: (key) => key < 100 && flat.search(queries[1], { k: 1 }).keys[0] >= 0 });
  assertNearest(nested, exact("l2", queries[0], data, (key) => key < 100), 5);
});

test("a budget bounds the distances, and says if it cut", () => {
  for (const index of [graph, flat]) {
    const { distances } = index.search(queries[0], { k: 10 }).stats;
    for (const budget of [1, 64, 200, 400, distances, 2 * distances]) {
      const { keys, stats } = index.search(queries[0], { k: 10, budget });
      assert.ok(stats.distances <= budget, `${stats.distances} of ${budget}`);
      if (budget !== distances) assert.equal(stats.cut, budget < distances);
      assert.ok(keys.length <= Math.min(10, budget));
    }
    const free = index.search(queries[0], { k: 10, budget: 1e9 });
    assert.equal(free.stats.cut, false);
    assert.deepEqual(free.keys, index.search(queries[0], { k: 10 }).keys);
  }
});

test("within a radius: all of them, or the nearest of them", () => {
  for (const query of queries.slice(0, 5)) {
    const truth = exact("l2", query, data);
    for (const nth of [0, 5, 150]) {
      const radius = truth[nth][0] * (1 + 1e-5);
      const inside = truth.filter(([distance]) => distance <= radius).length;
      const found = flat.within(query, radius);
      assert.equal(found.keys.length, inside);
      assert.equal(found.complete, true);
      assertNearest(found, truth, inside);
      const near = graph.within(query, radius, { ef: 400 });
      assert.ok(near.keys.length >= 0.9 * inside && near.distances.every((distance) => distance <= radius));
      const cut = flat.within(query, radius, { limit: 3 });
      assert.equal(cut.keys.length, Math.min(3, inside));
      assert.equal(cut.complete, inside <= 3);
    }
    assert.equal(flat.within(query, -1).keys.length, 0);
    const even = flat.within(query, truth[50][0], { match: (key) => key % 2 === 0 });
    assert.ok(even.keys.every((key) => key % 2 === 0));
  }
  assert.throws(() => flat.within(queries[0], "3"), TypeError);
  for (const radius of [NaN, Infinity]) assert.throws(() => flat.within(queries[0], radius), RangeError);
  assert.throws(() => flat.within(queries[0], 1, { limit: 0 }), RangeError);
});

// Maximal marginal relevance, as its paper has it, over rows.
function diverse(metric, query, candidates, k, lambda) {
  const left = candidates.slice(), chosen = [];
  const near = (a, b) => -distance(metric, a, b);
  while (chosen.length < k && left.length > 0) {
    const worth = (key) => lambda * near(query, row(data, key, D)) -
      (1 - lambda) * (chosen.length ? Math.max(...chosen.map((other) => near(row(data, key, D), row(data, other, D)))) : 0);
    let best = 0;
    left.forEach((key, i) => { if (worth(key) > worth(left[best])) best = i; });
    chosen.push(...left.splice(best, 1));
  }
  return chosen;
}

test("diversity chooses as its paper says, and lambda 1 changes nothing", () => {
  for (const query of queries.slice(0, 8)) {
    const near = [...flat.search(query, { k: 40 }).keys];
    for (const lambda of [0, 0.3, 0.5, 0.8]) {
      const { keys, distances } = flat.search(query, { k: 8, diversity: { lambda, fetchK: 40 } });
      assert.deepEqual([...keys], diverse("l2", query, near, 8, lambda), `lambda ${lambda}`);
      keys.forEach((key, i) => assert.ok(Math.abs(distances[i] - distance("l2", query, row(data, key, D))) < 1e-3));
    }
    const same = flat.search(query, { k: 8, diversity: { lambda: 1, fetchK: 40 } });
    assert.deepEqual([...same.keys], near.slice(0, 8));
  }
  assert.equal(flat.search(queries[0], { k: 8, diversity: {} }).keys.length, 8);
  assert.equal(flat.search(queries[0], { k: 8, ranges: [[0, 4]], diversity: {} }).keys.length, 5);
});

test("like a vector, without itself; many queries are as one at a time", () => {
  for (const index of [graph, flat]) {
    const like = index.searchLike(17, { k: 10 });
    assert.equal(like.keys.length, 10);
    assert.equal(like.keys.includes(17), false);
    assert.deepEqual([...like.keys], [...index.search(row(data, 17, D), { k: 11 }).keys].filter((key) => key !== 17));
    assert.equal(index.searchLike(17, { k: 10, without: [...like.keys] }).keys.some((key) => like.keys.includes(key)), false);
    refuses("unknown-key", () => index.searchLike(COUNT));
    assert.throws(() => index.searchLike(1.5), RangeError);
    assert.throws(() => index.searchLike(1, { k: 65535 }), RangeError);
    const joined = Float32Array.from(queries.flatMap((query) => [...query]));
    const options = { k: 7, ranges: [[0, 3000]], diversity: { lambda: 0.7 } };
    assert.deepEqual(index.searchMany(joined, options), queries.map((query) => index.search(query, options)));
    assert.deepEqual(index.searchMany(new Float32Array(0)), []);
    assert.throws(() => index.searchMany(joined.subarray(1)), RangeError);
  }
});

test("refine goes with all of it", async () => {
  const bits = await ready("flat,bits1", "cosine");
  const refine = (keys) => Float32Array.from([...keys].flatMap((key) => [...row(data, key, D)]));
  const options = { k: 5, refine, refineK: 40, ranges: [[0, 2000]], without: [3] };
  const truth = exact("cosine", queries[0], data, (key) => key <= 2000 && key !== 3);
  const { keys } = bits.search(queries[0], options);
  assert.ok(truth.slice(0, 5).filter(([, key]) => keys.includes(key)).length >= 3);
  const spread = await bits.searchAsync(queries[0], { ...options, diversity: { lambda: 0.2, fetchK: 20 } });
  assert.equal(spread.keys.length, 5);
  assert.equal(spread.keys[0], keys[0]);
  assert.equal(bits.searchLike(9, { k: 3, refine }).keys.length, 3);
});

test("explain says what was done and why, in numbers and words", () => {
  const cases = [
    [flat, {}, "scan", "no-graph", /no graph to walk/],
    [graph, {}, "walk", "all", /matches +all 6000/],
    [graph, { plan: "scan" }, "scan", "forced", /was asked for/],
    [graph, { ranges: [[0, 9]] }, "scan", "few", /comparing the vectors[^]*matches +10 of 6000, 0\.167 %/],
    [graph, { plan: "walk", match: (key) => key % 100 > 0 }, "walk", "forced", /matches +5940 of 6000/],
    [graph, { budget: 50 }, "walk", "all", /cut +the budget/],
  ];
  for (const [index, options, plan, reason, text] of cases) {
    const told = index.explain(queries[0], options);
    assert.deepEqual([told.plan, told.reason], [plan, reason], told.text);
    assert.match(told.text, text);
    const { stats, keys } = index.search(queries[0], options);
    const { hits, text: _, ...rest } = told;
    assert.deepEqual(rest, stats);
    assert.equal(hits, keys.length);
  }
});

test("tuning finds what reaches a recall and searches use it; auditing measures that", async (t) => {
  const index = await ready("hnsw4,f32");
  const bytes = index.toBytes();
  const tuned = index.tune({ recall: 0.98, k: 10, sample: 60, store: false });
  assert.deepEqual(index.toBytes(), bytes, "not stored");
  assert.equal(tuned.reached, true);
  assert.equal(tuned.stored, false);
  assert.ok(tuned.recall.recall >= 0.98 && tuned.recall.low <= tuned.recall.recall && tuned.recall.recall <= tuned.recall.high);
  assert.deepEqual([tuned.recall.queries, tuned.recall.k, tuned.refineK], [60, 10, 0]);
  t.diagnostic(`gamma ${tuned.gamma}, ef ${tuned.ef}, ${tuned.runs} runs`);
  const plain = index.search(queries[0]);
  index.tune({ recall: 0.98, k: 10, sample: 60 });
  const after = index.search(queries[0]);
  assert.deepEqual(after, index.search(queries[0], { ef: tuned.ef, gamma: tuned.gamma }));
  assert.notEqual(after.stats.distances, plain.stats.distances);
  for (const other of [await Index.open(index.toBytes()), await index.pack()]) {
    assert.equal(other.search(queries[0]).stats.distances, after.stats.distances, "kept in the bytes");
  }
  const rowsOf = Float32Array.from(queries.flatMap((query) => [...query]));
  assert.equal(index.tune({ recall: 0.9, queries: rowsOf, store: false }).recall.queries, 20);

  const audit = index.audit({ k: 10, queries: rowsOf });
  let found = 0;
  for (const query of queries) {
    const truth = exact("l2", query, data).slice(0, 10).map(([, key]) => key);
    found += [...index.search(query, { k: 10 }).keys].filter((key) => truth.includes(key)).length;
  }
  assert.ok(Math.abs(audit.recall.recall - found / 200) < 0.011, `${audit.recall.recall} and ${found / 200}`);
  assert.deepEqual([audit.vectors, audit.deadShare, audit.linked, audit.pending], [COUNT, 0, 5952, 48]);
  assert.ok(audit.links > 2 && audit.linkBits > 0);
  index.delete([1, 2, 3], { repair: false });
  assert.ok(Math.abs(index.audit({ sample: 0 }).deadShare - 3 / COUNT) < 1e-6);
  assert.equal(index.audit({ sample: 0 }).recall, undefined);
  assert.equal((await ready("flat,f32")).audit({ sample: 5 }).recall.recall, 1);

  for (const wrong of [{ recall: 0 }, { recall: 1.1 }, { sample: -1 }, { k: 0 }, { efMax: 70000 }, { budget: 0 }]) {
    assert.throws(() => index.tune(wrong), RangeError, JSON.stringify(wrong));
  }
  for (const wrong of [{ recall: "1" }, { queries: [1] }, { k: "1" }]) assert.throws(() => index.tune(wrong), TypeError);
  const empty = await Index.create({ dimensions: D, metric: "l2" });
  refuses("sample", () => empty.tune());
  assert.equal(empty.audit().recall, undefined);
});

test("what was found otherwise can be stored; a refine callback heeds it", async () => {
  const index = await ready("hnsw4,f32");
  assert.deepEqual(index.info().tuned, { ef: 0, gamma: 0, nprobe: 0, refineK: 0 });
  const plain = index.search(queries[0]);
  index.setTuned({ ef: 33, refineK: 3 });
  assert.deepEqual(index.info().tuned, { ef: 33, gamma: 0, nprobe: 0, refineK: 3 });
  assert.deepEqual(index.search(queries[0]), index.search(queries[0], { ef: 33 }));
  let asked = 0;
  const refine = (keys) => {
    asked = keys.length;
    return Float32Array.from([...keys].flatMap((key) => [...index.reconstruct(key)]));
  };
  for (const [options, candidates] of [[{ k: 5 }, 15], [{ k: 5, refineK: 2 }, 10], [{ k: 4, diversity: { fetchK: 6 } }, 18]]) {
    index.search(queries[0], { ...options, refine });
    assert.equal(asked, candidates, JSON.stringify(options));
  }
  index.setTuned({ gamma: 0.25, refineK: 3 });
  assert.deepEqual(index.search(queries[0]), index.search(queries[0], { gamma: 0.25 }));
  assert.deepEqual(index.search(queries[0], { ef: 33 }).stats.plan, "walk");
  const again = await Index.open(index.toBytes());
  assert.deepEqual(again.info().tuned, { ef: 0, gamma: 0.25, nprobe: 0, refineK: 3 });
  index.setTuned();
  assert.deepEqual(index.search(queries[0]), plain);
  index.search(queries[0], { k: 5, refine });
  assert.equal(asked, 50);
  for (const wrong of [{ ef: -1 }, { ef: 70000 }, { gamma: -0.1 }, { gamma: 17 }, { nprobe: 65537 }, { refineK: 0.5 }]) {
    assert.throws(() => index.setTuned(wrong), RangeError, JSON.stringify(wrong));
  }
});

test("collections tune and audit, search many and explain", async () => {
  const collection = await Collection.create({ dimensions: D, metric: "cosine", spec: "hnsw8,f32" });
  await collection.addAsync(Array.from({ length: 2000 }, (_, i) => ({ id: `d${i}`, vector: row(data, i, D), i })));
  assert.equal(collection.tune({ recall: 0.9, sample: 40 }).reached, true);
  assert.equal(collection.audit({ sample: 20 }).vectors, 2000);
  const options = { limit: 4, where: { i: { lt: 1000 } }, diversity: { lambda: 0.6 } };
  const many = collection.searchMany(queries.slice(0, 3), options);
  assert.deepEqual(many, queries.slice(0, 3).map((query) => collection.search(query, options)));
  assert.throws(() => collection.searchMany(queries[0]), TypeError);
  for (const plan of PLANS) {
    const found = collection.search(queries[0], { where: { i: { lt: 900 } }, plan });
    assert.equal(found.length, 10);
    assert.ok(found.every(({ document }) => document.i < 900));
  }
  assert.equal(collection.explain(queries[0], { where: { i: 5 } }).matches, 1);
});
