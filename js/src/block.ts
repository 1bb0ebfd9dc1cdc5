// SPDX-License-Identifier: Apache-2.0
/// <reference lib="esnext.disposable" preserve="true" />
import { AUTO_HNSW, METRICS, asBytes, checkOptions } from "./check.js";
import { MinnowError, UNTRAINED, statusError } from "./error.js";
import { Instance, REPORT } from "./instance.js";
import { countRows, stagedBytes, writeRows } from "./rows.js";
import type { Shape } from "./rows.js";
import type { CodecInfo, IndexOptions, OpenOptions } from "./types.js";

/** The core's section of what training found. */
const MODL = 0x4c444f4d;

// --- For those that build on it ------------------------------------------------

/** @internal The instance of a block that was not closed. */
export let live: (block: Block) => Instance;

/** @internal The same, to change it. */
export function changing(block: Block): Instance {
  const instance = live(block);
  if (!instance.busy) return instance;
  throw new MinnowError("busy", "addAsync or repairAsync has not finished: await it before changing or saving");
}

/** @internal Gives a block another instance. */
export let replace: (block: Block, instance: Instance) => void;

/** @internal What vectors are like. */
export let shapeOf: (block: Block) => Shape;

/** @internal A number that `info` tells. */
export function told(instance: Instance, field: keyof typeof REPORT): number {
  instance.wasm.info();
  return instance.number(REPORT[field]);
}

/** @internal A copy of the bytes that the report points at. */
export function copy(instance: Instance, start = 0, end = Infinity): Uint8Array<ArrayBuffer> {
  return instance.reported.slice(start, end);
}

/** @internal Bytes of what training finds, or found. */
export function modelBytes(instance: Instance): number {
  return instance.wasm.section(MODL) === 0 ? instance.number(REPORT.bytes) : 0;
}

/** @internal */
export async function createInstance(options: IndexOptions): Promise<Instance> {
  const checked = checkOptions(options);
  const instance = await Instance.start(options.wasm);
  instance.spec = checked.spec;
  // room to spare would make it a graph of floats before it turns (auto.ts)
  const capacity = checked.spec === "auto" ? Math.min(checked.capacity, AUTO_HNSW - 1) : checked.capacity;
  const status = instance.wasm.create(
    checked.dimensions, checked.metric, checked.spec.length, checked.efConstruction,
    checked.seedLow, checked.seedHigh, capacity,
  );
  if (status === 0) return instance;
  const { code, message } = statusError(status);
  const { spec = "auto", dimensions, metric } = options;
  if (code === "spec") throw new MinnowError(code, `"${spec}": ${message}`);
  if (code === "argument") {
    throw new MinnowError(code, `"${spec}" of ${dimensions} dimensions under ${metric}: ${message}`);
  }
  throw statusError(status);
}

/** @internal */
export async function openInstance(
  bytes: Uint8Array | ArrayBuffer, options: OpenOptions = {},
): Promise<Instance> {
  const view = asBytes("bytes", bytes);
  const instance = await Instance.start(options.wasm);
  instance.open(view);
  return instance;
}

/** What indexes and codecs have in common. */
export abstract class Block {
  readonly #shape: Shape;
  #instance: Instance | undefined;

