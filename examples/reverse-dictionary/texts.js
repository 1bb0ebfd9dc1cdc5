// SPDX-License-Identifier: Apache-2.0
// What is given to the encoder, and which answers are none: the same for the
// dictionary's texts and the user's, in Node and in the page.

// What a text is: a definition's part of speech, or a line of the user's own.
export const PARTS = ["noun", "verb", "adjective", "adverb"];
export const OWN = "your line";

// The encoder learned from sentences, so it is given sentences.
export function sentence(text) {
  const trimmed = text.trim();
  return trimmed[0].toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}

// A definition's vector is the sum of the vectors of two texts, such as
// "An umbrella." and "A lightweight handheld collapsible canopy.": the encoder
// knows of umbrellas what this gloss does not tell. With an article or "to" a
// word is a thing or an act. check/quality.mjs measures this against less.
export function definitionParts({ words, pos, gloss }) {
  const named = words.slice(0, 8).map((word) => sentence(withArticle(word, pos)));
  return [
    { text: named.join(" "), weight: 1.5 },
    { text: sentence(gloss), weight: 1 },
  ];
}

// The texts whose vectors, weighted and added, are the vector of a document of
// the index; of a line of the user's own it is the line.
export function partsOf(id, document) {
  return document.pos === OWN ? [{ text: sentence(id), weight: 1 }] : definitionParts(document);
}

function withArticle(word, pos) {
  if (pos === "verb") return `to ${word}`;
  if (pos !== "noun" || /^\p{Lu}/u.test(word)) return word;
  return `${/^[aeiou]/.test(word) ? "an" : "a"} ${word}`;
}

// Who says "keeps the rain off" is not looking for "rain" or "raining": a
// definition is left out when a word of it was used in the question, up to
// three letters of ending. Returns a function from definition to that word.
export function wordsUsed(text) {
  const used = tokens(text);
  const isUsed = (word) => tokens(word).every((a) => used.some((b) => alike(a, b)));
  return ({ words = [] }) => words.find(isUsed);
}

const tokens = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

function alike(a, b) {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (short === long) return true;
  return short.length > 3 && long.length - short.length <= 3 && long.startsWith(short);
}
