// SPDX-License-Identifier: Apache-2.0
// What a linking thread runs, as a script of its own (build.mjs makes a string
// of it). It gets a Task, says "ready", and begins at the next message. Threads
// share a batch's vectors among themselves; the one that is done last enters the
// batch while the others wait.

interface Task {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** Addresses, and sizes in bytes. */
  control: number;
  block: number;
  blockBytes: number;
  proposals: number;
  stackEnd: number;
  room: number;
  roomBytes: number;
  threads: number;
}

/** wasm/threads.c */
interface ThreadExports {
  __stack_pointer: WebAssembly.Global;
  open(room: number, roomBytes: number, block: number, blockBytes: number): number;
  batch(room: number): number;
  propose(room: number, from: number, to: number, proposals: number): number;
  commit(room: number, proposals: number): number;
}

interface Port {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: unknown): void;
}

declare const require: ((name: string) => { parentPort: Port }) | undefined;
declare const self: Port;

const port = typeof require === "function" ? require("node:worker_threads").parentPort : self;

/** Words of the shared control area; js/src/threads.ts writes STOP. */
const STOP = 0, NEXT = 1, ARRIVED = 2, TURN = 3, END = 4, STATUS = 5;
/** Vectors that a thread takes at a time: a batch is divided as it goes. */
const SHARE = 2;

port.onmessage = ({ data }) => {
  const task = data as Task;
  const wasm = new WebAssembly.Instance(task.module, { env: { memory: task.memory } })
    .exports as unknown as ThreadExports;
  wasm.__stack_pointer.value = task.stackEnd;
  const status = wasm.open(task.room, task.roomBytes, task.block, task.blockBytes);
  if (status !== 0) throw new Error(`status ${status}`);
  port.onmessage = () => port.postMessage({ status: link(wasm, task) });
  port.postMessage("ready");
};

/** Until nothing is left, or to the end of the batch in which it was stopped. */
function link(wasm: ThreadExports, { memory, control, room, proposals, threads }: Task): number {
  const words = new Int32Array(memory.buffer, control, 16);
  let linked = 0;
  for (let count; Atomics.load(words, END) === 0 && (count = wasm.batch(room)) > 0;) {
    const turn = Atomics.load(words, TURN);
    for (let from; (from = Atomics.add(words, NEXT, SHARE)) < count;) {
      const status = wasm.propose(room, from, Math.min(from + SHARE, count), proposals);
      if (status !== 0) Atomics.store(words, STATUS, status);
    }
    linked += count;
    if (Atomics.add(words, ARRIVED, 1) + 1 < threads) {
      Atomics.wait(words, TURN, turn);
      continue;
    }
    if (Atomics.load(words, STATUS) === 0) Atomics.store(words, STATUS, wasm.commit(room, proposals));
    // decided once for all, so that none waits for one that has left
    Atomics.store(words, END, Atomics.load(words, STOP) | Number(Atomics.load(words, STATUS) !== 0));
    Atomics.store(words, NEXT, 0);
    Atomics.store(words, ARRIVED, 0);
    Atomics.add(words, TURN, 1);
    Atomics.notify(words, TURN);
    port.postMessage({ linked });
  }
  return Atomics.load(words, STATUS);
}
