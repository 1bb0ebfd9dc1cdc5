// SPDX-License-Identifier: Apache-2.0
// How precisely the index is searched. It keeps 8 bits of each number, highest
// bits together (bits8), so that a search may read the highest 1, 2 or 4 alone.
export const STOPS = [
  { name: "1", planes: 1 },
  { name: "2", planes: 2 },
  { name: "4", planes: 4 },
  { name: "8", planes: 8 },
  // What a search does that says nothing: finds candidates by 1 bit, more than
  // are wanted (lookup.js), and ranks these by all 8.
  { name: "1 → 8", planes: 0 },
];
export const ALL = 3;
export const DEFAULT = 4;

// Which answers all 8 bits would not have given, and which it would have.
export function compare(answers, byAll) {
  const among = (list, { id }) => list.some((other) => other.id === id);
  return {
    strange: answers.filter((answer) => !among(byAll, answer)),
    missed: byAll.filter((answer) => !among(answers, answer)),
  };
}
