// SPDX-License-Identifier: Apache-2.0
// The page's side of browser.mjs: builds indexes in this page and answers
// questions about them. Both libraries run on the page's own thread, since
// hnswlib-wasm does not start in a worker.
import { libraries } from "./libraries.js";
import { watchMemory } from "./memory.js";
import { k, load, rowOf, set, trueDistance, truthCount } from "./set.js";

const memorySince = watchMemory();
const peers = new Map();

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
