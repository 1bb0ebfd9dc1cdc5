// SPDX-License-Identifier: Apache-2.0
/*
 * Ids and documents, by slot, and the two host sections that keep them inside
 * the block. n is the number of vectors; numbers are little-endian.
 *
 *   "ids2"  UTF-8 JSON: an array of n different strings. The i-th is the id of
 *           the vector with the i-th smallest key.
 *   "doc2"  two uint32, the lower and the upper half of a number above all
 *           keys; n + 1 uint32; then UTF-8 text. The document of the vector with
 *           the i-th smallest key is the text from the i-th of these n + 1
 *           numbers up to the next: a JSON object of all its fields but the id
 *           and the vector. The first number is 0, none is smaller than the one
 *           before, and the last is the text's length.
 *
 * Keys are given in the order of adding and stay, so nothing here changes when
 * slots do: a packed block has the sections of the live one. The next key is
 * kept so that what is added after a deletion gets the same one whether or not
 * the block was opened in between. The digit is the layout's version.
 *
 * Ids are read when a block is opened, since every lookup needs them; documents
 * stay in the block until they are asked for.
 */
import { live, told } from "./block.js";
import { MinnowError } from "./error.js";
import type { Index } from "./index.js";
import { high, low } from "./key.js";
import { slotOf } from "./searchable.js";
import { byKey, places } from "./slots.js";
import { compile } from "./where.js";
import type { Where } from "./where.js";

const IDS = "ids2";
const DOCUMENTS = "doc2";
/** Bytes before the n + 1 numbers. */
const HEAD = 8;

type Fields = Record<string, unknown>;

