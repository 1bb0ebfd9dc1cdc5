// SPDX-License-Identifier: Apache-2.0
// f32, f16, bf16, sq8, sq6, sq4 and sign (core/FORMAT.md, 4 and 6).
import {
  check, distanceOf, f32, floatsAt, fromBits, minus, nearest, rounded,
  scaling, squares,
} from "./floats.mjs";

function half(bits) {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  check(exponent < 31, "a half is not finite");
  return exponent
    ? sign * 2 ** (exponent - 15) * (1 + fraction)
    : sign * 2 ** -14 * fraction;
}

const FLOATS = {
  f32: [4, (view, at) => view.getFloat32(at, true), (x) => x],
  f16: [2, (view, at) => half(view.getUint16(at, true)), (x) => rounded(x, 10, -14)],
  bf16: [
    2,
    (view, at) => fromBits(view.getUint16(at, true) << 16),
    (x) => rounded(x, 7, -126),
  ],
};

export function floats(name, { metric, dimensions: d }) {
  const [bytes, load, round] = FLOATS[name];
  const decode = ({ code }) =>
    Float32Array.from({ length: d }, (_, j) => load(code, bytes * j));
  return {
    codeBytes: bytes * d,
    restBytes: 0,
    modelBytes: 0,
    open: () => ({
      decode,
      check: (code) => check(decode(code).every(Number.isFinite), "not finite"),
      made(code, x) {
        const stored = decode(code);
        x.forEach((y, j) =>
          check(Object.is(stored[j], round(y)), `component ${j}: ${stored[j]} of ${y}`),
        );
      },
      measure: (query) => (code) => distanceOf(metric, query, decode(code)),
    }),
  };
}

const RANGES = { sq8: [-128, 127], sq6: [0, 63], sq4: [0, 15] };

// The integers of a code, and the bytes that they take.
const PACKED = {
  sq8: [(d) => d, (code, j) => code.getInt8(j)],
  sq6: [
    (d) => Math.ceil(d / 2) + Math.ceil(d / 4),
    (code, j, d) => {
      const low = (code.getUint8(j >> 1) >> (4 * (j % 2))) & 15;
      const high = (code.getUint8(Math.ceil(d / 2) + (j >> 2)) >> (2 * (j % 4))) & 3;
      return low + 16 * high;
    },
  ],
  sq4: [
    (d) => Math.ceil(d / 2),
    (code, j) => (code.getUint8(j >> 1) >> (4 * (j % 2))) & 15,
  ],
};

// The integers of a vector's components.
function integersOf(x, { zero, step }, [least, most]) {
  return Array.from(x, (y, j) => {
    const scaled = step[j] ? f32(f32(y - zero[j]) / step[j]) : 0;
    return Math.min(Math.max(nearest(scaled), least), most);
  });
}

// What training on a sample (of mapped vectors) finds.
export function ranges(name, sample) {
  const [least, most] = RANGES[name];
  const columns = Array.from(sample[0], (_, j) => sample.map((x) => x[j]));
  const low = columns.map((column) => Math.min(...column));
  const step = columns.map((column, j) =>
    f32(f32(Math.max(...column) - low[j]) / (most - least)),
  );
  const zero = low.map((x, j) => f32(x - f32(step[j] * least)));
  return { zero, step };
}

// A function from a code's integers to its distance; under l2 `own` of the code
// is still to be added.
function sqMeasure({ metric, dimensions: d }, { zero, step }, size, query) {
  const isL2 = metric === "l2";
  const r = isL2 ? minus(query, zero) : query;
  const limit = Math.min(32767, Math.floor(Math.floor((2 ** 31 - 1) / size) / d));
  const t = r.map((x, j) => x * step[j]);
  const { a, inverse } = scaling(t, limit);
  const weights = t.map((x) =>
    Math.max(-limit, Math.min(limit, nearest(f32(x * inverse)))),
  );
  const factor = f32((isL2 ? -2 : -1) * f32(a / limit));
  const constant = isL2 ? squares(r) : distanceOf(metric, query, zero);
  return (integers) => {
    const whole = integers.reduce((total, s, j) => total + s * weights[j], 0);
    return f32(constant + f32(factor * f32(whole)));
  };
}

export function sq(name, options) {
  const { metric, dimensions: d } = options;
  const [bytes, load] = PACKED[name];
  const [least, most] = RANGES[name];
  const integers = ({ code }) => Array.from({ length: d }, (_, j) => load(code, j, d));
  const own = ({ code }) => code.getFloat32(bytes(d), true);
  return {
    codeBytes: bytes(d) + (metric === "l2" ? 4 : 0),
    restBytes: 0,
    modelBytes: 8 * d,
    open(view) {
      const model = { zero: floatsAt(view, 0, d), step: floatsAt(view, 4 * d, d) };
      const { zero, step } = model;
      check(zero.every(Number.isFinite), "MODL: zero");
      check(step.every((x) => x >= 0 && x < Infinity), "MODL: step");
      const kept = (code) =>
        Float32Array.from(integers(code), (s, j) => step[j] * s);
      return {
        ...model,
        decode: (code) => kept(code).map((x, j) => zero[j] + x),
        check(code) {
          if (name !== "sq8" && d % 2) {
            check(code.code.getUint8(d >> 1) < 16, "unused low bits");
          }
          if (name === "sq6" && d % 4) {
            check(code.code.getUint8(bytes(d) - 1) < 4 ** (d % 4), "unused high bits");
          }
          if (metric !== "l2") return;
          const squared = kept(code).reduce((sum, x) => f32(sum + f32(x * x)), 0);
          check(own(code) === squared, "sum of squares");
        },
        made(code, x) {
          const expected = integersOf(x, model, [least, most]);
          integers(code).forEach((s, j) =>
            check(s === expected[j], `component ${j}: ${s}, not ${expected[j]}`),
          );
        },
        // Whether a component lost more than 0.51 of a step to the range.
        clipped(code, x) {
          const stored = kept(code);
          const lost = (y, j) => Math.abs(f32(f32(y - zero[j]) - stored[j]));
          return x.some((y, j) => lost(y, j) > f32(step[j] * f32(0.51)));
        },
        measure(query) {
          const estimate = sqMeasure(options, model, -least || most, query);
          return (code) =>
            metric === "l2"
              ? f32(estimate(integers(code)) + own(code))
              : estimate(integers(code));
        },
      };
    },
  };
}

export function sign({ metric, dimensions: d }) {
  const bit = ({ code }, j) => (code.getUint8(j >> 3) >> (7 - (j % 8))) & 1;
  return {
    codeBytes: Math.ceil(d / 8),
    restBytes: 0,
    modelBytes: 0,
    open: () => ({
      decode: (code) =>
        Float32Array.from({ length: d }, (_, j) => (bit(code, j) ? 1 : -1)),
      check({ code }) {
        const unused = 8 * code.byteLength - d;
        check(code.getUint8((d - 1) >> 3) % 2 ** unused === 0, "unused bits");
      },
      made: (code, x) =>
        x.forEach((y, j) => check(bit(code, j) === (y > 0 ? 1 : 0), `bit ${j}`)),
      measure: (query) => (code) => {
        let [both, either, differ] = [0, 0, 0];
        query.forEach((q, j) => {
          const [a, b] = [q > 0 ? 1 : 0, bit(code, j)];
          both += a & b;
          either += a | b;
          differ += a ^ b;
        });
        if (metric === "hamming") return differ;
        return either ? f32(1 - f32(both / either)) : 0;
      },
    }),
  };
}
