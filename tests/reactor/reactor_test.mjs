// SPDX-License-Identifier: Apache-2.0
// build/wasi/minnow-reactor.wasm, as a host in any language would use it: no
// imports, structs written by hand at the offsets that wasm/reactor.c pins.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";

const root = new URL("../../", import.meta.url);
const MN_L2 = 1;
const MN_ERROR_DUPLICATE_KEY = -7;
const MN_ERROR_UNKNOWN_KEY = -8;
const MN_ERROR_CAPACITY = -9;
const MN_ERROR_READ_ONLY = -11;
const MN_ERROR_ALIGNMENT = -15;
const MN_ERROR_CORRUPT = -19;
const LINK_BATCH = 64;

let module;
let c; // the exports
const data = () => new DataView(c.memory.buffer);
const write32 = (at, ...values) =>
  values.forEach((value, i) => data().setUint32(at + 4 * i, value, true));
const read32 = (at) => data().getUint32(at, true);

function room(bytes) {
  const at = c.malloc(bytes);
  assert.notEqual(at, 0, "malloc");
  return at;
}

// A C string, or a plain one put into the memory.
function text(at) {
  const bytes = new Uint8Array(c.memory.buffer, at);
  return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
}
function put(bytes) {
  const at = room(bytes.length);
  new Uint8Array(c.memory.buffer).set(bytes, at);
  return at;
}

function arena(bytes) {
  const at = room(16);
  c.mn_arena_over(at, room(bytes), bytes); // a struct is returned by pointer
  return at;
}

function vectors(rows, dimensions) {
  const at = room(12);
  write32(at, put(new Uint8Array(Float32Array.from(rows).buffer)), rows.length / dimensions, dimensions);
  return at;
}

// A struct of these words and zeros.
function zeroed(bytes, ...words) {
  const at = room(bytes);
  new Uint8Array(c.memory.buffer).fill(0, at, at + bytes);
  write32(at, ...words);
  return at;
}

// Where a query's fields are, and its stats'.
const QUERY = { ef: 12, nprobe: 16, planes: 20, refinePlanes: 24, filter: 40, stats: 44, ranges: 48,
  rangeCount: 52, without: 56, withoutCount: 60, plan: 72, budget: 80 };
const STATS = { distances: 0, hops: 16, probed: 20, exact: 24, refined: 28, planes: 32, plan: 48,
  reason: 52, matches: 56, cut: 60, fellBack: 64 };

function makeQuery(k, vector = [], more = {}) {
  const query = zeroed(88, put(new Uint8Array(Float32Array.from(vector).buffer)), vector.length, k);
  for (const [name, value] of Object.entries(more)) write32(query + QUERY[name], value);
  return query;
}

const put64 = (keys) => put(new Uint8Array(BigUint64Array.from(keys, BigInt).buffer));

// Keys and distances.
function readHits(hits, count) {
  return Array.from({ length: count }, (_, i) => [
    Number(data().getBigUint64(hits + 16 * i, true)),
    data().getFloat32(hits + 16 * i + 8, true),
  ]);
}

// Those of the k nearest, and what the search did.
function ask(index, k, vector, scratch, more) {
  const stats = zeroed(72);
  const query = makeQuery(k, vector, { ...more, stats });
  const hits = room(16 * k);
  const count = room(4);
  assert.equal(c.mn_index_search(index, query, hits, count, scratch), 0);
  const did = Object.fromEntries(Object.entries(STATS).map(([name, at]) => [name, read32(stats + at)]));
  return { hits: readHits(hits, read32(count)), did };
}
const search = (index, vector, k, scratch) => ask(index, k, vector, scratch).hits;

// An index of points 0, 1, 2, … on a line, with their numbers as keys.
function line(spec, count, scratch, capacity = count) {
  const options = zeroed(64, 1, MN_L2);
  const word = new TextEncoder().encode(spec);
  assert.equal(c.mn_options_parse(options, put(word), word.length, 0), 0);
  const index = room(512);
  assert.equal(c.mn_index_create(index, options, capacity, arena(1 << 20)), 0);
  const points = vectors(Array.from({ length: count }, (_, i) => i), 1);
  if (spec.startsWith("ivf")) assert.equal(c.mn_index_train(index, points, scratch), 0);
  assert.equal(c.mn_index_add(index, 0, points, 0, scratch), 0);
  return index;
}

