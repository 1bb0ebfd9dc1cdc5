// SPDX-License-Identifier: Apache-2.0
// Encodings, their training, precision at query time, and codes by themselves.
import assert from "node:assert/strict";
import {
  distances, f32, makeRows, npy, packBits, ranked, recall as recallOf, signedBits,
} from "./vectors.mjs";

const K = 10;
const dimensions = 32;
const rows = makeRows(1200, dimensions, 91);
const queries = makeRows(20, dimensions, 93);

// [spec, bytes of a code under cosine and to refine, least to train on, recall
// of the first 10 at least]
const SPECS = [
  ["f32", 128, 0, 0, 1],
  ["bf16", 64, 0, 0, 0.9],
  ["sq8", 32, 0, 1, 0.95],
  ["sq6", 24, 0, 1, 0.85],
  ["sq4", 16, 0, 1, 0.6],
  ["bits1", 8, 0, 1, 0.2],
  ["bits2", 16, 0, 1, 0.4],
  ["bits5", 28, 0, 1, 0.8],
  ["bits8", 40, 0, 1, 0.95],
  ["pq16x8", 16, 0, 256, 0.5],
  ["pq16x4+c", 12, 0, 16, 0.2],
  ["prq8x6x2", 16, 0, 64, 0.2],
  ["hadamard,sq8", 32, 0, 1, 0.95],
  ["first24,f16", 48, 0, 0, 0.3],
  ["pca24,bits4", 20, 0, 24, 0.3],
  ["opq,pq16x4", 8, 0, 16, 0.15],
  ["bits1,refine=f16", 8, 64, 1, 0.7],
];

function answers(minnow, words) {
  return minnow.succeed(["search", ...words, "-k", String(K), "--json"]).stdout
    .trim().split("\n").map((line) => JSON.parse(line));
}

const recall = (found) => recallOf(found.map(({ keys }) => keys), rows, queries, "cosine", K);

