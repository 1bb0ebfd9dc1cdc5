// SPDX-License-Identifier: Apache-2.0
/// <reference lib="esnext.disposable" preserve="true" />
import { shapeOf } from "./block.js";
import { EF_MAX, integer, kind, real } from "./check.js";
import { floats, scoreOf, textOf } from "./convert.js";
import type { Document, Match, Update } from "./document.js";
import { Documents } from "./documents.js";
import type { Entry } from "./documents.js";
import { MinnowError } from "./error.js";
import { Index, keepers, mergeRenamed } from "./index.js";
import { notMergeable } from "./merge.js";
import type {
  Audit, Diversity, Explanation, Plan, Precision, Sampling, SearchOptions, SearchResult, SearchStats,
  TuneOptions, Tuned, TunedTo,
} from "./query.js";
import type {
  AddOptions, ChangeOptions, IndexInfo, IndexOptions, MergeOptions, Metric, OpenOptions, RepairOptions, Vectors,
} from "./types.js";
import type { Where } from "./where.js";

/** Options of `Collection.search`. */
export interface CollectionSearchOptions extends Precision {
  /** Matches wanted, 1 to 65,535. Default 10. */
  limit?: number | undefined;
  /** Conditions on fields that matches satisfy. */
  where?: Where | undefined;
  /** Ids that are no matches; such as are not there do not matter. */
  exclude?: readonly string[] | undefined;
  /** Leaves out matches with a lower score. */
  minScore?: number | undefined;
  /** Chooses matches that are unlike each other; they then come in that order. */
  diversity?: Diversity | undefined;
  /** How to look for documents that satisfy `where`. Default `"auto"`. */
  plan?: Plan | undefined;
  /** At most so many distances; see `Conditions`. */
  budget?: number | undefined;
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
    keepers.set(index, documents);
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

  // --- Change ----------------------------------------------------------------

  /**
   * Adds a document, or several: all or none. Fields are kept as JSON, as they
   * are now; what JSON cannot hold (undefined, functions) is left out.
   * Throws "duplicate-key" for an id that is there already, and as
   * `Index.add` does.
   */
  add(documents: Document | readonly Document[]): void {
    const { entries, keys, vectors } = this.#prepare(documents, "new");
    this.#index.add(vectors, keys);
    this.#documents.put(entries);
  }

