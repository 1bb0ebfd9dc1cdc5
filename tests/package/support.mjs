// SPDX-License-Identifier: Apache-2.0
// What the tests share: the installed package, numbers, and an exact search
// that owes nothing to the core.
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export const consumer = process.env.MINNOW_CONSUMER;
if (!consumer) throw new Error("run these by: bash tests/package/run");

// The package as an importer in the folder would get it.
export const installed = join(consumer, "node_modules/minnow");
export const minnow = await import(pathToFileURL(join(installed, "dist/minnow.js")).href);
export const { Codec, Collection, Index, MinnowError } = minnow;

export const seed = Number(process.env.MINNOW_SEED ?? 1);

// xorshift32: numbers from 0 up to 1
export function random(from = seed) {
  let x = (from * 2654435769) >>> 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x = (x ^ (x << 5)) >>> 0;
    return x / 2 ** 32;
  };
}

// rows of roughly normal numbers
export function rows(count, dimensions, next = random()) {
  return Float32Array.from(
    { length: count * dimensions },
    () => next() + next() + next() + next() - 2,
  );
}

export const row = (data, i, d) => data.subarray(i * d, (i + 1) * d);

// The distance as minnow.h defines it, in doubles.
export function distance(metric, a, b) {
  if (metric === "hamming" || metric === "jaccard") return bitDistance(metric, a, b);
  let dot = 0, l2 = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    l2 += (a[i] - b[i]) ** 2;
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  if (metric === "l2") return l2;
  return metric === "ip" ? -dot : 1 - dot / Math.sqrt(aa * bb);
}

function bitDistance(metric, a, b) {
  let differ = 0, both = 0, either = 0;
  for (let i = 0; i < a.length; i++) {
    differ += (a[i] > 0) !== (b[i] > 0);
    both += a[i] > 0 && b[i] > 0;
    either += a[i] > 0 || b[i] > 0;
  }
  return metric === "hamming" ? differ : either === 0 ? 0 : 1 - both / either;
}

// The same to a vector as it is stored. Under cosine it was normalised before
// it was rounded, and is not normalised again.
export function keptDistance(metric, query, kept) {
  if (metric !== "cosine") return distance(metric, query, kept);
  return 1 + distance("ip", query, kept) / Math.hypot(...query);
}

// All distances to the rows, sorted: [distance, row], equal ones by row.
export function exact(metric, query, data, keep = () => true, measure = distance) {
  const d = query.length;
  const all = [];
  for (let i = 0; i * d < data.length; i++) {
    if (keep(i)) all.push([measure(metric, query, row(data, i, d)), i]);
  }
  return all.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

// Hits are the nearest rows as far as rounding to `tolerance` can tell.
export function assertNearest(result, truth, k, tolerance = 1e-4) {
  assert.equal(result.keys.length, Math.min(k, truth.length));
  const byRow = new Map(truth.map(([distance, row]) => [row, distance]));
  assert.equal(new Set(result.slots).size, result.slots.length, "a hit twice");
  result.slots.forEach((slot, i) => {
    assert.ok(byRow.has(slot), `slot ${slot} should not be among the hits`);
    for (const wanted of [truth[i][0], byRow.get(slot)]) {
      const off = Math.abs(result.distances[i] - wanted);
      assert.ok(off <= tolerance * (1 + Math.abs(wanted)), `hit ${i} is off by ${off}`);
    }
    assert.ok(i === 0 || result.distances[i - 1] <= result.distances[i], "not sorted");
  });
}

// Rows that lie around a few centers, as embeddings do, so that there is
// something for training to learn. The spread falls off over the dimensions.
export function clustered(count, dimensions, next = random(), centers = 12) {
  const around = rows(centers, dimensions, random(seed + 100));
  const noise = rows(count, dimensions, next);
  return noise.map((x, i) => {
    const j = i % dimensions;
    const center = Math.floor(i / dimensions) % centers;
    return (around[center * dimensions + j] + 0.6 * x) / Math.sqrt(1 + j / 8);
  });
}

// Bits of rows, packed: 8 to a byte, the first the most significant.
export function packed(data, dimensions) {
  const bytes = Math.ceil(dimensions / 8);
  const out = new Uint8Array((data.length / dimensions) * bytes);
  data.forEach((x, i) => {
    const j = i % dimensions;
    if (x > 0) out[Math.floor(i / dimensions) * bytes + (j >> 3)] |= 0x80 >> (j & 7);
  });
  return out;
}

// How many of the true `k` nearest are among the hits, from 0 to 1.
export function recall(slots, truth, k) {
  const wanted = new Set(truth.slice(0, k).map(([, i]) => i));
  return slots.filter((slot) => wanted.has(slot)).length / k;
}

// An index with rows in it, trained on them where it wants that.
export async function filled(Index_, options, data) {
  const index = await Index_.create(options);
  if (!index.info().trained) index.train(data);
  index.add(data);
  return index;
}

// That `act` throws a MinnowError of that code, with a message to go by.
export function refuses(code, act) {
  const error = thrown(act);
  assert.ok(error instanceof MinnowError, `not a MinnowError: ${error?.stack ?? error}`);
  assert.equal(error.code, code);
  assert.equal(error.name, "MinnowError");
  assert.ok(error.message.length > 20, error.message);
  return error;
}

function thrown(act) {
  try {
    act();
  } catch (error) {
    return error;
  }
  assert.fail("nothing was thrown");
}

export async function rejects(code, promise) {
  let error;
  await promise.then(() => assert.fail("not rejected"), (reason) => (error = reason));
  return refuses(code, () => {
    throw error;
  });
}

// What an index is, apart from the room it has: to compare before and after.
export function picture(index, query) {
  const { count, linked, trained, capacity } = index.info();
  const { keys, distances } = index.search(query);
  return { count, linked, trained, capacity, keys, distances };
}
