// SPDX-License-Identifier: Apache-2.0
// The panel of figures. What a result does not tell stays as it was.
import { bytes, milliseconds, number } from "./format.js";
import { pairs } from "./table.js";

const known = {};

const ROWS = [
  ["Encoding your words", "encoding", milliseconds],
  ["Searching", "searching", milliseconds],
  ["Texts in the index", "count", number],
  ["Texts you deleted", "deleted", number],
  ["Size of the index", "blockBytes", bytes],
  ["Its kind", "spec", String],
  ["Bytes a vector", "codeBytes", number],
  ["Instructions", "simd", (simd) => (simd ? "SIMD" : "scalar")],
];

export function showFigures(list, result) {
  Object.assign(known, result);
  pairs(
    list,
    ROWS.map(([label, name, text]) => [label, name, known[name] === undefined ? undefined : text(known[name])]),
  );
}
