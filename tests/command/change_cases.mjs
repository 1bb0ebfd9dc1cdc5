// SPDX-License-Identifier: Apache-2.0
// Deleting, upserting, updating, merging, repairing and compacting: what is found then, and mistakes.
import assert from "node:assert/strict";
import { attach, withDeleted } from "./host.mjs";
import { f32, jsonl, makeRows, ranked, recall } from "./vectors.mjs";

const D = 16;
const rows = makeRows(1000, D, 201);
const fresh = makeRows(300, D, 203);
const queries = makeRows(10, D, 205);

const keysFound = (minnow, index, ...more) =>
  minnow.succeed(["search", index, "change-ask.f32", "-k", "10", "--json", ...more]).stdout
    .trim().split("\n").map((line) => JSON.parse(line).keys);
const infoOf = (minnow, name) => JSON.parse(minnow.succeed(["info", name, "--json"]).stdout);
const lines = (keys) => keys.map((key) => `${key}\n`).join("");

// What is found is what an exact search in `model`, [key, row] pairs, finds.
function expectModel(minnow, index, model) {
  minnow.succeed(["verify", index]);
  const [keys, vectors] = [model.map(([key]) => key), model.map(([, row]) => row)];
  const expected = queries.map((query) =>
    ranked(vectors, query, "l2", keys).slice(0, 10).map(({ key }) => key));
  assert.deepEqual(keysFound(minnow, index, "--plan", "scan"), expected);
}

const base = () => rows.map((row, key) => [key, row]);

