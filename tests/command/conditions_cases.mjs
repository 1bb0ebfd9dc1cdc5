// SPDX-License-Identifier: Apache-2.0
// Searches with conditions, and other searches than for the nearest.
import assert from "node:assert/strict";
import { f32, makeRows, ranked } from "./vectors.mjs";

const D = 12;
const rows = makeRows(1500, D, 301);
const queries = makeRows(6, D, 303);
const indexes = ["where-flat.index", "where-graph.index", "where-lists.index"];

const ask = (minnow, index, ...more) =>
  minnow.succeed(["search", index, "where-ask.f32", "--json", ...more]).stdout
    .trim().split("\n").map((line) => JSON.parse(line));

// The keys of the 10 nearest for which `passes`.
const expected = (passes, k = 10) => queries.map((query) =>
  ranked(rows, query, "l2").filter(({ key }) => passes(key)).slice(0, k).map(({ key }) => key));

export function run(suite) {
  suite.each("indexes to search with conditions", (minnow) => {
    minnow.write("where.f32", f32(rows));
    minnow.write("where-ask.f32", f32(queries));
    for (const [i, spec] of ["flat,f32", "hnsw8,f32", "ivf20,f32"].entries())
      minnow.succeed(["build", "where.f32", "--dimensions", String(D), "--metric", "l2", "--spec", spec,
        "--ef-construction", "60", "-o", indexes[i]]);
  });

  for (const index of indexes)
    suite.each(`${index}: keys, exclusions and bits`, (minnow) => {
      const wanted = (more, passes) => {
        const found = ask(minnow, index, "-k", "10", "--ef", "300", ...more);
        assert.deepEqual(found.map(({ keys }) => keys), expected(passes), more.join(" "));
      };
      const scan = ["--plan", "scan"];
      wanted(["--where-keys", "100..199,1200..,7", ...scan],
        (key) => (key >= 100 && key < 200) || key >= 1200 || key === 7);
      const [nearest] = expected(() => true);
      wanted(["--without", nearest.slice(0, 5).join(), ...scan], (key) => !nearest.slice(0, 5).includes(key));
      const bits = Buffer.alloc(Math.ceil(rows.length / 8));
      rows.forEach((_, i) => i % 7 === 3 && (bits[i >> 3] |= 1 << (i & 7)));
      minnow.write("where.bits", bits);
      wanted(["--filter-bits", "where.bits", ...scan], (key) => key % 7 === 3);
      minnow.write("where-words.bits", Buffer.concat([bits, Buffer.alloc(-bits.length & 3)]));
      wanted(["--filter-bits", "where-words.bits", "--where-keys", "..700", "--without", "3,10", ...scan],
        (key) => key % 7 === 3 && key <= 700 && key !== 3 && key !== 10);
      // few enough that every plan compares them all
      wanted(["--filter-bits", "where.bits", "--where-keys", "..100"], (key) => key % 7 === 3 && key <= 100);
      wanted(["--where-keys", "5000.."], () => false);
    });

  suite.each("plans, by name and explained", (minnow) => {
    for (const plan of ["scan", "walk", "two-hop", "post"]) {
      const [{ keys, stats }] = ask(minnow, "where-graph.index", "-k", "10", "--explain", "--plan", plan,
        "--where-keys", "..749");
      assert.deepEqual([keys.length, stats.plan, stats.reason], [10, plan, "forced"]);
      assert.ok(keys.every((key) => key < 750));
      assert.equal(stats.exact, plan === "scan");
      assert.equal(stats.hops > 0, plan !== "scan");
    }
    const [{ stats }] = ask(minnow, "where-lists.index", "-k", "10", "--explain", "--plan", "probe", "--nprobe", "5");
    assert.deepEqual([stats.plan, stats.probed, stats.exact], ["probe", 5, false]);
    const [all] = ask(minnow, "where-lists.index", "-k", "10", "--explain", "--nprobe", "20");
    assert.deepEqual([all.keys, all.stats.exact], [expected(() => true)[0], true]);
    const text = minnow.succeed(["search", "where-graph.index", "where-ask.f32", "-k", "2", "--explain"]).stdout;
    assert.match(text, /^query 0: 2 nearest, \d+ distances computed, \d+ bytes read\n {2}plan {7}walk: there is no/);
    assert.match(text, /^ {2}matches {4}1500$/m);
    assert.match(text, /^ {2}hops {7}the links of \d+ vectors$/m);
    assert.match(text, /^ {2}exact {6}no$/m);
  });

  suite.each("a budget", (minnow) => {
    for (const { stats } of ask(minnow, "where-graph.index", "-k", "10", "--explain", "--budget", "80"))
      assert.ok(stats.cut && stats.distances > 40 && stats.distances <= 80, JSON.stringify(stats));
    for (const { stats } of ask(minnow, "where-flat.index", "-k", "10", "--explain", "--budget", "1500"))
      assert.deepEqual([stats.cut, stats.distances], [false, 1500]);
    const text = minnow.succeed(["search", "where-flat.index", "where-ask.f32", "-k", "1", "--explain",
      "--budget", "9"]).stdout;
    assert.match(text, /^ {2}cut {8}by --budget/m);
  });

  suite.each("all within a distance", (minnow) => {
    const radius = 2.2;
    const found = ask(minnow, "where-flat.index", "-k", "1000", "--within", String(radius));
    queries.forEach((query, i) => {
      const near = ranked(rows, query, "l2").filter(({ distance }) => distance <= radius);
      assert.deepEqual(found[i].keys, near.map(({ key }) => key));
      assert.equal(found[i].complete, true);
    });
    assert.ok(found.some(({ keys }) => keys.length > 16));
    const [most] = ask(minnow, "where-flat.index", "-k", "3", "--within", "9");
    assert.deepEqual([most.keys.length, most.complete], [3, false]);
    assert.match(minnow.succeed(["search", "where-flat.index", "where-ask.f32", "-k", "3", "--within", "9"]).stdout,
      /^query 0: 3 within 9, and perhaps more, \d+ distances/);
  });

  suite.each("more like a key", (minnow) => {
    const like = (key) => JSON.parse(minnow.succeed(["search", "where-flat.index", "--like", String(key), "-k", "5",
      "--json"]).stdout);
    for (const key of [0, 700, 1499]) {
      const near = ranked(rows, rows[key], "l2").filter((hit) => hit.key !== key).slice(0, 5);
      assert.deepEqual(like(key).keys, near.map((hit) => hit.key));
      assert.equal(like(key).like, key);
    }
    assert.match(minnow.succeed(["search", "where-graph.index", "--like", "3", "-k", "2"]).stdout,
      /^key 3: 2 nearest, /);
    minnow.fail(["search", "where-flat.index", "--like", "1500", "-k", "5"], 2,
      /--like: there is no key 1500 in where-flat\.index/);
  });

  suite.each("hits unlike each other", (minnow) => {
    const plain = ask(minnow, "where-flat.index", "-k", "5");
    const at = (lambda, ...more) => ask(minnow, "where-flat.index", "-k", "5", "--diversify", lambda, ...more);
    assert.deepEqual(at("1"), plain);
    const spread = at("0.3", "--fetch-k", "60");
    spread.forEach(({ keys }, i) => {
      assert.equal(keys[0], plain[i].keys[0], "the nearest comes first");
      assert.equal(new Set(keys).size, 5);
    });
    const apart = (keys) => {
      const pairs = keys.flatMap((a, i) => keys.slice(i + 1).map((b) =>
        rows[a].reduce((sum, x, j) => sum + (x - rows[b][j]) ** 2, 0)));
      return Math.min(...pairs);
    };
    const mean = (answers) => answers.reduce((sum, { keys }) => sum + apart(keys), 0) / answers.length;
    assert.ok(mean(spread) > mean(plain), `${mean(spread)} apart, ${mean(plain)} before`);
  });

  suite.each("mistakes in conditions", (minnow) => {
    const refused = (words, message, code = 2) =>
      minnow.fail(["search", "where-graph.index", "where-ask.f32", "-k", "5", ...words], code, message);
    refused(["--where-keys", "1;2"], /--where-keys: `1;2` is not a list of keys and ranges such as/);
    refused(["--without", "1..2"], /--without: `1\.\.2` is not a list of keys such as 7,40/);
    refused(["--plan", "fast"], /--plan: `fast` is none of auto, scan, walk, two-hop, post, probe/);
    refused(["--plan", "probe"], /--plan: where-graph\.index has no lists to probe/);
    refused(["--nprobe", "3"], /--nprobe: where-graph\.index is hnsw8,f32/);
    refused(["--budget", "0"], /--budget: `0` is not an integer from 1/);
    refused(["--within", "near"], /--within: `near` is not a number from/);
    refused(["--within", "1e"], /--within: /);
    refused(["--diversify", "1.5"], /--diversify: `1\.5` is not a number from 0 to 1/);
    refused(["--fetch-k", "9"], /--fetch-k: goes with --diversify/);
    refused(["--diversify", "1", "--fetch-k", "4"], /--fetch-k: `4` is not an integer from 5/);
    refused(["--diversify", "1", "--within", "1"], /--diversify: does not go with --within/);
    refused(["--like", "3"], /search: give QUERIES or --like, one of them/);
    minnow.write("short.bits", Buffer.alloc(100));
    refused(["--filter-bits", "short.bits"], /short\.bits: where-graph\.index has 1500 slots; 188 bytes/, 3);
    refused(["--filter-bits", "absent.bits"], /absent\.bits: cannot be opened/, 3);
    minnow.fail(["search", "where-graph.index", "-k", "5"], 2, /give QUERIES or --like/);
    minnow.fail(["search", "where-graph.index", "-k", "5", "--like", "1", "--within", "1"], 2,
      /--like: does not go with --within/);
    minnow.fail(["search", "where-graph.index", "-k", "65535", "--like", "1"], 2, /-k: `65535` is not an integer/);
  });
}
