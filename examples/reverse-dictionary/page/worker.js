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
// The index in its two forms. `packed` is asked; `live` takes what is added.
const collections = {};
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
    collections.packed = await Collection.open(await fetched["dictionary.minnow"].arrayBuffer());
    collections.live = await collections.packed.thaw();
    // The first call is the slowest.
    for (const collection of Object.values(collections)) {
      await lookUp(encoder, collection, "something that keeps the rain off", { limit: 10 });
    }
    return { loaded: total, milliseconds: performance.now() - start, ...sizes() };
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
    const byLive = again(stop, "live");
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
      ...sizes({ packed: found[stop], live: byLive }),
    };
  },

  // Milliseconds of that search by one stop and form, the mean of as many as
  // take 8: a browser's clock may tell no less than 1.
  time(stop, form) {
    const start = performance.now();
    let searches = 0;
    let elapsed;
    do {
      again(stop, form);
      searches++;
      elapsed = performance.now() - start;
    } while (elapsed < 8);
    return elapsed / searches;
  },

  // Lines of the user's own: encoded, added, packed, and found from then on.
  async add(lines, onProgress) {
    const collection = collections.live;
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
    if (fresh.length > 0) {
      const before = collections.packed;
      collections.packed = await collection.pack();
      before.close();
    }
    return { added: fresh.length, ...sizes() };
  },
});

const again = (stop, form = "packed") =>
  answer(collections[form], asked.text, asked.vector, { ...asked, ...STOPS[stop] });
const name = ({ id, document: { words = [id] } }) => words[0];

// Of the packed index, and of both; with what a search in them computed.
function sizes(found = {}) {
  const forms = {};
  for (const [form, collection] of Object.entries(collections)) {
    const { count, blockBytes, graphBytes } = collection.info();
    forms[form] = { blockBytes, textBytes: blockBytes / count, linkBytes: graphBytes / count };
    if (found[form]) forms[form].distances = found[form].distances;
  }
  const { count, blockBytes, codeBytes, simd, spec } = collections.packed.info();
  return { count, blockBytes, codeBytes, simd, spec, forms };
}
