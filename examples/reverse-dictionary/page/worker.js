// SPDX-License-Identifier: Apache-2.0
// The worker holds the encoder and the index, so that the page never waits.
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import scalar from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import { expose } from "comlink";
import { Collection } from "minnow";
import { BATCH, createEncoder } from "../encoder.js";
import { answer, lookUp, moreLike } from "../lookup.js";
import { ALL, STOPS, compare } from "../precision.js";
import { OWN, PARTS, partsOf, sentence } from "../texts.js";
import { download } from "./download.js";

setWasmPaths({
  "tfjs-backend-wasm.wasm": scalar,
  "tfjs-backend-wasm-simd.wasm": simd,
  "tfjs-backend-wasm-threaded-simd.wasm": simd, // must be given; encoder.js uses no threads
});

let encoder;
// The index in its two forms. `live` takes what changes. `packed` is asked; while
// it lags behind there is none, and `live` is asked.
const collections = {};
let lastChange = Promise.resolve();
let asked = {}; // the last question; of one in words the vector
const deleted = new Map(); // id → document, of what may be taken back

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
    return { loaded: total, milliseconds: performance.now() - start, ...counted() };
  },

  // Answers by one stop of the slider, and how every stop compares with all
  // bits. The question is a text, or `like`: the id of one in the index. A text
  // that was just asked is not encoded again. `kinds`: those searched, if not all.
  async search({ text, like }, { limit, kinds, plan, stop }) {
    const of = like === undefined ? undefined : collections.live.get(like);
    if (like !== undefined && !of) return { gone: true, answers: [], missed: [] };
    if (like === undefined && text !== asked.text) {
      const start = performance.now();
      const vector = await encoder.embed([sentence(text)]);
      asked = { text, vector, encoding: performance.now() - start };
    }
    asked.like = like;
    asked.options = { limit, plan, where: kinds.length > 0 ? { pos: kinds } : undefined };
    const form = current();
    const found = STOPS.map((_, i) => again(i, form));
    const byLive = form === "live" ? found[stop] : again(stop, "live");
    const against = found.map(({ answers }) => compare(answers, found[ALL].answers));
    return {
      ...found[stop],
      form,
      like: of && name({ id: like, document: of }),
      strange: against[stop].strange.map(({ id }) => id),
      missed: against[stop].missed.map(name),
      stops: found.map(({ answers, bytes }, i) => ({
        bytes,
        same: answers.length - against[i].strange.length,
      })),
      encoding: of ? 0 : asked.encoding,
      ...sizes({ [form]: found[stop], live: byLive }),
    };
  },

  // Milliseconds of that search by one stop and form, the mean of as many as
  // take 8: a browser's clock may tell no less than 1. Undefined where there is
  // no such form any more.
  time(stop, form) {
    if (!collections[form]) return undefined;
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

  // Gone at once: no search gives it any more, and others take its place.
  delete: inTurn((id) => {
    deleted.set(id, collections.live.get(id));
    collections.live.delete(id);
    changed();
    return counted();
  }),

  // The index keeps codes, not vectors: what is taken back is encoded again, as
  // what is new would be.
  takeBack: inTurn(async (id) => {
    const { live } = collections;
    const document = deleted.get(id);
    if (!live.has(id)) {
      live.upsert({ ...document, id, vector: await vectorOf(partsOf(id, document)) });
      changed();
    }
    deleted.delete(id);
    return counted();
  }),

  // Packs what changed.
  pack: inTurn(async () => {
    collections.packed ??= await collections.live.pack();
    return counted();
  }),

  // Lines of the user's own: encoded, added, and found from then on.
  add: inTurn(async (lines, onProgress) => {
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
          pos: OWN,
        })),
      );
    }
    onProgress({ done: fresh.length, total: fresh.length });
    for (const line of fresh) deleted.delete(line);
    if (fresh.length > 0) changed();
    return { added: fresh.length, ...counted() };
  }),
});

const name = ({ id, document: { words = [id] } }) => words[0];

// --- The two forms ----------------------------------------------------------------

const current = () => (collections.packed ? "packed" : "live");

// Changes, and packing, wait for one another: each is done with what it was given.
function inTurn(change) {
  return (...given) => {
    const next = lastChange.then(() => change(...given));
    lastChange = next.catch(() => {});
    return next;
  };
}

// The packed form would still give what was deleted.
function changed() {
  collections.packed?.close();
  delete collections.packed;
}

function again(stop, form = current()) {
  const { text, vector, like, options } = asked;
  const how = { ...options, planes: STOPS[stop].planes };
  const collection = collections[form];
  return like === undefined ? answer(collection, text, vector, how) : moreLike(collection, like, how);
}

async function vectorOf(parts) {
  const floats = await encoder.embed(parts.map(({ text }) => text));
  const dimensions = floats.length / parts.length;
  const sum = new Float32Array(dimensions);
  floats.forEach((value, i) => (sum[i % dimensions] += parts[Math.floor(i / dimensions)].weight * value));
  return sum;
}

// --- Figures ------------------------------------------------------------------------

// Sizes, and how many texts there are of each kind: what a search for one says.
function counted() {
  const { live } = collections;
  const { dimensions } = live.info();
  const any = new Float32Array(dimensions).fill(1);
  const counts = {};
  for (const pos of [...PARTS, OWN]) {
    live.search(any, { limit: 1, where: { pos } });
    counts[pos] = live.lastStats.matches;
  }
  return { counts, ...sizes() };
}

// Of the index that is asked, and of both; with what a search in them computed.
function sizes(found = {}) {
  const forms = {};
  for (const [form, collection] of Object.entries(collections)) {
    const { count, blockBytes, graphBytes } = collection.info();
    forms[form] = { blockBytes, textBytes: blockBytes / count, linkBytes: graphBytes / count };
    if (found[form]) forms[form].distances = found[form].distances;
  }
  const { count, blockBytes, codeBytes, simd, spec } = collections[current()].info();
  return { count, deleted: deleted.size, blockBytes, codeBytes, simd, spec, forms };
}
