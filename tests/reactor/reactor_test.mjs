// SPDX-License-Identifier: Apache-2.0
// build/wasi/minnow-reactor.wasm, as a host in any language would use it: no
// imports, structs written by hand at the offsets that wasm/reactor.c pins.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";

const root = new URL("../../", import.meta.url);
const MN_L2 = 1;
const MN_ERROR_DUPLICATE_KEY = -7;
const MN_ERROR_CORRUPT = -19;

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

// The keys and distances of the k nearest.
function search(index, vector, k, scratch) {
  const query = room(24);
  write32(query, put(new Uint8Array(Float32Array.from(vector).buffer)), vector.length, k, 0, 0, 0);
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
  const options = room(32);
  write32(options, 2, MN_L2, 0, 0, 0, 0, 7, 0);
  const spec = new TextEncoder().encode("hnsw8,f16");
  assert.equal(c.mn_options_parse(options, put(spec), spec.length, 0), 0);
  const sizes = room(28);
  assert.equal(c.mn_plan(options, 100, 3, 0, sizes), 0);

  const memory = arena(read32(sizes) + 64);
  const scratch = arena(Math.max(read32(sizes + 16), read32(sizes + 24)) + 64);
  const index = room(128);
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
  const opened = room(128);
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

test("errors are statuses with names", () => {
  const options = room(32);
  write32(options, 1, MN_L2, 0, 0, 0, 0, 0, 0);
  const memory = arena(1 << 20);
  const scratch = arena(1 << 20);
  const index = room(128);
  assert.equal(c.mn_index_create(index, options, 10, memory), 0);
  const keys = put(new Uint8Array(BigUint64Array.of(5n, 5n).buffer));
  const row = room(4);
  assert.equal(c.mn_index_add(index, keys, vectors([1, 2], 1), row, scratch), MN_ERROR_DUPLICATE_KEY);
  assert.equal(read32(row), 1);
  assert.equal(text(c.mn_status_name(MN_ERROR_DUPLICATE_KEY)), "duplicate-key");
});
