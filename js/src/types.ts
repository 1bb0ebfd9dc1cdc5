// SPDX-License-Identifier: Apache-2.0
// What callers pass and get, apart from the classes.

/**
 * What "near" means. Distances are smaller for nearer vectors:
 * - `"l2"`: the sum of squared differences (no root is taken)
 * - `"ip"`: minus the inner product
 * - `"cosine"`: 1 minus the cosine of the angle, from 0 to 2
 *
 * and of bits, where a number means the bit 1 if it is above 0:
 * - `"hamming"`: the number of bits that differ
 * - `"jaccard"`: 1 minus (bits set in both) / (bits set in either), from 0 to 1
 */
export type Metric = "l2" | "ip" | "cosine" | "hamming" | "jaccard";

/**
 * Vectors, one after the other. Under `"hamming"` and `"jaccard"` they may also
 * be packed bits, `Math.ceil(dimensions / 8)` bytes to a vector, the first bit
 * the most significant: `Uint8Array` is sentence-transformers' "ubinary",
 * `Int8Array` its "binary" (128 less).
 */
export type Vectors = Float32Array | Uint8Array | Int8Array;

/**
 * The WebAssembly module to run, where the built-in choice will not do:
 * - `"simd"` or `"scalar"` forces one of the two built-in twins
 * - the bytes of `minnow/minnow.wasm` or `minnow/minnow-scalar.wasm`
 * - a `WebAssembly.Module` compiled from them, for runtimes that forbid
 *   compiling at run time
 */
export type WasmSource = "simd" | "scalar" | Uint8Array | ArrayBuffer | object;

/** What an index without a spec is going to be like. */
export interface Hints {
  /**
   * Vectors that are expected, 1 to 2^31 - 1. Room is made for them, and from
   * 4,096 on (or with a budget) what suits them is taken as soon as there are
   * enough vectors to train on, instead of at 4,096.
   */
  count?: number | undefined;
  /**
   * Bytes that the index of `count` vectors may take once it is packed,
   * documents aside. What has the best recall of what fits is taken. Default: no
   * bound.
   */
  budgetBytes?: number | undefined;
  /**
   * It will be packed and read by pages, from a file, flash or over a network, and
   * not be kept in memory. What counts then is the pages that a query reads: a
   * large index becomes lists (ivf), whose centroids, a sixteenth of the bytes at
   * the most, are all that every query reads. It stays floats until there are
   * enough vectors to train those on (64 for each list, or all of `count`).
   * Default false.
   */
  paged?: boolean | undefined;
}

/** Options of `Index.create` and `Collection.create`. */
export interface IndexOptions extends Hints {
  /** Numbers in a vector, 1 to 65,535. */
  dimensions: number;
  /** What "near" means. */
  metric: Metric;
  /**
   * Default `"auto"`: every vector as floats, searched exactly; when there are
   * 4,096 of them (see `count`), a graph of codes, which learns from those and
   * takes them over. `info().spec` then tells which.
   *
   * Or `structure,transform,encoding,refine=encoding`, of which any may be left
   * out; the README says which to take when. That stays as it is, and where it
   * needs training `add` throws "untrained" before.
   * - structure: `auto` (flat for fewer than 4,096 vectors, else hnsw), `flat`
   *   (looks at every vector), `hnsw` or `hnsw32` (a graph with M links per
   *   vector, 4 to 64, default 16: approximate), `ivf` or `ivf256` (so many lists,
   *   of which a search scans the nearest: few far reads; needs `train`)
   * - transform: `hadamard` (a random rotation), `first128` (the first 128
   *   numbers, for Matryoshka embeddings), `pca128` (the 128 principal axes),
   *   `opq` (a rotation learnt for pq or prq)
   * - encoding, in bytes for d dimensions: `f32` (4d, default), `f16` and
   *   `bf16` (2d), `sq8` (d), `sq6` (3d/4), `sq4` (d/2), `bits1` to `bits8`
   *   (d/8 a bit, and 4 to 12), `pqMxB` (M B/8; B is 4 or 8), `prqMxBxN`
   *   (M B N/8; B up to 12), `sign` (d/8; for hamming and jaccard, and their
   *   default). `+c` behind pq and prq keeps 4 bytes more a vector that lift
   *   recall. All of sq, bits, pq, prq, pca and opq need `train`.
   * - refine: a second, better encoding by which candidates are ranked again;
   *   not sign, pq or prq
   */
  spec?: string | undefined;
  /**
   * Vectors to make room for at once, 1 to 2^31 - 1 (without a spec 4,095 of them
   * first). It grows by itself. Default 64.
   */
  capacity?: number | undefined;
  /** hnsw: candidates kept while linking, M to 65,535. Default 100. */
  efConstruction?: number | undefined;
  /** Of all pseudo-random choices, 0 to 2^64 - 1. Default 0. */
  seed?: number | bigint | undefined;
  /** The WebAssembly module to run. Default: the fastest this machine takes. */
  wasm?: WasmSource | undefined;
}

