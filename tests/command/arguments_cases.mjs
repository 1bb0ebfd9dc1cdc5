// SPDX-License-Identifier: Apache-2.0
// The command line: help, version, and mistakes in it.
import assert from "node:assert/strict";
import { makeRows, npy } from "./vectors.mjs";

const commands = ["build", "pack", "thaw", "search", "upsert", "update", "delete", "merge", "repair",
  "compact", "tune", "audit", "encode", "decode", "info", "verify"];
const build = ["build", "rows.npy", "-o", "out.index"];
const l2 = ["--metric", "l2"];

// [words, what standard error says]; all end with 2.
const mistakes = [
  [["bild"], /bild: not a command; give build, pack, thaw, search, upsert, update, delete, merge, repair,/],
  [["build"], /build: INPUT is missing; see `minnow build --help`/],
  [["build", "rows.npy", ...l2], /-o INDEX is missing/],
  [build, /--metric l2\|ip\|cosine\|hamming\|jaccard is missing/],
  [[...build, "--metric", "l1"], /`l1` is not a metric; give l2, ip, cosine, hamming or jaccard/],
  [[...build, "--metric"], /--metric lacks its value, l2\|ip\|cosine\|hamming/],
  [[...build, ...l2, "--metric=ip"], /--metric is given twice/],
  [[...build, ...l2, "--speck", "f32"], /no option is called `--speck`/],
  [[...build, ...l2, "more.npy"], /`more.npy` is one argument too many/],
  [[...build, ...l2, "--spec", "hnsw16,f33"], /\n {2}hnsw16,f33\n {9}\^/],
  [[...build, ...l2, "--spec", "ivy,f32"], /\n {2}ivy,f32\n {2}\^/],
  [[...build, ...l2, "--spec", "hnsw3"], /--spec: not understood/],
  [[...build, ...l2, "--spec", "flat,pq8x5"], /\n {2}flat,pq8x5\n {7}\^/],
  [[...build, ...l2, "--spec", "sq8,pca4"], /\n {2}sq8,pca4\n {6}\^/],
  [[...build, ...l2, "--spec", "f32,refine=sign"], /\n {6}\^/],
  [[...build, ...l2, "--spec", "sign"], /--spec: sign is for --metric hamming or jaccard, not l2/],
  [[...build, ...l2, "--spec", "opq,sq8"], /--spec: opq goes with pq or prq/],
  [[...build, "--metric", "hamming", "--spec", "f32"], /--metric hamming takes .*\[,sign\]/],
  [[...build, "--metric", "jaccard", "--spec", "pca4,sign"], /--metric jaccard takes/],
  [[...build, "--metric", "jaccard", "--spec", "sign,refine=f32"], /--metric jaccard takes/],
  [[...build, ...l2, "--dimensions", "30", "--spec", "pq8x8"],
    /--spec: pq cuts a vector of 30 dimensions into 8 parts/],
  [[...build, ...l2, "--dimensions", "30", "--spec", "first31,f32"],
    /--spec: 31 dimensions cannot be kept of vectors of 30/],
  [[...build, ...l2, "--dimensions", "30", "--spec", "pca20,pq30x8"],
    /a vector of 20 dimensions into 30 parts/],
  [[...build, ...l2, "--train", "0"], /--train: `0` is not an integer from 1/],
  [[...build, ...l2, "--seed", "-1"], /--seed: `-1` is not an integer from 0/],
  [[...build, ...l2, "--seed", "18446744073709551616"], /--seed: /],
  [[...build, ...l2, "--dimensions", "0"], /--dimensions: `0` is not .* from 1 to 65535/],
  [[...build, ...l2, "--ef-construction", "8"], /--ef-construction: 8 is less than the graph's M/],
  [[...build, ...l2, "--threads", "0"], /--threads: `0` is not an integer from 1 to 64/],
  [[...build, ...l2, "--threads=65"], /--threads: `65` is not an integer from 1 to 64/],
  [[...build, ...l2, "--spec", "flat", "--budget", "1MB"], /--budget: goes with --spec auto; flat leaves/],
  [[...build, ...l2, "--spec", "auto,sq8", "--budget", "1MB"], /--budget: goes with --spec auto; auto,sq8/],
  ...["0", "MB", "1TB", "1mb", "1.5MB", "-1", "99999999999999999999", "18446744074GB"].map((bytes) =>
    [[...build, ...l2, `--budget=${bytes}`],
      new RegExp(`--budget: \`${bytes}\` is not a number of bytes, such as 20000000, 20MB`)]),
  [["upsert", "x.index", "rows.npy", "-o", "rows.npy"], /-o: rows.npy is the input/],
  [["update", "x.index", "-", "-o", "y.index", "--format", "f32", "--keys", "-"],
    /--keys: standard input cannot be both/],
  [["update", "x.index", "-o", "y.index"], /update: INPUT is missing; see `minnow update --help`/],
  [["repair", "x.index"], /repair: -o OUT is missing/],
  [["compact", "x.index"], /compact: -o OUT is missing/],
  [["compact", "x.index", "-o", "y.index", "--keys", "k.txt"], /no option is called `--keys`/],
  [["pack", "x.index"], /-o OUT is missing/],
  [["thaw", "x.index", "-o", "y.index", "--capacity", "0"], /--capacity: `0` is not an integer from 1/],
  [["thaw"], /INDEX is missing/],
  [[...build, ...l2, "--format", "csv"], /`csv` is not a format; give npy, fvecs, f32 or jsonl/],
  [["build", "rows.csv", "-o", "out.index", ...l2], /rows.csv: the name does not tell the format/],
  [["build", "-", "-o", "out.index", ...l2], /standard input: the name does not tell/],
  [["build", "rows.npy", "-o", "-", ...l2], /-o: an index goes to a file/],
  [["build", "rows.npy", "-o", "rows.npy", ...l2], /-o: rows.npy is the input/],
  [["build", "-", "-o", "out.index", ...l2, "--format", "f32", "--keys", "-"],
    /--keys: standard input cannot be both/],
  [["build", "rows.f32", "-o", "out.index", ...l2], /rows.f32: raw .* add --dimensions D/],
  [["search", "x.index", "rows.npy"], /-k K is missing/],
  [["search", "x.index", "rows.npy", "-k", "0"], /-k: `0` is not an integer from 1 to 65535/],
  [["search", "x.index", "rows.npy", "-k", "ten"], /-k: `ten` is not an integer/],
  [["search", "x.index", "rows.npy", "-k", "1", "--ef", "65536"], /--ef: `65536`/],
  [["search", "x.index", "rows.npy", "-k", "1", "--json=1"], /--json takes no value/],
  [["search", "x.index", "rows.npy", "-k", "1", "--planes", "9"], /--planes: `9` is not .* from 1 to 8/],
  [["search", "x.index", "rows.npy", "-k", "1", "--refine-k", "0.9"], /--refine-k: `0.9` is not a number from 1/],
  [["search", "x.index", "rows.npy", "-k", "1", "--refine-k", "1e3"], /--refine-k: `1e3`/],
  [["search", "x.index", "rows.npy", "-k", "1", "--refine-k", "inf"], /--refine-k: `inf`/],
  [["encode", "x.index", "rows.npy"], /-o CODES is missing/],
  [["decode", "x.index"], /CODES is missing/],
  [["info"], /INDEX is missing/],
  [["verify", "a", "b"], /`b` is one argument too many/],
];

export function run(suite) {
  suite.each("help and version", (minnow) => {
    const help = minnow.succeed(["--help"]);
    assert.equal(help.stderr, "");
    for (const command of commands)
      assert.match(help.stdout, new RegExp(`minnow ${command} `));
    for (let code = 0; code <= 6; code++)
      assert.match(help.stdout, new RegExp(`^ {2}${code} {2}\\w`, "m"));
    for (const command of commands)
      assert.match(minnow.succeed([command, "--help"]).stdout,
        new RegExp(`^Usage: minnow ${command} `));
    assert.match(minnow.succeed(["--version"]).stdout,
      /^minnow \d+\.\d+\.\d+, index format \d+\.\d+\n$/);
    for (const line of help.stdout.split("\n")) assert.ok(line.length <= 80, line);
  });

  suite.each("nothing at all gives the help on standard error", (minnow) => {
    const said = minnow.run([]);
    assert.equal(said.code, 2);
    assert.match(said.stderr, /^minnow: vector search.*\n\nUsage:/);
  });

  suite.each("every option of the help is taken", (minnow) => {
    minnow.write("rows.npy", npy(makeRows(5, 4, 1)));
    minnow.write("five.txt", "5\n4\n3\n2\n1\n");
    minnow.succeed(["build", "--spec=hnsw8,f16", "--seed=7", "--keys=five.txt", "--train=5",
      "--ef-construction", "40", "--dimensions", "4", "--format", "npy",
      "--metric", "cosine", "-o", "options.index", "--", "rows.npy"]);
    const info = JSON.parse(minnow.succeed(["info", "options.index", "--json"]).stdout);
    assert.equal(info.spec, "hnsw8,f16");
    assert.equal(info.seed, 7);
    assert.equal(info.efConstruction, 40);
    assert.equal(info.metric, "cosine");
    assert.equal(info.auto, false);
  });

  for (const [words, message] of mistakes)
    suite.each(`mistake: ${words.join(" ")}`, (minnow) => {
      minnow.write("rows.f32", Buffer.alloc(64));
      minnow.fail(words, 2, message);
    });
}