  /**
   * The same without blocking for long. The documents can be found as soon as
   * the call returns its promise; see `Index.addAsync`.
   */
  async addAsync(documents: Document | readonly Document[], options?: AddOptions): Promise<void> {
    const { entries, keys, vectors } = this.#prepare(documents, "new");
    const before = this.#index.size;
    const linking = this.#index.addAsync(vectors, keys, options);
    if (this.#index.size > before) this.#documents.put(entries);
    return linking;
  }

  /**
   * Replaces a document that is there, or several: all or none. Its fields are
   * replaced as a whole; without a vector it keeps its own.
   * Throws "unknown-key" for an id that is not there, and as `Index.update` does.
   */
  update(documents: Update | readonly Update[], options?: ChangeOptions): void {
    const { entries, keys, vectors } = this.#prepare(documents, "there");
    this.#index.update(vectors, keys, options);
    this.#documents.put(entries);
  }

  /**
   * Adds documents whose id is not there and replaces those whose id is: all or
   * none. Throws as `Index.upsert` does.
   */
  upsert(documents: Document | readonly Document[], options?: ChangeOptions): void {
    const { entries, keys, vectors } = this.#prepare(documents, "either");
    this.#index.upsert(vectors, keys, options);
    this.#documents.put(entries);
  }

  /**
   * Deletes the document with an id, or several: all or none. Throws
   * "unknown-key", and as `Index.delete` does.
   */
  delete(ids: string | readonly string[], options?: ChangeOptions): void {
    const list = typeof ids === "string" ? [ids] : ids;
    if (!Array.isArray(list)) throw new TypeError(`ids must be a string or an array of them, not ${kind(ids)}`);
    const keys = list.map((id, i) => {
      const slot = this.#slot(id);
      if (slot === undefined) throw new MinnowError("unknown-key", `there is no document "${id}": ask has(id) first`, i);
      return this.#documents.key(slot);
    });
    this.#index.delete(keys, options);
    this.#documents.remove(list);
  }

  /**
   * Deletes the documents that satisfy conditions on fields (all for `{}`), and
   * says how many. Throws as `search` and `Index.delete` do.
   */
  deleteWhere(where: Where, options?: ChangeOptions): number {
    const ids = this.#documents.matching(where);
    this.delete(ids, options);
    return ids.length;
  }

  /**
   * Takes over all documents of another collection of the same dimensions and
   * metric, or none; see `Index.merge`. Conflicts are ids that are in both.
   * O(documents of the other) besides.
   */
  merge(other: Collection, options: MergeOptions = {}): void {
    if (!(other instanceof Collection)) throw notMergeable("a Collection", other);
    const theirs = other.#documents;
    const keys: number[] = []; // by slot of theirs
    const entries: Entry[] = [];
    let key = this.#documents.nextKey;
    for (const [id, slot] of theirs.entries()) {
      const mine = this.#slot(id);
      keys[slot] = mine === undefined ? key++ : this.#documents.key(mine);
      if (mine === undefined || options.onConflict === "replace") {
        entries.push({ id, key: keys[slot], text: JSON.stringify(theirs.at(slot)) });
      }
    }
    mergeRenamed(this.#index, other.#index, options, (slot) => keys[slot]!);
    this.#documents.put(entries);
  }

  /** Leads the graph past deleted documents; see `Index.repair`. */
  repair(options?: { limit?: number | undefined }): number {
    return this.#index.repair(options);
  }

  /** The same in steps; see `Index.repairAsync`. */
  async repairAsync(options?: RepairOptions): Promise<void> {
    return this.#index.repairAsync(options);
  }

  /** Makes it as small as it can be while it may still change; see `Index.compact`. */
  async compact(): Promise<void> {
    await this.#index.compact();
  }

  // --- Search ----------------------------------------------------------------

  /**
   * The documents nearest to `query`, best first: `limit` of them, or as many
   * as there are and satisfy the conditions.
   * Throws as `Index.search` does; TypeError for a `where` that cannot be
   * meant, such as an unknown operator.
   */
  search(query: Vectors | readonly number[], options: CollectionSearchOptions = {}): Match[] {
    const vector = floats("query", query, shapeOf(this.#index));
    return this.#matches(this.#index.search(vector, this.#asked(options)), options);
  }

  /** `search` for each of several queries; conditions are prepared once. */
  searchMany(
    queries: readonly (Vectors | readonly number[])[], options: CollectionSearchOptions = {},
  ): Match[][] {
    if (!Array.isArray(queries)) throw new TypeError(`queries must be an array of vectors, not ${kind(queries)}`);
    const shape = shapeOf(this.#index);
    const rows = new Float32Array(queries.length * shape.dimensions);
    queries.forEach((query, i) => rows.set(floats(`queries[${i}]`, query, shape), i * shape.dimensions));
    return this.#index.searchMany(rows, this.#asked(options)).map((found) => this.#matches(found, options));
  }

  /**
   * "More like this": the documents nearest to the document `id`, without
   * itself. Throws "unknown-key", and as `search` does.
   */
  like(id: string, options: CollectionSearchOptions = {}): Match[] {
    const slot = this.#slot(id);
    if (slot === undefined) throw new MinnowError("unknown-key", `there is no document "${id}": ask has(id) first`);
    return this.#matches(this.#index.searchLike(this.#documents.key(slot), this.#asked(options)), options);
  }

  /** Searches, and tells what that took and why; see `Index.explain`. */
  explain(query: Vectors | readonly number[], options: CollectionSearchOptions = {}): Explanation {
    return this.#index.explain(floats("query", query, shapeOf(this.#index)), this.#asked(options));
  }

  /** Measures what searches need to reach a recall, and uses it from then on; see `Index.tune`. */
  tune(options?: TuneOptions): Tuned {
    return this.#index.tune(options);
  }

  /** Stores what was found otherwise; see `Index.setTuned`. */
  setTuned(tuned?: TunedTo): void {
    this.#index.setTuned(tuned);
  }

  /** Measures recall, and looks the index over; see `Index.audit`. */
  audit(options?: Sampling): Audit {
    return this.#index.audit(options);
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
   * See `Index.pack`.
   */
  async pack(): Promise<Collection> {
    const index = await this.#index.pack();
    return new Collection(index, Documents.read(index));
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

  /** Options as the index takes them. */
  #asked(options: CollectionSearchOptions): Omit<SearchOptions, "refine"> {
    const { limit = 10, where, exclude = [], minScore, diversity, plan, budget, ef, gamma, planes, refinePlanes, refineK, nprobe } = options;
    integer("limit", limit, 1, EF_MAX);
    if (minScore !== undefined) real("minScore", minScore, -Infinity, Infinity);
    if (!Array.isArray(exclude)) throw new TypeError(`exclude must be an array of ids, not ${kind(exclude)}`);
    const without = exclude
      .map((id: string) => this.#slot(id))
      .flatMap((slot) => (slot === undefined ? [] : [this.#documents.key(slot)]));
    const filter = where === undefined ? undefined : this.#documents.filter(where);
    return { k: limit, filter, without, diversity, plan, budget, ef, gamma, planes, refinePlanes, refineK, nprobe };
  }

  #matches({ slots, distances, stats }: SearchResult, { minScore = -Infinity }: CollectionSearchOptions): Match[] {
    this.#lastStats = stats;
    const matches: Match[] = [];
    slots.forEach((slot, i) => {
      const found = scoreOf(this.#metric, distances[i]!, this.#index.dimensions);
      if (found >= minScore) matches.push({ id: this.#documents.id(slot), score: found, document: this.#documents.at(slot) });
    });
    return matches;
  }

  /** Everything about documents that can fail before they are stored. */
  #prepare(documents: Document | Update | readonly (Document | Update)[], which: "new" | "there" | "either") {
    const list = (Array.isArray(documents) ? documents : [documents]) as readonly Update[];
    const shape = shapeOf(this.#index);
    const d = shape.dimensions;
    const ids = new Set<string>();
    const rows = new Float32Array(list.length * d);
    let [count, key] = [0, this.#documents.nextKey];
    const keys: number[] = [];
    const entries = list.map((document, i): Entry => {
      if (typeof document !== "object" || document === null) {
        throw new TypeError(`a document must be an object with id and vector, not ${kind(document)}`);
      }
      const { id, vector, ...fields } = document;
      if (typeof id !== "string") throw new TypeError(`a document's id must be a string, not ${kind(id)}`);
      const slot = this.#slot(id);
      if (ids.has(id)) {
        throw new MinnowError("duplicate-key", `the id "${id}" is twice in this call: give each once`, i);
      }
      if (which === "new" && slot !== undefined) {
        throw new MinnowError("duplicate-key", `the id "${id}" is taken: give every document an id of its own`, i);
      }
      if (which === "there" && slot === undefined) {
        throw new MinnowError("unknown-key", `there is no document "${id}": add it, or upsert`, i);
      }
      ids.add(id);
      const entry = { id, key: slot === undefined ? key++ : this.#documents.key(slot), text: textOf(id, fields) };
      if (which === "there" && vector === undefined) return entry;
      rows.set(floats(`the vector of "${id}"`, vector!, shape), d * count++);
      keys.push(entry.key);
      return entry;
    });
    return { entries, keys, vectors: rows.subarray(0, d * count) };
  }
}
