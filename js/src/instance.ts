// SPDX-License-Identifier: Apache-2.0
// One instance of wasm/module.c, which is one index: its exports, views of its
// memory, and where its `report` keeps things.
import { SPEC_BYTES } from "./check.js";
import { MEMORY, MinnowError, SAMPLE, UNTRAINED, statusError } from "./error.js";
import { load } from "./load.js";
import type { WasmSource } from "./types.js";

/** wasm/module.c says what each does. Pointers are unsigned only after >>> 0. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  _initialize?(): void;
  version(): number;
  simd(): number;
  report_at(): number;
  stage(bytes: number): number;
  create(
    dimensions: number, metric: number, specBytes: number, efConstruction: number,
    seedLow: number, seedHigh: number, capacity: number,
  ): number;
  open(bytes: number): number;
  block(): void;
  verify(): number;
  clear(): number;
  reserve(capacity: number): number;
  save(): number;
  training(): number;
  train(data: number, count: number, dimensions: number): number;
  set_model(model: number, bytes: number): number;
  unpack(bits: number, count: number, dimensions: number, signed: number, vectors: number): void;
  store(how: number, data: number, count: number, dimensions: number, keys: number): number;
  remove(keys: number, count: number): number;
  repair(limit: number): number;
  link(limit: number): number;
  merge(bytes: number, policy: number, keys: number): number;
  thread_sizes(): number;
  pack(): number;
  thaw(capacity: number): number;
  choose(count: number, budgetLow: number, budgetHigh: number, paged: number): number;
  turn(
    how: number, data: number, count: number, dimensions: number, keys: number, at: number,
    capacity: number,
  ): number;
  search(hits: number, query: number): number;
  like(hits: number, query: number, keyLow: number, keyHigh: number): number;
  within(hits: number, query: number, radius: number): number;
  diversify(hits: number, count: number, k: number, lambda: number): number;
  tune(
    query: number, queries: number, count: number, sample: number, recall: number, efMax: number,
    store: number, budgetLow: number, budgetHigh: number,
  ): number;
  set_tuned(ef: number, gamma: number, nprobe: number, refineK: number): number;
  audit(query: number, queries: number, count: number, sample: number): number;
  rank(hits: number, vector: number, data: number, count: number, dimensions: number): number;
  find(keyLow: number, keyHigh: number): number;
  reconstruct(keyLow: number, keyHigh: number, vector: number, dimensions: number): number;
  encode(data: number, count: number, dimensions: number, codes: number): number;
  decode(codes: number, count: number, vectors: number): number;
  compare(
    query: number, dimensions: number, codes: number, count: number, distances: number,
  ): number;
  between(a: number, b: number, distance: number): number;
  distance_table(query: number, dimensions: number, table: number): number;
  info(): void;
  attach(name: number, bytes: number): number;
  seal(): number;
  section(name: number): number;
}

/** The version of wasm/module.c that this file was written for: 0.1.x. */
const VERSION = 0x0001;

/** Offsets in bytes within `report`; wasm/module.c and wasm/search.c assert them. */
const INFO = 88, STATS = INFO + 168;
export const REPORT = {
  value: 0, bytes: 4, spec: 8,
  dimensions: INFO, metric: INFO + 4, structure: INFO + 8, transform: INFO + 12, keptDimensions: INFO + 16,
  encoding: INFO + 20, pqM: INFO + 24, pqBits: INFO + 28, pqNrq: INFO + 32, pqCorrection: INFO + 36,
  refine: INFO + 40,
  efConstruction: INFO + 48, seed: INFO + 56, seedHigh: INFO + 60, isAuto: INFO + 64, capacity: INFO + 68,
  count: INFO + 72, linked: INFO + 76, trained: INFO + 80, sealed: INFO + 84, packed: INFO + 88,
  clipped: INFO + 96, blockBytes: INFO + 104, graphBytes: INFO + 112, codeBytes: INFO + 120,
  refineBytes: INFO + 124, error: INFO + 128, compression: INFO + 132, formatMajor: INFO + 136,
  formatMinor: INFO + 140, slots: INFO + 144, dead: INFO + 148, tunedEf: INFO + 152, tunedRefineK: INFO + 156,
  tunedNprobe: INFO + 160, tunedGamma: INFO + 164,
  statsDistances: STATS, statsBytes: STATS + 8, statsHops: STATS + 16, statsProbed: STATS + 20,
  statsExact: STATS + 24, statsRefined: STATS + 28, statsPlanes: STATS + 32, statsRefineBytes: STATS + 40,
  statsPlan: STATS + 48, statsReason: STATS + 52, statsMatches: STATS + 56, statsCut: STATS + 60,
  statsFellBack: STATS + 64, tuned: STATS + 72, audit: STATS + 152,
} as const;

