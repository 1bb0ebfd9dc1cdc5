// SPDX-License-Identifier: Apache-2.0
// build/wasi/minnow-reactor.wasm, as a host in any language would use it: no
// imports, structs written by hand at the offsets that wasm/reactor.c pins.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";

const root = new URL("../../", import.meta.url);
const MN_L2 = 1;
const MN_ERROR_DUPLICATE_KEY = -7;
const MN_ERROR_CAPACITY = -9;
const MN_ERROR_READ_ONLY = -11;
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

function makeQuery(k, vector = [], more = []) {
  return zeroed(80, put(new Uint8Array(Float32Array.from(vector).buffer)), vector.length, k, ...more);
}

// The keys and distances of the k nearest.
function search(index, vector, k, scratch) {
  const query = makeQuery(k, vector);
  const hits = room(16 * k);
  const count = room(4);
  assert.equal(c.mn_index_search(index, query, hits, count, scratch), 0);
  return Array.from({ length: read32(count) }, (_, i) => [
    Number(data().getBigUint64(hits + 16 * i, true)),
    data().getFloat32(hits + 16 * i + 8, true),
  ]);
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
  const at = room(bytes + 8);
  const image = at + (-at & 7);
  new Uint8Array(c.memory.buffer).set(copy, image);
  assert.equal(c.mn_index_open(opened, image, bytes), 0);
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
  const chosen = (count, budget) => {
    const status = c.mn_options_choose(options, count, BigInt(budget));
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

  const stats = room(32);
  const query = makeQuery(3, rows.slice(0, 8), [0, 1, 4, 0, 0, 0, 0, stats]);
  data().setFloat32(query + 24, 5, true);
  const [hits, count] = [room(48), room(4)];
  assert.equal(c.mn_index_search(index, query, hits, count, scratch), 0);
  assert.equal(Number(data().getBigUint64(hits, true)), 0);
  assert.deepEqual([read32(stats + 24), read32(stats + 28)], [15, 1]);
});

test("errors are statuses with names", () => {
  const options = zeroed(64, 1, MN_L2);
  const memory = arena(1 << 20);
  const scratch = arena(1 << 20);
  const index = room(512);
  assert.equal(c.mn_index_create(index, options, 10, memory), 0);
  const keys = put(new Uint8Array(BigUint64Array.of(5n, 5n).buffer));
  const row = room(4);
  assert.equal(c.mn_index_add(index, keys, vectors([1, 2], 1), row, scratch), MN_ERROR_DUPLICATE_KEY);
  assert.equal(read32(row), 1);
  assert.equal(text(c.mn_status_name(MN_ERROR_DUPLICATE_KEY)), "duplicate-key");
});
