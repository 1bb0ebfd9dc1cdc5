// SPDX-License-Identifier: Apache-2.0
import {
  Block, changing, createInstance, live, openInstance, modelBytes, shapeOf, told,
} from "./block.js";
import { is, kind } from "./check.js";
import { MinnowError } from "./error.js";
import { REPORT } from "./instance.js";
import type { Instance } from "./instance.js";
import { countRows, oneRow, stagedBytes, writeRows } from "./rows.js";
import type { CodecInfo, CodecOptions, OpenOptions, Vectors } from "./types.js";

/** Bytes that are staged at a time, roughly. */
const CHUNK_BYTES = 1 << 22;

/** mn_transform and mn_encoding. */
const PCA = 3, OPQ = 4, PQ = 8, PRQ = 9;

/**
 * Vectors to codes and back, for vectors that are kept elsewhere: an encoding
 * by itself, with what it learnt.
 *
 * @example
 * const codec = await Codec.create({ dimensions: 384, metric: "cosine", spec: "pq48x8" });
 * codec.train(sample);
 * const codes = codec.encode(vectors); // 48 bytes each
 * const distances = codec.compare(query, codes);
 */
export class Codec extends Block {
  private constructor(instance: Instance) {
    super(instance);
  }

  /** A codec, untrained. Throws "spec", "argument" and "memory". */
  static async create(options: CodecOptions): Promise<Codec> {
    return new Codec(await createInstance({ ...options, capacity: 1 }));
  }

  /**
   * Opens what `toBytes` of a codec or an index returned; an index's vectors
   * are left behind. Throws as `Index.open` does.
   */
  static async open(bytes: Uint8Array | ArrayBuffer, options?: OpenOptions): Promise<Codec> {
    const instance = await openInstance(bytes, options);
    const codec = new Codec(instance);
    if (told(instance, "count") > 0) {
      const model = codec.model();
      instance.check(instance.wasm.clear());
      if (model.length > 0) codec.setModel(model);
    }
    return codec;
  }

  /** Bytes of a code. */
  get codeBytes(): number {
    return told(live(this), "codeBytes");
  }

  /** Options and sizes. O(1). */
  override info(): CodecInfo {
    const { spec, ...rest } = super.info();
    return { ...rest, spec: spec.slice(spec.indexOf(",") + 1) };
  }

  // --- Codes -------------------------------------------------------------------

  /**
   * The codes of vectors, one after the other, `codeBytes` each.
   * O(rows d); pq and prq: times 2^bits. Throws "untrained", "not-finite",
   * "zero-vector", "range" and "memory".
   */
  encode(vectors: Vectors): Uint8Array<ArrayBuffer> {
    const instance = live(this);
    const shape = shapeOf(this);
    const rows = countRows("vectors", vectors, shape);
    const width = vectors.length / rows;
    const bytes = this.codeBytes;
    const codes = new Uint8Array(rows * bytes);
    inChunks(rows, 4 * shape.dimensions + bytes, (from, count) => {
      const part = vectors.subarray(from * width, (from + count) * width);
      const data = instance.stage(stagedBytes(part, count, shape) + count * bytes);
      const at = data + stagedBytes(part, count, shape);
      writeRows(instance, data, part, count, shape);
      instance.checkRows(instance.wasm.encode(data, count, shape.dimensions, at), from);
      codes.set(instance.u8.subarray(at, at + count * bytes), from * bytes);
    });
    return codes;
  }

  /**
   * What codes kept of their vectors, rows of `dimensions` numbers; what the
   * transform dropped is 0. O(rows d), and the transform's. Throws "untrained"
   * and "memory".
   */
  decode(codes: Uint8Array): Float32Array<ArrayBuffer> {
    const instance = live(this);
    const d = this.dimensions;
    const rows = this.#codes("codes", codes);
    const bytes = this.codeBytes;
    const vectors = new Float32Array(rows * d);
    inChunks(rows, 4 * d + bytes, (from, count) => {
      const data = instance.stage(count * (4 * d + bytes));
      const at = data + 4 * count * d;
      instance.u8.set(codes.subarray(from * bytes, (from + count) * bytes), at);
      instance.check(instance.wasm.decode(at, count, data));
      vectors.set(instance.f32.subarray(data >>> 2, (data >>> 2) + count * d), from * d);
    });
    return vectors;
  }

