// SPDX-License-Identifier: Apache-2.0
/*
 * Ids and documents, by slot, and the two host sections that keep them inside
 * the block. n is the number of vectors; numbers are little-endian.
 *
 *   "ids1"  UTF-8 JSON: an array of n different strings. Slot i's id is the
 *           i-th.
 *   "doc1"  n + 1 uint32, then UTF-8 text. Slot i's document is the text from
 *           the i-th of these numbers up to the next: a JSON object of all its
 *           fields but the id and the vector. The first number is 0, none is
 *           smaller than the one before, and the last is the text's length.
 *
 * Vectors have the keys 0 to n - 1; a key stays with its document when slots
 * change. The digit is the layout's version. Ids are read when a block is opened, since
 * every lookup needs them; documents stay in the block until they are asked
 * for.
 */
import { MinnowError } from "./error.js";
import { slotOf } from "./index.js";
import type { Index } from "./index.js";
import { compile } from "./where.js";
import type { Where } from "./where.js";

const IDS = "ids1";
const DOCUMENTS = "doc1";

type Fields = Record<string, unknown>;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export class Documents {
  readonly #index: Index;
  readonly #ids: string[];
  readonly #slots = new Map<string, number>();
  /** Where the documents of the block begin within its text, and the end. */
  #offsets: Uint32Array;
  /** JSON of the documents added since, which follow those of the block. */
  #added: string[] = [];
  /** Fields that were asked for in a `where`, by slot. */
  readonly #columns = new Map<string, unknown[]>();

  private constructor(index: Index, ids: string[], offsets: Uint32Array) {
    this.#index = index;
    this.#ids = ids;
    this.#offsets = offsets;
    ids.forEach((id, slot) => this.#slots.set(id, slot));
  }

  static empty(index: Index): Documents {
    return new Documents(index, [], Uint32Array.of(0));
  }

  /** Those in the block of an index that was opened. */
  static read(index: Index): Documents {
    const ids = index.section(IDS);
    const section = index.section(DOCUMENTS);
    if (!ids || !section) {
      throw new MinnowError("section", "these bytes hold no collection: open them with Index.open");
    }
    const count = index.size;
    const documents = new Documents(index, readIds(ids, count), readOffsets(section, count));
    if (documents.#slots.size !== count) throw corrupt("an id occurs twice");
    return documents;
  }

  /** The same, in the block of an index with the same keys in other slots. */
  renumbered(from: Index, to: Index): Documents {
    const before: number[] = [];
    for (let key = 0; key < to.size; key++) {
      const [slot, old] = [slotOf(to, key), slotOf(from, key)];
      if (slot === undefined || old === undefined) throw corrupt("a document has no vector");
      before[slot] = old;
    }
    const documents = Documents.empty(to);
    documents.push(
      before.map((slot) => this.#ids[slot]!),
      before.map((slot) => JSON.stringify(this.at(slot))),
    );
    documents.write();
    return documents;
  }

  get size(): number {
    return this.#ids.length;
  }

  slot(id: string): number | undefined {
    return this.#slots.get(id);
  }

  id(slot: number): string {
    return this.#ids[slot]!;
  }

  /** A document, newly made. */
  at(slot: number): Fields {
    return parse(this.#text(slot), slot);
  }

  /** Follows the vectors that were added: an id and the JSON of a document each. */
  push(ids: readonly string[], texts: readonly string[]): void {
    ids.forEach((id, i) => {
      this.#slots.set(id, this.#ids.length);
      this.#ids.push(id);
      this.#added.push(texts[i]!);
    });
    if (this.#columns.size === 0) return;
    for (const text of texts) this.#extend(this.#columns, JSON.parse(text));
  }

  /** A bit for each slot whose document passes. */
  filter(where: Where): Uint32Array {
    const tests = compile(where);
    this.#readColumns(tests.map(([field]) => field));
    const bits = new Uint32Array((this.size + 31) >>> 5).fill(0xffffffff);
    for (const [field, test] of tests) {
      const column = field === "id" ? this.#ids : this.#columns.get(field)!;
      for (let slot = 0; slot < column.length; slot++) {
        if (!test(column[slot])) bits[slot >>> 5]! &= ~(1 << (slot & 31));
      }
    }
    return bits;
  }

  /** Puts ids and documents into the block. */
  write(): void {
    const stored = this.#offsets.length - 1;
    if (this.#added.length === 0 && stored > 0) return;
    const before = stored > 0 ? this.#storedText() : new Uint8Array(0);
    const texts = this.#added.map((text) => encoder.encode(text));
    const offsets = new Uint32Array(this.size + 1);
    offsets.set(this.#offsets);
    texts.forEach((text, i) => {
      offsets[stored + i + 1] = offsets[stored + i]! + text.length;
    });
    const section = new Uint8Array(offsets.byteLength + offsets[this.size]!);
    section.set(new Uint8Array(offsets.buffer));
    section.set(before, offsets.byteLength);
    texts.forEach((text, i) => section.set(text, offsets.byteLength + offsets[stored + i]!));
    this.#index.attach(IDS, encoder.encode(JSON.stringify(this.#ids)));
    this.#index.attach(DOCUMENTS, section);
    this.#offsets = offsets;
    this.#added = [];
  }

  /** Reads every document of the block: MinnowError where one is damaged. */
  verify(): void {
    for (const _ of this.#all());
  }

  // --- Inside ----------------------------------------------------------------

  #text(slot: number): string | Uint8Array {
    const stored = this.#offsets.length - 1;
    if (slot >= stored) return this.#added[slot - stored]!;
    const text = 4 * (stored + 1);
    return this.#index.section(DOCUMENTS, text + this.#offsets[slot]!, text + this.#offsets[slot + 1]!)!;
  }

  #storedText(): Uint8Array {
    return this.#index.section(DOCUMENTS, this.#offsets.byteLength)!;
  }

  /** Every document, by slot. */
  *#all(): Generator<Fields> {
    const stored = this.#offsets.length - 1;
    const text = stored > 0 ? this.#storedText() : new Uint8Array(0);
    for (let slot = 0; slot < stored; slot++) {
      yield parse(text.subarray(this.#offsets[slot], this.#offsets[slot + 1]), slot);
    }
    for (const added of this.#added) yield JSON.parse(added);
  }

  /** Makes the columns of those fields that have none yet, in one pass. */
  #readColumns(fields: readonly string[]): void {
    const missing = fields.filter((field) => field !== "id" && !this.#columns.has(field));
    if (missing.length === 0) return;
    const columns = new Map(missing.map((field) => [field, [] as unknown[]]));
    for (const document of this.#all()) this.#extend(columns, document);
    columns.forEach((column, field) => this.#columns.set(field, column));
  }

  #extend(columns: Map<string, unknown[]>, document: Fields): void {
    for (const [field, column] of columns) {
      column.push(Object.hasOwn(document, field) ? document[field] : undefined);
    }
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

function readOffsets(section: Uint8Array<ArrayBuffer>, count: number): Uint32Array {
  const text = 4 * (count + 1);
  if (section.length < text) throw corrupt("the documents are not one per vector");
  const offsets = new Uint32Array(section.buffer.slice(0, text));
  const ordered = offsets.every((offset, i) => offset >= (i === 0 ? 0 : offsets[i - 1]!));
  if (!ordered || offsets[0] !== 0 || offsets[count] !== section.length - text) {
    throw corrupt("the documents overlap or lie outside");
  }
  return offsets;
}

function parse(text: string | Uint8Array, slot: number): Fields {
  if (typeof text === "string") return JSON.parse(text);
  const fields = json(text, `the document in slot ${slot}`);
  if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) {
    return fields as Fields;
  }
  throw corrupt(`the document in slot ${slot} is no object`);
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
