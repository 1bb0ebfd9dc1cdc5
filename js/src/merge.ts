// SPDX-License-Identifier: Apache-2.0
// Taking over the vectors of another index: its codes as they are, where both
// keep vectors alike.
import { turnsAt } from "./auto.js";
import type { Expected } from "./auto.js";
import { live, shapeOf, told } from "./block.js";
import { ADD, UPSERT, resize, store } from "./change.js";
import { kind } from "./check.js";
import { MinnowError, READ_ONLY, statusError } from "./error.js";
import { REPORT } from "./instance.js";
import type { Instance } from "./instance.js";
import { high, low } from "./key.js";
import type { Searchable } from "./searchable.js";
import { places } from "./slots.js";
import type { MergeOptions } from "./types.js";

/** mn_merge_policy */
const POLICIES = ["error", "keep", "replace"] as const;

/** The policy that was asked for. */
function policyOf({ onConflict = "error" }: MergeOptions): (typeof POLICIES)[number] {
  if (POLICIES.includes(onConflict)) return onConflict;
  throw new TypeError(`onConflict must be one of ${POLICIES.join(", ")}, not ${String(onConflict)}`);
}

/** That vectors of one are like those of the other, and are not those. */
export function checkMerge(into: Searchable, from: Searchable): void {
  if (from === into) throw new TypeError("an index cannot be merged into itself");
  const [a, b] = [into.info(), from.info()];
  if (a.metric !== b.metric) throw new TypeError(`both must have one metric, not ${a.metric} and ${b.metric}`);
  if (a.dimensions !== b.dimensions) {
    throw new RangeError(`both must have as many dimensions, not ${a.dimensions} and ${b.dimensions}`);
  }
  if (told(live(into), "packed") === 1) throw statusError(READ_ONLY);
}

/** Takes over all vectors or none, under the keys that `renamed` gives by slot, or their own. */
export function merge(
  into: Searchable, instance: Instance, expected: Expected, from: Searchable, options: MergeOptions,
  renamed?: (slot: number) => number,
): void {
  const policy = policyOf(options);
  const other = live(from);
  const { keys, slots } = places(other);
  const given = renamed ? Float64Array.from(slots, renamed) : keys;
  if (told(instance, "count") + keys.length >= turnsAt(instance, expected)) {
    return storeAll(into, instance, expected, from, keys, given, policy);
  }
  const before = told(instance, "capacity");
  const sealed = instance.number(REPORT.sealed) === 1;
  const bySlot = renamed && halvesBySlot(told(other, "slots"), slots, given);
  try {
    let status = mergeOnce(instance, other, policy, bySlot);
    if (statusError(status).code === "capacity") {
      resize(instance, instance.number(REPORT.value));
      status = mergeOnce(instance, other, policy, bySlot);
    }
    if (statusError(status).code === "duplicate-key") throw conflict(instance.number(REPORT.bytes));
    instance.check(status);
  } catch (error) {
    resize(instance, before);
    if (sealed) instance.check(instance.wasm.seal());
    throw error;
  }
}

function mergeOnce(instance: Instance, other: Instance, policy: (typeof POLICIES)[number], bySlot?: Uint32Array): number {
  const { length } = other.block;
  const at = instance.stage(length + (bySlot?.byteLength ?? 0));
  instance.u8.set(other.block, at);
  if (bySlot) instance.u32.set(bySlot, (at + length) >>> 2);
  return instance.wasm.merge(length, POLICIES.indexOf(policy), bySlot ? at + length : 0);
}

/** Keys by slot, as 64-bit numbers. */
function halvesBySlot(count: number, slots: Uint32Array, keys: Float64Array): Uint32Array {
  const halves = new Uint32Array(2 * count);
  slots.forEach((slot, i) => halves.set([low(keys[i]!), high(keys[i]!)], 2 * slot));
  return halves;
}

/** As vectors, where the index turns into another with them. */
function storeAll(
  into: Searchable, instance: Instance, expected: Expected, from: Searchable, keys: Float64Array,
  given: Float64Array, policy: (typeof POLICIES)[number],
): void {
  const there = given.reduce((count, key) => count + Number(into.has(key)), 0);
  if (there > 0 && policy === "error") throw conflict(there);
  const taken = [...given.keys()].filter((i) => policy === "replace" || !into.has(given[i]!));
  const d = into.dimensions;
  const vectors = new Float32Array(taken.length * d);
  taken.forEach((i, row) => vectors.set(from.reconstruct(keys[i]!), row * d));
  const how = policy === "replace" ? UPSERT : ADD;
  store(instance, shapeOf(into), expected, how, vectors, taken.map((i) => given[i]!));
}

function conflict(count: number): MinnowError {
  return new MinnowError("duplicate-key", `${count} of the keys are in both: say which to take by onConflict, "keep" or "replace"`);
}

/** What is no index, for a message. */
export function notMergeable(wanted: string, given: unknown): TypeError {
  return new TypeError(`what is merged must be ${wanted}, not ${kind(given)}`);
}
