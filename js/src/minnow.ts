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
  AddOptions, CodecInfo, CodecOptions, Hints, IndexInfo, IndexOptions, Metric, OpenOptions, Precision,
  SearchAsyncOptions, SearchOptions, SearchResult, SearchStats, Vectors, WasmSource,
} from "./types.js";
export { Collection } from "./collection.js";
export type { CollectionSearchOptions, Document, Match } from "./collection.js";
export type { Condition, Operators, Scalar, Where } from "./where.js";