  /** The same as `close()`, for `using`. */
  declare [Symbol.dispose]: () => void;
  static {
    live = (block) => {
      if (block.#instance) return block.#instance;
      throw new MinnowError("closed", "it was closed: open its bytes again");
    };
    replace = (block, instance) => {
      block.#instance = instance;
    };
    shapeOf = (block) => block.#shape;
    // some browsers do not have the symbol yet
    if (Symbol.dispose) Block.prototype[Symbol.dispose] = Block.prototype.close;
  }

  /** @internal */
  constructor(instance: Instance) {
    this.#instance = instance;
    const dimensions = told(instance, "dimensions");
    this.#shape = { dimensions, binary: instance.number(REPORT.metric) > METRICS.indexOf("cosine") + 1 };
  }

  /** Numbers in a vector. */
  get dimensions(): number {
    return this.#shape.dimensions;
  }

  /**
   * Learns from `sample`, rows of `dimensions` numbers like those that will
   * come, what the spec needs: ranges, means, principal axes, codebooks. Once,
   * before the first vector. `info().training` says how many rows it wants, and
   * 0 where there is nothing to train. It blocks: under a second for sq and
   * bits; pq, prq and opq may take minutes, so train those in a worker.
   * sq, bits: O(rows d); pca: O(rows d^2 + d^3); pq, prq: 25 iterations of
   * k-means, O(rows d 2^bits) each; opq: several times that.
   * Throws "sample" (too few rows), "trained", "not-finite", "zero-vector" and
   * "memory".
   */
  train(sample: Float32Array): void {
    const instance = changing(this);
    const rows = countRows("sample", sample, this.#shape);
    const at = instance.stage(stagedBytes(sample, rows, this.#shape));
    writeRows(instance, at, sample, rows, this.#shape);
    instance.check(instance.wasm.train(at, rows, this.dimensions), rows);
  }

  /**
   * What training found, for others with the same dimensions, metric, spec and
   * seed (`setModel`); of no bytes where nothing is trained. FORMAT.md gives
   * the layout. O(bytes). Throws "untrained".
   */
  model(): Uint8Array<ArrayBuffer> {
    const instance = live(this);
    if (told(instance, "trained") === 0) instance.check(UNTRAINED);
    return instance.wasm.section(MODL) === 0 ? copy(instance) : new Uint8Array(0);
  }

  /**
   * Takes over what another has learnt, instead of `train`. O(bytes), pca and
   * opq times the dimensions that are kept.
   * Throws "trained" (already, or nothing to train) and "not-finite" (also axes
   * that are not orthonormal); a RangeError where the bytes are not as many as the spec's model has.
   */
  setModel(model: Uint8Array | ArrayBuffer): void {
    const instance = changing(this);
    const view = asBytes("model", model);
    const wanted = modelBytes(instance);
    if (view.length !== wanted) {
      throw new RangeError(
        `model must be the ${wanted} bytes of another with the same dimensions, metric and spec, not ${view.length}`,
      );
    }
    const at = instance.stage(view.length);
    instance.u8.set(view, at);
    const status = instance.wasm.set_model(at, view.length);
    const { code } = statusError(status);
    if (code === "not-finite") {
      throw new MinnowError(code, "the model has numbers that make distances overflow, or axes that are not orthonormal: take it from one with the same spec");
    }
    instance.check(status);
  }

  /** Options and sizes. O(1). */
  info(): CodecInfo {
    const instance = live(this);
    const training = instance.training();
    instance.wasm.info();
    const number = (field: keyof typeof REPORT) => instance.number(REPORT[field]);
    return {
      dimensions: this.dimensions,
      metric: METRICS[number("metric") - 1]!,
      spec: instance.spec,
      seed: (BigInt(number("seedHigh")) << 32n) | BigInt(number("seed")),
      trained: number("trained") === 1,
      training,
      codeBytes: number("codeBytes"),
      refineBytes: number("refineBytes"),
      compression: instance.float(REPORT.compression),
      memoryBytes: instance.u8.length,
      simd: instance.wasm.simd() === 1,
    };
  }

  /** Checks all that `open` does not. O(bytes). Throws "corrupt". */
  verify(): void {
    const instance = live(this);
    instance.check(instance.wasm.verify());
  }

  /**
   * Everything as bytes: tight (unused capacity is dropped, here as well) and
   * sealed. The same input gives the same bytes, on every machine, by any number
   * of threads and however the adds were divided. O(bytes). Throws "memory" and
   * "busy".
   */
  toBytes(): Uint8Array<ArrayBuffer> {
    const instance = changing(this);
    instance.check(instance.wasm.save());
    return copy(instance);
  }

  /**
   * Lets the memory go; any later use but `close` throws "closed". What is
   * merely forgotten is collected like any object.
   */
  close(): void {
    this.#instance = undefined;
  }
}
