// SPDX-License-Identifier: Apache-2.0
// Vectors that were computed before, in one file that only grows.
//
// A record is the key (16 bytes of a SHA-256 over model and text), the vector,
// and a check (8 bytes of a SHA-256 over both). Reading stops at the first
// record that is not whole and cuts the file there, so whatever a run that was
// killed left behind is at most one batch to do again.
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from "node:fs";
import { dirname } from "node:path";

const KEY = 16;
const CHECK = 8;

const hash = (bytes, length) => createHash("sha256").update(bytes).digest().subarray(0, length);

export class Cache {
  #vectors = new Map();
  #path;
  #model;

  constructor(path, { model, dimensions }) {
    this.#path = path;
    this.#model = model;
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) return;
    const bytes = readFileSync(path);
    const body = KEY + 4 * dimensions;
    let at = 0;
    for (; at + body + CHECK <= bytes.length; at += body + CHECK) {
      const check = bytes.subarray(at + body, at + body + CHECK);
      if (!hash(bytes.subarray(at, at + body), CHECK).equals(check)) break;
      // a view: every record is a multiple of 8 bytes long
      const vector = new Float32Array(bytes.buffer, bytes.byteOffset + at + KEY, dimensions);
      this.#vectors.set(bytes.toString("latin1", at, at + KEY), vector);
    }
    if (at < bytes.length) truncateSync(path, at);
  }

  #key(text) {
    return hash(`${this.#model}\n${text}`, KEY);
  }

  get(text) {
    return this.#vectors.get(this.#key(text).toString("latin1"));
  }

  // One write for a batch of [text, vector].
  add(pairs) {
    const records = pairs.map(([text, vector]) => {
      const key = this.#key(text);
      this.#vectors.set(key.toString("latin1"), vector);
      const body = Buffer.concat([key, Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)]);
      return Buffer.concat([body, hash(body, CHECK)]);
    });
    appendFileSync(this.#path, Buffer.concat(records));
  }
}
