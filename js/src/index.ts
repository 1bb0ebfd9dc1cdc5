// SPDX-License-Identifier: Apache-2.0
/// <reference lib="esnext.disposable" preserve="true" />
import {
  AUTO_HNSW, CAPACITY_MAX, EF_MAX, METRICS, asBytes, checkOptions, integer, is, kind, sectionName,
} from "./check.js";
import { MinnowError, statusError } from "./error.js";
import { HIT_BYTES, Instance, REPORT } from "./instance.js";
import { KEY_MAX, high, keyHalves, low, safeKey } from "./key.js";
import { STEP_MS, pause } from "./pause.js";
import type {
  AddOptions, IndexInfo, IndexOptions, OpenOptions, SearchOptions, SearchResult,
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
export class Index {
  readonly #dimensions: number;
  #instance: Instance | undefined;
  #busy = false;

  /** The same as `close()`, for `using`. */
  declare [Symbol.dispose]: () => void;
  static {
    // some browsers do not have the symbol yet
    if (Symbol.dispose) Index.prototype[Symbol.dispose] = Index.prototype.close;
  }

  private constructor(instance: Instance) {
    this.#instance = instance;
    instance.wasm.info();
    this.#dimensions = instance.number(REPORT.dimensions);
  }

  /** An empty index. Throws "spec" and "memory". */
  static async create(options: IndexOptions): Promise<Index> {
    const checked = checkOptions(options);
    const instance = await Instance.start(options.wasm);
    instance.spec = checked.spec;
    const status = instance.wasm.create(
      checked.dimensions, checked.metric, checked.spec.length, checked.efConstruction,
      checked.seedLow, checked.seedHigh, checked.capacity,
    );
    if (status !== 0) {
      const error = statusError(status);
      throw error.code === "spec"
        ? new MinnowError("spec", `"${options.spec}": ${error.message}`)
        : error;
    }
    return new Index(instance);
  }

  /**
   * Opens what `toBytes` returned, or what the `minnow` command wrote; vectors
   * can be added to it. The bytes are copied, so they may be changed or
   * transferred afterwards. Beyond that O(1): header and bounds are checked,
   * contents are not (see `verify`), but no bytes, however damaged, can do
   * worse than give wrong answers.
   * Throws "not-minnow", "version", "truncated", "corrupt" and "memory".
   */
  static async open(bytes: Uint8Array | ArrayBuffer, options: OpenOptions = {}): Promise<Index> {
    const view = asBytes("bytes", bytes);
    const instance = await Instance.start(options.wasm);
    const at = instance.stage(view.length);
    instance.u8.set(view, at);
    instance.check(instance.wasm.open(view.length));
    return new Index(instance);
  }

  /** Numbers in a vector. */
  get dimensions(): number {
    return this.#dimensions;
  }

  /** Vectors in the index. */
  get size(): number {
    return this.#told(REPORT.count);
  }

  // --- Change ----------------------------------------------------------------

  /**
   * Learns the range of each dimension from `sample`, rows of `dimensions`
   * numbers. For `sq8`, once, before the first `add`; a few thousand
   * rows like those that will come are enough.
   * Throws "trained", "sample", "not-finite", "zero-vector" and "memory".
   */
  train(sample: Float32Array): void {
    const instance = this.#changing();
    const rows = this.#rows("sample", sample);
    const at = instance.stage(4 * sample.length);
    instance.f32.set(sample, at >>> 2);
    instance.check(instance.wasm.train(at, rows, this.#dimensions));
  }

  /**
   * Adds vectors, rows of `dimensions` numbers, under `keys`, one per row:
   * integers from 0 to 2^53 - 1. Without keys they are numbered on from the
   * vectors already there. All go in or none. The index grows by itself; each
   * growth at least doubles it, so many small adds cost little more than one.
   * flat: O(n d); hnsw: about 5 to 10 times efConstruction distances a vector.
   * Throws "not-finite", "zero-vector", "range", "duplicate-key",
   * "untrained", "memory", "too-large" and "busy".
   */
  add(vectors: Float32Array, keys?: ArrayLike<number> | BigUint64Array): void {
    const instance = this.#changing();
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
    vectors: Float32Array,
    keys?: ArrayLike<number> | BigUint64Array,
    options: AddOptions = {},
  ): Promise<void> {
    const { signal, onProgress } = options;
    const stopped = () => {
      if (signal?.aborted) throw signal.reason;
    };
    const instance = this.#changing();
    stopped();
    const rows = this.#append(instance, vectors, keys);
    const left = this.#told(REPORT.count) - this.#told(REPORT.linked);
    if (left === 0) return onProgress?.({ done: rows, total: rows });

    this.#busy = true;
    try {
      for (let done = 0, step = 1; done < left;) {
        await pause();
        this.#live();
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
      this.#busy = false;
    }
  }

  // --- Search ----------------------------------------------------------------

  /**
   * The k vectors nearest to `query`, or as many as there are (and as the
   * filter lets through). flat: O(n d); hnsw: about O(ef log n) distances.
   * Throws "not-finite", "zero-vector", "memory" and "key-unsafe".
   */
  search(query: Float32Array, options: SearchOptions = {}): SearchResult {
    const instance = this.#live();
    const { k = 10, ef = 0, filter } = options;
    integer("k", k, 1, EF_MAX);
    integer("ef", ef, 0, EF_MAX);
    if (this.#rows("query", query) !== 1) {
      throw new RangeError(`query must have ${this.#dimensions} numbers, not ${query.length}`);
    }
    const words = filter ? this.#filterWords(filter) : 0;

    const hits = instance.stage(k * HIT_BYTES + 4 * query.length + 4 * words);
    const vector = hits + k * HIT_BYTES;
    const bits = vector + 4 * query.length;
    instance.f32.set(query, vector >>> 2);
    if (filter) instance.u32.set(filter.subarray(0, words), bits >>> 2);
    instance.check(
      instance.wasm.search(hits, k, ef, vector, query.length, filter ? bits : 0),
    );

    const found = instance.number(REPORT.value);
    const keys = new Float64Array(found);
    const distances = new Float32Array(found);
    const slots = new Uint32Array(found);
    const { u32, f32 } = instance;
    for (let i = 0, at = hits >>> 2; i < found; i++, at += HIT_BYTES / 4) {
      keys[i] = safeKey(u32[at]!, u32[at + 1]!);
      distances[i] = f32[at + 2]!;
      slots[i] = u32[at + 3]!;
    }
    const stats = {
      distances: instance.long(REPORT.statsDistances),
      hops: instance.number(REPORT.statsHops),
      exact: instance.number(REPORT.statsExact) === 1,
    };
    return { keys, distances, slots, stats };
  }

  /** Whether there is a vector under `key`. O(1). */
  has(key: number): boolean {
    const instance = this.#live();
    integer("key", key, 0, KEY_MAX);
    const status = instance.wasm.find(low(key), high(key));
    if (status === 0) return true;
    const error = statusError(status);
    if (error.code === "unknown-key") return false;
    throw error;
  }

  /**
   * The vector under `key` as it is stored: what the encoding kept of it, and
   * normalised under cosine. O(d). Throws "unknown-key".
   */
  reconstruct(key: number): Float32Array<ArrayBuffer> {
    const instance = this.#live();
    integer("key", key, 0, KEY_MAX);
    const d = this.#dimensions;
    const at = instance.stage(4 * d);
    instance.check(instance.wasm.reconstruct(low(key), high(key), at, d));
    return instance.f32.slice(at >>> 2, (at >>> 2) + d);
  }

  // --- Report ----------------------------------------------------------------

  /** Options, counts and sizes. O(1). */
  info(): IndexInfo {
    const instance = this.#live();
    instance.wasm.info();
    const number = (field: keyof typeof REPORT) => instance.number(REPORT[field]);
    return {
      dimensions: this.#dimensions,
      metric: METRICS[number("metric") - 1]!,
      spec: instance.spec,
      auto: number("isAuto") === 1,
      efConstruction: number("efConstruction"),
      seed: BigInt(instance.number(REPORT.seed)) | (BigInt(instance.number(REPORT.seed + 4)) << 32n),
      capacity: number("capacity"),
      count: number("count"),
      linked: number("linked"),
      trained: number("trained") === 1,
      sealed: number("sealed") === 1,
      clipped: instance.long(REPORT.clipped),
      blockBytes: instance.long(REPORT.blockBytes),
      codeBytes: instance.long(REPORT.codeBytes),
      format: `${number("formatMajor")}.${number("formatMinor")}`,
      memoryBytes: instance.wasm.memory.buffer.byteLength,
      simd: instance.wasm.simd() === 1,
    };
  }

  /**
   * Checks all that `open` does not: the checksums, when the block is sealed
   * (as `toBytes` leaves it); keys, links and stored numbers. O(bytes).
   * Throws "corrupt".
   */
  verify(): void {
    const instance = this.#live();
    instance.check(instance.wasm.verify());
  }

  // --- Bytes -----------------------------------------------------------------

  /**
   * The index as bytes: tight (unused capacity is dropped, here as well; with
   * it the graph of an `auto` index of fewer than 4,096 vectors) and
   * sealed. The same input gives the same bytes, on every machine and however
   * the adds were divided. O(bytes). Throws "memory" and "busy".
   */
  toBytes(): Uint8Array<ArrayBuffer> {
    const instance = this.#changing();
    instance.check(instance.wasm.save());
    return this.#copy(instance);
  }

  /**
   * Stores a copy of `bytes` inside the index under `name`, replacing what was
   * there; no bytes remove it. For what belongs to the vectors: which model
   * made them, titles, documents. `name` is four ASCII characters of which the
   * first is a lower-case letter; at most 8 sections.
   * O(bytes). Throws "section", "memory" and "busy".
   */
  attach(name: string, bytes: Uint8Array): void {
    const instance = this.#changing();
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
    const instance = this.#live();
    integer("start", start, 0, KEY_MAX);
    if (end !== Infinity) integer("end", end, 0, KEY_MAX);
    const status = instance.wasm.section(sectionName(name));
    if (status === 0) return this.#copy(instance, start, end);
    const error = statusError(status);
    if (error.code === "section") return undefined;
    throw error;
  }

  /**
   * Lets the memory go; any later use but `close` throws "closed". An index
   * that is merely forgotten is collected like any object.
   */
  close(): void {
    this.#instance = undefined;
  }

  // --- Inside ----------------------------------------------------------------

  #live(): Instance {
    if (this.#instance) return this.#instance;
    throw new MinnowError("closed", "the index was closed: open its bytes again");
  }

  #changing(): Instance {
    const instance = this.#live();
    if (!this.#busy) return instance;
    throw new MinnowError("busy", "addAsync has not finished: await it before changing or saving");
  }

  #told(field: number): number {
    const instance = this.#live();
    instance.wasm.info();
    return instance.number(field);
  }

  /** How many rows an array of floats is. */
  #rows(name: string, floats: Float32Array): number {
    if (!is(floats, "Float32Array")) {
      throw new TypeError(`${name} must be a Float32Array, not ${kind(floats)}`);
    }
    const rows = floats.length / this.#dimensions;
    if (Number.isInteger(rows)) return rows;
    throw new RangeError(
      `${name} must be rows of ${this.#dimensions} numbers, and ${floats.length} is no multiple of that`,
    );
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
    instance: Instance, vectors: Float32Array, keys?: ArrayLike<number> | BigUint64Array,
  ): number {
    const rows = this.#rows("vectors", vectors);
    const halves = keys === undefined ? undefined : keyHalves(keys, rows);
    if (rows === 0) return 0;
    const before = this.#told(REPORT.capacity);
    const need = this.#told(REPORT.count) + rows;
    if (need > CAPACITY_MAX) throw new RangeError(`an index holds at most ${CAPACITY_MAX} vectors`);
    const sealed = this.#told(REPORT.sealed) === 1;
    let twice = Math.min(Math.max(need, 2 * before), CAPACITY_MAX);
    // `auto` decides by capacity; it should not be spare room that turns it
    if (need < AUTO_HNSW && this.#told(REPORT.isAuto)) twice = Math.min(twice, AUTO_HNSW - 1);
    try {
      try {
        this.#appendWithin(instance, need <= before ? before : twice, vectors, halves);
      } catch (error) {
        // where memory does not allow twice the room, just enough may do
        if (!(error instanceof MinnowError && error.code === "memory") || need <= before) throw error;
        this.#appendWithin(instance, need, vectors, halves);
      }
    } catch (error) {
      this.#resize(instance, before);
      if (sealed) instance.check(instance.wasm.seal());
      throw error;
    }
    return rows;
  }

  #appendWithin(
    instance: Instance, capacity: number, vectors: Float32Array, halves: Uint32Array | undefined,
  ): void {
    this.#resize(instance, capacity);
    const keyBytes = halves ? halves.byteLength : 0;
    const at = instance.stage(keyBytes + 4 * vectors.length);
    if (halves) instance.u32.set(halves, at >>> 2);
    instance.f32.set(vectors, (at + keyBytes) >>> 2);
    const rows = vectors.length / this.#dimensions;
    instance.checkRows(
      instance.wasm.append(at + keyBytes, rows, this.#dimensions, halves ? at : 0),
    );
  }

  #resize(instance: Instance, capacity: number): void {
    if (capacity !== this.#told(REPORT.capacity)) instance.check(instance.wasm.reserve(capacity));
  }

  /** A copy of the bytes that the report points at. */
  #copy(instance: Instance, start = 0, end = Infinity): Uint8Array<ArrayBuffer> {
    const at = instance.number(REPORT.value);
    const bytes = instance.number(REPORT.bytes);
    return instance.u8.slice(at + Math.min(start, bytes), at + Math.min(end, bytes));
  }
}
