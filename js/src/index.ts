// SPDX-License-Identifier: Apache-2.0
import { beginning, checkHints, turnsAt } from "./auto.js";
import type { Expected } from "./auto.js";
import { changing, copy, createInstance, live, openInstance, replace, shapeOf, told } from "./block.js";
import { ADD, UPDATE, UPSERT, remove, repair, repairSome, store } from "./change.js";
import { CAPACITY_MAX, THREADS_MAX, asBytes, integer, sectionName } from "./check.js";
import { MinnowError, READ_ONLY, statusError } from "./error.js";
import { REPORT } from "./instance.js";
import type { Instance } from "./instance.js";
import { KEY_MAX, keyHalves } from "./key.js";
import { linkInSteps, linkable } from "./linking.js";
import type { Linking } from "./linking.js";
import { checkMerge, merge, notMergeable } from "./merge.js";
import { inSteps } from "./pause.js";
import { Searchable } from "./searchable.js";
import type {
  AddOptions, ChangeOptions, IndexInfo, IndexOptions, MergeOptions, OpenOptions, RepairOptions, Vectors,
} from "./types.js";

/** @internal `Index.merge`, under other keys, which `renamed` gives by slot of `from`. */
export let mergeRenamed: (
  into: Index, from: Index, options: MergeOptions, renamed?: (slot: number) => number,
) => void;

/** @internal Who keeps sections and slots of an index: writes them before its block is made anew, follows after. */
export const keepers = new WeakMap<Index, { write(): void; follow(): void }>();

/**
 * Vectors under numeric keys, searched for those nearest to a query.
 *
 * @example
 * const index = await Index.create({ dimensions: 3, metric: "cosine" });
 * index.add(Float32Array.of(1, 0, 0, 0, 1, 0), [7, 8]);
 * index.search(Float32Array.of(1, 0.1, 0), { k: 1 }).keys; // [7]
 * const again = await Index.open(index.toBytes());
 */
export class Index extends Searchable {
  readonly #expected: Expected;

  static {
    mergeRenamed = (into, from, options, renamed) => {
      const instance = changing(into);
      checkMerge(into, from);
      merge(into, instance, into.#expected, from, options, renamed);
      instance.check(instance.wasm.link(CAPACITY_MAX));
    };
  }

  private constructor(instance: Instance, expected: Expected) {
    super(instance);
    this.#expected = expected;
  }

  /**
   * An empty index. Throws "spec", "argument", "memory" and "capacity" (nothing
   * fits `budgetBytes`).
   */
  static async create(options: IndexOptions): Promise<Index> {
    const expected = checkHints(options);
    const { spec = "auto" } = options;
    const instance = await createInstance({ ...options, spec: spec === "auto" ? beginning(expected) : spec });
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

  // --- Change ----------------------------------------------------------------

  /**
   * Adds vectors, rows of `dimensions` numbers, under `keys`, one per row:
   * integers from 0 to 2^53 - 1. Without keys they are numbered on from all that
   * ever were there: 0, 1, 2, … in a new index. All go in or none. The index grows by itself; each
   * growth at least doubles it, so many small adds cost little more than one.
   * Slots of deleted vectors are used again.
   * A graph takes vectors in whole batches of 64: up to 63 wait for more to
   * come, and every search scans those. The bytes depend on the vectors and
   * their order, not on how they were divided among calls.
   * flat: O(n d); hnsw: about 5 to 10 times efConstruction distances a vector.
   * Throws "not-finite", "zero-vector", "range", "duplicate-key",
   * "untrained", "memory", "too-large", "busy" and "read-only" (packed).
   */
  add(vectors: Vectors, keys?: ArrayLike<number> | BigUint64Array): void {
    const instance = changing(this);
    this.#store(instance, ADD, vectors, keys);
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
    const check = this.#checkOf(signal);
    const instance = changing(this);
    check();
    const rows = this.#store(instance, ADD, vectors, keys);
    const total = linkable(instance);
    if (total === 0) return onProgress?.({ done: rows, total: rows });

    let most = 0;
    const tell = (done: number) => {
      if (done <= most) return; // the words of threads may overtake each other
      most = done;
      onProgress?.({ done, total });
    };
    const linking: Linking = { instance, total, check, tell };
    await this.#busily(instance, async () => {
      if (threads > 1) {
        const { linkInThreads } = await import("./threads.js");
        if (await linkInThreads(linking, threads)) return;
      }
      await linkInSteps(linking);
    });
  }

