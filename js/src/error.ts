// SPDX-License-Identifier: Apache-2.0

/**
 * What the index itself refuses. Nothing has changed when it is thrown.
 *
 * Mistakes in the type or shape of an argument are `TypeError` and
 * `RangeError` instead.
 */
export class MinnowError extends Error {
  /** Always this. */
  override readonly name = "MinnowError";
  /**
   * What went wrong, for programs. From the core:
   * `"argument"`, `"spec"`, `"dimensions"`, `"not-finite"`, `"zero-vector"`,
   * `"range"`, `"duplicate-key"`, `"unknown-key"`, `"capacity"`,
   * `"read-only"`, `"untrained"`, `"trained"`, `"sample"`, `"not-minnow"`,
   * `"version"`, `"truncated"`, `"corrupt"`, `"too-large"`, `"section"`,
   * `"unsupported"`.
   * From this package: `"memory"` (WebAssembly memory would not grow),
   * `"key-unsafe"` (a key in the block exceeds 2^53 - 1), `"busy"`
   * (`addAsync` has not finished), `"closed"`.
   */
  readonly code: string;
  /** The row at fault, from 0, where one row of several is. */
  readonly row: number | undefined;

  /** Not for callers. */
  constructor(code: string, message: string, row?: number) {
    super(message);
    this.code = code;
    this.row = row;
  }
}

/** Codes and advice in the order of `mn_status`, which is pinned forever. */
const STATUSES: readonly (readonly [code: string, message: string])[] = [
  ["ok", ""],
  ["argument", "not possible together: hamming and jaccard go with sign alone (first may come before it, no refine after it), and sign with them; M of pq and prq divides the dimensions; first and pca keep at most all of them; opq goes with pq or prq; efConstruction is at least M of hnsw (default 16)"],
  ["spec", 'not understood: write a structure (auto, flat, hnsw16, ivf256), a transform (hadamard, first128, pca128, opq), an encoding (f32, f16, bf16, sq8, sq6, sq4, bits1 to bits8, pq32x8, prq32x8x2, either with +c, sign) and refine=encoding, each at most once and in this order, as in "hnsw16,bits4,refine=f16"'],
  ["dimensions", "a vector has other dimensions than the index"],
  ["not-finite", "the vector has a NaN, an infinity, or numbers so large that distances overflow: check what made it"],
  ["zero-vector", "a zero vector has no direction, so no cosine: leave it out, or use the metric l2 or ip"],
  ["range", "the vector has a number that f16 cannot hold (beyond 65504): use bf16 or f32, or scale the vectors"],
  ["duplicate-key", "the key is in the index already, or twice in this call: give every vector a key of its own"],
  ["unknown-key", "the key is not in the index: ask has(key) first"],
  ["capacity", "the index is full"],
  ["arena", "an operation took more memory than was planned: please report this"],
  ["read-only", "the index is packed, so it can be searched but not changed: thaw() makes one that can"],
  ["untrained", ""], // these two are told with numbers
  ["trained", "nothing to train: this was trained already, or its spec needs none"],
  ["sample", ""],
  ["alignment", "the block lies at an address that is not a multiple of 8: please report this"],
  ["not-minnow", "these bytes are not a Minnow index: open what toBytes() returned"],
  ["version", "these bytes were written by a newer or unknown version: update the package, or build the index again"],
  ["truncated", "the bytes end too early: was the file copied or downloaded completely?"],
  ["corrupt", "the bytes are damaged: get the file again, or build the index again"],
  ["too-large", "the index would not fit in WebAssembly memory (4 GiB, the block 2 GiB): use a smaller encoding or several indexes"],
  ["section", "a section's name is four characters of which the first is a lower-case letter, and a block holds at most 8 of them"],
  ["unsupported", "this build of Minnow leaves out what the index needs: please report this"],
];

export const READ_ONLY = -11;
export const UNTRAINED = -12;
export const SAMPLE = -14;

/** One of this package's own statuses: memory would not grow. */
export const MEMORY = 1;
const MEMORY_MESSAGE =
  "WebAssembly memory would not grow: add fewer vectors at a time, use a smaller encoding, or close other indexes";

const TWICE = "the key is twice in this call: give each once";

/**
 * The error for a status other than 0. `replacing`: keys that are in the index
 * are no fault.
 */
export function statusError(status: number, row?: number, replacing = false): MinnowError {
  if (status === MEMORY) return new MinnowError("memory", MEMORY_MESSAGE);
  const [code, text] = STATUSES[-status] ?? ["unknown", `unknown status ${status}`];
  const message = replacing && code === "duplicate-key" ? TWICE : text;
  return new MinnowError(code, row === undefined ? message : `row ${row}: ${message}`, row);
}
