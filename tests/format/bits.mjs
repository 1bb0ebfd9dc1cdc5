// SPDX-License-Identifier: Apache-2.0
// bits1 to bits8 (core/FORMAT.md, 4 and 6).
import {
  bitsOf, check, dot, f32, floatsAt, fromBits, minus, nearest, root, scaling,
  squares,
} from "./floats.mjs";
import { rotation } from "./transforms.mjs";

// Where the share of p planes lies: [in the tail?, lowest bit, bits].
function shareAt(b, p) {
  if (p === 1) return [false, 0, 12];
  if (p === b) return [true, 0, 14];
  return p === 2 ? [true, 24, 8] : [true, 14, 10];
}

// How many planes CODE has, packed.
function packedPlanes(b, d) {
  if (b < 4 || d >= 384) return 1;
  return d >= 192 ? 2 : 4;
}

export function bits(b, { metric, dimensions: d, seed }) {
  const plane = Math.ceil(d / 8);
  const lift = metric === "ip" ? 4 : 0;
  const packed = packedPlanes(b, d);
  const packedAt = 4 + lift + (packed > 1 ? 4 : 0);
  const packedBytes = Math.ceil((d * packed) / 8);
  const planesAt = packed > 1 ? 0 : 4;
  const prefixes = [1, 2, 4, b].filter((p, i) => p < b || (p === b && i === 3));
  const tailOf = ({ code, rest }) =>
    packed > 1 ? code.getUint32(4 + lift, true) : rest.getUint32(0, true);
  const used = (code, p) => {
    const [inTail, low, count] = shareAt(b, p);
    const word = inTail ? tailOf(code) : code.code.getUint32(0, true);
    return { most: 2 ** count, share: Math.floor(word / 2 ** low) % 2 ** count };
  };
  const unit = f32(1 / root(d));
  const scaleOf = (most, p) => f32(most / (2 ** p - 1));
  const norm = ({ code }) => fromBits((code.getUint32(0, true) >>> 12) << 11);
  const liftOf = ({ code }) => code.getFloat32(4, true);

  const packedByte = (code, at) => code.code.getUint8(packedAt + at);
  const planeByte = (code, i, at) =>
    code.rest.getUint8(planesAt + (i - packed - 1) * plane + at);

  // The bits of component j by plane, the first plane first.
  function levelBits(code, j) {
    const first = j * packed;
    const together = (packedByte(code, first >> 3) >> (first % 8)) % 2 ** packed;
    const found = [...together.toString(2).padStart(packed, "0")].map(Number);
    for (let i = packed + 1; i <= b; i++) {
      found.push((planeByte(code, i, j >> 3) >> (j % 8)) & 1);
    }
    return found;
  }

  // y by the first p planes.
  function integers(code, p) {
    return Array.from({ length: d }, (_, j) => {
      const bit = levelBits(code, j);
      const level = bit.slice(0, p).reduce((sum, n) => 2 * sum + n, 0);
      return 2 * level + 1 - 2 ** p;
    });
  }

  // The factor by which the integers of p planes stand for r.
  function factor(code, p) {
    const { most, share } = used(code, p);
    const scaled = f32(norm(code) * f32(scaleOf(most, p) * unit));
    return f32(scaled / f32(share + 0.5));
  }

  // The integers that stand for a query's turned components, and what of.
  function weightsOf(turned) {
    const { a, inverse } = scaling(turned, 127);
    const u = turned.map((x) => x * inverse);
    return { a, u, w: Array.from(u, nearest) };
  }

  return {
    codeBytes: packedAt + packedBytes,
    restBytes: b > 1 ? planesAt + (b - packed) * plane : 0,
    modelBytes: 4 * d,
    open(model) {
      const mean = floatsAt(model, 0, d);
      check(mean.every(Number.isFinite), "MODL: mean");
      const { forth, back } = rotation(seed, d);
      const lifted = (x) => f32(dot(minus(x, mean), mean) + f32(squares(mean) / 2));
      return {
        mean,
        planes: b,
        packed,
        decode(code) {
          const y = integers(code, b);
          const { most, share } = used(code, b);
          const product = f32(norm(code) * f32(share + 0.5));
          const along = f32(product / f32(scaleOf(most, b) * unit));
          const length = f32(along / squares(Float32Array.from(y)));
          const r = back(Float32Array.from(y, (n) => n * length));
          return r.map((x, j) => x + mean[j]);
        },
        check(code) {
          check(Number.isFinite(norm(code)), "norm");
          if (lift) check(Number.isFinite(liftOf(code)), "lift");
          const below = (bits) => (bits % 8 ? 2 ** (bits % 8) : 256);
          const last = packedByte(code, packedBytes - 1);
          check(last < below(d * packed), "unused packed bits");
          for (let i = packed + 1; i <= b; i++) {
            check(planeByte(code, i, plane - 1) < below(d), "unused bits of a plane");
          }
          if (b === 1) return;
          const tail = tailOf(code);
          check(b > 2 || tail >>> 24 === 0, "unused share of 2 planes");
          check(b > 4 || ((tail >>> 14) & 1023) === 0, "unused share of 4 planes");
        },
        // That the numbers beside the planes are those of x; returns what the
        // planes make of it.
        made(code, x) {
          const r = forth(minus(x, mean));
          const length = root(squares(r));
          const cut = (bitsOf(length) + 1024) >>> 11 << 11;
          check(norm(code) === fromBits(cut), `norm ${norm(code)} of ${length}`);
          for (const p of prefixes) {
            const { most, share } = used(code, p);
            const product = dot(Float32Array.from(integers(code, p)), r);
            const part = length ? f32(product * f32(unit / length)) : 0;
            const whole = Math.floor(f32(part * scaleOf(most, p)));
            const expected = Math.min(Math.max(whole, 0), most - 1);
            check(share === expected, `share of ${p}: ${share}, not ${expected}`);
          }
          if (lift) check(Object.is(liftOf(code), lifted(x)), "lift");
        },
        // What a large flat block is sifted by: the query's signs alone.
        sift(query) {
          const { a, w } = weightsOf(forth(minus(query, mean)));
          const total = (term) => f32(w.reduce((sum, n) => sum + term(n), 0));
          const size = total(Math.abs);
          const g = size ? f32(f32(a / 127) * f32(total((n) => n * n) / size)) : 0;
          return (code) => {
            const y = integers(code, 1);
            const differ = y.filter((n, j) => n > 0 !== w[j] > 0).length;
            const own = lift ? -liftOf(code) : f32(f32(norm(code) ** 2) / 2);
            return f32(own - f32(f32(g * factor(code, 1)) * (d - 2 * differ)));
          };
        },
        measure(query, p = b) {
          const turned = forth(minus(query, mean));
          const { a, u, w } = weightsOf(turned);
          const v = Array.from(u, (x, j) => nearest(f32(f32(x - w[j]) * 128)));
          const own = lift ? lifted(query) : squares(turned);
          return (code) => {
            const whole = (y, numbers) =>
              f32(y.reduce((total, n, j) => total + n * numbers[j], 0));
            let product = whole(integers(code, p), w);
            if (p >= 7) {
              product = f32(product + f32(2 ** (p - 11) * whole(integers(code, 4), v)));
            }
            const e = f32(f32(f32(a / 127) * factor(code, p)) * product);
            const both = f32(own + (lift ? liftOf(code) : f32(norm(code) ** 2)));
            if (metric === "ip") return f32(-both - e);
            return metric === "l2" ? f32(both - f32(2 * e)) : f32(f32(both / 2) - e);
          };
        },
      };
    },
  };
}
