// SPDX-License-Identifier: Apache-2.0
// Keys are 64-bit in the core and numbers up to 2^53 - 1 here; between the two
// they travel as 32-bit halves.
import { integer, kind } from "./check.js";
import { MinnowError } from "./error.js";

export const KEY_MAX = Number.MAX_SAFE_INTEGER;

export function low(value: number): number {
  return value >>> 0;
}

export function high(value: number): number {
  return Math.floor(value / 2 ** 32);
}

/** A key as a number, where a number can say it. */
export function safeKey(lowHalf: number, highHalf: number): number {
  if (highHalf > 0x1fffff) {
    throw new MinnowError(
      "key-unsafe",
      "a key of this block exceeds 2^53 - 1, which a JavaScript number cannot hold: use slots, or smaller keys when building",
    );
  }
  return highHalf * 2 ** 32 + lowHalf;
}

/** Keys as pairs of 32-bit halves; as many as there are `rows`, where that is given. */
export function keyHalves(
  keys: ArrayLike<number> | BigUint64Array, rows: number | undefined, name = "keys",
): Uint32Array {
  if (typeof keys !== "object" || keys === null || typeof keys.length !== "number") {
    throw new TypeError(`${name} must be an array of numbers, not ${kind(keys)}`);
  }
  if (rows !== undefined && keys.length !== rows) {
    throw new RangeError(`${name} must be one per row: ${rows}, not ${keys.length}`);
  }
  const halves = new Uint32Array(2 * keys.length);
  for (let i = 0; i < keys.length; i++) {
    const given: unknown = keys[i];
    // a bigint beyond 2^53 - 1 becomes a number beyond it, and is refused
    const key = typeof given === "bigint" ? Number(given) : given;
    if (!Number.isSafeInteger(key) || (key as number) < 0) {
      integer(`${name}[${i}]`, key, 0, KEY_MAX);
    }
    halves[2 * i] = low(key as number);
    halves[2 * i + 1] = high(key as number);
  }
  return halves;
}
