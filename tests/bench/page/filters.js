// SPDX-License-Identifier: Apache-2.0
// The page's side of browser-filters.mjs: indexes of the rows that are in,
// searched with a filter, after deletes and after replacements. What is found is
// judged by all distances of `asked` queries, spread over the set's.
import { libraries } from "./libraries.js";
import { k, load, rowOf, set, trueDistance } from "./set.js";

const asked = 100;
const peers = new Map();
let distances; // of each query that is asked to each row
let isIn; // by row
let gone, come; // rows of the last step

const queryOf = (q) => rowOf(set.query, Math.floor((q * set.queries) / asked));

async function prepare(manifest) {
  await load(manifest);
  isIn = new Uint8Array(set.n).fill(1);
  distances = Array.from({ length: asked }, (_, q) =>
    Float64Array.from({ length: set.n }, (_, row) => trueDistance(queryOf(q), rowOf(set.base, row))));
}

// --- Which rows ---------------------------------------------------------------

/** As bench_hash in selections.h. */
function hash(x) {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

const passer = (share) => (row) => hash(row + 0x9e3779b9) < share * 2 ** 32;

let state = 1n; // as bench_draw in change.h
function draw(below) {
  state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
  return Number(state >> 33n) % below;
}

/** `count` rows for which `is` holds, which then are `next`. */
function take(count, is, next) {
  const rows = [];
  while (rows.length < count) {
    const row = draw(set.n);
    if (isIn[row] !== is) continue;
    isIn[row] = next;
    rows.push(row);
  }
  return rows;
}

const steps = {
  /** All are in. */
  all: () => isIn.fill(1),
  /** Half of all go. */
  half: () => (gone = take(set.n >> 1, 1, 0)),
  /** The first four fifths are in. */
  begin: () => isIn.fill(1).fill(0, Math.floor((set.n * 4) / 5)),
  /** A fifth of these go and as many others come. */
  fifth() {
    const count = Math.floor((set.n * 4) / 25);
    gone = take(count, 1, 2); // they do not come back at once
    come = take(count, 0, 1);
    for (const row of gone) isIn[row] = 0;
  },
};

// --- What peers do --------------------------------------------------------------

const secondsOf = (work) => {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
};

/** Makes an index of the rows that are in. */
async function build(id, library, spec) {
  peers.get(id)?.close();
  const peer = await libraries[library](spec);
  peers.set(id, peer);
  const rows = [...isIn.keys()].filter((row) => isIn[row]);
  return secondsOf(() => {
    for (let from = 0; from < rows.length; from += 500) peer.put(rows.slice(from, from + 500), false);
  });
}

const change = {
  remove: (id) => secondsOf(() => peers.get(id).remove(gone)),
  replace: (id) => secondsOf(() => {
    peers.get(id).remove(gone);
    peers.get(id).put(come, true);
  }),
};

/** The distance of the k-th row that is in and passes, or of the last. */
function limitOf(q, passes) {
  const right = distances[q].filter((_, row) => isIn[row] && passes(row)).sort();
  return { wanted: Math.min(k, right.length), limit: right[Math.min(k, right.length) - 1] };
}

/** Searches at default settings. `share`: of a filter; undefined: none. */
function ask(id, share, way) {
  const passes = share === undefined ? () => true : passer(share);
  const peer = peers.get(id);
  const condition = share === undefined ? undefined : peer.condition(passes, way);
  const found = [];
  const wall = secondsOf(() => {
    for (let q = 0; q < asked; q++) found.push(peer.search(queryOf(q), undefined, condition));
  });
  let hits = 0, all = 0, short = 0, fewest = k;
  found.forEach((rows, q) => {
    const { wanted, limit } = limitOf(q, passes);
    for (const row of rows) {
      if (!isIn[row] || !passes(row)) throw new Error(`${id} found row ${row}, which it must not`);
      hits += distances[q][row] <= limit + 1e-9 * (1 + Math.abs(limit)) ? 1 : 0;
    }
    all += wanted;
    short += rows.length < wanted ? 1 : 0;
    fewest = Math.min(fewest, rows.length);
  });
  return { recall: all ? hits / all : 1, short, fewest, micros: (1e6 * wall) / asked };
}

globalThis.bench = {
  prepare, build, ask,
  step: (name) => void steps[name](),
  change: (name, id) => change[name](id),
  matches: (share) => isIn.reduce((sum, is, row) => sum + (is && passer(share)(row) ? 1 : 0), 0),
};