export function run(suite) {
  suite.each("files for encodings", (minnow) => {
    minnow.write("plain.f32", f32(rows));
    minnow.write("ask.f32", f32(queries));
  });

  for (const [spec, codeBytes, refineBytes, least, floor] of SPECS)
    suite.each(`${spec} is built, described and found by`, (minnow) => {
      const name = `spec-${spec.replaceAll(",", "-")}.index`;
      minnow.succeed(["build", "plain.f32", "--dimensions", String(dimensions),
        "-o", name, "--metric", "cosine", "--spec", `flat,${spec}`, "--seed", "5"]);
      minnow.succeed(["verify", name]);
      const info = JSON.parse(minnow.succeed(["info", name, "--json"]).stdout);
      assert.equal(info.spec, `flat,${spec}`);
      assert.deepEqual([info.codeBytes, info.refineBytes], [codeBytes, refineBytes]);
      assert.equal(Math.fround(info.compression), Math.fround(128 / (codeBytes + refineBytes)));
      assert.equal(info.training.least, least);
      assert.ok(info.training.enough >= least);
      assert.ok(info.error >= 0 && info.error < 1);
      const text = minnow.succeed(["info", name]).stdout;
      assert.match(text, new RegExp(`^ {2}bytes a code +${codeBytes}${
        refineBytes ? `, and ${refineBytes} to refine` : ""}: 1/`, "m"));
      assert.match(text, /^ {2}error +\S+ of the squared length$/m);
      const found = recall(answers(minnow, [name, "ask.f32"]));
      assert.ok(found >= floor, `recall ${found}`);
    });

  suite.each("precision is chosen at query time", (minnow) => {
    const index = "spec-bits8.index";
    const at = (...more) => recall(answers(minnow, [index, "ask.f32", ...more]));
    const steps = ["1", "2", "4", "8"].map((planes) => at("--planes", planes));
    steps.forEach((found, i) => assert.ok(i === 0 || found > steps[i - 1], String(steps)));
    const refined = at("--planes", "1", "--refine-planes", "8", "--refine-k", "30.5");
    assert.ok(refined > steps[2], `${refined}`);
    const said = minnow.succeed(["search", index, "ask.f32", "-k", "4", "--planes", "1",
      "--refine-planes", "4", "--refine-k", "2.2"]).stdout;
    assert.match(said, /^query 0: 4 nearest \(exact\), 1200 distances computed by 1 plane, 9 refined, \d+ bytes read$/m);
    for (const wrong of [["--planes", "3"], ["--refine-planes", "4"], ["--planes", "4", "--refine-planes", "2"]])
      minnow.fail(["search", index, "ask.f32", "-k", "1", ...wrong], 2,
        /--planes: spec-bits8.index is flat,bits8; bits1 to bits8 take 1, 2, 4 or all/);
    minnow.fail(["search", "spec-f32.index", "ask.f32", "-k", "1", "--planes", "1"], 2, /--planes: .*flat,f32/);
  });

  suite.each("refining more candidates finds more", (minnow) => {
    const found = ["1", "3", "40"].map((x) =>
      recall(answers(minnow, ["spec-bits1-refine=f16.index", "ask.f32", "--refine-k", x])));
    assert.ok(found[0] < found[1] && found[1] < found[2] && found[2] > 0.95, String(found));
  });

  suite.each("training on what is asked for", (minnow) => {
    const words = ["build", "plain.f32", "--dimensions", String(dimensions), "-o", "asked.index",
      "--metric", "l2", "--spec", "flat,pq8x8"];
    minnow.succeed([...words, "--train", "300"]);
    const some = minnow.read("asked.index");
    minnow.succeed(words);
    assert.ok(!some.equals(minnow.read("asked.index")), "another sample, another codebook");
    minnow.fail([...words, "--train", "255"], 2, /--train: this --spec needs at least 256 rows/);
  });

  // --- Codes by themselves ----------------------------------------------------

  suite.each("encode and decode", (minnow) => {
    for (const [spec, bytes, lost] of [["f32", 128, 1e-12], ["sq8", 32, 1e-3], ["pq16x8", 16, 0.3], ["opq,pq16x4", 8, 0.6]]) {
      const index = `spec-${spec.replaceAll(",", "-")}.index`;
      assert.match(minnow.succeed(["encode", index, "plain.f32", "-o", "codes.bin"]).stdout,
        /^codes\.bin: 1200 codes\n$/);
      const codes = minnow.read("codes.bin");
      assert.equal(codes.length, 1200 * bytes);
      minnow.succeed(["decode", index, "codes.bin", "-o", "back.f32"]);
      const back = minnow.read("back.f32");
      assert.equal(back.length, 1200 * 4 * dimensions);
      const floats = new Float32Array(back.buffer.slice(back.byteOffset, back.byteOffset + back.length));
      for (const i of [0, 600, 1199]) {
        const row = Array.from(rows[i]);
        const norm = Math.hypot(...row);
        const away = distances.l2(row.map((x) => x / norm), Array.from(floats.subarray(i * dimensions)));
        assert.ok(away <= lost, `${spec}, row ${i}: ${away}`);
      }
      minnow.succeed(["encode", index, "-", "--format", "f32", "-o", "again.bin"], { stdin: f32(rows) });
      assert.ok(minnow.read("again.bin").equals(codes));
      minnow.succeed(["decode", index, "-", "-o", "again.f32"], { stdin: codes });
      assert.ok(minnow.read("again.f32").equals(back));
    }
    minnow.write("cut.bin", Buffer.alloc(40));
    minnow.fail(["decode", "spec-sq8.index", "cut.bin", "-o", "x.f32"], 3,
      /cut\.bin: byte 32: ends after 8 of a code's 32 bytes/);
    minnow.write("none.bin", "");
    minnow.succeed(["decode", "spec-sq8.index", "none.bin", "-o", "none.f32"]);
    assert.equal(minnow.read("none.f32").length, 0);
    minnow.write("five.npy", npy(makeRows(2, 5, 1)));
    minnow.fail(["encode", "spec-sq8.index", "five.npy", "-o", "x.bin"], 3, /rows of 5 numbers, but the index says 32/);
    minnow.write("zero.npy", npy([new Float32Array(dimensions)]));
    minnow.fail(["encode", "spec-sq8.index", "zero.npy", "-o", "x.bin"], 3, /row 0\): a zero vector/);
    minnow.fail(["encode", "plain.f32", "plain.f32", "-o", "x.bin"], 4, /not a Minnow index/);
    minnow.fail(["encode", "spec-sq8.index", "plain.f32", "-o", "."], 6, /\.: not a file/);
  });

  // --- Bits -------------------------------------------------------------------

  suite.each("packed bits are what the floats' signs are", (minnow) => {
    for (const width of [32, 29]) {
      const cut = (list) => list.map((row) => row.subarray(0, width));
      const base = cut(rows.slice(0, 300)), asked = cut(queries);
      const more = ["--dimensions", String(width), "--metric", "hamming"];
      const sources = {
        "floats.npy": npy(base),
        "unsigned.npy": npy(packBits(base), { type: "|u1" }),
        "signed.npy": npy(signedBits(base), { type: "|i1" }),
      };
      let first;
      for (const [file, bytes] of Object.entries(sources)) {
        minnow.write(file, bytes);
        minnow.succeed(["build", file, "-o", `bits-${width}.index`, ...more]);
        first ??= minnow.read(`bits-${width}.index`);
        assert.ok(first.equals(minnow.read(`bits-${width}.index`)), file);
      }
      minnow.write("asked.npy", npy(packBits(asked), { type: "|u1" }));
      const found = answers(minnow, [`bits-${width}.index`, "asked.npy"]);
      found.forEach((answer, i) => assert.deepEqual(answer.distances,
        ranked(base, asked[i], "hamming").slice(0, K).map(({ distance }) => distance)));
      minnow.succeed(["encode", `bits-${width}.index`, "signed.npy", "-o", "bits.bin"]);
      assert.ok(minnow.read("bits.bin").equals(Buffer.concat(packBits(base).map((row) => Buffer.from(row)))));
    }
    // 29 dimensions that nobody told of are 32
    minnow.succeed(["build", "unsigned.npy", "-o", "whole.index", "--metric", "jaccard"]);
    assert.equal(JSON.parse(minnow.succeed(["info", "whole.index", "--json"]).stdout).dimensions, 32);
  });
}
