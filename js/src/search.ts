// SPDX-License-Identifier: Apache-2.0
// Searching an instance, and ranking what it found by vectors from elsewhere.
import { checkConditions, stagedConditions, writeConditions } from "./conditions.js";
import type { Checked } from "./conditions.js";
import { CAPACITY_MAX, EF_MAX, integer, kind, real } from "./check.js";
import { MinnowError, statusError } from "./error.js";
import { HIT_BYTES, QUERY, QUERY_BYTES, REPORT } from "./instance.js";
import type { Instance } from "./instance.js";
import { high, low, safeKey } from "./key.js";
import { countRows, stagedBytes, writeRows } from "./rows.js";
import type { Shape } from "./rows.js";
import { readStats } from "./stats.js";
import type { SearchAsyncOptions, SearchOptions, SearchResult, WithinOptions, WithinResult } from "./query.js";
import type { Vectors } from "./types.js";

const K = 10;
export const GAMMA_MAX = 16;
/** MN_REFINE_K_DEFAULT */
const REFINE_K = 10;
const FETCH_K = 5;
const LAMBDA = 0.5;
const LIMIT = 1000;

type AnyOptions = SearchOptions | SearchAsyncOptions;

/** How many are wanted. */
interface Wanted {
  k: number;
  /** Hits to choose k different ones from; else k. */
  fetch: number;
  /** Candidates of which `refine` makes the hits; else those. */
  candidates: number;
  lambda: number | undefined;
}

function wantedOf(instance: Instance, { k = K, refineK = 0, diversity, refine }: AnyOptions): Wanted {
  integer("k", k, 1, EF_MAX);
  const [fetch, lambda] = diversity === undefined ? [k] : checkDiversity(k, diversity);
  const candidates = refine
    ? Math.min(Math.ceil(Math.fround(fetch * Math.fround(refineK || tunedRefineK(instance)))), EF_MAX) : fetch;
  return { k, fetch, candidates, lambda };
}

function tunedRefineK(instance: Instance): number {
  instance.wasm.info();
  return instance.float(REPORT.tunedRefineK) || REFINE_K;
}

function checkDiversity(k: number, diversity: NonNullable<SearchOptions["diversity"]>): [fetch: number, lambda: number] {
  if (typeof diversity !== "object" || diversity === null) {
    throw new TypeError(`diversity must be an object such as { lambda: 0.5 }, not ${kind(diversity)}`);
  }
  const { fetchK = Math.min(FETCH_K * k, EF_MAX), lambda = LAMBDA } = diversity;
  integer("diversity.fetchK", fetchK, k, EF_MAX);
  real("diversity.lambda", lambda, 0, 1);
  return [fetchK, lambda];
}

// --- A query in memory ----------------------------------------------------------

/** Where `stageQuery` put things. */
export interface Staged {
  hits: number;
  query: number;
  /** The first vector. */
  vectors: number;
}

/** The options that a query is made of, where they are in order. */
export function checkQuery(instance: Instance, shape: Shape, options: AnyOptions): Checked {
  const { ef = 0, gamma = 0, planes = 0, refinePlanes = 0, refineK = 0, nprobe = 0, refine } = options;
  integer("ef", ef, 0, EF_MAX);
  real("gamma", gamma, 0, GAMMA_MAX);
  integer("planes", planes, 0, 8);
  integer("refinePlanes", refinePlanes, 0, 8);
  integer("nprobe", nprobe, 0, CAPACITY_MAX);
  if (refineK !== 0) real("refineK", refineK, 1, EF_MAX);
  if (refine !== undefined) checkRefine(refine, refinePlanes, shape);
  return checkConditions(instance, options);
}

/** Puts a query for `k` into memory, with room for hits and for rows that take `bytes`. */
export function stageQuery(
  instance: Instance, shape: Shape, options: AnyOptions, conditions: Checked, k: number, bytes: number,
): Staged {
  const hits = instance.stage(k * HIT_BYTES + QUERY_BYTES + stagedConditions(conditions) + bytes);
  const query = hits + k * HIT_BYTES;
  const at = query + QUERY_BYTES;
  const vectors = at + stagedConditions(conditions);
  const { ef = 0, gamma = 0, planes = 0, refinePlanes = 0, refineK = 0, nprobe = 0, refine } = options;
  const { u32, f32 } = instance;
  u32.fill(0, query >>> 2, at >>> 2);
  const set = (field: keyof typeof QUERY, value: number) => (u32[(query + QUERY[field]) >>> 2] = value);
  set("vector", vectors);
  set("dimensions", shape.dimensions);
  set("k", k);
  set("ef", ef);
  set("nprobe", nprobe);
  f32[(query + QUERY.gamma) >>> 2] = gamma;
  set("planes", planes);
  set("refinePlanes", refinePlanes);
  // what is stored shall not choose among the candidates for `refine`
  f32[(query + QUERY.refineK) >>> 2] = refine ? 1 : refineK;
  writeConditions(instance, query, at, conditions);
  return { hits, query, vectors };
}

