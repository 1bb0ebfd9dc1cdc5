// SPDX-License-Identifier: Apache-2.0
// A text's vector: the average of its words' vectors, frequent words weighing
// less, without the direction that all texts have in common (Arora, Liang and
// Ma, "A simple but tough-to-beat baseline for sentence embeddings", ICLR 2017).
// Weight and direction go into the words' vectors, so that the device has only
// to add them up.

export const DIMENSIONS = 100;

// As firmware/embed.c does it.
export const tokens = (text) => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];

// A word of rank r makes up some 1 / (r ln n) of a text (Zipf's law).
const SMOOTHING = 1e-3;
const weight = (rank, count) => SMOOTHING / (SMOOTHING + 1 / ((rank + 1) * Math.log(count)));

// Map of word → vector into one of word → vector to be added up.
export function weighted(vectors, texts) {
  const result = new Map();
  let rank = 0;
  for (const [word, vector] of vectors) {
    const norm = Math.hypot(...vector);
    const w = weight(rank++, vectors.size) / norm;
    result.set(word, vector.map((x) => x * w));
  }
  const common = direction(texts.map((text) => average(result, text)));
  for (const vector of result.values()) {
    const share = dot(vector, common);
    for (let j = 0; j < DIMENSIONS; j++) vector[j] -= share * common[j];
  }
  return result;
}

// The sum of a text's words' vectors, one by one in f32, as the device does it.
export function average(vectors, text) {
  const sum = new Float32Array(DIMENSIONS);
  for (const word of tokens(text)) {
    const vector = vectors.get(word);
    for (let j = 0; vector && j < DIMENSIONS; j++) sum[j] += vector[j];
  }
  return sum;
}

export function dot(a, b) {
  let sum = 0;
  for (let j = 0; j < DIMENSIONS; j++) sum += a[j] * b[j];
  return sum;
}

// The first principal direction, by power iteration.
function direction(rows) {
  let v = new Float64Array(DIMENSIONS).fill(1);
  for (let turn = 0; turn < 20; turn++) {
    const next = new Float64Array(DIMENSIONS);
    for (const row of rows) {
      const share = dot(row, v);
      for (let j = 0; j < DIMENSIONS; j++) next[j] += share * row[j];
    }
    const norm = Math.hypot(...next);
    v = next.map((x) => x / norm);
  }
  return v;
}
