// SPDX-License-Identifier: Apache-2.0
// What a case of tests/conformance holds after its changes (README.md there,
// column `change`), worked out without an index.
import { draw, key } from "../conformance/generator.mjs";

const keyOf = (c, row) => BigInt(c.keys === "given" ? key(row) : row);

// Whether reader.mjs can say what vectors of the case's block were made of:
// those that are encoded again are not made of rows.
export const isKnown = (c) => !/:|tune/.test(c.change);

// For each key, the row of which its vector is.
export function vectorsOf(c) {
  const n = Number(c.n);
  const fresh = n + Number(c.queries);
  const seed = Number(BigInt(c.seed) & 0xffffffffn);
  const held = new Map(Array.from({ length: n }, (_, row) => [keyOf(c, row), row]));
  const steps = c.change === "-" ? [] : c.change.split(" ");
  steps.forEach((step, number) => {
    const [word, percent] = step.split("=");
    const put = (row, other) => held.set(keyOf(c, row), other);
    if (word === "keep" || word === "take") {
      for (let i = 0, row = n >> 1; i < n; i++, row++) {
        if (word === "take" || !held.has(keyOf(c, row))) put(row, fresh + row);
      }
    }
    for (let row = 0; row < n; row++) {
      const isDrawn = draw((seed + number) >>> 0, row, 0xfffffffd) % 100 < Number(percent);
      const isThere = held.has(keyOf(c, row));
      if (word === "delete" && isDrawn) held.delete(keyOf(c, row));
      if (word === "add" && !isThere) put(row, row);
      if (word === "update" && isDrawn && isThere) put(row, fresh + row);
      if (word === "upsert" && isDrawn) put(row, fresh + row);
    }
  });
  return held;
}
