// SPDX-License-Identifier: Apache-2.0
// Changing an instance: storing rows, deleting, repairing. An index grows by
// itself, and with enough vectors becomes what suits them (auto.ts).
import { turnsAt } from "./auto.js";
import type { Expected } from "./auto.js";
import { told } from "./block.js";
import { AUTO_HNSW, CAPACITY_MAX } from "./check.js";
import { MinnowError, READ_ONLY, statusError } from "./error.js";
import { REPORT } from "./instance.js";
import type { Instance } from "./instance.js";
import { keyHalves } from "./key.js";
import { countRows, stagedBytes, writeRows } from "./rows.js";
import type { Shape } from "./rows.js";
import type { Vectors } from "./types.js";

/** What becomes of rows whose key is there; wasm/module.c knows the numbers. */
export const ADD = 0, UPDATE = 1, UPSERT = 2;

/** mn_structure */
const HNSW = 2;

/** Rows to store, checked. */
interface Rows {
  how: number;
  vectors: Vectors;
  count: number;
  shape: Shape;
  keys: Uint32Array | undefined;
  /** With how many vectors the index turns, and whether these are enough. */
  at: number;
  turns: boolean;
}

/** Stores rows without linking them; says how many. All or none. */
export function store(
  instance: Instance, shape: Shape, expected: Expected, how: number, vectors: Vectors,
  keys?: ArrayLike<number> | BigUint64Array,
): number {
  const count = countRows("vectors", vectors, shape);
  const halves = keys === undefined ? undefined : keyHalves(keys, count);
  if (told(instance, "packed") === 1) throw statusError(READ_ONLY);
  if (count === 0) return 0;
  const before = told(instance, "capacity");
  const held = instance.number(REPORT.count);
  const free = instance.number(REPORT.slots) - held - instance.number(REPORT.dead);
  const sealed = instance.number(REPORT.sealed) === 1;
  const fresh = how === ADD ? count : how === UPDATE ? 0 : missing(instance, halves!);
  const at = turnsAt(instance, expected);
  const turns = held + fresh >= at;
  // a graph passes through what is replaced until it is repaired
  const stay = how !== ADD && told(instance, "structure") === HNSW ? count - fresh : 0;
  const need = turns ? held + fresh : told(instance, "slots") - free + fresh + stay;
  if (need > CAPACITY_MAX) throw new RangeError(`an index holds at most ${CAPACITY_MAX} vectors`);
  const rows = { how, vectors, count, shape, keys: halves, at, turns };
  const capacity = turns ? Math.max(need, expected.capacity) : roomFor(instance, need);
  try {
    try {
      storeWithin(instance, capacity, rows);
    } catch (error) {
      // where memory does not allow so much room, just enough may do
      if (!(error instanceof MinnowError && error.code === "memory") || capacity <= Math.max(need, before)) throw error;
      storeWithin(instance, need, rows);
    }
  } catch (error) {
    resize(instance, before);
    if (sealed) instance.check(instance.wasm.seal());
    throw error;
  }
  return count;
}

/** How many of the keys are not in the index. */
function missing(instance: Instance, halves: Uint32Array): number {
  let count = 0;
  for (let i = 0; i < halves.length; i += 2) count += Number(instance.wasm.find(halves[i]!, halves[i + 1]!) !== 0);
  return count;
}

/** The capacity for `need` slots, which grows by steps. */
function roomFor(instance: Instance, need: number): number {
  const now = told(instance, "capacity");
  if (need <= now) return now;
  const twice = Math.min(Math.max(need, 2 * now), CAPACITY_MAX);
  // `auto` decides by capacity; it should not be spare room that turns it
  return need < AUTO_HNSW && told(instance, "isAuto") ? Math.min(twice, AUTO_HNSW - 1) : twice;
}

function storeWithin(instance: Instance, capacity: number, rows: Rows): void {
  const { how, vectors, count, shape, keys, at, turns } = rows;
  if (!turns) resize(instance, capacity);
  const given = instance.stage((keys?.byteLength ?? 0) + stagedBytes(vectors, count, shape));
  const data = given + (keys?.byteLength ?? 0);
  if (keys) instance.u32.set(keys, given >>> 2);
  writeRows(instance, data, vectors, count, shape);
  const keysAt = keys ? given : 0;
  instance.checkRows(turns
    ? instance.wasm.turn(how, data, count, shape.dimensions, keysAt, at, capacity)
    : instance.wasm.store(how, data, count, shape.dimensions, keysAt), 0, how !== ADD);
  if (turns) instance.layout++;
}

/** Changes the capacity. */
export function resize(instance: Instance, capacity: number): void {
  if (capacity !== told(instance, "capacity")) instance.check(instance.wasm.reserve(capacity));
}

// --- Delete and repair ------------------------------------------------------------

/** The dead share of a graph from which calls repair, and lists that they see for each vector that went. */
const DEAD_SHARE = 1 / 8, LISTS = 16;

/** Deletes all of the keys, or none. */
export function remove(instance: Instance, halves: Uint32Array): void {
  const count = halves.length / 2;
  const at = instance.stage(halves.byteLength);
  instance.u32.set(halves, at >>> 2);
  instance.checkRows(instance.wasm.remove(at, count), 0, true);
}

/** Repairs a part of the graph after `count` vectors went, if it is time. */
export function repairSome(instance: Instance, count: number): void {
  const dead = told(instance, "dead");
  if (dead <= DEAD_SHARE * (instance.number(REPORT.linked) + dead)) return;
  // what went is gone; where there is no memory for this, it waits
  instance.wasm.repair(Math.min(LISTS * count, CAPACITY_MAX));
}

/** Sees up to `limit` lists; says how many are left until all that is dead now is free. */
export function repair(instance: Instance, limit: number): number {
  instance.check(instance.wasm.repair(limit));
  return instance.number(REPORT.value);
}
