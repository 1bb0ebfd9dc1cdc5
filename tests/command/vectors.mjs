// SPDX-License-Identifier: Apache-2.0
// Vectors, the formats they are written in, and an exact search in doubles.

// xorshift32: the cases are the same everywhere.
export function random(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

// `count` rows of `dimensions` numbers from -1 to 1, rounded to float.
export function makeRows(count, dimensions, seed) {
  const next = random(seed);
  return Array.from({ length: count }, () =>
    Float32Array.from({ length: dimensions }, () => next() * 2 - 1));
}

// The same rounded to eighths, which half precision holds exactly.
export function makeCoarseRows(count, dimensions, seed) {
  return makeRows(count, dimensions, seed)
    .map((row) => row.map((x) => Math.round(x * 64) / 8));
}

// --- Formats -----------------------------------------------------------------

export function f32(rows) {
  return Buffer.concat(rows.map((row) => Buffer.from(Float32Array.from(row).buffer)));
}

export function fvecs(rows) {
  return Buffer.concat(rows.flatMap((row) =>
    [Buffer.from(Int32Array.of(row.length).buffer), f32([row])]));
}

// Lines of {"embedding": [...]}, with the fields that `more(row)` gives.
export function jsonl(rows, more = () => ({})) {
  return rows.map((row, i) =>
    JSON.stringify({ ...more(i), embedding: Array.from(row) }) + "\n").join("");
}

// Half precision of a number that it holds exactly.
function half(x) {
  if (x === 0) return Object.is(x, -0) ? 0x8000 : 0;
  const exponent = Math.floor(Math.log2(Math.abs(x)));
  const mantissa = Math.abs(x) / 2 ** exponent * 1024 - 1024;
  return (x < 0 ? 0x8000 : 0) | (exponent + 15) << 10 | mantissa;
}

const numberTypes = {
  "<f4": (rows) => f32(rows),
  "<f8": (rows) => Buffer.concat(rows.map((row) =>
    Buffer.from(Float64Array.from(row).buffer))),
  "<f2": (rows) => Buffer.concat(rows.map((row) =>
    Buffer.from(Uint16Array.from(row, half).buffer))),
  "|u1": (rows) => Buffer.concat(rows.map((row) => Buffer.from(row))),
  "|i1": (rows) => Buffer.concat(rows.map((row) =>
    Buffer.from(Int8Array.from(row).buffer))),
};

// Rows of packed bits, 8 to a byte, the first the highest: numpy.packbits, which
// is sentence-transformers' "ubinary"; and its "binary", 128 less.
export function packBits(rows) {
  return rows.map((row) => Uint8Array.from({ length: Math.ceil(row.length / 8) },
    (_, i) => [0, 1, 2, 3, 4, 5, 6, 7].reduce((byte, j) =>
      byte * 2 + (row[8 * i + j] > 0 ? 1 : 0), 0)));
}
export function signedBits(rows) {
  return packBits(rows).map((row) => Int8Array.from(row, (byte) => byte - 128));
}

export function npyHeader(text, version = 1) {
  const lengthBytes = version === 1 ? 2 : 4;
  const unpadded = 8 + lengthBytes + text.length + 1;
  const padded = text + " ".repeat((64 - unpadded % 64) % 64) + "\n";
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntLE(padded.length, 0, lengthBytes);
  return Buffer.concat([Buffer.from([0x93]), Buffer.from("NUMPY"),
    Buffer.from([version, 0]), length, Buffer.from(padded)]);
}

export function npy(rows, { type = "<f4", version = 1 } = {}) {
  const text = `{'descr': '${type}', 'fortran_order': False, ` +
    `'shape': (${rows.length}, ${rows[0].length}), }`;
  return Buffer.concat([npyHeader(text, version), numberTypes[type](rows)]);
}

// --- Search ------------------------------------------------------------------

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

const count = (a, test) => a.filter(test).length;

export const distances = {
  l2: (a, b) => a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0),
  ip: (a, b) => -dot(a, b),
  cosine: (a, b) => 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
  hamming: (a, b) => count(a, (x, i) => (x > 0) !== (b[i] > 0)),
  jaccard: (a, b) => {
    const either = count(a, (x, i) => x > 0 || b[i] > 0);
    return either ? 1 - count(a, (x, i) => x > 0 && b[i] > 0) / either : 0;
  },
};

// All rows by distance: [{ key, distance }].
export function ranked(rows, query, metric, keys) {
  const a = Array.from(query);
  return rows
    .map((row, i) => ({
      key: keys ? keys[i] : i,
      distance: distances[metric](a, Array.from(row)),
    }))
    .sort((x, y) => x.distance - y.distance);
}

// The part of each query's k nearest rows that is among its `found` keys.
export function recall(found, rows, queries, metric, k) {
  const hits = queries.map((query, i) => {
    const truth = new Set(ranked(rows, query, metric).slice(0, k).map(({ key }) => key));
    return found[i].filter((key) => truth.has(key)).length;
  });
  return hits.reduce((sum, n) => sum + n, 0) / (k * queries.length);
}
