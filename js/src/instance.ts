// SPDX-License-Identifier: Apache-2.0
// One instance of wasm/module.c, which is one index: its exports, views of its
// memory, and where its `report` keeps things.
import { SPEC_BYTES } from "./check.js";
import { MEMORY, statusError } from "./error.js";
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
  verify(): number;
  reserve(capacity: number): number;
  save(): number;
  train(data: number, count: number, dimensions: number): number;
  append(data: number, count: number, dimensions: number, keys: number): number;
  link(limit: number): number;
  search(
    hits: number, k: number, ef: number, vector: number, dimensions: number, filter: number,
  ): number;
  find(keyLow: number, keyHigh: number): number;
  reconstruct(keyLow: number, keyHigh: number, vector: number, dimensions: number): number;
  info(): void;
  attach(name: number, bytes: number): number;
  seal(): number;
  section(name: number): number;
}

/** The version of wasm/module.c that this file was written for: 0.1.x. */
const VERSION = 0x0001;

/** Offsets in bytes within `report`; wasm/module.c asserts them. */
export const REPORT = {
  dimensions: 0, metric: 4, structure: 8, encoding: 12, m: 16, efConstruction: 20, seed: 24,
  isAuto: 32, capacity: 36, count: 40, linked: 44, trained: 48, sealed: 52,
  clipped: 56, blockBytes: 64, codeBytes: 72, formatMajor: 80, formatMinor: 84,
  statsDistances: 88, statsHops: 96, statsExact: 100,
  value: 104, bytes: 108, spec: 112,
} as const;

export const HIT_BYTES = 16;

export class Instance {
  readonly wasm: Exports;
  readonly #report: number;
  // Growing memory detaches its buffer, so views are made anew then.
  #u8: Uint8Array<ArrayBuffer>;
  #u32: Uint32Array<ArrayBuffer>;
  #f32: Float32Array<ArrayBuffer>;

  private constructor(wasm: Exports) {
    this.wasm = wasm;
    this.#report = wasm.report_at();
    this.#u8 = new Uint8Array(0);
    this.#u32 = new Uint32Array(0);
    this.#f32 = new Float32Array(0);
  }

  static async start(source: WasmSource | undefined): Promise<Instance> {
    const wasm = (await instantiate(await load(source))).exports as unknown as Exports;
    wasm._initialize?.();
    if (typeof wasm.version !== "function" || wasm.version() >>> 8 !== VERSION) {
      throw new TypeError("wasm is not the module of this version of minnow: use the file beside this one");
    }
    return new Instance(wasm);
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


  // --- Report ----------------------------------------------------------------

  /** A 32-bit number of the report. */
  number(offset: number): number {
    return this.u32[(this.#report + offset) >>> 2]!;
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

  // --- Statuses --------------------------------------------------------------

  /** Throws what a status means, unless it is 0. */
  check(status: number): void {
    if (status !== 0) throw statusError(status);
  }

  /** The same where one row of several may be at fault. */
  checkRows(status: number): void {
    if (status === 0) return;
    const error = statusError(status);
    throw ROW_CODES.has(error.code) ? statusError(status, this.number(REPORT.value)) : error;
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

const ROW_CODES = new Set(["not-finite", "zero-vector", "range", "duplicate-key"]);
