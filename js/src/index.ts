// SPDX-License-Identifier: Apache-2.0
import { Block, changing, copy, createInstance, live, openInstance, shapeOf, told } from "./block.js";
import { AUTO_HNSW, CAPACITY_MAX, asBytes, integer, is, kind, sectionName } from "./check.js";
import { MinnowError, statusError } from "./error.js";
import { REPORT } from "./instance.js";
import type { Instance } from "./instance.js";
import { KEY_MAX, high, keyHalves, low } from "./key.js";
import { STEP_MS, pause } from "./pause.js";
import { countRows, stagedBytes, writeRows } from "./rows.js";
import { find, rank } from "./search.js";
import type {
  AddOptions, IndexInfo, IndexOptions, OpenOptions, SearchAsyncOptions, SearchOptions, SearchResult,
  Vectors,
} from "./types.js";

/**
 * Vectors under numeric keys, searched for those nearest to a query.
 *
 * @example
 * const index = await Index.create({ dimensions: 3, metric: "cosine" });
 * index.add(Float32Array.of(1, 0, 0, 0, 1, 0), [7, 8]);
 * index.search(Float32Array.of(1, 0.1, 0), { k: 1 }).keys; // [7]
 * const again = await Index.open(index.toBytes());
 */
export class Index extends Block {
  private constructor(instance: Instance) {
    super(instance);
  }

  /** An empty index. Throws "spec", "argument" and "memory". */
  static async create(options: IndexOptions): Promise<Index> {
    return new Index(await createInstance(options));
  }

  /**
   * Opens what `toBytes` returned, or what the `minnow` command wrote; vectors
   * can be added to it. The bytes are copied, so they may be changed or
   * transferred afterwards. Beyond that O(1): header and bounds are checked,
   * contents are not (see `verify`), but no bytes, however damaged, can do
   * worse than give wrong answers.
   * Throws "not-minnow", "version", "truncated", "corrupt" and "memory".
   */
  static async open(bytes: Uint8Array | ArrayBuffer, options?: OpenOptions): Promise<Index> {
    return new Index(await openInstance(bytes, options));
  }

  /** Vectors in the index. */
  get size(): number {
    return told(live(this), "count");
  }

  // --- Change ----------------------------------------------------------------

  /**
   * Adds vectors, rows of `dimensions` numbers, under `keys`, one per row:
   * integers from 0 to 2^53 - 1. Without keys they are numbered on from the
   * vectors already there. All go in or none. The index grows by itself; each
   * growth at least doubles it, so many small adds cost little more than one.
   * flat: O(n d); hnsw: about 5 to 10 times efConstruction distances a vector.
   * Throws "not-finite", "zero-vector", "range", "duplicate-key",
   * "untrained", "memory", "too-large" and "busy".
   */
  add(vectors: Vectors, keys?: ArrayLike<number> | BigUint64Array): void {
    const instance = changing(this);
    this.#append(instance, vectors, keys);
    instance.check(instance.wasm.link(CAPACITY_MAX));
  }

  /**
   * The same without blocking for long: the vectors are added, and can be
   * found, at once; then they are linked into the graph in steps of some
   * milliseconds between which the event loop runs. Searching is possible
   * meanwhile, changing is not ("busy"). The result is that of `add`.
   *
   * Aborting keeps the vectors (those not linked are found by scan) and
   * rejects with the signal's reason. The next `add` or `addAsync`, with or
   * without vectors, links the rest.
   */
  async addAsync(
    vectors: Vectors,
    keys?: ArrayLike<number> | BigUint64Array,
    options: AddOptions = {},
  ): Promise<void> {
    const { signal, onProgress } = options;
    const stopped = () => {
      if (signal?.aborted) throw signal.reason;
    };
    const instance = changing(this);
    stopped();
    const rows = this.#append(instance, vectors, keys);
    const left = told(instance, "count") - told(instance, "linked");
    if (left === 0) return onProgress?.({ done: rows, total: rows });

    instance.busy = true;
    try {
      for (let done = 0, step = 1; done < left;) {
        await pause();
        live(this);
        stopped();
        const start = performance.now();
        instance.check(instance.wasm.link(step));
        done = left - instance.number(REPORT.value);
        const spent = performance.now() - start;
        if (spent < STEP_MS / 2) step *= 2;
        else if (spent > STEP_MS) step = Math.max(1, step >>> 1);
        onProgress?.({ done, total: left });
      }
    } finally {
      instance.busy = false;
    }
  }

