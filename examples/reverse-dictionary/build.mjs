// SPDX-License-Identifier: Apache-2.0
// node build.mjs [--count N | --all]
//
// Definitions → vectors → dictionary.minnow, and the files the page fetches.
import { copyFileSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
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
mkdirSync(join(PUBLIC, "encoder"), { recursive: true });
writeIndex(collection.toBytes());
await writePublicFiles();

async function index(dictionary, vectors) {
  // A byte a dimension, in bit planes: a quarter of the download, the same
  // answers, nothing to link, and a search reads the first plane of all and
  // the others of few.
  const collection = await Collection.create({
    dimensions: DIMENSIONS,
    metric: "cosine",
    spec: "flat,bits8",
    capacity: dictionary.length,
  });
  collection.train(sample(vectors, collection.info().training.enough));
  const bar = progress("indexing", dictionary.length);
  for (let at = 0; at < dictionary.length; at += 500) {
    const batch = dictionary.slice(at, at + 500);
    collection.add(batch.map((definition, i) => ({ ...definition, vector: vectors[at + i] })));
    bar.add(batch.length);
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
  const { spec } = collection.info();
  console.error(`dictionary.minnow: ${number(collection.size)} definitions, ${spec}, ${number(bytes.length)} bytes`);
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
