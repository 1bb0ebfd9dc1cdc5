// SPDX-License-Identifier: Apache-2.0
import { checkHints, turnsAt } from "./auto.js";
import type { Expected } from "./auto.js";
import { Block, changing, copy, createInstance, live, openInstance, shapeOf, told } from "./block.js";
import { AUTO_HNSW, CAPACITY_MAX, THREADS_MAX, asBytes, integer, is, kind, sectionName } from "./check.js";
import { MinnowError, READ_ONLY, statusError } from "./error.js";
import { REPORT } from "./instance.js";
import type { Instance } from "./instance.js";
import { KEY_MAX, high, keyHalves, low } from "./key.js";
import { linkInSteps, linkable } from "./linking.js";
import type { Linking } from "./linking.js";
import { countRows, stagedBytes, writeRows } from "./rows.js";
import { find, rank } from "./search.js";
import type {
  AddOptions, IndexInfo, IndexOptions, OpenOptions, SearchAsyncOptions, SearchOptions, SearchResult,
  Vectors,
} from "./types.js";

/** @internal The slot of a key; undefined where it is not in the index. */
export function slotOf(index: Index, key: number): number | undefined {
  const instance = live(index);
  const status = instance.wasm.find(low(key), high(key));
  if (status === 0) return instance.number(REPORT.value);
  const error = statusError(status);
  if (error.code === "unknown-key") return undefined;
  throw error;
}

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
  readonly #expected: Expected;

  private constructor(instance: Instance, expected: Expected) {
    super(instance);
    this.#expected = expected;
  }

  /**
   * An empty index. Throws "spec", "argument", "memory" and "capacity" (nothing
   * fits `budgetBytes`).
   */
  static async create(options: IndexOptions): Promise<Index> {
    const instance = await createInstance(options);
    const expected = checkHints(options);
    turnsAt(instance, expected); // whether anything fits
    return new Index(instance, expected);
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
    const expected = checkHints(options ?? {});
    return new Index(await openInstance(bytes, options), expected);
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
   * A graph takes vectors in whole batches of 64: up to 63 wait for more to
   * come, and every search scans those. The bytes depend on the vectors and
   * their order, not on how they were divided among calls.
   * flat: O(n d); hnsw: about 5 to 10 times efConstruction distances a vector.
   * Throws "not-finite", "zero-vector", "range", "duplicate-key",
   * "untrained", "memory", "too-large", "busy" and "read-only" (packed).
   */
  add(vectors: Vectors, keys?: ArrayLike<number> | BigUint64Array): void {
    const instance = changing(this);
    this.#append(instance, vectors, keys);
    instance.check(instance.wasm.link(CAPACITY_MAX));
  }

  /**
   * The same without blocking for long: the vectors are added, and can be
   * found, at once; then they are linked into the graph, batch by batch, in
   * steps of some milliseconds between which the event loop runs, or by
   * `threads`, meanwhile. Searching is possible then, changing is not ("busy").
   * The result is that of `add`, bit for bit.
   *
   * Aborting takes effect at the next batch. It keeps the vectors (those not
   * linked are found by scan) and rejects with the signal's reason. The next
   * `add` or `addAsync`, with or without vectors, links the rest.
   */
  async addAsync(
    vectors: Vectors,
    keys?: ArrayLike<number> | BigUint64Array,
    options: AddOptions = {},
  ): Promise<void> {
    const { signal, onProgress, threads = 1 } = options;
    integer("threads", threads, 1, THREADS_MAX);
    const check = () => {
      live(this);
      if (signal?.aborted) throw signal.reason;
    };
    const instance = changing(this);
    check();
    const rows = this.#append(instance, vectors, keys);
    const total = linkable(instance);
    if (total === 0) return onProgress?.({ done: rows, total: rows });

    let most = 0;
    const tell = (done: number) => {
      if (done <= most) return; // the words of threads may overtake each other
      most = done;
      onProgress?.({ done, total });
    };
    const linking: Linking = { instance, total, check, tell };
    instance.busy = true;
    try {
      if (threads > 1) {
        const { linkInThreads } = await import("./threads.js");
        if (await linkInThreads(linking, threads)) return;
      }
      await linkInSteps(linking);
    } finally {
      instance.busy = false;
    }
  }

  // --- Pack ------------------------------------------------------------------

  /**
   * A copy for searching only, and smaller: without room to spare, its vectors
   * renumbered so that near ones lie near one another, its links compressed. It
   * gives the answers of this one, but for slots; keys and sections stay. To
   * change it throws "read-only". Close this one to let its memory go.
   * O(n log n) distances, and it blocks.
   * Throws "argument" (packed already, or empty), "memory" and "busy".
   */
  async pack(): Promise<Index> {
    return this.#remade(({ wasm }) => wasm.pack(), "there is nothing to pack: it is packed already, or empty");
  }

  /**
   * A copy of a packed index that can be changed, with its answers and slots.
   * O(bytes). Throws "argument" (not packed), "memory" and "busy".
   */
  async thaw(): Promise<Index> {
    return this.#remade(({ wasm }) => wasm.thaw(this.size), "there is nothing to thaw: it is not packed");
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
    live(this);
    integer("key", key, 0, KEY_MAX);
    return slotOf(this, key) !== undefined;
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
      auto: number("isAuto") > 0,
      efConstruction: number("efConstruction"),
      capacity: number("capacity"),
      count: number("count"),
      linked: number("linked"),
      sealed: number("sealed") === 1,
      packed: number("packed") === 1,
      clipped: instance.long(REPORT.clipped),
      error: instance.float(REPORT.error),
      blockBytes: instance.long(REPORT.blockBytes),
      graphBytes: instance.long(REPORT.graphBytes),
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

  /** Another index of the block that `make` makes of this one. */
  async #remade(make: (instance: Instance) => number, otherwise: string): Promise<Index> {
    const fresh = await live(this).another();
    const instance = changing(this);
    const status = make(instance);
    const { code } = statusError(status);
    if (code === "argument") throw new MinnowError(code, otherwise);
    instance.check(status);
    fresh.open(instance.reported);
    return new Index(fresh, this.#expected);
  }

  /** Stores rows without linking them; says how many. */
  #append(
    instance: Instance, vectors: Vectors, keys?: ArrayLike<number> | BigUint64Array,
  ): number {
    const rows = countRows("vectors", vectors, shapeOf(this));
    const halves = keys === undefined ? undefined : keyHalves(keys, rows);
    if (told(instance, "packed") === 1) throw statusError(READ_ONLY);
    if (rows === 0) return 0;
    const before = told(instance, "capacity");
    const need = told(instance, "count") + rows;
    if (need > CAPACITY_MAX) throw new RangeError(`an index holds at most ${CAPACITY_MAX} vectors`);
    const sealed = told(instance, "sealed") === 1;
    const at = turnsAt(instance, this.#expected);
    const capacity = this.#roomFor(instance, need, at);
    try {
      try {
        this.#appendWithin(instance, capacity, vectors, rows, halves, at);
      } catch (error) {
        // where memory does not allow so much room, just enough may do
        if (!(error instanceof MinnowError && error.code === "memory") || capacity <= Math.max(need, before)) throw error;
        this.#appendWithin(instance, need, vectors, rows, halves, at);
      }
    } catch (error) {
      this.#resize(instance, before);
      if (sealed) instance.check(instance.wasm.seal());
      throw error;
    }
    return rows;
  }

  /** The capacity for `need` vectors, which grows by steps. */
  #roomFor(instance: Instance, need: number, at: number): number {
    const now = told(instance, "capacity");
    if (need >= at) return Math.max(need, this.#expected.capacity);
    if (need <= now) return now;
    const twice = Math.min(Math.max(need, 2 * now), CAPACITY_MAX);
    // `auto` decides by capacity; it should not be spare room that turns it
    return need < AUTO_HNSW && told(instance, "isAuto") ? Math.min(twice, AUTO_HNSW - 1) : twice;
  }

  #appendWithin(
    instance: Instance, capacity: number, vectors: Vectors, rows: number, halves: Uint32Array | undefined,
    at: number,
  ): void {
    const turns = told(instance, "count") + rows >= at;
    if (!turns) this.#resize(instance, capacity);
    const shape = shapeOf(this);
    const keys = instance.stage((halves?.byteLength ?? 0) + stagedBytes(vectors, rows, shape));
    const data = keys + (halves?.byteLength ?? 0);
    if (halves) instance.u32.set(halves, keys >>> 2);
    writeRows(instance, data, vectors, rows, shape);
    const given = halves ? keys : 0;
    instance.checkRows(turns
      ? instance.wasm.turn(data, rows, shape.dimensions, given, at, capacity)
      : instance.wasm.append(data, rows, shape.dimensions, given));
  }

  #resize(instance: Instance, capacity: number): void {
    if (capacity !== told(instance, "capacity")) instance.check(instance.wasm.reserve(capacity));
  }
}
