// SPDX-License-Identifier: Apache-2.0
// Long work in steps, between which the event loop runs.

/** About how long a step may take. */
const STEP_MS = 8;

declare const setImmediate: ((callback: () => void) => unknown) | undefined;

/** Work that can be done a part at a time. */
export interface Work {
  /** Throws where it should stop. */
  check(): void;
  /** Does so much of it; says how much is left. */
  step(size: number): number;
  /** Says how much is left. */
  tell(left: number): void;
}

/** Does it to its end, in steps of `least` or more. */
export async function inSteps(least: number, { check, step, tell }: Work): Promise<void> {
  for (let size = least, left = Infinity; left > 0;) {
    await pause();
    check();
    const start = performance.now();
    left = step(size);
    const spent = performance.now() - start;
    if (spent < STEP_MS / 2) size *= 2;
    else if (spent > STEP_MS) size = Math.max(least, Math.floor(size / 2));
    tell(left);
  }
}

/** Lets the event loop run; setTimeout would wait 4 ms in browsers. */
function pause(): Promise<void> {
  return new Promise((resume) => {
    if (typeof setImmediate === "function") {
      setImmediate(resume);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resume();
    };
    port2.postMessage(0);
  });
}
