// SPDX-License-Identifier: Apache-2.0
// The page's side of browser.mjs: builds indexes in this page and answers
// questions about them. Both libraries run on the page's own thread, since
// hnswlib-wasm does not start in a worker.
import { watchMemory } from "./memory.js";

const memorySince = watchMemory();
const k = 10;
const truthCount = 100;
const peers = new Map();
let set;

const fetchArray = async (path, Type) => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Type(await response.arrayBuffer());
};

async function load(manifest) {
  const path = `/data/${manifest.name}`;
  const [base, query, truth] = await Promise.all([
    fetchArray(`${path}.base.f32`, Float32Array),
    fetchArray(`${path}.query.f32`, Float32Array),
    fetchArray(`${path}.truth.f64`, Float64Array),
  ]);
  set = { ...manifest, base, query, truth };
}

const rowOf = (array, i) => array.subarray(i * set.dimensions, (i + 1) * set.dimensions);

/** As bench_distance in set.h. */
function trueDistance(a, b) {
  let dot = 0, aa = 0, bb = 0, l2 = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    l2 += (a[i] - b[i]) ** 2;
  }
  if (set.metric === "l2") return l2;
  return set.metric === "ip" ? -dot : 1 - dot / Math.sqrt(aa * bb);
}

/** [from, to) of 500 rows at a time: both libraries copy what is added into
 * their memory, which never shrinks again. */
function* parts(rows = 500) {
  for (let from = 0; from < set.n; from += rows) yield [from, Math.min(set.n, from + rows)];
}

/** As bench_train in index.h. */
function sample(enough) {
  const rows = Math.min(set.n, enough);
  const taken = new Float32Array(rows * set.dimensions);
  for (let i = 0; i < rows; i++) taken.set(rowOf(set.base, Math.floor((i * set.n) / rows)), i * set.dimensions);
  return taken;
}

// A peer: search(query, ef) gives row numbers, and `stats()` what it took; one
// that is to be packed has pack(). Minnow's `name` is as in index.h.
const libraries = {
  async Minnow(name) {
    const { Index } = await import("minnow");
    const [spec, form] = name.split(" ");
    let index = await Index.create({ dimensions: set.dimensions, metric: set.metric, spec, capacity: set.n });
    let stats;
    return {
      add() {
        const { trained, training } = index.info();
        if (!trained) index.train(sample(training.enough));
        for (const [from, to] of parts()) index.add(set.base.subarray(from * set.dimensions, to * set.dimensions));
      },
      pack: form !== "packed" ? undefined : async () => {
        const live = index;
        index = await live.pack();
        live.close();
      },
      search(query, ef) {
        const found = index.search(query, { k, ef, refineK: ef / k }); // as native.c
        stats = found.stats;
        return found.keys;
      },
      stats: () => stats,
      indexBytes: () => index.info().blockBytes,
      close: () => index.close(),
    };
  },

  async "hnswlib-wasm"() {
    const { loadHnswlib } = await import("hnswlib-wasm");
    const library = await loadHnswlib();
    const index = new library.HierarchicalNSW(set.metric, set.dimensions, "");
    index.initIndex(set.n, 16, 200, 100);
    return {
      // addItems, which its documentation recommends. It hands out the labels:
      // 0, 1, 2, …
      add() {
        for (const [from, to] of parts()) {
          const rows = Array.from({ length: to - from }, (_, i) => rowOf(set.base, from + i));
          const labels = index.addItems(rows, false);
          if (labels[0] !== from) throw new Error("hnswlib-wasm numbers its items in another way");
        }
      },
      search(query, ef) {
        if (index.getEfSearch() !== ef) index.setEfSearch(ef);
        return index.searchKnn(query, k, undefined).neighbors;
      },
      stats: () => undefined,
      // It does not say, so this is counted from its source: on level 0 links,
      // vector and label; a pointer to the lists above, of which one vector in
      // 15 has one; the level. Its hash table of labels and its allocator's
      // overhead come on top and show in the heap.
      indexBytes: () => set.n * (4 * 33 + 4 * set.dimensions + 4 + 4 + (4 * 17) / 15 + 4),
      close: () => index.delete(),
    };
  },
};

async function build(id, library, spec) {
  const secondsOf = async (work) => {
    const start = performance.now();
    await work();
    return (performance.now() - start) / 1000;
  };
  let heap = memorySince();
  const peer = await libraries[library](spec);
  let wall = await secondsOf(() => peer.add());
  let pack;
  if (peer.pack) {
    heap = memorySince(); // the live index is let go
    pack = await secondsOf(() => peer.pack());
    wall += pack;
  }
  peers.set(id, peer);
  return { wall, pack, heap: heap(), bytes: peer.indexBytes() };
}

function count(id, ef) {
  const peer = peers.get(id);
  let hits = 0, distances = 0, hops = 0, read = 0;
  for (let q = 0; q < set.queries; q++) {
    const query = rowOf(set.query, q);
    const limit = set.truth[q * truthCount + k - 1];
    for (const row of new Set(peer.search(query, ef))) {
      hits += trueDistance(query, rowOf(set.base, row)) <= limit + 1e-9 * (1 + Math.abs(limit)) ? 1 : 0;
    }
    distances += peer.stats()?.distances ?? 0;
    hops += peer.stats()?.hops ?? 0;
    read += peer.stats()?.bytes ?? 0;
  }
  const each = (sum) => sum / set.queries;
  return { recall: each(hits / k), distances: each(distances), hops: each(hops), read: each(read) };
}

function time(id, ef, queries) {
  const peer = peers.get(id);
  let found = 0;
  const start = performance.now();
  for (let q = 0; q < queries; q++) found += peer.search(rowOf(set.query, q), ef).length;
  const wall = (performance.now() - start) / 1000;
  if (found !== queries * k) throw new Error("fewer than k were found");
  return { queries, wall };
}

globalThis.bench = { load, build, count, time, close: (id) => peers.get(id).close() };