function infoOf(index) {
  const info = zeroed(168);
  c.mn_index_info(info, index);
  return { count: read32(info + 72), slots: read32(info + 144), dead: read32(info + 148),
    ef: read32(info + 152), nprobe: read32(info + 160) };
}

before(async () => {
  module = await WebAssembly.compile(await readFile(new URL("build/wasi/minnow-reactor.wasm", root)));
  c = (await WebAssembly.instantiate(module)).exports;
  c._initialize();
});

test("it imports nothing and exports the whole C API", async () => {
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  const header = await readFile(new URL("core/minnow.h", root), "utf8");
  const code = header.replaceAll(/\/\*[^]*?\*\//g, "");
  const declared = new Set(code.match(/\bmn_\w+(?=\()/g));
  assert.ok(declared.size > 20, `${declared.size} functions in minnow.h`);
  for (const name of declared) assert.equal(typeof c[name], "function", name);
});

test("an index is built, searched, saved, opened and verified", () => {
  const options = zeroed(64, 2, MN_L2);
  write32(options + 56, 7, 0);
  const spec = new TextEncoder().encode("hnsw8,f16");
  assert.equal(c.mn_options_parse(options, put(spec), spec.length, 0), 0);
  const sizes = room(128);
  assert.equal(c.mn_plan(options, 100, makeQuery(3), sizes), 0);

  const memory = arena(read32(sizes) + 64);
  const scratch = arena(Math.max(read32(sizes + 32), read32(sizes + 36)) + 64);
  const index = room(512);
  assert.equal(c.mn_index_create(index, options, 100, memory), 0);
  assert.equal(read32(index + 4), read32(sizes), "the block is as large as planned");

  // a row of points 0, 1, 2, … on a line, keys 0, 1, 2, …
  const rows = Array.from({ length: 200 }, (_, i) => (i % 2 ? 0 : i / 2));
  assert.equal(c.mn_index_add(index, 0, vectors(rows, 2), 0, scratch), 0);
  const expected = [[40, 0.0625], [41, 0.5625], [39, 1.5625]];
  assert.deepEqual(search(index, [40.25, 0], 3, scratch), expected);
  assert.equal(c.mn_index_seal(index), 0);

  const [block, bytes] = [read32(index), read32(index + 4)];
  const copy = new Uint8Array(c.memory.buffer).slice(block, block + bytes);
  const opened = room(512);
  const at = room(bytes + 16);
  const image = at + (-at & 7);
  for (const skip of [1, 2, 4, 7])
    assert.equal(c.mn_index_open(opened, image + skip, bytes), MN_ERROR_ALIGNMENT);
  new Uint8Array(c.memory.buffer).set(copy, image);
  assert.equal(c.mn_index_open(opened, image, bytes + 8), 0, "what follows is not looked at");
  assert.equal(c.mn_index_verify(opened), 0);
  assert.deepEqual(search(opened, [40.25, 0], 3, scratch), expected);

  const [section, size] = [room(4), room(4)];
  const name = new DataView(new TextEncoder().encode("CODE").buffer).getUint32(0, true);
  assert.equal(c.mn_index_section(opened, name, section, size), 0);
  new Uint8Array(c.memory.buffer)[read32(section)] ^= 1;
  assert.equal(c.mn_index_verify(opened), MN_ERROR_CORRUPT);
  c.free(at);
});

test("an index is linked in halves, packed and thawed", () => {
  const options = zeroed(64, 2, MN_L2);
  const spec = new TextEncoder().encode("hnsw8,f32");
  assert.equal(c.mn_options_parse(options, put(spec), spec.length, 0), 0);
  const sizes = room(128);
  assert.equal(c.mn_plan(options, 1000, makeQuery(3), sizes), 0);
  const scratch = arena(1 << 20);
  const rows = Array.from({ length: 2000 }, (_, i) => Math.sin(i * i));

  // By mn_index_link, and by propose and commit: the same bytes.
  const made = [0, 1].map(() => {
    const index = room(512);
    assert.equal(c.mn_index_create(index, options, 1000, arena(read32(sizes) + 64)), 0);
    assert.equal(c.mn_index_append(index, 0, vectors(rows, 2), 0, scratch), 0);
    return index;
  });
  const [whole, halves] = made;
  const left = room(4);
  assert.equal(c.mn_index_link(whole, 1000, left, scratch), 0);
  assert.equal(read32(left), 0);
  const proposals = c.mn_arena_allocate(arena(read32(sizes + 20) + 64), read32(sizes + 20));
  let batches = 0;
  for (; c.mn_index_batch(halves) > 0; batches++) {
    assert.equal(c.mn_index_batch(halves), LINK_BATCH);
    for (const from of [32, 0]) {
      assert.equal(c.mn_index_propose(halves, from, from + 32, proposals, scratch), 0);
    }
    assert.equal(c.mn_index_commit(halves, proposals, scratch), 0);
  }
  assert.equal(batches, Math.floor(1000 / LINK_BATCH));
  const blockOf = (index) =>
    new Uint8Array(c.memory.buffer).slice(read32(index), read32(index) + read32(index + 4));
  made.forEach((index) => assert.equal(c.mn_index_seal(index), 0));
  assert.deepEqual(blockOf(halves), blockOf(whole));

  const packing = room(8);
  assert.equal(c.mn_plan_pack(whole, packing), 0);
  const [packed, thawed] = [room(512), room(512)];
  assert.equal(c.mn_index_pack(whole, packed, arena(read32(packing) + read32(packing + 4) + 64)), 0);
  assert.equal(read32(packed + 4), read32(packing), "the block is as large as planned");
  assert.equal(c.mn_index_thaw(packed, 1000, thawed, arena(read32(sizes) + 64)), 0);
  assert.equal(read32(thawed + 4), read32(sizes));
  assert.equal(c.mn_index_append(packed, 0, vectors([0, 0], 2), 0, scratch), MN_ERROR_READ_ONLY);

  const info = room(168);
  const infos = [whole, packed, thawed].map((index) => {
    c.mn_index_info(info, index);
    return { packed: read32(info + 88), block: read32(info + 104), graph: read32(info + 112) };
  });
  assert.deepEqual(infos.map(({ packed }) => packed), [0, 1, 0]);
  assert.deepEqual(infos.map(({ block }) => block), [whole, packed, thawed].map((index) => read32(index + 4)));
  assert.ok(infos[1].graph > 0 && infos[1].graph < infos[0].graph / 2, `${infos[1].graph} of ${infos[0].graph}`);
  for (const at of [[0, 0], [0.5, -0.25], [-0.9, 0.9]]) {
    const expected = search(whole, at, 5, scratch);
    assert.equal(expected.length, 5);
    for (const index of [packed, thawed]) assert.deepEqual(search(index, at, 5, scratch), expected);
  }
});

test("a spec is chosen within a budget", () => {
  const options = zeroed(64, 64, MN_L2);
  const chosen = (count, budget, paged = 0) => {
    const status = c.mn_options_choose(options, count, BigInt(budget), paged);
    const spec = room(80);
    assert.equal(c.mn_options_format(options, spec), 0);
    return [status, text(spec)];
  };
  assert.match(chosen(100_000, 0)[1], /^hnsw\d+,/);
  const [status, spec] = chosen(100_000, 12e6);
  assert.equal(status, 0);
  assert.match(spec, /^hnsw\d+,bits\d$/);
  assert.notEqual(spec, chosen(100_000, 0)[1]);
  assert.equal(chosen(100_000, 1000)[0], MN_ERROR_CAPACITY);
  assert.match(chosen(100_000, 0, 1)[1], /^ivf1264,bits8$/);
});

test("codes, training and planes", () => {
  const options = zeroed(64, 8, MN_L2);
  const spec = new TextEncoder().encode("flat,bits8");
  assert.equal(c.mn_options_parse(options, put(spec), spec.length, 0), 0);
  const rows = Array.from({ length: 800 }, (_, i) => Math.sin(i * i));
  const training = room(12);
  assert.equal(c.mn_plan_training(options, 100, training), 0);
  assert.equal(read32(training), 1);
  const memory = arena(1 << 20);
  const scratch = arena(Math.max(read32(training + 8), 1 << 16) + 64);
  const index = room(512);
  assert.equal(c.mn_index_create(index, options, 100, memory), 0);
  assert.equal(c.mn_index_train(index, vectors(rows, 8), scratch), 0);
  assert.equal(c.mn_index_add(index, 0, vectors(rows, 8), 0, scratch), 0);

  const info = room(168);
  c.mn_index_info(info, index);
  const [codeBytes, error] = [read32(info + 120), data().getFloat32(info + 128, true)];
  assert.equal(codeBytes, 16); // 8 planes of a byte, and 8 bytes
  assert.ok(error > 0 && error < 1e-3, `error ${error}`);
  const codes = room(100 * codeBytes);
  assert.equal(c.mn_index_encode(index, vectors(rows, 8), codes, 0, scratch), 0);
  const decoded = room(100 * 32);
  assert.equal(c.mn_index_decode(index, codes, 100, decoded, scratch), 0);
  rows.forEach((x, i) => assert.ok(Math.abs(x - data().getFloat32(decoded + 4 * i, true)) < 0.02));

  const stats = zeroed(72);
  const query = makeQuery(3, rows.slice(0, 8), { planes: 1, refinePlanes: 4, stats });
  data().setFloat32(query + 28, 5, true);
  const [hits, count] = [room(48), room(4)];
  assert.equal(c.mn_index_search(index, query, hits, count, scratch), 0);
  assert.equal(Number(data().getBigUint64(hits, true)), 0);
  assert.deepEqual([read32(stats + STATS.refined), read32(stats + STATS.planes)], [15, 1]);
});

test("vectors are deleted, replaced and repaired", () => {
  const scratch = arena(1 << 20);
  const index = line("hnsw8,f32", 256, scratch, 300);
  const keys = (from, count) => put64(Array.from({ length: count }, (_, i) => from + i));
  assert.equal(c.mn_index_delete(index, keys(100, 20), 20, 0), 0);
  assert.deepEqual(infoOf(index), { count: 236, slots: 256, dead: 20, ef: 0, nprobe: 0 });
  assert.deepEqual(search(index, [109.75], 2, scratch), [[120, 105.0625], [99, 115.5625]]);
  const row = room(4);
  assert.equal(c.mn_index_delete(index, put64([7, 105]), 2, row), MN_ERROR_UNKNOWN_KEY);
  assert.equal(read32(row), 1);
  assert.equal(infoOf(index).count, 236, "all or none");

  const left = room(4);
  let steps = 0;
  do {
    assert.equal(c.mn_index_repair(index, 100, left, scratch), 0);
    steps++;
  } while (read32(left) > 0);
  assert.ok(steps > 1, `${steps} steps`);
  assert.equal(infoOf(index).dead, 0);
  assert.equal(c.mn_index_update(index, put64([0]), vectors([-5], 1), 0, scratch), 0);
  assert.equal(c.mn_index_upsert(index, put64([1, 1000]), vectors([-7, 109], 1), 0, scratch), 0);
  assert.deepEqual(search(index, [-6.75], 2, scratch), [[1, 0.0625], [0, 3.0625]]);
  assert.deepEqual(search(index, [109.5], 1, scratch), [[1000, 0.25]]);
  assert.deepEqual(infoOf(index).slots, 256, "slots are used again");
  assert.equal(c.mn_index_verify(index), 0);
});

test("conditions, plans and budgets", () => {
  const scratch = arena(1 << 20);
  const index = line("hnsw8,f32", 512, scratch);
  const ranges = put64([10, 20, 300, 399]);
  const without = put64([15, 301, 9999]);
  for (const plan of [0, 1, 2, 3, 4]) {
    const { hits, did } = ask(index, 4, [15], scratch,
      { ranges, rangeCount: 2, without, withoutCount: 3, plan });
    assert.deepEqual(hits, [[14, 1], [16, 1], [13, 4], [17, 4]], `plan ${plan}`);
    if (plan) assert.deepEqual([did.plan, did.reason], [plan, 2]);
  }
  const bits = new Uint32Array(16);
  bits[1] = 0b101;
  const { hits, did } = ask(index, 4, [15], scratch, { filter: put(new Uint8Array(bits.buffer)) });
  assert.deepEqual(hits, [[32, 289], [34, 361]]);
  assert.equal(did.matches, 2);
  const cut = ask(index, 4, [15], scratch, { budget: 40 }).did;
  assert.deepEqual([cut.cut, cut.distances], [1, 40]);
});

test("searches made of searches", () => {
  const scratch = arena(1 << 20);
  const index = line("hnsw8,f32", 512, scratch);
  const [hits, count] = [room(16 * 200), room(8)];
  assert.equal(c.mn_index_within(index, makeQuery(200, [100]), 9, hits, count, scratch), 0);
  assert.deepEqual(readHits(hits, read32(count)).map(([key]) => key), [100, 99, 101, 98, 102, 97, 103]);
  assert.equal(c.mn_index_diversify(index, hits, 7, 3, 0.1, scratch), 0);
  assert.deepEqual(readHits(hits, 3).map(([key]) => key), [100, 97, 103]);
  assert.equal(c.mn_index_search_like(index, 7n, makeQuery(2), hits, count, scratch), 0);
  assert.deepEqual(readHits(hits, read32(count)), [[6, 1], [8, 1]]);
  assert.equal(c.mn_index_search_like(index, 600n, makeQuery(2), hits, count, scratch), MN_ERROR_UNKNOWN_KEY);
  assert.equal(c.mn_index_search_many(index, vectors([3.25, 400.75], 1), makeQuery(2), hits, count, scratch), 0);
  assert.deepEqual([read32(count), read32(count + 4)], [2, 2]);
  assert.deepEqual(readHits(hits, 4).map(([key]) => key), [3, 4, 401, 400]);
});

test("tuned, audited and merged", () => {
  const scratch = arena(8 << 20);
  const index = line("hnsw8,f32", 512, scratch, 600);
  const query = makeQuery(5);
  const queries = vectors(Array.from({ length: 50 }, (_, i) => 10.2 * i + 0.3), 1);
  const tuning = zeroed(40, query, queries);
  data().setFloat32(tuning + 20, 0.9, true);
  write32(tuning + 28, 1);
  const tuned = zeroed(80);
  assert.equal(c.mn_index_tune(index, tuning, tuned, scratch), 0);
  assert.deepEqual([read32(tuned + 56), read32(tuned + 64)], [1, 1], "reached and stored");
  assert.ok(data().getFloat32(tuned + 32, true) >= 0.9);
  assert.equal(infoOf(index).ef, read32(tuned));
  assert.ok(read32(tuned) >= 5);

  assert.equal(c.mn_index_delete(index, put64([500]), 1, 0), 0);
  const audit = zeroed(96);
  assert.equal(c.mn_index_audit(index, zeroed(20, query, queries), audit, scratch), 0);
  assert.deepEqual([read32(audit), read32(audit + 4), read32(audit + 40)], [50, 5, 511]);
  assert.ok(data().getFloat32(audit + 16, true) >= 0.8);
  assert.equal(read32(audit + 68), 0, "unreachable");

  const other = line("hnsw8,f32", 10, scratch);
  const merging = zeroed(56);
  assert.equal(c.mn_index_merge(index, other, 0, merging, scratch), MN_ERROR_DUPLICATE_KEY);
  assert.deepEqual([read32(merging + 8), read32(merging + 16)], [10, 0], "conflicts, and the first");
  assert.equal(c.mn_index_delete(other, put64([0, 1, 2]), 3, 0), 0);
  assert.equal(c.mn_index_upsert(other, put64([9, 700, 701]), vectors([9.5, 700, 701], 1), 0, scratch), 0);
  assert.equal(c.mn_index_merge(index, other, 2, merging, scratch), 0);
  assert.deepEqual([4, 8, 12].map((at) => read32(merging + at)), [2, 7, 7], "added, conflicts, replaced");
  assert.deepEqual(search(index, [9.5], 1, scratch), [[9, 0]]);
  assert.deepEqual(search(index, [702], 2, scratch), [[701, 1], [700, 4]]);
  assert.equal(infoOf(index).count, 513);
});

test("inverted lists", () => {
  const scratch = arena(1 << 20);
  const index = line("ivf8,f32", 400, scratch);
  const near = ask(index, 3, [200.25], scratch, { nprobe: 1 });
  assert.deepEqual([near.did.probed, near.did.exact], [1, 0]);
  assert.ok(near.did.distances < 200, `${near.did.distances}`);
  const all = ask(index, 3, [200.25], scratch, { nprobe: 8 });
  assert.deepEqual([all.did.probed, all.did.exact], [8, 1]);
  assert.deepEqual(all.hits, [[200, 0.0625], [201, 0.5625], [199, 1.5625]]);
});

test("errors are statuses with names", () => {
  const options = zeroed(64, 1, MN_L2);
  const memory = arena(1 << 20);
  const scratch = arena(1 << 20);
  const index = room(512);
  assert.equal(c.mn_index_create(index, options, 10, memory), 0);
  const keys = put64([5, 5]);
  const row = room(4);
  assert.equal(c.mn_index_add(index, keys, vectors([1, 2], 1), row, scratch), MN_ERROR_DUPLICATE_KEY);
  assert.equal(read32(row), 1);
  assert.equal(text(c.mn_status_name(MN_ERROR_DUPLICATE_KEY)), "duplicate-key");
});