export function run(suite) {
  suite.each("files for changes", (minnow) => {
    minnow.write("change.f32", f32(rows));
    minnow.write("change-ask.f32", f32(queries));
    for (const [name, spec] of [["flat", "flat,f32"], ["graph", "hnsw8,f32"]])
      minnow.succeed(["build", "change.f32", "--dimensions", String(D), "--metric", "l2", "--spec", spec,
        "--ef-construction", "40", "-o", `change-${name}.index`]);
    minnow.succeed(["pack", "change-graph.index", "-o", "change-packed.index"]);
  });

  for (const name of ["flat", "graph"]) {
    const index = `change-${name}.index`;
    suite.each(`${name}: deleting by a file of keys, and by ranges`, (minnow) => {
      const gone = rows.map((_, i) => i).filter((i) => i % 3 === 0);
      minnow.write("gone.txt", lines(gone));
      const said = minnow.succeed(["delete", index, "--keys", "gone.txt", "-o", `${name}-third.index`]);
      const bytes = minnow.read(`${name}-third.index`).length;
      assert.equal(said.stdout, `${name}-third.index: 666 vectors (334 deleted), ${bytes} bytes\n`);
      expectModel(minnow, `${name}-third.index`, base().filter(([key]) => key % 3 !== 0));
      const { slots, dead } = infoOf(minnow, `${name}-third.index`);
      assert.deepEqual([slots, dead], [1000, 0]);

      const json = JSON.parse(minnow.succeed(["delete", index, "--where-keys", "10..19,500,900..", "--json",
        "-o", `${name}-ranges.index`]).stdout);
      assert.deepEqual(json, { deleted: 111, count: 889, blockBytes: minnow.read(`${name}-ranges.index`).length });
      expectModel(minnow, `${name}-ranges.index`,
        base().filter(([key]) => !(key >= 10 && key <= 19) && key !== 500 && key < 900));
      minnow.succeed(["pack", `${name}-ranges.index`, "-o", `${name}-repacked.index`]);
      assert.equal(infoOf(minnow, `${name}-repacked.index`).slots, 889);
      assert.match(minnow.succeed(["delete", index, "--where-keys", "5000..", "-o", "nothing-gone.index"]).stdout,
        /: 1000 vectors \(0 deleted\)/);
      assert.ok(minnow.read("nothing-gone.index").equals(minnow.read(index)));
      minnow.succeed(["delete", index, "--where-keys", "..999", "-o", "all-gone.index"]);
      assert.deepEqual(keysFound(minnow, "all-gone.index"), queries.map(() => []));
    });

    suite.each(`${name}: upserting`, (minnow) => {
      const keys = fresh.map((_, i) => 850 + i);
      minnow.write("fresh.jsonl", jsonl(fresh, (i) => ({ key: keys[i] })));
      minnow.write("fresh.f32", f32(fresh));
      minnow.write("fresh.txt", lines(keys));
      const said = minnow.succeed(["upsert", index, "fresh.jsonl", "-o", `${name}-upserted.index`]);
      assert.match(said.stdout, /: 1150 vectors \(150 added, 150 replaced\), \d+ bytes\n$/);
      const model = [...base().slice(0, 850), ...fresh.map((row, i) => [keys[i], row])];
      expectModel(minnow, `${name}-upserted.index`, model);
      const json = minnow.succeed(["upsert", index, "-", "--format", "f32", "--keys", "fresh.txt", "--json",
        "-o", `${name}-again.index`], { stdin: f32(fresh) }).stdout;
      const bytes = minnow.read(`${name}-again.index`).length;
      assert.deepEqual(JSON.parse(json), { added: 150, replaced: 150, count: 1150, blockBytes: bytes });
      assert.ok(minnow.read(`${name}-again.index`).equals(minnow.read(`${name}-upserted.index`)));
      if (name === "graph") {
        const found = keysFound(minnow, `${name}-upserted.index`);
        assert.ok(recall(found.map((list) => list.map((key) => model.findIndex(([k]) => k === key))),
          model.map(([, row]) => row), queries, "l2", 10) >= 0.95);
      }
    });

    suite.each(`${name}: updating`, (minnow) => {
      const keys = fresh.map((_, i) => 3 * i);
      minnow.write("fresh.f32", f32(fresh));
      minnow.write("third.jsonl", jsonl(fresh, (i) => ({ key: keys[i] })));
      minnow.write("third.txt", lines(keys));
      const said = minnow.succeed(["update", index, "third.jsonl", "-o", `${name}-updated.index`]).stdout;
      const bytes = minnow.read(`${name}-updated.index`).length;
      assert.equal(said, `${name}-updated.index: 1000 vectors (0 added, 300 replaced), ${bytes} bytes\n`);
      const model = base();
      fresh.forEach((row, i) => model[keys[i]] = [keys[i], row]);
      expectModel(minnow, `${name}-updated.index`, model);
      const json = minnow.succeed(["update", index, "fresh.f32", "--keys", "-", "--json",
        "-o", `${name}-updated-again.index`], { stdin: lines(keys) }).stdout;
      assert.deepEqual(JSON.parse(json), { added: 0, replaced: 300, count: 1000, blockBytes: bytes });
      minnow.succeed(["upsert", index, "third.jsonl", "-o", `${name}-third-upserted.index`]);
      for (const other of ["updated-again", "third-upserted"])
        assert.ok(minnow.read(`${name}-${other}.index`).equals(minnow.read(`${name}-updated.index`)), other);
    });

    suite.each(`${name}: repairing and compacting`, (minnow) => {
      const [left, repaired, compacted] = ["left", "repaired", "compacted"].map((word) => `${name}-${word}.index`);
      const gone = rows.map((_, i) => i).filter((i) => i % 4 === 0);
      const model = base().filter(([key]) => key % 4 !== 0);
      minnow.write(left, withDeleted(minnow.read(index), gone));
      const { dead } = infoOf(minnow, left);
      assert.ok(name === "flat" ? dead === 0 : dead > 200, `${dead} dead`);
      const sizes = (to) => `${minnow.read(to).length} bytes (${minnow.read(left).length} before)`;

      assert.equal(minnow.succeed(["repair", left, "-o", repaired]).stdout,
        `${repaired}: 750 vectors in 1000 slots (${dead} repaired), ${sizes(repaired)}\n`);
      assert.equal(infoOf(minnow, repaired).dead, 0);
      expectModel(minnow, repaired, model);
      minnow.write("last.bits", Buffer.from([...new Uint8Array(124), 0x80])); // slot 999
      assert.deepEqual(keysFound(minnow, repaired, "--filter-bits", "last.bits"), queries.map(() => [999]));
      minnow.succeed(["repair", repaired, "-o", `${name}-rerepaired.index`]);
      assert.ok(minnow.read(`${name}-rerepaired.index`).equals(minnow.read(repaired)));

      assert.equal(minnow.succeed(["compact", left, "-o", compacted]).stdout,
        `${compacted}: 750 vectors in 750 slots (${dead} repaired), ${sizes(compacted)}\n`);
      assert.ok(minnow.read(compacted).length < minnow.read(repaired).length);
      const { slots, capacity, dead: stillDead, packed } = infoOf(minnow, compacted);
      assert.deepEqual([slots, capacity, stillDead, packed], [750, 750, 0, false]);
      expectModel(minnow, compacted, model);
      assert.deepEqual(keysFound(minnow, compacted), keysFound(minnow, repaired));
      minnow.succeed(["pack", left, "-o", `${name}-left-packed.index`]);
      minnow.succeed(["thaw", `${name}-left-packed.index`, "-o", `${name}-left-thawed.index`]);
      assert.ok(minnow.read(`${name}-left-thawed.index`).equals(minnow.read(compacted)));

      minnow.write("third.jsonl", jsonl(fresh.slice(0, 100), (i) => ({ key: 2000 + i })));
      minnow.succeed(["upsert", compacted, "third.jsonl", "-o", `${name}-compacted-more.index`]);
      expectModel(minnow, `${name}-compacted-more.index`,
        [...model, ...fresh.slice(0, 100).map((row, i) => [2000 + i, row])]);

      minnow.write(`${name}-empty.index`, withDeleted(minnow.read(index), rows.map((_, i) => i)));
      for (const command of ["repair", "compact"]) {
        const { count, slots: kept, blockBytes } = JSON.parse(
          minnow.succeed([command, `${name}-empty.index`, "--json", "-o", `${name}-empty-${command}.index`]).stdout);
        assert.deepEqual([count, kept], [0, 1000]);
        assert.equal(blockBytes, minnow.read(`${name}-empty-${command}.index`).length);
        minnow.succeed(["verify", `${name}-empty-${command}.index`]);
      }
    });

    suite.each(`${name}: merging`, (minnow) => {
      minnow.write("fresh.f32", f32(fresh));
      minnow.write("other.txt", lines(fresh.map((_, i) => 900 + i)));
      minnow.succeed(["build", "fresh.f32", "--dimensions", String(D), "--metric", "l2", "--spec", "hnsw8,f32",
        "--ef-construction", "40", "--keys", "other.txt", "--pack", "-o", "other.index"]);
      minnow.fail(["merge", index, "other.index", "-o", "x.index"], 3,
        /other\.index: 100 of its keys are in change-\w+\.index too, 9\d\d the first; give --on-conflict/);
      const merge = (policy, ...more) => minnow.succeed(["merge", index, "other.index", "--on-conflict", policy,
        "-o", `${name}-${policy}.index`, ...more]).stdout;
      assert.match(merge("take"), /: 1200 vectors \(200 added, 100 replaced, 0 encoded again\), \d+ bytes\n$/);
      expectModel(minnow, `${name}-take.index`,
        [...base().slice(0, 900), ...fresh.map((row, i) => [900 + i, row])]);
      const { added, conflicts, replaced, recoded, count } = JSON.parse(merge("keep", "--json", "--threads", "1"));
      assert.deepEqual({ added, conflicts, replaced, recoded, count },
        { added: 200, conflicts: 100, replaced: 0, recoded: 0, count: 1200 });
      expectModel(minnow, `${name}-keep.index`,
        [...base(), ...fresh.slice(100).map((row, i) => [1000 + i, row])]);
    });
  }

  suite.each("changing in place", (minnow) => {
    minnow.write("place-change.index", minnow.read("change-graph.index"));
    minnow.succeed(["delete", "place-change.index", "--where-keys", "7", "-o", "place-change.index"]);
    assert.equal(infoOf(minnow, "place-change.index").count, 999);
    minnow.succeed(["compact", "place-change.index", "-o", "place-change.index"]);
    assert.equal(infoOf(minnow, "place-change.index").slots, 999);
  });

  suite.each("a host's sections stay, a collection is refused", (minnow) => {
    const live = minnow.read("change-flat.index");
    minnow.write("named-change.block", attach(live, "name", Buffer.from("a model")));
    minnow.write("fresh.f32", f32(fresh));
    minnow.write("fresh.txt", lines(fresh.map((_, i) => 990 + i)));
    minnow.succeed(["upsert", "named-change.block", "fresh.f32", "--keys", "fresh.txt", "-o", "named-more.block"]);
    minnow.succeed(["compact", "named-change.block", "-o", "named-compact.block"]);
    for (const file of ["named-more.block", "named-compact.block"]) {
      minnow.succeed(["verify", file]);
      assert.ok(minnow.read(file).includes("a model"), file);
    }
    minnow.write("collection-change.block", attach(live, "ids1", Buffer.from("x")));
    for (const words of [["delete", "collection-change.block", "--where-keys", "1"],
      ["merge", "change-flat.index", "collection-change.block"], ["repair", "collection-change.block"],
      ["compact", "collection-change.block"]])
      minnow.fail([...words, "-o", "x.index"], 2, /collection-change\.block: a collection/);
  });

  suite.each("what cannot be changed leaves all as it was", (minnow) => {
    const refused = (words, code, message) => minnow.fail([...words, "-o", "x.index"], code, message);
    const flat = "change-flat.index";
    minnow.write("unknown.txt", "3\n70000\n");
    minnow.write("twice.txt", "3\n5\n3\n");
    minnow.write("words.txt", "3\nfour\n");
    refused(["delete", flat, "--keys", "unknown.txt"], 3, /unknown\.txt: line 2: there is no key 70000 in the index/);
    refused(["delete", flat, "--keys", "twice.txt"], 3, /twice\.txt: line 3: the key 3 is there twice/);
    refused(["delete", flat, "--keys", "words.txt"], 3, /words\.txt: line 2: one integer/);
    refused(["delete", flat, "--keys", "absent.txt"], 3, /absent\.txt: cannot be opened/);
    refused(["delete", flat], 2, /delete: give --keys or --where-keys, one of them/);
    refused(["delete", flat, "--keys", "twice.txt", "--where-keys", "1"], 2, /one of them/);
    for (const text of ["", "a", "1,", "3..1", "..", "1..2..3", "99999999999999999999"])
      refused(["delete", flat, "--where-keys", text], 2, /--where-keys: `.*` is not a list of keys and ranges/);
    refused(["delete", "change-packed.index", "--where-keys", "1"], 2, /packed\.index: packed, .*minnow thaw/);
    refused(["delete", "unknown.txt", "--where-keys", "1"], 4, /unknown\.txt: not a Minnow index/);
    minnow.fail(["delete", flat, "--where-keys", "1", "-o", "-"], 2, /-o: an index goes to a file/);
    minnow.fail(["delete", flat, "--where-keys", "1", "-o", "absent/x.index"], 6, /absent\/x\.index\.tmp/);

    minnow.write("fresh.f32", f32(fresh));
    minnow.write("same.jsonl", jsonl(fresh.slice(0, 3), () => ({ key: 5 })));
    minnow.write("nan.jsonl", '{"key":1,"embedding":[1]}\n');
    refused(["upsert", flat, "fresh.f32"], 3, /fresh\.f32: its rows have no keys.*give --keys/);
    refused(["upsert", flat, "same.jsonl"], 3, /line 2 \(row 1\): its key, 5, is an earlier row's too/);
    refused(["upsert", flat, "nan.jsonl"], 3, /nan\.jsonl: /);
    refused(["upsert", flat, "fresh.f32", "--keys", "words.txt"], 3, /words\.txt: line 2/);
    refused(["upsert", "change-packed.index", "same.jsonl"], 2, /packed/);
    minnow.write("new.jsonl", jsonl(fresh.slice(0, 3), (i) => ({ key: 998 + i })));
    for (const index of [flat, "change-graph.index"]) {
      const before = minnow.read(index);
      const update = (input, code, message) => minnow.fail(["update", index, input, "-o", index], code, message);
      update("new.jsonl", 3, /new\.jsonl: line 3 \(row 2\): its key, 1000, is not in the index.*minnow upsert/);
      update("same.jsonl", 3, /line 2 \(row 1\): its key, 5, is an earlier row's too/);
      update("nan.jsonl", 3, /nan\.jsonl: /);
      update("fresh.f32", 3, /fresh\.f32: its rows have no keys.*give --keys/);
      assert.ok(minnow.read(index).equals(before), index);
    }
    refused(["update", "change-packed.index", "new.jsonl"], 2, /packed/);

    for (const command of ["repair", "compact"]) {
      refused([command, "change-packed.index"], 2, /packed\.index: packed, .*minnow thaw/);
      refused([command, "unknown.txt"], 4, /unknown\.txt: not a Minnow index/);
      refused([command, "absent.index"], 4, /absent\.index: cannot be opened/);
      minnow.fail([command, flat, "-o", "-"], 2, /-o: an index goes to a file/);
      minnow.fail([command, flat, "-o", "absent/x.index"], 6, /absent\/x\.index\.tmp/);
    }

    // New checksums would hide damage.
    const bad = Buffer.from(minnow.read("change-graph.index"));
    bad[bad.length >> 1] ^= 0x40;
    minnow.write("bad.block", bad);
    for (const words of [["upsert", "bad.block", "new.jsonl"], ["delete", "bad.block", "--where-keys", "1"],
      ["merge", "bad.block", flat], ["merge", flat, "bad.block"], ["repair", "bad.block"], ["compact", "bad.block"],
      ["pack", "bad.block"], ["tune", "bad.block", "--set"]])
      refused(words, 4, /bad\.block: damaged/);

    minnow.succeed(["build", "fresh.f32", "--dimensions", String(D), "--metric", "cosine", "--spec", "flat",
      "-o", "cosine-other.index"]);
    minnow.succeed(["build", "fresh.f32", "--dimensions", "8", "--metric", "l2", "--spec", "flat",
      "-o", "eight-other.index"]);
    refused(["merge", flat, "cosine-other.index"], 2, /cosine-other\.index: its metric is cosine, that of .* l2/);
    refused(["merge", flat, "eight-other.index"], 2, /eight-other\.index: its vectors have 8 dimensions/);
    refused(["merge", flat, "words.txt"], 4, /words\.txt: not a Minnow index/);
    refused(["merge", "change-packed.index", flat], 2, /packed/);
    refused(["merge", flat, flat, "--on-conflict", "both"], 2, /`both` is none of refuse, keep and take/);
  });
}
