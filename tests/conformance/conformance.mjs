// SPDX-License-Identifier: Apache-2.0
// conformance.c, by the public API of the npm package alone. No Node modules:
// browsers run this file too.
import { Hash, filter, key, rows } from "./generator.mjs";

// The list's cases, one object each; keys are the header's words.
export function parse(text) {
  const [head, ...lines] = text.trim().split("\n");
  const names = head.replace(/^#/, "").split("\t");
  return lines
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split("\t"))
    .map((cells) => Object.fromEntries(names.map((n, i) => [n, cells[i]])));
}

// Batches of 1, 2, 3, … rows.
function* batches(n) {
  for (let first = 0, batch = 1; first < n; first += batch++) {
    yield [first, Math.min(first + batch, n)];
  }
}

async function build(Index, wasm, c, vectors, keys) {
  const dimensions = Number(c.dimensions);
  const n = Number(c.n);
  let index = await Index.create({
    dimensions,
    metric: c.metric,
    spec: c.spec,
    capacity: c.how === "grow" ? 1 : Math.max(n, 1),
    efConstruction: Number(c.ef_construction) || undefined,
    seed: BigInt(c.seed),
    wasm,
  });
  const part = (from, to) => [
    vectors.subarray(from * dimensions, to * dimensions),
    keys?.slice(from, to),
  ];
  if (Number(c.train)) {
    index.train(vectors.subarray(0, Number(c.train) * dimensions));
  }
  if (c.how === "grow") {
    for (const [from, to] of batches(n)) index.add(...part(from, to));
  } else if (c.how === "steps") {
    await index.addAsync(...part(0, n));
  } else if (c.how === "threads") {
    await index.addAsync(...part(0, n), { threads: 3 });
  } else if (c.how === "reopen") {
    const half = Math.floor(n / 2);
    index.add(...part(0, half));
    const bytes = index.toBytes();
    index.close();
    index = await Index.open(bytes, { wasm });
    index.add(...part(half, n));
  } else if (n) {
    index.add(...part(0, n));
  }
  if (c.how === "attach") {
    index.attach("test", new TextEncoder().encode("minnow"));
    index.attach("aB_9", new TextEncoder().encode(c.name[0]));
  }
  index = await packed(index, c.how);
  const bytes = index.toBytes();
  index.close();
  return bytes;
}

// Packed, and packed again from what it is thawed to, or left so.
async function packed(index, how) {
  const steps = { pack: ["pack"], thaw: ["pack", "thaw"] }[how] ?? [];
  if (how === "repack") steps.push("pack", "thaw", "pack");
  for (const step of steps) {
    const next = await index[step]();
    index.close();
    index = next;
  }
  return index;
}

function hashHits(hash, { keys, distances, stats }, rowOf) {
  hash.word(keys.length);
  for (let i = 0; i < keys.length; i++) {
    hash.long(keys[i]);
    hash.float(distances[i]);
    hash.word(rowOf(keys[i]));
  }
  hash.long(stats.distances);
  hash.word(stats.hops);
  hash.word(stats.exact ? 1 : 0);
  hash.long(stats.bytes);
  hash.word(stats.refined);
  hash.word(stats.planes);
}

function searchOptions(c, vectors, rowOf) {
  const dimensions = Number(c.dimensions);
  const option = (word) => Number(c.search.match(`${word}=([0-9.]+)`)?.[1] ?? 0);
  const options = {
    k: Number(c.k),
    ef: Number(c.ef),
    planes: option("planes"),
    refinePlanes: option("refine_by"),
    refineK: option("refine_k"),
  };
  if (c.filter !== "none") {
    const seed = Number(BigInt(c.seed) & 0xffffffffn);
    options.filter = filter(seed, Number(c.n), Number(c.filter));
  }
  if (c.search.includes("fetch")) {
    options.refine = (keys) => {
      const rows = new Float32Array(keys.length * dimensions);
      keys.forEach((one, i) => {
        const from = rowOf(one) * dimensions;
        rows.set(vectors.subarray(from, from + dimensions), i * dimensions);
      });
      return rows;
    };
  }
  return options;
}

function hashIndex(hash, index, c, vectors, queries, keys) {
  const dimensions = Number(c.dimensions);
  const n = Number(c.n);
  const rowOf = (one) => (keys ? Math.floor(one / 2 ** 32) : one);
  const options = searchOptions(c, vectors, rowOf);
  for (let i = 0; i < queries.length; i += dimensions) {
    const found = index.search(queries.subarray(i, i + dimensions), options);
    hashHits(hash, found, rowOf);
  }
  for (let i = 0; i < n; i += Math.floor(n / 8) + 1) {
    index.reconstruct(keys ? keys[i] : i).forEach((x) => hash.float(x));
  }
  hash.float(index.info().error);
}

function hashCodes(hash, codec, queries) {
  const { dimensions, codeBytes } = codec;
  if (!codec.info().trained) return;
  const codes = codec.encode(queries);
  const code = (i) => codes.subarray(i * codeBytes, (i + 1) * codeBytes);
  hash.bytes(codes);
  const first = queries.subarray(0, dimensions);
  codec.compare(first, codes).forEach((x) => hash.float(x));
  for (let i = 1; i < queries.length / dimensions; i++) {
    hash.float(codec.between(code(i - 1), code(i)));
  }
}

async function runCase({ Index, Codec }, wasm, c) {
  const seed = Number(BigInt(c.seed) & 0xffffffffn);
  const dimensions = Number(c.dimensions);
  const n = Number(c.n);
  const all = rows(c.data, seed, 0, n + Number(c.queries), dimensions);
  const keys =
    c.keys === "given" ? Array.from({ length: n }, (_, i) => key(i)) : undefined;
  const vectors = all.subarray(0, n * dimensions);
  const bytes = await build(Index, wasm, c, vectors, keys);
  const queries = all.subarray(n * dimensions);
  const block = new Hash();
  const answers = new Hash();
  block.bytes(bytes);
  const index = await Index.open(bytes, { wasm });
  index.verify();
  hashIndex(answers, index, c, vectors, queries, keys);
  index.close();
  const codec = await Codec.open(bytes, { wasm });
  hashCodes(answers, codec, queries);
  codec.close();
  return `${c.name}\t${block.end()}\t${answers.end()}`;
}

// One line per case, as conformance.c prints them; an error stands in the
// place of its case's hashes. `minnow` is the package, `wasm` "simd" or "scalar".
export async function run(minnow, wasm, text) {
  const lines = [];
  for (const c of parse(text)) {
    try {
      lines.push(await runCase(minnow, wasm, c));
    } catch (error) {
      lines.push(`${c.name}\t${error.code ?? error}\t-`);
    }
  }
  return lines;
}
