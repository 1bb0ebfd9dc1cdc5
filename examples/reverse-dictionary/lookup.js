// SPDX-License-Identifier: Apache-2.0
// One question, answered: the same in the page and on the command line.
import { sentence, wordsUsed } from "./texts.js";

export async function lookUp(encoder, collection, text, options) {
  const start = performance.now();
  const vector = await encoder.embed([sentence(text)]);
  const encoding = performance.now() - start;
  return { encoding, ...answer(collection, text, vector, options) };
}

// More than are shown, since some are left out. Four times as many are ranked by
// all bits: fewer than the 128 that a walk keeps anyway.
export const MORE = 20;
export const REFINE_K = 4;
// Candidates that a walk keeps. For 30 hits gamma would look at half of 5,000 texts.
const EF = 128;

// The same with the question's vector known. `planes`: see precision.js.
export function answer(collection, text, vector, { limit, ...options }) {
  const start = performance.now();
  const found = collection.search(vector, { ...options, limit: limit + MORE, ef: EF, refineK: REFINE_K });
  const searching = performance.now() - start;

  const used = wordsUsed(text);
  const answers = found.filter(({ document }) => !used(document)).slice(0, limit);
  const above = found.slice(0, found.indexOf(answers.at(-1)) + 1);
  return {
    answers,
    leftOut: above.map(({ document }) => used(document)).filter(Boolean),
    searching,
    ...collection.lastStats,
  };
}

// More like a text that is in the collection, by the vector that is stored there:
// nothing is encoded, and no word was used that could be left out.
export function moreLike(collection, id, options) {
  const start = performance.now();
  const answers = collection.like(id, { ...options, ef: EF, refineK: REFINE_K });
  return { answers, leftOut: [], searching: performance.now() - start, ...collection.lastStats };
}