  /**
   * Replaces the vectors of keys that are there, one per row: all or none. An
   * updated vector may get another slot. Costs an add and a delete.
   * Throws "unknown-key", and as `add` and `delete` do.
   */
  update(vectors: Vectors, keys: ArrayLike<number> | BigUint64Array, options: ChangeOptions = {}): void {
    this.#replace(UPDATE, vectors, keys, options);
  }

  /**
   * Adds the vectors whose key is not there and replaces those whose key is:
   * all or none. Throws "duplicate-key" (a key twice in the call), and as `add`
   * and `delete` do.
   */
  upsert(vectors: Vectors, keys: ArrayLike<number> | BigUint64Array, options: ChangeOptions = {}): void {
    this.#replace(UPSERT, vectors, keys, options);
  }

  /**
   * Deletes the vectors under a key, or several: all or none. They are no hits
   * from then on, and k hits are found as before. flat and ivf use
   * their slots again at once. A graph leads through them until it is repaired, which calls
   * do bit by bit when it is time (see `ChangeOptions`), or `repair` at a time
   * of your choice. O(1) a key without that.
   * Throws "unknown-key", "duplicate-key" (twice in the call), "busy" and
   * "read-only" (packed).
   */
  delete(keys: number | ArrayLike<number> | BigUint64Array, options: ChangeOptions = {}): void {
    const list = typeof keys === "number" ? [keys] : keys;
    const halves = keyHalves(list, undefined);
    const instance = changing(this);
    remove(instance, halves);
    if (options.repair ?? true) repairSome(instance, list.length);
  }

  /**
   * Leads the graph past deleted vectors, by choosing among the neighbours'
   * neighbours (FreshDiskANN, arXiv 2105.09613, section 4.3), and frees their
   * slots. It goes over all lists of links once; `limit` bounds how many of them
   * a call sees (the next goes on from there). Says how many are left to see
   * until everything that is dead now is free; 0 when nothing is.
   * O(limit) lists, of which those with a deleted neighbour take some hundreds
   * of distances. Throws "memory", "busy" and "read-only".
   */
  repair({ limit = CAPACITY_MAX }: { limit?: number | undefined } = {}): number {
    integer("limit", limit, 1, CAPACITY_MAX);
    return repair(changing(this), limit);
  }

