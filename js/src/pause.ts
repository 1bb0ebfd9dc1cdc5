// SPDX-License-Identifier: Apache-2.0
// Long work in steps, between which the event loop runs.

/** About how long a step may take. */
export const STEP_MS = 8;

declare const setImmediate: ((callback: () => void) => unknown) | undefined;

/** Lets the event loop run; setTimeout would wait 4 ms in browsers. */
export function pause(): Promise<void> {
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
