// SPDX-License-Identifier: Apache-2.0
/// <reference lib="esnext.disposable" preserve="true" />
import { shapeOf } from "./block.js";
import { integer, is, kind } from "./check.js";
import { Documents } from "./documents.js";
import { MinnowError } from "./error.js";
import { Index } from "./index.js";
import { isPacked, oneRow } from "./rows.js";
import type { Shape } from "./rows.js";
import type {
  AddOptions, IndexInfo, IndexOptions, Metric, OpenOptions, Precision, SearchStats, Vectors,
} from "./types.js";
import type { Where } from "./where.js";

/** What is added: an id, a vector, and any fields that JSON can hold. */
export interface Document {
  /** Different from all others of the collection. */
  id: string;
  /**
   * As many numbers as the collection has dimensions; under hamming and jaccard
   * packed bits as well (see `Vectors`).
   */
  vector: Vectors | readonly number[];
  /** Kept as JSON. */
  [field: string]: unknown;
}

/** What is found. */
export interface Match {
  /** The document's id. */
  id: string;
  /**
   * Higher is better: the cosine (from -1 to 1), the inner product, under l2
   * 1 / (1 + squared distance), under hamming the part of the bits that are
   * equal, under jaccard the similarity (both from 0 to 1).
   */
  score: number;
  /** The document's fields, without id and vector; a copy. */
  document: Record<string, unknown>;
}

/** Options of `Collection.search`. */
export interface CollectionSearchOptions extends Precision {
  /** Matches wanted, 1 to 65,535. Default 10. */
  limit?: number | undefined;
  /** Conditions on fields. The documents that satisfy them are searched exactly. */
  where?: Where | undefined;
}

/**
 * Documents with a vector each, found by nearness and by their fields.
 *
 * @example
 * const animals = await Collection.create({ dimensions: 2, metric: "cosine" });
 * animals.add({ id: "cat", vector: [1, 0.2], legs: 4 });
 * animals.search([1, 0], { limit: 3, where: { legs: 4 } });
 * const again = await Collection.open(animals.toBytes());
 */
export class Collection {
  readonly #index: Index;
  readonly #documents: Documents;
  readonly #metric: Metric;
  #lastStats: SearchStats | undefined;

  /** The same as `close()`, for `using`. */
  declare [Symbol.dispose]: () => void;
  static {
    if (Symbol.dispose) Collection.prototype[Symbol.dispose] = Collection.prototype.close;
  }

  private constructor(index: Index, documents: Documents) {
    this.#index = index;
    this.#documents = documents;
    this.#metric = index.info().metric;
  }

  /** An empty collection. Throws as `Index.create` does. */
  static async create(options: IndexOptions): Promise<Collection> {
    const index = await Index.create(options);
    return new Collection(index, Documents.empty(index));
  }

  /**
   * Opens what `toBytes` returned. Ids and the places of documents are checked
   * here, a document's text when it is read. O(documents).
   * Throws as `Index.open` does; "section" where the bytes hold an index
   * without documents.
   */
  static async open(bytes: Uint8Array | ArrayBuffer, options?: OpenOptions): Promise<Collection> {
    const index = await Index.open(bytes, options);
    return new Collection(index, Documents.read(index));
  }

  /** Number of documents. */
  get size(): number {
    return this.#index.size;
  }

  /** What the last search did; undefined before the first. */
  get lastStats(): SearchStats | undefined {
    return this.#lastStats;
  }

  /**
   * For a spec that needs it: learns from rows of vectors, once, before the
   * first `add`. See `Index.train`.
   */
  train(sample: Float32Array): void {
    this.#index.train(sample);
  }

  /**
   * Adds a document, or several: all or none. Fields are kept as JSON, as they
   * are now; what JSON cannot hold (undefined, functions) is left out.
   * Throws "duplicate-key" for an id that is there already, and as
   * `Index.add` does.
   */
  add(documents: Document | readonly Document[]): void {
    const { ids, texts, vectors } = this.#prepare(documents);
    this.#index.add(vectors);
    this.#documents.push(ids, texts);
  }