  /**
   * The distances of a query to codes, as a search computes them (asymmetric:
   * the query is not rounded to a code). O(rows codeBytes).
   * Throws "untrained", "not-finite", "zero-vector" and "memory".
   */
  compare(query: Vectors, codes: Uint8Array): Float32Array<ArrayBuffer> {
    const instance = live(this);
    const shape = shapeOf(this);
    oneRow("query", query, shape);
    const rows = this.#codes("codes", codes);
    const bytes = this.codeBytes;
    const asked = stagedBytes(query, 1, shape);
    const distances = new Float32Array(rows);
    inChunks(rows, 4 + bytes, (from, count) => {
      const vector = instance.stage(asked + count * (4 + bytes));
      const out = vector + asked;
      const at = out + 4 * count;
      writeRows(instance, vector, query, 1, shape);
      instance.u8.set(codes.subarray(from * bytes, (from + count) * bytes), at);
      instance.check(instance.wasm.compare(vector, shape.dimensions, at, count, out));
      distances.set(instance.f32.subarray(out >>> 2, (out >>> 2) + count), from);
    });
    return distances;
  }

  /**
   * The distance of one code to another (symmetric). Of a code to itself it is
   * not 0 where distances are estimates. Throws "untrained".
   */
  between(a: Uint8Array, b: Uint8Array): number {
    const instance = live(this);
    const bytes = this.codeBytes;
    for (const [name, code] of [["a", a], ["b", b]] as const) {
      if (this.#codes(name, code) !== 1) throw new RangeError(`${name} must be one code of ${bytes} bytes, not ${code.length}`);
    }
    const out = instance.stage(4 + 2 * bytes);
    instance.u8.set(a, out + 4);
    instance.u8.set(b, out + 4 + bytes);
    instance.check(instance.wasm.between(out + 4, out + 4 + bytes, out));
    return instance.f32[out >>> 2]!;
  }

  /**
   * pq: the squared distance (under ip: minus the inner product) of each
   * subspace of a query to each of its 2^bits centroids, M rows of 2^bits
   * numbers. Under l2 and ip a code's distance is the sum of those it names;
   * under cosine about half of that.
   * Throws "argument" for other encodings and for +c, "untrained", "not-finite"
   * and "zero-vector".
   */
  distanceTable(query: Vectors): Float32Array<ArrayBuffer> {
    const instance = live(this);
    const shape = shapeOf(this);
    oneRow("query", query, shape);
    if (told(instance, "encoding") !== PQ || instance.number(REPORT.pqCorrection)) {
      throw new MinnowError("argument", `only pq without +c has a distance table, and this is ${this.info().spec}`);
    }
    const numbers = instance.number(REPORT.pqM) << instance.number(REPORT.pqBits);
    const asked = stagedBytes(query, 1, shape);
    const vector = instance.stage(asked + 4 * numbers);
    const table = vector + asked;
    writeRows(instance, vector, query, 1, shape);
    instance.check(instance.wasm.distance_table(vector, shape.dimensions, table));
    return instance.f32.slice(table >>> 2, (table >>> 2) + numbers);
  }

  // --- What was learnt ---------------------------------------------------------

  /** Takes over what another has learnt, in place of what this one has. Throws "not-finite". */
  override setModel(model: Uint8Array | ArrayBuffer): void {
    const instance = changing(this);
    if (told(instance, "trained") === 0 || this.info().training.least === 0) {
      return super.setModel(model);
    }
    const before = this.model();
    instance.check(instance.wasm.clear());
    try {
      super.setModel(model);
    } catch (error) {
      super.setModel(before);
      throw error;
    }
  }

  /**
   * pq and prq: the centroids, subspace by subspace, stage by stage (pq has
   * one): 2^bits rows of d / M numbers, as nanopq's `codewords`. A copy;
   * undefined for other encodings and where there are none yet.
   *
   * Setting them where nothing was learnt makes a trained codec, with a mean
   * (+c) of 0 and a rotation (opq, pca) that changes nothing.
   */
  get codebooks(): Float32Array<ArrayBuffer> | undefined {
    return this.#read("codebooks");
  }

  set codebooks(values: Float32Array) {
    this.#write("codebooks", values);
  }

  /**
   * opq and pca: the rotation, a row of `dimensions` numbers for each number
   * that comes out (the transpose of nanopq's `R`). A copy; undefined for
   * others and where there is none yet. To set it, set the codebooks first; its
   * rows must be orthonormal.
   */
  get rotation(): Float32Array<ArrayBuffer> | undefined {
    return this.#read("rotation");
  }

  set rotation(values: Float32Array) {
    if (this.#part("rotation")) this.model(); // "untrained"
    this.#write("rotation", values);
  }

  // --- Inside ------------------------------------------------------------------

  /** How many codes an array is. */
  #codes(name: string, codes: Uint8Array): number {
    if (!is(codes, "Uint8Array")) throw new TypeError(`${name} must be a Uint8Array, not ${kind(codes)}`);
    const rows = codes.length / this.codeBytes;
    if (Number.isInteger(rows)) return rows;
    throw new RangeError(`${name} must be ${this.codeBytes} bytes a code, and ${codes.length} is no multiple of that`);
  }

  /** Where a part lies in the model (FORMAT.md, MODL), as tables of `rows` by `columns`. */
  #part(name: "codebooks" | "rotation"): Part | undefined {
    const instance = live(this);
    const field = (of: keyof typeof REPORT) => instance.number(REPORT[of]);
    const transform = told(instance, "transform");
    const d = this.dimensions;
    const kept = field("keptDimensions") || d;
    const rotation = transform === PCA || transform === OPQ ? kept * d : 0;
    if (name === "rotation") return rotation ? { at: 0, rows: kept, columns: d, tables: 1 } : undefined;
    const encoding = field("encoding");
    if (encoding !== PQ && encoding !== PRQ) return undefined;
    const [m, nrq, mean] = [field("pqM"), field("pqNrq"), field("pqCorrection") * kept];
    return {
      at: Math.ceil(rotation / 16) * 16 + mean,
      rows: kept / m, // a column for each centroid
      columns: 2 ** field("pqBits"),
      tables: m * nrq,
    };
  }

