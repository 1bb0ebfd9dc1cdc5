// SPDX-License-Identifier: Apache-2.0
// Searching an instance, and ranking what it found by vectors from elsewhere.
import { EF_MAX, atLeastOne, integer, kind } from "./check.js";
import { MinnowError, statusError } from "./error.js";
import { HIT_BYTES, REPORT } from "./instance.js";
import type { Instance } from "./instance.js";
import { high, low, safeKey } from "./key.js";
import { countRows, oneRow, stagedBytes, writeRows } from "./rows.js";
import type { Shape } from "./rows.js";
import type { SearchAsyncOptions, SearchResult, Vectors } from "./types.js";

const K = 10;
/** MN_REFINE_K_DEFAULT */
const REFINE_K = 10;

/**
 * The nearest by what is stored; where `refine` will rank them, the candidates
 * for it. `words` of the filter are read.
 */
export function find(
  instance: Instance, shape: Shape, query: Vectors, options: SearchAsyncOptions, words: number,
): SearchResult {
  const { k = K, ef = 0, planes = 0, refinePlanes = 0, refineK = 0, filter, refine } = options;
  integer("k", k, 1, EF_MAX);
  integer("ef", ef, 0, EF_MAX);
  integer("planes", planes, 0, 8);
  integer("refinePlanes", refinePlanes, 0, 8);
  if (refineK !== 0) atLeastOne("refineK", refineK, EF_MAX);
  if (refine !== undefined) checkRefine(refine, refinePlanes, shape);
  oneRow("query", query, shape);
  const wanted = refine ? Math.min(Math.ceil(Math.fround(k * Math.fround(refineK || REFINE_K))), EF_MAX) : k;

  const hits = instance.stage(wanted * HIT_BYTES + 4 * words + stagedBytes(query, 1, shape));
  const bits = hits + wanted * HIT_BYTES;
  const vector = bits + 4 * words;
  if (filter) instance.u32.set(filter.subarray(0, words), bits >>> 2);
  writeRows(instance, vector, query, 1, shape);
  const status = instance.wasm.search(
    hits, vector, shape.dimensions, filter ? bits : 0, wanted, ef, planes, refinePlanes,
    refine ? 1 : refineK, // what is stored shall not choose among the candidates
  );
  // Not for every search: an error takes its stack when it is made.
  if (status !== 0 && statusError(status).code === "argument") {
    throw new MinnowError("argument", "no such planes: an index of bits1 to bits8 takes 1, 2, 4 or all of its bits, and refinePlanes more than planes; others have none");
  }
  instance.check(status);
  return {
    ...readHits(instance, hits, instance.number(REPORT.value)),
    stats: {
      distances: instance.long(REPORT.statsDistances),
      bytes: instance.long(REPORT.statsBytes),
      hops: instance.number(REPORT.statsHops),
      exact: instance.number(REPORT.statsExact) === 1,
      refined: instance.number(REPORT.statsRefined),
      planes: instance.number(REPORT.statsPlanes),
    },
  };
}

function checkRefine(refine: unknown, refinePlanes: number, { binary }: Shape): void {
  if (typeof refine !== "function") throw new TypeError(`refine must be a function, not ${kind(refine)}`);
  if (refinePlanes) throw new TypeError("refine and refinePlanes exclude each other: give one");
  if (binary) throw new TypeError("there is nothing to refine: hamming and jaccard are exact");
}

/** The best of what was found, by exact distances to their `vectors`. */
export function rank(
  instance: Instance, shape: Shape, query: Vectors, k = K, found: SearchResult, vectors: Float32Array,
): SearchResult {
  const { keys, slots, stats } = found;
  const rows = countRows("what refine returns", vectors, shape);
  if (rows !== keys.length) {
    throw new RangeError(`refine must return a vector for each of the ${keys.length} keys, not ${rows}`);
  }
  if (rows === 0) return found;
  const asked = stagedBytes(query, 1, shape);
  const hits = instance.stage(rows * HIT_BYTES + asked + stagedBytes(vectors, rows, shape));
  const vector = hits + rows * HIT_BYTES;
  const data = vector + asked;
  for (let i = 0, at = hits >>> 2; i < rows; i++, at += HIT_BYTES / 4) {
    instance.u32[at] = low(keys[i]!);
    instance.u32[at + 1] = high(keys[i]!);
    instance.u32[at + 3] = slots[i]!;
  }
  writeRows(instance, vector, query, 1, shape);
  writeRows(instance, data, vectors, rows, shape);
  instance.check(instance.wasm.rank(hits, vector, data, rows, shape.dimensions));
  return {
    ...readHits(instance, hits, Math.min(k, rows)),
    stats: { ...stats, refined: rows },
  };
}

function readHits(instance: Instance, hits: number, count: number) {
  const keys = new Float64Array(count);
  const distances = new Float32Array(count);
  const slots = new Uint32Array(count);
  const { u32, f32 } = instance;
  for (let i = 0, at = hits >>> 2; i < count; i++, at += HIT_BYTES / 4) {
    keys[i] = safeKey(u32[at]!, u32[at + 1]!);
    distances[i] = f32[at + 2]!;
    slots[i] = u32[at + 3]!;
  }
  return { keys, distances, slots };
}