/** A document that is put in: its vector has the key already. */
export interface Entry {
  id: string;
  key: number;
  /** JSON of its fields. */
  text: string;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export class Documents {
  readonly #index: Index;
  readonly #slots = new Map<string, number>();
  // By slot. Where there is no id there is no vector.
  #ids: (string | undefined)[] = [];
  #keys: number[] = [];
  /** JSON that is not in the block yet, or which document of the block. */
  #texts: (string | number)[] = [];
  /** Where the documents of the block begin within its text, and the end. */
  #offsets = Uint32Array.of(0);
  /** Fields that were asked for in a `where`. */
  readonly #columns = new Map<string, unknown[]>();
  /** Above all keys. */
  #nextKey = 0;
  /** Whether the block has all this. */
  #written = false;
  /** Of the slots: the index counts how often it gave out new ones. */
  #layout: number;

  private constructor(index: Index) {
    this.#index = index;
    this.#layout = live(index).layout;
  }

  static empty(index: Index): Documents {
    return new Documents(index);
  }

  /** Those in the block of an index that was opened. */
  static read(index: Index): Documents {
    const ids = index.section(IDS);
    const section = index.section(DOCUMENTS);
    if (!ids || !section) {
      throw new MinnowError("section", "these bytes hold no collection: open them with Index.open");
    }
    const documents = new Documents(index);
    const { keys, slots } = byKey(places(live(index)));
    const count = keys.length;
    const [offsets, nextKey] = readHead(section, count);
    if (count > 0 && keys[count - 1]! >= nextKey) throw corrupt("a key is not below the next");
    readIds(ids, count).forEach((id, i) => documents.#place(slots[i]!, id, keys[i]!, i));
    if (documents.#slots.size !== count) throw corrupt("an id occurs twice");
    documents.#offsets = offsets;
    documents.#nextKey = nextKey;
    documents.#written = true;
    return documents;
  }

  slot(id: string): number | undefined {
    return this.#slots.get(id);
  }

  id(slot: number): string {
    return this.#ids[slot]!;
  }

  key(slot: number): number {
    return this.#keys[slot]!;
  }

  /** All ids, with their slots. */
  entries(): Iterable<[id: string, slot: number]> {
    return this.#slots;
  }

  /** A document, newly made. */
  at(slot: number): Fields {
    const text = this.#texts[slot]!;
    return typeof text === "string" ? JSON.parse(text) : this.#stored(text);
  }

  /** The first of the keys for documents that come. */
  get nextKey(): number {
    return this.#nextKey;
  }

  /** Follows vectors that were added or replaced, or whose document is another now. */
  put(entries: readonly Entry[]): void {
    this.#forget(entries.map(({ id }) => id));
    this.follow();
    for (const { id, key, text } of entries) {
      const slot = slotOf(this.#index, key)!;
      this.#place(slot, id, key, text);
      this.#nextKey = Math.max(this.#nextKey, key + 1);
      if (this.#columns.size > 0) fill(this.#columns, slot, JSON.parse(text));
    }
    if (entries.length > 0) this.#written = false;
  }

  /** Follows vectors that were deleted. */
  remove(ids: readonly string[]): void {
    this.#forget(ids);
    for (const id of ids) this.#slots.delete(id);
    if (ids.length > 0) this.#written = false;
  }

  /** Follows vectors that were given new slots. */
  follow(): void {
    const { layout } = live(this.#index);
    if (layout === this.#layout) return;
    const [ids, keys, texts] = [this.#ids, this.#keys, this.#texts];
    this.#ids = [];
    this.#keys = [];
    this.#texts = [];
    this.#columns.clear();
    for (const [id, old] of this.#slots) {
      if (ids[old] === id) this.#place(slotOf(this.#index, keys[old]!)!, id, keys[old]!, texts[old]!);
    }
    this.#layout = layout;
  }

  /** A bit for each slot whose document passes. */
  filter(where: Where): Uint32Array<ArrayBuffer> {
    const tests = compile(where);
    this.#readColumns(tests.map(([field]) => field));
    const ids = this.#ids;
    const bits = new Uint32Array((told(live(this.#index), "slots") + 31) >>> 5);
    for (let slot = 0; slot < ids.length; slot++) {
      if (ids[slot] !== undefined) bits[slot >>> 5]! |= 1 << (slot & 31);
    }
    for (const [field, test] of tests) {
      const column = field === "id" ? ids : this.#columns.get(field)!;
      for (let slot = 0; slot < ids.length; slot++) {
        if (!test(column[slot])) bits[slot >>> 5]! &= ~(1 << (slot & 31));
      }
    }
    return bits;
  }

  /** The ids of those that pass. */
  matching(where: Where): string[] {
    const bits = this.filter(where);
    return this.#ids.filter((_, slot) => bits[slot >>> 5]! & (1 << (slot & 31))) as string[];
  }

  /** Puts ids and documents into the block. */
  write(): void {
    if (this.#written) return;
    const order = this.#order();
    const stored = this.#storedText();
    const texts = order.map((slot) => {
      const text = this.#texts[slot]!;
      return typeof text === "string" ? encoder.encode(text)
        : stored.subarray(this.#offsets[text], this.#offsets[text + 1]);
    });
    const offsets = new Uint32Array(order.length + 1);
    texts.forEach((text, i) => (offsets[i + 1] = offsets[i]! + text.length));
    const begin = HEAD + offsets.byteLength;
    const section = new Uint8Array(begin + offsets[order.length]!);
    section.set(new Uint8Array(Uint32Array.of(low(this.#nextKey), high(this.#nextKey)).buffer));
    section.set(new Uint8Array(offsets.buffer), HEAD);
    texts.forEach((text, i) => section.set(text, begin + offsets[i]!));
    this.#index.attach(IDS, encoder.encode(JSON.stringify(order.map((slot) => this.#ids[slot]))));
    this.#index.attach(DOCUMENTS, section);
    order.forEach((slot, i) => (this.#texts[slot] = i));
    this.#offsets = offsets;
    this.#written = true;
  }

  /** Reads every document of the block: MinnowError where one is damaged. */
  verify(): void {
    for (const _ of this.#all());
  }

  // --- Inside ----------------------------------------------------------------

  #place(slot: number, id: string, key: number, text: string | number): void {
    // without holes, which would make the arrays slow
    for (let i = this.#ids.length; i <= slot; i++) {
      this.#ids.push(undefined);
      this.#keys.push(0);
      this.#texts.push(0);
    }
    this.#slots.set(id, slot);
    this.#ids[slot] = id;
    this.#keys[slot] = key;
    this.#texts[slot] = text;
  }

  /** Empties the slots of those that are there. */
  #forget(ids: readonly string[]): void {
    for (const id of ids) {
      const slot = this.#slots.get(id);
      if (slot === undefined) continue;
      this.#ids[slot] = undefined;
      this.#texts[slot] = 0;
      for (const column of this.#columns.values()) column[slot] = undefined;
    }
  }

  /** Slots in ascending order of keys. */
  #order(): number[] {
    return [...this.#slots.values()].sort((a, b) => this.#keys[a]! - this.#keys[b]!);
  }

  #stored(nth: number): Fields {
    const text = HEAD + this.#offsets.byteLength;
    return parse(this.#index.section(DOCUMENTS, text + this.#offsets[nth]!, text + this.#offsets[nth + 1]!)!, nth);
  }

  #storedText(): Uint8Array {
    return this.#index.section(DOCUMENTS, HEAD + this.#offsets.byteLength) ?? new Uint8Array(0);
  }

  /** Every document, with its slot. */
  *#all(): Generator<[slot: number, Fields]> {
    const stored = this.#storedText();
    for (const slot of this.#slots.values()) {
      const text = this.#texts[slot]!;
      yield [slot, typeof text === "string" ? JSON.parse(text)
        : parse(stored.subarray(this.#offsets[text], this.#offsets[text + 1]), text)];
    }
  }

  /** Makes the columns of those fields that have none yet, in one pass. */
  #readColumns(fields: readonly string[]): void {
    const missing = fields.filter((field) => field !== "id" && !this.#columns.has(field));
    if (missing.length === 0) return;
    const columns = new Map(missing.map((field) => [field, new Array<unknown>(this.#ids.length).fill(undefined)]));
    for (const [slot, document] of this.#all()) fill(columns, slot, document);
    columns.forEach((column, field) => this.#columns.set(field, column));
  }
}

function fill(columns: Map<string, unknown[]>, slot: number, document: Fields): void {
  for (const [field, column] of columns) {
    column[slot] = Object.hasOwn(document, field) ? document[field] : undefined;
  }
}

// --- Reading what may be damaged ----------------------------------------------

function readIds(bytes: Uint8Array, count: number): string[] {
  const ids = json(bytes, "the ids");
  if (!Array.isArray(ids) || ids.length !== count || !ids.every((id) => typeof id === "string")) {
    throw corrupt("the ids are not one string per vector");
  }
  return ids;
}

function readHead(section: Uint8Array<ArrayBuffer>, count: number): [offsets: Uint32Array<ArrayBuffer>, nextKey: number] {
  const text = HEAD + 4 * (count + 1);
  if (section.length < text) throw corrupt("the documents are not one per vector");
  const offsets = new Uint32Array(section.buffer.slice(HEAD, text));
  const ordered = offsets.every((offset, i) => offset >= (i === 0 ? 0 : offsets[i - 1]!));
  if (!ordered || offsets[0] !== 0 || offsets[count] !== section.length - text) {
    throw corrupt("the documents overlap or lie outside");
  }
  const [lower, upper] = new Uint32Array(section.buffer.slice(0, HEAD));
  if (upper! > 0x200000) throw corrupt("the next key is beyond all keys");
  return [offsets, upper! * 2 ** 32 + lower!];
}

function parse(text: Uint8Array, nth: number): Fields {
  const fields = json(text, `document ${nth}`);
  if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) {
    return fields as Fields;
  }
  throw corrupt(`document ${nth} is no object`);
}

function json(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    throw corrupt(`${what} cannot be read`);
  }
}

function corrupt(what: string): MinnowError {
  return new MinnowError("corrupt", `the bytes are damaged: ${what}. Get the file again`);
}
