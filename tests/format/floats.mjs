// SPDX-License-Identifier: Apache-2.0
// Arithmetic as core/FORMAT.md defines it: f32 steps, sums in one order (8),
// the metrics' plain distances (6). The other modules are built on it.

export const f32 = Math.fround;

export function check(condition, message) {
  if (!condition) throw new Error(message);
}

// 8. A sum of `count` terms, each an f32 already.
export function sum(count, term) {
  const lanes = new Float32Array(16);
  for (let j = 0; j < count; j++) lanes[j % 16] += term(j);
  for (let width = 8; width >= 1; width /= 2) {
    for (let i = 0; i < width; i++) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

export const dot = (a, b) => sum(a.length, (j) => f32(a[j] * b[j]));

export const squares = (a) => dot(a, a);

export const minus = (a, b) => a.map((x, j) => x - b[j]);

export const root = (x) => f32(Math.sqrt(x));

export function normalised(vector) {
  const norm = root(squares(vector));
  return vector.map((x) => x / norm);
}

// 6. The first table's rows for sums; `a` and `b` are Float32Arrays.
export function distanceOf(metric, a, b) {
  if (metric === "l2") return squares(minus(a, b));
  return metric === "ip" ? -dot(a, b) : f32(1 - dot(a, b));
}

// The largest magnitude, and what makes it `most`; 0 where it is too small.
export function scaling(values, most) {
  const a = values.reduce((high, x) => Math.max(high, Math.abs(x)), 0);
  return { a, inverse: a > 2 ** -100 ? f32(most / a) : 0 };
}

// The nearest integer, halves away from 0.
export function nearest(x) {
  return x < 0 ? -Math.floor(f32(0.5 - x)) : Math.floor(f32(x + 0.5));
}

const word = new DataView(new ArrayBuffer(4));

export function bitsOf(x) {
  word.setFloat32(0, x);
  return word.getUint32(0);
}

export function fromBits(bits) {
  word.setUint32(0, bits);
  return word.getFloat32(0);
}

// An f32 rounded to `digits` bits of fraction, ties to even; numbers below
// 2^lowest have the digits of 2^lowest.
export function rounded(x, digits, lowest) {
  const exponent = ((bitsOf(x) >>> 23) & 255) - 127;
  const unit = 2 ** (Math.max(exponent, lowest) - digits);
  const whole = Math.floor(x / unit);
  const rest = x / unit - whole;
  const up = rest > 0.5 || (rest === 0.5 && whole % 2 !== 0);
  const result = (whole + (up ? 1 : 0)) * unit;
  return result === 0 && (x < 0 || Object.is(x, -0)) ? -0 : result;
}

// Array from a section: `count` f32 from byte `at` on.
export function floatsAt(view, at, count) {
  return Float32Array.from({ length: count }, (_, j) =>
    view.getFloat32(at + 4 * j, true),
  );
}
