// SPDX-License-Identifier: Apache-2.0
// node host/build.mjs [PASSAGES SPEC FOLDER]
// Makes what the firmware carries, in FOLDER (default: build/microcontroller): words.mn and
// words.bin (word vectors and their names), passages.mn and passages.bin
// (definitions and their vectors), and for the check the vectors themselves.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { glosses } from "./glosses.mjs";
import { wordVectors } from "./glove.mjs";
import { average, DIMENSIONS, tokens, weighted } from "./meaning.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const [passages = "10000", spec = "hnsw16,bits2,refine=bits6", to = "build/microcontroller"] = process.argv.slice(2);
const folder = join(resolve(root, to), "/");
const WORDS = 18_000;
const WORDS_SPEC = "flat,bits4";
const LONGEST = 90; // characters of a passage
const QUESTIONS = 200;

function minnow(...words) {
  const { status, stdout, stderr, error } = spawnSync(`${root}build/native/minnow`, words, { cwd: folder });
  if (status !== 0) throw new Error(`minnow ${words.join(" ")}: ${error ?? stderr}`);
  process.stdout.write(stdout);
}

// Texts one behind the other: u32 count, u32 offsets[count + 1], UTF-8.
function textTable(texts) {
  const bytes = texts.map((text) => Buffer.from(text));
  const head = new Uint32Array(texts.length + 2);
  head[0] = texts.length;
  head[1] = head.byteLength;
  bytes.forEach((b, i) => (head[i + 2] = head[i + 1] + b.length));
  return Buffer.concat([Buffer.from(head.buffer), ...bytes]);
}

const rows = (list) => Buffer.concat(list.map((v) => Buffer.from(v.buffer, v.byteOffset, v.byteLength)));

mkdirSync(folder, { recursive: true });
const glove = await wordVectors(40_000);
const rank = new Map([...glove.keys()].map((word, i) => [word, i]));

// Definitions of the most frequent words, in words that are known.
const known = (text) => tokens(text).filter((word) => glove.has(word));
const chosen = glosses(rank)
  .map(({ word, gloss }) => `${word}: ${gloss}`)
  .filter((text) => text.length <= LONGEST && known(text).length >= 4);
// What comes behind them is asked for by the check.
const asked = chosen.splice(Number(passages)).slice(0, QUESTIONS);

// Every word of theirs, and the most frequent others.
const used = new Set(chosen.flatMap(tokens));
const names = [...glove.keys()].filter((word) => used.has(word)).slice(0, WORDS);
for (const word of glove.keys()) {
  if (names.length === WORDS) break;
  if (!used.has(word)) names.push(word);
}
names.sort();

const vectors = weighted(glove, chosen);
writeFileSync(`${folder}words.bin`, textTable(names));
writeFileSync(`${folder}words.f32`, rows(names.map((word) => vectors.get(word))));
writeFileSync(`${folder}questions.txt`, asked.map((text) => text.replace(/^.*?: /, "") + "\n").join(""));
writeFileSync(`${folder}passages.bin`, textTable(chosen));
writeFileSync(`${folder}passages.f32`, rows(chosen.map((text) => average(vectors, text))));

const shape = ["--dimensions", String(DIMENSIONS)];
minnow("build", "words.f32", "-o", "words.mn", "--metric", "l2", "--spec", WORDS_SPEC, "--pack", ...shape);
minnow("encode", "words.mn", "words.f32", "-o", "words.codes");
minnow("decode", "words.mn", "words.codes", "-o", "words.decoded.f32");
minnow("build", "passages.f32", "-o", "passages.mn", "--metric", "cosine", "--spec", spec,
  "--ef-construction", "200", "--pack", ...shape);
const bytes = ["words.mn", "words.bin", "passages.mn", "passages.bin"].map((name) => readFileSync(folder + name).length);
console.log(`${bytes.reduce((a, b) => a + b)} bytes of flash: ${bytes.join(" + ")}`);
