// SPDX-License-Identifier: Apache-2.0
// Minnow and hnswlib natively, one thread each, in turns (measure.mjs).
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { prepare, root, setArguments } from "./data.mjs";
import { measure } from "./measure.mjs";
import { commandLine, publish } from "./report.mjs";

const here = join(root, "tests/bench");
const out = join(root, "build/bench");
const library = join(root, "build/native/libminnow.a");

/** [name, program, SPEC for it, spec in the table] */
function peersFor({ specs, quick }) {
  const minnow = specs.map((spec) => ["Minnow", "minnow", spec, spec]);
  const peer = (flags, program) => [`hnswlib (${flags})`, program, "16,200", "hnsw16,f32"];
  const avx = peer("-mavx2", "hnswlib-avx2");
  return quick ? [...minnow, avx] : [...minnow, peer("SSE", "hnswlib-sse"), avx];
}

/** As a packager compiles: no -march. hnswlib chooses its distance functions
 * when it is compiled, so it is also compiled for the CPU at hand; Minnow
 * chooses at run time. */
function compile() {
  mkdirSync(out, { recursive: true });
  if (!existsSync(library)) throw new Error(`${library} is missing: cmake --preset native && cmake --build --preset native`);
  const made = (name) => ["-o", join(out, name)];
  const run = (compiler, ...parts) => execFileSync(compiler, parts, { cwd: here, stdio: "inherit" });
  run("cc", "-std=c11", "-O3", ...made("minnow"), "native.c", library, "-lm");
  run("c++", "-O3", "-DNDEBUG", ...made("hnswlib-sse"), "hnswlib.cpp");
  run("c++", "-O3", "-DNDEBUG", "-mavx2", "-mfma", ...made("hnswlib-avx2"), "hnswlib.cpp");
}

/** Starts a program of peer.h's kind; it has built when this resolves. */
async function start(set, [name, program, argument, spec]) {
  const child = spawn(join(out, program), [...setArguments(set), argument], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name} ${spec} stopped`);
    return JSON.parse(value);
  };
  const ask = (line) => {
    child.stdin.write(`${line}\n`);
    return answer();
  };
  return {
    library: name, spec, vectors: set.n, exhaustive: spec.startsWith("flat"),
    build: await answer(),
    count: (ef) => ask(`count ${ef}`),
    time: (ef, queries) => ask(`time ${ef} ${Math.min(queries, set.queries)}`),
    close: () => child.stdin.end(),
  };
}

const options = commandLine({
  specs: ["flat,f32", "flat,f16", "flat,bf16", "flat,sq8", "hnsw16,f32", "hnsw16,f16", "hnsw16,bf16", "hnsw16,sq8"],
  quickSpecs: ["flat,sq8", "hnsw16,f32", "hnsw16,sq8"],
});
const log = (text) => process.stderr.write(`${text}\n`);
compile();
const results = [];
for (const set of await prepare({ folder: options.data, count: options.count, only: options.sets })) {
  const peers = [];
  for (const peer of peersFor(options)) {
    log(`${set.name}: building ${peer[0]} ${peer[3]}`);
    peers.push(await start(set, peer));
  }
  results.push({ set, rows: await measure(peers, { passes: options.passes, log }) });
  for (const peer of peers) peer.close();
}
publish("native", options, results);
