// SPDX-License-Identifier: Apache-2.0
// One question, answered: the same in the page and on the command line.
import { sentence, wordsUsed } from "./texts.js";

export async function lookUp(encoder, collection, text, options) {
  const start = performance.now();
  const vector = await encoder.embed([sentence(text)]);
  const encoding = performance.now() - start;
  return { encoding, ...answer(collection, text, vector, options) };
}

// The same with the question's vector known. `planes`: see precision.js.
export function answer(collection, text, vector, { limit, where, planes }) {
  const start = performance.now();
  const found = collection.search(vector, { limit: limit + 20, where, planes });
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
