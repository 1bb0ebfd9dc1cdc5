// SPDX-License-Identifier: Apache-2.0
// What documents are made of, into what the index keeps and back.
import { is } from "./check.js";
import { isPacked, oneRow } from "./rows.js";
import type { Shape } from "./rows.js";
import type { Metric, Vectors } from "./types.js";

/** A score from a distance. */
export function scoreOf(metric: Metric, distance: number, dimensions: number): number {
  if (metric === "cosine" || metric === "jaccard") return 1 - distance;
  if (metric === "hamming") return 1 - distance / dimensions;
  return metric === "ip" ? -distance : 1 / (1 + distance);
}

/** One vector, whatever it was given as, as floats. */
export function floats(name: string, given: Vectors | readonly number[], shape: Shape): Float32Array {
  const numbers = Array.isArray(given) && given.every((value) => typeof value === "number");
  const values = numbers ? Float32Array.from(given) : (given as Vectors);
  oneRow(name, values, shape);
  if (!isPacked(values)) return values as Float32Array;
  const flipped = is(values, "Int8Array") ? 0x80 : 0;
  return Float32Array.from({ length: shape.dimensions }, (_, i) =>
    ((values[i >> 3]! ^ flipped) << (i & 7)) & 0x80 ? 1 : -1);
}

/** The fields of a document as JSON. */
export function textOf(id: string, fields: object): string {
  const unfit = (cause?: unknown) =>
    new TypeError(`the document "${id}" has a field that JSON cannot hold`, { cause });
  let made: string | undefined;
  try {
    made = JSON.stringify(fields);
  } catch (cause) {
    throw unfit(cause);
  }
  // a toJSON of its own can make anything of a document
  if (!made?.startsWith("{")) throw unfit();
  return made;
}
