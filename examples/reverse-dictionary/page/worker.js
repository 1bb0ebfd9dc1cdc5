// SPDX-License-Identifier: Apache-2.0
// The worker holds the encoder and the index, so that the page never waits.
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import scalar from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import { expose } from "comlink";
import { Collection } from "minnow";
import { BATCH, createEncoder } from "../encoder.js";
import { answer, lookUp } from "../lookup.js";
import { ALL, STOPS, compare } from "../precision.js";
import { sentence } from "../texts.js";
import { download } from "./download.js";

setWasmPaths({
  "tfjs-backend-wasm.wasm": scalar,
  "tfjs-backend-wasm-simd.wasm": simd,
  "tfjs-backend-wasm-threaded-simd.wasm": simd, // must be given; encoder.js uses no threads
});

let encoder;
let collection;
let asked = {}; // the last question and its vector

expose({
  // Fetches everything once; from here on nothing is fetched any more.
  async load(base, onProgress) {
    const start = performance.now();
    const { files } = await (await download(new URL("files.json", base))).json();
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    const fetched = {};
    for (const { name } of files) {
      fetched[name] = await download(new URL(name, base), (bytes) => {
        onProgress({ done: (done += bytes), total });
      });
    }
    onProgress({ done: total, total });
    const model = await fetched["encoder/model.json"].json();
    const paths = model.weightsManifest.flatMap((group) => group.paths);
    const weights = await new Blob(
      await Promise.all(paths.map((path) => fetched[`encoder/${path}`].blob())),
    ).arrayBuffer();
    const vocabulary = await fetched["encoder/vocab.json"].json();
    encoder = await createEncoder({ model, weights, vocabulary });
    collection = await Collection.open(await fetched["dictionary.minnow"].arrayBuffer());
    // The first call is the slowest.
    await lookUp(encoder, collection, "something that keeps the rain off", { limit: 10 });
    return { loaded: total, milliseconds: performance.now() - start, ...size() };
  },

  // Answers by one stop of the slider, and how every stop compares with all
  // bits. A question that was just asked is not encoded again.
  async search(text, { limit, where, stop }) {
    const took = {};
    if (text !== asked.text) {
      const start = performance.now();
      asked = { text, vector: await encoder.embed([sentence(text)]) };
      took.encoding = performance.now() - start;
    }
    Object.assign(asked, { limit, where });
    const found = STOPS.map((_, i) => again(i));
    const against = found.map(({ answers }) => compare(answers, found[ALL].answers));
    return {
      ...found[stop],
      strange: against[stop].strange.map(({ id }) => id),
      missed: against[stop].missed.map(name),
      stops: found.map(({ answers, bytes }, i) => ({
        bytes,
        same: answers.length - against[i].strange.length,
      })),
      ...took,
      ...size(),
    };
  },

  // Milliseconds of that search by one stop, the mean of as many as take 8: a
  // browser's clock may tell no less than 1.
  time(stop) {
    const start = performance.now();
    let searches = 0;
    let elapsed;
    do {
      again(stop);
      searches++;
      elapsed = performance.now() - start;
    } while (elapsed < 8);
    return elapsed / searches;
  },

  // Lines of the user's own: encoded, added, and found from then on.
  async add(lines, onProgress) {
    const fresh = [...new Set(lines)].filter((line) => !collection.has(line));
    for (let done = 0; done < fresh.length; done += BATCH) {
      onProgress({ done, total: fresh.length });
      const batch = fresh.slice(done, done + BATCH);
      const floats = await encoder.embed(batch.map(sentence));
      const dimensions = floats.length / batch.length;
      await collection.addAsync(
        batch.map((line, i) => ({
          id: line,
          vector: floats.subarray(i * dimensions, (i + 1) * dimensions),
          own: true,
        })),
      );
    }
    onProgress({ done: fresh.length, total: fresh.length });
    return { added: fresh.length, ...size() };
  },
});

const again = (stop) => answer(collection, asked.text, asked.vector, { ...asked, ...STOPS[stop] });
const name = ({ id, document: { words = [id] } }) => words[0];

function size() {
  const { count, blockBytes, codeBytes, simd, spec } = collection.info();
  return { count, blockBytes, codeBytes, simd, spec };
}
