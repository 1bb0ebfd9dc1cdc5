// SPDX-License-Identifier: Apache-2.0
// node check/quality.mjs [--ways]
//
// How often a description finds its word among 5,000 definitions: first, and
// in the first ten. By exact search on floats, in plain JavaScript; and by the
// index that the page opens, by each stop of its slider. --ways compares other vectors for a definition;
// what they need beyond the cache takes some minutes to embed.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Collection } from "minnow";
import { encodeAll } from "../steps/encode.mjs";
import { CACHE, INDEX } from "../steps/paths.mjs";
import { definitions } from "../steps/wordnet.mjs";
import { REFINE_K } from "../lookup.js";
import { ALL, STOPS } from "../precision.js";
import { definitionParts, sentence, wordsUsed } from "../texts.js";

const LIMIT = 10;
const pairs = readFileSync(new URL("descriptions.tsv", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => line.split("\t"));
const QUERIES = pairs.map(([description]) => [{ text: sentence(description), weight: 1 }]);

const WAYS = {
  "gloss": ({ gloss }) => [{ text: gloss, weight: 1 }],
  "words": ({ words }) => [{ text: words.join(", "), weight: 1 }],
  "words: gloss": ({ words, gloss }) => [{ text: `${words.join(", ")}: ${gloss}`, weight: 1 }],
  "sentence of words": (definition) => definitionParts(definition).slice(0, 1),
  "sentence of gloss": (definition) => definitionParts(definition).slice(1),
  "their sum": definitionParts,
};

export async function exactHits(dictionary, partsOf = definitionParts) {
  const vectors = await encodeAll(dictionary.map(partsOf), CACHE);
  const queries = await encodeAll(QUERIES, CACHE);
  return hits((i) =>
    vectors
      .map((vector, at) => ({ at, score: dot(queries[i], vector) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, 4 * LIMIT)
      .map(({ at }) => dictionary[at]),
  );
}

// A result for each of STOPS, as above; `same` is how many of the first ten all
// planes give too, on average.
export async function indexHits() {
  const queries = await encodeAll(QUERIES, CACHE);
  const collection = await Collection.open(readFileSync(INDEX));
  const search = (i, planes) =>
    collection.search(queries[i], { limit: 4 * LIMIT, planes, refineK: REFINE_K }).map(({ document }) => document);
  const firstTen = (i, planes) => search(i, planes).slice(0, LIMIT).map(({ gloss }) => gloss);
  return STOPS.map(({ name, planes }) => {
    const byAll = QUERIES.map((_, i) => new Set(firstTen(i, STOPS[ALL].planes)));
    const same = QUERIES.map((_, i) => firstTen(i, planes).filter((gloss) => byAll[i].has(gloss)).length);
    return {
      name,
      same: same.reduce((sum, count) => sum + count) / same.length,
      ...hits((i) => search(i, planes)),
    };
  });
}

// { first, ten, of, missed } of all pairs, given the definitions found for each.
function hits(find) {
  const places = pairs.map(([description, word], i) => {
    const used = wordsUsed(description);
    const answers = find(i).filter((definition) => !used(definition)).slice(0, LIMIT);
    return answers.findIndex(({ words }) => words.includes(word)) + 1;
  });
  return {
    first: places.filter((place) => place === 1).length,
    ten: places.filter((place) => place > 0).length,
    of: pairs.length,
    missed: pairs.filter((_, i) => places[i] === 0).map(([, word]) => word),
    placeOf: (word) => places[pairs.findIndex((pair) => pair[1] === word)],
  };
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

export function describe(name, { first, ten, of, same }) {
  const common = same === undefined ? "" : `, ${same.toFixed(1)} of ${LIMIT} in common with all planes`;
  return `${name.padEnd(18)} first ${first} of ${of}, in the first ${LIMIT} ${ten} of ${of}${common}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const dictionary = definitions().slice(0, 5000);
  const known = new Set(dictionary.flatMap(({ words }) => words));
  for (const [, word] of pairs) if (!known.has(word)) console.log(`not among the definitions: ${word}`);
  const ways = process.argv.includes("--ways") ? Object.keys(WAYS) : ["their sum"];
  for (const way of ways) {
    const result = await exactHits(dictionary, WAYS[way]);
    console.log(describe(way, result), "missed:", result.missed.join(", "));
  }
  for (const result of await indexHits()) console.log(describe(`index, planes ${result.name}`, result));
}
