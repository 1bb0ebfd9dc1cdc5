// SPDX-License-Identifier: Apache-2.0
// Exact search over what reader.mjs read: distances bit for bit as
// core/FORMAT.md (4 and 7) defines them. Shares no code with the library.

const f32 = Math.fround;

// 7. A sum of `count` terms, each an f32 already.
function sum(count, term) {
  const lanes = new Float32Array(16);
  for (let j = 0; j < count; j++) lanes[j % 16] += term(j);
  for (let width = 8; width >= 1; width /= 2) {
    for (let i = 0; i < width; i++) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

const dot = (a, b) => sum(a.length, (j) => f32(a[j] * b[j]));

function squares(a, b) {
  return sum(a.length, (j) => {
    const difference = f32(a[j] - b[j]);
    return f32(difference * difference);
  });
}

export function normalised(vector) {
  const norm = f32(Math.sqrt(dot(vector, vector)));
  return vector.map((x) => x / norm);
}

function distanceOf(metric, a, b) {
  if (metric === "l2") return squares(a, b);
  return metric === "ip" ? -dot(a, b) : f32(1 - dot(a, b));
}

function toInteger(x, limit) {
  const clamped = Math.min(Math.max(x, -limit), limit);
  return Math.trunc(f32(clamped < 0 ? clamped - 0.5 : clamped + 0.5));
}

// 4. A function from code to distance.
function sq8Distance(metric, query, { zero, step }) {
  const r = metric === "l2" ? query.map((q, j) => q - zero[j]) : query;
  const t = r.map((x, j) => x * step[j]);
  const a = t.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const limit = Math.min(32767, Math.floor((2 ** 24 - 1) / query.length));
  const inverse = a > 2 ** -100 ? f32(limit / a) : 0;
  const weights = Int16Array.from(t, (x) => toInteger(f32(x * inverse), limit));
  const factor = f32((metric === "l2" ? -2 : -1) * f32(a / limit));
  const constant = metric === "l2" ? dot(r, r) : distanceOf(metric, query, zero);
  return ({ steps, own }) => {
    const whole = weights.reduce((total, w, j) => total + w * steps[j], 0);
    const estimate = f32(constant + f32(factor * f32(whole)));
    return metric === "l2" ? f32(estimate + own) : estimate;
  };
}

function before(a, b) {
  if (a.distance !== b.distance) return a.distance - b.distance;
  return a.key < b.key ? -1 : 1;
}

// Every vector of the block, nearest first: {slot, key, distance}.
export function rank({ header, keys, codes, model }, vector) {
  const { metric, encoding } = header;
  const query = metric === "cosine" ? normalised(vector) : vector;
  const distance =
    encoding === "sq8"
      ? sq8Distance(metric, query, model)
      : (code) => distanceOf(metric, query, code.vector);
  return codes
    .map((code, slot) => ({ slot, key: keys[slot], distance: distance(code) }))
    .sort(before);
}
