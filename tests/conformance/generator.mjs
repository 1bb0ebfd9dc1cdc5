// SPDX-License-Identifier: Apache-2.0
// Rows, keys and hashes made of integers only: generator.h, in JavaScript.
// README.md defines them.

export function mix(x) {
  x = (x + 0x9e3779b9) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

export const draw = (seed, row, column) => mix(mix(mix(seed) ^ row) ^ column);

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

function fromBits(bits) {
  word[0] = bits;
  return float[0];
}

const uniform = (u) => ((u >>> 8) - (1 << 23)) / (1 << 23);

function wide(u, column, first, span) {
  const exponent = column ? first + (mix(u) % span) : 127;
  return fromBits((u & 0x807fffff) | (exponent << 23));
}

const kinds = {
  uniform: (u) => uniform(u),
  clustered(u, seed, row, column) {
    const centre = draw(seed, row, 0xffffffff) & 7;
    const c = draw(seed, 0x80000000 + centre, column);
    return ((c >>> 12) - (1 << 19) + (u >>> 16) - (1 << 15)) / (1 << 19);
  },
  integers: (u) => [-2, -1, 1, 2][u >>> 30],
  duplicates: (u, seed, row, column) => uniform(draw(seed, row % 10, column)),
  extreme: (u, seed, row, column) => wide(u, column, 0, 178),
  half: (u, seed, row, column) => wide(u, column, 97, 45),
  sparse: (u, seed, row, column, dimensions) =>
    column !== row % dimensions && u & 7
      ? fromBits(u & 0x80000000)
      : uniform(u),
};

export function rows(kind, seed, first, count, dimensions) {
  const value = kinds[kind];
  const out = new Float32Array(count * dimensions);
  for (let row = 0, at = 0; row < count; row++) {
    for (let column = 0; column < dimensions; column++, at++) {
      const u = draw(seed, first + row, column);
      out[at] = value(u, seed, first + row, column, dimensions);
    }
  }
  return out;
}

export const key = (row) => (row & 0xfffff) * 2 ** 32 + mix(row);

// The bitset that lets through the rows whose draw falls below `percent`.
export function filter(seed, count, percent) {
  const bits = new Uint32Array(Math.ceil(count / 32));
  for (let row = 0; row < count; row++) {
    if (draw(seed, row, 0xfffffffe) % 100 < percent) {
      bits[row >>> 5] |= 1 << (row & 31);
    }
  }
  return bits;
}

export class Hash {
  #a = 0x6d696e6e;
  #b = 0x6f772d31;

  word(value) {
    const a = this.#a ^ value;
    const b = this.#b ^ value;
    this.#a = Math.imul((a << 13) | (a >>> 19), 0x9e3779b1);
    this.#b = Math.imul((b << 17) | (b >>> 15), 0x85ebca77);
  }

  // A whole number up to 2^53, as two words.
  long(value) {
    this.word(value % 2 ** 32);
    this.word(Math.floor(value / 2 ** 32));
  }

  float(value) {
    float[0] = value;
    this.word(word[0]);
  }

  bytes(bytes) {
    for (let i = 0; i < bytes.length; i += 4) {
      this.word(
        bytes[i] |
          (bytes[i + 1] << 8) |
          (bytes[i + 2] << 16) |
          (bytes[i + 3] << 24),
      );
    }
  }

  end() {
    const hex = (lane) => mix(lane).toString(16).padStart(8, "0");
    return hex(this.#a) + hex(this.#b);
  }
}