  /**
   * The same without blocking for long. The documents can be found as soon as
   * the call returns its promise; see `Index.addAsync`.
   */
  async addAsync(documents: Document | readonly Document[], options?: AddOptions): Promise<void> {
    const { ids, texts, vectors } = this.#prepare(documents);
    const before = this.#index.size;
    const linking = this.#index.addAsync(vectors, undefined, options);
    if (this.#index.size > before) this.#documents.push(ids, texts);
    return linking;
  }

  /**
   * The documents nearest to `query`, best first: `limit` of them, or as many
   * as there are and satisfy `where`.
   * Throws as `Index.search` does; TypeError for a `where` that cannot be
   * meant, such as an unknown operator.
   */
  search(query: Vectors | readonly number[], options: CollectionSearchOptions = {}): Match[] {
    const { limit = 10, where, ef, planes, refinePlanes, refineK } = options;
    integer("limit", limit, 1, 65535);
    const vector = floats("query", query, shapeOf(this.#index));
    const filter = where === undefined ? undefined : this.#documents.filter(where);
    const { slots, distances, stats } = this.#index.search(vector, {
      k: limit, filter, ef, planes, refinePlanes, refineK,
    });
    this.#lastStats = stats;
    return Array.from(slots, (slot, i) => ({
      id: this.#documents.id(slot),
      score: score(this.#metric, distances[i]!, this.#index.dimensions),
      document: this.#documents.at(slot),
    }));
  }

  /** The fields of the document `id`, without id and vector; undefined where there is none. */
  get(id: string): Record<string, unknown> | undefined {
    const slot = this.#slot(id);
    return slot === undefined ? undefined : this.#documents.at(slot);
  }

  /** Whether there is a document `id`. */
  has(id: string): boolean {
    return this.#slot(id) !== undefined;
  }

  /**
   * A copy for searching only, and smaller; its answers are those of this one.
   * See `Index.pack`. O(documents) besides.
   */
  async pack(): Promise<Collection> {
    const index = await this.#index.pack();
    return new Collection(index, this.#documents.renumbered(this.#index, index));
  }

  /** A copy of a packed collection that can be changed. See `Index.thaw`. */
  async thaw(): Promise<Collection> {
    const index = await this.#index.thaw();
    return new Collection(index, Documents.read(index));
  }

  /** Options, counts and sizes of the index. */
  info(): IndexInfo {
    return this.#index.info();
  }

  /** Checks all that `open` does not, documents included. O(bytes). Throws "corrupt". */
  verify(): void {
    this.#index.verify();
    this.#documents.verify();
  }

  /**
   * The collection as bytes, documents included. The same input gives the same
   * bytes. See `Index.toBytes`.
   */
  toBytes(): Uint8Array<ArrayBuffer> {
    this.#documents.write();
    return this.#index.toBytes();
  }

  /** Lets the memory go; any later use but `close` throws "closed". */
  close(): void {
    this.#index.close();
  }

  // --- Inside ----------------------------------------------------------------

  #slot(id: string): number | undefined {
    if (typeof id !== "string") throw new TypeError(`id must be a string, not ${kind(id)}`);
    // asked of the index so that a closed collection says so
    return this.#index.size === 0 ? undefined : this.#documents.slot(id);
  }

  /** Everything about new documents that can fail before they are added. */
  #prepare(documents: Document | readonly Document[]) {
    const list = (Array.isArray(documents) ? documents : [documents]) as readonly Document[];
    const shape = shapeOf(this.#index);
    const d = shape.dimensions;
    const ids = new Set<string>();
    const vectors = new Float32Array(list.length * d);
    const texts = list.map((document, i) => {
      if (typeof document !== "object" || document === null) {
        throw new TypeError(`a document must be an object with id and vector, not ${kind(document)}`);
      }
      const { id, vector, ...fields } = document;
      if (typeof id !== "string") throw new TypeError(`a document's id must be a string, not ${kind(id)}`);
      if (this.has(id) || ids.has(id)) {
        throw new MinnowError("duplicate-key", `the id "${id}" is taken: give every document an id of its own`, i);
      }
      ids.add(id);
      vectors.set(floats(`the vector of "${id}"`, vector, shape), i * d);
      return text(id, fields);
    });
    return { ids: [...ids], texts, vectors };
  }
}

function score(metric: Metric, distance: number, dimensions: number): number {
  if (metric === "cosine" || metric === "jaccard") return 1 - distance;
  if (metric === "hamming") return 1 - distance / dimensions;
  return metric === "ip" ? -distance : 1 / (1 + distance);
}

function floats(name: string, given: Vectors | readonly number[], shape: Shape): Float32Array {
  const numbers = Array.isArray(given) && given.every((value) => typeof value === "number");
  const values = numbers ? Float32Array.from(given) : (given as Vectors);
  oneRow(name, values, shape);
  if (!isPacked(values)) return values as Float32Array;
  const flipped = is(values, "Int8Array") ? 0x80 : 0;
  return Float32Array.from({ length: shape.dimensions }, (_, i) =>
    ((values[i >> 3]! ^ flipped) << (i & 7)) & 0x80 ? 1 : -1);
}

function text(id: string, fields: object): string {
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