  #read(name: "codebooks" | "rotation"): Float32Array<ArrayBuffer> | undefined {
    const part = this.#part(name);
    if (!part || told(live(this), "trained") === 0) return undefined;
    const { at, rows, columns, tables } = part;
    const values = new Float32Array(this.model().buffer, 4 * at, rows * columns * tables);
    return name === "rotation" ? values.slice() : turned(values, rows, columns);
  }

  #write(name: "codebooks" | "rotation", values: Float32Array): void {
    const part = this.#part(name);
    if (!part) throw new MinnowError("argument", `${this.info().spec} has no ${name}: pq and prq have codebooks, opq and pca a rotation`);
    if (!is(values, "Float32Array")) throw new TypeError(`${name} must be a Float32Array, not ${kind(values)}`);
    const { at, rows, columns, tables } = part;
    if (values.length !== rows * columns * tables) {
      throw new RangeError(`${name} must be ${rows * columns * tables} numbers, not ${values.length}`);
    }
    const model = told(live(this), "trained") ? new Float32Array(this.model().buffer) : this.#blank();
    model.set(name === "rotation" ? values : turned(values, columns, rows), at);
    this.setModel(model.buffer);
  }

  /** A model that learnt nothing: of zeros, with a rotation that changes nothing. */
  #blank(): Float32Array<ArrayBuffer> {
    const model = new Float32Array(modelBytes(live(this)) / 4);
    const rotation = this.#part("rotation");
    for (let i = 0; i < (rotation?.rows ?? 0); i++) model[i * (rotation!.columns + 1)] = 1;
    return model;
  }
}

/** Tables of numbers, `rows` by `columns` each, one after the other. */
interface Part {
  /** Of the first number, in numbers. */
  at: number;
  rows: number;
  columns: number;
  tables: number;
}

/** Tables of `rows` by `columns`, each transposed. */
function turned(from: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(from, (_, i) => {
    const table = i - (i % (rows * columns));
    const [row, column] = [i % rows, Math.floor((i - table) / rows)];
    return from[table + row * columns + column]!;
  });
}

/** Calls with (from, count) until `rows` are done, for rows of so many staged bytes. */
function inChunks(rows: number, bytes: number, chunk: (from: number, count: number) => void): void {
  const most = Math.max(1, Math.floor(CHUNK_BYTES / bytes));
  for (let from = 0; from < rows; from += most) chunk(from, Math.min(most, rows - from));
}
