// SPDX-License-Identifier: Apache-2.0
// pq and prq, with and without a correction (core/FORMAT.md, 4 and 6).
import {
  bitsOf, check, dot, f32, floatsAt, fromBits, minus, root, squares,
} from "./floats.mjs";

// |y|^2, which is summed over 64 components at a time.
function squaresInRuns(y) {
  let total = 0;
  for (let j = 0; j < y.length; j += 64) {
    total = f32(total + squares(y.subarray(j, j + 64)));
  }
  return total;
}

export function pq(name, options) {
  const { metric, dimensions: d, pqM: m, pqBits, nrq, correction } = options;
  const tables = m * nrq;
  const entries = 2 ** pqBits;
  const width = d / m;
  const packed = Math.ceil((tables * pqBits) / 8);
  const hasTail = correction || (name === "prq" && metric !== "ip");
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

  // With a correction n has 20 bits and f 12.
  const factorOf = ({ code }) =>
    correction ? (code.getUint32(packed, true) % 4096) / 1024 : 1;
  function normOf({ code }) {
    if (!hasTail) return 0;
    const bits = code.getUint32(packed, true);
    return fromBits(correction ? bits - (bits % 4096) : bits);
  }

  return {
    codeBytes: packed + (hasTail ? 4 : 0),
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

      // Under cosine, without a correction, |y|² is mixed with 1.
      const own = metric === "cosine" && !correction ? f32(0.8) : 1;
      const stretch = isSquared ? f32(1 / own) : 1;

      function baseOf(query, p) {
        if (metric === "ip") return correction ? -dot(query, mean) : 0;
        const norm = squares(isSquared ? query : p);
        const rest = f32(1 - own);
        const whole = f32((isSquared ? f32(norm * f32(1 - stretch)) : norm) + rest);
        return metric === "l2" ? whole : f32(whole / 2);
      }

      return {
        mean,
        books,
        decode(code) {
          const y = summed(code);
          if (!correction) return y;
          return y.map((x, j) => f32(factorOf(code) * x) + mean[j]);
        },
        check(code) {
          const unused = (8 - ((tables * pqBits) % 8)) % 8;
          check(code.code.getUint8(packed - 1) < 2 ** (8 - unused), "unused bits");
          check(Number.isFinite(normOf(code)), "n");
          check(metric === "ip" || normOf(code) >= 0, "n below 0");
        },
        made(code, x) {
          if (!hasTail) return;
          const y = summed(code);
          const yy = squaresInRuns(y);
          if (!correction) {
            check(Object.is(normOf(code), yy), `n ${normOf(code)}, not ${yy}`);
            return;
          }
          const r = centred(x);
          const rr = squares(r);
          const f = rr && yy ? f32(root(rr) / root(yy)) : 1;
          const steps = Math.min(4095, Math.floor(f32(f32(f * 1024) + 0.5)));
          check(factorOf(code) === steps / 1024, `f ${factorOf(code)}, not ${f}`);
          const bits = bitsOf(metric === "ip" ? dot(r, mean) : rr) + 2048;
          const n = fromBits(bits - (bits % 4096));
          check(Object.is(normOf(code), n), `n ${normOf(code)}, not ${n}`);
        },
        measure(query) {
          const p = centred(query).map((x) => x * stretch);
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
          const halves = { l2: isSquared ? 2 : 4, cosine: isSquared ? own : 2, ip: 2 };
          const weight = halves[metric] / 2;
          const offset = f32(weight * low.reduce((x, y) => f32(x + y), 0));
          const scale = inverse ? f32(weight * f32(a / limit)) : 0;
          const base = baseOf(query, p);
          const share = { l2: 1, cosine: own / 2, ip: -1 }[metric];
          return (code) => {
            const total = numbers(code).reduce((s, k, i) => s + whole[i][k], 0);
            const estimate = f32(offset + f32(scale * f32(total)));
            const own = f32(base + f32(share * normOf(code)));
            return f32(own + f32(factorOf(code) * estimate));
          };
        },
      };
    },
  };
}
