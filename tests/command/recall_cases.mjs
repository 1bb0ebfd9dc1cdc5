// SPDX-License-Identifier: Apache-2.0
// Tuning and auditing.
import assert from "node:assert/strict";
import { f32, makeRows } from "./vectors.mjs";

const D = 24;
const rows = makeRows(1200, D, 401);
const queries = makeRows(40, D, 403);

const json = (minnow, words) => JSON.parse(minnow.succeed([...words, "--json"]).stdout);

export function run(suite) {
  suite.each("indexes to tune", (minnow) => {
    minnow.write("recall.f32", f32([...rows, ...rows.slice(0, 20)]));
    minnow.write("recall-ask.f32", f32(queries));
    for (const [name, spec] of [["graph", "hnsw8,bits4,refine=f16"], ["lists", "ivf24,f32"], ["flat", "flat,f32"]])
      minnow.succeed(["build", "recall.f32", "--dimensions", String(D), "--metric", "l2", "--spec", spec,
        "--ef-construction", "40", "-o", `recall-${name}.index`]);
  });

  suite.each("tuned, it reaches the recall that was asked for", (minnow) => {
    for (const [name, wanted] of [["graph", 0.9], ["lists", 0.9]]) {
      const index = `recall-${name}.index`;
      const found = json(minnow, ["tune", index, "--recall", String(wanted), "-k", "5", "--queries",
        "recall-ask.f32", "-o", `tuned-${name}.index`]);
      assert.ok(found.reached && found.stored && Math.fround(found.recall.recall) >= Math.fround(wanted), JSON.stringify(found));
      assert.deepEqual([found.recall.queries, found.recall.k], [40, 5]);
      const info = json(minnow, ["info", `tuned-${name}.index`]);
      assert.deepEqual([info.tunedEf, info.tunedGamma, info.tunedNprobe], [found.ef, found.gamma, found.nprobe]);
      assert.equal(found.ef > 0, name === "graph");
      assert.equal(found.nprobe > 0, name === "lists");
      minnow.succeed(["verify", `tuned-${name}.index`]);
      const audited = json(minnow, ["audit", `tuned-${name}.index`, "-k", "5", "--queries", "recall-ask.f32"]);
      assert.deepEqual(audited.recall, found.recall, "searches use it");
      const plain = json(minnow, ["audit", index, "-k", "5", "--queries", "recall-ask.f32"]);
      assert.ok(plain.recall.distances > audited.recall.distances);
    }
    const text = minnow.succeed(["info", "tuned-graph.index"]).stdout;
    assert.match(text, /^ {2}tuned to +ef \d+ gamma [\d.]+ refine_k [\d.]+$/m);
    assert.match(minnow.succeed(["info", "recall-graph.index"]).stdout, /^(?![^]*tuned to)/);
  });

  suite.each("tuning without writing, on its own vectors", (minnow) => {
    const text = minnow.succeed(["tune", "recall-graph.index", "--sample", "50", "--recall", "0.8"]).stdout;
    assert.match(text, /^recall-graph\.index\n {2}ef +\d+\n {2}gamma +[\d.]+\n {2}refine_k +[\d.]+\n {2}recall@10 +\d\.\d{4} \(/);
    assert.match(text, /^ {2}queries +50 vectors of the index$/m);
    assert.match(text, /^ {2}tried +\d+ settings, \d+ distances$/m);
    minnow.succeed(["pack", "tuned-graph.index", "-o", "tuned-packed.index"]);
    minnow.succeed(["tune", "tuned-packed.index", "--sample", "20", "--recall", "0.5", "-o", "tuned-packed.index"]);
    minnow.succeed(["verify", "tuned-packed.index"]);
  });

  suite.each("tuned to what is given", (minnow) => {
    const set = (words, ...more) => minnow.succeed(["tune", `tuned-${words[0]}.index`, "--set", ...words.slice(1), "-o",
      "set.index", ...more]).stdout;
    assert.match(set(["graph", "--ef", "33", "--refine-k", "1.5"]),
      /^tuned-graph\.index\n {2}ef +33\n {2}refine_k +1\.5\n {2}written to +set\.index\n$/);
    let info = json(minnow, ["info", "set.index"]);
    assert.deepEqual([info.tunedEf, info.tunedNprobe, info.tunedRefineK], [33, 0, 1.5]);
    assert.deepEqual(JSON.parse(set(["lists", "--nprobe", "3"], "--json")), { ef: 0, gamma: 0, nprobe: 3, refineK: 0, stored: true });
    assert.equal(json(minnow, ["info", "set.index"]).tunedNprobe, 3);
    assert.match(set(["graph"]), /not tuned +the defaults hold/);
    info = json(minnow, ["info", "set.index"]);
    assert.deepEqual([info.tunedEf, info.tunedRefineK], [0, 0]);
    minnow.succeed(["verify", "set.index"]);
    const said = minnow.run(["tune", "tuned-graph.index", "--set", "--ef", "33"]);
    assert.equal(said.code, 2);
    assert.match(said.stderr, /--set: give -o/);
  });

  suite.each("a recall out of reach", (minnow) => {
    const said = minnow.run(["tune", "recall-graph.index", "--recall", "1", "--ef-max", "10", "--sample", "60",
      "-o", "perfect.index"]);
    assert.equal(said.code, 3, said.stderr);
    assert.match(said.stderr, /--recall: 1 was not reached: 0\.\d{4} is the best that was seen; nothing was written/);
    assert.ok(!minnow.has("perfect.index"));
  });

  suite.each("an audit", (minnow) => {
    const seen = json(minnow, ["audit", "recall-graph.index", "--sample", "100", "--ef", "60"]);
    assert.equal(seen.vectors, 1220);
    assert.deepEqual([seen.duplicates, seen.groups, seen.largest], [20, 20, 2]);
    assert.equal(seen.linked + seen.pending, 1220);
    assert.deepEqual([seen.deadShare, seen.lists], [0, 0]);
    assert.ok(seen.unreachable < 5, `${seen.unreachable} out of reach`);
    assert.ok(seen.links > 4 && seen.linkBits > 0);
    const { recall, low, high } = seen.recall;
    assert.ok(low <= recall && recall <= high && recall > 0.9, JSON.stringify(seen.recall));
    const text = minnow.succeed(["audit", "recall-lists.index", "--nprobe", "24", "--sample", "30"]).stdout;
    assert.match(text, /^ {2}recall@10 +1\.0000 \(/m);
    assert.match(text, /^ {2}lists +24, 0 of them empty, the largest of \d+$/m);
    minnow.succeed(["delete", "recall-flat.index", "--where-keys", "0..", "-o", "emptied.index"]);
    assert.equal(json(minnow, ["audit", "emptied.index"]).recall, null);
  });

  suite.each("mistakes in measuring", (minnow) => {
    const refused = (words, message, code = 2) => minnow.fail(words, code, message);
    refused(["tune", "recall-graph.index", "--recall", "1.1"], /--recall: `1\.1` is not a number from 0\.001 to 1/);
    refused(["tune", "recall-graph.index", "-o", "-"], /-o: an index goes to a file/);
    refused(["audit", "recall-graph.index", "--nprobe", "3"], /--nprobe: recall-graph\.index is hnsw8/);
    refused(["audit", "recall-graph.index", "--sample", "5", "--queries", "recall-ask.f32"], /--sample: .* give one/);
    refused(["audit", "recall-graph.index", "-k", "65535"], /-k: `65535` is not an integer from 1 to 65534/);
    refused(["audit", "recall-ask.f32"], /recall-ask\.f32: not a Minnow index/, 4);
    refused(["tune", "emptied.index"], /emptied\.index: without a vector/);
    refused(["audit", "recall-graph.index", "--queries", "absent.f32"], /absent\.f32: cannot be opened/, 3);
  });
}
