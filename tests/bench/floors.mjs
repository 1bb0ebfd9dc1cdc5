// SPDX-License-Identifier: Apache-2.0
// Recall that a study in NumPy reached on the same data before the library was
// written: what the library must not fall below.
import { table } from "./report.mjs";

/** The true 10 in the first 10 / in the first 50; none for pca on GloVe, whose
 * spectrum is flat. */
const floors = {
  bits1: { glove: [".32", ".66"], mnist: [".80", ".999"], sentences512: [".73", ".99"] },
  bits2: { glove: [".62", ".95"], mnist: [".89", "1"], sentences512: [".86", "1"] },
  bits4: { glove: [".88", "1"], mnist: [".965", "1"], sentences512: [".95", "1"] },
  bits8: { glove: [".989", "1"], mnist: [".995", "1"], sentences512: [".995", "1"] },
  sq8: { glove: [".978", "1"], mnist: [".999", "1"], sentences512: [".995", "1"] },
  "pq d/4 x 8": { glove: [".61", ".95"], mnist: [".93", "1"], sentences512: [".89", "1"] },
  "pq d/2 x 4": { glove: [".58", ".93"], mnist: [".90", "1"], sentences512: [".875", "1"] },
  "pca128,bits4": { sentences512: [".866", "1"] },
};

/** A floor has as many digits as the study gave; its "1" had two. */
function isReached(figure, floor) {
  const digits = floor.includes(".") ? floor.length - 1 : 2;
  return Number(figure.toFixed(digits)) >= Number(floor);
}

function cell(row, floor) {
  if (!floor) return "–";
  if (!row) return "not measured";
  const measured = [row.at10, row.at50];
  const short = (figure) => figure.toFixed(3).replace(/^0/, "");
  const below = measured.some((figure, i) => !isReached(figure, floor[i])) ? " **below**" : "";
  return `${measured.map(short).join(" / ")} (${floor.join(" / ")})${below}`;
}

/** Measured beside floor, for the whole sets that have one. */
export function floorTable(results) {
  const sets = results.filter(({ set }) => Object.values(floors).some((floor) => floor[set.name]));
  if (!sets.length) return "";
  const columns = [
    ["encoding", ([kind]) => kind],
    ...sets.map(({ set, rows }) => [set.name, ([kind, floor]) => cell(rows.find((row) => row.kind === kind), floor[set.name])]),
  ];
  return `### Beside the floors\n\n${table(columns, Object.entries(floors), sets.length + 1)}\n`;
}
