// SPDX-License-Identifier: Apache-2.0
// What callers pass and get, apart from the classes.

/**
 * What "near" means. Distances are smaller for nearer vectors:
 * - `"l2"`: the sum of squared differences (no root is taken)
 * - `"ip"`: minus the inner product
 * - `"cosine"`: 1 minus the cosine of the angle, from 0 to 2
 */
export type Metric = "l2" | "ip" | "cosine";

/**
 * The WebAssembly module to run, where the built-in choice will not do:
 * - `"simd"` or `"scalar"` forces one of the two built-in twins
 * - the bytes of `minnow/minnow.wasm` or `minnow/minnow-scalar.wasm`
 * - a `WebAssembly.Module` compiled from them, for runtimes that forbid
 *   compiling at run time
 */
export type WasmSource = "simd" | "scalar" | Uint8Array | ArrayBuffer | object;

/** Options of `Index.create` and `Collection.create`. */
export interface IndexOptions {
  /** Numbers in a vector, 1 to 65,535. */
  dimensions: number;
  /** What "near" means. */
  metric: Metric;
  /**
   * `structure,encoding`, either of which may be left out. Default `"auto"`.
   * - structure: `auto` (flat for fewer than 4,096 vectors, else hnsw), `flat`
   *   (looks at every vector, exact), `hnsw` or `hnsw32` (a graph with M links
   *   per vector, 4 to 64, default 16: approximate)
   * - encoding, for d dimensions: `f32` (4d bytes, default), `f16` and `bf16`
   *   (2d), `sq8` (d; needs `train`)
   */
  spec?: string | undefined;
  /** Vectors to make room for at once, 1 to 2^31 - 1. It grows by itself. Default 64. */
  capacity?: number | undefined;
  /** hnsw: candidates kept while linking, M to 65,535. Default 200. */
  efConstruction?: number | undefined;
  /** Of all pseudo-random choices, 0 to 2^64 - 1. Default 0. */
  seed?: number | bigint | undefined;
  /** The WebAssembly module to run. Default: the fastest this machine takes. */
  wasm?: WasmSource | undefined;
}

/** Options of `Index.open` and `Collection.open`. */
export interface OpenOptions {
  /** The WebAssembly module to run. Default: the fastest this machine takes. */
  wasm?: WasmSource | undefined;
}

/** Options of `addAsync`. */
export interface AddOptions {
  /** Stops linking when aborted. */
  signal?: { readonly aborted: boolean; readonly reason?: unknown } | undefined;
  /** Called after each step with the number of vectors linked and to link. */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/** Options of `Index.search`. */
export interface SearchOptions {
  /** Hits wanted, 1 to 65,535. Default 10. */
  k?: number | undefined;
  /**
   * hnsw: candidates kept, up to 65,535; more finds more and takes longer.
   * Raised to k where smaller. 0, the default, is 128.
   */
  ef?: number | undefined;
  /**
   * A bit for each slot: slot i is bit i % 32 of word i >>> 5. Only vectors
   * whose bit is 1 are hits; they are scanned, so the search is exact.
   */
  filter?: Uint32Array | undefined;
}

/** What a search did. */
export interface SearchStats {
  /** Distances computed. */
  distances: number;
  /** hnsw: vectors whose links were followed. */
  hops: number;
  /** Every vector was looked at, so the hits are the true nearest as far as the encoding can tell. */
  exact: boolean;
}

/** Hits, nearest first, equal distances in ascending key; copies that are the caller's. */
export interface SearchResult {
  /** Each a safe integer. */
  keys: Float64Array<ArrayBuffer>;
  /** As the metric defines them. */
  distances: Float32Array<ArrayBuffer>;
  /** Positions in the index, in the order of adding: for data kept beside it. */
  slots: Uint32Array<ArrayBuffer>;
  /** What the search did. */
  stats: SearchStats;
}

/** What `info()` tells. */
export interface IndexInfo {
  /** Numbers in a vector. */
  dimensions: number;
  /** What "near" means. */
  metric: Metric;
  /** With every default spelled out and `auto` resolved, such as `"hnsw16,f32"`. */
  spec: string;
  /** The structure was chosen by `auto`, and may change as the index grows. */
  auto: boolean;
  /** hnsw: candidates kept while linking. */
  efConstruction: number;
  /** Of all pseudo-random choices. */
  seed: bigint;
  /** Vectors that fit before it grows. */
  capacity: number;
  /** Vectors in the index. */
  count: number;
  /** Of them, those in the graph; the others are found by scan. flat: all. */
  linked: number;
  /** Ready for adds. */
  trained: boolean;
  /** The checksums hold: `verify` compares them. */
  sealed: boolean;
  /** Vectors that lost something to the range of `sq8`. */
  clipped: number;
  /** Size of the block, reserved capacity included. */
  blockBytes: number;
  /** Size of one encoded vector. */
  codeBytes: number;
  /** Version of the block's format, such as `"1.0"`. */
  format: string;
  /** WebAssembly memory of this index, in bytes. It never shrinks. */
  memoryBytes: number;
  /** The SIMD twin is running. Answers do not depend on it, speed does. */
  simd: boolean;
}
