// SPDX-License-Identifier: Apache-2.0
// Packing and thawing: smaller, and the same answers.
import assert from "node:assert/strict";
import { f32, makeRows } from "./vectors.mjs";
import { attach } from "./host.mjs";

const dimensions = 24;
const count = 3000;

// [name, spec, words of a search]
const KINDS = [
  ["graph", "hnsw16,f32", ["--ef", "40"]],
  ["bits", "hnsw8,bits8", []],
  ["refined", "hnsw12,sq4,refine=f16", ["--refine-k", "4"]],
  ["scan", "flat,sq8", []],
];

const infoOf = (minnow, name) => JSON.parse(minnow.succeed(["info", name, "--json"]).stdout);
const ask = (minnow, name, more) =>
  minnow.succeed(["search", name, "pack-ask.f32", "-k", "10", "--json", ...more]).stdout;

export function run(suite) {
  suite.each("files for packing", (minnow) => {
    minnow.write("pack.f32", f32(makeRows(count, dimensions, 101)));
    minnow.write("pack-ask.f32", f32(makeRows(25, dimensions, 103)));
  });

  for (const [name, spec, more] of KINDS)
    suite.each(`${spec} packed and thawed answers as it did`, (minnow) => {
      const [live, packed, thawed] = ["live", "packed", "thawed"].map((word) => `${name}-${word}.index`);
      const build = ["build", "pack.f32", "--dimensions", String(dimensions), "--metric", "l2",
        "--spec", spec, "--ef-construction", "60"];
      minnow.succeed([...build, "-o", live]);
      const said = minnow.succeed(["pack", live, "-o", packed]).stdout;
      const [before, after] = [live, packed].map((file) => minnow.read(file).length);
      assert.equal(said, `${packed}: ${count} vectors, room for ${count}, packed, ${after} bytes (${before} before)\n`);
      assert.ok(after < before, `${after} bytes, ${before} before`);

      assert.match(minnow.succeed([...build, "--pack", "-o", `${name}-built.index`]).stdout,
        new RegExp(`, l2, ${spec}, packed, ${after} bytes\n$`));
      assert.ok(minnow.read(`${name}-built.index`).equals(minnow.read(packed)));

      minnow.succeed(["thaw", packed, "-o", thawed, "--capacity", String(count + 500)]);
      const answers = ask(minnow, live, more);
      for (const file of [packed, thawed]) {
        assert.match(minnow.succeed(["verify", file]).stdout, /: sound: 3000 vectors, \d+ bytes\n$/);
        assert.equal(ask(minnow, file, more), answers, file);
      }

      const info = { live: infoOf(minnow, live), packed: infoOf(minnow, packed), thawed: infoOf(minnow, thawed) };
      assert.deepEqual([info.live.packed, info.packed.packed, info.thawed.packed], [false, true, false]);
      assert.deepEqual([info.packed.capacity, info.thawed.capacity], [count, count + 500]);
      for (const { blockBytes, packed: isPacked, capacity, graphBytes, ...same } of [info.packed, info.thawed]) {
        const { blockBytes: _, packed: __, capacity: ___, graphBytes: liveGraph, ...first } = info.live;
        assert.deepEqual(same, first);
        if (isPacked) assert.equal(blockBytes, after);
        if (isPacked && liveGraph > 0) assert.ok(graphBytes < liveGraph / 2, `${graphBytes} of ${liveGraph}`);
      }
      assert.equal(info.packed.graphBytes > 0, spec.startsWith("hnsw"));
      const text = minnow.succeed(["info", packed]).stdout;
      assert.match(text, /^ {2}packed +yes \(to search only\)$/m);
      const each = (bytes) => (bytes / count).toFixed(1).replace(".", "\\.");
      assert.match(text, new RegExp(
        `^ {2}bytes a vector +${each(after)} in all, ${each(info.packed.graphBytes)} of them links$`, "m"));
    });

  suite.each("packing in place, and thawing to what was there", (minnow) => {
    minnow.write("place.index", minnow.read("graph-live.index"));
    minnow.succeed(["pack", "place.index", "-o", "place.index"]);
    assert.ok(minnow.read("place.index").equals(minnow.read("graph-packed.index")));
    minnow.succeed(["thaw", "place.index", "-o", "place.index"]);
    assert.equal(infoOf(minnow, "place.index").capacity, count);
    assert.equal(minnow.read("place.index").length, minnow.read("graph-live.index").length);
  });

  suite.each("what cannot be packed or thawed", (minnow) => {
    const refused = (words, code, message) => minnow.fail(words, code, message);
    refused(["pack", "graph-packed.index", "-o", "x.index"], 2, /graph-packed\.index: packed already/);
    refused(["thaw", "graph-live.index", "-o", "x.index"], 2, /graph-live\.index: not packed/);
    refused(["thaw", "graph-packed.index", "-o", "x.index", "--capacity", "2999"], 2,
      /--capacity: graph-packed\.index holds 3000 vectors/);
    refused(["pack", "pack.f32", "-o", "x.index"], 4, /pack\.f32: not a Minnow index/);
    refused(["thaw", "none.index", "-o", "x.index"], 4, /none\.index: cannot be opened/);
    refused(["pack", "graph-live.index", "-o", "-"], 2, /-o: an index goes to a file/);
    refused(["pack", "graph-live.index", "-o", "absent/x.index"], 6, /absent\/x\.index\.tmp: cannot be written/);
  });

  suite.each("sections of a host are packed and thawed too, a collection is not", (minnow) => {
    const live = minnow.read("scan-live.index");
    minnow.write("named.block", attach(live, "name", Buffer.from("a model")));
    minnow.succeed(["pack", "named.block", "-o", "named-packed.block"]);
    minnow.succeed(["thaw", "named-packed.block", "-o", "named-thawed.block"]);
    for (const file of ["named-packed.block", "named-thawed.block"]) {
      assert.ok(minnow.read(file).includes("a model"), file);
      minnow.succeed(["verify", file]);
    }
    minnow.write("documents.block", attach(live, "ids1", Buffer.from("[]")));
    minnow.fail(["pack", "documents.block", "-o", "x.index"], 2, /documents\.block: a collection.*collection\.pack\(\)/);
  });

  suite.each("damage in a packed index", (minnow) => {
    const good = minnow.read("bits-packed.index");
    let found = 0, tried = 0;
    for (let at = 0; at < good.length; at += Math.ceil(good.length / 40)) {
      const bytes = Buffer.from(good);
      bytes[at] ^= 0x40;
      minnow.write("bad.block", bytes);
      const verified = minnow.run(["verify", "bad.block"]).code;
      assert.ok([0, 1, 4].includes(verified), `byte ${at}: ${verified}`);
      const thawed = minnow.run(["thaw", "bad.block", "-o", "bad-thawed.block"]).code;
      assert.equal(thawed, verified === 0 ? 0 : 4, `byte ${at}: ${thawed}`);
      const searched = minnow.run(["search", "bad.block", "pack-ask.f32", "-k", "5", "--json"]).code;
      assert.ok([0, 4].includes(searched), `byte ${at}: ${searched}`);
      tried++;
      found += verified !== 0;
    }
    assert.ok(found >= tried - 2, `${found} of ${tried} changed bytes found`);
    minnow.write("bad.block", good.subarray(0, good.length - 64));
    minnow.fail(["verify", "bad.block"], 1, /bad\.block: cut short/);
  });

  // --- Threads ------------------------------------------------------------------

  const threaded = suite.targets.filter(({ isWasi }) => !isWasi);
  const single = suite.targets.filter(({ isWasi }) => isWasi);
  const linking = (threads, out) => ["build", "pack.f32", "--dimensions", String(dimensions), "-o", out,
    "--metric", "l2", "--spec", "hnsw16,f32", "--ef-construction", "60", ...threads];

  suite.each("any number of threads makes the same index", (minnow) => {
    for (const threads of ["1", "2", "3", "7", "64"]) {
      minnow.succeed(linking(["--threads", threads], "threads.block"), { compare: false });
      assert.ok(minnow.read("threads.block").equals(minnow.read("graph-live.index")), threads);
    }
  }, { targets: threaded });

  suite.each("without threads, one is taken and more are refused", (minnow) => {
    minnow.succeed(linking(["--threads", "1"], "threads.block"), { compare: false });
    assert.ok(minnow.read("threads.block").equals(minnow.read("graph-live.index")));
    minnow.fail(linking(["--threads", "2"], "x.index"), 2,
      /--threads: this build of minnow has no threads; leave it out, or give 1/, { compare: false });
  }, { targets: single });
}