  /**
   * The same to its end, in steps of some milliseconds between which the event
   * loop runs. Searching is possible meanwhile, changing is not ("busy").
   * Aborting rejects with the signal's reason; the next repair goes on.
   */
  async repairAsync({ signal, onProgress }: RepairOptions = {}): Promise<void> {
    const check = this.#checkOf(signal);
    const instance = changing(this);
    check();
    let total = 0;
    await this.#busily(instance, () => inSteps(1, {
      check,
      step: (size) => repair(instance, size),
      tell: (left) => {
        total ||= left;
        onProgress?.({ done: total - left, total });
      },
    }));
  }

  /**
   * Takes over all vectors of another index of the same dimensions and metric,
   * packed or not, or none; the other stays as it is. Where both keep vectors
   * alike (the same spec, and the same training) codes are copied; otherwise
   * vectors are decoded and encoded again, which loses what both encodings lose.
   * Costs as `add` does.
   * Throws "duplicate-key" (keys in both, without `onConflict`), "memory",
   * "busy", "untrained", "read-only" (packed), and where vectors are encoded again
   * "range" and "zero-vector".
   */
  merge(other: Index, options: MergeOptions = {}): void {
    if (!(other instanceof Index)) throw notMergeable("an Index", other);
    mergeRenamed(this, other, options);
  }

  /**
   * Makes it as small as it can be while it may still change: repaired, without
   * room to spare, near vectors side by side. Slots change. O(n log n)
   * distances, and it blocks. Throws "memory", "busy" and "read-only" (packed).
   */
  async compact(): Promise<void> {
    const [packed, fresh] = [await live(this).another(), await live(this).another()];
    const keeper = keepers.get(this);
    keeper?.write(); // not before waiting: more may have been added since
    const instance = changing(this);
    if (told(instance, "packed") === 1) throw statusError(READ_ONLY);
    repair(instance, CAPACITY_MAX);
    if (this.size === 0) return;
    instance.check(instance.wasm.pack());
    packed.open(instance.reported);
    packed.check(packed.wasm.thaw(this.size));
    fresh.open(packed.reported);
    fresh.layout = instance.layout + 1;
    replace(this, fresh);
    keeper?.follow();
  }

  // --- Pack ------------------------------------------------------------------

  /**
   * A copy for searching only, and smaller: without room to spare, its vectors
   * renumbered so that near ones lie near one another, its links compressed. It
   * gives the answers of this one, but for slots; keys and sections stay. To
   * change it throws "read-only". Close this one to let its memory go.
   * What was deleted is left behind: this one is repaired first.
   * O(n log n) distances, and it blocks.
   * Throws "argument" (packed already, or empty), "memory" and "busy".
   */
  async pack(): Promise<Index> {
    const make = (instance: Instance) => {
      if (told(instance, "dead") > 0) repair(instance, CAPACITY_MAX);
      return instance.wasm.pack();
    };
    return this.#remade(make, "there is nothing to pack: it is packed already, or empty");
  }

  /**
   * A copy of a packed index that can be changed, with its answers and slots.
   * O(bytes). Throws "argument" (not packed), "memory" and "busy".
   */
  async thaw(): Promise<Index> {
    return this.#remade(({ wasm }) => wasm.thaw(this.size), "there is nothing to thaw: it is not packed");
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
      slots: number("slots"),
      dead: number("dead"),
      linked: number("linked"),
      sealed: number("sealed") === 1,
      packed: number("packed") === 1,
      clipped: instance.long(REPORT.clipped),
      error: instance.float(REPORT.error),
      blockBytes: instance.long(REPORT.blockBytes),
      graphBytes: instance.long(REPORT.graphBytes),
      tuned: {
        ef: number("tunedEf"), gamma: instance.float(REPORT.tunedGamma),
        nprobe: number("tunedNprobe"), refineK: instance.float(REPORT.tunedRefineK),
      },
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

  #store(
    instance: Instance, how: number, vectors: Vectors, keys?: ArrayLike<number> | BigUint64Array,
  ): number {
    return store(instance, shapeOf(this), this.#expected, how, vectors, keys);
  }

  #replace(
    how: number, vectors: Vectors, keys: ArrayLike<number> | BigUint64Array, options: ChangeOptions,
  ): void {
    const instance = changing(this);
    if (keys === undefined) throw new TypeError("keys must be given: which vectors are these?");
    const count = this.#store(instance, how, vectors, keys);
    instance.check(instance.wasm.link(CAPACITY_MAX));
    if (options.repair ?? true) repairSome(instance, count);
  }

  /** What throws where it was closed or aborted. */
  #checkOf(signal: AddOptions["signal"]): () => void {
    return () => {
      live(this);
      if (signal?.aborted) throw signal.reason;
    };
  }

  /** Nothing else may change the index while `work` is done. */
  async #busily(instance: Instance, work: () => Promise<void>): Promise<void> {
    instance.busy = true;
    try {
      await work();
    } finally {
      instance.busy = false;
    }
  }

  /** Another index of the block that `make` makes of this one. */
  async #remade(make: (instance: Instance) => number, otherwise: string): Promise<Index> {
    const fresh = await live(this).another();
    keepers.get(this)?.write();
    const instance = changing(this);
    const status = make(instance);
    const { code } = statusError(status);
    if (code === "argument") throw new MinnowError(code, otherwise);
    instance.check(status);
    fresh.open(instance.reported);
    return new Index(fresh, this.#expected);
  }
}
