// SPDX-License-Identifier: Apache-2.0
// What surrounds the command: terminals, disks, memory.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { f32, makeRows } from "./vectors.mjs";
import { shellQuoted } from "./suite.mjs";

const shell = (prefix) => (words) => ["bash", "-c", `${prefix} "$@"`, "bash", ...words];
const terminal = (words) => ["script", "-qec", shellQuoted(words), "/dev/null"];

export function run(suite) {
  suite.each("a progress bar on a terminal, and only there", (minnow) => {
    minnow.write("rows.f32", f32(makeRows(3000, 16, 71)));
    const words = ["build", "rows.f32", "--dimensions", "16", "-o",
      "progress.index", "--metric", "l2", "--spec", "hnsw16"];
    const quiet = minnow.succeed(words);
    assert.equal(quiet.stderr, "");
    assert.match(quiet.stdout,
      /^progress\.index: 3000 vectors of 16 dimensions, l2, hnsw16,f32, \d+ bytes\n$/);

    const shown = minnow.succeed(words, { wrap: terminal, compare: false }).stdout;
    const drawn = shown.split("\r").map((line) => line.trimEnd());
    assert.ok(drawn.some((line) => /^reading \[#*\.*\] +\d+ % {2}\d+ vectors/.test(line)), shown);
    assert.ok(drawn.some((line) => /^linking \[#*\.*\] +\d+ % {2}\d+ vectors/.test(line)), shown);
    for (const line of drawn) assert.ok(line.length < 80, line);
    // The bar is gone before the last line comes.
    assert.match(shown, /\r {78}\rprogress\.index: 3000 vectors/);

    const piped = minnow.succeed(
      ["build", "-", "--format", "f32", ...words.slice(2)],
      { wrap: (w) => terminal(shell("cat rows.f32 |")(w)), compare: false }).stdout;
    assert.match(piped, /\rreading \d+ vectors/);
  });

  // Ctrl-C while the graph is linked, which takes seconds; WASI has no signals.
  suite.each("an interrupted build leaves what was there", (minnow) => {
    minnow.write("long.f32", f32(makeRows(30000, 32, 89)));
    minnow.write("old.block", "before");
    const words = ["build", "long.f32", "--dimensions", "32", "-o", "old.block", "--metric", "l2",
      "--spec", "hnsw32,f32", "--ef-construction", "2000"];
    for (const [signal, number] of [["INT", 2], ["TERM", 15], ["HUP", 1]]) {
      const interrupting = `set -m; "$@" & pid=$!
        for ((i = 0; i < 200; i++)); do [ -e old.block.tmp ] && break; sleep .05; done
        sleep .3; [ -e old.block.tmp ] || exit 90
        kill -${signal} $pid; wait $pid`;
      const { code } = minnow.run(words, { compare: false, wrap: (w) => ["bash", "-c", interrupting, "bash", ...w] });
      assert.equal(code, 128 + number, signal);
      assert.ok(!minnow.has("old.block.tmp"), signal);
      assert.equal(minnow.read("old.block").toString(), "before");
    }
  }, { targets: suite.targets.filter(({ isWasi }) => !isWasi) });

  suite.each("standard input that comes late", (minnow) => {
    minnow.write("late.f32", f32(makeRows(9, 4, 79)));
    minnow.succeed(["build", "-", "--format", "f32", "--dimensions", "4",
      "--metric", "l2", "-o", "late.index"],
    { wrap: shell("(sleep 1; cat late.f32) |") });
    assert.match(minnow.succeed(["verify", "late.index"]).stdout, /9 vectors/);
  });

  suite.each("places that cannot be written", (minnow) => {
    minnow.write("rows.f32", f32(makeRows(10, 4, 73)));
    mkdirSync(minnow.path("folder"), { recursive: true });
    const words = (out) =>
      ["build", "rows.f32", "--dimensions", "4", "--metric", "l2", "-o", out];
    minnow.fail(words("absent/out.index"), 6, /absent\/out\.index\.tmp: cannot be written: No such/);
    minnow.fail(words("folder"), 6, /folder: not a file/);
    minnow.succeed(words("full.index"));
    for (const rest of [["info", "full.index"], ["--help"],
      ["search", "full.index", "rows.f32", "-k", "3"]])
      minnow.fail(rest, 6, /standard output: cannot be written: No space left/,
        { wrap: (w) => shell("exec >/dev/full;")(w) });
  });

  // Files may grow to 4 KB; the index is larger.
  suite.each("a disk that fills up while the index is written", (minnow) => {
    minnow.write("rows.f32", f32(makeRows(1000, 4, 83)));
    minnow.fail(["build", "rows.f32", "--dimensions", "4", "--metric", "l2",
      "-o", "large.index"], 6,
    /^minnow: large\.index\.tmp: cannot be written: File too large\n$/,
    { wrap: shell("trap '' XFSZ; ulimit -f 4; exec") });
  });

  suite.each("things that cannot be read", (minnow) => {
    const more = ["-o", "out.index", "--metric", "l2", "--dimensions", "4"];
    minnow.fail(["build", "absent.f32", ...more], 3, /absent\.f32: cannot be opened: No such file/);
    minnow.fail(["build", "folder", "--format", "f32", ...more], 3, /folder: cannot be (read|opened)/,
      { compare: false });
  });

  // Files with holes: as long as they say, and no longer on the disk.
  suite.each("too much", (minnow) => {
    const hole = (name, bytes) =>
      assert.equal(spawnSync("truncate", ["-s", String(bytes), minnow.path(name)]).status, 0);
    const words = (name, dimensions) => ["build", name, "--dimensions",
      String(dimensions), "-o", "out.index", "--metric", "l2", "--spec", "flat"];
    hole("rows.f32", 4 * 2 ** 31);
    minnow.fail(words("rows.f32", 1), 3, /rows\.f32: more than 2147483647 rows/);
    hole("rows.f32", 6 * 2 ** 30);
    const limit = minnow.target.isWasi ? {} : { wrap: shell("ulimit -v 1000000; exec") };
    if (!minnow.target.isSanitized)
      minnow.fail(words("rows.f32", 1024), 5,
        /out of memory: \d+ bytes are needed|too large for this program's address space/,
        { ...limit, compare: false });
    hole("rows.f32", 0);
  });
}
