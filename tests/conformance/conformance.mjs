// SPDX-License-Identifier: Apache-2.0
// conformance.c, by the public API of the npm package alone. No Node modules:
// browsers run this file too.
import { Hash, draw, filter, key, rows } from "./generator.mjs";

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

async function build(Index, wasm, c, vectors, keys, all, answers) {
  const dimensions = Number(c.dimensions);
  const n = Number(c.n);
  let index = await Index.create({
    dimensions,
    metric: c.metric,
    spec: c.spec,
    // one more than is needed, so that to save it is to resize it
    capacity: c.how === "grow" ? 1 : Math.max(n, 1) + (c.change === "-" ? 0 : 1),
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
  await change(Index, wasm, index, c, all, answers);
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

// --- Changes ----------------------------------------------------------------------

const TUNE_SAMPLE = 30;
const REPAIR_STEP = 50;

const seedOf = (c) => Number(BigInt(c.seed) & 0xffffffffn);
const keyOf = (c) => (row) => (c.keys === "given" ? key(row) : row);
const rowOf = (c) => (one) => (c.keys === "given" ? Math.floor(one / 2 ** 32) : one);

// The rows of all that lie `offset` on from these.
function rowsAt(c, all, picked, offset) {
  const dimensions = Number(c.dimensions);
  const rows = new Float32Array(picked.length * dimensions);
  picked.forEach((row, i) => {
    const from = (row + offset) * dimensions;
    rows.set(all.subarray(from, from + dimensions), i * dimensions);
  });
  return rows;
}

async function change(Index, wasm, index, c, all, answers) {
  if (c.change === "-") return;
  const n = Number(c.n);
  const fresh = n + Number(c.queries);
  for (const [step, word] of c.change.split(" ").entries()) {
    const [, name, , value] = word.match(/^(\w+)([=:](.*))?$/);
    const pick = (percent, isTaken) =>
      Array.from({ length: n }, (_, row) => row).filter(
        (row) =>
          draw((seedOf(c) + step) >>> 0, row, 0xfffffffd) % 100 < percent &&
          isTaken(keyOf(c)(row)),
      );
    const isThere = (one) => index.has(one);
    if (name === "delete") {
      const keys = pick(Number(value), isThere).map(keyOf(c));
      index.delete(keys, { repair: false });
    } else if (name === "repair") {
      while (index.repair({ limit: REPAIR_STEP }) > 0);
    } else if (name === "tune") {
      hashTuned(answers, index.tune({
        recall: Number(value), k: Number(c.k), ef: Number(c.ef), sample: TUNE_SAMPLE,
      }));
    } else if (name === "keep" || name === "take") {
      const other = await makeOther(Index, wasm, c, all, value);
      index.merge(other, { onConflict: name === "keep" ? "keep" : "replace" });
      other.close();
    } else if (name === "add") {
      const rows = pick(100, (one) => !isThere(one));
      index.add(rowsAt(c, all, rows, 0), rows.map(keyOf(c)));
    } else {
      const rows = pick(Number(value), name === "update" ? isThere : () => true);
      index[name](rowsAt(c, all, rows, fresh), rows.map(keyOf(c)), { repair: false });
    }
  }
}

// An index of n rows, of which half have keys that the other has too.
async function makeOther(Index, wasm, c, all, spec = c.spec) {
  const dimensions = Number(c.dimensions);
  const n = Number(c.n);
  const first = Math.floor(n / 2);
  const other = await Index.create({
    dimensions, metric: c.metric, spec, capacity: n, seed: BigInt(c.seed), wasm,
    efConstruction: Number(c.ef_construction) || undefined,
  });
  if (!other.info().trained) other.train(all.subarray(0, Number(c.train) * dimensions));
  const rows = Array.from({ length: n }, (_, i) => first + i);
  other.add(rowsAt(c, all, rows, n + Number(c.queries)), rows.map(keyOf(c)));
  return other;
}

// --- Answers ----------------------------------------------------------------------

const AUDIT_SAMPLE = 30;
const PLANS = ["auto", "scan", "walk", "two-hop", "post", "probe"];
const REASONS = ["no-graph", "forced", "all", "few", "sparse", "dense"];

function hashHits(hash, { keys, distances }, c) {
  hash.word(keys.length);
  for (let i = 0; i < keys.length; i++) {
    hash.long(keys[i]);
    hash.float(distances[i]);
    hash.word(rowOf(c)(keys[i]));
  }
}

function hashStats(hash, stats) {
  hash.long(stats.distances);
  hash.word(stats.hops);
  hash.word(stats.exact ? 1 : 0);
  hash.long(stats.bytes);
  hash.word(stats.refined);
  hash.word(stats.planes);
  hash.long(stats.refineBytes);
  hash.word(stats.probed);
  hash.word(PLANS.indexOf(stats.plan));
  hash.word(REASONS.indexOf(stats.reason) + 1);
  hash.word(stats.matches);
  hash.word(stats.cut ? 1 : 0);
  hash.word(stats.fellBack ? 1 : 0);
}

function hashRecall(hash, recall) {
  hash.word(recall.queries);
  hash.word(recall.k);
  hash.float(recall.recall);
  hash.float(recall.low);
  hash.float(recall.high);
  hash.float(recall.distances);
  hash.float(recall.refined);
}

function hashTuned(hash, tuned) {
  hash.word(tuned.ef);
  hash.word(tuned.nprobe);
  hash.float(tuned.refineK);
  hash.float(tuned.gamma);
  hashRecall(hash, tuned.recall);
  hash.word(tuned.reached ? 1 : 0);
  hash.word(tuned.cut ? 1 : 0);
  hash.word(tuned.stored ? 1 : 0);
  hash.word(tuned.runs);
  hash.long(tuned.spent);
}

function hashAudit(hash, audit) {
  hashRecall(hash, audit.recall);
  hash.word(audit.vectors);
  hash.float(audit.deadShare);
  hash.word(audit.duplicates);
  hash.word(audit.groups);
  hash.word(audit.largest);
  hash.word(audit.linked);
  hash.word(audit.pending);
  hash.word(audit.unreachable);
  hash.float(audit.links);
  hash.float(audit.linkBits);
  hash.word(audit.lists);
  hash.word(audit.emptyLists);
  hash.word(audit.largestList);
}

// The number behind a word of the column `search`, or 0.
const option = (c, word) => Number(c.search.match(`(?:^| )${word}=([0-9.]+)`)?.[1] ?? 0);

const precisionOf = (c) => ({
  k: Number(c.k),
  ef: Number(c.ef),
  gamma: option(c, "gamma"),
  nprobe: option(c, "nprobe"),
  planes: option(c, "planes"),
  refinePlanes: option(c, "refine_by"),
  refineK: option(c, "refine_k"),
});

function searchOptions(c, index, vectors) {
  const n = Number(c.n);
  const options = precisionOf(c);
  const plan = c.search.match(/plan=(\S+)/);
  if (plan) options.plan = plan[1];
  if (option(c, "budget")) options.budget = option(c, "budget");
  if (option(c, "of")) {
    options.diversity = { lambda: option(c, "diversify"), fetchK: option(c, "of") };
  }
  if (c.search.includes("ranges=")) {
    const more = Math.floor((n * option(c, "ranges")) / 200);
    options.ranges = [8, 2].map((part) =>
      [0, more].map((by) => keyOf(c)(Math.floor(n / part) + by)));
  }
  const each = option(c, "without");
  if (each) {
    options.without = Array.from({ length: Math.ceil(n / each) }, (_, i) => keyOf(c)(i * each));
    options.without.push(keyOf(c)(3 * n));
  }
  const divisor = option(c, "match");
  if (divisor) options.match = (one) => rowOf(c)(one) % divisor !== 0;
  if (c.filter !== "none") {
    options.filter = filter(seedOf(c), index.info().slots, Number(c.filter));
  }
  if (c.search.includes("fetch")) {
    options.refine = (keys) => rowsAt(c, vectors, Array.from(keys, rowOf(c)), 0);
  }
  return options;
}

// The nth query, be it a row or the key of one.
function searchOne(index, c, queries, nth, options) {
  const dimensions = Number(c.dimensions);
  const query = queries.subarray(nth * dimensions, (nth + 1) * dimensions);
  if (c.search.includes("like")) {
    const row = Math.floor(Number(c.n) / Number(c.queries)) * nth;
    return index.searchLike(keyOf(c)(row), options);
  }
  if (!c.search.includes("within=")) return index.search(query, options);
  return index.within(query, option(c, "within"), { ...options, limit: options.k });
}

function hashSearches(hash, index, c, vectors, queries) {
  const options = searchOptions(c, index, vectors);
  if (c.search.includes("many")) {
    const all = index.searchMany(queries, options);
    all.forEach((found) => hashHits(hash, found, c));
    const sum = (what) => all.reduce((total, { stats }) => total + stats[what], 0);
    hash.long(sum("distances"));
    hash.long(sum("bytes"));
    hash.word(sum("refined"));
  } else {
    for (let i = 0; i < Number(c.queries); i++) {
      const found = searchOne(index, c, queries, i, options);
      hashHits(hash, found, c);
      hashStats(hash, found.stats);
      if (found.complete !== undefined) hash.word(found.complete ? 1 : 0);
    }
  }
  if (c.search.includes("audit")) {
    hashAudit(hash, index.audit({ ...precisionOf(c), sample: AUDIT_SAMPLE }));
  }
}

function hashIndex(hash, index, c, vectors, queries) {
  const n = Number(c.n);
  hashSearches(hash, index, c, vectors, queries);
  for (let i = 0; i < n; i += Math.floor(n / 8) + 1) {
    const one = keyOf(c)(i);
    if (index.has(one)) index.reconstruct(one).forEach((x) => hash.float(x));
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
  const dimensions = Number(c.dimensions);
  const n = Number(c.n);
  const asked = n + Number(c.queries);
  const all = rows(c.data, seedOf(c), 0, c.change === "-" ? asked : asked + 2 * n, dimensions);
  const keys =
    c.keys === "given" ? Array.from({ length: n }, (_, i) => key(i)) : undefined;
  const vectors = all.subarray(0, n * dimensions);
  const block = new Hash();
  const answers = new Hash();
  const bytes = await build(Index, wasm, c, vectors, keys, all, answers);
  const queries = all.subarray(n * dimensions, asked * dimensions);
  block.bytes(bytes);
  const index = await Index.open(bytes, { wasm });
  index.verify();
  hashIndex(answers, index, c, vectors, queries);
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
