// SPDX-License-Identifier: Apache-2.0
// pq and prq, with and without a correction (core/FORMAT.md, 4 and 6).
import {
  check, distanceOf, dot, f32, floatsAt, minus, root, squares,
} from "./floats.mjs";

// What codes keep is summed over 64 components at a time.
function inRuns(a, b) {
  let total = 0;
  for (let j = 0; j < a.length; j += 64) {
    total = f32(total + dot(a.subarray(j, j + 64), b.subarray(j, j + 64)));
  }
  return total;
}

export function pq(name, options) {
  const { metric, dimensions: d, pqM: m, pqBits, nrq, correction } = options;
  const tables = m * nrq;
  const entries = 2 ** pqBits;
  const width = d / m;
  const packed = Math.ceil((tables * pqBits) / 8);
  const hasNorm = metric === "l2" && (name === "prq" || correction);
  // Squared distances add up where a part has one centroid and f is 1.
  const isSquared = name === "pq" && !correction && metric !== "ip";

  function numbers({ code }) {
    return Array.from({ length: tables }, (_, i) => {
      let number = 0;
      for (let at = i * pqBits, k = 0; k < pqBits; at++, k++) {
        number += ((code.getUint8(at >> 3) >> (at % 8)) & 1) << k;
      }
      return number;
    });
  }

  const factorOf = ({ code }) => (correction ? code.getFloat32(packed, true) : 1);
  const normOf = ({ code }) =>
    code.getFloat32(packed + (correction ? 4 : 0), true);

  return {
    codeBytes: packed + (correction ? 4 : 0) + (hasNorm ? 4 : 0),
    restBytes: 0,
    modelBytes: 4 * d * nrq * entries + (correction ? 4 * d : 0),
    open(model) {
      const mean = floatsAt(model, 0, correction ? d : 0);
      const books = floatsAt(model, 4 * mean.length, d * nrq * entries);
      check([...mean, ...books].every(Number.isFinite), "MODL: not finite");
      const centroid = (i, k, j) => books[(i * width + j) * entries + k];
      const centred = (x) => (correction ? minus(x, mean) : x);

      function summed(code) {
        const y = new Float32Array(d);
        numbers(code).forEach((k, i) => {
          const first = Math.floor(i / nrq) * width;
          for (let j = 0; j < width; j++) y[first + j] += centroid(i, k, j);
        });
        return y;
      }

      // T of a table's centroid k.
      function entry(p, i, k) {
        const first = Math.floor(i / nrq) * width;
        let total = 0;
        for (let j = 0; j < width; j++) {
          const c = centroid(i, k, j);
          const difference = f32(p[first + j] - c);
          const term = isSquared ? difference * difference : p[first + j] * c;
          total = f32(total + f32(term));
        }
        return isSquared ? total : -total;
      }

      function baseOf(query, p) {
        if (isSquared) return 0;
        if (metric === "l2") return squares(p);
        return distanceOf(metric, query, correction ? mean : new Float32Array(d));
      }

      return {
        mean,
        books,
        decode: (code) =>
          summed(code).map((x, j) => (correction ? x + mean[j] : x)),
        check(code) {
          const unused = (8 - ((tables * pqBits) % 8)) % 8;
          check(code.code.getUint8(packed - 1) < 2 ** (8 - unused), "unused bits");
          check(Number.isFinite(factorOf(code)), "f");
          if (hasNorm) check(normOf(code) >= 0 && normOf(code) < Infinity, "n");
        },
        made(code, x) {
          const y = summed(code);
          const r = centred(x);
          const [rr, yy, yr] = [squares(r), inRuns(y, y), inRuns(r, y)];
          if (correction) {
            const most = f32(f32(4 * root(rr)) / root(yy));
            const exact = yr > 0 ? f32(rr / yr) : Infinity;
            const f = rr && yy ? Math.min(exact, most) : 1;
            check(Object.is(factorOf(code), f), `f ${factorOf(code)}, not ${f}`);
          }
          if (hasNorm) {
            const n = correction ? rr : yy;
            check(Object.is(normOf(code), n), `n ${normOf(code)}, not ${n}`);
          }
        },
        measure(query) {
          const p = metric === "l2" ? centred(query) : query;
          const table = Array.from({ length: tables }, (_, i) =>
            Float32Array.from({ length: entries }, (_, k) => entry(p, i, k)),
          );
          const low = table.map((row) => row.reduce((x, y) => Math.min(x, y)));
          const high = table.map((row) => row.reduce((x, y) => Math.max(x, y)));
          const a = Math.max(...high.map((x, i) => f32(x - low[i])));
          const most = pqBits === 4 ? 4095 : 65535;
          const limit = Math.min(most, Math.floor((2 ** 32 - 1) / tables));
          const inverse = a > 2 ** -100 ? f32(limit / a) : 0;
          const whole = table.map((row, i) =>
            Array.from(row, (t) => {
              const scaled = Math.min(f32(f32(t - low[i]) * inverse), limit);
              return Math.floor(f32(scaled + 0.5));
            }),
          );
          const halves = { l2: isSquared ? 2 : 4, cosine: isSquared ? 1 : 2, ip: 2 };
          const weight = halves[metric] / 2;
          const offset = f32(weight * low.reduce((x, y) => f32(x + y), 0));
          const scale = inverse ? f32(weight * f32(a / limit)) : 0;
          const base = baseOf(query, p);
          return (code) => {
            const total = numbers(code).reduce((s, k, i) => s + whole[i][k], 0);
            const estimate = f32(offset + f32(scale * f32(total)));
            const beside = hasNorm ? f32(base + normOf(code)) : base;
            return f32(beside + f32(estimate * factorOf(code)));
          };
        },
      };
    },
  };
}