/** Within mn_tuned, mn_audit and the mn_recall that each has; wasm/search.c asserts them. */
export const RECALL = { queries: 0, k: 4, recall: 16, low: 20, high: 24, distances: 28, refined: 32 } as const;
export const TUNED = {
  ef: 0, nprobe: 4, refineK: 8, gamma: 12, recall: 16, reached: 56, cut: 60, stored: 64, runs: 68, spent: 72,
} as const;
export const AUDIT = {
  vectors: 40, deadShare: 44, duplicates: 48, groups: 52, largest: 56, linked: 60, pending: 64,
  unreachable: 68, links: 72, linkBits: 76, lists: 80, emptyLists: 84, largestList: 88,
} as const;

/** Offsets in bytes within a query, mn_query; wasm/search.c asserts them. */
export const QUERY = {
  vector: 0, dimensions: 4, k: 8, ef: 12, nprobe: 16, planes: 20, refinePlanes: 24, refineK: 28, filter: 40,
  ranges: 48, rangeCount: 52, without: 56, withoutCount: 60, plan: 72, gamma: 76, budget: 80, budgetHigh: 84,
} as const;

export const QUERY_BYTES = 88;
export const HIT_BYTES = 16;

export class Instance {
  readonly wasm: Exports;
  /** Vectors are being linked in steps: nothing else may change. */
  busy = false;
  /** How often its vectors were given new slots. */
  layout = 0;
  readonly #module: WebAssembly.Module;
  readonly #report: number;
  // Growing memory detaches its buffer, so views are made anew then.
  #u8: Uint8Array<ArrayBuffer>;
  #u32: Uint32Array<ArrayBuffer>;
  #f32: Float32Array<ArrayBuffer>;

  private constructor(module: WebAssembly.Module, wasm: Exports) {
    this.#module = module;
    this.wasm = wasm;
    this.#report = wasm.report_at();
    this.#u8 = new Uint8Array(0);
    this.#u32 = new Uint32Array(0);
    this.#f32 = new Float32Array(0);
  }

  static async start(source: WasmSource | undefined): Promise<Instance> {
    const module = await load(source);
    const wasm = (await instantiate(module)).exports as unknown as Exports;
    wasm._initialize?.();
    if (typeof wasm.version !== "function" || wasm.version() >>> 8 !== VERSION) {
      throw new TypeError("wasm is not the module of this version of minnow: use the file beside this one");
    }
    return new Instance(module, wasm);
  }

