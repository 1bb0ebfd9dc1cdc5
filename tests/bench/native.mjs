// SPDX-License-Identifier: Apache-2.0
// Minnow, hnswlib and Faiss natively, one thread each, in turns (measure.mjs).
import { drawGraphs } from "./curves.mjs";
import { prepare, setArguments } from "./data.mjs";
import { measure } from "./measure.mjs";
import { compile, compileWithFaiss, compileWithMinnow, launch } from "./programs.mjs";
import { commandLine, peerTables, publish } from "./report.mjs";

const isIvf = (spec) => spec.startsWith("ivf");

/** [name, program, SPEC for it, spec in the table]: peers of the structures that
 * Minnow is measured in. */
function peersFor({ specs, sse }) {
  const minnow = specs.map((spec) => ["Minnow", "minnow", spec, spec]);
  const peer = (name, program) => [name, program, "16,200", "hnsw16,f32"];
  const best = [peer("hnswlib (AVX2)", "hnswlib-avx2"), peer("Faiss (AVX2)", "faiss-avx2")];
  const packaged = [peer("hnswlib (SSE)", "hnswlib-sse"), peer("Faiss (SSE)", "faiss")];
  const graphs = specs.every(isIvf) ? [] : [...best, ...(sse ? packaged : [])];
  const lists = ["flat", "sq8"].map((encoding) =>
    [`Faiss IVF, ${encoding} (AVX2)`, "faiss-avx2", `ivf,${encoding}`, `ivf,${encoding === "flat" ? "f32" : encoding}`]);
  return [...minnow, ...graphs, ...(specs.some(isIvf) ? lists : [])];
}

/** hnswlib and Faiss choose their distance functions when they are compiled, so
 * each is there as packaged and with AVX2. */
function compileAll() {
  compileWithMinnow("minnow", "native.c");
  compile("c++", "hnswlib-sse", "-DNDEBUG", "hnswlib.cpp");
  compile("c++", "hnswlib-avx2", "-DNDEBUG", "-mavx2", "-mfma", "hnswlib.cpp");
  compile("c++", "faiss", "-fopenmp", "faiss.cpp", "-lfaiss", "-llapack", "-lblas");
  compileWithFaiss("faiss-avx2", "faiss.cpp");
}

/** Starts a program of peer.h's kind; it has built when this resolves. */
async function start(set, [library, program, argument, spec]) {
  const { ready, ask, close } = await launch(program, [...setArguments(set), argument]);
  return {
    library, spec, vectors: set.n, build: ready, close,
    count: (ef) => ask(`count ${ef}`),
    time: (ef, queries) => ask(`time ${ef} ${Math.min(queries, set.queries)}`),
  };
}

const options = commandLine({
  specs: ["flat,f32", "flat,sq8", "flat,bits8", "hnsw16,f32", "hnsw16,f16", "hnsw16,sq8", "hnsw16,bits8", "hnsw16,bits8 packed", "hnsw16,bits4,refine=sq8 packed"],
  quickSpecs: ["flat,sq8", "flat,bits8", "hnsw16,f32", "hnsw16,sq8", "hnsw16,bits8", "hnsw16,bits8 packed"],
});
const log = (text) => process.stderr.write(`${text}\n`);
compileAll();
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
publish("native", options, results, peerTables(results));
drawGraphs("native", results);
