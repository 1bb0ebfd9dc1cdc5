// SPDX-License-Identifier: Apache-2.0
// What `--spec auto` chooses: something that fits the budget, from every format
// the same.
import assert from "node:assert/strict";
import { f32, jsonl, makeRows, recall as recallOf } from "./vectors.mjs";

const K = 10;
const dimensions = 32;
const rows = makeRows(1500, dimensions, 111);
const queries = makeRows(20, dimensions, 113);
const build = (out, ...more) =>
  ["build", "auto.f32", "--dimensions", String(dimensions), "--metric", "cosine", "-o", out, ...more];
const infoOf = (minnow, name) => JSON.parse(minnow.succeed(["info", name, "--json"]).stdout);

function recall(minnow, name) {
  const found = minnow.succeed(["search", name, "auto-ask.f32", "-k", String(K), "--json"]).stdout
    .trim().split("\n").map((line) => JSON.parse(line).keys);
  return recallOf(found, rows, queries, "cosine", K);
}

export function run(suite) {
  suite.each("auto chooses, and is what is meant by nothing", (minnow) => {
    minnow.write("auto.f32", f32(rows));
    minnow.write("auto.jsonl", jsonl(rows));
    minnow.write("auto-ask.f32", f32(queries));
    minnow.succeed(build("auto.index"));
    const { spec, auto, capacity } = infoOf(minnow, "auto.index");
    assert.match(spec, /^(flat|hnsw\d+),/);
    assert.equal(auto, false);
    assert.equal(capacity, rows.length);
    assert.ok(recall(minnow, "auto.index") >= 0.9, `recall ${recall(minnow, "auto.index")}`);

    const first = minnow.read("auto.index");
    const again = (words, options) => {
      minnow.succeed(words, options);
      assert.ok(minnow.read("again.index").equals(first), words.join(" "));
    };
    const same = ["-o", "again.index", "--metric", "cosine"];
    again([...build("again.index"), "--spec", "auto"]);
    again([...build("again.index"), "--spec", spec]);
    again(["build", "auto.jsonl", ...same]);
    again(["build", "-", "--format", "jsonl", ...same], { stdin: jsonl(rows) });
    again(["build", "-", "--format", "f32", "--dimensions", String(dimensions), ...same], { stdin: f32(rows) });
  });

  suite.each("auto keeps to the budget", (minnow) => {
    const tooLittle = minnow.fail(build("x.index", "--budget", "5KB"), 2,
      /^minnow: --budget: 1500 vectors of 32 dimensions do not fit into 5000 bytes; \d+ are the least\n$/);
    const least = Number(/ (\d+) are the least/.exec(tooLittle.stderr)[1]);
    minnow.fail(build("x.index", "--budget", String(least - 1)), 2, /do not fit/);

    const found = [];
    for (const [budget, most] of [[String(least), least], ["60KB", 60e3], ["100KiB", 102400], ["1MB", 1e6], ["1GiB", 2 ** 30]]) {
      const name = `budget-${budget}.index`;
      minnow.succeed(build(name, "--pack", "--budget", budget));
      const bytes = minnow.read(name).length;
      assert.ok(bytes <= most, `${bytes} bytes within ${budget}`);
      minnow.succeed(["verify", name]);
      found.push(recall(minnow, name));
    }
    assert.ok(found.at(-1) >= 0.95, `${found}`);
    found.slice(1).forEach((here, i) => assert.ok(here >= found[i] - 0.03, `more bytes, no worse: ${found}`));
    assert.ok(minnow.read("budget-1MB.index").equals(minnow.read("budget-1GiB.index")) || found[3] <= found[4]);
  });

  suite.each("auto takes lists of what is read by pages, if it is large", (minnow) => {
    const [narrow, few] = [makeRows(5000, 4, 91), makeRows(50, 4, 92)];
    minnow.write("narrow.f32", f32(narrow));
    minnow.write("narrow-ask.f32", f32(few));
    const words = ["build", "narrow.f32", "--dimensions", "4", "--metric", "l2", "--pack", "-o"];
    minnow.succeed([...words, "paged.index", "--paged"]);
    minnow.succeed([...words, "kept.index"]);
    assert.match(infoOf(minnow, "paged.index").spec, /^ivf282,bits8$/);
    assert.match(infoOf(minnow, "kept.index").spec, /^hnsw16,bits8$/);
    const audit = JSON.parse(minnow.succeed(["audit", "paged.index", "--queries", "narrow-ask.f32", "--json"]).stdout);
    assert.ok(audit.recall.recall >= 0.95, JSON.stringify(audit.recall));
    minnow.succeed(build("small.index", "--paged"));
    assert.match(infoOf(minnow, "small.index").spec, /^flat,bits8$/);
    minnow.fail(build("x.index", "--spec", "flat,f32", "--paged"), 2, /--paged: goes with --spec auto/);
  });

  suite.each("auto under the binary metrics is sign", (minnow) => {
    for (const metric of ["hamming", "jaccard"]) {
      minnow.succeed(["build", "auto.f32", "--dimensions", "32", "--metric", metric, "-o", `auto-${metric}.index`]);
      assert.match(infoOf(minnow, `auto-${metric}.index`).spec, /,sign$/);
    }
  });
}
