// SPDX-License-Identifier: Apache-2.0
// Vectors as they come in: rows of floats, or of bits packed into bytes, which
// are unpacked as they are staged.
import { is, kind } from "./check.js";
import type { Instance } from "./instance.js";
import type { Vectors } from "./types.js";

/** What a vector of an index has. */
export interface Shape {
  dimensions: number;
  /** hamming and jaccard: vectors may be packed bits. */
  binary: boolean;
}

/** Numbers, or bytes, of a row in such an array. */
function width(name: string, vectors: Vectors, { dimensions, binary }: Shape): number {
  if (is(vectors, "Float32Array")) return dimensions;
  if (binary && (is(vectors, "Uint8Array") || is(vectors, "Int8Array"))) return Math.ceil(dimensions / 8);
  const bits = binary ? ", or a Uint8Array or Int8Array of packed bits" : "";
  throw new TypeError(`${name} must be a Float32Array${bits}, not ${kind(vectors)}`);
}

const unit = (vectors: Vectors) => (isPacked(vectors) ? "bytes" : "numbers");

export function isPacked(vectors: Vectors): boolean {
  return vectors.BYTES_PER_ELEMENT === 1;
}

/** How many rows an array is. */
export function countRows(name: string, vectors: Vectors, shape: Shape): number {
  const wide = width(name, vectors, shape);
  const rows = vectors.length / wide;
  if (Number.isInteger(rows)) return rows;
  throw new RangeError(
    `${name} must be rows of ${wide} ${unit(vectors)}, and ${vectors.length} is no multiple of that`,
  );
}

/** The same where it must be one row. */
export function oneRow(name: string, vector: Vectors, shape: Shape): void {
  const wide = width(name, vector, shape);
  if (vector.length === wide) return;
  throw new RangeError(`${name} must have ${wide} ${unit(vector)}, not ${vector.length}`);
}

/** Bytes that rows take when staged, their floats first; a multiple of 4. */
export function stagedBytes(vectors: Vectors, rows: number, { dimensions }: Shape): number {
  const packed = isPacked(vectors) ? vectors.length : 0;
  return 4 * (rows * dimensions + Math.ceil(packed / 4));
}

/** Puts rows, as floats, where they were given room. */
export function writeRows(
  instance: Instance, at: number, vectors: Vectors, rows: number, { dimensions }: Shape,
): void {
  if (!isPacked(vectors)) {
    instance.f32.set(vectors, at >>> 2);
    return;
  }
  const bits = at + 4 * rows * dimensions;
  const bytes = new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.length);
  instance.u8.set(bytes, bits);
  instance.wasm.unpack(bits, rows, dimensions, is(vectors, "Int8Array") ? 1 : 0, at);
}
