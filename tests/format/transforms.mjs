// SPDX-License-Identifier: Apache-2.0
// The maps of core/FORMAT.md, 3.
import { check, dot, f32, floatsAt, root } from "./floats.mjs";

const roundUp = (bytes) => Math.ceil(bytes / 64) * 64;
const u64 = (x) => BigInt.asUintN(64, x);

function signs(seed, step, group) {
  const number = (BigInt(step) << 32n) + BigInt(group) + 1n;
  let z = u64(seed + number * 0x9e3779b97f4a7c15n);
  z = u64((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = u64((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

// R(seed) and its inverse, of vectors of d components.
export function rotation(seed, d) {
  let m = 1;
  while (2 * m <= d) m *= 2;
  const half = Math.floor(d / 2);
  const drawn = new Map();

  function flip(x, j, step, factor) {
    const name = `${step} ${j >> 6}`;
    if (!drawn.has(name)) drawn.set(name, signs(seed, step, j >> 6));
    const negative = (drawn.get(name) >> BigInt(j % 64)) & 1n;
    x[j] *= negative ? -factor : factor;
  }

  function meet(x, i, j) {
    const [a, b] = [x[i], x[j]];
    x[i] = a + b;
    x[j] = a - b;
  }

  // One of R's five steps is a pair of a scaling by signs and sums.
  const spread = (first, step) => ({
    scale(x) {
      const factor = f32(1 / root(m));
      for (let j = first; j < first + m; j++) flip(x, j, step, factor);
    },
    add(x) {
      for (let h = m / 2; h >= 1; h /= 2) {
        for (let i = 0; i < m; i++) if (!(i & h)) meet(x, first + i, first + i + h);
      }
    },
  });
  const join = (step) => ({
    scale(x) {
      for (let j = 0; j < half; j++) {
        flip(x, j, step, f32(0.70710678));
        flip(x, d - half + j, step, f32(0.70710678));
      }
    },
    add(x) {
      for (let j = 0; j < half; j++) meet(x, j, d - half + j);
    },
  });
  const steps = [spread(0, 0)];
  if (m < d) {
    steps.push(spread(d - m, 1), join(2), spread(0, 3), spread(d - m, 4));
  }
  return {
    forth(vector) {
      const x = vector.slice();
      steps.forEach(({ scale, add }) => (scale(x), add(x)));
      return x;
    },
    back(vector) {
      const x = vector.slice();
      steps.toReversed().forEach(({ scale, add }) => (add(x), scale(x)));
      return x;
    },
  };
}

// {kept, modelBytes, open}: `open` of the model's bytes gives {map, unmap}.
export function transformOf({ transform, dimensions: d, seed, kept }) {
  if (transform === "none") {
    const same = (x) => x;
    return { kept: d, modelBytes: 0, open: () => ({ map: same, unmap: same }) };
  }
  if (transform === "hadamard") {
    const { forth, back } = rotation(seed, d);
    return { kept: d, modelBytes: 0, open: () => ({ map: forth, unmap: back }) };
  }
  if (transform === "first") {
    const map = (x) => x.slice(0, kept);
    const unmap = (x) => Float32Array.from({ length: d }, (_, j) => x[j] ?? 0);
    return { kept, modelBytes: 0, open: () => ({ map, unmap }) };
  }
  const rows = transform === "pca" ? kept : d;
  return {
    kept: rows,
    modelBytes: roundUp(4 * rows * d),
    open(model) {
      const matrix = Array.from({ length: rows }, (_, i) =>
        floatsAt(model, 4 * i * d, d),
      );
      check(matrix.every((row) => row.every(Number.isFinite)), "MODL: not finite");
      for (let at = 4 * rows * d; at < model.byteLength; at++) {
        check(!model.getUint8(at), `MODL: byte ${at} of the rows' end is not 0`);
      }
      return {
        matrix,
        map: (x) => Float32Array.from(matrix, (row) => dot(row, x)),
        unmap(y) {
          const x = new Float32Array(d);
          matrix.forEach((row, i) => row.forEach((r, j) => (x[j] += f32(r * y[i]))));
          return x;
        },
      };
    },
  };
}
