// SPDX-License-Identifier: Apache-2.0
// The panel of figures. What a result does not tell stays as it was.
import { bytes, milliseconds, number } from "./format.js";

const known = {};

const ROWS = [
  ["Texts in the index", "count", number],
  ["Size of the index", "blockBytes", bytes],
  ["Its kind", "spec", String],
  ["Bytes a vector", "codeBytes", number],
  ["Encoding your words", "encoding", milliseconds],
  ["Searching", "searching", milliseconds],
  ["Distances computed", "distances", number],
  ["Ranked again by all bits", "refined", number],
  ["Instructions", "simd", (simd) => (simd ? "SIMD" : "scalar")],
];

export function showFigures(list, result) {
  Object.assign(known, result);
  list.replaceChildren(
    ...ROWS.map(([label, field, text]) => {
      const row = document.createElement("div");
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      dt.textContent = label;
      dd.dataset.figure = field;
      dd.textContent = known[field] === undefined ? "–" : text(known[field]);
      row.append(dt, dd);
      return row;
    }),
  );
}
