// SPDX-License-Identifier: Apache-2.0
// node ask.mjs [--limit N] [--planes 1|2|4|8] "text"...
//
// Prints the definitions closest to each text, from the file the page opens.
// --planes: how many bits of each number are read; by default 1, and all 8 of
// the definitions that are closest by it.
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Collection } from "minnow";
import { lookUp } from "./lookup.js";
import { STOPS } from "./precision.js";
import { nodeEncoder } from "./steps/node-encoder.mjs";
import { INDEX } from "./steps/paths.mjs";
import { number } from "./steps/progress.mjs";

const { values: options, positionals: texts } = parseArgs({
  options: { limit: { type: "string", default: "5" }, planes: { type: "string", default: "0" } },
  allowPositionals: true,
});
const limit = Number(options.limit);
const planes = Number(options.planes);
if (
  texts.length === 0 || texts.some((text) => !text.trim()) || !(limit >= 1) ||
  !STOPS.some((stop) => stop.planes === planes)
) {
  console.error('usage: node ask.mjs [--limit N] [--planes 1|2|4|8] "what you mean"...');
  process.exit(2);
}
if (!existsSync(INDEX)) {
  console.error("There is no dictionary yet: run node build.mjs");
  process.exit(1);
}

const collection = await Collection.open(readFileSync(INDEX));
const encoder = await nodeEncoder();
// The first calls are slower than those that are timed.
for (const text of texts) await lookUp(encoder, collection, text, { limit, planes });

for (const text of texts) {
  const result = await lookUp(encoder, collection, text, { limit, planes });
  console.log(`\n${text}`);
  for (const { score, document: { words, pos, gloss } } of result.answers) {
    console.log(`  ${score.toFixed(3)}  ${words.join(", ")} (${pos}): ${gloss}`);
  }
  console.log(
    `  ${number(collection.size)} definitions, encoded in ${result.encoding.toFixed(1)} ms, ` +
      `searched in ${result.searching.toFixed(2)} ms: ${number(result.distances)} distances, ` +
      `${number(result.refined)} refined, ${number(result.bytes)} bytes read`,
  );
}