  /** One of the same module, with nothing in it. */
  another(): Promise<Instance> {
    return Instance.start(this.#module);
  }

  /** Opens a copy of a block, where there is none yet. */
  open(bytes: Uint8Array): void {
    const at = this.stage(bytes.length);
    this.u8.set(bytes, at);
    this.check(this.wasm.open(bytes.length));
  }

  // --- Memory: these views hold until the next call of an export -------------

  #refresh(): void {
    const buffer = this.wasm.memory.buffer as ArrayBuffer;
    if (this.#u8.buffer === buffer) return;
    this.#u8 = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#f32 = new Float32Array(buffer);
  }

  get u8(): Uint8Array<ArrayBuffer> {
    this.#refresh();
    return this.#u8;
  }

  get u32(): Uint32Array<ArrayBuffer> {
    this.#refresh();
    return this.#u32;
  }

  get f32(): Float32Array<ArrayBuffer> {
    this.#refresh();
    return this.#f32;
  }

  /** Room for `bytes` behind the block, until the next stage. 64-aligned. */
  stage(bytes: number): number {
    const at = bytes > 0xffff0000 ? 0 : this.wasm.stage(bytes);
    if (at === 0) throw statusError(MEMORY);
    return at >>> 0;
  }

  /** The bytes that the report points at. */
  get reported(): Uint8Array<ArrayBuffer> {
    const at = this.number(REPORT.value);
    return this.u8.subarray(at, at + this.number(REPORT.bytes));
  }

  /** The block. */
  get block(): Uint8Array<ArrayBuffer> {
    this.wasm.block();
    return this.reported;
  }

  // --- Report ----------------------------------------------------------------

  /** A 32-bit number of the report. */
  number(offset: number): number {
    return this.u32[(this.#report + offset) >>> 2]!;
  }

  /** A 32-bit float of the report. */
  float(offset: number): number {
    return this.f32[(this.#report + offset) >>> 2]!;
  }

  /** A 64-bit number of the report, none of which reaches 2^53. */
  long(offset: number): number {
    return this.number(offset) + this.number(offset + 4) * 2 ** 32;
  }

  get spec(): string {
    const at = this.#report + REPORT.spec;
    const bytes = this.u8.subarray(at, at + SPEC_BYTES);
    return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
  }

  set spec(ascii: string) {
    const at = this.#report + REPORT.spec;
    for (let i = 0; i < ascii.length; i++) this.u8[at + i] = ascii.charCodeAt(i);
  }

  /** Vectors that training wants; 0: there is nothing to train. */
  training(): { least: number; enough: number } {
    this.wasm.training();
    return { least: this.number(REPORT.value), enough: this.number(REPORT.bytes) };
  }

  // --- Statuses --------------------------------------------------------------

  /** Throws what a status means, unless it is 0. Training was given `rows`. */
  check(status: number, rows = 0): void {
    if (status === 0) return;
    if (status !== SAMPLE && status !== UNTRAINED) throw statusError(status);
    this.wasm.info();
    const encoding = this.spec.slice(this.spec.indexOf(",") + 1);
    const { least, enough } = this.training();
    const { code } = statusError(status);
    throw new MinnowError(code, status === SAMPLE
      ? `${encoding} needs at least ${least} vectors to train on; ${rows} were given (${enough} are enough)`
      : `${encoding} must be trained first: call train(sample) with at least ${least} vectors like those that will come (${enough} are enough), or setModel(model)`);
  }

  /**
   * The same where one row of several, numbered from `first`, may be at fault.
   * `replacing`: keys that are in the index are none.
   */
  checkRows(status: number, first = 0, replacing = false): void {
    const { code } = statusError(status);
    if (ROW_CODES.has(code)) throw statusError(status, first + this.number(REPORT.value), replacing);
    this.check(status);
  }
}

/**
 * At once where the engine allows it, which older Chromiums do not in a page.
 * (Waiting costs more than the work, and Node 20 can deadlock in such waits:
 * with the event loop empty it waits for its compiler threads, and those for a
 * garbage collection.)
 */
async function instantiate(module: WebAssembly.Module): Promise<WebAssembly.Instance> {
  try {
    return new WebAssembly.Instance(module, {});
  } catch (error) {
    if (isForeign(error)) throw error;
  }
  try {
    return await WebAssembly.instantiate(module, {});
  } catch (error) {
    throw isForeign(error) ? error : statusError(MEMORY);
  }
}

/** Whether a module wanted imports. What else can fail is memory. */
function isForeign(error: unknown): boolean {
  return error instanceof TypeError || error instanceof WebAssembly.LinkError;
}

const ROW_CODES = new Set(["not-finite", "zero-vector", "range", "duplicate-key", "unknown-key"]);
