// SPDX-License-Identifier: Apache-2.0
// Runs the list of cases on every target and compares the hashes. README.md.
import { spawn } from "node:child_process";
import { readFile, rm, mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { BROWSERS, open, serve } from "../browser/browsers.mjs";
import { EMULATED, inParallel } from "../emulated.mjs";
import { isKnown } from "../format/changes.mjs";
import { parse, run as runPackage } from "./conformance.mjs";

const root = new URL("../../", import.meta.url).pathname;
const list = `${root}tests/conformance/cases.tsv`;
const golden = `${root}tests/format/golden`;
const SHOWN = 5; // failures of a target
// What slow emulators leave out, unless told --all.
const upTo = (vectors, numbers) => (c) => c.n <= vectors && c.n * c.dimensions <= numbers;
const isSmall = upTo(1000, 52000);
const isTiny = upTo(300, 13000); // where floats are computed in software
const GOLDEN_MAX = 140; // vectors; these images take a few KB each

// --- Targets: each takes the list's text and gives a line per case ----------

function program(command, ...args) {
  return (text) =>
    new Promise((done, fail) => {
      const child = spawn(command, args, {
        cwd: root,
        stdio: ["pipe", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.on("data", (data) => (output += data));
      child.stdin.on("error", () => {}); // it ended early: that shows below
      child.on("error", fail);
      child.on("close", (code, signal) => {
        const lines = output.trim().split("\n");
        if (code !== 0) lines.push(`the program\tended with ${signal ?? code}\t-`);
        done(lines);
      });
      child.stdin.end(text);
    });
}

const native = (preset, mask, ...args) =>
  program(
    `${root}build/${preset}/tests/conformance`,
    ...["--features", mask, ...args],
  );

const wasi = (preset) =>
  program(
    process.execPath,
    "--no-warnings",
    "tests/wasi.mjs",
    `build/${preset}/tests/conformance.wasm`,
  );

const inNode = (wasm) => async (text) => {
  const minnow = await import(`${root}js/dist/minnow.js`);
  return runPackage(minnow, wasm, text);
};

const inBrowser = (browser, wasm) => async (text) => {
  const server = await serve({
    "/": `${root}tests/conformance`,
    "/minnow/": `${root}js/dist`,
  });
  try {
    const page = await open(browser, server.url);
    try {
      return await page.evaluate(
        async ([twin, cases]) => {
          const minnow = await import("/minnow/minnow.js");
          const { run } = await import("/conformance.mjs");
          return run(minnow, twin, cases);
        },
        [wasm, text],
      );
    } finally {
      await page.close();
    }
  } finally {
    await server.close();
  }
};

// MN_CPU_ masks, walked downward: everything, without AVX-512, then the
// portable kernels.
const masks = [0xffffffff, 1, 0];

const targets = []; // the slowest first, as several run at a time
for (const { name, preset, run, whole, soft } of EMULATED) {
  const [command, args] = run(`build/${preset}/tests/conformance`);
  const takesAll = whole || process.argv.includes("--all");
  const takes = takesAll ? undefined : soft ? isTiny : isSmall;
  targets.push([name, program(command, ...args), takes]);
}
for (const preset of ["native", "native-clang", "sanitize"]) {
  for (const mask of masks) {
    const name = `${preset} ${mask.toString(16)}`;
    targets.push([name, native(preset, String(mask))]);
  }
}
for (const preset of ["wasi", "wasi-scalar", "wasm-relaxed"]) {
  targets.push([preset, wasi(preset)]);
}
for (const wasm of ["simd", "scalar"]) {
  targets.push([`node ${wasm}`, inNode(wasm)]);
  for (const browser of Object.keys(BROWSERS)) {
    targets.push([`${browser} ${wasm}`, inBrowser(browser, wasm)]);
  }
}

// --- Comparing --------------------------------------------------------------

let passed = 0;
let failed = 0;

function report(target, failures, count, seconds, left = 0) {
  passed += count - failures.length;
  failed += failures.length;
  const time = seconds === undefined ? "" : `${seconds.toFixed(1)} s`;
  const out = left ? `   ${left} large cases left out (--all runs them)` : "";
  console.log(
    `${target.padEnd(22)} ${count - failures.length} of ${count} ${time}${out}`,
  );
  failures.slice(0, SHOWN).forEach((line) => console.log(`    ${line}`));
  if (failures.length > SHOWN) {
    console.log(`    … and ${failures.length - SHOWN} more`);
  }
}

async function check([name, run, takes], all, whole) {
  const cases = takes ? all.filter(takes) : all;
  const names = new Set(cases.map((c) => c.name));
  const text = whole
    .split("\n")
    .filter((line) => line.startsWith("#") || names.has(line.split("\t")[0]))
    .concat("")
    .join("\n");
  const start = performance.now();
  let lines;
  try {
    lines = await run(text);
  } catch (error) {
    lines = [];
    console.log(`    ${error.message.split("\n")[0]}`);
  }
  const got = new Map(lines.map((line) => line.split("\t")).map((l) => [l[0], l]));
  const failures = [];
  const end = got.get("the program")?.[1];
  if (end) failures.push(`the program ${end}`);
  for (const c of cases) {
    const [, block, answers] = got.get(c.name) ?? ["", "nothing", "nothing"];
    if (block !== c.block || answers !== c.answers) {
      failures.push(
        `${c.name}: block ${block}, not ${c.block}; ` +
          `answers ${answers}, not ${c.answers}`,
      );
    }
  }
  report(name, failures, cases.length, (performance.now() - start) / 1000, all.length - cases.length);
}

// What makes another block of the same vectors; all other ways make one.
const ENDS = { pack: "packed", repack: "packed", thaw: "thawed" };

// The same vectors and questions give the same answers, whatever the way, and
// the same block, if it is live, packed or thawed.
function checkList(cases) {
  const first = new Map();
  const failures = [];
  let count = 0;
  for (const c of cases.filter((one) => one.how !== "attach")) {
    const { name, how, block, answers, ...rest } = c;
    for (const [what, end] of [["answers", ""], ["block", ENDS[how] ?? "live"]]) {
      const id = JSON.stringify([what, end, rest]);
      const other = first.get(id);
      if (!other) {
        first.set(id, c);
        continue;
      }
      count++;
      if (other[what] !== c[what]) {
        failures.push(`${what} of ${name} (${how}) and ${other.name} (${other.how}) differ`);
      }
    }
  }
  report("ways to one block", failures, count);
}

// --- Updating ---------------------------------------------------------------

// Small, and such that tests/format can say what is in it and what is found.
const isGolden = (c) =>
  Number(c.n) <= GOLDEN_MAX &&
  isKnown(c) &&
  /^(-|((gamma|planes|refine_by|refine_k)=\S+|fetch| )+)$/.test(c.search);

async function update(text) {
  const lines = text.trim().split("\n");
  const got = await native("native", "0")(text);
  const hashes = new Map(got.map((l) => l.split("\t")).map((l) => [l[0], l]));
  const updated = lines.map((line) => {
    const cells = line.split("\t");
    return line.startsWith("#")
      ? line
      : [...cells.slice(0, -2), ...hashes.get(cells[0]).slice(1)].join("\t");
  });
  await writeFile(list, updated.join("\n") + "\n");
  await rm(golden, { recursive: true, force: true });
  await mkdir(golden, { recursive: true });
  const small = new Set(parse(text).filter(isGolden).map((c) => c.name));
  const chosen = lines.filter((line) => small.has(line.split("\t")[0]));
  await native("native", "0", "--save", golden)(chosen.join("\n") + "\n");
  console.log(`updated ${got.length} cases and ${small.size} golden images`);
}

const wanted = process.argv.slice(2).filter((a) => !a.startsWith("--"));
if (process.argv.includes("--update")) await update(await readFile(list, "utf8"));
const text = await readFile(list, "utf8");
const cases = parse(text);
checkList(cases);
const chosen = targets.filter(
  ([name]) => !wanted.length || wanted.some((w) => name.startsWith(w)),
);
// A target takes little more than a core.
await inParallel(chosen, cpus().length, (target) => check(target, cases, text));
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed || !passed ? 1 : 0;
