// SPDX-License-Identifier: Apache-2.0
// Sections that a host attaches to a block, by the reactor: the command has no
// word for them.
import { readFileSync } from "node:fs";

const reactor = new URL("../../build/wasi/minnow-reactor.wasm", import.meta.url);
const ALIGNMENT = 64;

// The block with `bytes` attached under a name of four characters, sealed.
export function attach(block, name, bytes) {
  const c = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(reactor))).exports;
  c._initialize();
  const memory = () => new Uint8Array(c.memory.buffer);
  const data = () => new DataView(c.memory.buffer);
  const check = (status) => {
    if (status !== 0) throw new Error(`status ${status}`);
  };
  const [index, arena, section] = [c.malloc(512), c.malloc(16), c.malloc(bytes.length)];
  memory().set(bytes, section);
  const room = block.length + bytes.length + 4096;
  c.mn_arena_over(arena, c.malloc(room + ALIGNMENT), room);
  const at = c.mn_arena_allocate(arena, block.length);
  memory().set(block, at);
  check(c.mn_index_open_writable(index, at, block.length));
  check(c.mn_index_attach(index, Buffer.from(name).readUInt32LE(), section, bytes.length, arena));
  check(c.mn_index_seal(index));
  return memory().slice(at, at + data().getUint32(index + 4, true));
}
