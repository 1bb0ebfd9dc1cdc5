// SPDX-License-Identifier: Apache-2.0
// node build.mjs [--count N | --all]
//
// Definitions → vectors → dictionary.minnow, and the files the page fetches.
import { copyFileSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Collection } from "minnow";
import { DIMENSIONS } from "./encoder.js";
import { encodeAll } from "./steps/encode.mjs";
import { ENCODER_FOLDER, encoderFiles } from "./steps/node-encoder.mjs";
import { CACHE, INDEX, PUBLIC } from "./steps/paths.mjs";
import { number, progress } from "./steps/progress.mjs";
import { definitions } from "./steps/wordnet.mjs";
import { definitionParts } from "./texts.js";

const { values: options } = parseArgs({
  options: { count: { type: "string", default: "5000" }, all: { type: "boolean", default: false } },
});
const count = options.all ? Infinity : Number(options.count);
if (!(count >= 1)) {
  console.error(`--count must be a number from 1, not "${options.count}"`);
  process.exit(2);
}

const dictionary = definitions().slice(0, count);
const vectors = await encodeAll(dictionary.map(definitionParts), CACHE);
const collection = await index(dictionary, vectors);
const packed = await collection.pack();
mkdirSync(join(PUBLIC, "encoder"), { recursive: true });
writeIndex(packed.toBytes());
await writePublicFiles();

async function index(dictionary, vectors) {
  // A byte a dimension, in bit planes: a quarter of the floats, the same answers,
  // and a search walks the graph by the first plane and reads the others of few.
  const collection = await Collection.create({
    dimensions: DIMENSIONS,
    metric: "cosine",
    spec: "hnsw16,bits8",
    capacity: dictionary.length,
  });
  collection.train(sample(vectors, collection.info().training.enough));
  const documents = dictionary.map((definition, i) => ({ ...definition, vector: vectors[i] }));
  const bar = progress("indexing", documents.length);
  // In parts, as each is copied with its floats; one is enough for the threads.
  for (let at = 0; at < documents.length; at += 20_000) {
    const part = documents.slice(at, at + 20_000);
    let before = 0;
    const onProgress = ({ done }) => {
      bar.add(done - before);
      before = done;
    };
    await collection.addAsync(part, { threads: Math.min(availableParallelism(), 32), onProgress });
    bar.add(part.length - before); // less than a batch waits, and is scanned
  }
  bar.end();
  return collection;
}

function sample(vectors, size) {
  const step = Math.max(1, vectors.length / size);
  const rows = [];
  for (let at = 0; at < vectors.length; at += step) rows.push(vectors[Math.floor(at)]);
  const floats = new Float32Array(rows.length * DIMENSIONS);
  rows.forEach((row, i) => floats.set(row, i * DIMENSIONS));
  return floats;
}

// Renamed when whole, so that a run that is killed leaves the last index.
function writeIndex(bytes) {
  writeFileSync(`${INDEX}.part`, bytes);
  renameSync(`${INDEX}.part`, INDEX);
  const { spec, graphBytes } = packed.info();
  console.error(
    `dictionary.minnow: ${number(packed.size)} definitions, ${spec}, packed: ${number(bytes.length)} bytes, ` +
      `of them ${number(graphBytes)} of links (live ${number(collection.info().graphBytes)})`,
  );
}

// files.json tells the page what to fetch and how many bytes that is.
async function writePublicFiles() {
  const names = ["dictionary.minnow"];
  for (const name of await encoderFiles()) {
    copyFileSync(join(ENCODER_FOLDER, name), join(PUBLIC, "encoder", name));
    names.push(`encoder/${name}`);
  }
  const files = names.map((name) => ({ name, bytes: statSync(join(PUBLIC, name)).size }));
  writeFileSync(join(PUBLIC, "files.json"), `${JSON.stringify({ files }, null, 2)}\n`);
}