/** Throws what a status of a search means, unless it is 0. */
export function checkSearch(instance: Instance, status: number): void {
  // Not for every search: an error takes its stack when it is made.
  if (status !== 0 && statusError(status).code === "argument") {
    throw new MinnowError("argument", 'no such gamma, planes or plan: metric "ip" has no gamma; "probe" is of ivf alone; an index of bits1 to bits8 takes 1, 2, 4 or all of its bits, and refinePlanes more than planes; others have none');
  }
  instance.check(status);
}

// --- Search -----------------------------------------------------------------------

/**
 * For each of the queries the nearest by what is stored; where `refine` will
 * rank them, the candidates for it.
 */
export function find(
  instance: Instance, shape: Shape, queries: Vectors, rows: number, options: AnyOptions,
): SearchResult[] {
  const wanted = wantedOf(instance, options);
  const conditions = checkQuery(instance, shape, options);
  const staged = stageQuery(instance, shape, options, conditions, wanted.candidates, stagedBytes(queries, rows, shape));
  writeRows(instance, staged.vectors, queries, rows, shape);
  return Array.from({ length: rows }, (_, i) => {
    instance.u32[(staged.query + QUERY.vector) >>> 2] = staged.vectors + 4 * shape.dimensions * i;
    return found(instance, options, wanted, staged, instance.wasm.search(staged.hits, staged.query));
  });
}

/** The same by the vector under a key, without itself. */
export function findLike(instance: Instance, shape: Shape, key: number, options: AnyOptions): SearchResult {
  const wanted = wantedOf(instance, options);
  integer("k", wanted.candidates, 1, EF_MAX - 1); // it takes a place itself
  const conditions = checkQuery(instance, shape, options);
  const staged = stageQuery(instance, shape, options, conditions, wanted.candidates, 0);
  return found(instance, options, wanted, staged, instance.wasm.like(staged.hits, staged.query, low(key), high(key)));
}

/** What a search found that ended so. */
function found(
  instance: Instance, options: AnyOptions, wanted: Wanted, { hits }: Staged, status: number,
): SearchResult {
  checkSearch(instance, status);
  const count = instance.number(REPORT.value);
  const stats = readStats(instance);
  return {
    ...readHits(instance, hits, options.refine ? count : diversified(instance, hits, count, wanted)),
    stats,
  };
}

/** All within a radius, up to a limit. */
export function findWithin(
  instance: Instance, shape: Shape, query: Vectors, radius: number, options: WithinOptions,
): WithinResult {
  const { limit = LIMIT } = options;
  integer("limit", limit, 1, EF_MAX);
  if (typeof radius !== "number") throw new TypeError(`radius must be a number, not ${kind(radius)}`);
  if (!Number.isFinite(radius)) throw new RangeError(`radius must be finite, not ${radius}`);
  const conditions = checkQuery(instance, shape, options);
  const { hits, query: at, vectors } = stageQuery(instance, shape, options, conditions, limit, stagedBytes(query, 1, shape));
  writeRows(instance, vectors, query, 1, shape);
  checkSearch(instance, instance.wasm.within(hits, at, radius));
  const stats = readStats(instance);
  const complete = instance.number(REPORT.statsCut) === 0;
  return { ...readHits(instance, hits, instance.number(REPORT.value)), complete, stats };
}

/** Puts the hits to be returned to the front, and says how many they are. */
function diversified(instance: Instance, hits: number, count: number, { k, lambda }: Wanted): number {
  const most = Math.min(count, k);
  if (lambda !== undefined && most > 0) instance.check(instance.wasm.diversify(hits, count, most, lambda));
  return most;
}

function checkRefine(refine: unknown, refinePlanes: number, { binary }: Shape): void {
  if (typeof refine !== "function") throw new TypeError(`refine must be a function, not ${kind(refine)}`);
  if (refinePlanes) throw new TypeError("refine and refinePlanes exclude each other: give one");
  if (binary) throw new TypeError("there is nothing to refine: hamming and jaccard are exact");
}

/** The best of what was found, by exact distances to their `vectors`. */
export function rank(
  instance: Instance, shape: Shape, query: Vectors, options: AnyOptions, candidates: SearchResult, vectors: Float32Array,
): SearchResult {
  const { keys, slots, stats } = candidates;
  const rows = countRows("what refine returns", vectors, shape);
  if (rows !== keys.length) {
    throw new RangeError(`refine must return a vector for each of the ${keys.length} keys, not ${rows}`);
  }
  if (rows === 0) return candidates;
  const wanted = wantedOf(instance, options);
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
  const count = diversified(instance, hits, Math.min(wanted.fetch, rows), wanted);
  return { ...readHits(instance, hits, count), stats: { ...stats, refined: rows } };
}

export function readHits(instance: Instance, hits: number, count: number) {
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
