// SPDX-License-Identifier: Apache-2.0
// Checks of arguments, made before WebAssembly is entered. A mistake in type is
// a TypeError, one in shape or size a RangeError.
import { statusError } from "./error.js";
import type { Plan } from "./query.js";
import type { IndexOptions, Metric } from "./types.js";

export const METRICS: readonly Metric[] = ["l2", "ip", "cosine", "hamming", "jaccard"];
/** mn_plan_kind */
export const PLANS: readonly Plan[] = ["auto", "scan", "walk", "two-hop", "post", "probe"];
export const CAPACITY_MAX = 2 ** 31 - 1;
/** MN_AUTO_HNSW_CAPACITY: from here on `auto` is a graph. */
export const AUTO_HNSW = 4096;
export const EF_MAX = 65535;
/** A batch of 64 divided into shares of 2 has none for more. */
export const THREADS_MAX = 32;
export const SPEC_BYTES = 80;
const DIMENSIONS_MAX = 65535;
const FIRST_CAPACITY = 64;

/** Whether `value` is one of the language's own objects, from any realm. */
export function is(value: unknown, name: string): boolean {
  return Object.prototype.toString.call(value) === `[object ${name}]`;
}

/** What a value is, for messages. */
export function kind(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  return value.constructor?.name ?? "object";
}

/** `value` as an integer from `from` to `to`. */
export function integer(name: string, value: unknown, from: number, to: number): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${kind(value)}`);
  }
  if (!Number.isInteger(value) || value < from || value > to) {
    throw new RangeError(`${name} must be an integer from ${from} to ${to}, not ${value}`);
  }
  return value;
}

/** `value` as a real number from `from` to `to`. */
export function real(name: string, value: unknown, from: number, to: number): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${kind(value)}`);
  }
  if (value >= from && value <= to) return value;
  throw new RangeError(`${name} must be from ${from} to ${to}, not ${value}`);
}

/** Options as the core takes them: 0 where it has a default of its own. */
export function checkOptions(options: IndexOptions) {
  if (typeof options !== "object" || options === null) {
    throw new TypeError('options must be an object such as { dimensions: 384, metric: "cosine" }');
  }
  const { metric, spec = "auto", capacity = FIRST_CAPACITY, efConstruction, seed = 0 } = options;
  if (!METRICS.includes(metric)) {
    throw new TypeError(`metric must be one of ${METRICS.join(", ")}, not ${String(metric)}`);
  }
  if (typeof spec !== "string") throw new TypeError(`spec must be a string, not ${kind(spec)}`);
  const bits = seedBits(seed);
  return {
    dimensions: integer("dimensions", options.dimensions, 1, DIMENSIONS_MAX),
    metric: METRICS.indexOf(metric) + 1,
    // beyond ASCII or too long: let the core meet a word that it cannot know
    spec: spec.length > SPEC_BYTES || /[^\x20-\x7e]/.test(spec) ? "?" : spec,
    capacity: integer("capacity", capacity, 1, CAPACITY_MAX),
    efConstruction:
      efConstruction === undefined ? 0 : integer("efConstruction", efConstruction, 1, EF_MAX),
    seedLow: Number(bits & 0xffffffffn),
    seedHigh: Number(bits >> 32n),
  };
}

function seedBits(seed: number | bigint): bigint {
  if (typeof seed !== "bigint") {
    return BigInt(integer("seed", seed, 0, Number.MAX_SAFE_INTEGER));
  }
  if (seed >= 0n && seed < 1n << 64n) return seed;
  throw new RangeError(`seed must be from 0 to 2^64 - 1, not ${seed}`);
}

export function asBytes(name: string, bytes: Uint8Array | ArrayBuffer): Uint8Array {
  if (is(bytes, "Uint8Array")) return bytes as Uint8Array;
  if (is(bytes, "ArrayBuffer")) return new Uint8Array(bytes);
  throw new TypeError(`${name} must be a Uint8Array or an ArrayBuffer, not ${kind(bytes)}`);
}

/** A section's name as the number that the core knows it by. */
export function sectionName(name: string): number {
  if (typeof name !== "string") throw new TypeError(`name must be a string, not ${kind(name)}`);
  if (!/^[a-z][\x21-\x7e]{3}$/.test(name)) throw statusError(-21);
  return [...name].reduceRight((id, c) => id * 256 + c.charCodeAt(0), 0);
}
