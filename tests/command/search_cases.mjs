// SPDX-License-Identifier: Apache-2.0
// Answers against an exact search in doubles; info and verify.
import assert from "node:assert/strict";
import { f32, fvecs, jsonl, makeRows, npy, ranked } from "./vectors.mjs";

const K = 10;

// One line for each query; keys and distances as numbers.
function searched(minnow, words, options) {
  return minnow.succeed(["search", ...words, "--json"], options).stdout
    .trim().split("\n").map((line) => JSON.parse(line));
}

// The answer's distances are those of its keys, in order, and none is nearer.
function expectExact(answer, truth, tolerance) {
  const byKey = new Map(truth.map(({ key, distance }) => [key, distance]));
  assert.equal(answer.keys.length, Math.min(K, truth.length));
  assert.equal(new Set(answer.keys).size, answer.keys.length);
  answer.distances.forEach((distance, i) => {
    const near = (x) => Math.abs(distance - x) <= tolerance;
    assert.ok(near(byKey.get(answer.keys[i])), `distance of ${answer.keys[i]}`);
    assert.ok(near(truth[i].distance), `hit ${i} is the ${i}-th nearest`);
    assert.ok(i === 0 || answer.distances[i - 1] <= distance, "in order");
    assert.equal(Math.fround(distance), Math.fround(Number(distance.toPrecision(9))));
  });
}

