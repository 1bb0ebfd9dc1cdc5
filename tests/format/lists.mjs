// SPDX-License-Identifier: Apache-2.0
// Lists of ivf blocks, live and packed (core/FORMAT.md, 10).
import { check } from "./floats.mjs";

const FIRST = 2 ** 31;

export const centroidBytes = ({ nlist }, dimensions) => 4 * nlist * (dimensions + 2);

export const listBytes = ({ nlist, capacity, packed }) =>
  nlist ? (packed ? 4 * (nlist + 1) : 4 * nlist + 8 * capacity) : 0;

function readPacked(word, { nlist }, count) {
  check(word(0) === 0 && word(nlist) === count, "LIST: ends");
  return Array.from({ length: nlist }, (_, k) => {
    check(word(k) <= word(k + 1), `LIST: list ${k} ends before it begins`);
    return Array.from({ length: word(k + 1) - word(k) }, (_, i) => word(k) + i);
  });
}

function readLive(word, { nlist, capacity }, isVector) {
  const next = (slot) => word(nlist + 2 * slot);
  const back = (slot) => word(nlist + 2 * slot + 1);
  const seen = new Set();
  const lists = Array.from({ length: nlist }, (_, k) => {
    const slots = [];
    for (let before = FIRST + k, at = word(k); at; before = at, at = next(at - 1)) {
      const slot = at - 1;
      check(slot < capacity && isVector(slot), `LIST: slot ${slot} has no vector`);
      check(!seen.has(slot), `LIST: slot ${slot} twice`);
      check(back(slot) === before, `LIST: back from slot ${slot}`);
      seen.add(slot);
      slots.push(slot);
    }
    return slots;
  });
  for (let slot = 0; slot < capacity; slot++) {
    check(seen.has(slot) === isVector(slot), `LIST: slot ${slot} is in no list`);
    check(seen.has(slot) || (!next(slot) && !back(slot)), `LIST: slot ${slot} is not 0`);
  }
  return lists;
}

/** The slots of each list. `isVector(slot)` says whether there is one. */
export function readLists(view, header, count, isVector) {
  const word = (i) => view.getUint32(4 * i, true);
  return header.packed ? readPacked(word, header, count) : readLive(word, header, isVector);
}

/** The centroids, their numbers sound. */
export function readCentroids(view, { nlist }, dimensions) {
  const float = (i) => view.getFloat32(4 * i, true);
  return Array.from({ length: nlist }, (_, k) => {
    const row = Array.from({ length: dimensions }, (_, j) => float(k * dimensions + j));
    const norm = float(nlist * dimensions + k);
    const lift = float(nlist * (dimensions + 1) + k);
    check([...row, norm, lift].every(Number.isFinite), `centroid ${k}: not finite`);
    check(norm >= 0 && lift >= 0, `centroid ${k}: below 0`);
    return { row, norm, lift };
  });
}

/** What centroids see of a mapped vector. */
function look(metric, x) {
  if (metric !== "hamming" && metric !== "jaccard") return x;
  const bits = x.map((a) => Number(a > 0));
  if (metric === "hamming") return bits.map((bit) => 2 * bit - 1);
  const length = Math.sqrt(bits.reduce((sum, bit) => sum + bit, 0));
  return length ? bits.map((bit) => bit / length) : bits;
}

/** Each vector, mapped, by slot, is in the list that it belongs to, or one as near but for rounding. */
export function checkLists({ header, lists, centroids }, mapped) {
  centroids.forEach(({ row, norm }, k) => {
    const squares = row.reduce((sum, c) => sum + c * c, 0);
    check(Math.abs(norm - squares) <= 1e-5 * squares, `centroid ${k}: norm ${norm}, not ${squares}`);
  });
  lists.forEach((slots, list) =>
    slots.forEach((slot) => {
      const x = look(header.metric, [...mapped[slot]]);
      const far = centroids.map(({ row, norm, lift }) =>
        norm - 2 * row.reduce((sum, c, j) => sum + c * x[j], 0) + lift);
      const least = Math.min(...far);
      check(far[list] - least <= 1e-4 * (1 + Math.abs(least)), `slot ${slot}: list ${list} is at ${far[list]}, not ${least}`);
    }),
  );
}
