// SPDX-License-Identifier: Apache-2.0
// What a host does to a block by the reactor, and the command has no word for.
import { readFileSync } from "node:fs";

const reactor = new URL("../../build/wasi/minnow-reactor.wasm", import.meta.url);
const ALIGNMENT = 64;

// The block after `change(c, index, at, arena)` gave status 0, sealed; `bytes`
// are at `at`, and the arena has room for them.
function changed(block, bytes, change) {
  const c = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(reactor))).exports;
  c._initialize();
  const memory = () => new Uint8Array(c.memory.buffer);
  const data = () => new DataView(c.memory.buffer);
  const check = (status) => {
    if (status !== 0) throw new Error(`status ${status}`);
  };
  const [index, arena, given] = [c.malloc(512), c.malloc(16), c.malloc(bytes.length)];
  memory().set(bytes, given);
  const room = block.length + bytes.length + 4096;
  c.mn_arena_over(arena, c.malloc(room + ALIGNMENT), room);
  const at = c.mn_arena_allocate(arena, block.length);
  memory().set(block, at);
  check(c.mn_index_open_writable(index, at, block.length));
  check(change(c, index, given, arena));
  check(c.mn_index_seal(index));
  return memory().slice(at, at + data().getUint32(index + 4, true));
}

// With `bytes` attached under a name of four characters.
export function attach(block, name, bytes) {
  return changed(block, bytes, (c, index, given, arena) =>
    c.mn_index_attach(index, Buffer.from(name).readUInt32LE(), given, bytes.length, arena));
}

// Without the vectors of these keys, and not repaired.
export function withDeleted(block, keys) {
  const bytes = new Uint8Array(BigUint64Array.from(keys, BigInt).buffer);
  return changed(block, bytes, (c, index, given) => c.mn_index_delete(index, given, keys.length, 0));
}
