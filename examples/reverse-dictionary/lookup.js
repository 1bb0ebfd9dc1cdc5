// SPDX-License-Identifier: Apache-2.0
// One question, answered: the same in the page and on the command line.
import { sentence, wordsUsed } from "./texts.js";

export async function lookUp(encoder, collection, text, limit) {
  const start = performance.now();
  const vector = await encoder.embed([sentence(text)]);
  const encoded = performance.now();
  const found = collection.search(vector, { limit: limit + 20 });
  const searched = performance.now();

  const isUsed = wordsUsed(text);
  const answers = found.filter(({ document }) => !isUsed(document)).slice(0, limit);
  const last = found.indexOf(answers.at(-1));
  const leftOut = found.slice(0, last).filter(({ document }) => isUsed(document));
  return {
    answers,
    leftOut: leftOut.map(({ document }) => document.words[0]),
    encoding: encoded - start,
    searching: searched - encoded,
    ...collection.lastStats,
  };
}