  // --- Search ----------------------------------------------------------------

  /**
   * The k vectors nearest to `query`, or as many as there are (and as the
   * filter lets through). flat: O(n d); hnsw: about O(ef log n) distances.
   * Throws "not-finite", "zero-vector", "memory", "key-unsafe" and "argument"
   * (planes that the encoding does not have).
   */
  search(query: Vectors, options: SearchOptions = {}): SearchResult {
    const found = this.#find(query, options);
    const { refine, k } = options;
    if (!refine) return found;
    return rank(live(this), shapeOf(this), query, k, found, refine(found.keys.slice(), found.slots.slice()));
  }

  /**
   * The same, with a `refine` that may wait: for vectors in a database, a file
   * or on a server. What `add` did meanwhile does not matter.
   */
  async searchAsync(query: Vectors, options: SearchAsyncOptions = {}): Promise<SearchResult> {
    const found = this.#find(query, options);
    const { refine, k } = options;
    if (!refine) return found;
    const asked = query.slice(); // the caller may change it while this waits
    const vectors = await refine(found.keys.slice(), found.slots.slice());
    return rank(live(this), shapeOf(this), asked, k, found, vectors);
  }

  /** Whether there is a vector under `key`. O(1). */
  has(key: number): boolean {
    const instance = live(this);
    integer("key", key, 0, KEY_MAX);
    const status = instance.wasm.find(low(key), high(key));
    if (status === 0) return true;
    const error = statusError(status);
    if (error.code === "unknown-key") return false;
    throw error;
  }

  /**
   * The vector under `key` as it is stored: what the refine encoding kept of
   * it, or else the encoding, taken back through the transform (what that
   * dropped is 0); under cosine normalised. Under hamming and jaccard numbers
   * are 1 and -1. O(d), and the transform's. Throws "unknown-key".
   */
  reconstruct(key: number): Float32Array<ArrayBuffer> {
    const instance = live(this);
    integer("key", key, 0, KEY_MAX);
    const d = this.dimensions;
    const at = instance.stage(4 * d);
    instance.check(instance.wasm.reconstruct(low(key), high(key), at, d));
    return instance.f32.slice(at >>> 2, (at >>> 2) + d);
  }

  // --- Report ----------------------------------------------------------------

  /** Options, counts and sizes. O(1). */
  override info(): IndexInfo {
    const instance = live(this);
    const codec = super.info();
    const number = (field: keyof typeof REPORT) => instance.number(REPORT[field]);
    return {
      ...codec,
      auto: number("isAuto") === 1,
      efConstruction: number("efConstruction"),
      capacity: number("capacity"),
      count: number("count"),
      linked: number("linked"),
      sealed: number("sealed") === 1,
      clipped: instance.long(REPORT.clipped),
      error: instance.float(REPORT.error),
      blockBytes: instance.long(REPORT.blockBytes),
      format: `${number("formatMajor")}.${number("formatMinor")}`,
    };
  }

  // --- Sections --------------------------------------------------------------