/** Options of `Codec.create`. */
export type CodecOptions = Pick<IndexOptions, "dimensions" | "metric" | "spec" | "seed" | "wasm">;

/**
 * Options of `Index.open`, `Codec.open` and `Collection.open`. Hints are not kept
 * in the bytes: give those of `create` again where an index without a spec may
 * have fewer than 4,096 vectors.
 */
export interface OpenOptions extends Hints {
  /** The WebAssembly module to run. Default: the fastest this machine takes. */
  wasm?: WasmSource | undefined;
}

/** Options of `addAsync`. */
export interface AddOptions {
  /** Stops linking when aborted, at the next batch of 64 vectors. */
  signal?: { readonly aborted: boolean; readonly reason?: unknown } | undefined;
  /**
   * Called after each step of a batch or more with the number of vectors linked
   * and to link: whole batches.
   */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
  /**
   * Threads that link, 1 to 32. Default 1, this one. More are workers, which get
   * a copy of the index in a memory that they share, and load a WebAssembly
   * module of their own. The bytes do not depend on it. Where there are no
   * workers, or a page may not share memory (it needs the headers COOP and COEP,
   * and a policy that lets workers start from `blob:`), it is 1.
   */
  threads?: number | undefined;
}

/** Options of `Index.repairAsync`. */
export interface RepairOptions {
  /** Stops when aborted, after the step that is running. */
  signal?: { readonly aborted: boolean; readonly reason?: unknown } | undefined;
  /** Called after each step with the number of lists seen and to see. */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/** Options of `delete`, `update` and `upsert`. */
export interface ChangeOptions {
  /**
   * Whether a call may also repair a part of the graph, once an eighth of what
   * is in it was deleted: up to 16 lists for each vector that goes, so that the
   * deleted share stays below a quarter. Default true. False where a call must
   * take no longer than it has to: then call `repair` when there is time.
   */
  repair?: boolean | undefined;
}

/** Options of `merge`. */
export interface MergeOptions {
  /**
   * What happens where both have a key: `"error"` (the default) throws
   * "duplicate-key", `"keep"` keeps what is here, `"replace"` takes the other's.
   */
  onConflict?: "error" | "keep" | "replace" | undefined;
}

/** What `info()` of a codec tells. */
export interface CodecInfo {
  /** Numbers in a vector. */
  dimensions: number;
  /** What "near" means. */
  metric: Metric;
  /** With every default spelled out and `auto` resolved, such as `"hnsw16,f32"`. */
  spec: string;
  /** Of all pseudo-random choices. */
  seed: bigint;
  /** Ready for vectors. */
  trained: boolean;
  /** Vectors that `train` cannot do without, and as many as help; 0: there is nothing to train. */
  training: { least: number; enough: number };
  /** Size of one encoded vector. */
  codeBytes: number;
  /** Size of its refine code. */
  refineBytes: number;
  /** Size of a vector as floats over that of both. */
  compression: number;
  /** WebAssembly memory in bytes. It never shrinks. */
  memoryBytes: number;
  /** The SIMD twin is running. Answers do not depend on it, speed does. */
  simd: boolean;
}

/** What `info()` of an index tells. */
export interface IndexInfo extends CodecInfo {
  /** What it is was chosen by `auto`, and may change as the index grows. */
  auto: boolean;
  /** hnsw: candidates kept while linking. */
  efConstruction: number;
  /** Vectors that fit before it grows. */
  capacity: number;
  /** Vectors in the index. */
  count: number;
  /** Of them, those in the graph; the others, up to 63 that wait for more, are found by scan. Without a graph all. */
  linked: number;
  /** Slots in use, with a vector or not: bits that a filter has. */
  slots: number;
  /** Vectors that were deleted and that the graph still leads through, until `repair`. */
  dead: number;
  /** The checksums hold: `verify` compares them. */
  sealed: boolean;
  /** It is packed: for searching only. */
  packed: boolean;
  /** Vectors that lost more than half a step to an encoding's range. */
  clipped: number;
  /**
   * What encoding lost: the mean over the vectors of |x - y|² / |x|², where y
   * is x encoded and decoded. A vector counts for 1 at most.
   */
  error: number;
  /** Size of the block, reserved capacity included. */
  blockBytes: number;
  /** Of them, in links. */
  graphBytes: number;
  /** What `tune` or `setTuned` stored; 0 where searches take the default. */
  tuned: { ef: number; gamma: number; nprobe: number; refineK: number };
  /** Version of the block's format, such as `"2.0"`. */
  format: string;
}
