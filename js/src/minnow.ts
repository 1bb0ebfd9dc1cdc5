// SPDX-License-Identifier: Apache-2.0
/**
 * Vector search in one block of bytes.
 *
 * `Index` holds vectors under numeric keys. `Collection` adds string ids,
 * documents and filters. `Codec` turns vectors that are kept elsewhere into
 * codes and back. All live in WebAssembly memory of their own, give the same
 * answers on every machine, and are saved as one array of bytes.
 */
export { MinnowError } from "./error.js";
export { Index } from "./index.js";
export { Codec } from "./codec.js";
export type {
  Audit, Conditions, Diversity, Explanation, Plan, Precision, Reason, Recall, Sampling, SearchAsyncOptions,
  SearchOptions, SearchResult, SearchStats, TuneOptions, Tuned, TunedTo, WithinOptions, WithinResult,
} from "./query.js";
export type {
  AddOptions, ChangeOptions, CodecInfo, CodecOptions, Hints, IndexInfo, IndexOptions, MergeOptions, Metric,
  OpenOptions, RepairOptions, Vectors, WasmSource,
} from "./types.js";
export { Collection } from "./collection.js";
export type { CollectionSearchOptions } from "./collection.js";
export type { Document, Match, Update } from "./document.js";
export type { Condition, Operators, Scalar, Where } from "./where.js";
