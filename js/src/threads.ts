// SPDX-License-Identifier: Apache-2.0
// Linking by threads: workers that share a memory with a copy of the block. It
// comes back when they are done, and is, bit for bit, what one thread makes.
//
//     what the module keeps   control   block   proposals   { stack, room }, …
//                             ^ MODULE_BYTES
//
// thread.ts is what they run. Until they are done the index has its own block,
// and can be searched.
import type { Instance } from "./instance.js";
import { REPORT } from "./instance.js";
import type { Linking } from "./linking.js";
import { twin } from "./load.js";
import { source } from "./worker.js";

/** The module's initial memory (wasm/CMakeLists.txt): nothing of it lies higher. */
const MODULE_BYTES = 131072;
const CONTROL_BYTES = 64;
const STACK_BYTES = 65536;
/** wasm/threads.c: what a thread keeps before its scratch. */
const KEPT_BYTES = 1024;
const PAGE = 65536;
/** The word of the control area that asks to stop (thread.ts). */
const STOP = 0;

/** Whether it was done: not where there are no threads, or no room for them. */
export async function linkInThreads(linking: Linking, threads: number): Promise<boolean> {
  const start = isolated() && starter();
  if (!start) return false;
  let module;
  try {
    module = await twin("parallel");
  } catch {
    return false; // an engine without SIMD or threads, or not allowed to compile
  }
  linking.check();
  const shared = share(linking.instance, threads);
  if (!shared) return false;
  const crew = new Crew(start, linking);
  try {
    const tasks = shared.rooms.map((room) => ({ module, threads, ...shared.common, ...room }));
    if (!(await crew.hire(tasks))) return false;
    linking.check();
    const status = await crew.work(new Int32Array(shared.common.memory.buffer, MODULE_BYTES, 16));
    if (status === undefined) return false;
    giveBack(linking.instance, shared.block);
    linking.instance.check(status);
    crew.throwIfStopped();
    return true;
  } finally {
    crew.dismiss();
  }
}

/** Without isolation a page has no memory that could be shared. */
function isolated(): boolean {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return typeof SharedArrayBuffer === "function" && crossOriginIsolated !== false;
}

// --- Memory ---------------------------------------------------------------------

/** A shared memory with a copy of the block, laid out; undefined without room. */
function share(instance: Instance, threads: number) {
  instance.check(instance.wasm.thread_sizes());
  const [proposalsBytes, scratch] = [instance.number(REPORT.value), instance.number(REPORT.bytes)];
  const bytes = instance.block;
  const control = MODULE_BYTES;
  const block = control + CONTROL_BYTES;
  const proposals = block + bytes.length;
  const roomBytes = KEPT_BYTES + scratch;
  const first = proposals + proposalsBytes;
  const pages = Math.ceil((first + threads * (STACK_BYTES + roomBytes)) / PAGE);
  let memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch {
    return undefined;
  }
  const copy = new Uint8Array(memory.buffer, block, bytes.length);
  copy.set(bytes);
  const rooms = Array.from({ length: threads }, (_, i) => {
    const room = first + i * (STACK_BYTES + roomBytes) + STACK_BYTES;
    return { room, stackEnd: room };
  });
  return {
    block: copy,
    common: { memory, control, block, blockBytes: bytes.length, proposals, roomBytes },
    rooms,
  };
}

/** Puts the block back in its place: it has the size that it had. */
function giveBack(instance: Instance, bytes: Uint8Array): void {
  instance.block.set(bytes);
  instance.check(instance.wasm.open(bytes.length));
}

// --- Workers --------------------------------------------------------------------

interface Handle {
  post(message: unknown): void;
  end(): void;
}

type Start = (onMessage: (data: any) => void, onError: (error: unknown) => void) => Handle;

interface NodeWorker {
  on(event: string, listener: (argument: any) => void): void;
  postMessage(message: unknown): void;
  terminate(): unknown;
}

/** How this runtime starts a worker; undefined where it has none. */
function starter(): Start | undefined {
  if (typeof Worker === "function") return startWeb;
  const { process } = globalThis as {
    process?: {
      getBuiltinModule?(name: string): { Worker: new (code: string, options: object) => NodeWorker };
    };
  };
  const node = process?.getBuiltinModule?.("node:worker_threads");
  if (!node) return undefined;
  return (onMessage, onError) => {
    const worker = new node.Worker(source, { eval: true });
    worker.on("message", onMessage);
    worker.on("error", onError);
    return { post: (message) => worker.postMessage(message), end: () => worker.terminate() };
  };
}

// From a Blob: a file of its own would be lost in some bundles.
const startWeb: Start = (onMessage, onError) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    const worker = new Worker(url, { type: "module" }); // Deno has no other
    worker.onmessage = ({ data }) => onMessage(data);
    worker.onerror = (event) => {
      event.preventDefault();
      onError(event);
    };
    return { post: (message) => worker.postMessage(message), end: () => worker.terminate() };
  } finally {
    // the browser has begun to load it
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
};

/** The workers of one linking. */
class Crew {
  readonly #start: Start;
  readonly #linking: Linking;
  readonly #workers: Handle[] = [];
  #onMessage: (data: any) => void = () => {};
  #onError: (error: unknown) => void = () => {};
  #stopped: { reason: unknown } | undefined;

  constructor(start: Start, linking: Linking) {
    this.#start = start;
    this.#linking = linking;
  }

  /** Whether all of them started. A policy may forbid it. */
  hire(tasks: readonly object[]): Promise<boolean> {
    return new Promise((resolve) => {
      let ready = 0;
      this.#onMessage = () => {
        if (++ready === tasks.length) resolve(true);
      };
      this.#onError = () => resolve(false);
      try {
        for (const task of tasks) {
          const worker = this.#start((data) => this.#onMessage(data), (error) => this.#onError(error));
          this.#workers.push(worker);
          worker.post(task);
        }
      } catch {
        resolve(false);
      }
    });
  }

  /** Their status when all are done; undefined where one broke down. */
  work(control: Int32Array): Promise<number | undefined> {
    return new Promise((resolve) => {
      let busy = this.#workers.length;
      this.#onError = () => resolve(undefined);
      this.#onMessage = ({ linked, status }) => {
        if (status !== undefined) {
          if (--busy === 0) resolve(status);
        } else if (!this.#stopped) {
          try {
            this.#linking.tell(linked);
            if (linked < this.#linking.total) this.#linking.check();
          } catch (reason) {
            this.#stopped = { reason };
            Atomics.store(control, STOP, 1);
          }
        }
      };
      for (const worker of this.#workers) worker.post("go");
    });
  }

  throwIfStopped(): void {
    if (this.#stopped) throw this.#stopped.reason;
  }

  dismiss(): void {
    for (const worker of this.#workers) worker.end();
  }
}