export function run(suite) {
  const rows = makeRows(700, 24, 41);
  const queries = makeRows(12, 24, 43);

  for (const metric of ["l2", "ip", "cosine", "hamming", "jaccard"])
    suite.each(`a scan under ${metric} is exact`, (minnow) => {
      minnow.write("base.npy", npy(rows));
      minnow.write("queries.npy", npy(queries));
      minnow.succeed(["build", "base.npy", "-o", `${metric}.index`, "--metric",
        metric, "--spec", "flat"]);
      const answers = searched(minnow, [`${metric}.index`, "queries.npy", "-k", "10"]);
      assert.deepEqual(answers.map(({ query }) => query), queries.map((_, i) => i));
      answers.forEach((answer, i) =>
        expectExact(answer, ranked(rows, queries[i], metric), 1e-5));
    });

  suite.each("queries in every format and from standard input", (minnow) => {
    minnow.write("queries.fvecs", fvecs(queries));
    minnow.write("queries.f32", f32(queries));
    minnow.write("queries.jsonl", jsonl(queries, (i) => ({ id: `q${i}` })));
    minnow.write("queries.npy", npy(queries));
    const ask = (words, options) =>
      minnow.succeed(["search", "l2.index", ...words, "-k", "3", "--json"], options).stdout;
    const first = ask(["queries.npy"]);
    for (const format of ["fvecs", "f32", "jsonl"])
      assert.equal(ask([`queries.${format}`]), first);
    for (const [format, write] of Object.entries({ npy, fvecs, f32, jsonl }))
      assert.equal(ask(["-", "--format", format], { stdin: write(queries) }), first);
    const one = npy(queries.slice(0, 1)).toString("latin1").replace("(1, 24)", "(24,)  ");
    assert.equal(ask(["-", "--format", "npy"], { stdin: Buffer.from(one, "latin1") }),
      first.split("\n")[0] + "\n");
  });

  suite.each("a graph finds the nearest, and more of them with a larger ef", (minnow) => {
    const base = makeRows(5000, 16, 47);
    const asked = makeRows(50, 16, 53);
    minnow.write("base.f32", f32(base));
    minnow.write("asked.f32", f32(asked));
    minnow.succeed(["build", "base.f32", "--dimensions", "16", "-o", "graph.index",
      "--metric", "l2", "--spec", "auto,f32", "--ef-construction", "100"]);
    const truth = asked.map((query) =>
      new Set(ranked(base, query, "l2").slice(0, K).map(({ key }) => key)));
    const recall = (ef) => {
      const answers = searched(minnow, ["graph.index", "asked.f32", "-k", "10",
        "--ef", String(ef)]);
      const found = answers.map(({ keys }, i) =>
        keys.filter((key) => truth[i].has(key)).length);
      return found.reduce((sum, n) => sum + n, 0) / (asked.length * K);
    };
    const [low, high] = [recall(10), recall(400)];
    assert.ok(high >= 0.99, `recall ${high} at ef 400`);
    assert.ok(low < high, `recall ${low} at ef 10 is below ${high}`);
    assert.ok(low > 0.5, `recall ${low} at ef 10`);
  });

  suite.each("the compressed encodings come near", (minnow) => {
    for (const [encoding, tolerance] of [["f16", 0.002], ["bf16", 0.02], ["sq8", 0.05]]) {
      minnow.succeed(["build", "base.npy", "-o", `near-${encoding}.index`,
        "--metric", "cosine", "--spec", `flat,${encoding}`]);
      const answers = searched(minnow,
        [`near-${encoding}.index`, "queries.npy", "-k", "10"]);
      answers.forEach((answer, i) => {
        const truth = ranked(rows, queries[i], "cosine");
        const byKey = new Map(truth.map(({ key, distance }) => [key, distance]));
        answer.keys.forEach((key, j) => assert.ok(
          Math.abs(byKey.get(key) - answer.distances[j]) < tolerance,
          `${encoding}: ${byKey.get(key)} and ${answer.distances[j]}`));
      });
    }
  });

  suite.each("k beyond what there is gives all there is", (minnow) => {
    const few = makeRows(4, 24, 59);
    minnow.write("few.npy", npy(few));
    minnow.succeed(["build", "few.npy", "-o", "few.index", "--metric", "l2", "--spec", "flat"]);
    const [answer] = searched(minnow, ["few.index", "queries.npy", "-k", "65535"]);
    expectExact(answer, ranked(few, queries[0], "l2"), 1e-5);
  });

  suite.each("distances keep all their digits", (minnow) => {
    const line = minnow.succeed(["search", "l2.index", "queries.npy", "-k", "20",
      "--json"]).stdout.split("\n")[0];
    const printed = /"distances":\[(.*)\]/.exec(line)[1].split(",");
    assert.equal(printed.length, 20);
    assert.ok(printed.some((text) => text.replace(/\D/g, "").length >= 9));
  });

  suite.each("a table for people", (minnow) => {
    const said = minnow.succeed(["search", "l2.index", "queries.npy", "-k", "2"]);
    const lines = said.stdout.split("\n");
    assert.equal(lines.length, queries.length * 4 + 1);
    assert.equal(lines[0], "query 0: 2 nearest (exact), 700 distances computed, 67200 bytes read");
    assert.match(lines[1], /^ +rank +key +distance$/);
    assert.match(lines[2], /^ +1 +\d+ {2}\d\.\d+$/);
  });

  suite.each("info", (minnow) => {
    const text = minnow.succeed(["info", "graph.index"]).stdout;
    assert.match(text, /^graph\.index\n/);
    assert.match(text, /^ {2}spec +hnsw16,f32 \(chosen by auto\)$/m);
    assert.match(text, /^ {2}ef_construction +100$/m);
    const info = JSON.parse(minnow.succeed(["info", "l2.index", "--json"]).stdout);
    assert.equal(info.blockBytes, minnow.read("l2.index").length);
    assert.deepEqual(
      { ...info, blockBytes: 0, format: "", codeBytes: 0 },
      { format: "", metric: "l2", spec: "flat,f32", auto: false, dimensions: 24,
        count: 700, capacity: 700, slots: 700, dead: 0, linked: 700, efConstruction: 100, seed: 0,
        trained: true, training: { least: 0, enough: 0 }, sealed: true, packed: false,
        clipped: 0, error: 0, compression: 1, blockBytes: 0, graphBytes: 0, codeBytes: 0,
        refineBytes: 0, tunedEf: 0, tunedGamma: 0, tunedNprobe: 0, tunedRefineK: 0 });
    assert.equal(info.codeBytes, 96);
  });

  suite.each("verify", (minnow) => {
    const said = minnow.succeed(["verify", "graph.index"]);
    assert.match(said.stdout, /^graph\.index: sound: 5000 vectors, \d+ bytes\n$/);
  });

  suite.each("verify finds damage, and search what it needs", (minnow) => {
    const good = minnow.read("l2.index");
    const flipped = (at) => {
      const bytes = Buffer.from(good);
      bytes[at] ^= 0x40;
      return bytes;
    };
    // Bytes throughout: header, table, keys, vectors, padding.
    let found = 0, tried = 0;
    for (let at = 0; at < good.length; at += Math.ceil(good.length / 23)) {
      minnow.write("bad.block", flipped(at));
      const said = minnow.run(["verify", "bad.block"]);
      assert.ok([0, 1, 4].includes(said.code), `byte ${at}: ${said.code}`);
      assert.match(said.code ? said.stderr : said.stdout, /bad\.block: /);
      tried++;
      found += said.code !== 0;
    }
    assert.ok(found >= tried - 2, `${found} of ${tried} changed bytes found`);

    minnow.write("bad.block", good.subarray(0, good.length - 64));
    minnow.fail(["verify", "bad.block"], 1, /bad\.block: cut short/);
    minnow.fail(["search", "bad.block", "queries.npy", "-k", "1"], 4, /cut short/);
    minnow.fail(["info", "bad.block"], 4, /cut short/);
    minnow.write("bad.block", Buffer.concat([good, good.subarray(0, 10)]));
    minnow.fail(["verify", "bad.block"], 1, /10 bytes follow the index's \d+/);
    minnow.fail(["verify", "queries.npy"], 4, /queries\.npy: not a Minnow index/);
    minnow.fail(["search", "queries.npy", "queries.npy", "-k", "1"], 4, /not a Minnow/);
    minnow.write("bad.block", "");
    minnow.fail(["info", "bad.block"], 4, /bad\.block: /);
    minnow.fail(["info", "none.block"], 4, /none\.block: cannot be opened: No such file/);
    // The format's major version is the u16 at byte 8.
    const newer = Buffer.from(good);
    const major = newer.readUInt16LE(8);
    newer.writeUInt16LE(major + 1, 8);
    minnow.write("newer.block", newer);
    for (const words of [["verify"], ["info"]])
      minnow.fail([...words, "newer.block"], 4,
        new RegExp(`another format version; this minnow reads format ${major}\\.0`));
    minnow.fail(["verify", "."], 4, /\.: not a file/);
  });
}