  /**
   * Stores a copy of `bytes` inside the index under `name`, replacing what was
   * there; no bytes remove it. For what belongs to the vectors: which model
   * made them, titles, documents. `name` is four ASCII characters of which the
   * first is a lower-case letter; at most 8 sections.
   * O(bytes). Throws "section", "memory" and "busy".
   */
  attach(name: string, bytes: Uint8Array): void {
    const instance = changing(this);
    const id = sectionName(name);
    const view = asBytes("bytes", bytes);
    if (view.length === 0) {
      if (instance.wasm.section(id) === 0) instance.check(instance.wasm.attach(id, 0));
      return;
    }
    const at = instance.stage(view.length);
    instance.u8.set(view, at);
    instance.check(instance.wasm.attach(id, view.length));
  }

  /**
   * A copy of the section `name`, or of its bytes from `start` up to `end`;
   * undefined where there is none.
   */
  section(name: string, start = 0, end = Infinity): Uint8Array<ArrayBuffer> | undefined {
    const instance = live(this);
    integer("start", start, 0, KEY_MAX);
    if (end !== Infinity) integer("end", end, 0, KEY_MAX);
    const status = instance.wasm.section(sectionName(name));
    if (status === 0) return copy(instance, start, end);
    const error = statusError(status);
    if (error.code === "section") return undefined;
    throw error;
  }

  // --- Inside ----------------------------------------------------------------

  #find(query: Vectors, options: SearchAsyncOptions): SearchResult {
    const words = options.filter ? this.#filterWords(options.filter) : 0;
    return find(live(this), shapeOf(this), query, options, words);
  }

  #filterWords(filter: Uint32Array): number {
    if (!is(filter, "Uint32Array")) {
      throw new TypeError(`filter must be a Uint32Array, not ${kind(filter)}`);
    }
    const words = (this.size + 31) >>> 5;
    if (filter.length >= words) return words;
    throw new RangeError(`filter must have a bit for each vector: ${words} words, not ${filter.length}`);
  }

  /** Stores rows without linking them; says how many. */
  #append(
    instance: Instance, vectors: Vectors, keys?: ArrayLike<number> | BigUint64Array,
  ): number {
    const rows = countRows("vectors", vectors, shapeOf(this));
    const halves = keys === undefined ? undefined : keyHalves(keys, rows);
    if (rows === 0) return 0;
    const before = told(instance, "capacity");
    const need = told(instance, "count") + rows;
    if (need > CAPACITY_MAX) throw new RangeError(`an index holds at most ${CAPACITY_MAX} vectors`);
    const sealed = told(instance, "sealed") === 1;
    let twice = Math.min(Math.max(need, 2 * before), CAPACITY_MAX);
    // `auto` decides by capacity; it should not be spare room that turns it
    if (need < AUTO_HNSW && told(instance, "isAuto")) twice = Math.min(twice, AUTO_HNSW - 1);
    try {
      try {
        this.#appendWithin(instance, need <= before ? before : twice, vectors, rows, halves);
      } catch (error) {
        // where memory does not allow twice the room, just enough may do
        if (!(error instanceof MinnowError && error.code === "memory") || need <= before) throw error;
        this.#appendWithin(instance, need, vectors, rows, halves);
      }
    } catch (error) {
      this.#resize(instance, before);
      if (sealed) instance.check(instance.wasm.seal());
      throw error;
    }
    return rows;
  }

  #appendWithin(
    instance: Instance, capacity: number, vectors: Vectors, rows: number, halves?: Uint32Array,
  ): void {
    this.#resize(instance, capacity);
    const shape = shapeOf(this);
    const keys = instance.stage((halves?.byteLength ?? 0) + stagedBytes(vectors, rows, shape));
    const data = keys + (halves?.byteLength ?? 0);
    if (halves) instance.u32.set(halves, keys >>> 2);
    writeRows(instance, data, vectors, rows, shape);
    instance.checkRows(instance.wasm.append(data, rows, shape.dimensions, halves ? keys : 0));
  }

  #resize(instance: Instance, capacity: number): void {
    if (capacity !== told(instance, "capacity")) instance.check(instance.wasm.reserve(capacity));
  }
}
