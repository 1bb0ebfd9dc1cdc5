// SPDX-License-Identifier: Apache-2.0
// Texts → vectors, on every core, through the cache.
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { BATCH, DIMENSIONS, MODEL } from "../encoder.js";
import { Cache } from "./cache.mjs";
import { progress } from "./progress.mjs";

// A Float32Array for each list of parts, [{ text, weight }]: the weighted sum of
// their vectors. What is in the cache file already is not encoded again.
export async function encodeAll(lists, cachePath) {
  const cache = new Cache(cachePath, { model: MODEL, dimensions: DIMENSIONS });
  const texts = new Set(lists.flat().map(({ text }) => text));
  const missing = [...texts].filter((text) => !cache.get(text));
  if (missing.length > 0) await encode(missing, cache);
  return lists.map((parts) => {
    const sum = new Float32Array(DIMENSIONS);
    for (const { text, weight } of parts) {
      cache.get(text).forEach((value, i) => (sum[i] += weight * value));
    }
    return sum;
  });
}

async function encode(texts, cache) {
  const batches = inBatches(texts);
  const bar = progress("embedding", texts.length);
  // Each worker holds a copy of the weights and its tensors, about 300 MB.
  const workers = Math.min(availableParallelism(), 8, batches.length);
  await Promise.all(
    Array.from({ length: workers }, async () => {
      const worker = new Worker(new URL("encode-worker.mjs", import.meta.url));
      try {
        for (let batch; (batch = batches.pop()); bar.add(batch.length)) {
          worker.postMessage(batch);
          const [floats] = await once(worker, "message");
          cache.add(batch.map((text, i) => [text, floats.slice(i * DIMENSIONS, (i + 1) * DIMENSIONS)]));
        }
      } finally {
        await worker.terminate();
      }
    }),
  );
  bar.end();
}

// A batch is padded to its longest text, so texts of a length go together; the
// batches are scattered by the golden ratio, so that the time left is told
// right from the start.
function inBatches(texts) {
  texts.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const batches = [];
  for (let at = 0; at < texts.length; at += BATCH) batches.push(texts.slice(at, at + BATCH));
  const place = new Map(batches.map((batch, i) => [batch, (i * 0.6180339887) % 1]));
  return batches.sort((a, b) => place.get(a) - place.get(b));
}
