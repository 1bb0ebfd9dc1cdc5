// SPDX-License-Identifier: Apache-2.0
/**
 * Vector search in one block of bytes.
 *
 * `Index` holds vectors under numeric keys. `Collection` adds string ids,
 * documents and filters. Both live in WebAssembly memory of their own, give
 * the same answers on every machine, and are saved as one array of bytes.
 */
export { MinnowError } from "./error.js";
export { Index } from "./index.js";
export type {
  AddOptions, IndexInfo, IndexOptions, Metric, OpenOptions, SearchOptions, SearchResult, SearchStats,
  WasmSource,
} from "./types.js";
export { Collection } from "./collection.js";
export type { CollectionSearchOptions, Document, Match } from "./collection.js";
export type { Condition, Operators, Scalar, Where } from "./where.js";
